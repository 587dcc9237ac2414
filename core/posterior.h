/* posterior: the normal distribution q(z|x) of a code z that an encoder gives for a row x: its
 * outputs code[rows, 2 * latent] are for each row the means, then the logarithms of the variances;
 * the numbers of a code are independent (Kingma and Welling 2014, Auto-encoding variational
 * Bayes).
 *
 * In float the variance that the divergence and its slopes are of stops at e^88 (ls_math_expm1), so
 * that a wild encoder makes them very large, but not infinite; in double they overflow at e^709. */
#pragma once
#include "core/tensor.h"

/* z[rows, latent] = mean + deviation * noise[rows, latent]: noise of N(0, 1) makes z a draw from q.
 */
void ls_posterior_draw(long rows, long latent, const real *code, const real *noise, real *z);
/* The sum over rows of the divergence from q to N(0, 1), in nats: of each number of a code
 * (mean^2 + variance - 1 - ln variance) / 2 (their appendix B). */
double ls_posterior_divergence(long rows, long latent, const real *code);
/* dcode[rows, 2 * latent]: the slopes of a loss with the slopes dz by z, plus beta times the
 * divergence. */
void ls_posterior_slopes(long rows, long latent, const real *code, const real *noise,
                         const real *dz, double beta, real *dcode);
/* ln p(z) - ln q(z|x) of one draw, p = N(0, 1): of each number of the code
 * (noise^2 - z^2 + ln variance) / 2. `code`, `noise` and z are those of one row. */
double ls_posterior_ratio(long latent, const real *code, const real *noise, const real *z);
