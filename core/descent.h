/* descent: from samples of a restricted Boltzmann machine down to the rows that its net takes: the
 * machines below make, each of the samples of its hidden units, its visible ones (the directed
 * layers of a deep belief network; Hinton, Osindero, Teh 2006).
 *
 *     h2 === h1   the upper machine's chain: h1 are its visible units
 *            |    v ~ p(v | h1) = units of the inputs a + h1 W, of the machine below
 *            v    at last its means */
#pragma once
#include "core/boltzmann.h"

typedef struct ls_descent {
    int count;
    ls_boltzmann *machine; /* [count] below, the uppermost first */
    real *top;             /* [rows, visible units of the upper machine], room for its samples */
    real *states, *inputs; /* [rows, the most visible units of the machines below] */
} ls_descent;

/* Whether the lines below the machine `layer` are machines and logistic functions in turn, from the
 * first line on: then the visible units of each are the hidden units of the one below. */
bool ls_descent_leads_down(const ls_net *net, int layer);
/* For up to `rows` rows, of a net where it does and `layer` is not the first line; `lowest` are the
 * visible units of the first line. Destroy frees what it holds. */
ls_descent ls_descent_create(const ls_net *net, int layer, ls_boltzmann_units lowest, long rows);
void ls_descent_destroy(ls_descent *descent);
/* The bytes that it takes. */
size_t ls_descent_bytes(const ls_net *net, int layer, long rows);
/* x[rows, of the net] = means of visible units by h[rows, visible units of `layer`], 0 or 1, or
 * means, as where a chain begins at a row of the data. What
 * is drawn on the way is a function of (seed, step, row), from pass->row on. */
void ls_descent_run(const ls_descent *descent, const ls_pass *pass, long rows, const real *h,
                    real *x);
