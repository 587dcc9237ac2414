/* wav_segments: a label for each frame of a sound, from a text file beside it.
 *
 * The file of a/b.wav is a/b.txt, for the ending "txt". Each line is a segment: its begin and end
 * in seconds and the name of its class, with blanks between them, as Audacity exports its labels.
 * The label of a frame is the class of the first segment that holds the middle of its window, begin
 * <= middle < end; class 0, called none, where there is no such segment. */
#pragma once
#include "io/import/filewise.h"

typedef struct ls_wav_segments {
    const char *ending; /* NULL: frames have no labels */
    char **name;        /* [classes] sorted but for the first, "none" */
    long classes;
    char *text; /* of the names */
} ls_wav_segments;

/* Collects the names of all files. LS_DATA errors name file and line. */
bool ls_wav_segments_collect(ls_wav_segments *segments, const ls_listing *files, ls_error *error);
void ls_wav_segments_release(ls_wav_segments *segments);
/* The labels of a sound's frames; frame t has its middle at `first` + t `hop` seconds. LS_DATA
 * errors as above. */
bool ls_wav_segments_read(const ls_wav_segments *segments, const char *sound, double first,
                          double hop, long frames, int32_t *label, ls_error *error);
/* Writes the attributes classes and class_names of y. LS_IO errors. */
bool ls_wav_segments_put(const ls_wav_segments *segments, hid_t y, ls_error *error);
