/* speech: the features of a sound file, a frame every few milliseconds. */
#pragma once
#include "core/check.h"
#include "io/audio/frames.h"

typedef enum { LS_SPEECH_LOGMEL, LS_SPEECH_MFCC } ls_speech_kind;
typedef enum { LS_SPEECH_POVEY, LS_SPEECH_HAMMING, LS_SPEECH_HANN } ls_speech_taper;

typedef struct ls_speech_options {
    ls_speech_kind kind;
    ls_speech_taper taper;
    long rate;        /* samples a second */
    bool resample;    /* sounds of other rates, which are refused else */
    long window, hop; /* milliseconds */
    long bands;       /* of the mel scale */
    long cepstra;     /* of mfcc */
    long deltas;      /* 0; 1: deltas; 2: and deltas of these */
    long context;     /* frames on either side that stand in a frame too */
    long frames;      /* of each sound, cut or followed by silence; 0: as many as it has */
    ls_frames_norm norm;
} ls_speech_options;

typedef struct ls_speech ls_speech;
/* Tables and plans for these options; not while other threads do so. LS_USAGE errors where they do
 * not fit together. */
ls_speech *ls_speech_create(const ls_speech_options *options, ls_error *error);
void ls_speech_free(ls_speech *speech);        /* NULL is allowed */
long ls_speech_width(const ls_speech *speech); /* features of a frame */
/* The samples of a window, and from one window to the next. */
long ls_speech_window(const ls_speech *speech);
long ls_speech_hop(const ls_speech *speech);

/* Reads a sound file to its end and counts its frames: 0 where it is shorter than a window. `rate`
 * 0: the sound's own. Errors as of io/audio/sound.h. */
bool ls_speech_measure(long window, long hop, long rate, const char *path, long *frames,
                       ls_error *error);

/* The features of one sound. */
typedef struct ls_speech_frames {
    long frames;
    float *x; /* [frames, width]; the caller frees it with ls_free */
} ls_speech_frames;
/* Reads a sound file and makes its features; several threads may do so at a time. Memory: that of
 * the sound's features, 8 bytes each before context and 4 with it; samples are read a window at a
 * time. Errors as of io/audio/sound.h; LS_DATA where the sound is shorter than a window. `out` is
 * then empty. */
bool ls_speech_read(const ls_speech *speech, const char *path, ls_speech_frames *out,
                    ls_error *error);
