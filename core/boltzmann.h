/* boltzmann: a restricted Boltzmann machine (Smolensky 1986; Hinton 2002) over the slots of a dense
 * line with visible=1: weight W [hidden, visible], bias b [hidden], visible_bias a [visible].
 *
 *     E(v, h) = -a v - b h - h W v                        Bernoulli visible units: 0 or 1
 *     E(v, h) = |v - a|^2 / 2 - b h - h W v               Gaussian ones, of variance 1
 *
 * Given one side, the units of the other are independent. With the *inputs* x = b + W v of the
 * hidden units, s the logistic function, and of the visible units y = a + h W:
 *
 *     units        mean           sample                     G, whose derivative is the mean
 *     Bernoulli    s(x)           1 with probability s(x)    ln(1 + e^x)
 *     rectified    ln(1 + e^x)    max(0, x + N(0, s(x)))     -Li2(-e^x)
 *     Gaussian     y              y + N(0, 1)                y^2 / 2
 *
 *     F(v) = -ln sum over h of e^-E(v, h) = -a v (or |v - a|^2 / 2) - sum over j of G(x_j)
 *
 * A rectified unit (Nair and Hinton 2010) stands for Bernoulli units without end, of the same
 * weights and the inputs x - 1/2, x - 3/2, ...: their means add up to nearly the integral of s,
 * ln(1 + e^x), and their G to the integral of that, the dilogarithm. So the derivative of F by x is
 * -mean for both kinds, as contrastive divergence needs it; the sample is that paper's
 * approximation of the sum's distribution.
 *
 * A product with W is a pass of the dense line: forward makes b + W v, dx of backward is h W. */
#pragma once
#include "core/random.h"
#include "core/workspace.h"

/* Slots of the line. */
enum { LS_BOLTZMANN_WEIGHT, LS_BOLTZMANN_HIDDEN, LS_BOLTZMANN_VISIBLE };

typedef enum ls_boltzmann_units {
    LS_BOLTZMANN_BERNOULLI,
    LS_BOLTZMANN_GAUSSIAN, /* visible units only */
    LS_BOLTZMANN_RECTIFIED /* hidden units only */
} ls_boltzmann_units;

typedef struct ls_boltzmann {
    const ls_layer *line;
    ls_boltzmann_units visible_units, hidden_units;
    long visible, hidden; /* how many */
    ls_workspace *run;    /* of the line alone */
} ls_boltzmann;

/* Whether the line has the three slots: else an LS_USAGE error. */
bool ls_boltzmann_check(const ls_layer *line, ls_error *error);
/* For up to `rows` rows; `line` as checked, borrowed. Destroy frees what it holds. */
ls_boltzmann ls_boltzmann_create(const ls_layer *line, ls_boltzmann_units visible,
                                 ls_boltzmann_units hidden, long rows);
void ls_boltzmann_destroy(ls_boltzmann *machine);
/* The bytes that it takes. */
size_t ls_boltzmann_bytes(const ls_layer *line, long rows);

/* b + W v of rows v[rows, visible]: [rows, hidden], owned by the machine, good until
 * its next product: of this function, the next, or the gradient. */
const real *ls_boltzmann_hidden_inputs(const ls_boltzmann *machine, long rows, const real *v);
/* y[rows, visible] = a + h W of h[rows, hidden]. */
void ls_boltzmann_visible_inputs(const ls_boltzmann *machine, long rows, const real *h, real *y);
/* Adds the gradients of weight and hidden bias: the sums over the rows of slope v^T and of slope;
 * slope[rows, hidden] is the derivative of a loss by the hidden inputs. */
void ls_boltzmann_gradient(const ls_boltzmann *machine, const ls_pass *pass, long rows,
                           const real *v, const real *slope);

/* means[n] of n units with these inputs; means may be inputs, or NULL: not wanted. Returns the sum
 * of G. */
double ls_boltzmann_means(ls_boltzmann_units units, long n, const real *inputs, real *means);
/* samples[rows, n] of the rows row, row + 1, ... of a stream, by the units' means; of rectified
 * units by their inputs, which are not read for others. */
void ls_boltzmann_samples(ls_boltzmann_units units, ls_random stream, long row, long rows, long n,
                          const real *inputs, const real *means, real *samples);
/* energy[rows] = F of rows v[rows, visible], and means[rows, hidden] (NULL: not wanted), by their
 * hidden inputs. */
void ls_boltzmann_energies(const ls_boltzmann *machine, long rows, const real *v,
                           const real *inputs, real *means, double *energy);
/* F of v with v[i] changed to `value`, less F of v, by v's hidden inputs. column[hidden] is room.
 */
double ls_boltzmann_change(const ls_boltzmann *machine, const real *v, const real *inputs, long i,
                           real value, real *column);
