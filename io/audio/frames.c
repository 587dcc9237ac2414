/* frames: normalisation, deltas and context of features x[t, i], t = 0 ... T - 1.
 *
 *     mean      x[t, i] - m[i],             m[i] = sum over t of x[t, i] / T
 *     variance  (x[t, i] - m[i]) / d[i],    d[i]^2 = sum over t of (x[t, i] - m[i])^2 / T
 *     delta     d[t, i] = sum over n = 1, 2 of n (x[t + n, i] - x[t - n, i]) / 10
 *     context   y[t] = x[t - K], ..., x[t], ..., x[t + K]
 *
 * Before the first frame and after the last these stand again. Deltas of deltas are made by the
 * same formula. Source: S. Young et al., The HTK Book, sections 5.6 and 5.9 (eq. 5.16 with a window
 * of 2); the order, normalised, then deltas, then context, is that of Kaldi's recipes. */
#include "io/audio/frames.h"

#include <math.h>

enum { REACH = 2 };

void ls_frames_normalize(double *x, long frames, long width, ls_frames_norm norm)
{
    const double smallest = 1e-8; /* deviation of what never changes, but for rounding */
    for (long i = 0; norm != LS_FRAMES_PLAIN && i < width; i++) {
        double mean = 0, square = 0;
        for (long t = 0; t < frames; t++)
            mean += x[t * width + i] / (double)frames;
        for (long t = 0; t < frames; t++) {
            x[t * width + i] -= mean;
            square += x[t * width + i] * x[t * width + i];
        }
        double deviation = norm == LS_FRAMES_VARIANCE ? sqrt(square / (double)frames) : 1;
        for (long t = 0; t < frames; t++)
            x[t * width + i] = deviation > smallest ? x[t * width + i] / deviation : 0;
    }
}

static long inside(long t, long frames)
{
    return t < 0 ? 0 : t < frames ? t : frames - 1;
}

void ls_frames_delta(double *x, long frames, long stride, long from, long at, long width)
{
    for (long t = 0; t < frames; t++)
        for (long i = 0; i < width; i++) {
            double sum = 0;
            for (long n = 1; n <= REACH; n++)
                sum += (double)n * (x[inside(t + n, frames) * stride + from + i] -
                                    x[inside(t - n, frames) * stride + from + i]);
            x[t * stride + at + i] = sum / 10;
        }
}

void ls_frames_stack(const double *x, long frames, long width, long context, float *y)
{
    for (long t = 0; t < frames; t++)
        for (long k = -context; k <= context; k++) {
            const double *from = x + inside(t + k, frames) * width;
            for (long i = 0; i < width; i++)
                *y++ = (float)from[i];
        }
}
