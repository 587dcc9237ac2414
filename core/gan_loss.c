/* gan_loss: the table of losses, with values and slopes in double. A NaN in y gives a NaN loss. */
#include "core/gan_loss.h"

#include <math.h>

static double logistic(double y)
{
    double e = exp(-fabs(y));
    return (y < 0 ? e : 1) / (1 + e);
}

/* -ln(1 - s(y)) = ln(1 + e^y) */
static double minus_log_rest(double y, double *slope)
{
    *slope = logistic(y);
    return (y < 0 ? 0 : y) + log1p(exp(-fabs(y)));
}

/* -ln s(y) */
static double minus_log(double y, double *slope)
{
    double loss = minus_log_rest(-y, slope);
    *slope = -*slope;
    return loss;
}

/* ln(1 - s(y)) */
static double log_rest(double y, double *slope)
{
    double loss = minus_log_rest(y, slope);
    *slope = -*slope;
    return -loss;
}

/* max(0, 1 - y) */
static double short_of_one(double y, double *slope)
{
    *slope = y >= 1 ? 0 : -1;
    return y >= 1 ? 0 : 1 - y;
}

/* max(0, 1 + y) */
static double above_minus_one(double y, double *slope)
{
    *slope = y <= -1 ? 0 : 1;
    return y <= -1 ? 0 : 1 + y;
}

static double score(double y, double *slope)
{
    *slope = 1;
    return y;
}

static double minus_score(double y, double *slope)
{
    *slope = -1;
    return -y;
}

static double value(double loss)
{
    return -loss;
}

static double divergence_bound(double loss)
{
    return 0.5 * (log(4) - loss);
}

#define LOGITS                                                                                     \
    .logits = true,                                                                                \
    .meaning = {"probability", ls_loss_logistic, ls_loss_logistic, .values = true},                \
    .figure = {{"value", value, "(-ln 4: -1.3863)"}, {"jsd", divergence_bound, NULL}}
#define SCORES .meaning = {"score", ls_loss_copy, ls_loss_copy, .values = true}

const char *const ls_gan_loss_names[] = {"minimax", "nonsaturating", "hinge", "wasserstein", NULL};
const ls_gan_loss ls_gan_losses[] = {
    {.real = minus_log, .fake = minus_log_rest, .generator = log_rest, LOGITS},
    {.real = minus_log, .fake = minus_log_rest, .generator = minus_log, LOGITS},
    {.real = short_of_one, .fake = above_minus_one, .generator = minus_score, SCORES},
    {.real = minus_score,
     .fake = score,
     .generator = minus_score,
     SCORES,
     .figure = {{"distance", value, NULL}}},
};

double ls_gan_loss_sum(ls_gan_term *term, long rows, const real *y, real *dy)
{
    double sum = 0, slope;
    for (long r = 0; r < rows; r++) {
        sum += term((double)y[r], &slope);
        if (dy)
            dy[r] = (real)slope;
    }
    return sum;
}

double ls_gan_loss_says(const ls_gan_loss *loss, long rows, const real *y)
{
    double sum = 0;
    for (long r = 0; r < rows; r++)
        sum += loss->logits ? logistic((double)y[r]) : (double)y[r];
    return sum;
}
