/* fourier: the power spectrum of real numbers; FFTW. */
#pragma once

typedef struct ls_fourier ls_fourier;
/* For n numbers, n even. FFTW's planner is not safe with threads: one thread at a time makes and
 * frees these; then any number may use one. */
ls_fourier *ls_fourier_create(long n);
void ls_fourier_free(ls_fourier *fourier); /* NULL is allowed */
/* power[k] = |sum over t of x[t] exp(-2 pi i k t / n)|^2, k = 0 ... n/2. x[n] is overwritten; both
 * x and scratch[n + 2] are aligned as ls_alloc's. */
void ls_fourier_power(const ls_fourier *fourier, double *x, double *scratch, double *power);
