/* resampler: one channel of sound from one sampling rate to another; libsamplerate. */
#pragma once
#include "core/check.h"

typedef struct ls_resampler ls_resampler;
/* From rate `from` to rate `to`, in samples a second. LS_DATA errors where the rates are further
 * apart than 256 times, which ls_resampler_check tells alone. */
bool ls_resampler_check(long from, long to, ls_error *error);
ls_resampler *ls_resampler_create(long from, long to, ls_error *error);
void ls_resampler_free(ls_resampler *resampler); /* NULL is allowed */

/* Takes *taken of the n samples of `in` and fills `out` with up to `room` samples; returns how
 * many. `last`: no samples follow those of `in`, and 0 returned means that all are out. The same
 * samples give the same ones, however they are cut into calls of equal sizes. */
long ls_resampler_run(ls_resampler *resampler, const float *in, long n, bool last, long *taken,
                      float *out, long room);
