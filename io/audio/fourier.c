/* fourier: the discrete Fourier transform of real numbers by FFTW, in double, and its power:
 *
 *     X[k] = sum over t of x[t] exp(-2 pi i k t / n),    power[k] = Re(X[k])^2 + Im(X[k])^2
 *
 * In float, errors of 1e-7 of the loudest bin would be seen in the logarithm of quiet ones. The
 * plan is estimated and not measured, so that every run of one machine computes in the same order.
 */
#include "io/audio/fourier.h"

#include <fftw3.h>

#include "core/check.h"
#include "core/memory.h"

struct ls_fourier {
    long n;
    fftw_plan plan;
};

ls_fourier *ls_fourier_create(long n)
{
    ls_fourier *fourier = ls_alloc(1, sizeof *fourier);
    double *x = ls_alloc((size_t)n, sizeof *x), *y = ls_alloc((size_t)n + 2, sizeof *y);
    fourier->n = n;
    fourier->plan =
        fftw_plan_dft_r2c_1d((int)n, x, (fftw_complex *)y, FFTW_ESTIMATE | FFTW_DESTROY_INPUT);
    ls_check(fourier->plan, "FFTW makes no plan for %ld numbers", n);
    ls_free(x);
    ls_free(y);
    return fourier;
}

void ls_fourier_free(ls_fourier *fourier)
{
    if (fourier)
        fftw_destroy_plan(fourier->plan);
    ls_free(fourier);
}

void ls_fourier_power(const ls_fourier *fourier, double *x, double *scratch, double *power)
{
    fftw_execute_dft_r2c(fourier->plan, x, (fftw_complex *)scratch);
    for (long k = 0; k <= fourier->n / 2; k++)
        power[k] = scratch[2 * k] * scratch[2 * k] + scratch[2 * k + 1] * scratch[2 * k + 1];
}
