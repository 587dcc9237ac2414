/* rbm_likelihood: which way Z is computed, and the arrays for either. */
#include "core/objectives/rbm_likelihood.h"

#include <math.h>

#include "core/annealing.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/partition.h"

enum { HIDDEN, VISIBLE, NEITHER };

/* The side whose states are all visited: the smaller one that can be. */
static int visited(const ls_boltzmann *m, const ls_estimate *how)
{
    const bool hidden = m->hidden <= LS_PARTITION_UNITS;
    const bool visible =
        m->visible <= LS_PARTITION_UNITS && m->visible_units == LS_BOLTZMANN_BERNOULLI;
    if (how->temperatures > 0 || how->reverse || (!hidden && !visible))
        return NEITHER;
    return hidden && (!visible || m->hidden <= m->visible) ? HIDDEN : VISIBLE;
}

/* A slot's numbers in logical order, as reals of its own. Free them with ls_free. */
static double *doubles(const ls_boltzmann *m, int k)
{
    const int slot = m->line->slot[k];
    const size_t count = (size_t)ls_shape_count(&m->line->params->slots[slot].shape);
    real *logical = ls_alloc(count, sizeof *logical);
    double *numbers = ls_alloc(count, sizeof *numbers);
    ls_params_store(m->line->params, slot, m->line->params->values, logical);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (double)logical[i];
    ls_free(logical);
    return numbers;
}

/* to[columns, rows] = from[rows, columns], which is freed. */
static double *transpose(double *from, long rows, long columns)
{
    double *to = ls_alloc((size_t)(rows * columns), sizeof *to);
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++)
            to[c * rows + r] = from[r * columns + c];
    ls_free(from);
    return to;
}

static void sum_parts(const ls_boltzmann *m, int side, long first, long n, double *result)
{
    double *weight = doubles(m, LS_BOLTZMANN_WEIGHT);
    double *hidden = doubles(m, LS_BOLTZMANN_HIDDEN), *visible = doubles(m, LS_BOLTZMANN_VISIBLE);
    if (side == VISIBLE)
        weight = transpose(weight, m->hidden, m->visible);
    const ls_partition p = {.units = side == HIDDEN ? m->hidden : m->visible,
                            .others = side == HIDDEN ? m->visible : m->hidden,
                            .weight = weight,
                            .unit_bias = side == HIDDEN ? hidden : visible,
                            .bias = side == HIDDEN ? visible : hidden,
                            .normal = side == HIDDEN && m->visible_units == LS_BOLTZMANN_GAUSSIAN};
    for (long k = 0; k < n; k++)
        result[k] = ls_partition_part(&p, first + k);
    ls_free(weight);
    ls_free(hidden);
    ls_free(visible);
}

/* Adds up what the machine sees of rows, sum[visible]; numbers count as they are. */
static void add_rows(const ls_rbm *self, const ls_batch *given, double *sum)
{
    const ls_rbm_rows *e = &self->evaluation;
    const ls_pass pass = {.row = 0};
    const long width = ls_shape_count(&given->x_shape);
    ls_rbm seen = *self;
    seen.binarize = false;
    for (long first = 0; first < given->rows; first += e->rows) {
        ls_batch part = *given;
        part.rows = ls_min(e->rows, given->rows - first);
        part.x += first * width;
        const real *v = ls_rbm_see(&seen, e, &part, &pass);
        for (long i = 0; i < part.rows * self->visible; i++)
            sum[i % self->visible] += (double)v[i];
    }
}

/* The base model: independent units with the means of the given rows, or the machine's own biases
 * where there are none. A unit that is the same in all rows is taken to differ in one of two more.
 */
static real *create_base(const ls_rbm *self, const ls_estimate *how)
{
    const ls_boltzmann *m = &self->evaluation.machine;
    const real *own = ls_layer_value(m->line, LS_BOLTZMANN_VISIBLE);
    real *base = ls_alloc((size_t)m->visible, sizeof *base);
    double *sum = ls_alloc((size_t)m->visible, sizeof *sum);
    const double n = how->given ? (double)how->given->rows : 0;
    if (how->given)
        add_rows(self, how->given, sum);
    for (long i = 0; i < m->visible; i++)
        base[i] = !how->given ? own[i]
                  : m->visible_units == LS_BOLTZMANN_GAUSSIAN
                      ? (real)(sum[i] / n)
                      : (real)log((sum[i] + 1) / (n - sum[i] + 1));
    ls_free(sum);
    return base;
}

static ls_annealing annealing_of(const ls_boltzmann *m, const ls_estimate *how, const real *base)
{
    return (ls_annealing){.visible = m->visible,
                          .hidden = m->hidden,
                          .normal = m->visible_units == LS_BOLTZMANN_GAUSSIAN,
                          .weight = ls_layer_value(m->line, LS_BOLTZMANN_WEIGHT),
                          .hidden_bias = ls_layer_value(m->line, LS_BOLTZMANN_HIDDEN),
                          .visible_bias = ls_layer_value(m->line, LS_BOLTZMANN_VISIBLE),
                          .base = base,
                          .temperatures =
                              how->temperatures > 0 ? how->temperatures : LS_ANNEALING_TEMPERATURES,
                          .reverse = how->reverse};
}

static const ls_boltzmann *machine_of(const ls_objective *objective)
{
    const ls_rbm *self = objective->self;
    return &self->evaluation.machine;
}

long ls_rbm_draws(const ls_objective *objective, const ls_estimate *how, ls_error *error)
{
    const ls_boltzmann *m = machine_of(objective);
    const int side = visited(m, how);
    if (m->hidden_units == LS_BOLTZMANN_RECTIFIED) {
        ls_error_set(error, LS_USAGE,
                     "--samples: a machine with hidden=nrelu has no likelihood, since the samples "
                     "of its units, max(0, x + noise), follow from no energy; compare its metrics, "
                     "or train with hidden=bernoulli");
        return -1;
    }
    return side == NEITHER ? how->samples
                           : ls_partition_parts(side == HIDDEN ? m->hidden : m->visible);
}

void ls_rbm_draw(ls_objective *objective, const ls_pass *pass, const ls_estimate *how, long first,
                 long n, double *result)
{
    const ls_boltzmann *m = machine_of(objective);
    const int side = visited(m, how);
    if (side != NEITHER) {
        sum_parts(m, side, first, n, result);
        return;
    }
    real *base = create_base(objective->self, how);
    const ls_annealing annealing = annealing_of(m, how, base);
    ls_annealing_run(&annealing, pass->seed, first, n, result);
    ls_free(base);
}

static int list_exact(double log_z, ls_figure *figures)
{
    int count = 0;
    figures[count++] = (ls_figure){"exact", 1};
    figures[count++] = (ls_figure){"log_z", log_z};
    figures[count++] = (ls_figure){"log_z_error", 0};
    return count;
}

/* One run tells no error. */
static int list_annealed(const ls_annealing_estimate *e, long runs, long temperatures,
                         ls_figure *figures)
{
    int count = 0;
    figures[count++] = (ls_figure){"exact", 0};
    figures[count++] = (ls_figure){"runs", (double)runs};
    figures[count++] = (ls_figure){"temperatures", (double)temperatures};
    figures[count++] = (ls_figure){"log_z", e->log_z};
    if (runs > 1) {
        figures[count++] = (ls_figure){"log_z_error", e->error};
        figures[count++] = (ls_figure){"log_z_low", e->low};
        figures[count++] = (ls_figure){"log_z_high", e->high};
    }
    figures[count++] = (ls_figure){"effective_runs", e->runs};
    return count;
}

int ls_rbm_conclude(ls_objective *objective, const ls_estimate *how, long n, const double *result,
                    ls_figure *figures)
{
    ls_rbm *self = objective->self;
    const ls_boltzmann *m = machine_of(objective);
    if (visited(m, how) != NEITHER) {
        self->evaluation.log_z = ls_partition_add(n, result);
        return list_exact(self->evaluation.log_z, figures);
    }
    real *base = create_base(self, how);
    const ls_annealing annealing = annealing_of(m, how, base);
    const ls_annealing_estimate e = ls_annealing_conclude(&annealing, n, result);
    ls_free(base);
    self->evaluation.log_z = e.log_z;
    return list_annealed(&e, n, annealing.temperatures, figures);
}

void ls_rbm_assess(ls_objective *objective, const ls_batch *rows, const ls_pass *pass, long draws,
                   double *estimate)
{
    (void)draws;
    const ls_rbm *self = objective->self;
    const ls_rbm_rows *e = &self->evaluation;
    const real *v = ls_rbm_see(self, e, rows, pass);
    const real *inputs = ls_boltzmann_hidden_inputs(&e->machine, rows->rows, v);
    ls_boltzmann_energies(&e->machine, rows->rows, v, inputs, NULL, estimate);
    for (long r = 0; r < rows->rows; r++)
        estimate[r] = -estimate[r] - e->log_z;
}
