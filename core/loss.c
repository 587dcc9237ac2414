/* loss: the table of losses, with values and gradients. A NaN in the outputs gives a NaN loss. */
#include "core/loss.h"

#include <math.h>
#include <string.h>

#include "core/spec.h"
#include "core/vector_math.h"

long ls_loss_predict(const real *y, long width, double threshold)
{
    if (width == 1)
        return (double)y[0] > threshold;
    long best = 0;
    for (long j = 1; j < width; j++)
        best = y[j] > y[best] ? j : best;
    return best;
}

/* (t - y)^2 / 2: Widrow and Hoff 1960. */
static double half_square(double y, double t, double *slope)
{
    *slope = y - t;
    return 0.5 * (t - y) * (t - y);
}

/* -t ln s(y) - (1 - t) ln(1 - s(y)), s logistic, = max(y, 0) - y t + ln(1 + e^-|y|). */
static double binary_entropy(double y, double t, double *slope)
{
    double e = exp(-fabs(y));
    *slope = (y < 0 ? e : 1) / (1 + e) - t;
    return (y < 0 ? 0 : y) - y * t + log1p(e);
}

/* max(0, 1 - t y), t = +-1. */
static double margin(double y, double t, double *slope)
{
    double short_of = 1 - t * y;
    *slope = short_of <= 0 ? 0 : -t;
    return short_of < 0 ? 0 : short_of;
}

/* Returns the sum of exp(y - shift); e[n] gets the terms, NULL: not wanted. */
static double exp_sum(const real *y, long n, real shift, real *e)
{
    enum { BLOCK = 256 };
    real block[BLOCK];
    double sum = 0;
    for (long begin = 0; begin < n; begin += BLOCK) {
        long count = n - begin < BLOCK ? n - begin : BLOCK;
        real *to = e ? e + begin : block;
        ls_math_exp_row(count, y + begin, shift, to);
        for (long j = 0; j < count; j++)
            sum += (double)to[j];
    }
    return sum;
}

/* With l_j = -ln softmax(y)_j = m + ln sum_k e^(y_k - m) - y_j, m the largest output, and s the
 * smoothing: (1 - s) l_label + s mean l. dy = softmax(y) - (1 - s) [j = label] - s / width. */
static double cross_entropy(const real *y, long label, double s, long width, real *dy)
{
    real largest = y[0];
    for (long j = 1; j < width; j++)
        largest = y[j] > largest ? y[j] : largest;
    double sum = exp_sum(y, width, largest, dy), below = 0; /* below: mean of m - y_j */
    if (s > 0)
        for (long j = 0; j < width; j++)
            below += ((double)largest - (double)y[j]) / (double)width;
    if (dy) {
        const real factor = (real)(1 / sum), spread = (real)(s / (double)width);
        for (long j = 0; j < width; j++)
            dy[j] = dy[j] * factor - spread;
        dy[label] -= (real)(1 - s);
    }
    return log(sum) + (1 - s) * ((double)largest - (double)y[label]) + s * below;
}

static void softmax(const real *y, long width, real *out)
{
    double largest = (double)y[0], sum = 0;
    for (long j = 1; j < width; j++)
        largest = fmax(largest, (double)y[j]);
    for (long j = 0; j < width; j++)
        sum += exp((double)y[j] - largest);
    for (long j = 0; j < width; j++)
        out[j] = (real)(exp((double)y[j] - largest) / sum);
}

void ls_loss_logistic(const real *y, long width, real *out)
{
    for (long j = 0; j < width; j++)
        out[j] = (real)(1 / (1 + exp(-(double)y[j])));
}

void ls_loss_copy(const real *y, long width, real *out)
{
    memmove(out, y, (size_t)width * sizeof *out);
}

bool ls_loss_is_probability(double target)
{
    return target >= -1e-6 && target <= 1 + 1e-6;
}

static bool is_sign(double target)
{
    return fabs(target) == 1;
}

static const ls_target_rule probabilities = {.takes = ls_loss_is_probability,
                                             .words = "bce takes targets from 0 to 1"};
static const ls_target_rule signs = {.takes = is_sign, .words = "hinge takes targets of -1 and 1"};

const ls_loss_type ls_loss_types[] = {
    {.name = "squared-error",
     .help = "half the sum over outputs of (target - output)^2; labels become 1 at the class, 0 "
             "elsewhere",
     .of_output = half_square,
     .meaning = {"score", ls_loss_copy, ls_loss_copy, .values = true, .threshold = 0.5},
     .vectors = true},
    {.name = "cross-entropy",
     .help = "-ln softmax(outputs) at the label; the outputs are logits: no softmax layer",
     .of_row = cross_entropy,
     .meaning = {"probability", softmax, ls_loss_copy, .values = false},
     .smooths = true,
     .logits = true,
     .softmax = true},
    {.name = "bce",
     .help = "binary cross-entropy of logistic(outputs), one problem an output: targets from 0 to "
             "1, or labels one against all (1 output: 0 or 1); no logistic layer",
     .of_output = binary_entropy,
     .meaning = {"probability", ls_loss_logistic, ls_loss_logistic, .values = false},
     .vectors = true,
     .logits = true,
     .rule = &probabilities},
    {.name = "hinge",
     .help = "sum over outputs of max(0, 1 - t output), t = +-1: targets of -1 and 1, or labels "
             "one against all (1 output: 0 or 1)",
     .of_output = margin,
     .off = -1,
     .meaning = {"score", ls_loss_copy, ls_loss_copy, .values = false},
     .vectors = true,
     .rule = &signs},
    {.name = NULL}};

const ls_loss_type *ls_loss_find(const char *name, ls_error *error)
{
    return ls_spec_find_entry(ls_loss_types, sizeof *ls_loss_types, name, "loss", "losses", error);
}

/* A single output is about class 1, and takes labels 0 and 1. */
static long label_of(const ls_loss_batch *batch, long row)
{
    long label = (long)batch->target[row];
    ls_check(label >= 0 && label < (batch->width == 1 ? 2 : batch->width),
             "label %ld at row %ld of the batch, but the net has %ld outputs", label, row,
             batch->width);
    return label;
}

/* Adds the losses of a row's outputs to *sum. */
static void add_outputs(const ls_loss_type *type, const ls_loss_batch *batch, long row, double *sum)
{
    const long width = batch->width, first = row * width;
    const long label = batch->vector ? 0 : label_of(batch, row);
    const long on = width == 1 ? !label : label; /* the output whose goal is 1 */
    for (long j = 0; j < width; j++) {
        double slope, goal = j == on ? 1 : type->off;
        if (batch->vector)
            goal = (double)batch->target[first + j];
        *sum += type->of_output((double)batch->y[first + j], goal, &slope);
        if (batch->dy)
            batch->dy[first + j] = (real)slope;
    }
}

double ls_loss_sum(const ls_loss_type *type, const ls_loss_batch *batch, double *correct)
{
    const long width = batch->width;
    double sum = 0;
    *correct = 0;
    for (long r = 0; r < batch->rows; r++) {
        const real *y = batch->y + r * width;
        if (!batch->vector && batch->target[r] < 0) {
            if (batch->dy)
                memset(batch->dy + r * width, 0, (size_t)width * sizeof *batch->dy);
            continue;
        }
        if (type->of_row)
            sum += type->of_row(y, label_of(batch, r), batch->smoothing, width,
                                batch->dy ? batch->dy + r * width : NULL);
        else
            add_outputs(type, batch, r, &sum);
        if (!batch->vector)
            *correct +=
                ls_loss_predict(y, width, type->meaning.threshold) == (long)batch->target[r];
    }
    return sum;
}

void ls_loss_values(const ls_meaning *meaning, long rows, long width, const real *y, long apart,
                    real *out)
{
    for (long r = 0; r < rows; r++)
        meaning->of_values(y + r * width, width, out + r * apart);
}
