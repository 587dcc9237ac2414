/* divergence: Kullback-Leibler and Jensen-Shannon, term by term. */
#include "core/divergence.h"

#include <math.h>

static double term(double p, double q)
{
    return p > 0 ? p * log(p / q) : 0;
}

double ls_divergence_kl(const double *p, const double *q, long n)
{
    double sum = 0;
    for (long i = 0; i < n; i++)
        sum += term(p[i], q[i]);
    return sum;
}

double ls_divergence_js(const double *p, const double *q, long n)
{
    double sum = 0;
    for (long i = 0; i < n; i++) {
        double middle = 0.5 * (p[i] + q[i]);
        sum += term(p[i], middle) + term(q[i], middle);
    }
    return 0.5 * sum;
}
