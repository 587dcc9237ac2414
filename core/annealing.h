/* annealing: the partition function of a restricted Boltzmann machine by annealed importance
 * sampling (Neal 2001; Salakhutdinov and Murray 2008). Between a base model, whose visible units
 * are independent with the biases a0 and whose Z is known, and the machine (boltzmann.h) lie models
 *
 *     p_k(v) ~ e^-F_k(v),   F_k(v) = (1 - t_k) (F_0's visible term) + t_k (F's visible term)
 *                                    - sum over j of ln(1 + e^(t_k x_j)),   x = b + W v
 *
 * for temperatures 0 = t_0 < t_1 < ... < t_N = 1. A run begins with a sample of the base model, and
 * moves it by one step of Gibbs sampling at each temperature. The products over k of
 * p_k(v) / p_(k-1)(v), v before its move, are the runs' weights, whose mean estimates Z / Z_0
 * without bias: its logarithm is on average below ln Z.
 *
 * In reverse, a run goes from a sample of the machine down to the base model. The mean of the
 * weights then estimates Z_0 / Z, and ln Z comes out too large on average, as a bound from the
 * other side: if the two agree, both are right. But it is only as good as the samples that it
 * begins with. Each is what Metropolis's rule leaves of four runs upwards, the probability of
 * a change being the ratio of their weights: where all four miss a mode, it is missed. */
#pragma once
#include "core/tensor.h"

enum {
    LS_ANNEALING_TEMPERATURES = 14500, /* Salakhutdinov and Murray's number */
    LS_ANNEALING_ASCENTS = 4           /* runs upwards before one in reverse */
};

typedef struct ls_annealing {
    long visible, hidden;
    bool normal;              /* visible units are normal with variance 1; else 0 or 1 */
    const real *weight;       /* W [hidden, visible] in panels */
    const real *hidden_bias;  /* b */
    const real *visible_bias; /* a */
    const real *base;         /* a0 [visible] */
    long temperatures;        /* N */
    bool reverse;
} ls_annealing;

/* What all runs tell. */
typedef struct ls_annealing_estimate {
    double log_z;
    double error;     /* standard error of log_z, by the spread of the weights; NAN of one run */
    double low, high; /* ln of Z's estimate less and plus 3 standard errors of it */
    double runs;      /* effective number of runs: (sum of weights)^2 / sum of squares */
} ls_annealing_estimate;

/* t_k, k from 0 to N: half of the way in 500 of 14,500 steps, four tenths of it in 4,000, the last
 * tenth in 10,000 (section 4.1 of that paper), in proportion for another N. */
real ls_annealing_temperature(const ls_annealing *annealing, long k);
/* The logarithms of the weights of runs first, first + 1, ...: functions of seed and run. With the
 * instruction set blas (kernels/tile_blas.h) their last bits depend on the runs that are computed
 * together: fixed chunks of them are then the same on any number of ranks. */
void ls_annealing_run(const ls_annealing *annealing, uint64_t seed, long first, long runs,
                      double *log_weight);
ls_annealing_estimate ls_annealing_conclude(const ls_annealing *annealing, long runs,
                                            const double *log_weight);
