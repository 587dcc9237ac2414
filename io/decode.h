/* decode: how the decoders of pictures (jpeg.h, png.h) hand out what they decode: row by row, so
 * that a large picture is never held whole. */
#pragma once
#include <stdint.h>

#include "core/check.h"

/* A side, and all pixels of a picture, at most: more is a lie or an attack. */
enum { LS_DECODE_SIDE = 65500, LS_DECODE_PIXELS = 1 << 27 };

/* Pixels [x, x_end) of the rows [y, y_end) of a picture as it is stored. */
typedef struct ls_decode_window {
    long x, x_end, y, y_end;
} ls_decode_window;

/* Who wants the pixels. */
typedef struct ls_decode_sink {
    void *context;
    /* Gets the size of the picture as it is stored, and how it is to be turned for a person: the
     * EXIF orientation, 1 to 8. Sets the window that is wanted; false: none, only the size was. */
    bool (*begin)(void *context, long width, long height, int orientation,
                  ls_decode_window *window);
    /* Gets the pixels of row y of the window, [x_end - x, 3] red, green, blue; row after row. */
    void (*row)(void *context, long y, const uint8_t *rgb);
} ls_decode_sink;

/* Whether a picture may have this size; `name` is that of its file. LS_DATA errors. */
bool ls_decode_check(const char *name, long width, long height, ls_error *error);
/* The orientation in EXIF data, which begin with "II*" or "MM"; 1 where they do not tell. */
int ls_decode_orientation(const uint8_t *exif, size_t size);
