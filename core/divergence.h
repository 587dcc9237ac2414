/* divergence: how far a discrete distribution lies from another, in nats; divided by ln 2 in bits,
 * by ln 10 in bans. The probabilities p[n] and q[n] are taken as they are given: nothing brings
 * their sums to 1. */
#pragma once

/* KL(P || Q) = sum p ln(p / q) (Kullback and Leibler 1951, eq. 2.4). A p of 0 adds 0; a q of 0
 * under a p above 0 makes it infinite. */
double ls_divergence_kl(const double *p, const double *q, long n);
/* JSD(P, Q) = (KL(P || M) + KL(Q || M)) / 2, M = (P + Q) / 2 (Lin 1991, eq. 4.1 with equal
 * weights): 0 for equal distributions, ln 2 for disjoint ones. */
double ls_divergence_js(const double *p, const double *q, long n);
