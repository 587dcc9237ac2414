/* rbm_learn: the gradient of the objective rbm, and the chains by which it learns and makes rows.
 */
#pragma once
#include "core/objectives/rbm_rows.h"

enum { LS_RBM_ENERGY = LS_SUM_LOSS + 1, LS_RBM_RECONSTRUCTION, LS_RBM_ACTIVITY, LS_RBM_PSEUDO };
/* Rows of chains that go through the arrays together. */
enum { LS_RBM_PIECE = 256 };

/* The `gradient` of the objective. */
void ls_rbm_gradient(ls_objective *objective, int phase, const ls_batch *shard, const ls_pass *pass,
                     ls_sums *sums);
