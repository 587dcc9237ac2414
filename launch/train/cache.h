/* cache: how much of a data set that lies in chunks each rank keeps unpacked. */
#pragma once
#include "launch/train/trainer.h"

/* Lets the training rows be kept unpacked where they lie in chunks: in half of the memory that the
 * machine, or the limits of this job on it, leave to this rank beside what the run takes. For a
 * trainer whose shards are divided and whose loader is not open yet. LS_IO and LS_DATA errors. */
bool ls_cache_reserve(ls_trainer *trainer, ls_error *error);
