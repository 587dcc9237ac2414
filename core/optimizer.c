/* optimizer: sgd, momentum, Nesterov, Adam, RMSprop in PyTorch's forms, LARS and LAMB. With
 * g = scale gradient + decay p for a parameter p, each loop is one pass over values, gradients and
 * states. */
#include "core/optimizer.h"

#include <math.h>
#include <string.h>

#include "core/vector_math.h"

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

/* You, Gitman and Ginsburg 2017: v = mu v + rate g; p -= v, the rate with the slot's ratio. */
static LS_CLONES void lars(const ls_optimizer *optimizer, const ls_update *update, long n,
                           real *restrict value, const real *restrict gradient,
                           real *const state[LS_OPTIMIZER_STATES])
{
    const real rate = (real)update->rate, scale = (real)update->scale, decay = (real)update->decay;
    const real mu = (real)optimizer->momentum;
    real *restrict v = state[0];
    for (long i = 0; i < whole(n); i++) {
        v[i] = mu * v[i] + rate * (scale * gradient[i] + decay * value[i]);
        value[i] -= v[i];
    }
}

static double lars_ratio(const ls_optimizer *optimizer, double decay, double value, double gradient)
{
    return optimizer->trust * value / (gradient + decay * value + optimizer->epsilon);
}

/* You et al. 2020, algorithm 2: m^ and v^ as Adam's, of the gradient alone; r = m^ / (sqrt(v^) +
 * epsilon) + decay p; p -= rate r, the rate with the slot's ratio |p| / |r|. */
static LS_CLONES void lamb_direction(const ls_optimizer *optimizer, const ls_update *update, long n,
                                     const real *restrict value, real *restrict gradient,
                                     real *const state[LS_OPTIMIZER_STATES])
{
    const real scale = (real)update->scale, decay = (real)update->decay;
    const real b1 = (real)optimizer->beta1, b2 = (real)optimizer->beta2;
    const real c1 = (real)(1 - optimizer->beta1), c2 = (real)(1 - optimizer->beta2);
    const double t = (double)update->count;
    const real whole_mean = (real)(1 / (1 - pow(optimizer->beta1, t)));
    const real root = (real)(1 / sqrt(1 - pow(optimizer->beta2, t)));
    const real epsilon = (real)optimizer->epsilon;
    real *restrict m = state[0], *restrict v = state[1];
    for (long i = 0; i < whole(n); i++) {
        const real g = scale * gradient[i];
        m[i] = b1 * m[i] + c1 * g;
        v[i] = b2 * v[i] + c2 * g * g;
        gradient[i] = whole_mean * m[i] / (ls_math_sqrt(v[i]) * root + epsilon) + decay * value[i];
    }
}

static double lamb_ratio(const ls_optimizer *optimizer, double decay, double value,
                         double direction)
{
    (void)optimizer, (void)decay;
    return value / direction;
}

/* a = d a + (1 - d) p. */
static LS_CLONES void follow(double d, long n, const real *restrict value, real *restrict average)
{
    const real kept = (real)d, taken = (real)(1 - d);
    for (long i = 0; i < whole(n); i++)
        average[i] = kept * average[i] + taken * value[i];
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
#define ADAPT_ALL                                                                                  \
    {                                                                                              \
        .key = "adapt_all", .kind = LS_OPTION_BOOL, .offset = offsetof(ls_optimizer, adapt_all),   \
        .preset = "0", .help = "1: the ratio also for biases, norm scales and PReLU slopes"        \
    }
/* What every optimizer takes, and the end of its table. */
#define COMMON(rate_start, decay_all_start)                                                        \
    NUMBER(rate, rate_start, 0, 1e6, "learning rate, before the schedule's factor"),               \
        NUMBER(decay, "0", 0, 1e6, "weight decay: decay * parameter is added to the gradient"),    \
        {.key = "decay_all",                                                                       \
         .kind = LS_OPTION_BOOL,                                                                   \
         .offset = offsetof(ls_optimizer, decay_all),                                              \
         .preset = decay_all_start,                                                                \
         .help = "0 spares biases, norm scales and PReLU slopes the decay"},                       \
        NUMBER(clip, "0", 0, 1e30, "largest norm of the whole gradient; 0: no limit"),             \
        NUMBER(ema, "0", 0, 0.9999999,                                                             \
               "share of the moving average of the weights that an update keeps; 0: no average"),  \
    {                                                                                              \
        .key = NULL                                                                                \
    }

static const ls_option sgd_options[] = {COMMON("0.01", "1")};
static const ls_option momentum_options[] = {
    NUMBER(momentum, "0.9", 0, 1, "share of the velocity that is kept"), COMMON("0.01", "1")};
static const ls_option adam_options[] = {
    NUMBER(beta1, "0.9", 0, 0.9999999, "share kept of the mean of gradients"),
    NUMBER(beta2, "0.999", 0, 0.9999999, "share kept of the mean of squares"),
    NUMBER(epsilon, "1e-8", 1e-30, 1, "added to the root"), COMMON("0.001", "1")};
static const ls_option lars_options[] = {
    NUMBER(momentum, "0.9", 0, 1, "share of the velocity that is kept"),
    NUMBER(trust, "0.001", 0, 1e6, "the ratio is trust |p| / (|g| + decay |p| + epsilon)"),
    NUMBER(epsilon, "1e-8", 0, 1, "added to the norms below"), ADAPT_ALL, COMMON("0.1", "0")};
static const ls_option lamb_options[] = {
    NUMBER(beta1, "0.9", 0, 0.9999999, "share kept of the mean of gradients"),
    NUMBER(beta2, "0.999", 0, 0.9999999, "share kept of the mean of squares"),
    NUMBER(epsilon, "1e-6", 1e-30, 1, "added to the root"), ADAPT_ALL, COMMON("0.001", "0")};
static const ls_option rmsprop_options[] = {
    NUMBER(alpha, "0.99", 0, 0.9999999, "share kept of the mean of squares"),
    NUMBER(epsilon, "1e-8", 1e-30, 1, "added to the root"), COMMON("0.01", "1")};

const ls_optimizer_type ls_optimizer_types[] = {
    {.name = "sgd",
     .help = "stochastic gradient descent: p -= rate g",
     .options = sgd_options,
     .update = sgd},
    {.name = "momentum",
     .help = "v = momentum v + g; p -= rate v",
     .options = momentum_options,
     .state_names = {"momentum"},
     .update = momentum},
    {.name = "nesterov",
     .help = "v = momentum v + g; p -= rate (g + momentum v)",
     .options = momentum_options,
     .state_names = {"momentum"},
     .update = momentum},
    {.name = "adam",
     .help = "running means of g and g^2, corrected for their start (Kingma and Ba 2015)",
     .options = adam_options,
     .state_names = {"mean", "square"},
     .update = adam},
    {.name = "rmsprop",
     .help = "g over the root of the running mean of g^2 (Tieleman and Hinton 2012)",
     .options = rmsprop_options,
     .state_names = {"square"},
     .update = rmsprop},
    {.name = "lars",
     .help = "momentum, each weight's rate in ratio to |p| / |g|: large batches (You et al. 2017)",
     .options = lars_options,
     .state_names = {"momentum"},
     .update = lars,
     .ratio = lars_ratio},
    {.name = "lamb",
     .help = "Adam's direction r, each weight's rate times |p| / |r| (You et al. 2020)",
     .options = lamb_options,
     .state_names = {"mean", "square"},
     .update = sgd,
     .direction = lamb_direction,
     .ratio = lamb_ratio},
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

const char *ls_optimizer_state_name(const ls_optimizer *optimizer, int k)
{
    if (k == LS_OPTIMIZER_AVERAGE)
        return optimizer->ema > 0 ? "average" : NULL;
    return optimizer->type->state_names[k];
}

/* What a slot has in reals [begin, end), padding included. */
static ls_interval part_of(const ls_slot *slot, long begin, long end)
{
    long padded = (slot->size + LS_SLOT_ALIGN - 1) / LS_SLOT_ALIGN * LS_SLOT_ALIGN;
    long stop = slot->offset + padded;
    return (ls_interval){slot->offset > begin ? slot->offset : begin, stop < end ? stop : end};
}

static void shift(real *const state[LS_OPTIMIZER_STATES], long by,
                  real *shifted[LS_OPTIMIZER_STATES])
{
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        shifted[k] = state[k] ? state[k] + by : NULL;
}

static double decay_of(const ls_optimizer *optimizer, const ls_update *update, const ls_slot *slot)
{
    return slot->kind == LS_SLOT_BIAS && !optimizer->decay_all ? 0 : update->decay;
}

/* 1 where there is none: of types without, spared slots, norms of 0. */
static double ratio_of(const ls_optimizer *optimizer, const ls_update *update,
                       const ls_params *params, long slot)
{
    const ls_optimizer_type *type = optimizer->type;
    const ls_slot *at = &params->slots[slot];
    if (!type->ratio || (at->kind == LS_SLOT_BIAS && !optimizer->adapt_all))
        return 1;
    double scale = type->direction ? 1 : update->scale;
    double value = sqrt(update->value2[slot]), gradient = scale * sqrt(update->gradient2[slot]);
    return value > 0 && gradient > 0
               ? type->ratio(optimizer, decay_of(optimizer, update, at), value, gradient)
               : 1;
}

static void update_part(const ls_optimizer *optimizer, const ls_update *update,
                        const ls_params *params, long slot, ls_interval part, const real *gradient,
                        real *const state[LS_OPTIMIZER_STATES])
{
    long n = part.end - part.begin;
    const ls_slot *at = &params->slots[slot];
    if (at->kind == LS_SLOT_STATE) {
        add_statistics(update, n, params->values + part.begin, gradient + part.begin);
        return;
    }
    ls_update own = *update;
    own.rate *= ratio_of(optimizer, update, params, slot);
    own.scale = optimizer->type->direction ? 1 : update->scale;
    own.decay = optimizer->type->direction ? 0 : decay_of(optimizer, update, at);
    real *own_state[LS_OPTIMIZER_STATES];
    shift(state, part.begin, own_state);
    optimizer->type->update(optimizer, &own, n, params->values + part.begin, gradient + part.begin,
                            own_state);
}

static void check_cut(long begin, long end)
{
    ls_check(begin % LS_SLOT_ALIGN == 0 && end % LS_SLOT_ALIGN == 0,
             "the update of reals [%ld, %ld) does not cut at multiples of %d", begin, end,
             LS_SLOT_ALIGN);
}

void ls_optimizer_update(const ls_optimizer *optimizer, const ls_update *update,
                         const ls_params *params, const ls_slots *slots, long begin, long end,
                         const real *gradient, real *const state[LS_OPTIMIZER_STATES])
{
    real *average = state[LS_OPTIMIZER_AVERAGE];
    double t = (double)update->count, d = fmin(optimizer->ema, (t - 1) / (t + 9));
    check_cut(begin, end);
    for (int k = 0; k < slots->count; k++)
        for (long s = slots->at[k].begin; s < slots->at[k].end; s++) {
            ls_interval part = part_of(&params->slots[s], begin, end);
            if (part.begin >= part.end)
                continue;
            update_part(optimizer, update, params, s, part, gradient, state);
            if (average)
                follow(d, part.end - part.begin, params->values + part.begin, average + part.begin);
        }
}

bool ls_optimizer_direct(const ls_optimizer *optimizer, const ls_update *update,
                         const ls_params *params, const ls_slots *slots, long begin, long end,
                         real *gradient, real *const state[LS_OPTIMIZER_STATES])
{
    if (!optimizer->type->direction)
        return false;
    check_cut(begin, end);
    for (int k = 0; k < slots->count; k++)
        for (long s = slots->at[k].begin; s < slots->at[k].end; s++) {
            const ls_slot *slot = &params->slots[s];
            ls_interval part = part_of(slot, begin, end);
            if (part.begin >= part.end || slot->kind == LS_SLOT_STATE)
                continue;
            ls_update own = *update;
            own.decay = decay_of(optimizer, update, slot);
            real *own_state[LS_OPTIMIZER_STATES];
            shift(state, part.begin, own_state);
            optimizer->type->direction(optimizer, &own, part.end - part.begin,
                                       params->values + part.begin, gradient + part.begin,
                                       own_state);
        }
    return true;
}

double ls_optimizer_clip(const ls_optimizer *optimizer, double norm2)
{
    double norm = sqrt(norm2);
    return optimizer->clip > 0 && norm > optimizer->clip ? optimizer->clip / norm : 1;
}
