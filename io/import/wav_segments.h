/* wav_segments: a label for each frame of a sound, from a text file beside it.
 *
 * The file of a/b.wav is a/b.txt, for the ending "txt" or ".txt". Each line is a segment: its begin
 * and end in seconds and the name of its class, with blanks between them, as Audacity exports its
 * labels. The label of a frame is the class of the first segment that holds the middle of its
 * window, begin <= middle < end; class 0, called none, where there is no such segment, or where it
 * has that name. */
#pragma once
#include "io/import/filewise.h"

#define LS_WAV_SEGMENTS_NONE "none"

typedef struct ls_wav_segments {
    const char *ending; /* NULL: frames have no labels */
    char **name;        /* [classes] sorted but for the first, "none" */
    long classes;
    char *text; /* of the names */
} ls_wav_segments;

/* Collects the names of all files. Those that are missing or broken have none; if `strict`, they
 * are LS_DATA errors that name file and line. */
bool ls_wav_segments_collect(ls_wav_segments *segments, const ls_listing *files, bool strict,
                             ls_error *error);
void ls_wav_segments_release(ls_wav_segments *segments);
/* When the frames of a sound are, in seconds: frame t has its middle at first + t hop. */
typedef struct ls_wav_times {
    double first, hop;
    double end; /* of the sound; INFINITY: frames may not reach to it */
} ls_wav_times;

/* The labels of a sound's frames. LS_DATA errors where its file is missing or broken, or its
 * segments go on a second behind the end of the sound. */
bool ls_wav_segments_read(const ls_wav_segments *segments, const char *sound,
                          const ls_wav_times *times, long frames, int32_t *label, ls_error *error);
/* Writes the attributes classes and class_names of y. LS_IO errors. */
bool ls_wav_segments_put(const ls_wav_segments *segments, hid_t y, ls_error *error);
