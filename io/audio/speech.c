/* speech: sound to features, frame by frame, as Kaldi's compute-fbank-feats and compute-mfcc-feats
 * make them with --dither=0 --use-energy=false.
 *
 * The samples s are those of 16-bit numbers (from -32768 to 32767). Frame t is made of the W
 * samples from t H on, W = window rate / 1000, H = hop rate / 1000, rounded down; a sound of N
 * samples has 1 + (N - W) / H frames, rounded down, so that no window reaches behind its end.
 *
 *     x[i]  = s[t H + i] - mean of the window's samples
 *     x'[i] = x[i] - 0.97 x[i - 1],  x'[0] = 0.03 x[0]
 *     z[i]  = w(i) x'[i], followed by zeros to n, the next power of 2
 *     w(i)  = (0.5 - 0.5 cos(2 pi i / (W - 1)))^0.85       povey
 *             0.54 - 0.46 cos(2 pi i / (W - 1))             hamming
 *             0.5 - 0.5 cos(2 pi i / (W - 1))               hann
 *
 * Then come the power spectrum (fourier.c), the mel bands and cepstra (mel.c), and what is made of
 * all frames together (frames.c). Source: Kaldi, feat/feature-window.{h,cc}. */
#include "io/audio/speech.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "io/audio/fourier.h"
#include "io/audio/mel.h"
#include "io/audio/resampler.h"
#include "io/audio/sound.h"

struct ls_speech {
    ls_speech_options options;
    long window, hop, n; /* samples; n: of the transform */
    long base;           /* features of a frame before deltas and context */
    double *taper;       /* [window] */
    ls_fourier *fourier;
    ls_mel mel;
};

/* What one sound is worked on with. */
typedef struct bench {
    float *samples; /* [window] */
    double *z, *spectrum, *power, *energy;
    double *x; /* [room, base (1 + deltas)] */
    long frames, room;
} bench;

static double taper_at(ls_speech_taper taper, double cosine)
{
    double hann = 0.5 - 0.5 * cosine;
    return taper == LS_SPEECH_HAMMING ? 0.54 - 0.46 * cosine
           : taper == LS_SPEECH_HANN  ? hann
                                      : pow(hann, 0.85);
}

void ls_speech_free(ls_speech *s)
{
    if (!s)
        return;
    ls_mel_release(&s->mel);
    ls_fourier_free(s->fourier);
    ls_free(s->taper);
    ls_free(s);
}

ls_speech *ls_speech_create(const ls_speech_options *o, ls_error *error)
{
    ls_speech *s = ls_alloc(1, sizeof *s);
    *s = (ls_speech){.options = *o,
                     .window = o->rate * o->window / 1000,
                     .hop = o->rate * o->hop / 1000,
                     .n = 2};
    bool mfcc = o->kind == LS_SPEECH_MFCC;
    s->base = mfcc ? o->cepstra : o->bands;
    while (s->n < s->window)
        s->n *= 2;
    bool ok = (s->window > 1 && s->hop > 0) ||
              ls_error_set(error, LS_USAGE,
                           "window=%ld ms and hop=%ld ms are %ld and %ld samples at %ld a second; "
                           "expected 2 and 1 at least",
                           o->window, o->hop, s->window, s->hop, o->rate);
    if (!ok || !ls_mel_create(&s->mel, o->rate, s->n, o->bands, mfcc ? o->cepstra : 0, error)) {
        ls_speech_free(s);
        return NULL;
    }
    s->taper = ls_alloc((size_t)s->window, sizeof *s->taper);
    for (long i = 0; i < s->window; i++)
        s->taper[i] = taper_at(o->taper, cos(2 * M_PI * (double)i / (double)(s->window - 1)));
    s->fourier = ls_fourier_create(s->n);
    return s;
}

long ls_speech_width(const ls_speech *s)
{
    return s->base * (1 + s->options.deltas) * (1 + 2 * s->options.context);
}

long ls_speech_window(const ls_speech *s)
{
    return s->window;
}

long ls_speech_hop(const ls_speech *s)
{
    return s->hop;
}

/* Adds the frame of the samples in the window. */
static void add_frame(const ls_speech *s, bench *b)
{
    double mean = 0, before, *z = b->z;
    if (b->frames == b->room) {
        b->room = b->room ? 2 * b->room : 128;
        b->x = ls_realloc(b->x, (size_t)(b->room * s->base), sizeof *b->x);
    }
    for (long i = 0; i < s->window; i++)
        mean += 32768.0 * (double)b->samples[i];
    mean /= (double)s->window;
    before = 32768.0 * (double)b->samples[0] - mean;
    for (long i = 0; i < s->window; i++) {
        double x = 32768.0 * (double)b->samples[i] - mean;
        z[i] = s->taper[i] * (x - 0.97 * before);
        before = x;
    }
    memset(z + s->window, 0, (size_t)(s->n - s->window) * sizeof *z);
    ls_fourier_power(s->fourier, z, b->spectrum, b->power);
    ls_mel_run(&s->mel, b->power, b->energy, b->x + b->frames++ * s->base);
}

/* Fills the window but for its first `kept` samples. Returns whether it is full; what a sound of
 * fixed length lacks is silence. */
static bool read_window(const ls_speech *s, ls_sound *sound, long kept, bench *b, ls_error *error,
                        bool *ok)
{
    long wanted = s->window - kept, got = ls_sound_read(sound, wanted, b->samples + kept, error);
    *ok = got >= 0;
    if (got < 0 || (got < wanted && !s->options.frames))
        return false;
    memset(b->samples + kept + got, 0, (size_t)(wanted - got) * sizeof *b->samples);
    return true;
}

static bool skip(ls_sound *sound, long n, ls_error *error)
{
    float away[256];
    long got = 1;
    for (; n > 0 && got > 0; n -= got)
        got = ls_sound_read(sound, n < 256 ? n : 256, away, error);
    return got >= 0;
}

/* The frames of a sound, before anything is made of them together. Sounds of fixed length are read
 * to their ends too, so that damage is seen. */
static bool fill_frames(const ls_speech *s, const char *path, ls_sound *sound, bench *b,
                        ls_error *error)
{
    long kept = s->window > s->hop ? s->window - s->hop : 0, most = s->options.frames;
    long between = s->hop > s->window ? s->hop - s->window : 0;
    bool ok = true, full = read_window(s, sound, 0, b, error, &ok);
    while (full && (!most || b->frames < most)) {
        add_frame(s, b);
        memmove(b->samples, b->samples + s->window - kept, (size_t)kept * sizeof *b->samples);
        if (!skip(sound, between, error))
            return false;
        full = read_window(s, sound, kept, b, error, &ok);
    }
    if (ok && b->frames == 0)
        return ls_error_set(error, LS_DATA,
                            "%s: is shorter than a window of %ld samples at %ld a second (%ld ms)",
                            path, s->window, s->options.rate, s->options.window);
    return ok && (!most || skip(sound, LONG_MAX, error));
}

/* Normalises the frames, and adds deltas and context. */
static void finish(const ls_speech *s, bench *b, ls_speech_frames *out)
{
    long frames = b->frames, base = s->base, parts = 1 + s->options.deltas, wide = base * parts;
    ls_frames_normalize(b->x, frames, base, s->options.norm);
    double *x = b->x;
    if (parts > 1) {
        x = ls_alloc((size_t)(frames * wide), sizeof *x);
        for (long t = 0; t < frames; t++)
            memcpy(x + t * wide, b->x + t * base, (size_t)base * sizeof *x);
        for (long k = 1; k < parts; k++)
            ls_frames_delta(x, frames, wide, (k - 1) * base, k * base, base);
    }
    out->frames = frames;
    out->x = ls_alloc((size_t)(frames * ls_speech_width(s)), sizeof *out->x);
    ls_frames_stack(x, frames, wide, s->options.context, out->x);
    if (x != b->x)
        ls_free(x);
}

bool ls_speech_measure(long window, long hop, long rate, const char *path, long *frames,
                       ls_error *error)
{
    float block[1024];
    long samples = 0, got = 1;
    ls_sound *sound = ls_sound_open(path, 0, error);
    for (; sound && got > 0; samples += got > 0 ? got : 0)
        got = ls_sound_read(sound, 1024, block, error);
    bool ok =
        sound && got == 0 && (rate == 0 || ls_resampler_check(ls_sound_rate(sound), rate, error));
    if (ok) {
        samples = rate ? ls_sound_resampled(samples, ls_sound_rate(sound), rate) : samples;
        rate = rate ? rate : ls_sound_rate(sound);
        window = rate * window / 1000;
        hop = rate * hop / 1000;
        *frames = samples < window || hop < 1 ? 0 : 1 + (samples - window) / hop;
    }
    ls_sound_close(sound);
    return ok;
}

static ls_sound *open_sound(const ls_speech *s, const char *path, ls_error *error)
{
    const ls_speech_options *o = &s->options;
    ls_sound *sound = ls_sound_open(path, o->resample ? o->rate : 0, error);
    if (!sound || ls_sound_rate(sound) == o->rate)
        return sound;
    ls_error_set(error, LS_USAGE,
                 "%s: has %ld samples a second, the first sound has %ld; --rate %ld resamples all",
                 path, ls_sound_rate(sound), o->rate, o->rate);
    ls_sound_close(sound);
    return NULL;
}

bool ls_speech_read(const ls_speech *s, const char *path, ls_speech_frames *out, ls_error *error)
{
    *out = (ls_speech_frames){0};
    ls_sound *sound = open_sound(s, path, error);
    if (!sound)
        return false;
    size_t n = (size_t)s->n;
    bench b = {.samples = ls_alloc((size_t)s->window, sizeof *b.samples),
               .z = ls_alloc(n, sizeof *b.z),
               .spectrum = ls_alloc(n + 2, sizeof *b.spectrum),
               .power = ls_alloc(n / 2 + 1, sizeof *b.power),
               .energy = ls_alloc((size_t)s->options.bands, sizeof *b.energy)};
    bool ok = fill_frames(s, path, sound, &b, error);
    if (ok)
        finish(s, &b, out);
    ls_sound_close(sound);
    ls_free(b.samples);
    ls_free(b.z);
    ls_free(b.spectrum);
    ls_free(b.power);
    ls_free(b.energy);
    ls_free(b.x);
    return ok;
}
