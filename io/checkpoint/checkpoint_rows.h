/* checkpoint_rows: what a checkpoint holds below /rows. */
#pragma once
#include "io/checkpoint/checkpoint.h"

/* Reads what the file holds of `wanted`, the row states that the objective has now: `found` gets
 * their names with the rows and reals that stand in the file (0: none does), and, where these are
 * the wanted ones, their numbers, to be freed by ls_checkpoint_rows_release in either case. LS_DATA
 * errors: below /rows is something else, or numbers are of another type or not finite. */
bool ls_checkpoint_rows_load(const ls_checkpoint *checkpoint, const ls_row_states *wanted,
                             ls_checkpoint_rows *found, ls_error *error);
void ls_checkpoint_rows_release(ls_checkpoint_rows *found);
