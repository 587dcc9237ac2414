/* tile_code: the source of the micro-kernel; see tile.h. Included once by the file of each
 * instruction set, which defines
 *
 *   TILE_BYTES          bytes of a vector
 *   TILE_NARROW(make)   make(1) make(2) ... up to the rows of a block one or two vectors wide
 *   TILE_WIDE(make)     the same for a block four vectors wide
 */
#include <string.h>

#include "core/clones.h"
#include "core/kernels/tile.h"
#include "core/minmax.h"

typedef real vector __attribute__((vector_size(TILE_BYTES)));
typedef real loose __attribute__((vector_size(TILE_BYTES), aligned(sizeof(real)), may_alias));

enum { LANES = TILE_BYTES / sizeof(real), LINE = 64 / sizeof(real) /* of the cache */ };

static LS_INLINE vector load(const real *x)
{
    return *(const loose *)x;
}

static LS_INLINE void store(real *x, vector v)
{
    *(loose *)x = v;
}

/* Index of column j in panels that are `panel` reals apart. */
static LS_INLINE long column_of(long j, long panel)
{
    return j / LS_PANEL * panel + j % LS_PANEL;
}

/* A loop that is unrolled completely. */
#define EACH(i, count) _Pragma("GCC unroll 16") for (int i = 0; i < (count); i++)

/* One block. `rows` and `vectors` are constants, so that all sums stay in registers. Three rows of
 * a share a pointer, since base, base + stride and base + 2 stride are one addressing mode each. */
static LS_INLINE void block(const int rows, const int vectors, const bool fetch, const ls_tile *t,
                            const real *a, const real *b, real *c)
{
    const long row = t->a.row;
    const real *ahead = fetch ? t->ahead->at : NULL;
    vector sum[14][4];
    EACH (j, vectors) {
        const vector bias = t->bias && !t->add ? load(t->bias + j * LANES) : (vector){0};
        EACH (i, rows)
            sum[i][j] = bias;
    }
    for (long s = 0; s < t->segments; s++) {
        const real *base[5], *panel = b + s * t->b.segment;
        EACH (g, 5)
            base[g] = a + s * t->a.segment + 3 * g * row;
        for (long k = 0; t->far && k < t->depth; k += LINE) /* an `if` around it costs registers */
            EACH (i, rows)
                __builtin_prefetch(base[0] + (rows + i) * row + k, 0, 2);
        for (long k = 0; k < t->depth; k++) {
            vector w[4];
            EACH (j, vectors)
                w[j] = load(panel + column_of(j * LANES, t->b.panel));
            EACH (i, rows) {
                const real x = base[i / 3][i % 3 * row];
                EACH (j, vectors)
                    sum[i][j] += x * w[j];
            }
            panel += LS_PANEL;
            if (fetch) {
                __builtin_prefetch(ahead, 0, 2);
                ahead += LINE;
            }
            EACH (g, 5)
                base[g] += t->a.depth;
        }
    }
    EACH (i, rows)
        EACH (j, vectors) {
            real *to = c + i * t->c.row + column_of(j * LANES, t->c.panel);
            store(to, t->add ? load(to) + sum[i][j] : sum[i][j]);
        }
}

typedef void run_block(const ls_tile *t, const real *a, const real *b, real *c);

/* A function for each number of rows, so that the compiler assigns registers to each by itself. */
#define MAKE(name, rows, vectors, fetch)                                                           \
    static __attribute__((noinline)) void name(const ls_tile *t, const real *a, const real *b,     \
                                               real *c)                                            \
    {                                                                                              \
        block(rows, vectors, fetch, t, a, b, c);                                                   \
    }
#define MAKE_NARROW(rows)                                                                          \
    MAKE(block_##rows##x1, rows, 1, false) MAKE(block_##rows##x2, rows, 2, false)
#define MAKE_WIDE(rows) MAKE(block_##rows##x4, rows, 4, false) MAKE(fetch_##rows##x4, rows, 4, true)
TILE_NARROW(MAKE_NARROW)
TILE_WIDE(MAKE_WIDE)

/* Indexed by the number of rows. */
#define SINGLE(rows) block_##rows##x1,
#define NARROW(rows) block_##rows##x2,
#define WIDE(rows) block_##rows##x4,
#define FETCH(rows) fetch_##rows##x4,
static run_block *const single[] = {NULL, TILE_NARROW(SINGLE)};
static run_block *const narrow[] = {NULL, TILE_NARROW(NARROW)};
static run_block *const wide[] = {NULL, TILE_WIDE(WIDE)};
static run_block *const fetching[] = {NULL, TILE_WIDE(FETCH)};
enum {
    NARROW_ROWS = sizeof narrow / sizeof *narrow - 1,
    WIDE_ROWS = sizeof wide / sizeof *wide - 1
};

/* A block of which only some columns are wanted: computes all of it beside c, and copies these. */
static void run_part(run_block *run, const ls_tile *t, long rows, long columns, const real *a,
                     const real *b, real *c)
{
    real whole[NARROW_ROWS * 4 * LANES];
    ls_tile beside = *t;
    beside.c.row = 4 * LANES;
    beside.c.panel = LS_PANEL;
    beside.add = false;
    beside.bias = NULL;
    run(&beside, a, b, whole);
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) {
            real *to = c + i * t->c.row + column_of(j, t->c.panel);
            *to = whole[i * beside.c.row + j] + (t->add ? *to : t->bias ? t->bias[j] : 0);
        }
}

/* Prefetches the next block of c, which often is not in the cache. */
static void fetch_block(const ls_tile *t, long rows, long columns, const real *c)
{
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j += LINE)
            __builtin_prefetch(c + i * t->c.row + column_of(j, t->c.panel), 1, 2);
}

/* The kinds of blocks: at most `most` rows, of about equal height, and `width` columns. */
static const struct kind {
    run_block *const *blocks;
    long most, width;
} kinds[] = {
    {wide, WIDE_ROWS, 4 * LANES}, {narrow, NARROW_ROWS, 2 * LANES}, {single, NARROW_ROWS, LANES}};

/* All rows of one strip of columns. */
static void run_strip(const struct kind *w, ls_tile *t, long rows, long columns, const real *a,
                      const real *b, real *c)
{
    long count = (rows + w->most - 1) / w->most;
    for (long n = 0; n < count; n++) {
        long first = rows * n / count, height = rows * (n + 1) / count - first;
        const real *from = a + first * t->a.row;
        real *to = c + first * t->c.row;
        if (n + 1 < count)
            fetch_block(t, height, ls_min(columns, w->width), to + height * t->c.row);
        while (t->ahead && t->ahead->at >= t->ahead->end)
            t->ahead = t->ahead->after;
        const bool fetch = t->ahead && w->blocks == wide;
        run_block *const block = fetch ? fetching[height] : w->blocks[height];
        if (columns >= w->width)
            block(t, from, b, to);
        else
            run_part(block, t, height, columns, from, b, to);
        if (fetch)
            t->ahead->at += t->segments * t->depth * LINE;
    }
}

static void run(const ls_tile *t, long rows, long columns, const real *a, const real *b, real *c)
{
    for (long j = 0; j < columns;) {
        const struct kind *w = kinds;
        while (w->width / 2 >= columns - j && w->width > LANES)
            w++;
        ls_tile strip = *t;
        strip.bias = t->bias ? t->bias + j : NULL;
        run_strip(w, &strip, rows, columns - j, a, b + column_of(j, t->b.panel),
                  c + column_of(j, t->c.panel));
        j += w->width;
    }
}

/* to[j, i] = from[i, j] of a square of LANES x LANES numbers: parts of it, of 1, 2, 4 ... numbers
 * each way, are exchanged across the diagonal. */
static LS_INLINE void transpose_square(const real *from, real *to)
{
#ifdef __clang__ /* clang has no shuffle by variable masks */
    for (int i = 0; i < LANES; i++)
        for (int j = 0; j < LANES; j++)
            to[j * LS_PANEL + i] = from[i * LS_PANEL + j];
#else
    vector row[LANES];
    EACH (i, LANES)
        row[i] = load(from + i * LS_PANEL);
    _Pragma("GCC unroll 16") for (int block = 1; block < LANES; block *= 2)
    {
        __typeof__((vector){0} == (vector){0}) low, high;
        EACH (k, LANES) {
            low[k] = k & block ? LANES + k - block : k;
            high[k] = k & block ? LANES + k : k + block;
        }
        EACH (i, LANES)
            if (!(i & block)) {
                const vector upper = row[i], lower = row[i + block];
                row[i] = __builtin_shuffle(upper, lower, low);
                row[i + block] = __builtin_shuffle(upper, lower, high);
            }
    }
    EACH (i, LANES)
        store(to + i * LS_PANEL, row[i]);
#endif
}

static void transpose(const real *from, real *to)
{
    for (int i = 0; i < LS_PANEL; i += LANES)
        for (int j = 0; j < LS_PANEL; j += LANES)
            transpose_square(from + i * LS_PANEL + j, to + j * LS_PANEL + i);
}
