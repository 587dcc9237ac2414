/* sound: a sound file as one channel of samples, read from its beginning; libsndfile. */
#pragma once
#include "core/check.h"

enum { LS_SOUND_RATE_MOST = 10000000 }; /* samples a second */

typedef struct ls_sound ls_sound;
/* Opens a sound file of any kind that libsndfile knows (wav, flac, ogg, aiff, au, ...), by its
 * contents, not by its name. Its samples come at `rate` a second; 0: as they are. NULL and an error
 * that names the file: LS_DATA where it holds no sound, or none that comes at this rate, LS_IO
 * where the system fails. */
ls_sound *ls_sound_open(const char *path, long rate, ls_error *error);
void ls_sound_close(ls_sound *sound); /* NULL is allowed */
/* Samples a second, as ls_sound_read gives them. */
long ls_sound_rate(const ls_sound *sound);
/* The next n samples into `samples`: the mean of all channels, from -1 to 1. Returns how many there
 * were, fewer than n at the end only; -1 and an LS_DATA error where the file is damaged or shorter
 * than its header says, or a sample is not finite. */
long ls_sound_read(ls_sound *sound, long n, float *samples, ls_error *error);
/* How many samples at the rate `to` n samples at the rate `from` become, at most. */
long ls_sound_resampled(long n, long from, long to);
