/* normalize: (x - mean) / deviation, for each channel. */
#include "core/clones.h"
#include "io/transform.h"

typedef struct normalize {
    ls_reals mean, deviation;
    /* For the first `count` numbers of a row, as many whole pixels as fit; then it repeats. 0: a
     * pixel does not fit. */
    int count;
    real means[LS_LIST], deviations[LS_LIST];
} normalize;

static const ls_option options[] = {
    {"mean", LS_OPTION_REALS, offsetof(normalize, mean), NULL, -1e30, 1e30, NULL,
     "taken off: one number, or one for each channel (the last dimension)"},
    {"deviation", LS_OPTION_REALS, offsetof(normalize, deviation), NULL, 1e-12, 1e30, NULL,
     "divided by: as mean="},
    {.key = NULL}};

static bool fill(const ls_reals *list, const char *key, long channels, int count, real *out,
                 ls_error *error)
{
    if (list->count != 1 && list->count != channels)
        return ls_error_set(error, LS_USAGE,
                            "normalize: %s= holds %d numbers; expected 1, or %ld for the channels",
                            key, list->count, channels);
    for (int i = 0; i < count; i++)
        out[i] = (real)list->at[i % list->count];
    return true;
}

static bool setup(ls_transform *t, ls_error *error)
{
    normalize *self = t->self;
    long channels = t->x.at[t->x.rank - 1];
    long pixel = self->mean.count == 1 && self->deviation.count == 1 ? 1 : channels;
    self->count = pixel > LS_LIST ? 0 : (int)(LS_LIST / pixel * pixel);
    return fill(&self->mean, "mean", channels, self->count, self->means, error) &&
           fill(&self->deviation, "deviation", channels, self->count, self->deviations, error);
}

static LS_CLONES void standardize(long n, const real *restrict mean, const real *restrict deviation,
                                  const real *restrict x, real *restrict y)
{
    for (long i = 0; i < n; i++)
        y[i] = (x[i] - mean[i]) / deviation[i];
}

static void apply(const ls_transform *t, const uint32_t *draws, const real *x, real *y,
                  void *scratch)
{
    const normalize *self = t->self;
    long n = ls_shape_count(&t->x);
    for (long i = 0; i < n; i += self->count)
        standardize(n - i < self->count ? n - i : self->count, self->means, self->deviations, x + i,
                    y + i);
}

static LS_CLONES void restore(long n, const real *restrict mean, const real *restrict deviation,
                              real *restrict y)
{
    for (long i = 0; i < n; i++)
        y[i] = y[i] * deviation[i] + mean[i];
}

static void undo(const ls_transform *t, long n, real *y)
{
    const normalize *self = t->self;
    for (long i = 0; i < n; i += self->count)
        restore(n - i < self->count ? n - i : self->count, self->means, self->deviations, y + i);
}

const ls_transform_type ls_transform_normalize = {
    .name = "normalize",
    .help = "(x - mean) / deviation, for each channel",
    .size = sizeof(normalize),
    .options = options,
    .setup = setup,
    .apply = apply,
    .undo = undo,
};
