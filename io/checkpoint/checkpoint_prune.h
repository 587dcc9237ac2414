/* checkpoint_prune: removes checkpoints that a run no longer needs. What can't be removed stays,
 * the rest is removed all the same, and the first reason is an LS_IO error. */
#pragma once
#include "core/check.h"

/* After step `step` was committed: keeps the newest `keep` up to it. Removes the older ones, files
 * that were never finished, and damaged ones of later steps, which the run has passed over. Later
 * ones that hold stay, with an error that says so: nobody asked to drop them. */
bool ls_checkpoint_prune(const char *folder, long step, int keep, ls_error *error);
/* For a run that was told to go back to step `step`: removes those of later steps, and of stages
 * that ended later. */
bool ls_checkpoint_prune_later(const char *folder, long step, ls_error *error);
/* For a run that goes on from step `step`: removes stage-N.h5 of stages that ended later, and
 * damaged ones. */
bool ls_checkpoint_prune_stages(const char *folder, long step, ls_error *error);
/* For a run that starts: removes what a killed writer left, *.tmp and files without an .ok. */
void ls_checkpoint_prune_unfinished(const char *folder);
