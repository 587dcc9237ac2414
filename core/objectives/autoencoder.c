/* autoencoder: two nets, an encoder and a decoder, that together rebuild each row of the data from
 * its code (Rumelhart, Hinton, Williams 1986; Hinton and Salakhutdinov 2006).
 *
 * With noise the encoder sees a row of which some numbers, drawn at random, are set to 0, and the
 * row as it was is to be rebuilt: the denoising autoencoder with masking noise of Vincent,
 * Larochelle, Lajoie, Bengio and Manzagol 2010.
 *
 * With pair=k only one layer of the encoder and its counterpart in the decoder learn: section 3.5
 * of that paper, layer by layer. A layer is a line with a weight and the lines that follow it, up
 * to the next with a weight; the counterpart of the k-th layer is the k-th from the end.
 *
 *              encoder                              decoder
 *     x --- layers below k --- h ~~~ layer k ---.
 *                              ^                 code
 *                   rebuilds h +--- layer k' ---'  (--- layers after k', to see rows of x)
 *
 * Layers below k are applied without noise and do not learn; what is above k is not computed. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/latent.h"
#include "core/memory.h"
#include "core/objective.h"
#include "core/pixels.h"
#include "core/random.h"
#include "core/vector_math.h"

enum { SUM_SQUARES = LS_SUM_LOSS + 1 };

/* The workspaces of one application, from x to the rebuilt row; NULL: no such layers. */
typedef struct chain {
    ls_workspace *below, *encode, *decode, *after;
} chain;

typedef struct autoencoder {
    char encoder_name[LS_WORD], decoder_name[LS_WORD];
    int loss; /* of losses */
    double noise;
    long pair; /* 0: all layers */
    const ls_net *encoder, *decoder;
    ls_interval encode, decode; /* the layers that learn: of the encoder, of the decoder */
    bool encoder_learns;        /* else all of these in the encoder are frozen */
    bool shared;                /* the decoder uses slots of the encoder */
    long code, width;           /* numbers of a code, and of what is rebuilt from it */
    chain training, evaluation;
    real *corrupted; /* [shard rows, width] what the encoder sees in training, with noise */
    uint32_t *bits;  /* [width] draws of a row */
    real *slope;     /* [chunk rows, width] of the loss, in evaluation */
    real *codes;     /* [2 + chunk rows, code] for `generate`: of the given rows, of its own */
} autoencoder;

/* The sum of the loss over n outputs y with goals x; dy[n] gets the slopes. For both losses these
 * are the rebuilt number less the true one. */
static const struct loss {
    const char *name;
    double (*sum)(long n, const real *y, const real *x, real *dy);
    const ls_target_rule *rule;
} losses[] = {{"squared-error", ls_pixels_squared, NULL},
              {"bce", ls_pixels_bernoulli, &ls_pixels_rule}};
enum { SQUARED_ERROR, BCE };
static const char *const loss_names[] = {"squared-error", "bce", NULL};

static const ls_option options[] = {
    {"loss", LS_OPTION_CHOICE, offsetof(autoencoder, loss), "squared-error", 0, 0, loss_names,
     "between a row and what is rebuilt of it, as in `lockstep list losses`; bce is for numbers "
     "from 0 to 1, and makes the decoder's outputs logits"},
    {"noise", LS_OPTION_REAL, offsetof(autoencoder, noise), "0", 0, 0.999, NULL,
     "in training each number that the encoder sees is set to 0 with this probability"},
    {"pair", LS_OPTION_INT, offsetof(autoencoder, pair), "0", 0, LS_LIST, NULL,
     "trains only this layer of the encoder, from 1, and its counterpart in the decoder, which "
     "rebuilds the layer's input (hidden units: by squared error); 0: trains all layers"},
    {"encoder", LS_OPTION_WORD, offsetof(autoencoder, encoder_name), "encoder", 0, 0, NULL,
     "the net that makes a code of a row"},
    {"decoder", LS_OPTION_WORD, offsetof(autoencoder, decoder_name), "decoder", 0, 0, NULL,
     "the net that makes a row of a code"},
    {0}};

static bool has_weight(const ls_layer *layer)
{
    for (int k = 0; k < layer->slots; k++)
        if (layer->params->slots[layer->slot[k]].kind == LS_SLOT_WEIGHT)
            return true;
    return false;
}

static long count_weights(const ls_net *net)
{
    long count = 0;
    for (int i = 0; i < net->count; i++)
        count += has_weight(net->layers[i]);
    return count;
}

/* The lines of the k-th layer with a weight, counted from 1. */
static ls_interval find_pair(const ls_net *net, long k)
{
    ls_interval lines = {0, net->count};
    long seen = 0;
    for (int i = net->count - 1; i >= 0; i--) {
        if (!has_weight(net->layers[i]))
            continue;
        seen++;
        if (seen == count_weights(net) - k)
            lines.end = i;
        if (seen == count_weights(net) - k + 1)
            lines.begin = k == 1 ? 0 : i;
    }
    return lines;
}

/* These lines, but for the first, read nothing above the first. */
static bool check_chain(const ls_net *net, ls_interval lines, ls_error *error)
{
    for (long i = lines.begin; i < net->count; i++)
        for (int k = 0; k < net->layers[i]->inputs; k++)
            if (net->layers[i]->input[k] < lines.begin - 1)
                return ls_error_set(error, LS_USAGE,
                                    "pair=: the net %s cannot be cut above %s, since %s reads an "
                                    "earlier line; train it as a whole",
                                    net->name, net->layers[lines.begin]->name,
                                    net->layers[i]->name);
    return true;
}

/* The shape of a row that enters these lines. */
static const ls_shape *input_of(const ls_net *net, ls_interval lines)
{
    return lines.begin > 0 ? &net->layers[lines.begin - 1]->y : &net->x;
}

static const ls_shape *output_of(const ls_net *net, ls_interval lines)
{
    return &net->layers[lines.end - 1]->y;
}

static bool choose_layers(autoencoder *self, ls_error *error)
{
    const ls_net *encoder = self->encoder, *decoder = self->decoder;
    const long layers = count_weights(encoder), back = count_weights(decoder);
    self->encode = ls_net_all(encoder);
    self->decode = ls_net_all(decoder);
    if (self->pair == 0)
        return true;
    if (layers != back || self->pair > layers)
        return ls_error_set(error, LS_USAGE,
                            "pair=%ld: the net %s has %ld layers with weights, and %s has %ld; "
                            "expected as many in both, and this pair among them",
                            self->pair, encoder->name, layers, decoder->name, back);
    self->encode = find_pair(encoder, self->pair);
    self->decode = find_pair(decoder, layers + 1 - self->pair);
    return check_chain(encoder, self->encode, error) && check_chain(decoder, self->decode, error) &&
           check_chain(decoder, (ls_interval){self->decode.end, decoder->count}, error);
}

static bool check_shapes(const autoencoder *self, ls_error *error)
{
    const ls_net *encoder = self->encoder, *decoder = self->decoder;
    const ls_shape *code = output_of(encoder, self->encode);
    const ls_shape *taken = input_of(decoder, self->decode);
    const ls_shape *seen = input_of(encoder, self->encode);
    const ls_shape *rebuilt = output_of(decoder, self->decode);
    char a[96], b[96];
    if (ls_shape_count(code) != ls_shape_count(taken))
        return ls_error_set(error, LS_USAGE,
                            "the net %s makes codes of %s, but the net %s takes %s: give it the "
                            "line `input %ld`",
                            encoder->name, ls_shape_text(code, a, sizeof a), decoder->name,
                            ls_shape_text(taken, b, sizeof b), ls_shape_count(code));
    return self->pair == 0 || ls_shape_count(rebuilt) == ls_shape_count(seen) ||
           ls_error_set(error, LS_USAGE,
                        "pair=%ld: %s makes %ld numbers of the code, but is to rebuild the %ld "
                        "that %s reads",
                        self->pair, decoder->layers[self->decode.end - 1]->name,
                        ls_shape_count(rebuilt), ls_shape_count(seen),
                        encoder->layers[self->encode.begin]->name);
}

static bool setup(ls_objective *objective, ls_error *error)
{
    autoencoder *self = objective->self;
    const ls_task *task = &objective->task;
    self->encoder = ls_objective_net(objective, self->encoder_name, error);
    self->decoder = self->encoder ? ls_objective_net(objective, self->decoder_name, error) : NULL;
    if (!self->decoder || !choose_layers(self, error) ||
        !ls_objective_takes(objective, self->encoder, error) || !check_shapes(self, error) ||
        !ls_objective_makes(objective, self->decoder, error))
        return false;
    self->code = ls_shape_count(output_of(self->encoder, self->encode));
    self->width = ls_shape_count(output_of(self->decoder, self->decode));
    objective->phases = 1;
    objective->phase[0] = (ls_phase){.name = "autoencoder", .times = 1, .fresh_batch = true};
    ls_net_add_slots(self->encoder, self->encode, &objective->phase[0].slots);
    ls_net_add_slots(self->decoder, self->decode, &objective->phase[0].slots);
    objective->metrics = 2;
    objective->metric[0] = (ls_metric){.name = "loss", .sum = LS_SUM_LOSS, .lower = true};
    objective->metric[1] = (ls_metric){.name = "mse", .sum = SUM_SQUARES, .lower = true};
    objective->output = task->x;
    objective->meaning = &ls_loss_find(losses[self->loss].name, error)->meaning;
    if (self->decode.end == self->decoder->count) { /* else the loss compares hidden units */
        objective->outputs.logits = self->loss == BCE ? self->decoder : NULL;
        objective->outputs.rows = self->loss == BCE ? NULL : self->decoder;
    }
    objective->outputs.rebuilds = true;
    objective->generates = LS_GENERATE_WALK | (self->code == 2 ? LS_GENERATE_PLANE : 0);
    objective->x_rule = losses[self->loss].rule;
    return true;
}

static ls_workspace *create(const ls_net *net, long begin, long end, long rows,
                            ls_workspace_use use)
{
    return begin == end ? NULL
                        : ls_workspace_create_part(net, (ls_interval){begin, end}, rows, use);
}

static void compile_training(ls_objective *objective, long rows)
{
    autoencoder *self = objective->self;
    const ls_net *encoder = self->encoder;
    chain *t = &self->training;
    t->below = create(encoder, 0, self->encode.begin, rows, LS_INFERENCE);
    t->encode = ls_workspace_create_part(encoder, self->encode, rows, LS_TRAINING);
    t->decode = ls_workspace_create_part(self->decoder, self->decode, rows, LS_TRAINING);
    self->encoder_learns = ls_net_learns(encoder, self->encode, &objective->phase[0].slots);
    self->shared = ls_net_share(encoder, self->decoder);
    ls_objective_view_run(objective, encoder->name, t->encode);
    ls_objective_view_run(objective, self->decoder->name, t->decode);
    if (t->below)
        ls_objective_view_numbers(objective, "target",
                                  ls_workspace_output(t->below, (int)self->encode.begin - 1),
                                  input_of(encoder, self->encode));
    if (self->noise == 0)
        return;
    self->corrupted = ls_alloc((size_t)(rows * self->width), sizeof(real));
    self->bits = ls_alloc((size_t)self->width, sizeof *self->bits);
    ls_objective_view_numbers(objective, "corrupted", self->corrupted,
                              input_of(encoder, self->encode));
}

static void compile(ls_objective *objective, long shard_rows, long chunk_rows)
{
    autoencoder *self = objective->self;
    chain *e = &self->evaluation;
    if (shard_rows)
        compile_training(objective, shard_rows);
    if (!chunk_rows)
        return;
    e->below = create(self->encoder, 0, self->encode.begin, chunk_rows, LS_INFERENCE);
    e->encode = ls_workspace_create_part(self->encoder, self->encode, chunk_rows, LS_INFERENCE);
    e->decode = ls_workspace_create_part(self->decoder, self->decode, chunk_rows, LS_INFERENCE);
    e->after =
        create(self->decoder, self->decode.end, self->decoder->count, chunk_rows, LS_INFERENCE);
    self->slope = ls_alloc((size_t)(chunk_rows * self->width), sizeof(real));
    self->codes = ls_alloc((size_t)((chunk_rows + 2) * self->code), sizeof(real));
}

static size_t bytes_of(const ls_net *net, long begin, long end, long rows, ls_workspace_use use)
{
    return begin == end || rows == 0
               ? 0
               : ls_workspace_bytes_part(net, (ls_interval){begin, end}, rows, use);
}

static size_t bytes(const ls_objective *objective, long shard_rows, long chunk_rows)
{
    const autoencoder *self = objective->self;
    const ls_net *e = self->encoder, *d = self->decoder;
    const ls_interval *code = &self->encode, *back = &self->decode;
    const long rows[] = {shard_rows, chunk_rows};
    const long own = shard_rows * (self->noise > 0 ? self->width : 0) +
                     (chunk_rows ? chunk_rows * self->width + (chunk_rows + 2) * self->code : 0);
    size_t sum = (size_t)own * sizeof(real);
    for (int k = 0; k < 2; k++) {
        const ls_workspace_use use = k == 0 ? LS_TRAINING : LS_INFERENCE;
        sum += bytes_of(e, 0, code->begin, rows[k], LS_INFERENCE) +
               bytes_of(e, code->begin, code->end, rows[k], use) +
               bytes_of(d, back->begin, back->end, rows[k], use);
    }
    return sum + bytes_of(d, back->end, d->count, chunk_rows, LS_INFERENCE);
}

static double flops(const ls_objective *objective)
{
    const autoencoder *self = objective->self;
    const ls_slots *slots = &objective->phase[0].slots;
    const bool dx = ls_net_learns(self->encoder, self->encode, slots);
    return ls_net_flops(self->encoder, (ls_interval){0, self->encode.begin}, NULL, false) +
           ls_net_flops(self->encoder, self->encode, slots, false) +
           ls_net_flops(self->decoder, self->decode, slots, dx);
}

static const real *apply(ls_workspace *space, const ls_pass *pass, const real *x, long rows)
{
    return space ? ls_workspace_forward(space, pass, x, rows) : x;
}

static LS_CLONES void mask(long n, const uint32_t *restrict bits, uint32_t dropped,
                           const real *restrict x, real *restrict y)
{
    for (long i = 0; i < n; i++)
        y[i] = bits[i] < dropped ? 0 : x[i];
}

/* Sets each number of x to 0 with the probability `noise`; which ones, is a function of (seed,
 * step, draw, row). */
static const real *corrupt(const autoencoder *self, const ls_pass *pass, const real *x, long rows)
{
    const uint32_t dropped = (uint32_t)llround(self->noise * 0x1p32); /* of the 2^32 draws */
    const ls_random stream =
        ls_random_stream(pass->seed, LS_RANDOM_NOISE, pass->step, pass->draw, 0);
    for (long r = 0; r < rows; r++) {
        ls_random_bits(stream, (uint64_t)(pass->row + r), self->bits, self->width);
        mask(self->width, self->bits, dropped, x + r * self->width,
             self->corrupted + r * self->width);
    }
    return self->corrupted;
}

/* Loss and squared error of outputs y[rows, width] that are to be x; dy gets the slopes. Hidden
 * units are any numbers: they are compared by squared error. */
static void measure(const autoencoder *self, long rows, const real *y, const real *x, real *dy,
                    ls_sums *sums)
{
    const struct loss *loss = &losses[self->pair > 1 ? SQUARED_ERROR : self->loss];
    const long n = rows * self->width;
    *sums = (ls_sums){.at[LS_SUM_WEIGHT] = (double)rows};
    sums->at[LS_SUM_LOSS] = loss->sum(n, y, x, dy);
    const double squares = loss->rule ? ls_math_dot(n, dy, dy) : 2 * sums->at[LS_SUM_LOSS];
    sums->at[SUM_SQUARES] = squares / (double)self->width;
}

static void gradient(ls_objective *objective, int phase, const ls_batch *shard, const ls_pass *pass,
                     ls_sums *sums)
{
    autoencoder *self = objective->self;
    const chain *t = &self->training;
    const long rows = shard->rows;
    ls_pass clean = *pass, first = *pass; /* first: of the decoder */
    clean.training = false;
    const real *x = apply(t->below, &clean, shard->x, rows);
    const real *seen = pass->training && self->noise > 0 ? corrupt(self, pass, x, rows) : x;
    const real *code = ls_workspace_forward(t->encode, pass, seen, rows);
    const real *y = ls_workspace_forward(t->decode, pass, code, rows);
    measure(self, rows, y, x, ls_workspace_dy(t->decode), sums);
    if (!pass->gradient)
        return;
    ls_objective_zero(objective, phase, pass->gradient);
    if (!self->encoder_learns) {
        ls_workspace_backward(t->decode, pass, ls_workspace_dy(t->decode), NULL);
        return;
    }
    first.finished = self->shared ? NULL : pass->finished;
    ls_workspace_backward(t->decode, &first, ls_workspace_dy(t->decode),
                          ls_workspace_dy(t->encode));
    ls_workspace_backward(t->encode, pass, ls_workspace_dy(t->encode), NULL);
}

static const real *evaluate(ls_objective *objective, const ls_batch *rows, const ls_pass *pass,
                            ls_sums *sums)
{
    autoencoder *self = objective->self;
    const chain *e = &self->evaluation;
    const real *x = apply(e->below, pass, rows->x, rows->rows);
    const real *code = ls_workspace_forward(e->encode, pass, x, rows->rows);
    const real *y = ls_workspace_forward(e->decode, pass, code, rows->rows);
    if (sums)
        measure(self, rows->rows, y, x, self->slope, sums);
    return apply(e->after, pass, y, rows->rows);
}

/* Puts the code of a row of the data into code[self->code]. */
static void encode_row(autoencoder *self, const ls_pass *pass, const real *x, real *code)
{
    const real *entering = apply(self->evaluation.below, pass, x, 1);
    const real *y = ls_workspace_forward(self->evaluation.encode, pass, entering, 1);
    memcpy(code, y, (size_t)self->code * sizeof *code);
}

static void generate(ls_objective *objective, const ls_pass *pass, const ls_generation *what,
                     long n, real *x)
{
    autoencoder *self = objective->self;
    const long width = ls_shape_count(&objective->task.x);
    real *codes = self->codes + 2 * self->code;
    if (what->kind == LS_GENERATE_WALK) {
        for (int k = 0; k < 2; k++)
            encode_row(self, pass, what->given->x + k * width, self->codes + k * self->code);
        ls_latent_walk(self->codes, self->codes + self->code, self->code, what->rows, pass->row, n,
                       codes);
    } else {
        ls_latent_plane(LS_LATENT_NORMAL, what->rows, pass->row, n, codes);
    }
    const real *rebuilt = ls_workspace_forward(self->evaluation.decode, pass, codes, n);
    const real *y = apply(self->evaluation.after, pass, rebuilt, n);
    ls_loss_values(objective->meaning, n, width, y, width, x);
}

static void destroy_chain(const chain *c)
{
    ls_workspace_destroy(c->below);
    ls_workspace_destroy(c->encode);
    ls_workspace_destroy(c->decode);
    ls_workspace_destroy(c->after);
}

static void destroy(ls_objective *objective)
{
    autoencoder *self = objective->self;
    destroy_chain(&self->training);
    destroy_chain(&self->evaluation);
    ls_free(self->corrupted);
    ls_free(self->bits);
    ls_free(self->slope);
    ls_free(self->codes);
}

const ls_objective_type ls_objective_autoencoder = {
    .name = "autoencoder",
    .help = "rebuilds each row from its code, by an encoder and a decoder; noise= for a denoising "
            "one, pair= to train layer by layer",
    .size = sizeof(autoencoder),
    .options = options,
    .setup = setup,
    .compile = compile,
    .bytes = bytes,
    .flops = flops,
    .gradient = gradient,
    .evaluate = evaluate,
    .generate = generate,
    .destroy = destroy,
};
