/* spectral: spectral normalisation of a weight (Miyato et al. 2018, algorithm 1), by one step of
 * the power iteration for each step of training:
 *
 *   v = W^T u / |W^T u|,   u' = W v / |W v|,   sigma = u'^T W v,   y = x (W / sigma)^T + b
 *
 * The vector u is a state slot. `prepare` makes u', v, sigma and W / sigma from it, and leaves u as
 * it is, since it may be called any number of times between two steps; the step adds u' - u. So the
 * forward pass of a step uses the same sigma as PyTorch's spectral_norm does in its one forward
 * pass of a step in training. An evaluation, or another phase's pass, between two steps takes one
 * iteration with the new W that is not kept, where PyTorch's evaluation keeps u and v of the last
 * training pass: here sigma is nearer to the largest singular value.
 *
 * The gradient takes u' and v as constants. So it agrees with differences at rest, when u' = u, or
 * if `prepare` leaves both as they are for these (constants_stay). With G = dL / d(W / sigma):
 *
 *   dL / dW = (G - <G, W / sigma> u' v^T) / sigma
 *   <G, W / sigma> = sum over rows and outputs of dy (y - b)
 *
 * The second line holds since y - b is linear in W / sigma. So each thread knows the inner product
 * without all of G, which threads share by parts. All of it is linear in dy: shards add.
 *
 * dL / dW is added to what the slot's gradient D holds of other applications, by the kernels that
 * know nothing of sigma: D sigma; then they add G; then (D - <> u' v^T) / sigma.
 *
 * W / sigma has the weight's layout, [wide][deep][32] with 0 in the padding: of panels (wide), deep
 * = taps and inputs, and 32 outputs; or, turned, of panels and taps (wide), deep = inputs. So one
 * of the vectors u', v lies in `lanes` [wide][32], and the other one in `line` [deep], in the order
 * of the layout, and all products run over the weight as it is stored. */
#include "core/layers/spectral.h"

#include <math.h>
#include <string.h>

#include "core/clones.h"
#include "core/kernels/panel.h"
#include "core/layers/weights.h"
#include "core/minmax.h"

static const ls_spectral *spectral_of(const ls_layer *layer)
{
    const ls_weights *weights = layer->self;
    return &weights->spectral;
}

static const ls_slot *slot_of(const ls_layer *layer, int k)
{
    return &layer->params->slots[layer->slot[k]];
}

static long aligned(long reals)
{
    return (reals + LS_SLOT_ALIGN - 1) / LS_SLOT_ALIGN * LS_SLOT_ALIGN;
}

/* What prepare makes. */
typedef struct memory {
    real *weight; /* W / sigma */
    real *lanes;  /* [wide][LS_PANEL] */
    real *line;   /* [deep] */
    real *sigma;
} memory;

static memory memory_of(const ls_layer *layer)
{
    const ls_spectral *self = spectral_of(layer);
    memory m = {.weight = layer->params->prepared + layer->prepared + self->prepared};
    m.lanes = m.weight + self->wide * self->deep * LS_PANEL;
    m.line = m.lanes + self->wide * LS_PANEL;
    m.sigma = m.line + aligned(self->deep);
    return m;
}

bool ls_spectral_claim(ls_layer *layer, int rows, ls_error *error)
{
    ls_weights *weights = layer->self;
    ls_spectral *self = &weights->spectral;
    if (!self->on || layer->share.refused)
        return true;
    if (weights->init == LS_INIT_ZERO)
        return ls_error_set(error, LS_USAGE,
                            "spectral=1 divides the weight by its largest singular value, which "
                            "init=zero makes 0: take another init=");
    const ls_slot *weight = slot_of(layer, 0);
    const ls_shape u = {1, {weight->shape.at[rows]}};
    self->turned = rows == 1;
    self->deep = ls_shape_count(&weight->shape) / weight->shape.at[0];
    self->deep = self->turned ? weight->shape.at[1] : self->deep;
    self->wide = weight->size / (self->deep * LS_PANEL);
    self->prepared = aligned(layer->prepared_size);
    layer->prepared_size =
        self->prepared + weight->size + self->wide * LS_PANEL + aligned(self->deep) + LS_SLOT_ALIGN;
    layer->kept.per_row += sizeof(double);
    self->slot = ls_layer_claim(
        layer, "u", LS_SLOT_STATE, &u,
        &(ls_initializer){.kind = LS_INIT_NORMAL, .scale = 1 / sqrt((double)u.at[0])}, NULL);
    return true;
}

/* Panels that hold the outputs before o, which begins a panel or is the end of a group. */
static long panels_before(const ls_slot *weight, long o)
{
    const long out = weight->shape.at[0] / weight->layout.groups;
    return o / out * ls_panel_count(out) + ls_panel_count(o % out);
}

/* The number of row r of u among the lanes or in the line. */
static long place_of(const ls_layer *layer, long r)
{
    const ls_slot *weight = slot_of(layer, 0);
    const long out = weight->shape.at[0] / weight->layout.groups;
    return spectral_of(layer)->turned ? r : r / out * ls_panel_count(out) * LS_PANEL + r % out;
}

/* lanes[wide][32] = sum over the line of line[k] weight[wide][k][32] */
static LS_CLONES void sum_to_lanes(const ls_spectral *self, const real *weight, const memory *m)
{
    for (long s = 0; s < self->wide; s++, weight += self->deep * LS_PANEL) {
        double sum[LS_PANEL] = {0};
        for (long k = 0; k < self->deep; k++)
            for (long l = 0; l < LS_PANEL; l++)
                sum[l] += (double)m->line[k] * (double)weight[k * LS_PANEL + l];
        for (long l = 0; l < LS_PANEL; l++)
            m->lanes[s * LS_PANEL + l] = (real)sum[l];
    }
}

/* line[deep] = sum over the lanes of lanes[s][l] weight[s][deep][l] */
static LS_CLONES void sum_to_line(const ls_spectral *self, const real *weight, const memory *m)
{
    for (long k = 0; k < self->deep; k++, weight += LS_PANEL) {
        double sum[LS_PANEL] = {0};
        for (long s = 0; s < self->wide; s++)
            for (long l = 0; l < LS_PANEL; l++)
                sum[l] += (double)m->lanes[s * LS_PANEL + l] *
                          (double)weight[s * self->deep * LS_PANEL + l];
        for (long half = LS_PANEL / 2; half > 0; half /= 2)
            for (long l = 0; l < half; l++)
                sum[l] += sum[l + half];
        m->line[k] = (real)sum[0];
    }
}

/* x /= |x|, or PyTorch's epsilon if that is more; returns |x|. */
static double normalize(real *x, long n)
{
    double sum = 0;
    for (long i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    const double norm = sqrt(sum), size = norm > 1e-12 ? norm : 1e-12;
    for (long i = 0; i < n; i++)
        x[i] = (real)((double)x[i] / size);
    return norm;
}

/* Brings u, or v, to the other side of W; returns the norm of the product. */
static double multiply(const ls_layer *layer, const memory *m, bool to_lanes)
{
    const ls_spectral *self = spectral_of(layer);
    (to_lanes ? sum_to_lanes : sum_to_line)(self, ls_layer_value(layer, 0), m);
    return to_lanes ? normalize(m->lanes, self->wide * LS_PANEL) : normalize(m->line, self->deep);
}

/* An iteration from u: makes u' and v. Returns sigma = |W v|. */
static double iterate(const ls_layer *layer, const memory *m)
{
    const ls_spectral *self = spectral_of(layer);
    const real *u = ls_layer_value(layer, self->slot);
    const long rows = ls_shape_count(&slot_of(layer, self->slot)->shape);
    memset(m->lanes, 0, (size_t)(self->wide * LS_PANEL) * sizeof *m->lanes);
    for (long r = 0; r < rows; r++)
        (self->turned ? m->line : m->lanes)[place_of(layer, r)] = u[r];
    multiply(layer, m, self->turned);
    return multiply(layer, m, !self->turned);
}

/* u'^T W v of u' and v as they are. */
static double product(const ls_layer *layer, const memory *m)
{
    const ls_spectral *self = spectral_of(layer);
    const real *weight = ls_layer_value(layer, 0);
    double sum = 0;
    for (long s = 0; s < self->wide; s++)
        for (long k = 0; k < self->deep; k++)
            for (long l = 0; l < LS_PANEL; l++)
                sum += (double)m->lanes[s * LS_PANEL + l] * (double)m->line[k] * (double)*weight++;
    return sum;
}

void ls_spectral_prepare(const ls_layer *layer)
{
    if (!spectral_of(layer)->on)
        return;
    const memory m = memory_of(layer);
    const real *weight = ls_layer_value(layer, 0);
    *m.sigma = (real)(layer->params->constants_stay ? product : iterate)(layer, &m);
    for (long i = 0; i < slot_of(layer, 0)->size; i++)
        m.weight[i] = weight[i] / *m.sigma;
}

const real *ls_spectral_weight(const ls_layer *layer)
{
    return spectral_of(layer)->on ? memory_of(layer).weight : ls_layer_value(layer, 0);
}

/* The sum of dy (y - bias) over `pixels` of `out` outputs; bias NULL: 0. */
static LS_CLONES double inner_product(const real *dy, const real *y, const real *bias, long pixels,
                                      long out)
{
    double sum = 0;
    for (long p = 0; p < pixels; p++, dy += out, y += out)
        if (bias)
#pragma omp simd reduction(+ : sum)
            for (long o = 0; o < out; o++)
                sum += (double)dy[o] * ((double)y[o] - (double)bias[o]);
        else
#pragma omp simd reduction(+ : sum)
            for (long o = 0; o < out; o++)
                sum += (double)dy[o] * (double)y[o];
    return sum;
}

void ls_spectral_backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_weights *weights = layer->self;
    if (!weights->spectral.on || !ls_layer_gradient(layer, pass, 0))
        return;
    const long count = ls_shape_count(&layer->y), out = ls_shape_last(&layer->y);
    const real *bias = weights->bias ? ls_layer_value(layer, 1) : NULL;
    double *kept = args->kept;
    for (long r = 0; r < args->rows; r++)
        kept[r] = inner_product(args->dy + r * count, args->y + r * count, bias, count / out, out);
}

/* The part's segments [deep][LS_PANEL] of the stored weight. */
static ls_interval segments_of(const ls_layer *layer, const ls_interval *part)
{
    const ls_slot *weight = slot_of(layer, 0);
    const long each = spectral_of(layer)->wide / panels_before(weight, weight->shape.at[0]);
    return (ls_interval){panels_before(weight, part->begin) * each,
                         panels_before(weight, part->end) * each};
}

void ls_spectral_before(const ls_layer *layer, const ls_pass *pass, const ls_interval *part)
{
    const ls_spectral *self = spectral_of(layer);
    real *gradient = ls_layer_gradient(layer, pass, 0);
    if (!self->on || !gradient)
        return;
    const real sigma = *memory_of(layer).sigma;
    const ls_interval segments = segments_of(layer, part);
    const long segment = self->deep * LS_PANEL;
    for (long i = segments.begin * segment; i < segments.end * segment; i++)
        gradient[i] *= sigma;
}

/* segment[deep][32] = (segment - line lanes^T) / sigma */
static LS_CLONES void take_off(const real *line, const real *lanes, long deep, real sigma,
                               real *segment)
{
    for (long k = 0; k < deep; k++)
        for (long l = 0; l < LS_PANEL; l++)
            segment[k * LS_PANEL + l] = (segment[k * LS_PANEL + l] - line[k] * lanes[l]) / sigma;
}

/* The part of the gradient D of slot 0: (D - <G, W / sigma> u' v^T) / sigma. */
static void finish_weight(const ls_layer *layer, const ls_layer_args *args, const ls_interval *part,
                          real *gradient)
{
    const ls_spectral *self = spectral_of(layer);
    const memory m = memory_of(layer);
    const ls_interval segments = segments_of(layer, part);
    const double *kept = args->kept;
    double inner = 0;
    for (long r = 0; r < args->rows; r++)
        inner += kept[r];
    for (long s = segments.begin; s < segments.end; s++) {
        real lanes[LS_PANEL];
        for (long l = 0; l < LS_PANEL; l++)
            lanes[l] = (real)(inner * (double)m.lanes[s * LS_PANEL + l]);
        take_off(m.line, lanes, self->deep, *m.sigma, gradient + s * self->deep * LS_PANEL);
    }
}

/* Each application of a step *sets* u's share of the shard: they all move u to the same u', since W
 * does not change between them. */
static void move_u(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args,
                   real *gradient)
{
    const ls_spectral *self = spectral_of(layer);
    const memory m = memory_of(layer);
    const real *u = ls_layer_value(layer, self->slot);
    const double share = ls_layer_pass_share(pass, args->rows);
    const long rows = ls_shape_count(&slot_of(layer, self->slot)->shape);
    const ls_interval part = ls_layer_args_part(args, rows, 1);
    for (long r = part.begin; r < part.end; r++) {
        const real next = (self->turned ? m.line : m.lanes)[place_of(layer, r)];
        gradient[r] = (real)(share * ((double)next - (double)u[r]));
    }
}

void ls_spectral_after(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args,
                       const ls_interval *part)
{
    const ls_spectral *self = spectral_of(layer);
    if (!self->on)
        return;
    real *weight = ls_layer_gradient(layer, pass, 0);
    real *u = ls_layer_gradient(layer, pass, self->slot);
    if (weight)
        finish_weight(layer, args, part, weight);
    if (u && pass->training)
        move_u(layer, pass, args, u);
}
