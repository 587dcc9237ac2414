/* mel: a bank of triangular filters on the mel scale, and the cepstrum of their logarithms. */
#pragma once
#include "core/check.h"

typedef struct ls_mel {
    long bands, cepstra; /* cepstra 0: none are made of the bands */
    long *first, *count; /* [bands] the bins of each filter */
    double *weight;      /* of all filters, one after another */
    double *cosine;      /* [cepstra, bands] with the lifter */
} ls_mel;

/* For power spectra of n numbers at `rate` a second, from 20 Hz to half the rate. LS_USAGE errors
 * where a filter would lie between two bins, or there are more cepstra than bands. */
bool ls_mel_create(ls_mel *mel, long rate, long n, long bands, long cepstra, ls_error *error);
void ls_mel_release(ls_mel *mel);
/* The logarithms of the bands of power[n/2 + 1], and where there are cepstra those of them. `out`
 * is [bands], or [cepstra]; `scratch` [bands]. */
void ls_mel_run(const ls_mel *mel, const double *power, double *scratch, double *out);
