/* optimizer: sgd, momentum, Nesterov, Adam, AdamW, RMSprop in PyTorch's forms, LARS and LAMB. With
 * g = scale gradient + decay p for a parameter p, each loop is one pass over values, gradients and
 * states. */
#include "core/optimizer.h"

#include <math.h>

#include "core/minmax.h"
#include "core/squares.h"
#include "core/vector_math.h"

/* n is a multiple of LS_SLOT_ALIGN; said so, the compiler leaves out the code for a remainder. */
static LS_INLINE long whole(long n)
{
    return n & ~(long)(LS_SLOT_ALIGN - 1);
}

/* p -= rate g; for one linear layer and squared error the delta rule of Widrow and Hoff 1960. */
static LS_CLONES void sgd(const ls_update *update, long n, real *restrict value,
                          const real *restrict gradient, real *const *state)
{
    const real rate = (real)update->rate, scale = (real)update->scale, decay = (real)update->decay;
    for (long i = 0; i < whole(n); i++)
        value[i] -= rate * (scale * gradient[i] + decay * value[i]);
}

/* v = mu v + g; p -= rate v. Nesterov (Sutskever et al. 2013): p -= rate (g + mu v). With a = 1,
 * b = 0 and a = mu, b = 1 that is p -= rate (a v + b g). */
static LS_CLONES void momentum(const ls_update *update, long n, real *restrict value,
                               const real *restrict gradient, real *const *state)
{
    const ls_optimizer *optimizer = update->optimizer;
    const real rate = (real)update->rate, scale = (real)update->scale, decay = (real)update->decay;
    const real mu =
        (real)(update->epoch < optimizer->epochs ? optimizer->start : optimizer->momentum);
    const real a = optimizer->type->nesterov ? mu : 1, b = optimizer->type->nesterov ? 1 : 0;
    real *restrict v = state[0];
    for (long i = 0; i < whole(n); i++) {
        const real g = scale * gradient[i] + decay * value[i];
        v[i] = mu * v[i] + g;
        value[i] -= rate * (a * v[i] + b * g);
    }
}

/* Kingma and Ba 2015: m, v are running means of g and g^2; m^ = m / (1 - b1^t), v^ likewise;
 * p -= rate m^ / (sqrt(v^) + epsilon). AdamW (Loshchilov and Hutter 2019, algorithm 2, with
 * rate decay for its lambda, as PyTorch has it): g is without the decay, and p -= rate decay p
 * comes first. */
static LS_CLONES void adam(const ls_update *update, long n, real *restrict value,
                           const real *restrict gradient, real *const *state)
{
    const ls_optimizer *optimizer = update->optimizer;
    const bool decoupled = optimizer->type->decoupled;
    const real scale = (real)update->scale, decay = (real)(decoupled ? 0 : update->decay);
    const real kept = (real)(decoupled ? 1 - update->rate * update->decay : 1);
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
        value[i] = kept * value[i] - rate * m[i] / (ls_math_sqrt(v[i]) * root + epsilon);
    }
}

/* Tieleman and Hinton 2012: s is a running mean of g^2; p -= rate g / (sqrt(s) + epsilon). */
static LS_CLONES void rmsprop(const ls_update *update, long n, real *restrict value,
                              const real *restrict gradient, real *const *state)
{
    const ls_optimizer *optimizer = update->optimizer;
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

/* You, Gitman and Ginsburg 2017: v = mu v + rate g; p -= v; the rate includes the slot's ratio. */
static LS_CLONES void lars(const ls_update *update, long n, real *restrict value,
                           const real *restrict gradient, real *const *state)
{
    const real rate = (real)update->rate, scale = (real)update->scale, decay = (real)update->decay;
    const real mu = (real)update->optimizer->momentum;
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
 * epsilon) + decay p; p -= rate r, where the rate includes the slot's ratio |p| / |r|. */
static LS_CLONES void lamb_direction(const ls_update *update, long n, const real *restrict value,
                                     real *restrict gradient, real *const *state)
{
    const ls_optimizer *optimizer = update->optimizer;
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
    return value / direction;
}

/* a = d a + (1 - d) p. */
static LS_CLONES void follow(double d, long n, const real *restrict value, real *restrict average)
{
    const real kept = (real)d, taken = (real)(1 - d);
    for (long i = 0; i < whole(n); i++)
        average[i] = kept * average[i] + taken * value[i];
}

/* The rule of LS_SLOT_STATE. */
static LS_CLONES void add_statistics(long n, real *restrict value, const real *restrict gradient)
{
    for (long i = 0; i < whole(n); i++)
        value[i] += gradient[i];
}

/* clang-format off */
#define NUMBER(field, start, least, most, text)                                                    \
    {#field, LS_OPTION_REAL, offsetof(ls_optimizer, field), start, least, most, NULL, text}
#define ADAPT_ALL                                                                                  \
    {"adapt_all", LS_OPTION_BOOL, offsetof(ls_optimizer, adapt_all), "0", 0, 1, NULL,              \
     "1: the ratio also for biases, norm scales and PReLU slopes"}
/* What Adam and those that come from it take. */
#define ADAM_KIN(epsilon_start)                                                                    \
    NUMBER(beta1, "0.9", 0, 0.9999999, "share kept of the mean of gradients"),                     \
    NUMBER(beta2, "0.999", 0, 0.9999999, "share kept of the mean of squares"),                     \
    NUMBER(epsilon, epsilon_start, 1e-30, 1, "added to the root")
/* What every optimizer takes, and the end of its table. */
#define COMMON(rate_start, decay_start, decay_all_start)                                           \
    NUMBER(rate, rate_start, 0, 1e6, "learning rate, before the schedule's factor"),               \
    NUMBER(decay, decay_start, 0, 1e6,                                                             \
           "weight decay: decay * parameter is added to the gradient (adamw, lamb: to the step)"), \
    {"decay_all", LS_OPTION_BOOL, offsetof(ls_optimizer, decay_all), decay_all_start, 0, 1, NULL,  \
     "0 spares biases, norm scales and PReLU slopes the decay"},                                   \
    NUMBER(clip, "0", 0, 1e30, "largest norm of the whole gradient; 0: no limit"),                 \
    NUMBER(bound, "0", 0, 1e30,                                                                    \
           "largest size of a weight or bias, to which an update cuts it; 0: no limit"),           \
    NUMBER(ema, "0", 0, 0.9999999,                                                                 \
           "share of the moving average of the weights that an update keeps; 0: no average"),      \
    {0}
/* clang-format on */

static const ls_option sgd_options[] = {COMMON("0.01", "0", "1")};
/* Less momentum at first: Hinton 2010, section 9. */
static const ls_option momentum_options[] = {
    NUMBER(momentum, "0.9", 0, 1, "share of the velocity that is kept"),
    NUMBER(start, "0.5", 0, 1, "in its place, before the switch"),
    {"switch", LS_OPTION_INT, offsetof(ls_optimizer, epochs), "0", 0, 1e9, NULL,
     "epochs at the beginning of a stage in which start= is the momentum"},
    COMMON("0.01", "0", "1")};
static const ls_option adam_options[] = {ADAM_KIN("1e-8"), COMMON("0.001", "0", "1")};
static const ls_option adamw_options[] = {ADAM_KIN("1e-8"), COMMON("0.001", "0.01", "1")};
static const ls_option lars_options[] = {
    NUMBER(momentum, "0.9", 0, 1, "share of the velocity that is kept"),
    NUMBER(trust, "0.001", 0, 1e6, "the ratio is trust |p| / (|g| + decay |p| + epsilon)"),
    NUMBER(epsilon, "1e-8", 0, 1, "added to the norms below"), ADAPT_ALL, COMMON("0.1", "0", "0")};
static const ls_option lamb_options[] = {ADAM_KIN("1e-6"), ADAPT_ALL, COMMON("0.001", "0", "0")};
static const ls_option rmsprop_options[] = {
    NUMBER(alpha, "0.99", 0, 0.9999999, "share kept of the mean of squares"),
    NUMBER(epsilon, "1e-8", 1e-30, 1, "added to the root"), COMMON("0.01", "0", "1")};

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
     .nesterov = true,
     .update = momentum},
    {.name = "adam",
     .help = "running means of g and g^2, corrected for their start (Kingma and Ba 2015)",
     .options = adam_options,
     .state_names = {"mean", "square"},
     .update = adam},
    {.name = "adamw",
     .help =
         "adam whose decay is no part of the gradient: p -= rate decay p (Loshchilov and Hutter "
         "2019)",
     .options = adamw_options,
     .state_names = {"mean", "square"},
     .decoupled = true,
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

bool ls_optimizer_parse(const char *text, ls_optimizer *optimizer, ls_error *error)
{
    ls_spec spec;
    *optimizer = (ls_optimizer){0};
    if (!ls_spec_parse_plain(text, &spec, error))
        return false;
    optimizer->type = ls_spec_find_entry(ls_optimizer_types, sizeof *ls_optimizer_types, spec.type,
                                         "optimizer", "optimizers", error);
    return optimizer->type && ls_spec_read(&spec, optimizer->type->options, NULL, optimizer, error);
}

const char *ls_optimizer_state_name(const ls_optimizer *optimizer, int k)
{
    if (k == LS_OPTIMIZER_AVERAGE)
        return optimizer->ema > 0 ? "average" : NULL;
    return optimizer->type->state_names[k];
}

static bool is_bias(const ls_slot *slot)
{
    return slot->kind == LS_SLOT_BIAS || slot->kind == LS_SLOT_ASIDE;
}

static double decay_of(const ls_update *update, const ls_slot *slot)
{
    return is_bias(slot) && !update->optimizer->decay_all ? 0 : update->decay;
}

/* The factor on the rate of slot s; 1 without a ratio, for spared biases, and if a norm is 0. */
static double ratio_of(const ls_update *update, long s)
{
    const ls_optimizer *optimizer = update->optimizer;
    const ls_optimizer_type *type = optimizer->type;
    const ls_slot *slot = &update->params->slots[s];
    if (!type->ratio || (is_bias(slot) && !optimizer->adapt_all))
        return 1;
    double scale = type->direction ? 1 : update->scale;
    double value = sqrt(update->value2[s]), gradient = scale * sqrt(update->gradient2[s]);
    bool usable = value > 0 && gradient > 0;
    return usable ? type->ratio(optimizer, decay_of(update, slot), value, gradient) : 1;
}

/* Weight clipping (Arjovsky, Chintala and Bottou 2017, algorithm 1). NaN stays. */
static LS_CLONES void cut(double bound, long n, real *restrict value)
{
    const real most = (real)bound;
    for (long i = 0; i < whole(n); i++) {
        const real above = value[i] > most ? most : value[i];
        value[i] = above < -most ? -most : above;
    }
}

/* What a run of the update holds of a slot: n > 0 reals of each array. */
typedef struct piece {
    long n;
    real *value, *gradient, *state[LS_OPTIMIZER_STATES];
} piece;

static void update_piece(const ls_update *update, long s, const piece *p)
{
    const ls_optimizer *optimizer = update->optimizer;
    const ls_slot *slot = &update->params->slots[s];
    ls_update numbers = *update;
    numbers.rate *= ratio_of(update, s);
    numbers.scale = optimizer->type->direction ? 1 : update->scale;
    numbers.decay = optimizer->type->direction ? 0 : decay_of(update, slot);
    if (slot->kind == LS_SLOT_STATE)
        add_statistics(p->n, p->value, p->gradient);
    else
        optimizer->type->update(&numbers, p->n, p->value, p->gradient, p->state);
    if (optimizer->bound > 0 && slot->kind != LS_SLOT_STATE)
        cut(optimizer->bound, p->n, p->value);
    double t = (double)update->count, kept = fmin(optimizer->ema, (t - 1) / (t + 9));
    if (p->state[LS_OPTIMIZER_AVERAGE])
        follow(kept, p->n, p->value, p->state[LS_OPTIMIZER_AVERAGE]);
}

static void direct_piece(const ls_update *update, long s, const piece *p)
{
    const ls_slot *slot = &update->params->slots[s];
    ls_update numbers = *update;
    numbers.decay = decay_of(update, slot);
    if (slot->kind != LS_SLOT_STATE)
        update->optimizer->type->direction(&numbers, p->n, p->value, p->gradient, p->state);
}

typedef void visit(const ls_update *update, long s, const piece *p);

static void visit_reals(const ls_update *update, long s, ls_interval reals, visit *visit)
{
    ls_check(reals.begin % LS_SLOT_ALIGN == 0 && reals.end % LS_SLOT_ALIGN == 0,
             "the update of reals [%ld, %ld) does not cut at multiples of %d", reals.begin,
             reals.end, LS_SLOT_ALIGN);
    piece p = {.n = reals.end - reals.begin,
               .value = update->params->values + reals.begin,
               .gradient = update->gradient + reals.begin};
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        p.state[k] = update->state[k] ? update->state[k] + reals.begin : NULL;
    if (p.n > 0)
        visit(update, s, &p);
}

static void each_piece(const ls_update *update, visit *visit)
{
    const ls_runs runs = update->runs;
    long next = 0; /* the first run that does not end before slot s */
    for (int i = 0; i < update->slots->count; i++)
        for (long s = update->slots->at[i].begin; s < update->slots->at[i].end; s++) {
            const ls_interval all = ls_slots_reals(update->params, &(ls_interval){s, s + 1});
            while (next < runs.count && runs.at[next].end <= all.begin)
                next++;
            for (long r = next; r < runs.count && runs.at[r].begin < all.end; r++)
                visit_reals(update, s,
                            (ls_interval){ls_max(runs.at[r].begin, all.begin),
                                          ls_min(runs.at[r].end, all.end)},
                            visit);
        }
}

bool ls_optimizer_direct(const ls_update *update)
{
    if (update->optimizer->type->direction)
        each_piece(update, direct_piece);
    return update->optimizer->type->direction != NULL;
}

void ls_optimizer_update(const ls_update *update)
{
    each_piece(update, update_piece);
}

double ls_optimizer_clip(const ls_optimizer *optimizer, double norm2)
{
    double norm = sqrt(norm2);
    return optimizer->clip > 0 && norm > optimizer->clip ? optimizer->clip / norm : 1;
}

void ls_optimizer_step(const ls_update *update, double weight)
{
    const ls_optimizer *optimizer = update->optimizer;
    double norm2 = ls_squares_total(update->params, update->gradient2) / (weight * weight);
    ls_update numbers = *update;
    numbers.scale = ls_optimizer_clip(optimizer, norm2) / weight;
    numbers.decay = optimizer->decay;
    if (ls_optimizer_direct(&numbers))
        update->measure(update->context, update->gradient, update->slots, update->gradient2);
    if (optimizer->type->ratio)
        update->measure(update->context, update->params->values, update->slots, update->value2);
    ls_optimizer_update(&numbers);
}
