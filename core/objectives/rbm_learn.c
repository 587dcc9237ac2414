/* rbm_learn: contrastive divergence, with chains that begin at the data or persist. */
#include "core/objectives/rbm_learn.h"

#include <string.h>

#include "core/clones.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/pixels.h"

static LS_CLONES double add_all(long n, const real *x)
{
    double lane[16] = {0}, total = 0;
    const long whole = n - n % 16;
    for (long j = 0; j < whole; j += 16)
        for (int k = 0; k < 16; k++)
            lane[k] += (double)x[j + k];
    for (long j = whole; j < n; j++)
        lane[j - whole] += (double)x[j];
    for (int k = 0; k < 16; k++)
        total += lane[k];
    return total;
}

/* sum[n] += by v. */
static LS_CLONES void add_times(long n, real by, const real *restrict v, real *restrict sum)
{
    for (long j = 0; j < n; j++)
        sum[j] += by * v[j];
}

/* slope[n] = by slope + add. */
static LS_CLONES void scale(long n, real by, real add, real *slope)
{
    for (long j = 0; j < n; j++)
        slope[j] = by * slope[j] + add;
}

static double add_energies(const ls_rbm_rows *rows, long n)
{
    double sum = 0;
    for (long r = 0; r < n; r++)
        sum += rows->energy[r];
    return sum;
}

/* The pass's gradient of the visible bias += by times the sum of v[rows, visible]. */
static void add_visible(const ls_rbm_rows *rows, const ls_pass *pass, long n, double by,
                        const real *v)
{
    const ls_layer *line = rows->machine.line;
    const int slot = line->slot[LS_BOLTZMANN_VISIBLE];
    if (pass->frozen && ls_slots_contain(pass->frozen, slot))
        return;
    real *to = pass->gradient + line->params->slots[slot].offset;
    for (long r = 0; r < n; r++)
        add_times(rows->machine.visible, (real)by, v + r * rows->machine.visible, to);
}

/* The cost of hidden units whose mean q is not the target p, the cross-entropy of q's distribution
 * from p's in each row (Hinton 2010, section 11, of a row in place of a running mean, so that it is
 * a sum over rows): with q = s(x) it is ln(1 + e^x) - p x, and its derivative q - p. */
static double cost_sparsity(const ls_rbm *self, long rows, const real *inputs)
{
    const long n = rows * self->hidden;
    if (self->sparsity_cost == 0)
        return 0;
    return self->sparsity_cost * (ls_boltzmann_means(LS_BOLTZMANN_BERNOULLI, n, inputs, NULL) -
                                  self->sparsity * add_all(n, inputs));
}

/* The data's term of the loss, F(v) and the cost of sparsity, and what is known of the rows. Their
 * hidden means become the first rows of slope; returns their hidden inputs. */
static const real *rise(const ls_rbm *self, const ls_batch *shard, const ls_pass *pass,
                        ls_sums *sums)
{
    const ls_rbm_rows *t = &self->training;
    const long n = shard->rows, visible = self->visible, hidden = self->hidden;
    memcpy(t->visible, ls_rbm_see(self, t, shard, pass), (size_t)(n * visible) * sizeof(real));
    const real *inputs = ls_boltzmann_hidden_inputs(&t->machine, n, t->visible);
    ls_boltzmann_energies(&t->machine, n, t->visible, inputs, t->slope, t->energy);
    const double energy = add_energies(t, n);
    *sums = (ls_sums){.at = {[LS_SUM_WEIGHT] = (double)n,
                             [LS_SUM_LOSS] = energy + cost_sparsity(self, n, inputs),
                             [LS_RBM_ENERGY] = energy,
                             [LS_RBM_ACTIVITY] = add_all(n * hidden, t->slope) / (double)hidden}};
    return inputs;
}

/* The derivative of the data's term by the hidden inputs, in the place of the means q:
 * -q + cost (q - p). */
static void turn_means(const ls_rbm *self, long rows)
{
    const double cost = self->sparsity_cost;
    scale(rows * self->hidden, (real)(cost - 1), (real)(-cost * self->sparsity),
          self->training.slope);
}

/* Chains that begin at the data's rows. */
static void contrast(ls_rbm *self, const ls_batch *shard, const ls_pass *pass, bool stay,
                     ls_sums *sums)
{
    const ls_rbm_rows *t = &self->training;
    const long n = shard->rows, visible = self->visible;
    const real *inputs = rise(self, shard, pass, sums);
    const ls_rbm_chains chains = {.seed = pass->seed,
                                  .step = pass->step,
                                  .draw = pass->draw,
                                  .first = pass->row,
                                  .rows = n,
                                  .v = t->visible + n * visible};
    if (!stay) {
        ls_rbm_down(t, &chains, 0, inputs, t->slope);
        sums->at[LS_RBM_RECONSTRUCTION] =
            ls_rbm_distance(n * visible, t->visible, t->means) / (double)visible;
        ls_rbm_move(self, t, &chains, 1, self->k - 1);
    }
    inputs = ls_boltzmann_hidden_inputs(&t->machine, n, chains.v);
    ls_boltzmann_energies(&t->machine, n, chains.v, inputs, t->slope + n * self->hidden, t->energy);
    sums->at[LS_SUM_LOSS] -= add_energies(t, n);
    if (!pass->gradient)
        return;
    turn_means(self, n);
    ls_boltzmann_gradient(&t->machine, pass, 2 * n, t->visible, t->slope);
    add_visible(t, pass, n, -1, t->visible);
    add_visible(t, pass, n, 1, chains.v);
}

/* The shard's persistent chains; where nobody carries any, all of them, begun anew: then the shard
 * must be the whole batch, since every other would move them too. */
static ls_carried take_chains(ls_rbm *self, const ls_batch *shard, const ls_pass *pass, bool stay)
{
    if (pass->carried)
        return pass->carried[0];
    ls_check(shard->rows == pass->total, "persistent chains that nobody carries: %ld of %ld rows",
             shard->rows, pass->total);
    if (!self->begun)
        self->begun = ls_alloc((size_t)(self->chains * self->visible), sizeof(real));
    if (!stay)
        ls_rbm_begin(self, ls_random_stream(pass->seed, LS_RANDOM_NOISE, 0, 0, LS_STREAM_CHAINS), 0,
                     self->chains, self->begun);
    return (ls_carried){.rows = self->chains, .data = self->begun};
}

/* Moves some of the shard's chains, and subtracts their term of the loss, each `share` of it. */
static void persist_piece(const ls_rbm *self, const ls_rbm_chains *chains, const ls_pass *pass,
                          bool stay, double share, ls_sums *sums)
{
    const ls_rbm_rows *t = &self->training;
    if (!stay)
        ls_rbm_move(self, t, chains, 0, self->k);
    const real *inputs = ls_boltzmann_hidden_inputs(&t->machine, chains->rows, chains->v);
    ls_boltzmann_energies(&t->machine, chains->rows, chains->v, inputs, t->slope, t->energy);
    sums->at[LS_SUM_LOSS] -= share * add_energies(t, chains->rows);
    if (!pass->gradient)
        return;
    scale(chains->rows * self->hidden, (real)share, 0, t->slope);
    ls_boltzmann_gradient(&t->machine, pass, chains->rows, chains->v, t->slope);
    add_visible(t, pass, chains->rows, share, chains->v);
}

/* Persistent chains (Tieleman 2008): all of them stand for as many rows as the batch has. They go
 * through the arrays in pieces, whose size depends on the options alone, as the bits do. */
static void persist(ls_rbm *self, const ls_batch *shard, const ls_pass *pass, bool stay,
                    ls_sums *sums)
{
    const ls_rbm_rows *t = &self->training;
    const ls_carried carried = take_chains(self, shard, pass, stay);
    const double share = (double)pass->total / (double)self->chains;
    ls_pass first = *pass; /* all but the last piece's */
    first.finished = NULL;
    rise(self, shard, pass, sums);
    if (pass->gradient) {
        const ls_pass *own = carried.rows > 0 ? &first : pass;
        turn_means(self, shard->rows);
        ls_boltzmann_gradient(&t->machine, own, shard->rows, t->visible, t->slope);
        add_visible(t, pass, shard->rows, -1, t->visible);
    }
    for (long begin = 0; begin < carried.rows; begin += LS_RBM_PIECE) {
        const ls_rbm_chains chains = {.seed = pass->seed,
                                      .step = pass->step,
                                      .draw = pass->draw,
                                      .first = carried.first + begin,
                                      .rows = ls_min(LS_RBM_PIECE, carried.rows - begin),
                                      .v = carried.data + begin * self->visible};
        const bool last = begin + LS_RBM_PIECE >= carried.rows;
        persist_piece(self, &chains, last ? pass : &first, stay, share, sums);
    }
}

void ls_rbm_gradient(ls_objective *objective, int phase, const ls_batch *shard, const ls_pass *pass,
                     ls_sums *sums)
{
    ls_rbm *self = objective->self;
    const bool constants_stay = objective->task.params->constants_stay;
    if (pass->gradient)
        ls_objective_zero(objective, phase, pass->gradient);
    (self->chains ? persist : contrast)(self, shard, pass, constants_stay && self->ended, sums);
    self->ended = constants_stay;
}
