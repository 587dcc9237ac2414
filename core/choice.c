/* choice: a class drawn by the logits of a net. */
#include "core/choice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int falling(const void *left, const void *right)
{
    const real a = *(const real *)left, b = *(const real *)right;
    return (a < b) - (a > b);
}

static long largest(const real *logits, long classes)
{
    long best = 0;
    for (long k = 1; k < classes; k++)
        best = logits[k] > logits[best] ? k : best;
    return best;
}

/* The `top` largest of the logits, as a threshold: those above it all count, and of those that
 * equal it the first *equal. */
static real find_threshold(const ls_choice *s, const real *logits, long classes, long *equal)
{
    memcpy(s->order, logits, (size_t)classes * sizeof *logits);
    qsort(s->order, (size_t)classes, sizeof *s->order, falling);
    const real threshold = s->order[s->top - 1];
    *equal = s->top;
    for (long k = 0; s->order[k] > threshold; k++)
        --*equal;
    return threshold;
}

long ls_choice_draw(const ls_choice *s, const real *logits, long classes, uint64_t draw)
{
    const long best = largest(logits, classes);
    const bool cut = s->top > 0 && s->top < classes;
    long equal = 0, last = best;
    uint32_t bits[2];
    bool usable = !isinf(logits[best]);
    for (long k = 0; k < classes; k++)
        usable = usable && !isnan(logits[k]);
    if (!usable)
        return -1;
    if (s->temperature == 0)
        return best;
    const real threshold = cut ? find_threshold(s, logits, classes, &equal) : 0;
    double sum = 0;
    for (long k = 0; k < classes; k++) {
        const bool taken = !cut || logits[k] > threshold || (logits[k] == threshold && equal-- > 0);
        s->weight[k] = taken ? exp(((double)logits[k] - (double)logits[best]) / s->temperature) : 0;
        sum += s->weight[k];
    }
    ls_random_bits(s->stream, draw, bits, 2);
    double rest = ((double)bits[0] + (double)bits[1] / 4294967296.0) / 4294967296.0 * sum;
    for (long k = 0; k < classes; k++) {
        if (s->weight[k] > 0 && rest < s->weight[k])
            return k;
        last = s->weight[k] > 0 ? k : last;
        rest -= s->weight[k];
    }
    return last;
}
