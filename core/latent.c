/* latent: draws from a prior, and a square of codes. */
#include "core/latent.h"

#include <math.h>

const char *const ls_latent_names[] = {
    [LS_LATENT_NORMAL] = "normal", [LS_LATENT_UNIFORM] = "uniform", NULL};

void ls_latent_draw(ls_latent_prior prior, ls_random stream, long first, long n, long width,
                    real *z)
{
    if (prior == LS_LATENT_NORMAL) {
        ls_random_normals(stream, (uint64_t)first, n, width, z);
        return;
    }
    for (long r = 0; r < n; r++)
        ls_random_uniform(stream, (uint64_t)(first + r), z + r * width, width);
    for (long i = 0; i < n * width; i++)
        z[i] = 2 * z[i] - 1;
}

/* x with P(N(0, 1) < x) = p, for p well inside (0, 1), by halving an interval. */
static double normal_quantile(double p)
{
    double low = -16, high = 16;
    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);
        *(0.5 * erfc(-middle / sqrt(2)) < p ? &low : &high) = middle;
    }
    return 0.5 * (low + high);
}

/* The middle of cell `index` of `cells` of equal probability. */
static real quantile(ls_latent_prior prior, long index, long cells)
{
    double p = ((double)index + 0.5) / (double)cells;
    return (real)(prior == LS_LATENT_NORMAL ? normal_quantile(p) : 2 * p - 1);
}

void ls_latent_plane(ls_latent_prior prior, long rows, long first, long n, real *z)
{
    long side = (long)ceil(sqrt((double)rows));
    for (long i = first; i < first + n; i++, z += 2) {
        z[0] = quantile(prior, i % side, side);
        z[1] = quantile(prior, i / side, side);
    }
}

void ls_latent_walk(const real *from, const real *to, long width, long rows, long first, long n,
                    real *z)
{
    for (long r = 0; r < n; r++, z += width) {
        const real share = rows > 1 ? (real)(first + r) / (real)(rows - 1) : 0;
        for (long j = 0; j < width; j++)
            z[j] = (1 - share) * from[j] + share * to[j];
    }
}
