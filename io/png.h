/* png: PNG pictures, which appear whole or not at all. Equal pixels give equal bytes: no times are
 * stored. */
#pragma once
#include <stdint.h>

#include "core/check.h"

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
