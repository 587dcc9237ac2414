/* factoring: whether the sums of a phase go faster by factors (factors.h), and of which weights.
 *
 * Nobody has to say: a phase finds out in its first sums, which are right in any case.
 *
 *     sum 1        goes by gradients. Backward tells which weights have factors, and of how many
 *                  rows. Candidates are those whose factors are less than half of what an exchange
 *                  of gradients sends, if all nodes have equally many ranks, and all
 *                  ranks the same kernels of products
 *     sum 2        goes by gradients, and by factors beside. If a bit differs on any rank (an
 *                  objective that adds to a gradient by itself), no candidate
 *                  is left
 *     sums 3 to 8  three go by gradients, three by factors; the way of the shorter median stays
 *
 * LOCKSTEP_FACTORS in the environment of rank 0: `auto`, the default, is the above; `never`; or
 * `always`, for tests: every weight that has factors is a candidate, and sum 2 alone decides. */
#pragma once
#include "dist/factors.h"

enum { LS_FACTORING_SUMS = 8 }; /* that it takes to find out */

typedef struct ls_factoring ls_factoring;

/* Whether LOCKSTEP_FACTORS has one of its values; LS_USAGE error. */
bool ls_factoring_check_environment(ls_error *error);
/* For a phase; `comm` and `params` are borrowed. Free with ls_factoring_destroy. */
ls_factoring *ls_factoring_create(ls_comm *comm, const ls_params *params,
                                  const ls_factors_load *load);
void ls_factoring_destroy(ls_factoring *factoring); /* **Collective** over the node. */
/* **Collective.** Begins a sum. True: ls_factoring_slots says something else than before. */
bool ls_factoring_begin(ls_factoring *factoring);
/* [params->count] the slots whose sum goes by factors; NULL: none does. */
const bool *ls_factoring_slots(const ls_factoring *factoring);
/* The candidates' factors, while sums go by them; else NULL. */
ls_factors *ls_factoring_factors(const ls_factoring *factoring);
/* The number in these factors of a slot that is a candidate. */
int ls_factoring_number(const ls_factoring *factoring, int slot);
/* Writes into text[size] what was found out, a line for a person. True once; the same on all ranks.
 */
bool ls_factoring_notice(ls_factoring *factoring, char *text, size_t size);
/* Backward tells factors. True: their gradient is made by the sum. */
bool ls_factoring_hear(ls_factoring *factoring, const ls_layer_factors *factors);
/* **Collective.** Ends a sum, of which this rank has these runs of `array`. */
void ls_factoring_end(ls_factoring *factoring, const ls_runs *own, const real *array);
