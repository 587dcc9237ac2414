/* wav: import of sound files: each becomes a row of frames of log-mel energies or cepstra. io/audio
 * has the formulas; here are the options, the arrays, and what is longest. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "io/audio/sound.h"
#include "io/audio/speech.h"
#include "io/h5/h5_attribute.h"
#include "io/import/wav_segments.h"

enum { X, LENGTH, Y_FIXED = LENGTH, Y };

typedef struct state {
    ls_speech_options options;
    ls_speech *speech;
    ls_wav_segments segments;
    long frames, width; /* of a row */
} state;

static bool choose(const char *option, const char *text, const char *const *names, int *choice,
                   ls_error *error)
{
    char known[128] = "";
    for (*choice = 0; names[*choice]; ++*choice) {
        if (strcmp(text, names[*choice]) == 0)
            return true;
        ls_format_join(known, sizeof known, names[*choice]);
    }
    return ls_error_set(error, LS_USAGE, "--%s %s; expected one of %s", option, text, known);
}

static bool in_range(const char *option, long value, long low, long high, ls_error *error)
{
    return (value >= low && value <= high) ||
           ls_error_set(error, LS_USAGE, "--%s %ld; expected %ld to %ld", option, value, low, high);
}

static bool read_options(const ls_import *i, ls_speech_options *o, ls_error *error)
{
    enum { MILLISECONDS = 10000, BANDS = 1024, FRAMES = 10000000 };
    static const char *const kinds[] = {"logmel", "mfcc", NULL};
    static const char *const tapers[] = {"povey", "hamming", "hann", NULL};
    static const char *const norms[] = {"none", "mean", "variance", NULL};
    int kind, taper, norm;
    if (!choose("features", i->features, kinds, &kind, error) ||
        !choose("taper", i->taper, tapers, &taper, error) ||
        !choose("normalize", i->normalize, norms, &norm, error) ||
        !in_range("rate", i->rate, 0, LS_SOUND_RATE_MOST, error) ||
        !in_range("window", i->window, 1, MILLISECONDS, error) ||
        !in_range("hop", i->hop, 1, MILLISECONDS, error) ||
        !in_range("bands", i->bands, 1, BANDS, error) ||
        !in_range("cepstra", i->cepstra, 1, BANDS, error) ||
        !in_range("deltas", i->deltas, 0, 2, error) ||
        !in_range("context", i->context, 0, BANDS, error) ||
        !in_range("frames", i->frames, 0, FRAMES, error))
        return false;
    *o = (ls_speech_options){.kind = (ls_speech_kind)kind,
                             .taper = (ls_speech_taper)taper,
                             .norm = (ls_frames_norm)norm,
                             .rate = i->rate,
                             .resample = i->rate > 0,
                             .window = i->window,
                             .hop = i->hop,
                             .bands = i->bands,
                             .cepstra = i->cepstra,
                             .deltas = i->deltas,
                             .context = i->context,
                             .frames = i->frames};
    return true;
}

/* Without --rate, the rate is that of the first file that holds sound. */
static bool find_rate(const ls_filewise *all, long *rate, ls_error *error)
{
    for (long i = 0; *rate == 0 && i < all->files.count; i++) {
        char *path = ls_listing_path(&all->files, i);
        ls_sound *sound = ls_sound_open(path, 0, error);
        ls_free(path);
        if (sound)
            *rate = ls_sound_rate(sound);
        else if (error->code != LS_DATA)
            return false;
        ls_sound_close(sound);
    }
    return *rate > 0 ||
           ls_error_prefix(error, "none of the %ld files holds sound; the last", all->files.count);
}

/* Reads a sound to its end: only then is it known how long it is. */
static bool measure(const ls_filewise *all, void *scratch, const char *path, long *length,
                    ls_error *error)
{
    const ls_import *import = all->import;
    *length = 0;
    return import->frames > 0 ||
           ls_speech_measure(import->window, import->hop, import->rate, path, length, error);
}

/* Rows are as long as the longest: one long sound can make the file nearly all padding. */
static void note_padding(const ls_filewise *all)
{
    const double rows = (double)all->longest * (double)all->measured;
    if (!all->report || (double)all->length >= 0.5 * rows)
        return;
    char *path = ls_listing_path(&all->files, all->longest_file);
    ls_print(all->report,
             "note: %s is the longest, with %ld frames, and so long are all rows: %.1f %% of x are "
             "frames of sounds, the rest is 0; leave out or cut the longest, or take --frames N\n",
             path, all->longest, 100 * (double)all->length / rows);
    ls_free(path);
}

static bool setup(ls_filewise *all, ls_error *error)
{
    const ls_import *import = all->import;
    state *s = all->state = ls_alloc(1, sizeof *s);
    s->segments.ending = import->segments;
    if (import->segments && all->files.classes > 0)
        return ls_error_set(error, LS_USAGE,
                            "%s: the files have labels already; expected none beside --segments: a "
                            "folder without folders, or a list of names alone",
                            import->file[0]);
    if (!read_options(import, &s->options, error) || !find_rate(all, &s->options.rate, error) ||
        (import->segments &&
         !ls_wav_segments_collect(&s->segments, &all->files, import->strict, error)))
        return false;
    s->speech = ls_speech_create(&s->options, error);
    if (!s->speech)
        return false;
    note_padding(all);
    s->width = ls_speech_width(s->speech);
    s->frames = import->frames ? import->frames : ls_max(1, all->longest);
    all->array[X] = (ls_filewise_array){"x", LS_F32, {2, {s->frames, s->width}}};
    if (!import->frames)
        all->array[LENGTH] = (ls_filewise_array){"length", LS_I32, {0}};
    if (import->segments)
        all->array[import->frames ? Y_FIXED : Y] =
            (ls_filewise_array){"y", LS_I32, {1, {s->frames}}};
    return true;
}

static void release(ls_filewise *all)
{
    state *s = all->state;
    if (!s)
        return;
    ls_speech_free(s->speech);
    ls_wav_segments_release(&s->segments);
    ls_free(s);
}

static bool read_sound(const ls_filewise *all, void *scratch, const char *path, void *const *row,
                       ls_error *error)
{
    const state *s = all->state;
    const ls_speech_options *o = &s->options;
    double rate = (double)o->rate;
    ls_wav_times times = {.first = (double)ls_speech_window(s->speech) / 2 / rate,
                          .hop = (double)ls_speech_hop(s->speech) / rate};
    ls_speech_frames f;
    if (!ls_speech_read(s->speech, path, &f, error))
        return false;
    bool fits = f.frames <= s->frames;
    if (fits)
        memcpy(row[X], f.x, (size_t)(f.frames * s->width) * sizeof *f.x);
    ls_free(f.x);
    if (!fits)
        return ls_error_set(error, LS_IO,
                            "%s: has %ld frames, but no sound had more than %ld when they were "
                            "measured: does a program write into it?",
                            path, f.frames, s->frames);
    if (!o->frames)
        *(int32_t *)row[LENGTH] = (int32_t)f.frames;
    times.end = o->frames ? INFINITY : 2 * times.first + (double)(f.frames - 1) * times.hop;
    return !s->segments.ending || ls_wav_segments_read(&s->segments, path, &times, f.frames,
                                                       row[o->frames ? Y_FIXED : Y], error);
}

/* x says how it was made, so that new sounds can be made alike. */
static bool put_attributes(const ls_filewise *all, int array, hid_t dataset, ls_error *error)
{
    const state *s = all->state;
    const ls_import *i = all->import;
    if (array == LENGTH && !i->frames)
        return true;
    if (array != X)
        return ls_wav_segments_put(&s->segments, dataset, error);
    char *made = ls_format("--features %s --rate %ld --window %ld --hop %ld --taper %s --bands %ld "
                           "--cepstra %ld --deltas %ld --context %ld --normalize %s",
                           i->features, s->options.rate, i->window, i->hop, i->taper, i->bands,
                           i->cepstra, i->deltas, i->context, i->normalize);
    bool ok = ls_h5_put_text(dataset, "made", made, error);
    ls_free(made);
    return ok;
}

static const ls_filewise_format format = {.measure = measure,
                                          .setup = setup,
                                          .release = release,
                                          .read = read_sound,
                                          .attributes = put_attributes};

/* The options are checked before sounds are measured by them. */
static bool run(const ls_import *import, FILE *report, ls_error *error)
{
    ls_speech_options options;
    return read_options(import, &options, error) && ls_filewise_run(&format, import, report, error);
}

ls_import_run *const ls_import_wav = run;
