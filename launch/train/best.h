/* best: best.h5 of a run that goes on. */
#pragma once
#include "launch/train/trainer.h"

/* On rank 0, with trainer->checkpoint open: makes RUN/checkpoints/best.h5 that of the position. If
 * it is damaged, missing or of another step, it is written again from the checkpoint of that step;
 * where there is none, the best is forgotten; a notice says so. A run that begins from another
 * run's checkpoint copies that one's. Fills the parameters with numbers of no use. LS_IO errors. */
bool ls_best_settle(ls_trainer *trainer, ls_error *error);
