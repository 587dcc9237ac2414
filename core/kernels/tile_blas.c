/* tile_blas: the product of tile.h by OpenBLAS. */
#include "core/kernels/tile_blas.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#include "core/blas.h"
#include "core/clones.h"
#include "core/memory.h"
#include "core/minmax.h"

enum {
    DEPTH = 256,  /* k of one product */
    COLUMNS = 64, /* of b that are packed together */
    ROWS = 64,    /* of a that are packed together */
    MANY = 112,   /* rows of a for which b is packed: measured */
    LEAST = 64    /* k of a segment for which a is not packed */
};

/* OpenBLAS, loaded once; NULL: it can't be. */
static const ls_blas *openblas(void)
{
    static const ls_blas *_Atomic loaded;
    const ls_blas *before = loaded;
    if (before)
        return before;
    ls_blas *blas = ls_alloc(1, sizeof *blas);
    if (ls_blas_open(blas, NULL) && atomic_compare_exchange_strong(&loaded, &before, blas))
        return blas;
    ls_free(blas);
    return before;
}

bool ls_tile_blas_can(void)
{
    return openblas() != NULL;
}

/* Where number k of all segments of an operand is; `step` reals lie between two of a segment. */
static const real *number_at(const ls_tile *t, const real *from, const ls_strides *s, long step,
                             long k)
{
    return from + k / t->depth * s->segment + k % t->depth * step;
}

/* to[count][columns] = rows k, k + 1, ... of b. */
static LS_CLONES void pack_b(const ls_tile *t, const real *b, long k, long count, long columns,
                             real *to)
{
    for (long j = 0; j < columns; j += LS_PANEL) {
        const long width = ls_min(LS_PANEL, columns - j);
        const real *panel = b + j / LS_PANEL * t->b.panel;
        for (long i = 0; i < count; i++) {
            const real *from = number_at(t, panel, &t->b, LS_PANEL, k + i);
            real *line = to + i * columns + j;
            if (width == LS_PANEL)
                for (long l = 0; l < LS_PANEL; l++)
                    line[l] = from[l];
            else
                for (long l = 0; l < width; l++)
                    line[l] = from[l];
        }
    }
}

/* to[rows][count] = columns k, k + 1, ... of a. */
static LS_CLONES void pack_rows(const ls_tile *t, const real *a, long rows, long k, long count,
                                real *to)
{
    for (long i = 0; i < rows; i++)
        for (long n = 0, piece; n < count; n += piece, to += piece) {
            const real *from = number_at(t, a + i * t->a.row, &t->a, t->a.depth, k + n);
            piece = ls_min(count - n, t->depth - (k + n) % t->depth);
            if (t->a.depth == 1)
                for (long l = 0; l < piece; l++)
                    to[l] = from[l];
            else
                for (long l = 0; l < piece; l++)
                    to[l] = from[l * t->a.depth];
        }
}

/* to[count][rows] = the same transposed, where the numbers of a column of a are neighbours. */
static LS_CLONES void pack_columns(const ls_tile *t, const real *a, long rows, long k, long count,
                                   real *to)
{
    for (long n = 0; n < count; n++, to += rows) {
        const real *from = number_at(t, a, &t->a, t->a.depth, k + n);
        for (long i = 0; i < rows; i++)
            to[i] = from[i];
    }
}

/* How many numbers of a segment OpenBLAS can read where they lie; 0: they must be packed. */
static long readable(const ls_tile *t, long rows)
{
    const bool along = t->a.depth == 1 && t->a.row <= INT_MAX;
    const bool across = t->a.row == 1 && t->a.depth >= rows && t->a.depth <= INT_MAX;
    const long reals = along ? ls_min(t->depth, t->a.row) : across ? t->depth : 0;
    const long most = ls_min(reals, DEPTH);
    return most >= LEAST || most == t->segments * t->depth ? most : 0;
}

/* Whether b is packed: if there are several panels, and rows enough to make up for it. */
static bool packs_b(const ls_tile *t, long rows, long columns, long k, long count)
{
    const bool whole = k % t->depth + count <= t->depth || t->b.segment == t->depth * LS_PANEL;
    return !whole || (columns > LS_PANEL && rows >= MANY);
}

/* a of these k as a factor. */
static ls_factor factor_a(const ls_tile *t, const real *a, long rows, long k, long count,
                          bool in_place, real *packed)
{
    const real *at = number_at(t, a, &t->a, t->a.depth, k);
    if (in_place)
        return t->a.depth == 1 ? (ls_factor){at, t->a.row, false}
                               : (ls_factor){at, t->a.depth, true};
    const bool across = t->a.row == 1;
    (across ? pack_columns : pack_rows)(t, a, rows, k, count, packed);
    return (ls_factor){packed, across ? rows : count, across};
}

/* Some k of the product. */
typedef struct piece {
    ls_factor a, b;
    long count;
    long panel; /* reals from panel to panel of b */
    bool add;
} piece;

/* c = (add: +=) a b, by panels if those of b or of c do not lie side by side. */
static void multiply(const ls_tile *t, long rows, long columns, const piece *p, real *c)
{
    const bool joined = p->b.row >= columns && t->c.panel == LS_PANEL;
    const long width = joined && (rows == 1 || t->c.row >= columns) ? columns : LS_PANEL;
    for (long j = 0; j < columns; j += width) {
        const long count = ls_min(width, columns - j);
        const ls_factor b = {p->b.at + j / LS_PANEL * p->panel, p->b.row, false};
        const ls_result to = {c + j / LS_PANEL * t->c.panel, rows == 1 ? count : t->c.row, p->add};
        ls_gemm(openblas(), rows, count, p->count, p->a, b, to);
    }
}

static void set_bias(const ls_tile *t, long rows, long columns, real *c)
{
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j += LS_PANEL)
            memcpy(c + i * t->c.row + j / LS_PANEL * t->c.panel, t->bias + j,
                   (size_t)ls_min(LS_PANEL, columns - j) * sizeof *c);
}

/* At most COLUMNS columns. */
static void run_columns(const ls_tile *t, long rows, long columns, const real *a, const real *b,
                        real *c)
{
    real packed_a[ROWS * DEPTH], packed_b[DEPTH * COLUMNS];
    const long all = t->segments * t->depth, in_place = readable(t, rows);
    const long most = t->c.row > INT_MAX ? 1 : in_place ? INT_MAX : ROWS; /* rows at a time */
    piece p = {.add = t->add || t->bias};
    if (t->bias && !t->add)
        set_bias(t, rows, columns, c);
    for (long k = 0; k < all; k += p.count, p.add = true) {
        p.count = in_place ? ls_min(in_place, t->depth - k % t->depth) : ls_min(DEPTH, all - k);
        p.b = (ls_factor){number_at(t, b, &t->b, LS_PANEL, k), LS_PANEL, false};
        p.panel = t->b.panel;
        if (packs_b(t, rows, columns, k, p.count)) {
            pack_b(t, b, k, p.count, columns, packed_b);
            p.b = (ls_factor){packed_b, columns, false};
            p.panel = LS_PANEL;
        }
        for (long i = 0; i < rows; i += most) {
            const long some = ls_min(most, rows - i);
            p.a = factor_a(t, a + i * t->a.row, some, k, p.count, in_place, packed_a);
            multiply(t, some, columns, &p, c + i * t->c.row);
        }
    }
}

void ls_tile_blas_run(const ls_tile *t, long rows, long columns, const real *a, const real *b,
                      real *c)
{
    ls_tile part = *t;
    for (long j = 0; j < columns; j += COLUMNS) {
        part.bias = t->bias ? t->bias + j : NULL;
        run_columns(&part, rows, ls_min(COLUMNS, columns - j), a, b + j / LS_PANEL * t->b.panel,
                    c + j / LS_PANEL * t->c.panel);
    }
}
