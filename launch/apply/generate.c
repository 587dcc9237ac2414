/* generate: rows that a trained model makes by itself, as a picture or as a data set. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "core/spec.h"
#include "io/histogram.h"
#include "io/picture.h"
#include "io/png.h"
#include "launch/apply/forward.h"
#include "launch/apply/generate_text.h"
#include "launch/session/generation.h"

/* Rows of the data that a generation begins with. */
typedef struct given {
    int count;
    int64_t row[LS_LIST];
} given;

/* "3,17": the numbers of rows of the data, from 0. */
static bool read_given(const char *text, given *rows)
{
    char *end = NULL;
    bool ok = true;
    rows->count = 0;
    for (const char *at = text; ok && (!end || *end); at = end + 1) {
        const long row = strtol(at, &end, 10);
        ok = end != at && row >= 0 && (*end == ',' || !*end) && rows->count < LS_LIST;
        if (ok)
            rows->row[rows->count++] = row;
    }
    return ok;
}

static void check_chains(const ls_forward_arguments *a, long chains, const struct argp_state *state)
{
    if (a->rows && chains && (a->picture.from || a->picture.chains) && a->rows % chains)
        argp_error(state,
                   "--rows=%ld: expected as many for each of the %ld chains: a multiple of that",
                   a->rows, chains);
    if (a->picture.steps && (a->picture.walk || a->picture.plane))
        argp_error(state, "--steps are of Gibbs sampling: --walk and --plane take none");
}

static void check_plane(const ls_forward_arguments *a, const struct argp_state *state)
{
    const long side = lround(sqrt((double)a->rows));
    if (a->picture.plane && a->rows != side * side)
        argp_error(state, "--rows=%ld: a plane is a square of codes: --rows %ld", a->rows,
                   side > 0 ? side * side : 1);
}

/* What is asked for of a net of text. */
static bool asks_text(const ls_forward_arguments *a)
{
    return a->text.prime || a->text.length >= 0 || a->text.top >= 0 || a->text.temperature >= 0;
}

/* What is asked for of all others. */
static bool asks_rows(const ls_forward_arguments *a)
{
    return a->rows || a->picture.walk || a->picture.plane || a->picture.from || a->picture.chains ||
           a->picture.steps;
}

static void read_temperature(void *arguments, const char *text, const struct argp_state *state)
{
    double *to = &((ls_forward_arguments *)arguments)->text.temperature;
    if (!ls_parse_double(text, to) || !(*to >= 0 && *to <= 1000))
        argp_error(state, "--temperature: expected a number from 0 to 1000, found '%s'", text);
}

static void check_arguments(const void *context, const struct argp_state *state)
{
    const ls_forward_arguments *a = context;
    given rows = {.count = 0};
    ls_error error;
    if ((a->picture.walk != NULL) + a->picture.plane + (a->picture.from != NULL) +
            (a->picture.chains > 0) >
        1)
        argp_error(state, "--walk, --plane, --from and --chains are pictures of their own: give "
                          "one of them");
    if (a->picture.walk && (!read_given(a->picture.walk, &rows) || rows.count != 2))
        argp_error(state,
                   "--walk=%s: expected the numbers of two rows of the data, from 0: --walk 3,17",
                   a->picture.walk);
    check_plane(a, state);
    if (a->picture.from && !read_given(a->picture.from, &rows))
        argp_error(state,
                   "--from=%s: expected the numbers of up to %d rows of the data, from 0: "
                   "--from 3,17,5",
                   a->picture.from, LS_LIST);
    if (asks_text(a) && asks_rows(a))
        argp_error(state,
                   "--prime, --length, --temperature and --top write text: rows and pictures "
                   "have options of their own");
    if (!a->picture.walk && !a->picture.from && a->split >= 0)
        argp_error(state, "--split names the rows to begin with: it goes with --walk A,B or "
                          "--from A,B,...");
    check_chains(a, a->picture.from ? rows.count : a->picture.chains, state);
    if (!ls_png_ending(a->output) && !ls_rowfile_ending(a->output, LS_ROWFILE_HDF5, &error))
        argp_error(state,
                   "%s: expected an output that ends in .png or .h5 (a net of text writes to the "
                   "standard output: leave -o out, or redirect it: > FILE)",
                   a->output);
}

static const ls_command_option options[] = {
    {"rows", 'n', "N", "how many (default: 64; of a walk 16; of a plane 400; 16 of each chain)",
     LS_COMMAND_LONG, LS_FORWARD_AT(rows), .low = 1, .high = 1000000000},
    {"seed", 0, "S", "other samples (default: the seed of the job)", LS_COMMAND_LONG,
     LS_FORWARD_AT(seed), .low = 0, .high = INT64_MAX},
    {"walk", 0, "A,B", "go from the code of row A of the data to that of row B", LS_COMMAND_TEXT,
     LS_FORWARD_AT(picture.walk)},
    {"plane", 0, NULL, "a square of codes, for a latent space of two numbers",
     LS_FORWARD_AT(picture.plane)},
    {"from", 0, "A,B,...",
     "run a chain of Gibbs sampling from each of these rows of the data: a line of the picture",
     LS_COMMAND_TEXT, LS_FORWARD_AT(picture.from)},
    {"chains", 0, "N", "run N such chains from noise", LS_COMMAND_LONG,
     LS_FORWARD_AT(picture.chains), .low = 1, .high = 1000000},
    {"steps", 0, "N",
     "steps of Gibbs sampling before a sample (default: 1000), or from row to row of a chain "
     "(default: 10)",
     LS_COMMAND_LONG, LS_FORWARD_AT(picture.steps), .low = 1, .high = 1000000000},
    {"prime", 0, "TEXT",
     "text: what it begins with (default: what comes after a line break; where the text has none, "
     "after an unknown token, or after its most frequent one)",
     LS_COMMAND_TEXT, LS_FORWARD_AT(text.prime)},
    {"length", 0, "N", "text: how many tokens follow (default: 400)", LS_COMMAND_LONG,
     LS_FORWARD_AT(text.length), .low = 0, .high = INT64_MAX},
    {"temperature", 0, "T",
     "text: divides the logits: below 1 likely tokens become likelier; 0: always the likeliest "
     "(default: 1)",
     LS_COMMAND_OWN, .read = read_temperature},
    {"top", 0, "K", "text: draw from the K likeliest tokens (default: from all)", LS_COMMAND_LONG,
     LS_FORWARD_AT(text.top), .low = 1, .high = INT64_MAX},
    LS_FORWARD_OUTPUT("grid.png or rows.h5, the file to write (default: generated.png)"),
    {"split", 0, "train|valid|test",
     "with --walk and --from: where these rows stand (default: test)", LS_COMMAND_CHOICE,
     LS_FORWARD_AT(split)},
    {"stage", 0, "N",
     "take the objective of this stage, from 0 (default: the last that makes such rows); of a run "
     "directory the parameters as it left them",
     LS_COMMAND_LONG, LS_FORWARD_AT(stage), .low = 0, .high = 1000000},
    LS_FORWARD_COMMON,
    {.name = NULL}};

const ls_usage ls_usage_generate = {
    .options = options,
    .check = check_arguments,
    .arguments = "RUN|CHECKPOINT|JOB.yaml",
    .about =
        "Makes rows like those of the data by a trained generative model, alone or under "
        "mpirun: samples, or with --walk the points between two rows of the data, or with "
        "--plane all that two latent numbers stand for, or with --from and --chains the "
        "states of a restricted Boltzmann machine on its way. Row i is a function of the seed and "
        "i, on any number of ranks. What is written are means of the last draw: of pixels given "
        "their code, of visible units given the hidden ones; a GAN's samples are rows themselves. "
        "A .png shows the rows as a grid of tiles (rows of one number as a histogram); a .h5 holds "
        "them as train/x, without what "
        "`transform:` makes of values, so that train and predict take it as a data set. The "
        "data set is needed for --walk and --from, and beside a .safetensors file, which does not "
        "say what rows are like; the histogram shows its rows too, if it is there. A net that was "
        "trained on text, on `lockstep import text`'s, writes text to the "
        "standard output, token by token, a function of seed and prime, and never draws the token "
        "for unknown ones. " LS_FORWARD_SOURCE,
    .more = "Examples:\n"
            "  lockstep generate runs/vae -o grid.png\n"
            "  lockstep generate runs/vae --walk 3,17 -o walk.png\n"
            "  lockstep generate runs/rbm --from 0,1,2,3 --steps 100 -o chains.png\n"
            "  lockstep generate runs/novels --prime \"It is \" --length 400 --temperature 0.7\n"
            "  mpirun -n 4 lockstep generate runs/gan --rows 10000 --seed 7 -o fake.h5",
    .arguments_min = 1,
    .arguments_max = 1,
};

/* The kinds of generation, with the words for them. */
static const struct kind {
    ls_generation_kind kind;
    const char *words; /* what it makes */
    const char *needs; /* "needs ..." of a model */
    long rows;         /* where --rows says nothing; of each chain */
} kinds[] = {
    {LS_GENERATE_PRIOR, "samples", "need a distribution that codes are drawn from", 64},
    {LS_GENERATE_WALK, "a walk (--walk)", "needs a net that makes codes of rows", 16},
    {LS_GENERATE_PLANE, "a plane (--plane)", "needs codes of two numbers", 400},
    {LS_GENERATE_CHAINS, "chains (--from, --chains)", "need a restricted Boltzmann machine", 16}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct kind *kind_of(const ls_forward_arguments *a)
{
    return &kinds[a->picture.walk                        ? 1
                  : a->picture.plane                     ? 2
                  : a->picture.from || a->picture.chains ? 3
                                                         : 0];
}

/* "; of this job, stage(s) 0, 1 can" make what is asked for: for the end of a refusal. "" if none
 * can. Into text[size]; returns text. */
static const char *list_stages(const ls_job *job, const ls_task *task, const struct kind *asked,
                               char *text, size_t size)
{
    char list[256] = "", number[16];
    for (int s = 0; s < job->stages; s++) {
        ls_error why;
        ls_objective *objective = ls_objective_create(job->stage[s].objective, task, &why);
        snprintf(number, sizeof number, "%d", s);
        if (objective && objective->generates & (int)asked->kind)
            ls_format_join(list, sizeof list, number);
        if (objective)
            ls_objective_destroy(objective);
    }
    text[0] = 0;
    if (*list)
        snprintf(text, size, "; of this job, stage(s) %s can", list);
    return text;
}

/* The error says what is made instead, or which objectives make rows; then `stages`. */
static bool refuse(const char *objective, int makes, const struct kind *asked, const char *stages,
                   ls_error *error)
{
    char list[512] = "";
    bool able = false; /* with another net */
    for (int k = 0; k < KINDS; k++)
        if (makes & (int)kinds[k].kind)
            ls_format_join(list, sizeof list, kinds[k].words);
    for (int k = 0; !makes && ls_objective_types[k]; k++)
        if (ls_objective_types[k]->generate) {
            ls_format_join(list, sizeof list, ls_objective_types[k]->name);
            able = able || strcmp(ls_objective_types[k]->name, objective) == 0;
        }
    if (makes)
        return ls_error_set(error, LS_USAGE,
                            "%s can't make %s, which %s: of this model it makes %s%s", objective,
                            asked->words, asked->needs, list, stages);
    return ls_error_set(error, LS_USAGE, "the objective %s makes no rows%s; those that do: %s%s",
                        objective, able ? " with this net (`lockstep list objectives`)" : "",
                        *list ? list : "none", stages);
}

/* The objective of the stage that --stage names, or of the last that makes what is asked for: then
 * *stage. The caller destroys it. */
static ls_objective *find_objective(const ls_forward *f, int *stage, ls_error *error)
{
    const ls_job *job = f->saved.job;
    const struct kind *asked = kind_of(&f->arguments);
    ls_task task = f->saved.session.task;
    task.inference = true;
    char last[LS_WORD] = "", stages[320];
    int makes = 0, least = f->arguments.stage >= 0 ? f->stage : 0;
    for (*stage = f->stage; *stage >= least; --*stage) {
        ls_objective *objective = ls_objective_create(job->stage[*stage].objective, &task, error);
        if (!objective || objective->generates & (int)asked->kind)
            return objective;
        if (!*last || (!makes && objective->generates))
            snprintf(last, sizeof last, "%s", objective->type->name);
        makes |= objective->generates;
        ls_objective_destroy(objective);
    }
    refuse(last, makes, asked, list_stages(job, &task, asked, stages, sizeof stages), error);
    return NULL;
}

/* What becomes of the rows, on rank 0. */
typedef struct sink {
    ls_rowfile *file; /* NULL: they are kept, for a picture */
    real *x;          /* [rows, width], all of a picture */
    long rows;        /* made so far */
    long width;
} sink;

static bool collect(void *context, long rows, const real *x, ls_error *error)
{
    sink *s = context;
    const void *const values[] = {x};
    for (long i = 0; i < rows * s->width; i++)
        if (!isfinite(x[i]))
            return ls_error_set(error, LS_NUMERIC,
                                "row %ld that the model makes holds %g: its parameters are broken, "
                                "or its chains run away (a machine of gaussian and nrelu units may "
                                "have no distribution: train it with a smaller rate, or decay)",
                                s->rows + i / s->width, (double)x[i]);
    if (!s->file)
        memcpy(s->x + s->rows * s->width, x, (size_t)(rows * s->width) * sizeof *x);
    s->rows += rows;
    return !s->file || ls_rowfile_add(s->file, rows, values, error);
}

/* How a row is drawn; rows of one number (whose rank becomes 0) as a histogram. */
static bool plan_picture(const ls_forward *f, const ls_generation *what, ls_picture *picture,
                         ls_error *error)
{
    const long line = what->kind == LS_GENERATE_WALK && what->rows <= 32 ? what->rows : what->each;
    char shape[96];
    const ls_shape *x = &f->saved.session.task.x;
    *picture = (ls_picture){.columns = line};
    if (ls_shape_count(x) == 1)
        return true;
    if (!ls_picture_shape(x, &picture->row))
        return ls_error_set(error, LS_USAGE,
                            "%s: rows of the shape %s are no pictures; write them as a data set: "
                            "-o rows.h5",
                            f->arguments.output, ls_shape_text(x, shape, sizeof shape));
    return ls_picture_check(f->arguments.output, picture, what->rows, error);
}

/* The first rows of a split, of one number each, at most h->made_count of them: to be freed.
 * NULL and an error. */
static real *read_numbers(ls_dataset *data, ls_split_id id, ls_histogram *h, ls_error *error)
{
    char text[96];
    const ls_split *split = ls_dataset_split(data, id);
    if (!split->present || ls_shape_count(&split->row) != 1) {
        ls_error_set(error, LS_DATA, "%s: has rows of %s in %s; expected rows of one number",
                     ls_dataset_path(data), ls_shape_text(&split->row, text, sizeof text),
                     split->name);
        return NULL;
    }
    h->data_count = ls_min(h->made_count, split->x.rows);
    int64_t *row = ls_alloc((size_t)h->data_count, sizeof *row);
    real *x = ls_alloc((size_t)h->data_count, sizeof *x);
    for (long i = 0; i < h->data_count; i++)
        row[i] = i;
    const bool ok = ls_dataset_read(data, id, row, h->data_count, NULL, x, NULL, error);
    ls_free(row);
    if (ok) {
        ls_dataset_untransform(data, h->data_count, x);
        return x;
    }
    ls_free(x);
    return NULL;
}

static bool write_histogram(const ls_forward *f, const sink *s, ls_error *error)
{
    const ls_job *job = f->saved.job;
    ls_histogram h = {.made = s->x, .made_count = s->rows};
    ls_dataset *data = ls_dataset_open(job->data, error);
    real *x = data && ls_dataset_transform(data, job->transform, error)
                  ? read_numbers(data, ls_generation_split(job, data), &h, error)
                  : NULL;
    h.data = x;
    h.data_count = x ? h.data_count : 0;
    ls_dataset_close(data);
    const bool ok = (x || !f->arguments.data) && /* what the run was trained on may be elsewhere */
                    ls_histogram_write(f->arguments.output, &h, error);
    if (ok && x)
        ls_print(stdout,
                 "the histogram is %.4f nats from that of %ld rows of the data (Jensen-Shannon)\n",
                 ls_histogram_divergence(&h), h.data_count);
    ls_free(x);
    return ok;
}

static bool write_picture(const ls_forward *f, ls_picture *picture, const sink *s, ls_error *error)
{
    if (!picture->row.rank)
        return write_histogram(f, s, error);
    ls_picture_range(s->x, s->rows * s->width, &picture->least, &picture->most);
    return ls_picture_write(f->arguments.output, picture, s->x, s->rows, error);
}

static bool begin_file(ls_forward *f, long rows, uint64_t seed, ls_error *error)
{
    char text[32];
    const ls_rowfile_array array = {"train/x", f->saved.session.task.x, LS_ROWFILE_REALS};
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    return ls_forward_begin(f, error) && ls_rowfile_text(f->file, "/", "seed", text, error) &&
           ls_rowfile_begin(f->file, &array, 1, rows, error);
}

/* **Collective.** Makes the rows, and writes the file. */
static bool make(ls_forward *f, ls_objective *objective, const ls_generation *what, uint64_t seed,
                 ls_error *error)
{
    const char *output = f->arguments.output;
    bool first = f->comm->rank == 0, picture = ls_png_ending(output);
    sink s = {.width = ls_shape_count(&objective->task.x)};
    ls_picture tiles;
    bool begun = !first || (picture ? plan_picture(f, what, &tiles, error)
                                    : begin_file(f, what->rows, seed, error));
    if (!ls_comm_agree(f->comm, begun, error))
        return false;
    const long chunk = ls_generation_chunk(objective, what->rows);
    s.file = f->file;
    s.x = first && picture ? ls_alloc((size_t)(what->rows * s.width), sizeof(real)) : NULL;
    const ls_generation_plan plan = {.comm = f->comm,
                                     .objective = objective,
                                     .data = f->saved.session.data,
                                     .seed = seed,
                                     .collect = collect,
                                     .context = &s};
    objective->type->compile(objective, 0, chunk);
    bool ok = ls_generation_run(&plan, what, error);
    if (ok && picture)
        ok = ls_comm_agree(f->comm, !first || write_picture(f, &tiles, &s, error), error);
    ls_free(s.x);
    return ok && ls_forward_finish(f, error);
}

/* Reads the rows of the data that are named into x[count, width]. */
static bool read_rows(const ls_forward *f, const given *rows, real *x, ls_error *error)
{
    const ls_forward_arguments *a = &f->arguments;
    for (int i = 0; i < rows->count; i++)
        if (rows->row[i] >= f->split->x.rows)
            return ls_error_set(error, LS_USAGE, "--%s=%s: %s of %s has the rows 0 to %ld",
                                a->picture.walk ? "walk" : "from",
                                a->picture.walk ? a->picture.walk : a->picture.from, f->split->name,
                                f->saved.job->data, f->split->x.rows - 1);
    return ls_dataset_read(f->saved.session.data, f->split_id, rows->row, rows->count, NULL, x,
                           NULL, error);
}

/* What the arguments ask for; `batch` are the rows of the data to begin with. */
static ls_generation plan_rows(const ls_forward_arguments *a, const ls_batch *batch)
{
    const struct kind *kind = kind_of(a);
    const long chains = kind->kind != LS_GENERATE_CHAINS ? 1
                        : a->picture.from                ? batch->rows
                                                         : a->picture.chains;
    const long rows = a->rows ? a->rows : chains * kind->rows;
    return (ls_generation){.kind = kind->kind,
                           .rows = rows,
                           .given = batch->rows ? batch : NULL,
                           .each = kind->kind == LS_GENERATE_CHAINS ? rows / chains : 0,
                           .steps = a->picture.steps};
}

/* Whether a data set is named of which nothing is read, not even the shape of its rows: then an
 * LS_USAGE error. */
static bool check_data(const ls_forward *f, ls_error *error)
{
    const ls_forward_arguments *a = &f->arguments;
    const bool histogram =
        ls_png_ending(a->output) && ls_shape_count(&f->saved.session.task.x) == 1;
    return !a->data || !f->saved.stand_in || a->picture.walk || a->picture.from || histogram ||
           ls_error_set(error, LS_USAGE,
                        "--data=%s: no row of it is read: it goes with --walk A,B or --from "
                        "A,B,...; leave it out",
                        a->data);
}

/* Whether an objective without chains is asked for steps of them: then an LS_USAGE error. */
static bool check_steps(const ls_objective *objective, long steps, ls_error *error)
{
    return steps == 0 || objective->generates & LS_GENERATE_CHAINS ||
           ls_error_set(error, LS_USAGE,
                        "--steps=%ld is of chains of Gibbs sampling, which the objective %s has "
                        "none of: leave it out",
                        steps, objective->type->name);
}

static bool generate_rows(ls_forward *f, ls_error *error)
{
    const ls_forward_arguments *a = &f->arguments;
    const ls_shape *shape = &f->saved.session.task.x;
    const char *named = a->picture.walk ? a->picture.walk : a->picture.from;
    int stage;
    char by[512];
    given rows = {.count = 0};
    ls_objective *objective = find_objective(f, &stage, error);
    if (!objective)
        return false;
    if (named)
        read_given(named, &rows);
    if (named && objective->x_rule)
        ls_dataset_add_x_rule(f->saved.session.data, objective->x_rule);
    real *x = ls_alloc((size_t)(rows.count * ls_shape_count(shape)), sizeof *x);
    const ls_batch batch = {
        .rows = rows.count, .total = rows.count, .x_shape = *shape, .x = x, .row = rows.row};
    const ls_generation what = plan_rows(a, &batch);
    const uint64_t seed = (uint64_t)(a->seed >= 0 ? a->seed : f->saved.job->seed);
    bool ok = check_data(f, error) && check_steps(objective, a->picture.steps, error) &&
              (stage == f->stage || ls_forward_take_stage(f, stage, error)) &&
              ls_comm_agree(f->comm, !named || read_rows(f, &rows, x, error), error) &&
              make(f, objective, &what, seed, error);
    if (ok && f->comm->rank == 0)
        ls_print(stdout, "wrote %s: %ld rows of %s (step %ld), seed %llu%s\n", a->output, what.rows,
                 f->saved.path, f->saved.step, (unsigned long long)seed,
                 ls_forward_stage_text(f, by, sizeof by));
    ls_free(x);
    ls_objective_destroy(objective);
    return ok;
}

/* Text, where the net was trained on it. */
static bool generate_text(ls_forward *f, ls_error *error)
{
    ls_forward_text *text = &f->arguments.text;
    if (asks_rows(&f->arguments) || f->arguments.force || f->arguments.threads > 1)
        return ls_error_set(error, LS_USAGE,
                            "%s was trained on text, which one thread writes to standard output: "
                            "--prime, --length, --temperature, --top and --seed say what",
                            f->saved.path);
    text->length = text->length < 0 ? 400 : text->length;
    text->temperature = text->temperature < 0 ? 1 : text->temperature;
    text->top = ls_max(text->top, 0);
    return ls_generate_text(f, error);
}

static bool generate(ls_forward *f, ls_error *error)
{
    if (f->saved.vocabulary)
        return generate_text(f, error);
    return asks_text(&f->arguments)
               ? ls_error_set(error, LS_USAGE,
                              "%s has no vocabulary: it was not trained on text of `lockstep "
                              "import text`",
                              f->saved.path)
               : generate_rows(f, error);
}

int ls_command_generate(int argc, char **argv)
{
    static const ls_forward_command command = {.usage = &ls_usage_generate,
                                               .output = "generated.png",
                                               .png = true,
                                               .text = true,
                                               .splits = LS_FORWARD_GIVEN_SPLIT,
                                               .run = generate};
    return ls_forward_main(&command, argc, argv);
}
