/* squares: pieces of slots, measured and added. */
#include "core/squares.h"

#include "core/clones.h"
#include "core/minmax.h"

enum { LANES = LS_SLOT_ALIGN };

/* The end of a slot with its padding. */
static long slot_end(const ls_params *params, int slot)
{
    return slot + 1 < params->count ? params->slots[slot + 1].offset : params->size;
}

/* The index of a piece. From one to the next, block, slot or both go up by one: so does the sum. */
static long piece_of(long block, int slot)
{
    return block + slot;
}

long ls_squares_room(const ls_params *params)
{
    return (params->size + LS_SLICE_ALIGN - 1) / LS_SLICE_ALIGN + params->count;
}

/* n is a multiple of LANES. */
static LS_CLONES double squares(const real *x, long n)
{
    double lane[LANES] = {0};
    for (long i = 0; i < n; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += (double)x[i + k] * (double)x[i + k];
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int k = 0; k < width; k++)
            lane[k] += lane[k + width];
    return lane[0];
}

void ls_squares_measure(const ls_params *params, const real *array, long begin, long end,
                        double *pieces)
{
    int slot = 0;
    while (begin < end && slot_end(params, slot) <= begin)
        slot++;
    while (begin < end) {
        long block = begin / LS_SLICE_ALIGN, last = slot_end(params, slot);
        long stop = ls_min(ls_min((block + 1) * LS_SLICE_ALIGN, last), end);
        pieces[piece_of(block, slot)] = squares(array + begin, stop - begin);
        slot += stop == last;
        begin = stop;
    }
}

static double add_slot(const ls_params *params, int slot, const double *pieces)
{
    double sum = 0;
    long begin = params->slots[slot].offset / LS_SLICE_ALIGN, end = slot_end(params, slot);
    for (long block = begin; block * LS_SLICE_ALIGN < end; block++)
        sum += pieces[piece_of(block, slot)];
    return sum;
}

void ls_squares_add(const ls_params *params, const ls_slots *slots, const double *pieces,
                    double *norm2)
{
    for (int s = 0; s < params->count; s++)
        norm2[s] = ls_slots_contain(slots, s) ? add_slot(params, s, pieces) : 0;
}

double ls_squares_total(const ls_params *params, const double *norm2)
{
    double sum = 0;
    for (int s = 0; s < params->count; s++) /* 0 times an infinity or NaN is NaN */
        sum += params->slots[s].kind == LS_SLOT_STATE ? 0 * norm2[s] : norm2[s];
    return sum;
}
