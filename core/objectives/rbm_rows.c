/* rbm_rows: what the files of the objective rbm share. */
#include "core/objectives/rbm_rows.h"

#include "core/memory.h"
#include "core/pixels.h"

static const ls_boltzmann_units visible_units[] = {LS_BOLTZMANN_BERNOULLI, LS_BOLTZMANN_GAUSSIAN};
static const ls_boltzmann_units hidden_units[] = {LS_BOLTZMANN_BERNOULLI, LS_BOLTZMANN_RECTIFIED};

ls_boltzmann_units ls_rbm_visible_units(const ls_rbm *self)
{
    return visible_units[self->visible_units];
}

ls_boltzmann_units ls_rbm_lowest_units(const ls_rbm *self)
{
    return visible_units[self->lowest_units];
}

ls_boltzmann_units ls_rbm_hidden_units(const ls_rbm *self)
{
    return hidden_units[self->hidden_units];
}

static ls_interval lines_below(const ls_rbm *self)
{
    return (ls_interval){0, self->layer};
}

ls_rbm_rows ls_rbm_rows_create(const ls_rbm *self, long n)
{
    ls_rbm_rows rows = {.rows = n};
    const size_t count = (size_t)n;
    if (self->layer > 0)
        rows.below = ls_workspace_create_part(self->net, lines_below(self), n, LS_INFERENCE);
    rows.machine = ls_boltzmann_create(self->net->layers[self->layer], ls_rbm_visible_units(self),
                                       ls_rbm_hidden_units(self), 2 * n);
    if (self->binarize)
        rows.pixels = ls_alloc(count * (size_t)ls_shape_count(&self->net->x), sizeof(real));
    rows.visible = ls_alloc(2 * count * (size_t)self->visible, sizeof(real));
    rows.slope = ls_alloc(2 * count * (size_t)self->hidden, sizeof(real));
    rows.hidden = ls_alloc(count * (size_t)self->hidden, sizeof(real));
    rows.means = ls_alloc(count * (size_t)self->visible, sizeof(real));
    rows.energy = ls_alloc(count, sizeof(double));
    return rows;
}

size_t ls_rbm_rows_bytes(const ls_rbm *self, long n)
{
    const long numbers =
        3 * self->visible + 3 * self->hidden + (self->binarize ? ls_shape_count(&self->net->x) : 0);
    size_t bytes = n ? ls_boltzmann_bytes(self->net->layers[self->layer], 2 * n) : 0;
    if (n && self->layer > 0)
        bytes += ls_workspace_bytes_part(self->net, lines_below(self), n, LS_INFERENCE);
    return bytes + (size_t)n * ((size_t)numbers * sizeof(real) + sizeof(double));
}

void ls_rbm_rows_destroy(ls_rbm_rows *rows)
{
    ls_workspace_destroy(rows->below);
    ls_boltzmann_destroy(&rows->machine);
    ls_free(rows->pixels);
    ls_free(rows->visible);
    ls_free(rows->slope);
    ls_free(rows->hidden);
    ls_free(rows->means);
    ls_free(rows->energy);
}

const real *ls_rbm_see(const ls_rbm *self, const ls_rbm_rows *rows, const ls_batch *batch,
                       const ls_pass *pass)
{
    const ls_pass applied = {.seed = pass->seed, .step = pass->step, .row = pass->row};
    const real *x = batch->x;
    if (self->binarize) {
        ls_pixels_binarize(
            ls_random_stream(pass->seed, LS_RANDOM_NOISE, pass->step, pass->draw, LS_STREAM_PIXELS),
            batch, pass->row, ls_shape_count(&self->net->x), rows->pixels);
        x = rows->pixels;
    }
    return rows->below ? ls_workspace_forward(rows->below, &applied, x, batch->rows) : x;
}

void ls_rbm_begin(const ls_rbm *self, ls_random stream, long first, long n, real *v)
{
    if (ls_rbm_visible_units(self) == LS_BOLTZMANN_GAUSSIAN) {
        ls_random_normals(stream, (uint64_t)first, n, self->visible, v);
        return;
    }
    for (long r = 0; r < n; r++) {
        real *row = v + r * self->visible;
        ls_random_uniform(stream, (uint64_t)(first + r), row, self->visible);
        for (long i = 0; i < self->visible; i++)
            row[i] = row[i] < (real)0.5;
    }
}

void ls_rbm_down(const ls_rbm_rows *rows, const ls_rbm_chains *chains, long t, const real *inputs,
                 const real *means)
{
    const ls_boltzmann *machine = &rows->machine;
    const uint32_t draw = chains->draw + (uint32_t)t;
    ls_boltzmann_samples(
        machine->hidden_units,
        ls_random_stream(chains->seed, LS_RANDOM_NOISE, chains->step, draw, LS_STREAM_HIDDEN),
        chains->first, chains->rows, machine->hidden, inputs, means, rows->hidden);
    ls_boltzmann_visible_inputs(machine, chains->rows, rows->hidden, rows->means);
    ls_boltzmann_means(machine->visible_units, chains->rows * machine->visible, rows->means,
                       rows->means);
    ls_boltzmann_samples(
        machine->visible_units,
        ls_random_stream(chains->seed, LS_RANDOM_NOISE, chains->step, draw, LS_STREAM_VISIBLE),
        chains->first, chains->rows, machine->visible, NULL, rows->means, chains->v);
}

void ls_rbm_move(const ls_rbm *self, const ls_rbm_rows *rows, const ls_rbm_chains *chains,
                 long from, long steps)
{
    real *means = rows->slope + chains->rows * self->hidden; /* the second half is free */
    for (long t = from; t < from + steps; t++) {
        const real *inputs = ls_boltzmann_hidden_inputs(&rows->machine, chains->rows, chains->v);
        ls_boltzmann_means(rows->machine.hidden_units, chains->rows * self->hidden, inputs, means);
        ls_rbm_down(rows, chains, t, inputs, means);
    }
}

double ls_rbm_distance(long n, const real *v, const real *means)
{
    return 2 * ls_pixels_squared(n, means, v, NULL);
}
