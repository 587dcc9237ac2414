/* histogram: bars, a line and two numbers on a canvas of pixels. */
#include "io/histogram.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/divergence.h"
#include "core/memory.h"
#include "io/png.h"

/* The canvas in pixels: the bins, MARGIN around them and TEXT more below. */
enum { BINS = 80, BAR = 8, HEIGHT = 300, MARGIN = 10, TEXT = 20 };
enum { ALL_WIDE = BINS * BAR + 2 * MARGIN, ALL_HIGH = HEIGHT + 2 * MARGIN + TEXT };

typedef struct colour {
    uint8_t of[3];
} colour;

static const colour blue = {{158, 202, 225}}, orange = {{217, 72, 1}}, black = {{0, 0, 0}};

/* Fills the pixels of [left, right) x [top, bottom). */
static void fill(uint8_t *pixel, const colour *colour, long left, long top, long right, long bottom)
{
    for (long y = top; y < bottom; y++)
        for (long x = left; x < right; x++)
            memcpy(pixel + (y * ALL_WIDE + x) * 3, colour->of, 3);
}

/* What a number is written with: 5 lines of 3 pixels, the highest first. */
static const struct glyph {
    char letter, line[5];
} glyphs[] = {{'0', {7, 5, 5, 5, 7}}, {'1', {2, 6, 2, 2, 7}}, {'2', {7, 1, 7, 4, 7}},
              {'3', {7, 1, 7, 1, 7}}, {'4', {5, 5, 7, 1, 1}}, {'5', {7, 4, 7, 1, 7}},
              {'6', {7, 4, 7, 5, 7}}, {'7', {7, 1, 1, 2, 2}}, {'8', {7, 5, 7, 5, 7}},
              {'9', {7, 5, 7, 1, 7}}, {'.', {0, 0, 0, 0, 2}}, {'-', {0, 0, 7, 0, 0}},
              {'+', {0, 2, 7, 2, 0}}, {'e', {0, 7, 7, 4, 7}}};

/* Writes a number from `left` on, or, where that is negative, so that it ends at `right`. */
static void put_number(uint8_t *pixel, double number, long left, long right)
{
    enum { DOT = 2, STEP = 4 * DOT }; /* pixels of a dot of a letter, and of a letter */
    char text[32];
    long length = snprintf(text, sizeof text, "%.4g", number), top = MARGIN + HEIGHT + 6;
    long x = left >= 0 ? left : right - length * STEP + DOT;
    for (long i = 0; i < length; i++, x += STEP)
        for (size_t g = 0; g < sizeof glyphs / sizeof *glyphs; g++)
            for (int dot = 0; glyphs[g].letter == text[i] && dot < 15; dot++) {
                long dx = x + dot % 3 * DOT, dy = top + dot / 3 * DOT;
                if (glyphs[g].line[dot / 3] >> (2 - dot % 3) & 1)
                    fill(pixel, &black, dx, dy, dx + DOT, dy + DOT);
            }
}

/* The range that is drawn. */
static void find_range(const real *x, long count, double *least, double *most)
{
    *least = INFINITY;
    *most = -INFINITY;
    for (long i = 0; i < count; i++)
        if (isfinite(x[i])) {
            *least = fmin(*least, (double)x[i]);
            *most = fmax(*most, (double)x[i]);
        }
    if (!(*least <= *most))
        *least = *most = 0;
    double more = *most > *least ? (*most - *least) / 10 : fmax(fabs(*most), 1) / 10;
    *least -= more;
    *most += more;
}

/* share[BINS]: the part of x that lies in each bin. Returns the largest. */
static double count_bins(const real *x, long count, double least, double most, double *share)
{
    double largest = 0;
    memset(share, 0, BINS * sizeof *share);
    for (long i = 0; i < count; i++) {
        double bin = floor(((double)x[i] - least) / (most - least) * BINS);
        share[(int)fmin(fmax(0, bin), BINS - 1)] += 1.0 / (double)count;
    }
    for (int b = 0; b < BINS; b++)
        largest = fmax(largest, share[b]);
    return largest;
}

/* The highest line of a bar. */
static long top_of(double share, double largest)
{
    return MARGIN + HEIGHT - lround(share / largest * (HEIGHT - 1));
}

static void draw(uint8_t *pixel, const double *data, const double *made, double largest)
{
    long before = MARGIN + HEIGHT;
    for (int b = 0; b < BINS; b++) {
        long left = MARGIN + b * BAR, top = top_of(made[b], largest);
        fill(pixel, &blue, left, top_of(data[b], largest), left + BAR, MARGIN + HEIGHT);
        fill(pixel, &orange, left, top - 1, left + BAR, top + 1);
        fill(pixel, &orange, left, (top < before ? top : before) - 1, left + 2,
             (top > before ? top : before) + 1);
        before = top;
    }
    fill(pixel, &black, MARGIN, MARGIN + HEIGHT, MARGIN + BINS * BAR, MARGIN + HEIGHT + 1);
}

/* The range, the shares of both samples in its bins, and the largest of these. */
typedef struct shares {
    double least, most, largest, data[BINS], made[BINS];
} shares;

static shares count_shares(const ls_histogram *h)
{
    shares s;
    const bool from_data = h->data_count > 0;
    find_range(from_data ? h->data : h->made, from_data ? h->data_count : h->made_count, &s.least,
               &s.most);
    s.largest = fmax(count_bins(h->data, h->data_count, s.least, s.most, s.data),
                     count_bins(h->made, h->made_count, s.least, s.most, s.made));
    return s;
}

double ls_histogram_divergence(const ls_histogram *h)
{
    const shares s = count_shares(h);
    return ls_divergence_js(s.data, s.made, BINS);
}

bool ls_histogram_write(const char *path, const ls_histogram *h, ls_error *error)
{
    const shares s = count_shares(h);
    uint8_t *pixel = ls_alloc(3 * ALL_WIDE * ALL_HIGH, 1);
    memset(pixel, 255, 3 * ALL_WIDE * ALL_HIGH);
    draw(pixel, s.data, s.made, s.largest);
    put_number(pixel, s.least, MARGIN, -1);
    put_number(pixel, s.most, -1, MARGIN + BINS * BAR);
    const ls_png png = {.width = ALL_WIDE, .height = ALL_HIGH, .channels = 3, .pixel = pixel};
    bool ok = ls_png_write(path, &png, error);
    ls_free(pixel);
    return ok;
}
