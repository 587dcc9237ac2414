/* posterior: loops over the numbers of each row's code, which become vectors. */
#include "core/posterior.h"

#include "core/minmax.h"
#include "core/vector_math.h"

enum { BLOCK = 64 }; /* terms that are computed side by side, then added in double */

LS_CLONES void ls_posterior_draw(long rows, long latent, const real *restrict code,
                                 const real *restrict noise, real *restrict z)
{
    for (long r = 0; r < rows; r++, code += 2 * latent, noise += latent, z += latent)
        for (long j = 0; j < latent; j++)
            z[j] = code[j] + ls_math_exp(code[latent + j] / 2) * noise[j];
}

static double add_terms(long n, const real *term)
{
    double sum = 0;
    for (long j = 0; j < n; j++)
        sum += (double)term[j];
    return sum;
}

LS_CLONES double ls_posterior_divergence(long rows, long latent, const real *restrict code)
{
    double sum = 0;
    for (long r = 0; r < rows; r++, code += 2 * latent)
        for (long begin = 0; begin < latent; begin += BLOCK) {
            real term[BLOCK];
            const real *mean = code + begin, *logarithm = mean + latent;
            const long n = ls_min(latent - begin, BLOCK);
            for (long j = 0; j < n; j++)
                term[j] = mean[j] * mean[j] + (ls_math_expm1(logarithm[j]) - logarithm[j]);
            sum += add_terms(n, term);
        }
    return sum / 2;
}

LS_CLONES void ls_posterior_slopes(long rows, long latent, const real *restrict code,
                                   const real *restrict noise, const real *restrict dz, double beta,
                                   real *restrict dcode)
{
    const real share = (real)beta;
    for (long r = 0; r < rows; r++) {
        const real *mean = code, *logarithm = code + latent;
        for (long j = 0; j < latent; j++)
            dcode[j] = dz[j] + share * mean[j];
        for (long j = 0; j < latent; j++) {
            const real deviation = ls_math_exp(logarithm[j] / 2);
            dcode[latent + j] =
                (dz[j] * noise[j] * deviation + share * ls_math_expm1(logarithm[j])) / 2;
        }
        code += 2 * latent, dcode += 2 * latent, noise += latent, dz += latent;
    }
}

LS_CLONES double ls_posterior_ratio(long latent, const real *restrict code,
                                    const real *restrict noise, const real *restrict z)
{
    double sum = 0;
    for (long begin = 0; begin < latent; begin += BLOCK) {
        real term[BLOCK];
        const real *logarithm = code + latent;
        const long n = ls_min(latent - begin, BLOCK);
        for (long j = 0; j < n; j++)
            term[j] = noise[begin + j] * noise[begin + j] - z[begin + j] * z[begin + j] +
                      logarithm[begin + j];
        sum += add_terms(n, term);
    }
    return sum / 2;
}
