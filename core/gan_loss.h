/* gan_loss: what the two nets of a generative adversarial net minimise, by the number y that the
 * discriminator D gives for a row. With s the logistic function:
 *
 *     loss            D, real rows    fake rows       generator
 *     minimax         -ln s(y)        -ln(1 - s(y))   ln(1 - s(y))   Goodfellow et al. 2014, eq. 1
 *     nonsaturating   -ln s(y)        -ln(1 - s(y))   -ln s(y)       the same, section 3
 *     hinge           max(0, 1 - y)   max(0, 1 + y)   -y             Miyato et al. 2018, eq. 16, 17
 *     wasserstein     -y              y               -y             Arjovsky et al. 2017, alg. 1
 *
 * For the first two, minus D's loss is the value V(D, G) = E ln s(y of real) + E ln(1 - s(y of
 * fake)). With D at its optimum V = -ln 4 + 2 JSD (theorem 1 of Goodfellow et al.), JSD the
 * Jensen-Shannon divergence of the fake rows from the data; with any other D, (V + ln 4) / 2 is a
 * lower bound of it. Minus the loss of wasserstein's critic estimates the distance of the two, up
 * to a factor: its Lipschitz constant. */
#pragma once
#include "core/loss.h"

/* The loss of one output y of D; *slope gets its derivative. */
typedef double ls_gan_term(double y, double *slope);

/* A figure that is made of D's mean loss. */
typedef struct ls_gan_figure {
    const char *name; /* NULL ends the list */
    double (*of)(double loss);
    const char *beside; /* what training shows behind its value; NULL: nothing */
} ls_gan_figure;

typedef struct ls_gan_loss {
    ls_gan_term *real, *fake, *generator;
    bool logits;        /* y is one, s(y) the probability that a row is real; else y is a score */
    ls_meaning meaning; /* of D's outputs */
    ls_gan_figure figure[3];
} ls_gan_loss;

extern const char *const ls_gan_loss_names[]; /* NULL-terminated */
extern const ls_gan_loss ls_gan_losses[];     /* in the order of the names */
/* The sum of a term over y[rows]; dy[rows] gets the slopes, NULL: not wanted. */
double ls_gan_loss_sum(ls_gan_term *term, long rows, const real *y, real *dy);
/* The sum over y[rows] of what D says of a row: s(y) of logits, else y. */
double ls_gan_loss_says(const ls_gan_loss *loss, long rows, const real *y);
