/* forward: what evaluate, predict and extract share. */
#include "launch/apply/forward.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "dist/board.h"
#include "io/atomic_file.h"
#include "io/png.h"
#include "launch/job/yaml/job_file.h"
#include "launch/json.h"
#include "launch/ranks.h"
#include "launch/session/chunks.h"

static void print_notice(void *context, const char *text)
{
    ls_print(stderr, "lockstep: %s\n", text);
}

/* Whether the output, if there is one, replaces nothing that is read. */
static bool check_apart(const ls_forward *f, ls_error *error)
{
    const char *const read[] = {f->saved.job->data, f->saved.path, f->arguments.words.at[0]};
    return !f->arguments.output || ls_atomic_file_apart(f->arguments.output, read, 3, error);
}

/* Whether the output, if there is one, may be written. */
static bool check_output(const ls_forward *f, ls_error *error)
{
    const char *output = f->arguments.output;
    const ls_rowfile_kinds kinds = f->command->csv ? LS_ROWFILE_ANY : LS_ROWFILE_HDF5;
    if (f->command->text && f->saved.vocabulary)
        return output == f->command->output ||
               ls_error_set(error, LS_USAGE,
                            "%s: a net of text writes to the standard output: leave -o out, or "
                            "write > %s",
                            output, output);
    return !output ||
           (((f->command->png && ls_png_ending(output)) ||
             ls_rowfile_ending(output, kinds, error)) &&
            check_apart(f, error) && (f->arguments.force || ls_atomic_file_absent(output, error)));
}

/* Whether the command reads no rows of the data. */
static bool is_without_data(const ls_forward *f)
{
    return f->command->splits == LS_FORWARD_GIVEN_SPLIT && !f->arguments.picture.walk &&
           !f->arguments.picture.from;
}

static ls_saved_request request_of(const ls_forward *f)
{
    const ls_forward_arguments *a = &f->arguments;
    return (ls_saved_request){.from = a->words.at[0],
                              .file = a->weights,
                              .data = a->data,
                              .weights = a->average ? LS_SAVED_AVERAGE : LS_SAVED_BEST,
                              .without_data = is_without_data(f),
                              .stage_follows = a->stage >= 0,
                              .read_job = ls_job_parse,
                              .notice = print_notice};
}

bool ls_forward_take_stage(ls_forward *f, int stage, ls_error *error)
{
    const ls_saved_request request = request_of(f);
    f->stage = stage;
    return ls_saved_take_stage(&f->saved, &request, stage, error) &&
           ls_comm_agree(f->comm, f->comm->rank != 0 || check_apart(f, error), error);
}

/* **Collective.** */
static bool choose_stage(ls_forward *f, ls_error *error)
{
    const long asked = f->arguments.stage;
    const int stages = f->saved.job->stages;
    f->stage = (int)ls_min(stages - 1, f->saved.stage);
    if (asked >= stages)
        return ls_error_set(error, LS_USAGE, "--stage=%ld, but the job has stages 0 to %d", asked,
                            stages - 1);
    return asked < 0 || ls_forward_take_stage(f, (int)asked, error);
}

/* **Collective.** */
static bool open_saved(ls_forward *f, ls_error *error)
{
    const ls_forward_arguments *a = &f->arguments;
    const ls_saved_request request = request_of(f);
    bool first = f->comm->rank == 0;
    if (a->weights && a->average)
        return ls_error_set(error, LS_USAGE,
                            "--average takes parameters of a run, and --weights those of a file: "
                            "give one of them");
    if (ls_saved_open(&f->saved, f->comm, &request, error)) {
        if (f->command->text && f->saved.vocabulary && f->saved.stand_in && a->data)
            return ls_error_set(error, LS_USAGE,
                                "--data=%s: no rows are read, and the vocabulary is that of %s: "
                                "leave --data out",
                                a->data, f->saved.path);
        if (!ls_comm_agree(f->comm, !first || check_output(f, error), error))
            return false;
        ls_session_set_threads(&f->saved.session, a->threads);
        return choose_stage(f, error);
    }
    ls_dataset *data = f->saved.job || !first ? NULL : ls_dataset_open(a->words.at[0], NULL);
    if (data)
        ls_error_set(error, LS_DATA,
                     "%s is a data set; expected a trained net: a run directory or one of its "
                     "checkpoints (a data set is given by --data)",
                     a->words.at[0]);
    ls_dataset_close(data);
    return false;
}

/* The error names the splits that have rows. */
static bool choose_split(ls_forward *f, ls_error *error)
{
    const ls_dataset *data = f->saved.session.data;
    const char *unused = ls_dataset_unused(data);
    int present = 0, asked = f->arguments.split;
    char names[64] = "";
    f->split_id = asked >= 0 ? (ls_split_id)asked : LS_TEST;
    for (int i = 0; i < LS_SPLITS; i++) {
        f->split = ls_dataset_split(data, (ls_split_id)i);
        if (!f->split->present)
            continue;
        ls_format_join(names, sizeof names, f->split->name);
        present++;
        if (asked < 0 && f->command->splits == LS_FORWARD_ONLY_SPLIT)
            f->split_id = present == 1 ? (ls_split_id)i : LS_TEST;
    }
    f->split = ls_dataset_split(data, f->split_id);
    return f->split->present ||
           ls_error_set(error, LS_DATA,
                        "%s has no rows of %s; it has %s%s%s: name another with --split",
                        ls_dataset_path(data), f->split->name, names,
                        unused[0] ? ", and does not use " : "", unused);
}

int ls_forward_main(const ls_forward_command *command, int argc, char **argv)
{
    ls_forward f = {.command = command,
                    .arguments = {.output = command->output,
                                  .split = -1,
                                  .as = -1,
                                  .stage = -1,
                                  .threads = 1,
                                  .seed = -1,
                                  .stall = ls_stall_usual,
                                  .text = {.length = -1, .top = -1, .temperature = -1}}};
    ls_error error = {0};
    ls_command_parse(command->usage, argc, argv, &f.arguments.words);
    f.comm = ls_ranks_start(&argc, &argv);
    ls_watchdog *watchdog = ls_ranks_watch(f.comm, &f.arguments.stall);
    bool ok = open_saved(&f, &error) && (command->splits == LS_FORWARD_ALL_SPLITS ||
                                         is_without_data(&f) || choose_split(&f, &error));
    ls_board_turn(f.comm->board, LS_ACTIVITY_EVALUATING);
    ok = ok && command->run(&f, &error);
    if (f.file)
        ls_rowfile_discard(f.file);
    int code = ok ? 0 : ls_command_fail(f.comm->rank, &error);
    ls_saved_close(&f.saved);
    ls_watchdog_stop(watchdog);
    ls_comm_close(f.comm);
    return code;
}

static void apply(void *context, const ls_batch *batch, long chunk, real *results)
{
    ls_forward_outputs *o = context;
    const ls_pass pass = {.seed = o->seed, .row = batch->first, .length = batch->length};
    const real *y = o->objective ? o->objective->type->evaluate(o->objective, batch, &pass, NULL)
                                 : ls_workspace_forward(o->workspace, &pass, batch->x, batch->rows);
    memcpy(results, y, (size_t)(batch->rows * o->width) * sizeof *results);
}

static size_t bytes_of(const ls_forward_outputs *o, long rows)
{
    return o->objective ? o->objective->type->bytes(o->objective, 0, rows)
                        : ls_workspace_bytes(o->net, rows, LS_INFERENCE);
}

/* Rows of a chunk, of `all` rows: so few that the workspaces, and what a rank sends to rank 0, stay
 * small. */
static long chunk_rows(const ls_forward_outputs *o, long all)
{
    enum { CHUNK_ROWS = 256, WORKSPACE_BYTES = 256 << 20, RESULT_BYTES = 1 << 20 };
    long rows = CHUNK_ROWS;
    while (rows > 1 && (bytes_of(o, rows) > WORKSPACE_BYTES ||
                        (size_t)(rows * o->width) * sizeof(real) > RESULT_BYTES))
        rows /= 2;
    return ls_max(1, ls_min(rows, all));
}

/* Hands a chunk on; counts its rows whose outputs are not finite. */
static bool collect(void *outputs, long rows, const real *y, ls_error *error)
{
    ls_forward_outputs *o = outputs;
    for (long r = 0; r < rows; r++) {
        long k = 0;
        while (k < o->width && isfinite(y[r * o->width + k]))
            k++;
        o->broken += k < o->width;
    }
    return o->collect(o, rows, y, error);
}

void ls_forward_tell_broken(const ls_forward *f, const char *what)
{
    ls_print(stderr,
             "lockstep: %s not finite: the parameters of %s are broken, or numbers of the data are "
             "too large\n",
             what, f->saved.path);
}

bool ls_forward_rows(ls_forward *f, ls_forward_outputs *o, ls_error *error)
{
    char what[96];
    o->file = f->file;
    o->seed = (uint64_t)f->saved.job->seed;
    o->width = ls_shape_count(o->objective ? &o->objective->output : &o->net->layers[o->layer]->y);
    long rows = chunk_rows(o, ls_dataset_split(f->saved.session.data, o->split)->x.rows);
    if (o->objective)
        o->objective->type->compile(o->objective, 0, rows);
    else
        o->workspace =
            ls_workspace_create_part(o->net, (ls_interval){0, o->layer + 1}, rows, LS_INFERENCE);
    const ls_chunks chunks = {.data = f->saved.session.data,
                              .split = o->split,
                              .size = rows,
                              .context = o,
                              .apply = apply,
                              .width = o->width,
                              .collect = collect};
    o->broken = 0;
    bool ok = ls_chunks_run(&chunks, f->comm, error);
    snprintf(what, sizeof what, "the outputs of %ld of %ld rows of %s are", o->broken,
             ls_dataset_split(chunks.data, o->split)->x.rows,
             ls_dataset_split(chunks.data, o->split)->name);
    if (ok && o->broken > 0)
        ls_forward_tell_broken(f, what);
    ls_workspace_destroy(o->workspace);
    return ok;
}

/* Rows are taken one by one here: what lines carry along a stream is not. */
static void tell_streams(const ls_forward *f)
{
    const ls_task *task = &f->saved.session.task;
    for (int i = 0; task->streams && i < task->nets; i++)
        if (ls_net_carried(task->net[i]) > 0)
            ls_print(stderr,
                     "lockstep: the net %s carries states from row to row (carry=1), but each row "
                     "of %ld steps begins anew here: outputs differ from those that train and "
                     "evaluate see, which go along the streams\n",
                     task->net[i]->name, f->saved.job->unroll);
}

bool ls_forward_begin(ls_forward *f, ls_error *error)
{
    char step[32];
    tell_streams(f);
    snprintf(step, sizeof step, "%ld", f->saved.step);
    const ls_rowfile_kinds kinds = f->command->csv ? LS_ROWFILE_ANY : LS_ROWFILE_HDF5;
    f->file = ls_rowfile_open(f->arguments.output, kinds, error);
    return f->file && ls_rowfile_text(f->file, "/", "checkpoint", f->saved.path, error) &&
           ls_rowfile_text(f->file, "/", "checkpoint_step", step, error) &&
           ls_rowfile_text(f->file, "/", "data", f->saved.job->data, error);
}

bool ls_forward_finish(ls_forward *f, ls_error *error)
{
    bool ok = !f->file || ls_rowfile_close(f->file, error);
    f->file = NULL;
    return ls_comm_agree(f->comm, ok, error);
}

const char *ls_forward_stage_text(const ls_forward *f, char *text, size_t size)
{
    const ls_job *job = f->saved.job;
    text[0] = 0;
    if (job->stages > 1)
        snprintf(text, size, ", by stage %d: %s", f->stage, job->stage[f->stage].objective);
    return text;
}

void ls_forward_print(const ls_forward *f)
{
    char stage[512];
    ls_print(stdout, "%s (step %ld) on %s of %s%s\n", f->saved.path, f->saved.step, f->split->name,
             f->saved.job->data, ls_forward_stage_text(f, stage, sizeof stage));
}

json_t *ls_forward_json(const ls_forward *f)
{
    return json_pack("{s:I, s:s, s:o, s:o, s:I, s:i}", "rows", (json_int_t)f->split->x.rows,
                     "split", f->split->name, "data", ls_json_text(f->saved.job->data),
                     "checkpoint", ls_json_text(f->saved.path), "step", (json_int_t)f->saved.step,
                     "stage", f->stage);
}
