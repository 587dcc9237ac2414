/* overview: what `lockstep train` prints before the first step. Rank 0 prints. */
#pragma once
#include <stdio.h>

#include "launch/train/trainer.h"

/* Versions, ranks, net, data, stages, and where the run goes on from. */
void ls_overview_print(const ls_trainer *trainer, FILE *out);
/* The same for --dry-run, with the layers, the memory and the size of a checkpoint. */
void ls_overview_print_plan(const ls_trainer *trainer, FILE *out);
