/* rbm_likelihood: the likelihood that an rbm gives rows: ln p(v) = -F(v) - ln Z. Where one side of
 * the machine has at most 25 units of 0 or 1, and neither --temperatures nor --reverse asks for
 * annealing, Z is exact (partition.h), and a draw is a part of the states. Else it is estimated
 * (annealing.h), and a draw is a run; the base model has the means of training rows.
 *
 * The machine's p(v) is of rows of 0 and 1, or of normal ones. Numbers between 0 and 1 are taken as
 * they are: since F is concave, -F(v) is then below the mean of -F over rows drawn with these
 * probabilities (binarize=1). */
#pragma once
#include "core/objectives/rbm_rows.h"

/* The objective's hooks of these names (objective.h). */
long ls_rbm_draws(const ls_objective *objective, const ls_estimate *how, ls_error *error);
void ls_rbm_draw(ls_objective *objective, const ls_pass *pass, const ls_estimate *how, long first,
                 long n, double *result);
int ls_rbm_conclude(ls_objective *objective, const ls_estimate *how, long n, const double *result,
                    ls_figure *figures);
void ls_rbm_assess(ls_objective *objective, const ls_batch *rows, const ls_pass *pass, long draws,
                   double *estimate);
