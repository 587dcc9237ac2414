/* rbm_generate: chains of Gibbs sampling that are shown, at their end or on their way. */
#include "core/objectives/rbm_generate.h"

#include <string.h>

#include "core/objectives/rbm_rows.h"

enum { PRIOR_STEPS = 1000, CHAIN_STEPS = 10 }; /* where nothing is said */

/* Chains begin at given rows, or at noise. */
static void begin(const ls_rbm *self, const ls_pass *pass, const ls_batch *given,
                  const ls_rbm_chains *chains)
{
    if (!given) {
        ls_rbm_begin(self,
                     ls_random_stream(pass->seed, LS_RANDOM_NOISE, 0, 0, LS_STREAM_BEGINNINGS),
                     chains->first, chains->rows, chains->v);
        return;
    }
    ls_batch rows = *given;
    const size_t numbers = (size_t)(chains->rows * self->visible);
    rows.rows = chains->rows;
    rows.x += chains->first * ls_shape_count(&self->net->x);
    rows.row = rows.row ? rows.row + chains->first : NULL;
    memcpy(chains->v, ls_rbm_see(self, &self->evaluation, &rows, pass), numbers * sizeof(real));
}

/* Writes `now` of each chain, its t-th row of `each`, where that is one of x[n], rows `row` and
 * following. */
static void show(const ls_rbm *self, const ls_rbm_chains *chains, const real *now, long each,
                 long t, long row, long n, real *x)
{
    const size_t bytes = (size_t)self->visible * sizeof *x;
    for (long c = 0; c < chains->rows; c++) {
        const long at = (chains->first + c) * each + t - row;
        if (at >= 0 && at < n)
            memcpy(x + at * self->visible, now + c * self->visible, bytes);
    }
}

/* Of the lowest machine means are shown; of one above others samples, which go down to rows. */
static const real *shown(const ls_rbm *self, const real *samples)
{
    return self->down.count > 0 ? samples : self->evaluation.means;
}

static ls_rbm_chains chains_of(const ls_pass *pass, long first, long rows, real *v)
{
    return (ls_rbm_chains){.seed = pass->seed,
                           .step = UINT64_MAX, /* of no step of training */
                           .first = first,
                           .rows = rows,
                           .v = v};
}

/* All chains that rows of x[n] are of, side by side from their beginning on. */
static void run_chains(const ls_rbm *self, const ls_pass *pass, const ls_generation *what,
                       long steps, long n, real *x)
{
    const ls_rbm_rows *e = &self->evaluation;
    const bool prior = what->kind == LS_GENERATE_PRIOR;
    const long each = prior ? 1 : what->each, first = pass->row / each;
    const long end = (pass->row + n - 1) / each + 1;
    const ls_rbm_chains chains = chains_of(pass, first, end - first, e->visible);
    const real *moved = shown(self, e->visible);
    begin(self, pass, what->given, &chains);
    if (prior)
        ls_rbm_move(self, e, &chains, 0, steps);
    show(self, &chains, prior ? moved : e->visible, each, 0, pass->row, n, x);
    for (long t = 1; t < each; t++) {
        ls_rbm_move(self, e, &chains, (t - 1) * steps, steps);
        show(self, &chains, moved, each, t, pass->row, n, x);
    }
}

/* Rows x[n] of chains that are longer than a chunk: one chain after the other, each on from where
 * the last chunk left it, since from its beginning every chunk would take longer than the one
 * before. Chunks come in the order of the rows; so one that is not ahead is of another generation.
 */
static void follow_chains(ls_rbm *self, const ls_pass *pass, const ls_generation *what, long steps,
                          long n, real *x)
{
    ls_rbm_rows *e = &self->evaluation;
    const size_t bytes = (size_t)self->visible * sizeof *x;
    real *v = e->visible + e->rows * self->visible;
    ls_rbm_trail *trail = &e->trail;
    for (long i = 0; i < n; i++) {
        const long chain = (pass->row + i) / what->each, t = (pass->row + i) % what->each;
        const ls_rbm_chains one = chains_of(pass, chain, 1, v);
        if (trail->of != what || trail->chain != chain || trail->shown >= t) {
            begin(self, pass, what->given, &one);
            *trail = (ls_rbm_trail){.of = what, .chain = chain};
        }
        ls_rbm_move(self, e, &one, trail->shown * steps, (t - trail->shown) * steps);
        trail->shown = t;
        memcpy(x + i * self->visible, t == 0 ? v : shown(self, v), bytes);
    }
}

void ls_rbm_generate(ls_objective *objective, const ls_pass *pass, const ls_generation *what,
                     long n, real *x)
{
    ls_rbm *self = objective->self;
    const bool prior = what->kind == LS_GENERATE_PRIOR, above = self->down.count > 0;
    const long steps = what->steps ? what->steps : prior ? PRIOR_STEPS : CHAIN_STEPS;
    const bool longer = !prior && what->each > self->evaluation.rows;
    real *made = above ? self->down.top : x;
    if (longer)
        follow_chains(self, pass, what, steps, n, made);
    else
        run_chains(self, pass, what, steps, n, made);
    if (above)
        ls_descent_run(&self->down, pass, n, made, x);
}
