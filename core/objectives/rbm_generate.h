/* rbm_generate: rows that the objective rbm makes. */
#pragma once
#include "core/objective.h"

/* The `generate` of the objective: the means of visible units after steps of Gibbs sampling; of a
 * machine above others the means of the lowest one's, by samples of those between. */
void ls_rbm_generate(ls_objective *objective, const ls_pass *pass, const ls_generation *what,
                     long n, real *x);
