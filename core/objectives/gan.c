/* gan: a generator G makes rows from noise z, and a discriminator D, which gives one number a row,
 * tells these fake rows from the data's real ones (Goodfellow et al. 2014, algorithm 1). A step is
 * k updates of D, each on a batch of its own, then one of G:
 *
 *     phase           z          G                         D
 *     discriminator   drawn      forward: n fake rows      forward and backward of n real rows,
 *                                                          then of the n fake ones
 *     generator       as in D's  forward, unless its run   forward of the n fake rows;
 *                     last       holds these rows;         backward to its input alone
 *                                backward
 *
 * D takes real and fake rows in passes of their own, as Radford et al. 2016 do: a batch norm that
 * saw both together would let D tell them by their difference within the batch, of which G's phase,
 * where all rows are fake, knows nothing. Each of the two moves D's running statistics, one after
 * the other.
 *
 * G's phase takes the noise of D's last update, and G is not changed in between: where a rank has
 * one shard, its run still holds these rows; with more shards they are made again, with the same
 * bits. The state slots of a net move in its own phase only, in backward passes with a gradient.
 * What both nets minimise: gan_loss.h. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/gan_loss.h"
#include "core/latent.h"
#include "core/memory.h"
#include "core/objective.h"
#include "core/optimizer.h"

enum { DISCRIMINATOR, GENERATOR, NETS };       /* phases, and the nets that they train */
enum { SUM_REAL = LS_SUM_LOSS + 1, SUM_FAKE }; /* of D's phase: what it says of the rows */
enum { D_LOSS, G_LOSS, REAL, FAKE, METRICS };  /* and then the figures of the loss */
enum { OF_GENERATOR, OF_REAL, OF_FAKE };       /* applications, added to a pass's draw */
enum { MOST_REPEATS = 1 << 20 };               /* that a draw has room for */
static const uint32_t fixed_draw = UINT32_MAX; /* of no step */

/* The workspaces of both nets, and the noise, for rows of a shard or of a chunk. */
typedef struct runs {
    ls_workspace *generator, *discriminator;
    real *z;
} runs;

/* The rows that the generator's training run holds, ready for its backward. */
typedef struct held {
    uint64_t seed, step;
    uint32_t draw;
    long first, rows; /* rows 0: none */
} held;

typedef struct gan {
    int loss_number, noise; /* noise: ls_latent_prior */
    long k;
    char names[NETS][LS_WORD];
    const ls_net *net[NETS];
    const ls_gan_loss *loss;
    runs training, evaluation;
    held held;
} gan;

static const ls_option options[] = {
    {"loss", LS_OPTION_CHOICE, offsetof(gan, loss_number), "nonsaturating", 0, 0, ls_gan_loss_names,
     "what D and G minimise; minimax, nonsaturating: D gives logits (Goodfellow et al. 2014); "
     "hinge: scores (Miyato et al. 2018); wasserstein: D is a critic (Arjovsky et al. 2017), kept "
     "smooth by bound= in its optimizer or by spectral=1 in its lines"},
    {"k", LS_OPTION_INT, offsetof(gan, k), "1", 1, MOST_REPEATS, NULL,
     "updates of the discriminator, each on a batch of its own, before one of the generator"},
    {"noise", LS_OPTION_CHOICE, offsetof(gan, noise), "normal", 0, 0, ls_latent_names,
     "what the generator's input is drawn from: N(0, 1), or uniformly from -1 to 1"},
    {"generator", LS_OPTION_WORD, offsetof(gan, names[GENERATOR]), "generator", 0, 0, NULL,
     "the net that makes rows of noise of its input's shape"},
    {"discriminator", LS_OPTION_WORD, offsetof(gan, names[DISCRIMINATOR]), "discriminator", 0, 0,
     NULL, "the net that gives one number for a row"},
    {0}};

static bool check_output(const ls_net *d, ls_error *error)
{
    char shape[96];
    return ls_shape_count(&d->y) == 1 ||
           ls_error_set(error, LS_USAGE,
                        "the net %s gives %s for a row, but a discriminator gives one number: let "
                        "its last line be dense units=1",
                        d->name, ls_shape_text(&d->y, shape, sizeof shape));
}

/* Each net learns in a phase of its own, so no slot may be of both. */
static bool check_apart(const ls_objective *objective, ls_error *error)
{
    const ls_params *params = objective->task.params;
    const ls_phase *phase = objective->phase;
    for (int s = 0; s < params->count; s++)
        if (ls_slots_contain(&phase[DISCRIMINATOR].slots, s) &&
            ls_slots_contain(&phase[GENERATOR].slots, s))
            return ls_error_set(error, LS_USAGE,
                                "%s and %s share %s, but they learn against each other: give each "
                                "its own",
                                phase[DISCRIMINATOR].name, phase[GENERATOR].name,
                                params->slots[s].name);
    return true;
}

static void add_metrics(ls_objective *objective, const ls_gan_loss *loss)
{
    const ls_metric common[METRICS] = {
        [D_LOSS] = {.name = "d_loss", .phase = DISCRIMINATOR, .sum = LS_SUM_LOSS, .lower = true},
        [G_LOSS] = {.name = "g_loss", .phase = GENERATOR, .sum = LS_SUM_LOSS, .lower = true},
        [REAL] = {.name = "real", .phase = DISCRIMINATOR, .sum = SUM_REAL},
        [FAKE] = {.name = "fake", .phase = DISCRIMINATOR, .sum = SUM_FAKE}};
    memcpy(objective->metric, common, sizeof common);
    objective->metrics = METRICS;
    for (const ls_gan_figure *f = loss->figure; f->name; f++)
        objective->metric[objective->metrics++] = (ls_metric){.name = f->name,
                                                              .phase = DISCRIMINATOR,
                                                              .sum = LS_SUM_LOSS,
                                                              .lower = true,
                                                              .of = f->of,
                                                              .beside = f->beside};
    objective->judged = -1; /* the losses of adversaries do not tell how good the rows are */
}

static bool setup(ls_objective *objective, ls_error *error)
{
    gan *self = objective->self;
    for (int n = 0; n < NETS; n++) {
        const ls_net *net = self->net[n] = ls_objective_net(objective, self->names[n], error);
        if (!net)
            return false;
        objective->phase[n] = (ls_phase){.name = net->name, .times = 1};
        ls_net_add_slots(net, ls_net_all(net), &objective->phase[n].slots);
    }
    objective->phases = NETS;
    objective->phase[DISCRIMINATOR].times = (int)self->k;
    objective->phase[DISCRIMINATOR].fresh_batch = true;
    const ls_net *g = self->net[GENERATOR], *d = self->net[DISCRIMINATOR];
    if (!ls_objective_makes(objective, g, error) || !ls_objective_takes(objective, d, error) ||
        !check_output(d, error) || !check_apart(objective, error))
        return false;
    self->loss = &ls_gan_losses[self->loss_number];
    add_metrics(objective, self->loss);
    objective->meaning = &self->loss->meaning;
    objective->output = (ls_shape){1, {1}};
    objective->outputs.logits = d;
    objective->outputs.rows = g;
    objective->generates = LS_GENERATE_PRIOR;
    if (ls_shape_count(&g->x) == 2)
        objective->generates |= LS_GENERATE_PLANE;
    return true;
}

static runs create_runs(const gan *self, long rows, ls_workspace_use use)
{
    const ls_net *g = self->net[GENERATOR];
    return (runs){.generator = ls_workspace_create(g, rows, use),
                  .discriminator = ls_workspace_create(self->net[DISCRIMINATOR], rows, use),
                  .z = ls_alloc((size_t)(rows * ls_shape_count(&g->x)), sizeof(real))};
}

static size_t bytes_of_runs(const gan *self, long rows, ls_workspace_use use)
{
    const ls_net *g = self->net[GENERATOR];
    return ls_workspace_bytes(g, rows, use) +
           ls_workspace_bytes(self->net[DISCRIMINATOR], rows, use) +
           (size_t)(rows * ls_shape_count(&g->x)) * sizeof(real);
}

/* The first line with a weight that is not divided by its spectral norm, of which u is the state;
 * NULL: there is none. */
static const ls_layer *unbounded(const ls_net *net)
{
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        bool weight = false, spectral = false;
        for (int k = 0; k < layer->slots; k++) {
            const ls_slot *slot = &net->params->slots[layer->slot[k]];
            weight = weight || slot->kind == LS_SLOT_WEIGHT;
            spectral = spectral || strcmp(strrchr(slot->name, '/'), "/u") == 0;
        }
        if (weight && !spectral)
            return layer;
    }
    return NULL;
}

static void doubt(const ls_objective *objective, double epochs, const ls_optimizer *optimizer,
                  char *text, size_t size)
{
    const gan *self = objective->self;
    const ls_net *d = self->net[DISCRIMINATOR];
    text[0] = 0;
    const ls_layer *free = unbounded(d);
    if (strcmp(ls_gan_loss_names[self->loss_number], "wasserstein") == 0 &&
        optimizer[DISCRIMINATOR].bound == 0 && free)
        snprintf(text, size,
                 "loss=wasserstein: nothing keeps the line %s of the net %s smooth, without which "
                 "the distance means nothing: give its optimizer bound=0.01 (%s: rmsprop rate=5e-5 "
                 "bound=0.01), or all its lines spectral=1",
                 free->name, d->name, d->name);
}

static void destroy_runs(const runs *runs)
{
    ls_workspace_destroy(runs->generator);
    ls_workspace_destroy(runs->discriminator);
    ls_free(runs->z);
}

static void compile(ls_objective *objective, long shard_rows, long chunk_rows)
{
    gan *self = objective->self;
    const ls_net *g = self->net[GENERATOR], *d = self->net[DISCRIMINATOR];
    if (shard_rows) {
        self->training = create_runs(self, shard_rows, LS_TRAINING);
        ls_objective_view_numbers(objective, "noise", self->training.z, &g->x);
        ls_objective_view_run(objective, g->name, self->training.generator);
        ls_objective_view_run(objective, d->name, self->training.discriminator);
    }
    if (chunk_rows)
        self->evaluation = create_runs(self, chunk_rows, LS_INFERENCE);
}

static size_t bytes(const ls_objective *objective, long shard_rows, long chunk_rows)
{
    const gan *self = objective->self;
    return (shard_rows ? bytes_of_runs(self, shard_rows, LS_TRAINING) : 0) +
           (chunk_rows ? bytes_of_runs(self, chunk_rows, LS_INFERENCE) : 0);
}

/* D sees a real and a fake row in each of its updates; in G's, it is passed forward and back. */
static double flops(const ls_objective *objective)
{
    const gan *self = objective->self;
    const ls_net *g = self->net[GENERATOR], *d = self->net[DISCRIMINATOR];
    const ls_interval of_g = ls_net_all(g), of_d = ls_net_all(d);
    const ls_phase *phase = objective->phase;
    const bool learns = phase[GENERATOR].slots.count > 0;
    return (double)self->k * (ls_net_flops(g, of_g, NULL, false) +
                              2 * ls_net_flops(d, of_d, &phase[DISCRIMINATOR].slots, false)) +
           ls_net_flops(g, of_g, &phase[GENERATOR].slots, false) +
           ls_net_flops(d, of_d, NULL, learns);
}

/* Makes fake rows pass->row and following of noise that it draws into runs->z. */
static const real *make_rows(const gan *self, const runs *runs, const ls_pass *pass, long rows)
{
    const ls_random stream =
        ls_random_stream(pass->seed, LS_RANDOM_NOISE, pass->step, pass->draw, OF_GENERATOR);
    ls_latent_draw((ls_latent_prior)self->noise, stream, pass->row, rows,
                   ls_shape_count(&self->net[GENERATOR]->x), runs->z);
    return ls_workspace_forward(runs->generator, pass, runs->z, rows);
}

/* What D's phase sums up, of outputs y of real or of fake rows: adds to the loss. */
static void add_sums(const gan *self, int said, long rows, const real *y, real *dy, ls_sums *sums)
{
    ls_gan_term *term = said == SUM_REAL ? self->loss->real : self->loss->fake;
    sums->at[LS_SUM_LOSS] += ls_gan_loss_sum(term, rows, y, dy);
    sums->at[said] = ls_gan_loss_says(self->loss, rows, y);
}

/* D's forward and backward of real or of fake rows x. */
static void judge_rows(const gan *self, int said, const real *x, long rows, const ls_pass *update,
                       ls_sums *sums)
{
    ls_workspace *d = self->training.discriminator;
    ls_pass pass = *update;
    pass.draw += said == SUM_REAL ? OF_REAL : OF_FAKE;
    if (said == SUM_REAL)
        pass.finished = NULL; /* the fake rows are still to come */
    const real *y = ls_workspace_forward(d, &pass, x, rows);
    add_sums(self, said, rows, y, ls_workspace_dy(d), sums);
    if (pass.gradient)
        ls_workspace_backward(d, &pass, ls_workspace_dy(d), NULL);
}

static void train_discriminator(gan *self, const ls_batch *shard, const ls_pass *pass,
                                ls_sums *sums)
{
    const long rows = shard->rows;
    const real *fake = make_rows(self, &self->training, pass, rows);
    self->held = (held){pass->seed, pass->step, pass->draw, pass->row, rows};
    *sums = (ls_sums){.at[LS_SUM_WEIGHT] = (double)rows};
    judge_rows(self, SUM_REAL, shard->x, rows, pass, sums);
    judge_rows(self, SUM_FAKE, fake, rows, pass, sums);
}

/* Whether the generator's run holds the rows of this pass. In a pass without gradient it never
 * does: who takes differences by the generator's parameters changes them between two of these. Nor
 * does it hold a shard without rows, as a small last batch has: its run is of another shard. */
static bool holds(const held *held, const ls_pass *pass, long rows)
{
    return pass->gradient && rows && held->rows == rows && held->first == pass->row &&
           held->step == pass->step && held->draw == pass->draw && held->seed == pass->seed;
}

static void train_generator(const ls_objective *objective, const ls_batch *shard,
                            const ls_pass *pass, ls_sums *sums)
{
    gan *self = objective->self;
    const long rows = shard->rows;
    const runs *runs = &self->training;
    ls_pass make = *pass, judge = *pass;
    make.draw = ls_pass_draw(DISCRIMINATOR, (int)self->k - 1); /* that of D's last update */
    judge.draw += OF_FAKE;
    judge.gradient = NULL;
    const real *fake = ls_workspace_output(runs->generator, self->net[GENERATOR]->count - 1);
    if (!holds(&self->held, &make, rows))
        fake = make_rows(self, runs, &make, rows);
    self->held.rows = 0; /* backward overwrites what forward kept */

    ls_workspace *d = runs->discriminator;
    const real *y = ls_workspace_forward(d, &judge, fake, rows);
    real *dy = ls_workspace_dy(d), *dfake = ls_workspace_dy(runs->generator);
    *sums = (ls_sums){.at[LS_SUM_WEIGHT] = (double)rows};
    sums->at[LS_SUM_LOSS] = ls_gan_loss_sum(self->loss->generator, rows, y, dy);
    if (!pass->gradient || objective->phase[GENERATOR].slots.count == 0)
        return;
    ls_workspace_backward(d, &judge, dy, dfake);
    ls_workspace_backward(runs->generator, &make, dfake, NULL);
}

static void gradient(ls_objective *objective, int phase, const ls_batch *shard, const ls_pass *pass,
                     ls_sums *sums)
{
    if (pass->gradient)
        ls_objective_zero(objective, phase, pass->gradient);
    if (phase == DISCRIMINATOR)
        train_discriminator(objective->self, shard, pass, sums);
    else
        train_generator(objective, shard, pass, sums);
}

/* A pass of no step: a row's noise is the same in all evaluations and samples of a seed. */
static ls_pass fixed_pass(const ls_pass *pass)
{
    ls_pass fixed = *pass;
    fixed.step = 0;
    fixed.draw = fixed_draw;
    return fixed;
}

static const real *evaluate(ls_objective *objective, const ls_batch *rows, const ls_pass *pass,
                            ls_sums *sums)
{
    const gan *self = objective->self;
    const runs *runs = &self->evaluation;
    const ls_pass fixed = fixed_pass(pass);
    if (sums) {
        const real *fake = make_rows(self, runs, &fixed, rows->rows);
        const real *y = ls_workspace_forward(runs->discriminator, &fixed, fake, rows->rows);
        for (int n = 0; n < NETS; n++)
            sums[n] = (ls_sums){.at[LS_SUM_WEIGHT] = (double)rows->rows};
        sums[GENERATOR].at[LS_SUM_LOSS] =
            ls_gan_loss_sum(self->loss->generator, rows->rows, y, NULL);
        add_sums(self, SUM_FAKE, rows->rows, y, NULL, &sums[DISCRIMINATOR]);
    }
    const real *y = ls_workspace_forward(runs->discriminator, &fixed, rows->x, rows->rows);
    if (sums)
        add_sums(self, SUM_REAL, rows->rows, y, NULL, &sums[DISCRIMINATOR]);
    return y;
}

static void generate(ls_objective *objective, const ls_pass *pass, const ls_generation *what,
                     long n, real *x)
{
    const gan *self = objective->self;
    const runs *runs = &self->evaluation;
    const ls_pass fixed = fixed_pass(pass);
    const real *fake;
    if (what->kind == LS_GENERATE_PLANE) {
        ls_latent_plane((ls_latent_prior)self->noise, what->rows, pass->row, n, runs->z);
        fake = ls_workspace_forward(runs->generator, &fixed, runs->z, n);
    } else
        fake = make_rows(self, runs, &fixed, n);
    memcpy(x, fake, (size_t)(n * ls_shape_count(&objective->task.x)) * sizeof *x);
}

/* D tells nothing of a row if it gives the same number for all. Where real and fake rows are alike,
 * as at the optimum, the means of what it says still differ by far more than by rounding. */
static const char *trouble(const ls_objective *objective, const double *value)
{
    const gan *self = objective->self;
    const double real = value[REAL], fake = value[FAKE], apart = fabs(real - fake);
    const bool logits = self->loss->logits;
    if (logits && apart < 1e-4 && real < 0.01)
        return "the discriminator is constant: it takes every row for fake";
    if (logits && apart < 1e-4 && real > 0.99)
        return "the discriminator is constant: it takes every row for real";
    if (apart <= 1e-7 * fmax(fabs(real), fabs(fake)))
        return "the discriminator is constant: it gives all rows the same number";
    return !logits || value[D_LOSS] > 1e-4
               ? NULL
               : "the discriminator is certain of every row: the generator learns hardly anything "
                 "from it";
}

static void destroy(ls_objective *objective)
{
    gan *self = objective->self;
    destroy_runs(&self->training);
    destroy_runs(&self->evaluation);
}

const ls_objective_type ls_objective_gan = {
    .name = "gan",
    .help = "a generator makes rows from noise, a discriminator tells them from the data's; each "
            "learns in a phase of its own",
    .size = sizeof(gan),
    .options = options,
    .setup = setup,
    .compile = compile,
    .bytes = bytes,
    .flops = flops,
    .gradient = gradient,
    .evaluate = evaluate,
    .generate = generate,
    .advice = {.trouble = trouble, .doubt = doubt},
    .destroy = destroy,
};
