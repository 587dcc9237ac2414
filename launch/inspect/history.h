/* history: a summary of metrics.jsonl by stage. */
#pragma once
#include <jansson.h>

/* A list with one record for each stage: stage, first_step, step, epoch, the numbers of the last
 * training record (loss, accuracy, rate, samples_per_second), the last evaluation under the name of
 * its split, and final, seconds, best and best_step of the final record. Lines that are no JSON
 * objects are counted in "unreadable" of the stage before them. Empty without a metrics.jsonl. */
json_t *ls_history_read(const char *run);
