/* partition: the partition function of a restricted Boltzmann machine, exactly. The states s of one
 * side, of at most 25 units of 0 or 1, are all visited; given s the units of the other side are
 * independent, so that the sum over their states, or the integral, is a product:
 *
 *     Z = sum over s of e^(c s) prod_i (1 + e^z_i)                        others of 0 or 1
 *     Z = sum over s of e^(c s) prod_i sqrt(2 pi) e^((z_i^2 - d_i^2) / 2) others normal, variance 1
 *
 * with z = d + s W; c and d are the biases. All sums are in double. The states are cut into parts,
 * whose sums do not depend on who computes them, and are added in their order. */
#pragma once
#include <stdbool.h>

enum { LS_PARTITION_UNITS = 25 }; /* the most whose states are visited: 2^25 of them */

typedef struct ls_partition {
    long units, others;
    const double *weight;    /* W [units, others] */
    const double *unit_bias; /* c [units] */
    const double *bias;      /* d [others] */
    bool normal;             /* the others are normal around z; else 0 or 1 */
} ls_partition;

/* The parts that the states of so many units are cut into: a power of 2. */
long ls_partition_parts(long units);
/* The logarithm of the sum over the states of a part. */
double ls_partition_part(const ls_partition *partition, long part);
/* ln(e^x[0] + e^x[1] + ...), in this order; -INFINITY for none. */
double ls_partition_add(long n, const double *x);
