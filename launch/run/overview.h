/* overview: what `lockstep train` prints before the first step. Rank 0 prints. */
#pragma once
#include <stdio.h>

#include "launch/doctor/host.h"
#include "launch/train/trainer.h"

/* Versions, ranks, net, data, stages, and where the run goes on from. hosts[ranks]: see hosts.h. */
void ls_overview_print(const ls_trainer *trainer, const ls_host *hosts, FILE *out);
/* The same for --dry-run, with the layers, the memory, the size of a checkpoint, and a guess of the
 * time that a run takes, on ranks that compute `pace` operations a second (pace.h). */
void ls_overview_print_plan(const ls_trainer *trainer, const ls_host *hosts, double pace,
                            FILE *out);
