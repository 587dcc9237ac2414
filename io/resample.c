/* resample: weights, and the two passes over rows and columns. */
#include "io/resample.h"

#include <math.h>
#include <string.h>

#include "core/clones.h"
#include "core/memory.h"
#include "core/minmax.h"

/* Rows are filtered a band at a time, whose pixels lie beside those of the other rows, each in as
 * many bytes: so a product with one weight is one of vectors, however few weights there are. */
enum { BITS = 22, BAND = 8 /* rows */, PIXEL = 4 /* bytes */ };

static uint8_t to_byte(int32_t sum)
{
    int32_t value = sum >> BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Makes the weights of output pixel first + i. */
static void weigh(ls_resample_axis *axis, long i)
{
    double scale = (double)axis->from / (double)axis->to, width = fmax(scale, 1), sum = 0;
    double center = ((double)(axis->first + i) + 0.5) * scale;
    long start = ls_max(0, (long)(center - width + 0.5));
    long end = ls_min(axis->from, (long)(center + width + 0.5));
    int32_t *weight = axis->weight + i * axis->taps;
    for (long j = start; j < end; j++)
        sum += fmax(0, 1 - fabs(((double)j - center + 0.5) / width));
    for (long j = start; j < end; j++) {
        double share = fmax(0, 1 - fabs(((double)j - center + 0.5) / width)) * (1 / sum);
        weight[j - start] = (int32_t)(0.5 + share * (1 << BITS));
    }
    axis->start[i] = start;
    axis->used[i] = end - start;
    axis->begin = ls_min(axis->begin, start);
    axis->end = ls_max(axis->end, end);
}

static void plan_axis(ls_resample_axis *axis, const ls_resample_axis *wanted)
{
    axis->from = wanted->from;
    axis->to = wanted->to;
    axis->first = wanted->first;
    axis->count = wanted->count;
    axis->taps = 2 * (long)ceil(fmax((double)axis->from / (double)axis->to, 1)) + 1;
    axis->begin = axis->from;
    axis->end = 0;
    if (axis->room[0] < axis->count) {
        axis->room[0] = axis->count;
        axis->start = ls_realloc(axis->start, (size_t)axis->count, sizeof *axis->start);
        axis->used = ls_realloc(axis->used, (size_t)axis->count, sizeof *axis->used);
    }
    if (axis->room[1] < axis->count * axis->taps) {
        axis->room[1] = axis->count * axis->taps;
        axis->weight = ls_realloc(axis->weight, (size_t)axis->room[1], sizeof *axis->weight);
    }
    for (long i = 0; i < axis->count; i++)
        weigh(axis, i);
}

void ls_resample_plan(ls_resample *r, int channels, const ls_resample_axis *x,
                      const ls_resample_axis *y)
{
    r->channels = channels;
    plan_axis(&r->x, x);
    plan_axis(&r->y, y);
    const long columns = r->x.end - r->x.begin;
    const long rows = (r->y.end - r->y.begin) * r->x.count * channels;
    r->rows_held = 0;
    r->held = ls_memory_room(r->held, &r->room[0], (size_t)(columns * BAND * channels + PIXEL));
    r->band = ls_memory_room(r->band, &r->room[1], (size_t)(columns * BAND * PIXEL));
    r->rows = ls_memory_room(r->rows, &r->room[2], (size_t)rows);
}

/* Makes the band [n][BAND][PIXEL] of rows [BAND][n][channels], whatever these hold so far. */
static LS_CLONES void lay_band(long n, int channels, const uint8_t *restrict rows,
                               uint8_t *restrict band)
{
    for (long i = 0; i < n; i++)
        for (int k = 0; k < BAND; k++) /* of a pixel one byte or three more than there are */
            memcpy(band + (i * BAND + k) * PIXEL, rows + (k * n + i) * channels, PIXEL);
}

/* Pixel i of the output's rows, all rows of the band side by side. */
static LS_INLINE void filter_pixel(const ls_resample_axis *axis, long i, const uint8_t *band,
                                   uint8_t out[BAND * PIXEL])
{
    const uint8_t *from = band + (axis->start[i] - axis->begin) * BAND * PIXEL;
    const int32_t *weight = axis->weight + i * axis->taps;
    int32_t sum[BAND * PIXEL];
    for (int k = 0; k < BAND * PIXEL; k++)
        sum[k] = 1 << (BITS - 1);
    for (long j = 0; j < axis->used[i]; j++, from += BAND * PIXEL)
        for (int k = 0; k < BAND * PIXEL; k++)
            sum[k] += weight[j] * from[k];
    for (int k = 0; k < BAND * PIXEL; k++)
        out[k] = to_byte(sum[k]);
}

/* Filters the first `rows` rows of the band to out[rows][axis->count][channels]. */
static LS_CLONES void filter_band(const ls_resample_axis *axis, int channels, const uint8_t *band,
                                  long rows, uint8_t *out)
{
    const long width = axis->count * channels;
    uint8_t pixel[BAND * PIXEL];
    for (long i = 0; i < axis->count; i++) {
        filter_pixel(axis, i, band, pixel);
        for (long k = 0; k < rows; k++)
            for (int c = 0; c < channels; c++)
                out[k * width + i * channels + c] = pixel[k * PIXEL + c];
    }
}

void ls_resample_row(ls_resample *r, long y, const uint8_t *pixels)
{
    const long n = r->x.end - r->x.begin, bytes = n * r->channels;
    memcpy(r->held + r->rows_held++ * bytes, pixels, (size_t)bytes);
    if (r->rows_held < BAND && y + 1 < r->y.end)
        return;
    const long first = y + 1 - r->rows_held - r->y.begin;
    lay_band(n, r->channels, r->held, r->band);
    filter_band(&r->x, r->channels, r->band, r->rows_held,
                r->rows + first * r->x.count * r->channels);
    r->rows_held = 0;
}

/* sum[i] += weight * row[i] for a block of columns. */
static LS_CLONES void add_row(long n, int32_t weight, const uint8_t *restrict row,
                              int32_t *restrict sum)
{
    for (long i = 0; i < n; i++)
        sum[i] += weight * row[i];
}

static LS_CLONES void round_row(long n, const int32_t *restrict sum, uint8_t *restrict out)
{
    for (long i = 0; i < n; i++)
        out[i] = to_byte(sum[i]);
}

void ls_resample_finish(const ls_resample *r, uint8_t *out)
{
    enum { BLOCK = 2048 }; /* columns at a time */
    int32_t sum[BLOCK];
    const ls_resample_axis *y = &r->y;
    long width = r->x.count * r->channels;
    for (long i = 0; i < y->count; i++)
        for (long at = 0; at < width; at += BLOCK) {
            long n = ls_min(BLOCK, width - at);
            for (long k = 0; k < n; k++)
                sum[k] = 1 << (BITS - 1);
            for (long j = 0; j < y->used[i]; j++)
                add_row(n, y->weight[i * y->taps + j],
                        r->rows + (y->start[i] + j - y->begin) * width + at, sum);
            round_row(n, sum, out + i * width + at);
        }
}

static void release_axis(ls_resample_axis *axis)
{
    ls_free(axis->start);
    ls_free(axis->used);
    ls_free(axis->weight);
}

void ls_resample_release(ls_resample *r)
{
    release_axis(&r->x);
    release_axis(&r->y);
    ls_free(r->held);
    ls_free(r->band);
    ls_free(r->rows);
}
