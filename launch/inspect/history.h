/* history: what a run's metrics.jsonl says of its stages. */
#pragma once
#include <jansson.h>

/* One record a stage: stage, first_step, step, epoch, the last training record's numbers (loss,
 * accuracy, rate, samples_per_second), the last evaluation by its split's name, and of the final
 * record final, seconds, best, best_step. Lines that are no JSON objects count in "unreadable" of
 * the stage before them. Empty where there is no metrics.jsonl. */
json_t *ls_history_read(const char *run);
