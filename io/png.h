/* png: PNG pictures, written and read by libpng.
 *
 * A written file appears whole or not at all. Equal pixels give equal bytes: no times are stored.
 *
 * Of a file that is read, palettes and fewer bits than 8 become 8 bits; of 16 bits, v becomes
 * v * 255 / 65535, rounded; grey becomes three equal channels; what is transparent lies over white:
 * (c a + 255 (255 - a)) / 255, rounded. Gamma and colour profiles are not heeded. Of an animation
 * the picture is taken that a program without animations shows. */
#pragma once
#include "io/decode.h"

/* Most pixels of a side, which viewers open, and in all. */
enum { LS_PNG_SIDE = 65500, LS_PNG_PIXELS = 1 << 28 };

typedef struct ls_png {
    long width, height;
    int channels;         /* 1: grey; 3: red, green, blue */
    const uint8_t *pixel; /* [height, width, channels], the highest line first */
} ls_png;

bool ls_png_ending(const char *path); /* whether the name is that of a PNG */
/* Whether a picture of these sides can be written; else an LS_USAGE error. */
bool ls_png_check(const char *path, long width, long height, ls_error *error);
/* Writes PATH, whole and durable. LS_IO errors. */
bool ls_png_write(const char *path, const ls_png *png, ls_error *error);

bool ls_png_is(const uint8_t *bytes, size_t size);
/* Gives the pixels of the window to the sink. LS_DATA errors begin with `name`. */
bool ls_png_decode(const char *name, const uint8_t *bytes, size_t size, const ls_decode_sink *sink,
                   ls_error *error);
