/* winograd_code: the transforms of winograd.h, on vectors of channels. Included after tile_code.h,
 * once by the file of each instruction set. */
#include "core/kernels/winograd.h"

enum { TILE = LS_WINOGRAD_TILE, SIZE = LS_WINOGRAD_SIZE, GROUP = LS_WINOGRAD_GROUP };

/* In one dimension; the numbers of x, and of y, are `step` vectors apart. */
typedef void transform(const vector *x, long step, vector *y);

/* B^T */
LS_INLINE void input_line(const vector *x, long step, vector *y)
{
    const vector x1 = x[step], x2 = x[2 * step], x3 = x[3 * step], x4 = x[4 * step];
    const vector a = x4 - 4 * x2, b = x3 - 4 * x1, c = x4 - x2, d = 2 * (x3 - x1);
    y[0] = 4 * x[0] - 5 * x2 + x4;
    y[step] = a + b;
    y[2 * step] = a - b;
    y[3 * step] = c + d;
    y[4 * step] = c - d;
    y[5 * step] = 4 * x1 - 5 * x3 + x[5 * step];
}

/* A^T */
LS_INLINE void output_line(const vector *x, long step, vector *y)
{
    const vector a = x[step] + x[2 * step], b = x[step] - x[2 * step];
    const vector c = x[3 * step] + x[4 * step], d = x[3 * step] - x[4 * step];
    y[0] = x[0] + a + c;
    y[step] = b + 2 * d;
    y[2 * step] = a + 4 * c;
    y[3 * step] = b + 8 * d + x[5 * step];
}

/* A */
LS_INLINE void slope_line(const vector *x, long step, vector *y)
{
    const vector x1 = x[step], x2 = x[2 * step], x3 = x[3 * step];
    const vector a = x[0] + x2, b = x1 + x3, c = x[0] + 4 * x2, d = 2 * x1 + 8 * x3;
    y[0] = x[0];
    y[step] = a + b;
    y[2 * step] = a - b;
    y[3 * step] = c + d;
    y[4 * step] = c - d;
    y[5 * step] = x3;
}

/* G */
LS_INLINE void filter_line(const vector *x, long step, vector *y)
{
    const vector a = (x[0] + x[2 * step]) * (real)(-1.0 / 6), b = x[step] * (real)(-1.0 / 6);
    const vector c = x[0] * (real)(1.0 / 24) + x[2 * step] * (real)(1.0 / 6);
    const vector d = x[step] * (real)(1.0 / 12);
    y[0] = x[0] * (real)0.25;
    y[step] = a + b;
    y[2 * step] = a - b;
    y[3 * step] = c + d;
    y[4 * step] = c - d;
    y[5 * step] = x[2 * step];
}

/* G^T */
LS_INLINE void gradient_line(const vector *x, long step, vector *y)
{
    const vector a = (x[step] + x[2 * step]) * (real)(1.0 / 6), b = x[2 * step] - x[step];
    const vector c = x[3 * step] + x[4 * step], d = x[3 * step] - x[4 * step];
    y[0] = x[0] * (real)0.25 - a + c * (real)(1.0 / 24);
    y[step] = b * (real)(1.0 / 6) + d * (real)(1.0 / 12);
    y[2 * step] = c * (real)(1.0 / 6) - a + x[5 * step];
}

/* y[to, to] = the transform of x[from, from], along the columns, then along the lines. */
LS_INLINE void both(transform *line, const int from, const int to, const vector *x, vector *y)
{
    vector t[SIZE * SIZE];
    EACH (j, from)
        line(x + j, from, t + j);
    EACH (i, to)
        line(t + i * from, 1, y + i * to);
}

/* Where a tile lies: its first output, and how many it has. */
typedef struct spot {
    long image, top, left, height, width;
} spot;

LS_INLINE spot spot_of(const ls_winograd_image *image, long tile)
{
    long within = tile % image->tiles;
    spot s = {.image = tile / image->tiles,
              .top = within / image->tiles_w * TILE,
              .left = within % image->tiles_w * TILE};
    s.height = image->out_h - s.top < TILE ? image->out_h - s.top : TILE;
    s.width = image->out_w - s.left < TILE ? image->out_w - s.left : TILE;
    return s;
}

/* The 36 places of x that a tile sees: where channel 0 of each lies; `zero`: outside. */
static void look(const ls_winograd_image *image, const real *x, long tile, const real *zero,
                 const real **at)
{
    const spot s = spot_of(image, tile);
    for (long i = 0; i < SIZE; i++)
        for (long j = 0; j < SIZE; j++) {
            long h = s.top - image->pad_h + i, w = s.left - image->pad_w + j;
            bool inside = h >= 0 && h < image->h && w >= 0 && w < image->w;
            at[i * SIZE + j] =
                inside ? x + ((s.image * image->h + h) * image->w + w) * image->c : zero;
        }
}

static void input(const ls_winograd_image *image, const real *x, long first, long count, real *v,
                  long place)
{
    static const real zero[LANES];
    for (long t = 0; t < count; t++) {
        const real *at[SIZE * SIZE];
        look(image, x, first + t, zero, at);
        for (long c = 0; c < image->c; c += LANES) {
            vector d[SIZE * SIZE], y[SIZE * SIZE];
            real *to = v + (c / GROUP * count + t) * GROUP + c % GROUP;
            EACH (i, SIZE * SIZE)
                d[i] = load(at[i] == zero ? zero : at[i] + c);
            both(input_line, SIZE, SIZE, d, y);
            EACH (i, SIZE * SIZE)
                store(to + i * place, y[i]);
        }
    }
}

static void slope(const ls_winograd_image *image, const real *dy, long first, long count,
                  long channel, real *z, long place)
{
    for (long t = 0; t < count; t++) {
        const spot s = spot_of(image, first + t);
        const real *from =
            dy + ((s.image * image->out_h + s.top) * image->out_w + s.left) * image->out + channel;
        for (long c = 0; c < LS_PANEL; c += LANES) {
            vector d[TILE * TILE], y[SIZE * SIZE];
            for (long i = 0; i < TILE; i++)
                for (long j = 0; j < TILE; j++) {
                    const real *at = from + (i * image->out_w + j) * image->out + c;
                    bool inside = i < s.height && j < s.width && channel + c < image->out;
                    d[i * TILE + j] = inside ? load(at) : (vector){0};
                }
            both(slope_line, TILE, SIZE, d, y);
            EACH (i, SIZE * SIZE)
                store(z + i * place + t * LS_PANEL + c, y[i]);
        }
    }
}

static void filter(const real *g, long tap, long count, real *u, long place)
{
    for (long c = 0; c < count * LS_PANEL; c += LANES) {
        vector x[9], y[SIZE * SIZE];
        EACH (i, 9)
            x[i] = load(g + i * tap + c);
        both(filter_line, 3, SIZE, x, y);
        EACH (i, SIZE * SIZE)
            store(u + i * place + c, y[i]);
    }
}

static void gradient(const real *m, long place, long count, real *dg, long tap)
{
    for (long c = 0; c < count * LS_PANEL; c += LANES) {
        vector x[SIZE * SIZE], y[9];
        EACH (i, SIZE * SIZE)
            x[i] = load(m + i * place + c);
        both(gradient_line, SIZE, 3, x, y);
        EACH (i, 9)
            store(dg + i * tap + c, load(dg + i * tap + c) + y[i]);
    }
}

static void output(const ls_winograd_image *image, const real *m, long place, long first,
                   long count, long channel, long columns, const real *bias, bool add, real *y)
{
    for (long t = 0; t < count; t++) {
        const spot s = spot_of(image, first + t);
        real *to =
            y + ((s.image * image->out_h + s.top) * image->out_w + s.left) * image->out + channel;
        for (long c = 0; c < columns; c += LANES) {
            vector x[SIZE * SIZE], result[TILE * TILE];
            const vector shift = bias ? load(bias + channel + c) : (vector){0};
            EACH (i, SIZE * SIZE)
                x[i] = load(m + i * place + t * 2 * LS_PANEL + c);
            both(output_line, SIZE, TILE, x, result);
            for (long i = 0; i < s.height; i++)
                for (long j = 0; j < s.width; j++) {
                    real *at = to + (i * image->out_w + j) * image->out + c;
                    store(at, result[i * TILE + j] + (add ? load(at) : shift));
                }
        }
    }
}

static const ls_winograd winograd = {input, slope, filter, output, gradient};
