/* resample: weights, and the two passes over rows and columns. */
#include "io/resample.h"

#include <math.h>
#include <string.h>

#include "core/clones.h"
#include "core/memory.h"
#include "core/minmax.h"

enum { BITS = 22 };

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

/* Room for at least so many bytes; what was there is lost. */
static uint8_t *room_for(uint8_t *bytes, long *room, long needed)
{
    if (*room >= needed)
        return bytes;
    ls_free(bytes);
    *room = needed + needed / 4;
    return ls_alloc((size_t)*room, 1);
}

void ls_resample_plan(ls_resample *r, int channels, const ls_resample_axis *x,
                      const ls_resample_axis *y)
{
    r->channels = channels;
    plan_axis(&r->x, x);
    plan_axis(&r->y, y);
    r->plane = room_for(r->plane, &r->room[0], channels * (r->x.end - r->x.begin));
    r->rows = room_for(r->rows, &r->room[1], (r->y.end - r->y.begin) * r->x.count * channels);
}

static LS_CLONES void split(long n, const uint8_t *restrict pixels, uint8_t *restrict a,
                            uint8_t *restrict b, uint8_t *restrict c)
{
    for (long i = 0; i < n; i++) {
        a[i] = pixels[3 * i];
        b[i] = pixels[3 * i + 1];
        c[i] = pixels[3 * i + 2];
    }
}

/* One row of one channel: out[i * stride] for all i. */
static LS_CLONES void filter_row(const ls_resample_axis *axis, const uint8_t *restrict plane,
                                 long stride, uint8_t *restrict out)
{
    for (long i = 0; i < axis->count; i++) {
        const uint8_t *restrict from = plane + axis->start[i] - axis->begin;
        const int32_t *restrict weight = axis->weight + i * axis->taps;
        int32_t sum = 1 << (BITS - 1);
        for (long j = 0; j < axis->used[i]; j++)
            sum += weight[j] * from[j];
        out[i * stride] = to_byte(sum);
    }
}

void ls_resample_row(ls_resample *r, long y, const uint8_t *pixels)
{
    long n = r->x.end - r->x.begin;
    uint8_t *out = r->rows + (y - r->y.begin) * r->x.count * r->channels;
    if (r->channels == 1) {
        filter_row(&r->x, pixels, 1, out);
        return;
    }
    split(n, pixels, r->plane, r->plane + n, r->plane + 2 * n);
    for (int c = 0; c < 3; c++)
        filter_row(&r->x, r->plane + c * n, 3, out + c);
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
    ls_free(r->plane);
    ls_free(r->rows);
}
