/* winograd_code: the transforms of winograd.h, on vectors of channels. Included after tile_code.h,
 * once by the file of each instruction set. */
#include "core/kernels/winograd.h"
#include "core/minmax.h"

enum { SIZE = LS_WINOGRAD_SIZE };

/* One dimension of a transform; n: numbers on the side of the pixels. */
typedef void transform(const int n, const vector *x, vector *y);

/* Factors of the rows for the points 0, +-1 and +-2: scales[0] of A, scales[1] of G (n odd). */
static const real scales[2][3] = {{1, 1, 1}, {1.0 / 4, -1.0 / 6, 1.0 / 24}};

/* A or G: the polynomial with coefficients x[n] at the points 0, 1, -1, 2, -2 and infinity. */
static LS_INLINE void evaluate(const int n, const vector *x, vector *y)
{
    const real *scale = scales[n % 2];
    vector one[2] = {x[0] * scale[1], x[1] * scale[1]};       /* even and odd powers of 1 */
    vector two[2] = {x[0] * scale[2], x[1] * (2 * scale[2])}; /* and of 2 */
    EACH (k, n - 2) {
        one[k % 2] += x[k + 2] * scale[1];
        two[k % 2] += x[k + 2] * (scale[2] * (4 << k));
    }
    y[0] = x[0] * scale[0];
    y[1] = one[0] + one[1];
    y[2] = one[0] - one[1];
    y[3] = two[0] + two[1];
    y[4] = two[0] - two[1];
    y[5] = x[n - 1];
}

/* A^T or G^T: the transpose of evaluate. */
static LS_INLINE void interpolate(const int n, const vector *x, vector *y)
{
    const real *scale = scales[n % 2];
    const vector one[2] = {(x[1] + x[2]) * scale[1], (x[1] - x[2]) * scale[1]};
    const vector two[2] = {(x[3] + x[4]) * scale[2], (x[3] - x[4]) * scale[2]};
    EACH (k, n)
        y[k] = one[k % 2] + two[k % 2] * (real)(1 << k);
    y[0] += x[0] * scale[0];
    y[n - 1] += x[5];
}

/* B^T */
static LS_INLINE void input(const int n, const vector *x, vector *y)
{
    const vector a = x[4] - 4 * x[2], b = x[3] - 4 * x[1], c = x[4] - x[2], d = 2 * (x[3] - x[1]);
    y[0] = 4 * x[0] - 5 * x[2] + x[4];
    y[1] = a + b;
    y[2] = a - b;
    y[3] = c + d;
    y[4] = c - d;
    y[5] = 4 * x[1] - 5 * x[3] + x[5];
}

/* Reals from a vector of a tile to the one in the next line, and in the next column. */
typedef struct apart {
    long line, column;
} apart;

/* The same for the three arrays of a transform. */
typedef struct layout {
    apart x, base, y;
} layout;

/* y[to] = the transform of x[from], along a line, plus base (NULL: 0). */
static LS_INLINE void along(transform *line, const int from, const int to, const real *x,
                            const real *base, real *y, layout of)
{
    vector in[SIZE], out[SIZE];
    EACH (j, from)
        in[j] = load(x + j * of.x.column);
    line(from < to ? from : to, in, out);
    EACH (j, to)
        store(y + j * of.y.column, base ? out[j] + load(base + j * of.base.column) : out[j]);
}

/* y[to, to] = the transform of x[from, from], along the columns, then along the lines, plus base
 * (NULL: 0). */
static LS_INLINE void both(transform *line, const int from, const int to, const real *x,
                           const real *base, real *y, layout of)
{
    const int n = from < to ? from : to;
    vector t[SIZE * SIZE], in[SIZE], out[SIZE];
    EACH (j, from) {
        EACH (i, from)
            in[i] = load(x + i * of.x.line + j * of.x.column);
        line(n, in, out);
        EACH (i, to)
            t[i * from + j] = out[i];
    }
    EACH (i, to) {
        line(n, t + i * from, out);
        EACH (j, to) {
            const long at = i * of.base.line + j * of.base.column;
            store(y + i * of.y.line + j * of.y.column, base ? out[j] + load(base + at) : out[j]);
        }
    }
}

typedef void read_tile(const real *x, apart of_x, real *v, long step);
typedef void write_tile(const real *m, long step, const real *base, apart of_base, real *y,
                        apart of_y);

/* One tile, of several lines or (line_) of one. These are not inlined: the callers' addresses would
 * take the registers. */
#define ALONE static __attribute__((noinline)) void
#define READ(name, n, way, line)                                                                   \
    ALONE name##read_##n(const real *x, apart of_x, real *v, long step)                            \
    {                                                                                              \
        way(line, n, SIZE, x, NULL, v, (layout){.x = of_x, .y = {SIZE * step, step}});             \
    }
#define READ_AND_WRITE(name, n, way)                                                               \
    READ(name, n, way, evaluate)                                                                   \
    ALONE name##write_##n(const real *m, long step, const real *base, apart of_base, real *y,      \
                          apart of_y)                                                              \
    {                                                                                              \
        way(interpolate, SIZE, n, m, base, y, (layout){{SIZE * step, step}, of_base, of_y});       \
    }
#define TILES(name, way)                                                                           \
    READ_AND_WRITE(name, 2, way)                                                                   \
    READ_AND_WRITE(name, 3, way)                                                                   \
    READ_AND_WRITE(name, 4, way)                                                                   \
    READ_AND_WRITE(name, 5, way)                                                                   \
    READ(name, 6, way, input)
TILES(, both)
TILES(line_, along)

/* By the number of lines, one or several, and the length of a line. */
static read_tile *const reads[2][SIZE + 1] = {
    {NULL, NULL, line_read_2, line_read_3, line_read_4, line_read_5, line_read_6},
    {NULL, NULL, read_2, read_3, read_4, read_5, read_6}};
static write_tile *const writes[2][SIZE] = {
    {NULL, NULL, line_write_2, line_write_3, line_write_4, line_write_5},
    {NULL, NULL, write_2, write_3, write_4, write_5}};

/* A tile: its first pixel, and those of its lines and columns that lie in the image. */
typedef struct spot {
    long first; /* reals from the start of image 0; below 0: before it */
    ls_interval lines, columns;
    bool whole;
} spot;

/* The first pixel of a tile in one direction. */
static LS_INLINE long start_of(const ls_window_axis *axis, long tile)
{
    return (tile - tile % axis->dilation) * axis->stride + tile % axis->dilation - axis->pad;
}

/* Which of the pixels of a tile that begins at `start` lie in the image. */
static LS_INLINE ls_interval inside_of(const ls_window_axis *axis, long start)
{
    const long d = axis->dilation;
    return (ls_interval){(ls_max(0, -start) + d - 1) / d,
                         ls_min(axis->kernel, (axis->size - start + d - 1) / d)};
}

static LS_INLINE spot spot_of(const ls_winograd_image *image, long tile)
{
    const ls_window_axis *h = &image->h, *w = &image->w;
    const long top = start_of(h, tile / w->out % h->out), left = start_of(w, tile % w->out);
    spot s = {tile / (h->out * w->out) * image->image + top * image->line + left * image->pixel,
              inside_of(h, top), inside_of(w, left), false};
    s.whole =
        s.lines.end - s.lines.begin == h->kernel && s.columns.end - s.columns.begin == w->kernel;
    return s;
}

static LS_INLINE apart apart_of(const ls_winograd_image *image)
{
    return (apart){image->line * image->h.dilation, image->pixel * image->w.dilation};
}

static LS_INLINE void copy_part(const spot *s, const real *from, apart of_from, real *to,
                                apart of_to)
{
    for (long i = s->lines.begin; i < s->lines.end; i++)
        for (long j = s->columns.begin; j < s->columns.end; j++)
            store(to + i * of_to.line + j * of_to.column,
                  load(from + i * of_from.line + j * of_from.column));
}

/* Prefetches what the tile below (of one line: behind) has beyond this one (at `pixels`), each
 * cache line once. */
static LS_INLINE void fetch_next(const ls_winograd_image *image, const real *pixels, apart of,
                                 long channel)
{
    const bool is_line = image->h.kernel == 1;
    const real *next = pixels + (is_line ? image->w.kernel * of.column : image->h.kernel * of.line);
    for (long i = 0; channel % LINE == 0 && i < image->h.stride; i++)
        for (long j = 0; j < image->w.stride; j++)
            __builtin_prefetch(next + i * of.line + j * of.column, 0, 2);
}

static LS_INLINE real *position_of(const ls_winograd_block *block, long t, long channel)
{
    const long group = block->group;
    return block->at + (channel / group * block->count + t) * group + channel % group;
}

/* A tile that lies partly outside of the image is read from a copy with zeros, `padded`. */
static void to_positions(const ls_winograd_image *image, const real *pixels,
                         const ls_winograd_block *block)
{
    const apart of_image = apart_of(image), of_padded = {SIZE * LANES, LANES};
    read_tile *const read = reads[image->h.kernel > 1][image->w.kernel];
    for (long t = 0; t < block->count; t++) {
        const spot s = spot_of(image, block->first + t);
        real padded[SIZE * SIZE * LANES];
        if (!s.whole)
            memset(padded, 0, sizeof padded);
        for (long c = 0; c < block->channels; c += LANES) {
            const real *from = pixels + s.first + c;
            fetch_next(image, from, of_image, c);
            if (!s.whole)
                copy_part(&s, from, of_image, padded, of_padded);
            read(s.whole ? from : padded, s.whole ? of_image : of_padded, position_of(block, t, c),
                 block->step);
        }
    }
}

static void to_pixels(const ls_winograd_image *image, const ls_winograd_block *block,
                      const real *bias, bool add, real *pixels)
{
    static const real zeros[LANES];
    const apart of_image = apart_of(image), of_padded = {SIZE * LANES, LANES};
    write_tile *const write = writes[image->h.kernel > 1][image->w.kernel];
    for (long t = 0; t < block->count; t++) {
        const spot s = spot_of(image, block->first + t);
        const apart of_to = s.whole ? of_image : of_padded;
        real padded[SIZE * SIZE * LANES];
        for (long c = 0; c < block->channels; c += LANES) {
            real *first = pixels + s.first + c, *to = s.whole ? first : padded;
            const real *base = add ? to : bias ? bias + c : zeros;
            fetch_next(image, first, of_image, c);
            if (add && !s.whole)
                copy_part(&s, first, of_image, padded, of_padded);
            write(position_of(block, t, c), block->step, base, add ? of_to : (apart){0}, to, of_to);
            if (!s.whole)
                copy_part(&s, padded, of_padded, first, of_image);
        }
    }
}

static const ls_winograd winograd = {to_positions, to_pixels};
