/* winograd_code: the transforms of winograd.h, on vectors of channels. Included after tile_code.h,
 * once by the file of each instruction set. */
#include "core/kernels/winograd.h"
#include "core/minmax.h"

enum { SIZE = LS_WINOGRAD_SIZE, GROUP = LS_WINOGRAD_GROUP };

/* In one dimension, n numbers on the one side; `divided`: by the points' distances, as G is. */
typedef void transform(const int n, const bool divided, const vector *x, vector *y);

/* B^T */
LS_INLINE void input_line(const int n, const bool divided, const vector *x, vector *y)
{
    const vector a = x[4] - 4 * x[2], b = x[3] - 4 * x[1], c = x[4] - x[2], d = 2 * (x[3] - x[1]);
    (void)n, (void)divided;
    y[0] = 4 * x[0] - 5 * x[2] + x[4];
    y[1] = a + b;
    y[2] = a - b;
    y[3] = c + d;
    y[4] = c - d;
    y[5] = 4 * x[1] - 5 * x[3] + x[5];
}

/* A; G: the polynomial with coefficients x[n] at 0, 1, -1, 2, -2 and infinity. */
LS_INLINE void evaluate(const int n, const bool divided, const vector *x, vector *y)
{
    const real at0 = divided ? 1.0 / 4 : 1, at1 = divided ? -1.0 / 6 : 1;
    const real at2 = divided ? 1.0 / 24 : 1;
    vector a = x[0] * at1, b = x[1] * at1, c = x[0] * at2, d = x[1] * (2 * at2);
    for (int k = 2; k < n; k += 2) {
        a += x[k] * at1;
        c += x[k] * (at2 * (1 << k));
    }
    for (int k = 3; k < n; k += 2) {
        b += x[k] * at1;
        d += x[k] * (at2 * (1 << k));
    }
    y[0] = x[0] * at0;
    y[1] = a + b;
    y[2] = a - b;
    y[3] = c + d;
    y[4] = c - d;
    y[5] = x[n - 1];
}

/* A^T; G^T: the transpose of evaluate. */
LS_INLINE void interpolate(const int n, const bool divided, const vector *x, vector *y)
{
    const real at0 = divided ? 1.0 / 4 : 1, at1 = divided ? -1.0 / 6 : 1;
    const real at2 = divided ? 1.0 / 24 : 1;
    const vector a = (x[1] + x[2]) * at1, b = (x[1] - x[2]) * at1;
    const vector c = (x[3] + x[4]) * at2, d = (x[3] - x[4]) * at2;
    for (int k = 0; k < n; k += 2)
        y[k] = a + c * (real)(1 << k);
    for (int k = 1; k < n; k += 2)
        y[k] = b + d * (real)(1 << k);
    y[0] += x[0] * at0;
    y[n - 1] += x[5];
}

/* From a vector of a tile to the one in the next line, and in the next column: reals. */
typedef struct apart {
    long line, column;
} apart;

/* y[to, to] = the transform of x[from, from], along the columns, then along the lines; with `add`
 * added to y, with `shift` to *shift. */
LS_INLINE void both(transform *line, const bool divided, const int from, const int to,
                    const real *x, apart of_x, const bool add, const vector *shift, real *y,
                    apart of_y)
{
    const int n = from < to ? from : to;
    vector t[SIZE * SIZE], in[SIZE], out[SIZE];
    EACH (j, from) {
        EACH (i, from)
            in[i] = load(x + i * of_x.line);
        line(n, divided, in, out);
        EACH (i, to)
            t[i * from + j] = out[i];
        x += of_x.column;
    }
    EACH (i, to) {
        line(n, divided, t + i * from, out);
        EACH (j, to) {
            real *at = y + j * of_y.column;
            store(at, add ? load(at) + out[j] : shift ? out[j] + *shift : out[j]);
        }
        y += of_y.line;
    }
}

LS_INLINE apart places(long place)
{
    return (apart){SIZE * place, place};
}

/* One tile: functions of their own, or addresses would take the registers. */
#define ALONE static __attribute__((noinline))

typedef void read_tile(const real *x, apart of_x, real *v, long place);
typedef void write_tile(const real *m, long place, const real *bias, real *y, apart of_y);

ALONE void input_tile(const real *x, apart of_x, real *v, long place)
{
    both(input_line, false, SIZE, SIZE, x, of_x, false, NULL, v, places(place));
}

/* What depends on the size of the kernel. */
typedef struct kernel_tiles {
    read_tile *slope;
    write_tile *output, *add;
    void (*filter)(const real *g, long tap, real *u, long place);
    void (*gradient)(const real *m, long place, real *dg, long tap);
} kernel_tiles;

#define MAKE_KERNEL(kernel, tile)                                                                  \
    ALONE void slope_##kernel(const real *dy, apart of_dy, real *z, long place)                    \
    {                                                                                              \
        both(evaluate, false, tile, SIZE, dy, of_dy, false, NULL, z, places(place));               \
    }                                                                                              \
    ALONE void output_##kernel(const real *m, long place, const real *bias, real *y, apart of_y)   \
    {                                                                                              \
        const vector shift = bias ? load(bias) : (vector){0};                                      \
        both(interpolate, false, SIZE, tile, m, places(place), false, &shift, y, of_y);            \
    }                                                                                              \
    ALONE void add_##kernel(const real *m, long place, const real *bias, real *y, apart of_y)      \
    {                                                                                              \
        (void)bias;                                                                                \
        both(interpolate, false, SIZE, tile, m, places(place), true, NULL, y, of_y);               \
    }                                                                                              \
    ALONE void filter_##kernel(const real *g, long tap, real *u, long place)                       \
    {                                                                                              \
        const apart of_g = {kernel * tap, tap};                                                    \
        both(evaluate, true, kernel, SIZE, g, of_g, false, NULL, u, places(place));                \
    }                                                                                              \
    ALONE void gradient_##kernel(const real *m, long place, real *dg, long tap)                    \
    {                                                                                              \
        const apart of_g = {kernel * tap, tap};                                                    \
        both(interpolate, true, SIZE, kernel, m, places(place), true, NULL, dg, of_g);             \
    }
MAKE_KERNEL(3, 4)
MAKE_KERNEL(5, 2)

static const kernel_tiles of_kernel[] = {
    [3] = {slope_3, output_3, add_3, filter_3, gradient_3},
    [5] = {slope_5, output_5, add_5, filter_5, gradient_5},
};

/* Where a tile lies: its image, and the first of its outputs. */
typedef struct spot {
    long image, top, left;
} spot;

LS_INLINE spot spot_of(const ls_winograd_image *image, long tile)
{
    long within = tile % image->tiles;
    return (spot){tile / image->tiles, within / image->tiles_w * image->tile,
                  within % image->tiles_w * image->tile};
}

LS_INLINE spot next_spot(const ls_winograd_image *image, spot s)
{
    s.left += image->tile;
    if (s.left >= image->out_w)
        s = (spot){s.image, s.top + image->tile, 0};
    if (s.top >= image->out_h)
        s = (spot){s.image + 1, 0, 0};
    return s;
}

/* The lines [top, bottom) and columns [left, right) of a tile that lie in the image. */
typedef struct part {
    long top, bottom, left, right;
    bool whole;
} part;

/* Of a tile of size x size that begins at (top, left) of h x w. */
LS_INLINE part part_of(const long size, long top, long left, long h, long w)
{
    part p = {ls_max(0, -top), ls_min(size, h - top), ls_max(0, -left), ls_min(size, w - left),
              false};
    p.whole = p.bottom - p.top == size && p.right - p.left == size;
    return p;
}

LS_INLINE void copy_part(part p, const real *from, apart of_from, real *to, apart of_to)
{
    for (long i = p.top; i < p.bottom; i++)
        for (long j = p.left; j < p.right; j++)
            store(to + i * of_to.line + j * of_to.column,
                  load(from + i * of_from.line + j * of_from.column));
}

/* Has the cache fetch the vectors of a tile from channel c of `at` on, each of its lines once. */
LS_INLINE void fetch(long tile, const real *at, apart of_at, long c)
{
    enum { CACHE_LINE = 64 / sizeof(real) };
    for (long i = 0; c % CACHE_LINE == 0 && i < tile; i++)
        for (long j = 0; j < tile; j++)
            __builtin_prefetch(at + i * of_at.line + j * of_at.column + c, 0, 2);
}

/* What tiles are read from: channels [0, channels) of `all` at each place of x[h, w]. */
typedef struct source {
    const real *x;
    long h, w, all, channels, pad_h, pad_w;
} source;

/* to[36][channels / group][count][group]; a tile of which a part lies outside by way of `own`. */
LS_INLINE void read_tiles(read_tile *read, const long size, const long group,
                          const ls_winograd_image *image, const source *from, long first,
                          long count, real *to, long place)
{
    const apart of_x = {from->w * from->all, from->all}, of_own = {size * LANES, LANES};
    spot s = spot_of(image, first);
    for (long t = 0; t < count; t++, s = next_spot(image, s)) {
        const long top = s.top - from->pad_h, left = s.left - from->pad_w;
        const real *x = from->x + (s.image * from->h + top) * of_x.line + left * of_x.column;
        const part inside = part_of(size, top, left, from->h, from->w);
        real own[SIZE * SIZE * LANES];
        for (long i = 0; !inside.whole && i < size * size; i++)
            store(own + i * LANES, (vector){0});
        for (long c = 0; c < from->channels; c += LANES) {
            real *at = to + (c / group * count + t) * group + c % group;
            fetch(image->tile, x + size * of_x.line, of_x, c); /* of the tile below */
            if (inside.whole) {
                read(x + c, of_x, at, place);
            } else {
                copy_part(inside, x + c, of_x, own, of_own);
                read(own, of_own, at, place);
            }
        }
    }
}

static void input(const ls_winograd_image *image, const real *x, long first, long count, real *v,
                  long place)
{
    const source from = {x, image->h, image->w, image->c, image->c, image->pad_h, image->pad_w};
    read_tiles(input_tile, SIZE, GROUP, image, &from, first, count, v, place);
}

static void slope(const ls_winograd_image *image, const real *dy, long first, long count,
                  long channel, real *z, long place)
{
    const long channels = ls_min(LS_PANEL, image->out - channel);
    const source from = {dy + channel, image->out_h, image->out_w, image->out, channels, 0, 0};
    read_tiles(of_kernel[image->kernel].slope, image->tile, LS_PANEL, image, &from, first, count, z,
               place);
}

static void filter(long kernel, const real *g, long tap, long count, real *u, long place)
{
    for (long c = 0; c < count * LS_PANEL; c += LANES)
        of_kernel[kernel].filter(g + c, tap, u + c, place);
}

static void gradient(long kernel, const real *m, long place, long count, real *dg, long tap)
{
    for (long c = 0; c < count * LS_PANEL; c += LANES)
        of_kernel[kernel].gradient(m + c, place, dg + c, tap);
}

static void output(const ls_winograd_image *image, const real *m, long place, long first,
                   long count, long channel, long columns, const real *bias, bool add, real *y)
{
    const kernel_tiles *tiles = &of_kernel[image->kernel];
    write_tile *const write = add ? tiles->add : tiles->output;
    const long tile = image->tile;
    const apart of_y = {image->out_w * image->out, image->out}, of_own = {tile * LANES, LANES};
    spot s = spot_of(image, first);
    for (long t = 0; t < count; t++, s = next_spot(image, s)) {
        const part inside = part_of(tile, s.top, s.left, image->out_h, image->out_w);
        real own[SIZE * SIZE * LANES];
        real *to = y + (s.image * image->out_h + s.top) * of_y.line + s.left * of_y.column;
        for (long c = channel; c < channel + columns; c += LANES) {
            const real *from = m + t * 2 * LS_PANEL + c - channel, *shift = bias ? bias + c : NULL;
            fetch(image->tile, to + tile * of_y.line, of_y, c); /* of the tile below */
            if (inside.whole) {
                write(from, place, shift, to + c, of_y);
            } else {
                if (add)
                    copy_part(inside, to + c, of_y, own, of_own);
                write(from, place, shift, own, of_own);
                copy_part(inside, own, of_own, to + c, of_y);
            }
        }
    }
}

static const ls_winograd winograd = {input, slope, filter, output, gradient};
