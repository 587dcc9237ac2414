/* activation: the table of activation functions, which `lockstep list` prints. */
#pragma once
#include "core/layer.h"

/* Whether a function has a parameter alpha. */
typedef enum ls_alpha {
    LS_ALPHA_NONE,
    LS_ALPHA_FIXED,  /* a constant */
    LS_ALPHA_LEARNED /* a parameter that starts at alpha */
} ls_alpha;

/* dx[n] = dy f'(x), or += if `add`; y = f(x). */
typedef void ls_slope(long n, const real *x, const real *y, const real *dy, real alpha, bool add,
                      real *dx);

typedef struct ls_activation {
    const char *name;
    const char *formula;    /* f(z), for a person */
    const char *derivative; /* f'(z), for a person */
    bool flat;              /* the derivative is 0 wherever it exists */
    ls_alpha takes;
    double alpha; /* default */
    /* y[n] = f(x[n]) */
    void (*value)(long n, const real *x, real alpha, real *y);
    ls_slope *slope;
} ls_activation;

extern const ls_activation ls_activations[]; /* ends with a NULL name */
/* The function of a line; NULL: it is of another type. */
const ls_activation *ls_activation_of(const ls_layer *layer);
/* NULL and an LS_USAGE error that names the nearest. */
const ls_activation *ls_activation_find(const char *name, ls_error *error);
