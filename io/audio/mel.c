/* mel: log-mel energies and cepstra, as Kaldi computes them.
 *
 *     mel(f)  = 1127 ln(1 + f / 700)                          f in Hz
 *     edge[b] = mel(20) + b (mel(rate / 2) - mel(20)) / (B + 1),    b = 0 ... B + 1
 *     w[b, k] = min((m - edge[b]) / d, (edge[b + 2] - m) / d), at least 0;
 *               m = mel(k rate / n), k = 0 ... n/2 - 1, d = the distance of two edges
 *     e[b]    = ln max(2^-23, sum over k of w[b, k] power[k])
 *     c[i]    = lift[i] s[i] sum over b of e[b] cos(pi i (b + 1/2) / B);  s[0] = sqrt(1 / B),
 *               s[i] = sqrt(2 / B), lift[i] = 1 + 11 sin(pi i / 22)
 *
 * Sources: Kaldi, feat/mel-computations.{h,cc} and feat/feature-mfcc.cc (its defaults; c[0] is not
 * replaced by the energy); S. Young et al., The HTK Book, sections 5.4 and 5.6. */
#include "io/audio/mel.h"

#include <math.h>

#include "core/memory.h"

static const double LOWEST = 20, FLOOR = 0x1p-23, LIFTER = 22;

static double mel_of(double frequency)
{
    return 1127 * log(1 + frequency / 700);
}

/* Finds the bins of each filter and their weights. */
static bool fill_filters(ls_mel *mel, long rate, long n, ls_error *error)
{
    double low = mel_of(LOWEST), step = (mel_of((double)rate / 2) - low) / (double)(mel->bands + 1);
    long used = 0;
    for (long b = 0; b < mel->bands; b++) {
        double left = low + (double)b * step, right = left + 2 * step;
        for (long k = 0; k < n / 2; k++) {
            double m = mel_of((double)k * (double)rate / (double)n);
            if (m <= left || m >= right)
                continue;
            if (mel->count[b]++ == 0)
                mel->first[b] = k;
            mel->weight[used++] = fmin(m - left, right - m) / step;
        }
        if (mel->count[b] == 0)
            return ls_error_set(error, LS_USAGE,
                                "bands=%ld: band %ld lies between two of the %ld frequencies that "
                                "the window resolves at %ld samples a second: choose fewer bands "
                                "or a longer window",
                                mel->bands, b + 1, n / 2, rate);
    }
    return true;
}

static void fill_cosines(ls_mel *mel)
{
    double bands = (double)mel->bands;
    for (long i = 0; i < mel->cepstra; i++) {
        double scale = sqrt((i == 0 ? 1 : 2) / bands);
        scale *= 1 + LIFTER / 2 * sin(M_PI * (double)i / LIFTER);
        for (long b = 0; b < mel->bands; b++)
            mel->cosine[i * mel->bands + b] =
                scale * cos(M_PI * (double)i * ((double)b + 0.5) / bands);
    }
}

bool ls_mel_create(ls_mel *mel, long rate, long n, long bands, long cepstra, ls_error *error)
{
    *mel = (ls_mel){.bands = bands, .cepstra = cepstra};
    if (rate <= 2 * LOWEST)
        return ls_error_set(error, LS_USAGE, "%ld samples a second; expected more than %g", rate,
                            2 * LOWEST);
    if (cepstra > bands)
        return ls_error_set(error, LS_USAGE, "cepstra=%ld of bands=%ld; expected at most as many",
                            cepstra, bands);
    mel->first = ls_alloc((size_t)bands, sizeof *mel->first);
    mel->count = ls_alloc((size_t)bands, sizeof *mel->count);
    mel->weight = ls_alloc((size_t)n, sizeof *mel->weight); /* a bin is of two filters at most */
    mel->cosine = ls_alloc((size_t)(cepstra * bands), sizeof *mel->cosine);
    fill_cosines(mel);
    return fill_filters(mel, rate, n, error);
}

void ls_mel_release(ls_mel *mel)
{
    ls_free(mel->first);
    ls_free(mel->count);
    ls_free(mel->weight);
    ls_free(mel->cosine);
    *mel = (ls_mel){0};
}

void ls_mel_run(const ls_mel *mel, const double *power, double *scratch, double *out)
{
    const double *weight = mel->weight;
    double *energy = mel->cepstra ? scratch : out;
    for (long b = 0; b < mel->bands; b++) {
        double sum = 0;
        for (long k = 0; k < mel->count[b]; k++)
            sum += weight[k] * power[mel->first[b] + k];
        weight += mel->count[b];
        energy[b] = log(fmax(sum, FLOOR));
    }
    for (long i = 0; i < mel->cepstra; i++) {
        double sum = 0;
        for (long b = 0; b < mel->bands; b++)
            sum += mel->cosine[i * mel->bands + b] * energy[b];
        out[i] = sum;
    }
}
