/* trainer: opens and closes a training run. */
#include "launch/train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "io/checkpoint/checkpoint_prune.h"
#include "launch/job/job_read.h"
#include "launch/job/job_text.h"
#include "launch/train/cache.h"
#include "launch/train/checks.h"
#include "launch/train/judge.h"
#include "launch/train/ranges.h"
#include "launch/train/resolved.h"
#include "launch/train/resume.h"
#include "launch/train/sampling.h"

/* What of the nets may not be meant. */
static void tell_nets(const ls_trainer *t)
{
    char text[512];
    const ls_session *session = &t->session;
    const ls_net *idle = ls_checks_idle_net(session), *noisy = ls_checks_noise(session);
    for (int i = 0; i < session->job->stages; i++) {
        const ls_objective *objective = session->stage[i].objective;
        if (objective->takes_y && objective->classes > session->task.classes &&
            session->task.classes > 0)
            ls_report_notice(&t->options.listener,
                             "stage %d has outputs for %ld classes, but the labels of the data are "
                             "of %ld",
                             i + 1, objective->classes, session->task.classes);
    }
    if (idle)
        ls_report_notice(&t->options.listener, "no stage trains the net %s", idle->name);
    if (noisy)
        ls_report_notice(&t->options.listener,
                         "the net %s has no line `input`, so it gets noise of the shape of a row, "
                         "%s: `input 64` as its first line gives it 64 numbers",
                         noisy->name, ls_shape_text(&noisy->x, text, sizeof text));
    if (ls_ranges_constant(session, text, sizeof text))
        ls_report_notice(&t->options.listener, "%s", text);
    /* What is trained without files is measured, on random rows: no advice helps them. */
    if (!t->options.no_files && ls_ranges_apart(session, 0, text, sizeof text))
        ls_report_notice(&t->options.listener, "%s", text);
}

/* **Collective.** Everything that needs no checkpoint and no memory for parameters; the position is
 * that of a run that has done no step. */
static bool open_session(ls_trainer *t, ls_job *job, ls_error *error)
{
    ls_session *session = &t->session;
    if (!ls_session_open(session, t->comm, job, t->options.data, error) ||
        !ls_session_parse_stages(session, error))
        return false;
    if (!ls_comm_agree(t->comm, ls_checks_pass(session, error), error))
        return false;
    if (t->comm->rank == 0)
        tell_nets(t);
    ls_session_set_threads(session, t->options.threads ? t->options.threads : 1);
    t->evaluate = job->evaluate.every;
    if (!ls_dataset_split(session->data, ls_split_find(job->evaluate.split))->present)
        t->evaluate.unit = LS_EVERY_NEVER;
    t->position = (ls_position){.shards = job->shards       ? job->shards
                                          : job->accumulate ? job->accumulate * t->comm->size
                                                            : t->comm->size,
                                .best = NAN,
                                .data_digest = ls_dataset_shape_digest(session->data)};
    return true;
}

/* Where there are fewer shards than ranks, adds some. */
static void add_shards(ls_trainer *t)
{
    int ranks = t->comm->size, shards = (int)t->position.shards;
    if (shards >= ranks)
        return;
    if ((t->position.step || t->session.job->shards) && t->comm->rank == 0)
        ls_report_notice(
            &t->options.listener,
            "%d ranks are more than the run's %d shards: from here on there are %d, and the "
            "bits differ from a run of %d shards",
            ranks, shards, ranks, shards);
    t->position.shards = ranks;
}

static void cut_shards(ls_trainer *t)
{
    ls_shards_cut(&t->shards, (int)t->position.shards,
                  t->session.job->split ? LS_SHARDS_EVENLY : LS_SHARDS_BY_TREE, t->comm);
}

/* "3+1": the ranks of the first nodes. Into text[size]; returns text. */
static const char *node_sizes(const ls_comm *comm, char *text, size_t size)
{
    enum { SHOWN = 8 };
    int used = 0;
    for (int i = 0; i < comm->nodes && i < SHOWN; i++)
        used +=
            snprintf(text + used, size - (size_t)used, "%s%d", i ? "+" : "", comm->node_sizes[i]);
    if (comm->nodes > SHOWN)
        snprintf(text + used, size - (size_t)used, "+...");
    return text;
}

/* A power of two of shards, not far from the run's, that can be halved fairly along the nodes as
 * they are; 0: there is none. */
static int shards_for_nodes(const ls_trainer *t)
{
    long count = 1;
    while (count < t->shards.count)
        count *= 2;
    for (long last = 4L * t->shards.count; count <= last; count *= 2)
        if (ls_shards_node_size((int)count, t->shards.way, t->comm) == 0)
            return (int)count;
    return 0;
}

/* **Collective.** Divides the run's shards among the ranks. Along some nodes (of 3 ranks and 1) no
 * fair shares can be cut, but along smaller ones they can. */
static void divide_shards(ls_trainer *t)
{
    char nodes[128], who[64] = "each rank", other[64] = "";
    add_shards(t);
    cut_shards(t);
    int size = ls_shards_node_size(t->shards.count, t->shards.way, t->comm), most = t->shards.most;
    if (size == 0)
        return;
    node_sizes(t->comm, nodes, sizeof nodes);
    int shards = shards_for_nodes(t);
    ls_comm_regroup(t->comm, size);
    cut_shards(t);
    if (size > 1)
        snprintf(who, sizeof who, "each group of %d ranks", size);
    if (shards)
        snprintf(other, sizeof other, "shards=%d or ", shards);
    if (t->comm->rank == 0)
        ls_report_notice(&t->options.listener,
                         "%d shards can't be halved fairly along groups of %s ranks (up to %d for "
                         "one): %s holds a copy of the parameters, and none takes more than %d; "
                         "%ssplit=even: one copy a group, other bits",
                         t->shards.count, nodes, most, who, t->shards.most, other);
}

/* What the nets end in; the same answer on all ranks. A run that has trained so goes on. */
static bool check_ranges(const ls_trainer *t, ls_error *error)
{
    ls_error why;
    if (ls_ranges_check(&t->session, &why))
        return true;
    if (t->position.step == 0)
        return ls_error_set(error, why.code, "%s", why.text);
    if (t->comm->rank == 0)
        ls_report_notice(&t->options.listener, "%s; this run, which has trained so, goes on",
                         why.text);
    return true;
}

/* What must hold of the shards; the same answer on all ranks. */
static bool check_shards(const ls_trainer *t, ls_error *error)
{
    char few[512];
    int shards = (int)t->position.shards;
    if (!ls_checks_shards(&t->session, shards, error) ||
        !ls_checks_statistics(&t->session, t->position.stage, shards, few, sizeof few, error))
        return false;
    if (*few && t->comm->rank == 0)
        ls_report_notice(&t->options.listener, "%s", few);
    return true;
}

/* On rank 0. Says what can hardly be meant in the stages that are still to run. */
static void tell_doubts(const ls_trainer *t)
{
    char text[512];
    for (int i = (int)t->position.stage; i < t->session.job->stages; i++) {
        const ls_session_stage *stage = &t->session.stage[i];
        const ls_objective *objective = stage->objective;
        if (!objective->type->advice.doubt)
            continue;
        const double epochs = (double)stage->steps / ls_session_steps_per_epoch(stage);
        objective->type->advice.doubt(objective, epochs, stage->optimizer, text, sizeof text);
        if (text[0])
            ls_report_notice(&t->options.listener, "%s", text);
    }
}

/* **Collective.** Parameters, optimizer state and gradients. */
static bool allocate(ls_trainer *t, ls_error *error)
{
    const ls_params *params = t->session.params;
    size_t states = (size_t)ls_states_count(&t->session) * (size_t)params->size * sizeof(real);
    int arrays = t->options.no_files ? 0 : 1 + ls_states_count(&t->session); /* of a checkpoint */
    ls_shared_make_room(t->comm, ls_session_bytes(&t->session) + states +
                                     ls_reduce_bytes(params, t->comm->node_size) +
                                     (t->comm->node_index ? 0 : ls_snapshot_bytes(params, arrays)));
    cut_shards(t); /* anew: if there was no room, each rank is a node now */
    if (!ls_session_commit(&t->session, error) ||
        !ls_states_create(&t->states, &t->session, error) ||
        !(t->reduce = ls_reduce_create(t->comm, params, error)) ||
        (arrays && !ls_snapshot_create(&t->snapshot, t->comm, params, arrays,
                                       ls_carry_most(&t->session), error)))
        return false;
    ls_shards_allocate(&t->shards, params, t->reduce->gradient);
    t->norm2.gradient = ls_alloc((size_t)params->count, sizeof *t->norm2.gradient);
    t->norm2.value = ls_alloc((size_t)params->count, sizeof *t->norm2.value);
    return true;
}

/* Where the evaluation after the last step is due again, only the record of the step itself stays,
 * which has a speed. Records that can't be rewound because the file is damaged stay: they are no
 * reason not to train. */
static bool rewind_metrics(const ls_trainer *t, ls_error *error)
{
    ls_error why = {0};
    const char *needed = t->position.evaluation_due ? "samples_per_second" : NULL;
    if (ls_rundir_metrics_rewind(t->run, t->position.step, needed, &why))
        return true;
    if (why.code != LS_DATA)
        return ls_error_set(error, why.code, "%s", why.text);
    ls_report_notice(&t->options.listener, "%s: it stays as it is, records are added to it",
                     why.text);
    return true;
}

/* On rank 0. A run that was told to go back drops what came after; one that goes on drops what
 * stages left in steps that it makes again. */
static bool drop_later(const ls_trainer *t, ls_error *error)
{
    const long step = t->position.step;
    char *folder = ls_format("%s/checkpoints", t->session.job->run);
    bool ok = t->options.overwrite ? ls_checkpoint_prune_later(folder, step, error)
                                   : !t->resumed || ls_checkpoint_prune_stages(folder, step, error);
    ls_free(folder);
    return ok;
}

/* On rank 0. A run that is complete keeps the job.yaml that it was trained with. */
static bool open_files(ls_trainer *t, ls_error *error)
{
    const ls_job *job = t->session.job;
    t->snapshot.writer = ls_checkpoint_writer_open(job->run, (int)job->checkpoint.keep);
    return drop_later(t, error) && (ls_trainer_complete(t) || ls_resolved_write(t, error)) &&
           rewind_metrics(t, error);
}

static void open_samples(ls_trainer *t)
{
    t->samples = (ls_samples){.listener = &t->options.listener,
                              .session = &t->session,
                              .position = &t->position,
                              .run = t->run};
    ls_samples_open(&t->samples);
}

/* Closes the checkpoint, so that the plan of a dry run does not count its memory. Always true. */
static bool drop_checkpoint(ls_trainer *t)
{
    ls_checkpoint_close(t->checkpoint);
    t->checkpoint = NULL;
    return true;
}

bool ls_trainer_open(ls_trainer *t, ls_comm *comm, ls_job *job, const ls_train_options *options,
                     ls_error *error)
{
    *t = (ls_trainer){.comm = comm};
    if (options)
        t->options = *options;
    if (!t->options.read_job)
        t->options.read_job = ls_job_from_json;
    t->report = (ls_report){.listener = &t->options.listener,
                            .session = &t->session,
                            .position = &t->position,
                            .opened = ls_clock_now()};
    if (!open_session(t, job, error))
        return false;
    if (!t->options.no_files && !ls_resume_find(t, error))
        return false;
    divide_shards(t);
    const ls_job resolved = ls_resolved_job(t);
    t->job_text = ls_job_json(&resolved);
    if (!check_ranges(t, error) || !check_shards(t, error) || !ls_sampling_open(&t->session, error))
        return false;
    if (!ls_comm_agree(comm, ls_cache_reserve(t, error), error))
        return false;
    if (comm->rank == 0)
        tell_doubts(t);
    if (t->options.dry_run)
        return drop_checkpoint(t);
    bool judges = t->evaluate.unit != LS_EVERY_NEVER && !ls_trainer_complete(t);
    if (judges && !ls_checks_judged_rows(&t->session, error))
        return false;
    if (!allocate(t, error))
        return false;
    t->report.run = t->run;
    ls_timing_open(&t->report.timing, comm, &t->options.listener);
    ls_reduce_watch(t->reduce, &t->report.timing.watch);
    if (t->options.timeline &&
        !(t->report.timing.timeline = ls_timeline_create(&t->session, t->options.timeline, error)))
        return false;
    ls_states_select(&t->states, &t->session, (int)t->position.stage);
    if (t->position.stage_step > 0) /* else the stage begins them */
        ls_carry_begin(&t->carry, &t->session, &t->shards, t->position.stage);
    if (!ls_resume_load(t, error) || !ls_comm_agree(comm, !t->run || open_files(t, error), error))
        return false;
    if (!t->options.no_files)
        open_samples(t);
    return true;
}

void ls_trainer_close(ls_trainer *t)
{
    ls_loader_close(t->loader);
    if (t->snapshot.writer) /* ls_trainer_run reported its last error */
        ls_checkpoint_writer_close(t->snapshot.writer, NULL);
    ls_samples_close(&t->samples);
    ls_rundir_close(t->run);
    ls_checkpoint_close(t->checkpoint);
    if (t->reduce)
        ls_reduce_destroy(t->reduce);
    ls_timing_release(&t->report.timing);
    ls_shards_release(&t->shards);
    ls_snapshot_release(&t->snapshot);
    ls_carry_release(&t->carry);
    ls_states_release(&t->states);
    ls_free(t->norm2.gradient);
    ls_free(t->norm2.value);
    ls_free(t->job_text);
    ls_free(t->resumed);
    ls_session_close(&t->session);
}

bool ls_trainer_complete(const ls_trainer *t)
{
    int last = t->session.job->stages - 1;
    return t->position.stage == last && !t->position.evaluation_due &&
           (t->position.stage_step >= t->session.stage[last].steps ||
            ls_judge_ends(t->session.job, &t->position));
}

ls_session_stage *ls_trainer_stage(const ls_trainer *t)
{
    return &t->session.stage[t->position.stage];
}

const ls_watch *ls_trainer_watch(const ls_trainer *t)
{
    return &t->report.timing.watch;
}

void ls_trainer_note(const ls_trainer *t, ls_activity activity, int phase)
{
    bool between = phase < 0, several = !between && ls_trainer_stage(t)->objective->phases > 1;
    ls_board_note(t->comm->board, activity, t->position.step + !between,
                  several ? ls_trainer_stage(t)->objective->phase[phase].name : "");
}

bool ls_trainer_check_written(const ls_trainer *t, ls_error *error)
{
    return !t->snapshot.writer || ls_checkpoint_writer_wait(t->snapshot.writer, error) ||
           (ls_rundir_check(t->run, error) && false);
}
