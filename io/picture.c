/* picture: where each number of a row stands in the grid, and how bright it is. */
#include "io/picture.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/png.h"

/* How the tiles lie. Each has its pixels and a border above and on the left. */
typedef struct grid {
    long zoom;
    long high, wide;     /* pixels of a tile */
    long channels;       /* of a row */
    long planes;         /* tiles of a row */
    long colours;        /* numbers of a pixel: 3 or 1 */
    long columns, lines; /* rows beside each other and above each other */
    double scale;
} grid;

bool ls_picture_shape(const ls_shape *row, ls_shape *picture)
{
    long side = lround(sqrt((double)row->at[0]));
    if (row->rank == 2 || row->rank == 3)
        *picture = (ls_shape){3, {row->at[0], row->at[1], row->rank == 3 ? row->at[2] : 1}};
    else if (row->rank == 1 && side > 1 && side * side == row->at[0])
        *picture = (ls_shape){3, {side, side, 1}};
    else
        return false;
    return true;
}

static grid lay_out(const ls_picture *p, long count)
{
    enum { READABLE = 1000, MOST = 16 }; /* pixels of a side of the grid; of a number */
    grid g = {.high = p->row.at[0], .wide = p->row.at[1], .channels = p->row.at[2]};
    g.colours = g.channels == 3 ? 3 : 1;
    g.planes = g.channels / g.colours;
    double ratio = (double)(g.high + 1) / (double)((g.wide + 1) * g.planes);
    g.columns = p->columns ? p->columns : ls_max(1, lround(ceil(sqrt((double)count * ratio))));
    g.columns = ls_min(g.columns, count);
    g.lines = (count + g.columns - 1) / g.columns;
    const long across = ls_max(g.columns * g.planes * g.wide, g.lines * g.high);
    const long borders = 1 + ls_max(g.columns * g.planes, g.lines);
    g.zoom = ls_max(1, ls_min(MOST, (READABLE - borders) / across));
    g.high *= g.zoom;
    g.wide *= g.zoom;
    g.scale = p->most > p->least ? 255 / (p->most - p->least) : 0;
    return g;
}

static uint8_t brightness(const ls_picture *p, const grid *g, double value)
{
    double level = g->scale > 0 ? (value - p->least) * g->scale : 255 / 2.0;
    return level > 0 ? (uint8_t)(fmin(level, 255) + 0.5) : 0;
}

/* Fills the tiles of row i; `x` is the row. */
static void put_row(const ls_picture *p, const grid *g, long i, const real *x, const ls_png *png,
                    uint8_t *pixel)
{
    long top = 1 + i / g->columns * (g->high + 1);
    for (long plane = 0; plane < g->planes; plane++) {
        long left = 1 + (i % g->columns * g->planes + plane) * (g->wide + 1);
        for (long h = 0; h < g->high; h++)
            for (long w = 0; w < g->wide; w++)
                for (long c = 0; c < g->colours; c++)
                    pixel[((top + h) * png->width + left + w) * g->colours + c] = brightness(
                        p, g,
                        x[(h / g->zoom * p->row.at[1] + w / g->zoom) * g->channels + plane + c]);
    }
}

static ls_png canvas(const grid *g)
{
    return (ls_png){.width = 1 + g->columns * g->planes * (g->wide + 1),
                    .height = 1 + g->lines * (g->high + 1),
                    .channels = (int)g->colours};
}

long ls_picture_zoom(const ls_picture *picture, long count)
{
    return lay_out(picture, count).zoom;
}

bool ls_picture_check(const char *path, const ls_picture *picture, long count, ls_error *error)
{
    const grid g = lay_out(picture, count);
    const ls_png png = canvas(&g);
    return ls_png_check(path, png.width, png.height, error);
}

bool ls_picture_write(const char *path, const ls_picture *picture, const real *rows, long count,
                      ls_error *error)
{
    if (!ls_picture_check(path, picture, count, error))
        return false;
    const grid g = lay_out(picture, count);
    ls_png png = canvas(&g);
    size_t bytes = (size_t)(png.width * png.height * g.colours);
    uint8_t *pixel = ls_alloc(bytes, 1);
    memset(pixel, 255, bytes);
    for (long i = 0; i < count; i++)
        put_row(picture, &g, i, rows + i * ls_shape_count(&picture->row), &png, pixel);
    png.pixel = pixel;
    bool ok = ls_png_write(path, &png, error);
    ls_free(pixel);
    return ok;
}

void ls_picture_range(const real *numbers, long count, double *least, double *most)
{
    *least = 0;
    *most = 1;
    for (long i = 0; i < count; i++) {
        if (isfinite(numbers[i])) {
            *least = fmin(*least, (double)numbers[i]);
            *most = fmax(*most, (double)numbers[i]);
        }
    }
}
