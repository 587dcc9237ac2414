/* synthetic: draws glyphs, digits and then letters; each row is a function of (seed, split, row).
 *
 * A glyph is a few strokes on a grid. Each row varies it at random (size, width, slant, position,
 * corners, thickness of the pen, contrast), draws it in grey levels, and adds noise. The strokes
 * are drawn by a round pen of `radius` pixels: the grey level of a pixel is the share that the pen
 * covers, found from the distance between the pixel's centre and the nearest stroke. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "io/atomic_file.h"
#include "io/dataset.h"
#include "io/import/import.h"
#include "io/output.h"

/* Strokes, with a space between them, of corners "xy": x from 0 (left) to 4, y from 0 (top) to 6.
 * The class of a glyph is its index. */
static const char *const glyphs[] = {
    "103041453616050110",                  /* 0 */
    "112026 1636",                         /* 1 */
    "01103041420646",                      /* 2 */
    "0010304142334445361605 1333",         /* 3 */
    "36300444",                            /* 4 */
    "400003334445361605",                  /* 5 */
    "4130100105163645443303",              /* 6 */
    "004016 1333",                         /* 7 */
    "103041423313020110 3344453616050413", /* 8 */
    "423313020110304145361605",            /* 9 */
    "0620 2046 1434",                      /* A */
    "4130100105163645",                    /* C */
    "40000646 0333",                       /* E */
    "400006 0333",                         /* F */
    "0006 4046 0343",                      /* H */
    "4045361605",                          /* J */
    "0006 400346",                         /* K */
    "000646",                              /* L */
    "0600234046",                          /* M */
    "0040 2026",                           /* T */
};
enum {
    TEST_ROWS = 4000, /* unless --test says how many */
    SIDE = 28,        /* unless --size says it */
    GLYPHS = sizeof glyphs / sizeof *glyphs,
    SEGMENTS = 16, /* of a glyph, at most */
    CHOICES = 8,   /* random numbers of a glyph; those of segments (4 each) and pixels follow */
    SMALLEST = 12,
    LARGEST = 512,
    BLOCK_BYTES = 1 << 20
};

typedef struct segment {
    double x0, y0, x1, y1; /* pixels */
} segment;

typedef struct drawing {
    const ls_import *import;
    FILE *report;
    long size;        /* pixels of a side */
    ls_random stream; /* of the split */
    real *random;     /* CHOICES + 4 * SEGMENTS + size * size numbers in [0, 1) */
} drawing;

static double between(double low, double high, double random)
{
    return low + (high - low) * random;
}

/* Lays the strokes of a glyph out in pixels, with room for the pen around them; returns how many
 * segments there are. u: CHOICES random numbers, then those of the corners. */
static int place_strokes(const drawing *d, const char *glyph, double radius, const real *u,
                         segment *to)
{
    double size = (double)d->size, height = size * between(0.45, 0.72, (double)u[1]);
    double width = height * between(0.45, 0.7, (double)u[2]);
    double slant = between(-0.2, 0.3, (double)u[3]) * height; /* of the top, to the right */
    double room = size - width - fabs(slant), margin = 0.055 * size + radius;
    double left = between(margin, room - margin, (double)u[4]);
    double top = between(margin, size - height - margin, (double)u[5]);
    left += slant < 0 ? -slant : 0;
    int count = 0;
    bool drawn = false; /* the pen is down at (x, y) */
    double x = 0, y = 0;
    for (int corner = 0; *glyph; corner++) {
        if (*glyph == ' ') {
            drawn = false;
            glyph++;
            continue;
        }
        const real *off = u + CHOICES + 2 * corner;
        double across = (glyph[0] - '0') / 4.0 + between(-0.07, 0.07, (double)off[0]);
        double down = (glyph[1] - '0') / 6.0 + between(-0.05, 0.05, (double)off[1]);
        double next_x = left + across * width + (1 - down) * slant, next_y = top + down * height;
        if (drawn)
            to[count++] = (segment){x, y, next_x, next_y};
        x = next_x;
        y = next_y;
        drawn = true;
        glyph += 2;
    }
    return count;
}

static double distance(const segment *s, double x, double y)
{
    double dx = s->x1 - s->x0, dy = s->y1 - s->y0, length2 = dx * dx + dy * dy;
    double along = length2 > 0 ? ((x - s->x0) * dx + (y - s->y0) * dy) / length2 : 0;
    along = along < 0 ? 0 : along > 1 ? 1 : along;
    double ex = x - s->x0 - along * dx, ey = y - s->y0 - along * dy;
    return sqrt(ex * ex + ey * ey);
}

/* Draws one picture, [size, size] bytes; returns its class. */
static unsigned char draw(const drawing *d, long row, unsigned char *pixels)
{
    const real *u = d->random, *noise = u + CHOICES + 4 * SEGMENTS;
    ls_random_uniform(d->stream, (uint64_t)row, d->random,
                      CHOICES + 4 * SEGMENTS + d->size * d->size);
    long class = (long)((double)u[0] * (double)d->import->classes);
    segment strokes[SEGMENTS];
    double radius = (double)d->size * between(0.028, 0.065, (double)u[6]);
    int count = place_strokes(d, glyphs[class], radius, u, strokes);
    double contrast = between(0.6, 1, (double)u[7]);
    for (long i = 0; i < d->size * d->size; i++) {
        double x = (double)(i % d->size) + 0.5, y = (double)(i / d->size) + 0.5;
        double nearest = (double)d->size;
        for (int s = 0; s < count; s++)
            nearest = fmin(nearest, distance(&strokes[s], x, y));
        double ink = contrast * fmax(0, fmin(1, 0.5 + radius - nearest));
        double grey = ink + between(-0.12, 0.12, (double)noise[i]);
        pixels[i] = (unsigned char)(255 * fmax(0, fmin(1, grey)) + 0.5);
    }
    return (unsigned char)class;
}

static bool write_rows(const drawing *d, hid_t x, hid_t y, long rows, ls_error *error)
{
    long pixels = d->size * d->size, block_rows = BLOCK_BYTES / pixels;
    unsigned char *block = ls_alloc((size_t)block_rows, (size_t)pixels);
    unsigned char *labels = ls_alloc((size_t)block_rows, 1);
    bool ok = true;
    for (long first = 0; ok && first < rows; first += block_rows) {
        long n = rows - first < block_rows ? rows - first : block_rows;
        for (long i = 0; i < n; i++)
            labels[i] = draw(d, first + i, block + i * pixels);
        ok = ls_h5_write_rows(x, H5T_NATIVE_UINT8, first, n, block, error) &&
             ls_h5_write_rows(y, H5T_NATIVE_UINT8, first, n, labels, error);
    }
    ls_free(labels);
    ls_free(block);
    return ok;
}

static bool write_split(const drawing *d, const char *split, long rows, hid_t file, ls_error *error)
{
    char path[16];
    hsize_t dims[4] = {(hsize_t)rows, (hsize_t)d->size, (hsize_t)d->size, 1};
    snprintf(path, sizeof path, "%s/x", split);
    hid_t x = ls_h5_create_dataset(file, path, H5T_STD_U8LE, 4, dims, error);
    snprintf(path, sizeof path, "%s/y", split);
    hid_t y = x < 0 ? -1 : ls_h5_create_dataset(file, path, H5T_STD_U8LE, 1, dims, error);
    bool ok = y >= 0 && ls_output_pictures(x, error) &&
              ls_h5_put_long(y, "classes", d->import->classes, error) &&
              write_rows(d, x, y, rows, error);
    ls_h5_close(y);
    ls_h5_close(x);
    return ok;
}

static bool fill_file(void *context, hid_t file, ls_error *error)
{
    drawing *d = context;
    const ls_import *import = d->import;
    const long test = import->test < 0 ? TEST_ROWS : import->test;
    const long rows[] = {import->rows, import->valid, test}, size[] = {d->size, d->size};
    bool ok = true;
    d->random = ls_alloc((size_t)(CHOICES + 4 * SEGMENTS + d->size * d->size), sizeof(real));
    for (int i = 0; ok && i < LS_SPLITS; i++) {
        d->stream =
            ls_random_stream((uint64_t)import->seed, LS_RANDOM_SYNTHETIC, (uint64_t)i, 0, 0);
        ok = rows[i] == 0 || write_split(d, ls_split_names[i], rows[i], file, error);
        if (ok)
            ls_import_report(d->report, ls_split_names[i], rows[i], size, import->classes);
    }
    ls_free(d->random);
    return ok;
}

static bool in_range(const char *what, long value, long low, long high, ls_error *error)
{
    return (value >= low && value <= high) ||
           ls_error_set(error, LS_USAGE, "import synthetic: %s=%ld; expected %ld to %ld", what,
                        value, low, high);
}

static bool run(const ls_import *import, FILE *report, ls_error *error)
{
    enum { ROWS_MAX = 1000000000 };
    drawing d = {.import = import, .report = report, .size = import->size ? import->size : SIDE};
    return in_range("size", d.size, SMALLEST, LARGEST, error) &&
           in_range("width", import->width, 0, 0, error) &&
           in_range("classes", import->classes, 2, GLYPHS, error) &&
           in_range("rows", import->rows, 1, ROWS_MAX, error) &&
           in_range("valid", import->valid, 0, ROWS_MAX, error) &&
           in_range("test", import->test, -1, ROWS_MAX, error) &&
           (import->force || ls_atomic_file_absent(import->output, error)) &&
           ls_output_make(import->output, fill_file, &d, error);
}

ls_import_run *const ls_import_synthetic = run;
