/* optimizer: sgd, momentum, Nesterov, Adam, RMSprop in PyTorch's forms: with g = scale * gradient +
 * decay * p for a parameter p, each loop is one pass over values, gradients and states. */
#include "core/optimizer.h"

#include <math.h>
#include <string.h>

#include "core/kernels/vector_math.h"

/* Tells the compiler that n is whole groups: no tail code. */
LS_INLINE long whole(long n)
{
    return n & ~(long)(LS_SLOT_ALIGN - 1);
}

/* p -= rate g: the delta rule, the seed's eq. 6. */
static LS_CLONES void sgd(const ls_optimizer *optimizer, const ls_update *update, long n,
                          real *restrict value, const real *restrict gradient,
                          real *const state[LS_OPTIMIZER_STATES])
{
    (void)optimizer, (void)state;
    const real rate = (real)update->rate, scale = (real)update->scale, decay = (real)update->decay;
    for (long i = 0; i < whole(n); i++)
        value[i] -= rate * (scale * gradient[i] + decay * value[i]);
}

/* v = mu v + g; p -= rate v. Nesterov (Sutskever et al. 2013): p -= rate (g + mu v). With a = 1,
 * b = 0 and a = mu, b = 1 that is p -= rate (a v + b g). */
static LS_CLONES void momentum(const ls_optimizer *optimizer, const ls_update *update, long n,
                               real *restrict value, const real *restrict gradient,
                               real *const state[LS_OPTIMIZER_STATES])
{
    const real rate = (real)update->rate, scale = (real)update->scale, decay = (real)update->decay;
    const real mu = (real)optimizer->momentum;
    const real a = optimizer->nesterov ? mu : 1, b = optimizer->nesterov ? 1 : 0;
    real *restrict v = state[0];
    for (long i = 0; i < whole(n); i++) {
        const real g = scale * gradient[i] + decay * value[i];
        v[i] = mu * v[i] + g;
        value[i] -= rate * (a * v[i] + b * g);
    }
}

/* Kingma and Ba 2015: m, v are running means of g and g^2; m^ = m / (1 - b1^t), v^ likewise;
 * p -= rate m^ / (sqrt(v^) + epsilon). */
static LS_CLONES void adam(const ls_optimizer *optimizer, const ls_update *update, long n,
                           real *restrict value, const real *restrict gradient,
                           real *const state[LS_OPTIMIZER_STATES])
{
    const real scale = (real)update->scale, decay = (real)update->decay;
    const real b1 = (real)optimizer->beta1, b2 = (real)optimizer->beta2;
    const real c1 = (real)(1 - optimizer->beta1), c2 = (real)(1 - optimizer->beta2);
    const double t = (double)update->count;
    const real rate = (real)(update->rate / (1 - pow(optimizer->beta1, t)));
    const real root = (real)(1 / sqrt(1 - pow(optimizer->beta2, t)));
    const real epsilon = (real)optimizer->epsilon;
    real *restrict m = state[0], *restrict v = state[1];
    for (long i = 0; i < whole(n); i++) {
        const real g = scale * gradient[i] + decay * value[i];
        m[i] = b1 * m[i] + c1 * g;
        v[i] = b2 * v[i] + c2 * g * g;
        value[i] -= rate * m[i] / (ls_math_sqrt(v[i]) * root + epsilon);
    }
}

/* Tieleman and Hinton 2012: s is a running mean of g^2; p -= rate g / (sqrt(s) + epsilon). */
static LS_CLONES void rmsprop(const ls_optimizer *optimizer, const ls_update *update, long n,
                              real *restrict value, const real *restrict gradient,
                              real *const state[LS_OPTIMIZER_STATES])
{
    const real rate = (real)update->rate, scale = (real)update->scale, decay = (real)update->decay;
    const real alpha = (real)optimizer->alpha, rest = (real)(1 - optimizer->alpha);
    const real epsilon = (real)optimizer->epsilon;
    real *restrict s = state[0];
    for (long i = 0; i < whole(n); i++) {
        const real g = scale * gradient[i] + decay * value[i];
        s[i] = alpha * s[i] + rest * g * g;
        value[i] -= rate * g / (ls_math_sqrt(s[i]) + epsilon);
    }
}

/* Statistics: value += mean * gradient. */
static LS_CLONES void add_statistics(const ls_update *update, long n, real *restrict value,
                                     const real *restrict gradient)
{
    const real mean = (real)update->mean;
    for (long i = 0; i < whole(n); i++)
        value[i] += mean * gradient[i];
}

#define NUMBER(field, start, least, most, text)                                                    \
    {                                                                                              \
        .key = #field, .kind = LS_OPTION_REAL, .offset = offsetof(ls_optimizer, field),            \
        .preset = start, .low = least, .high = most, .help = text                                  \
    }
/* What every optimizer takes, and the end of its table. */
#define COMMON(rate_start)                                                                         \
    NUMBER(rate, rate_start, 0, 1e6, "learning rate, before the schedule's factor"),               \
        NUMBER(decay, "0", 0, 1e6, "weight decay: decay * parameter is added to the gradient"),    \
        {.key = "decay_all",                                                                       \
         .kind = LS_OPTION_BOOL,                                                                   \
         .offset = offsetof(ls_optimizer, decay_all),                                              \
         .preset = "1",                                                                            \
         .help = "0 spares biases, norm scales and PReLU slopes the decay"},                       \
        NUMBER(clip, "0", 0, 1e30, "largest norm of the whole gradient; 0: no limit"),             \
    {                                                                                              \
        .key = NULL                                                                                \
    }

static const ls_option sgd_options[] = {COMMON("0.01")};
static const ls_option momentum_options[] = {
    NUMBER(momentum, "0.9", 0, 1, "share of the velocity that is kept"), COMMON("0.01")};
static const ls_option adam_options[] = {
    NUMBER(beta1, "0.9", 0, 0.9999999, "share kept of the mean of gradients"),
    NUMBER(beta2, "0.999", 0, 0.9999999, "share kept of the mean of squares"),
    NUMBER(epsilon, "1e-8", 1e-30, 1, "added to the root"), COMMON("0.001")};
static const ls_option rmsprop_options[] = {
    NUMBER(alpha, "0.99", 0, 0.9999999, "share kept of the mean of squares"),
    NUMBER(epsilon, "1e-8", 1e-30, 1, "added to the root"), COMMON("0.01")};

const ls_optimizer_type ls_optimizer_types[] = {
    {"sgd", "stochastic gradient descent: p -= rate g", sgd_options, 0, {NULL}, sgd},
    {"momentum", "v = momentum v + g; p -= rate v", momentum_options, 1, {"momentum"}, momentum},
    {"nesterov",
     "v = momentum v + g; p -= rate (g + momentum v)",
     momentum_options,
     1,
     {"momentum"},
     momentum},
    {"adam",
     "running means of g and g^2, corrected for their start (Kingma and Ba 2015)",
     adam_options,
     2,
     {"mean", "square"},
     adam},
    {"rmsprop",
     "g over the root of the running mean of g^2 (Tieleman and Hinton 2012)",
     rmsprop_options,
     1,
     {"square"},
     rmsprop},
    {.name = NULL}};

static const ls_optimizer_type *find(const char *name, ls_error *error)
{
    int count = 0;
    for (; ls_optimizer_types[count].name; count++)
        if (strcmp(ls_optimizer_types[count].name, name) == 0)
            return &ls_optimizer_types[count];
    const char *nearest = ls_nearest(name, ls_optimizer_types, count, sizeof *ls_optimizer_types);
    ls_error_set(error, LS_USAGE,
                 "there is no optimizer '%s'%s%s%s (`lockstep list optimizers` has all)", name,
                 nearest ? ": did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
    return NULL;
}

bool ls_optimizer_parse(const char *text, ls_optimizer *optimizer, ls_error *error)
{
    ls_spec spec;
    *optimizer = (ls_optimizer){0};
    if (!ls_spec_parse(text, &spec, error))
        return ls_error_prefix(error, "'%s'", text);
    if (spec.name[0] || spec.inputs)
        return ls_error_set(error, LS_USAGE,
                            "'%s': expected TYPE key=value ..., without NAME: or @", text);
    optimizer->type = find(spec.type, error);
    if (!optimizer->type)
        return false;
    if (!ls_spec_read(&spec, optimizer->type->options, NULL, optimizer, error))
        return false;
    optimizer->nesterov = strcmp(optimizer->type->name, "nesterov") == 0;
    return true;
}

/* The part of one slot that lies in reals [begin, end). */
static void update_slot(const ls_optimizer *optimizer, const ls_update *update, const ls_slot *slot,
                        real *values, long begin, long end, const real *gradient,
                        real *const state[LS_OPTIMIZER_STATES])
{
    long padded = (slot->size + LS_SLOT_ALIGN - 1) / LS_SLOT_ALIGN * LS_SLOT_ALIGN;
    long first = slot->offset > begin ? slot->offset : begin;
    long stop = slot->offset + padded < end ? slot->offset + padded : end;
    if (first >= stop)
        return;
    if (slot->kind == LS_SLOT_STATE) {
        add_statistics(update, stop - first, values + first, gradient + first);
        return;
    }
    ls_update own = *update;
    if (slot->kind == LS_SLOT_BIAS && !optimizer->decay_all)
        own.decay = 0;
    real *const own_state[LS_OPTIMIZER_STATES] = {
        optimizer->type->states > 0 ? state[0] + first : NULL,
        optimizer->type->states > 1 ? state[1] + first : NULL};
    optimizer->type->update(optimizer, &own, stop - first, values + first, gradient + first,
                            own_state);
}

void ls_optimizer_update(const ls_optimizer *optimizer, const ls_update *update,
                         const ls_params *params, const ls_slots *slots, long begin, long end,
                         const real *gradient, real *const state[LS_OPTIMIZER_STATES])
{
    ls_check(begin % LS_SLOT_ALIGN == 0 && end % LS_SLOT_ALIGN == 0,
             "the update of reals [%ld, %ld) does not cut at multiples of %d", begin, end,
             LS_SLOT_ALIGN);
    for (int k = 0; k < slots->count; k++)
        for (long s = slots->at[k].begin; s < slots->at[k].end; s++)
            update_slot(optimizer, update, &params->slots[s], params->values, begin, end, gradient,
                        state);
}

double ls_optimizer_clip(const ls_optimizer *optimizer, double norm2)
{
    double norm = sqrt(norm2);
    return optimizer->clip > 0 && norm > optimizer->clip ? optimizer->clip / norm : 1;
}
