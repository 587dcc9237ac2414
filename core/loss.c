/* loss: squared error, cross-entropy, binary cross-entropy, hinge: values and gradients. A NaN
 * among the outputs gives a NaN loss. */
#include "core/loss.h"

#include <math.h>

#include "core/spec.h"
#include "core/vector_math.h"

/* What a row is compared with: a vector, or the vector that a label stands for: `on` at the label
 * and `off` elsewhere; of width 1, `on` for a label that is not 0. */
typedef struct goal {
    const real *vector; /* NULL: a label */
    long label;
    double on, off;
} goal;

static goal goal_of(const real *target, bool vector, long row, long width, double on, double off)
{
    goal wanted = {.on = on, .off = off};
    if (vector) {
        wanted.vector = target + row * width;
        return wanted;
    }
    long label = (long)target[row];
    ls_check(label >= 0 && label < (width == 1 ? 2 : width),
             "label %ld at row %ld of the batch, but the net has %ld outputs", label, row, width);
    wanted.label = width == 1 ? !label : label; /* width 1: output 0 stands for class 1 */
    return wanted;
}

static double goal_at(const goal *wanted, long j)
{
    if (wanted->vector)
        return (double)wanted->vector[j];
    return j == wanted->label ? wanted->on : wanted->off;
}

long ls_loss_predict(const real *y, long width, double threshold)
{
    if (width == 1)
        return (double)y[0] > threshold;
    long best = 0;
    for (long j = 1; j < width; j++)
        best = y[j] > y[best] ? j : best;
    return best;
}

static double count_correct(const real *y, const real *target, bool vector, long rows, long width,
                            double threshold)
{
    long correct = 0;
    for (long r = 0; !vector && r < rows; r++)
        correct += ls_loss_predict(y + r * width, width, threshold) == (long)target[r];
    return (double)correct;
}

/* A loss that is a sum over outputs of its own: value of output y and goal t, *slope its derivative
 * by y. */
typedef double output_loss(double y, double t, double *slope);

static double sum_outputs(output_loss *loss, double on, double off, const real *y,
                          const real *target, bool vector, long rows, long width, real *dy)
{
    double sum = 0;
    for (long r = 0; r < rows; r++) {
        goal wanted = goal_of(target, vector, r, width, on, off);
        for (long j = 0; j < width; j++) {
            double slope;
            sum += loss((double)y[r * width + j], goal_at(&wanted, j), &slope);
            if (dy)
                dy[r * width + j] = (real)slope;
        }
    }
    return sum;
}

/* The seed's eq. 4 and 5: e = t - y, half of e^2. */
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

static void squared_error(const real *y, const real *target, bool vector, double smoothing,
                          long rows, long width, real *dy, double *loss, double *correct)
{
    (void)smoothing;
    *loss = sum_outputs(half_square, 1, 0, y, target, vector, rows, width, dy);
    *correct = count_correct(y, target, vector, rows, width, 0.5);
}

static void bce(const real *y, const real *target, bool vector, double smoothing, long rows,
                long width, real *dy, double *loss, double *correct)
{
    (void)smoothing;
    *loss = sum_outputs(binary_entropy, 1, 0, y, target, vector, rows, width, dy);
    *correct = count_correct(y, target, vector, rows, width, 0);
}

static void hinge(const real *y, const real *target, bool vector, double smoothing, long rows,
                  long width, real *dy, double *loss, double *correct)
{
    (void)smoothing;
    *loss = sum_outputs(margin, 1, -1, y, target, vector, rows, width, dy);
    *correct = count_correct(y, target, vector, rows, width, 0);
}

/* e[n] = exp(y - shift) where e is wanted; returns their sum. */
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

/* With l_j = -ln softmax(y)_j = m + ln sum_k e^(y_k - m) - y_j, m the largest output:
 * (1 - s) l_label + s mean l. dy = softmax(y) - (1 - s) [j = label] - s / width. */
static double cross_entropy_row(const real *y, long label, double s, long width, real *dy)
{
    real largest = y[0];
    for (long j = 1; j < width; j++)
        largest = y[j] > largest ? y[j] : largest;
    double sum = exp_sum(y, width, largest, dy), below = 0; /* mean of m - y_j */
    for (long j = 0; s > 0 && j < width; j++)
        below += ((double)largest - (double)y[j]) / (double)width;
    const real factor = (real)(1 / sum), spread = (real)(s / (double)width);
    for (long j = 0; dy && j < width; j++)
        dy[j] = dy[j] * factor - spread;
    if (dy)
        dy[label] -= (real)(1 - s);
    return log(sum) + (1 - s) * ((double)largest - (double)y[label]) + s * below;
}

static void cross_entropy(const real *y, const real *target, bool vector, double smoothing,
                          long rows, long width, real *dy, double *loss, double *correct)
{
    *loss = 0;
    for (long r = 0; r < rows; r++) {
        long label = (long)target[r];
        ls_check(label >= 0 && label < width,
                 "label %ld at row %ld of the batch, but the net has %ld outputs", label, r, width);
        *loss +=
            cross_entropy_row(y + r * width, label, smoothing, width, dy ? dy + r * width : NULL);
    }
    *correct = count_correct(y, target, vector, rows, width, 0);
}

const ls_loss_type ls_loss_types[] = {
    {"squared-error",
     "half the sum over outputs of (target - output)^2; labels become 1 at the class, 0 elsewhere",
     squared_error, .threshold = 0.5, .vectors = true, .labels = true},
    {"cross-entropy", "-ln softmax(outputs) at the label; the outputs are logits: no softmax layer",
     cross_entropy, .labels = true, .smooths = true},
    {"bce",
     "binary cross-entropy of logistic(outputs), one problem an output: targets from 0 to 1, or "
     "labels one against all (1 output: 0 or 1); no logistic layer",
     bce, .vectors = true, .labels = true},
    {"hinge",
     "sum over outputs of max(0, 1 - t output), t = +-1: targets of -1 and 1, or labels one "
     "against all (1 output: 0 or 1)",
     hinge, .vectors = true, .labels = true},
    {.name = NULL}};

const ls_loss_type *ls_loss_find(const char *name, ls_error *error)
{
    return ls_spec_find_entry(ls_loss_types, sizeof *ls_loss_types, name, "loss", "losses", error);
}
