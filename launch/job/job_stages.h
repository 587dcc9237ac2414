/* job_stages: the stages of a job, and what they take from the default stages of its model. */
#pragma once
#include "launch/job/job.h"

/* The default stages of the job's model; without a model one of supervised cross-entropy, momentum,
 * a constant rate, batches of 128, 10 epochs. Release with ls_model_release_stages. LS_USAGE errors
 * that name the place of `model`. */
bool ls_job_stages_default(const ls_job *job, ls_recipe_list *list, ls_error *error);
/* How many stages the entries of the job make: as many as its own list has; one if an objective
 * stands at the top; else as many as the model has. */
int ls_job_stages_count(const ls_job *job, const ls_recipe_list *list);
/* Fills the keys that the job's stages leave out. Stage i takes those of default stage i where
 * there are as many, else those of the first with the same type of objective, else of the first. */
void ls_job_stages_fill(ls_job *job, const ls_recipe_list *list);
