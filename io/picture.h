/* picture: rows of numbers as a PNG picture, a grid with a tile for each row.
 *
 *     +---+---+---+      Tiles fill the lines from left to right. A white line of one pixel
 *     | 0 | 1 | 2 |      separates them; places without a tile are white.
 *     +---+---+---+
 *     | 3 | 4 |   |      A row of 3 channels is one tile in colours; a row of 2, or of 4 or more,
 *     +---+---+---+      is one grey tile for each channel, beside each other.
 *
 * Each number becomes a square of pixels: as large, up to 16x16, as a grid of at most 1000 pixels
 * across has room for. */
#pragma once
#include "core/tensor.h"

typedef struct ls_picture {
    ls_shape row; /* height, width, channels: of ls_picture_shape */
    long columns; /* rows beside each other; 0: so many that the picture is nearly a square */
    double least; /* this number and all below are black, as NaN is; ... */
    double most;  /* ... this number and all above are white (255). Equal to `least`: all is grey */
} ls_picture;

/* Whether a row of this shape is a picture: {h, w}, {h, w, c}, or a vector whose length is a square
 * of 2 or more, such as 784. *picture becomes {h, w, c}. */
bool ls_picture_shape(const ls_shape *row, ls_shape *picture);
/* The side of that square, for a picture of so many rows. */
long ls_picture_zoom(const ls_picture *picture, long count);
/* Whether a picture of so many rows can be written; else an LS_USAGE error. */
bool ls_picture_check(const char *path, const ls_picture *picture, long count, ls_error *error);
/* Writes PATH with rows[count, row], count at least 1, whole and durable. Equal numbers give equal
 * bytes. LS_IO errors, and those of ls_picture_check. */
bool ls_picture_write(const char *path, const ls_picture *picture, const real *rows, long count,
                      ls_error *error);
/* For ls_picture.least and most: the smallest range that holds 0, 1 and all of numbers[count] that
 * are finite. */
void ls_picture_range(const real *numbers, long count, double *least, double *most);
