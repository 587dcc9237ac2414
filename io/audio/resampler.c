/* resampler: band-limited interpolation by libsamplerate's medium sinc converter.
 *
 * A sound x sampled at rate `from` is that sum of sinc functions which has the samples x[n] and no
 * frequency above from / 2. The new samples are its values at the times m / to, the sinc cut off by
 * a window and, where to < from, widened to the new half rate, so that nothing above it folds back:
 *
 *     y[m] = sum over n of x[n] h(n - m from / to),  h(t) = c sinc(c t) w(t),  c = min(1, to /
 * from)
 *
 * Source: J. O. Smith, "Digital Audio Resampling", ccrma.stanford.edu/~jos/resample. The medium
 * converter leaves 90% of the band and errors 121 dB below the signal. */
#include "io/audio/resampler.h"

#include <samplerate.h>

#include "core/memory.h"

struct ls_resampler {
    SRC_STATE *state;
    double ratio;
};

bool ls_resampler_check(long from, long to, ls_error *error)
{
    return src_is_valid_ratio((double)to / (double)from) ||
           ls_error_set(error, LS_DATA,
                        "a sound of %ld samples a second can't be resampled to %ld; expected rates "
                        "that differ by 256 times at most",
                        from, to);
}

ls_resampler *ls_resampler_create(long from, long to, ls_error *error)
{
    double ratio = (double)to / (double)from;
    if (!ls_resampler_check(from, to, error))
        return NULL;
    int reason = 0;
    SRC_STATE *state = src_new(SRC_SINC_MEDIUM_QUALITY, 1, &reason);
    ls_check(state, "libsamplerate: %s", src_strerror(reason));
    ls_resampler *resampler = ls_alloc(1, sizeof *resampler);
    *resampler = (ls_resampler){.state = state, .ratio = ratio};
    return resampler;
}

void ls_resampler_free(ls_resampler *resampler)
{
    if (resampler)
        src_delete(resampler->state);
    ls_free(resampler);
}

long ls_resampler_run(ls_resampler *resampler, const float *in, long n, bool last, long *taken,
                      float *out, long room)
{
    SRC_DATA data = {.data_in = in,
                     .data_out = out,
                     .input_frames = n,
                     .output_frames = room,
                     .end_of_input = last,
                     .src_ratio = resampler->ratio};
    int reason = src_process(resampler->state, &data);
    ls_check(reason == 0, "libsamplerate: %s", src_strerror(reason));
    *taken = data.input_frames_used;
    return data.output_frames_gen;
}
