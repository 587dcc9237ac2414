/* vae: the variational autoencoder (Kingma and Welling 2014). The encoder gives for a row x the
 * normal distribution q(z|x) of its code z (posterior.h), the decoder for a code the distribution
 * p(x|z) of rows: each number by itself, 0 or 1 with the logit that is the output (Bernoulli), or
 * normal around the output with deviation sigma (Gaussian). With one draw of z, in nats a row:
 *
 *     x --encoder--> mean, ln variance --> z = mean + deviation * noise --decoder--> y
 *
 *     loss = -ln p(x|z) + beta KL(q || N(0, 1))          reconstruction, and divergence of the code
 *
 * With beta = 1 that is the bound: on average it is above -ln p(x). Noise is a function of (seed,
 * step, draw, row), and of (seed, row) in evaluation, whose outputs are the logits or means of this
 * one draw. `assess` estimates ln p(x) itself by importance sampling (Burda, Grosse, Salakhutdinov
 * 2016, eq. 8): the bound of K draws comes closer to it with K. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/latent.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "core/pixels.h"
#include "core/posterior.h"

enum { SUM_BOUND = LS_SUM_LOSS + 1, SUM_RECONSTRUCTION, SUM_DIVERGENCE };
enum { LOSS, BOUND, RECONSTRUCTION, DIVERGENCE, METRICS };
enum { BERNOULLI, GAUSSIAN };
static const char *const output_names[] = {"bernoulli", "gaussian", NULL};

/* Workspaces and numbers for the rows of a shard or of a chunk. */
typedef struct runs {
    ls_workspace *encoder, *decoder;
    real *noise, *z; /* [rows, latent] */
    real *pixels;    /* [rows, width] x as drawn, with binarize */
} runs;

typedef struct vae {
    char encoder_name[LS_WORD], decoder_name[LS_WORD];
    int output;
    double beta, sigma;
    long warmup;
    bool binarize;
    const ls_net *encoder, *decoder;
    bool encoder_learns; /* else all of its slots are frozen */
    long latent, width;  /* numbers of a code and of a row */
    runs training, evaluation;
    real *dz;   /* [shard rows, latent] */
    long chunk; /* rows of `evaluation` */
} vae;

static const ls_option options[] = {
    {"output", LS_OPTION_CHOICE, offsetof(vae, output), "bernoulli", 0, 0, output_names,
     "the decoder's outputs are logits of numbers from 0 to 1, or means of any numbers"},
    {"sigma", LS_OPTION_REAL, offsetof(vae, sigma), "1", 1e-6, 1e6, NULL,
     "of output=gaussian: the standard deviation of a number around its mean"},
    {"beta", LS_OPTION_REAL, offsetof(vae, beta), "1", 0, 1e6, NULL,
     "weight of the divergence in the loss (Higgins et al. 2017); evaluation shows the bound, "
     "where it is 1, beside it"},
    {"warmup", LS_OPTION_INT, offsetof(vae, warmup), "0", 0, 1e9, NULL,
     "epochs of the stage over which beta rises evenly from 0: in its epoch e = 1, 2, ... it is "
     "e / (warmup + 1) of itself"},
    {"binarize", LS_OPTION_BOOL, offsetof(vae, binarize), "0", 0, 1, NULL,
     "1: each number of a row is drawn, 1 with its value as the probability, else 0; anew at each "
     "step, by seed and row in evaluation"},
    {"encoder", LS_OPTION_WORD, offsetof(vae, encoder_name), "encoder", 0, 0, NULL,
     "the net that gives the means of a code, then the logarithms of its variances"},
    {"decoder", LS_OPTION_WORD, offsetof(vae, decoder_name), "decoder", 0, 0, NULL,
     "the net that makes a row of a code"},
    {0}};

static bool check_options(const vae *self, ls_error *error)
{
    if (self->output == GAUSSIAN && self->binarize)
        return ls_error_set(error, LS_USAGE,
                            "binarize=1 makes numbers of 0 and 1, which output=gaussian is not "
                            "for: take output=bernoulli");
    return self->output == GAUSSIAN || self->sigma == 1 ||
           ls_error_set(error, LS_USAGE, "sigma=%g is for output=gaussian; leave it out",
                        self->sigma);
}

static bool check_code(const ls_net *encoder, const ls_net *decoder, ls_error *error)
{
    const long given = ls_shape_count(&encoder->y), taken = ls_shape_count(&decoder->x);
    return given == 2 * taken ||
           ls_error_set(error, LS_USAGE,
                        "the net %s gives %ld numbers for a row, but a code of the %ld numbers "
                        "that the net %s takes has %ld: a mean and a log-variance for each; let %s "
                        "end in `dense units=%ld`, or %s begin with another `input`",
                        encoder->name, given, taken, decoder->name, 2 * taken, encoder->name,
                        2 * taken, decoder->name);
}

static const ls_metric metrics[METRICS] = {
    [LOSS] = {.name = "loss", .sum = LS_SUM_LOSS, .lower = true},
    [BOUND] = {.name = "bound", .sum = SUM_BOUND, .lower = true},
    [RECONSTRUCTION] = {.name = "reconstruction", .sum = SUM_RECONSTRUCTION, .lower = true},
    [DIVERGENCE] = {.name = "kl", .sum = SUM_DIVERGENCE, .lower = true}};

static bool setup(ls_objective *objective, ls_error *error)
{
    vae *self = objective->self;
    self->encoder = ls_objective_net(objective, self->encoder_name, error);
    self->decoder = self->encoder ? ls_objective_net(objective, self->decoder_name, error) : NULL;
    if (!self->decoder || !check_options(self, error) ||
        !ls_objective_takes(objective, self->encoder, error) ||
        !check_code(self->encoder, self->decoder, error) ||
        !ls_objective_makes(objective, self->decoder, error))
        return false;
    self->latent = ls_shape_count(&self->decoder->x);
    self->width = ls_shape_count(&self->decoder->y);
    objective->phases = 1;
    objective->phase[0] = (ls_phase){.name = "vae", .times = 1, .fresh_batch = true};
    ls_slots *slots = &objective->phase[0].slots;
    ls_net_add_slots(self->encoder, ls_net_all(self->encoder), slots);
    ls_net_add_slots(self->decoder, ls_net_all(self->decoder), slots);
    memcpy(objective->metric, metrics, sizeof metrics);
    objective->metrics = METRICS;
    objective->judged = BOUND;
    objective->output = objective->task.x;
    objective->meaning =
        &ls_loss_find(self->output == BERNOULLI ? "bce" : "squared-error", error)->meaning;
    objective->outputs.logits = self->output == BERNOULLI ? self->decoder : NULL;
    objective->outputs.rows = self->output == GAUSSIAN ? self->decoder : NULL;
    objective->outputs.rebuilds = true;
    objective->generates = LS_GENERATE_PRIOR | LS_GENERATE_WALK;
    objective->generates |= self->latent == 2 ? LS_GENERATE_PLANE : 0;
    objective->x_rule = self->output == BERNOULLI ? &ls_pixels_rule : NULL;
    return true;
}

static void create(const vae *self, runs *runs, long rows, ls_workspace_use use)
{
    const size_t numbers = (size_t)(rows * self->latent);
    runs->encoder = ls_workspace_create(self->encoder, rows, use);
    runs->decoder = ls_workspace_create(self->decoder, rows, use);
    runs->noise = ls_alloc(numbers, sizeof(real));
    runs->z = ls_alloc(numbers, sizeof(real));
    if (self->binarize)
        runs->pixels = ls_alloc((size_t)(rows * self->width), sizeof(real));
}

static void compile(ls_objective *objective, long shard_rows, long chunk_rows)
{
    vae *self = objective->self;
    const runs *t = &self->training;
    self->encoder_learns =
        ls_net_learns(self->encoder, ls_net_all(self->encoder), &objective->phase[0].slots);
    self->chunk = chunk_rows;
    if (chunk_rows)
        create(self, &self->evaluation, chunk_rows, LS_INFERENCE);
    if (!shard_rows)
        return;
    create(self, &self->training, shard_rows, LS_TRAINING);
    self->dz = ls_alloc((size_t)(shard_rows * self->latent), sizeof(real));
    ls_objective_view_run(objective, self->encoder->name, t->encoder);
    ls_objective_view_run(objective, self->decoder->name, t->decoder);
    ls_objective_view_numbers(objective, "noise", t->noise, &self->decoder->x);
    if (self->binarize)
        ls_objective_view_numbers(objective, "pixels", t->pixels, &objective->task.x);
}

static size_t bytes_of(const vae *self, long rows, ls_workspace_use use)
{
    const long numbers = 3 * self->latent + (self->binarize ? self->width : 0);
    return rows == 0 ? 0
                     : ls_workspace_bytes(self->encoder, rows, use) +
                           ls_workspace_bytes(self->decoder, rows, use) +
                           (size_t)(rows * numbers) * sizeof(real);
}

static size_t bytes(const ls_objective *objective, long shard_rows, long chunk_rows)
{
    const vae *self = objective->self;
    return bytes_of(self, shard_rows, LS_TRAINING) + bytes_of(self, chunk_rows, LS_INFERENCE);
}

static double flops(const ls_objective *objective)
{
    const vae *self = objective->self;
    const ls_slots *slots = &objective->phase[0].slots;
    const ls_interval of_encoder = ls_net_all(self->encoder);
    const bool dx = ls_net_learns(self->encoder, of_encoder, slots);
    return ls_net_flops(self->encoder, of_encoder, slots, false) +
           ls_net_flops(self->decoder, ls_net_all(self->decoder), slots, dx);
}

/* The rows of a batch, or the pixels that are drawn by them. */
static const real *draw_pixels(const vae *self, const runs *runs, const ls_batch *rows,
                               const ls_pass *pass)
{
    if (!self->binarize)
        return rows->x;
    ls_pixels_binarize(
        ls_random_stream(pass->seed, LS_RANDOM_NOISE, pass->step, pass->draw, LS_STREAM_PIXELS),
        rows, pass->row, self->width, runs->pixels);
    return runs->pixels;
}

/* -ln p(x|z) of n numbers with the decoder's outputs y; dy[n] gets the slopes, unless it is NULL.
 */
static double reconstruct(const vae *self, long n, const real *y, const real *x, real *dy)
{
    if (self->output == BERNOULLI)
        return ls_pixels_bernoulli(n, y, x, dy);
    const double variance = self->sigma * self->sigma, squares = ls_pixels_squared(n, y, x, dy);
    const real scale = (real)(1 / variance);
    for (long i = 0; dy && self->sigma != 1 && i < n; i++)
        dy[i] *= scale;
    return squares / variance + (double)n * 0.5 * log(2 * M_PI * variance);
}

/* The share of beta in this epoch. */
static double beta_of(const vae *self, const ls_batch *batch, const ls_pass *pass)
{
    return pass->training && batch->epoch < self->warmup
               ? self->beta * (double)(batch->epoch + 1) / (double)(self->warmup + 1)
               : self->beta;
}

/* Both nets, and the sums; dy[rows, width], unless it is NULL, gets the slopes of the
 * reconstruction. Returns the outputs. */
static const real *run(const vae *self, const runs *runs, const ls_batch *batch,
                       const ls_pass *pass, real *dy, ls_sums *sums)
{
    const long rows = batch->rows;
    const real *x = draw_pixels(self, runs, batch, pass);
    const real *code = ls_workspace_forward(runs->encoder, pass, x, rows);
    ls_random_normals(
        ls_random_stream(pass->seed, LS_RANDOM_NOISE, pass->step, pass->draw, LS_STREAM_CODES),
        (uint64_t)pass->row, rows, self->latent, runs->noise);
    ls_posterior_draw(rows, self->latent, code, runs->noise, runs->z);
    const real *y = ls_workspace_forward(runs->decoder, pass, runs->z, rows);
    if (!sums)
        return y;
    const double reconstruction = reconstruct(self, rows * self->width, y, x, dy);
    const double divergence = ls_posterior_divergence(rows, self->latent, code);
    *sums =
        (ls_sums){.at = {[LS_SUM_WEIGHT] = (double)rows,
                         [LS_SUM_LOSS] = reconstruction + beta_of(self, batch, pass) * divergence,
                         [SUM_BOUND] = reconstruction + divergence,
                         [SUM_RECONSTRUCTION] = reconstruction,
                         [SUM_DIVERGENCE] = divergence}};
    return y;
}

static void gradient(ls_objective *objective, int phase, const ls_batch *shard, const ls_pass *pass,
                     ls_sums *sums)
{
    const vae *self = objective->self;
    const runs *t = &self->training;
    real *dy = ls_workspace_dy(t->decoder), *dcode = ls_workspace_dy(t->encoder);
    run(self, t, shard, pass, dy, sums);
    if (!pass->gradient)
        return;
    ls_objective_zero(objective, phase, pass->gradient);
    if (!self->encoder_learns) {
        ls_workspace_backward(t->decoder, pass, dy, NULL);
        return;
    }
    ls_pass first = *pass;
    first.finished = ls_net_share(self->encoder, self->decoder) ? NULL : pass->finished;
    ls_workspace_backward(t->decoder, &first, dy, self->dz);
    ls_posterior_slopes(shard->rows, self->latent,
                        ls_workspace_output(t->encoder, self->encoder->count - 1), t->noise,
                        self->dz, beta_of(self, shard, pass), dcode);
    ls_workspace_backward(t->encoder, pass, dcode, NULL);
}

static const real *evaluate(ls_objective *objective, const ls_batch *rows, const ls_pass *pass,
                            ls_sums *sums)
{
    const vae *self = objective->self;
    return run(self, &self->evaluation, rows, pass, NULL, sums);
}

/* What is wanted of the decoder: `count` draws of codes, of pairs (row, draw) from the pair `first`
 * on, row by row. The noise of a pair is a function of both, not of how many there are. */
typedef struct pairs {
    const real *x, *code; /* of all rows */
    long row, draws;      /* index of the first row; draws of each row */
    long first, count;
} pairs;

/* Draws the pairs' codes into `evaluation`. */
static void draw_codes(const vae *self, const ls_pass *pass, const pairs *p)
{
    const runs *e = &self->evaluation;
    const ls_random stream = ls_random_stream(pass->seed, LS_RANDOM_NOISE, 0, 0, LS_STREAM_DRAWS);
    for (long i = 0, n; i < p->count; i += n) {
        const long row = (p->first + i) / p->draws, draw = (p->first + i) % p->draws;
        n = ls_min(p->draws - draw, p->count - i);
        real *noise = e->noise + i * self->latent;
        ls_random_normals(stream, (uint64_t)(pass->row + row) << 32 | (uint64_t)draw, n,
                          self->latent, noise);
        for (long k = 0; k < n; k++)
            ls_posterior_draw(1, self->latent, p->code + row * 2 * self->latent,
                              noise + k * self->latent, e->z + (i + k) * self->latent);
    }
}

/* ln(e^a + e^b). */
static double add_logarithms(double a, double b)
{
    const double high = a > b ? a : b, low = a > b ? b : a;
    return low == -INFINITY ? high : high + log1p(exp(low - high));
}

/* estimate = ln 1/K sum over k of p(x|z_k) p(z_k) / q(z_k|x). */
static void assess(ls_objective *objective, const ls_batch *rows, const ls_pass *pass, long draws,
                   double *estimate)
{
    const vae *self = objective->self;
    const runs *e = &self->evaluation;
    const long latent = self->latent, width = self->width;
    pairs p = {.x = draw_pixels(self, e, rows, pass), .row = pass->row, .draws = draws};
    p.code = ls_workspace_forward(e->encoder, pass, p.x, rows->rows);
    for (long r = 0; r < rows->rows; r++)
        estimate[r] = -INFINITY;
    for (; p.first < rows->rows * draws; p.first += p.count) {
        p.count = ls_min(self->chunk, rows->rows * draws - p.first);
        draw_codes(self, pass, &p);
        const real *y = ls_workspace_forward(e->decoder, pass, e->z, p.count);
        for (long i = 0; i < p.count; i++) {
            const long row = (p.first + i) / draws;
            const double weight = ls_posterior_ratio(latent, p.code + row * 2 * latent,
                                                     e->noise + i * latent, e->z + i * latent) -
                                  reconstruct(self, width, y + i * width, p.x + row * width, NULL);
            estimate[row] = add_logarithms(estimate[row], weight);
        }
    }
    for (long r = 0; r < rows->rows; r++)
        estimate[r] -= log((double)draws);
}

/* The mean code of a given row. One by one, since a chunk may have a single row. */
static const real *encode_given(const vae *self, const ls_generation *what, int k,
                                const ls_pass *pass)
{
    const runs *e = &self->evaluation;
    ls_batch row = *what->given;
    row.rows = 1;
    row.x += k * self->width;
    row.row = row.row ? row.row + k : NULL;
    return ls_workspace_forward(e->encoder, pass, draw_pixels(self, e, &row, pass), 1);
}

static void generate(ls_objective *objective, const ls_pass *pass, const ls_generation *what,
                     long n, real *x)
{
    const vae *self = objective->self;
    const runs *e = &self->evaluation;
    const long latent = self->latent, width = self->width;
    if (what->kind == LS_GENERATE_WALK) {
        memcpy(e->noise, encode_given(self, what, 0, pass), (size_t)latent * sizeof(real));
        ls_latent_walk(e->noise, encode_given(self, what, 1, pass), latent, what->rows, pass->row,
                       n, e->z);
    } else if (what->kind == LS_GENERATE_PLANE) {
        ls_latent_plane(LS_LATENT_NORMAL, what->rows, pass->row, n, e->z);
    } else {
        ls_latent_draw(LS_LATENT_NORMAL,
                       ls_random_stream(pass->seed, LS_RANDOM_NOISE, 0, 0, LS_STREAM_PRIOR),
                       pass->row, n, latent, e->z);
    }
    const real *y = ls_workspace_forward(e->decoder, pass, e->z, n);
    ls_loss_values(objective->meaning, n, width, y, width, x);
}

static const char *trouble(const ls_objective *objective, const double *value)
{
    const double nothing = 0.01; /* nats: a code that tells one row in e^0.01 from others */
    return value[DIVERGENCE] < nothing
               ? "the codes are the same for all rows: the divergence kl is 0 (collapsed to the "
                 "prior); give the objective warmup=, or a smaller beta"
               : NULL;
}

static void doubt(const ls_objective *objective, double epochs, const ls_optimizer *optimizer,
                  char *text, size_t size)
{
    const vae *self = objective->self;
    text[0] = 0;
    if (self->warmup > 0 && (double)self->warmup >= epochs)
        snprintf(text, size,
                 "warmup=%ld, but the stage has %.4g epochs: beta ends at %.4g in place of %g, "
                 "which leaves the codes far from N(0, 1)",
                 self->warmup, epochs, self->beta * ceil(epochs) / (double)(self->warmup + 1),
                 self->beta);
}

static void destroy_runs(const runs *runs)
{
    ls_workspace_destroy(runs->encoder);
    ls_workspace_destroy(runs->decoder);
    ls_free(runs->noise);
    ls_free(runs->z);
    ls_free(runs->pixels);
}

static void destroy(ls_objective *objective)
{
    const vae *self = objective->self;
    destroy_runs(&self->training);
    destroy_runs(&self->evaluation);
    ls_free(self->dz);
}

const ls_objective_type ls_objective_vae = {
    .name = "vae",
    .help = "variational autoencoder: rebuilds each row from a code drawn from a normal "
            "distribution, which is held near N(0, 1); makes rows of codes from there",
    .size = sizeof(vae),
    .options = options,
    .setup = setup,
    .compile = compile,
    .bytes = bytes,
    .flops = flops,
    .gradient = gradient,
    .evaluate = evaluate,
    .generate = generate,
    .assess = assess,
    .advice = {.trouble = trouble, .doubt = doubt},
    .destroy = destroy,
};
