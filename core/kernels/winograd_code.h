/* winograd_code: the transforms of winograd.h, on vectors of channels. Included after tile_code.h,
 * once by the file of each instruction set. */
#include "core/kernels/winograd.h"
#include "core/minmax.h"

enum { SIZE = LS_WINOGRAD_SIZE };

/* In one dimension, n numbers on the side of the pixels. */
typedef void transform(const int n, const vector *x, vector *y);

/* What G's rows of the points 0, +-1 and +-2 are divided by; A's are not. G has odd sizes. */
static const real scales[2][3] = {{1, 1, 1}, {1.0 / 4, -1.0 / 6, 1.0 / 24}};

/* A; G: the polynomial with coefficients x[n] at 0, 1, -1, 2, -2 and infinity. */
LS_INLINE void evaluate(const int n, const vector *x, vector *y)
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

/* A^T; G^T: the transpose of evaluate. */
LS_INLINE void interpolate(const int n, const vector *x, vector *y)
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
LS_INLINE void input(const int n, const vector *x, vector *y)
{
    const vector a = x[4] - 4 * x[2], b = x[3] - 4 * x[1], c = x[4] - x[2], d = 2 * (x[3] - x[1]);
    (void)n;
    y[0] = 4 * x[0] - 5 * x[2] + x[4];
    y[1] = a + b;
    y[2] = a - b;
    y[3] = c + d;
    y[4] = c - d;
    y[5] = 4 * x[1] - 5 * x[3] + x[5];
}

/* From a vector of a tile to the one in the next line, and in the next column: reals. */
typedef struct apart {
    long line, column;
} apart;

/* y[to, to] = the transform of x[from, from], along the columns, then along the lines, + base. */
LS_INLINE void both(transform *line, const int from, const int to, const real *x, apart of_x,
                    const real *base, apart of_base, real *y, apart of_y)
{
    const int n = from < to ? from : to;
    vector t[SIZE * SIZE], in[SIZE], out[SIZE];
    EACH (j, from) {
        EACH (i, from)
            in[i] = load(x + i * of_x.line + j * of_x.column);
        line(n, in, out);
        EACH (i, to)
            t[i * from + j] = out[i];
    }
    EACH (i, to) {
        line(n, t + i * from, out);
        EACH (j, to) {
            const long at = i * of_base.line + j * of_base.column;
            store(y + i * of_y.line + j * of_y.column, base ? out[j] + load(base + at) : out[j]);
        }
    }
}

typedef void read_tile(const real *x, apart of_x, real *v, long place);
typedef void write_tile(const real *m, long place, const real *base, apart of_base, real *y,
                        apart of_y);

/* One tile: functions of their own, or addresses would take the registers. */
#define ALONE static __attribute__((noinline)) void
#define READ(n, line)                                                                              \
    ALONE read_##n(const real *x, apart of_x, real *v, long place)                                 \
    {                                                                                              \
        both(line, n, SIZE, x, of_x, NULL, (apart){0}, v, (apart){SIZE * place, place});           \
    }
#define READ_AND_WRITE(n)                                                                          \
    READ(n, evaluate)                                                                              \
    ALONE write_##n(const real *m, long place, const real *base, apart of_base, real *y,           \
                    apart of_y)                                                                    \
    {                                                                                              \
        both(interpolate, SIZE, n, m, (apart){SIZE * place, place}, base, of_base, y, of_y);       \
    }
READ_AND_WRITE(2)
READ_AND_WRITE(3)
READ_AND_WRITE(4)
READ_AND_WRITE(5)
READ(6, input)

/* By the size. */
static read_tile *const reads[] = {NULL, NULL, read_2, read_3, read_4, read_5, read_6};
static write_tile *const writes[] = {NULL, NULL, write_2, write_3, write_4, write_5};

/* Where a tile lies: its first pixel, and the lines and columns of it that lie in the image. */
typedef struct spot {
    long first; /* reals from image 0 on, or before it */
    ls_interval lines, columns;
    bool whole;
} spot;

LS_INLINE spot spot_of(const ls_winograd_image *image, long tile)
{
    const ls_window_axis *h = &image->h, *w = &image->w;
    const long top = tile / w->out % h->out * h->stride - h->pad;
    const long left = tile % w->out * w->stride - w->pad;
    spot s = {tile / (h->out * w->out) * image->image + top * image->line + left * image->pixel,
              {ls_max(0, -top), ls_min(h->kernel, h->size - top)},
              {ls_max(0, -left), ls_min(w->kernel, w->size - left)},
              false};
    s.whole =
        s.lines.end - s.lines.begin == h->kernel && s.columns.end - s.columns.begin == w->kernel;
    return s;
}

LS_INLINE void copy_part(const spot *s, const real *from, apart of_from, real *to, apart of_to)
{
    for (long i = s->lines.begin; i < s->lines.end; i++)
        for (long j = s->columns.begin; j < s->columns.end; j++)
            store(to + i * of_to.line + j * of_to.column,
                  load(from + i * of_from.line + j * of_from.column));
}

/* Has the cache fetch what the tile below sees beyond this one, which begins at `pixels`, each
 * cache line once. */
LS_INLINE void fetch_below(const ls_winograd_image *image, const real *pixels, long channel)
{
    for (long i = 0; channel % LINE == 0 && i < image->h.stride; i++)
        for (long j = 0; j < image->w.stride; j++)
            __builtin_prefetch(pixels + (image->h.kernel + i) * image->line + j * image->pixel, 0,
                               2);
}

LS_INLINE real *place_at(const ls_winograd_block *block, long t, long channel)
{
    const long group = block->group;
    return block->at + (channel / group * block->count + t) * group + channel % group;
}

/* A tile of which a part lies outside goes by way of `own`. */
static void to_places(const ls_winograd_image *image, const real *pixels,
                      const ls_winograd_block *block)
{
    const apart of_image = {image->line, image->pixel}, of_own = {SIZE * LANES, LANES};
    for (long t = 0; t < block->count; t++) {
        const spot s = spot_of(image, block->first + t);
        real own[SIZE * SIZE * LANES];
        if (!s.whole)
            memset(own, 0, sizeof own);
        for (long c = 0; c < block->channels; c += LANES) {
            const real *from = pixels + s.first + c;
            fetch_below(image, from, c);
            if (!s.whole)
                copy_part(&s, from, of_image, own, of_own);
            reads[image->h.kernel](s.whole ? from : own, s.whole ? of_image : of_own,
                                   place_at(block, t, c), block->place);
        }
    }
}

static void to_pixels(const ls_winograd_image *image, const ls_winograd_block *block,
                      const real *bias, bool add, real *pixels)
{
    static const real zeros[LANES];
    const apart of_image = {image->line, image->pixel}, of_own = {SIZE * LANES, LANES};
    for (long t = 0; t < block->count; t++) {
        const spot s = spot_of(image, block->first + t);
        const apart of_to = s.whole ? of_image : of_own;
        real own[SIZE * SIZE * LANES];
        for (long c = 0; c < block->channels; c += LANES) {
            real *at = pixels + s.first + c, *to = s.whole ? at : own;
            const real *base = add ? to : bias ? bias + c : zeros;
            fetch_below(image, at, c);
            if (add && !s.whole)
                copy_part(&s, at, of_image, own, of_own);
            writes[image->h.kernel](place_at(block, t, c), block->place, base,
                                    add ? of_to : (apart){0}, to, of_to);
            if (!s.whole)
                copy_part(&s, own, of_own, at, of_image);
        }
    }
}

static const ls_winograd winograd = {to_places, to_pixels};
