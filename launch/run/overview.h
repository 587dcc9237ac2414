/* overview: what `lockstep train` prints before the first step. Rank 0 prints. */
#pragma once
#include <stdio.h>

#include "launch/train/trainer.h"

/* Versions, ranks, net, data, stages, and where the run goes on from. */
void ls_overview_print(const ls_trainer *trainer, FILE *out);
/* The same for --dry-run, with the layers, the memory, the size of a checkpoint, and a guess of the
 * time that a run takes, on ranks that compute `pace` operations a second (pace.h). */
void ls_overview_print_plan(const ls_trainer *trainer, double pace, FILE *out);
