/* plan: what a person sees before the first step; the memory that a run takes. */
#include <math.h>
#include <string.h>

#include "core/blas.h"
#include "core/memory.h"
#include "launch/threads.h"
#include "launch/train/trainer.h"

enum { FEED_BATCHES = 3 }; /* that a feed holds */

/* What a rank takes: of its own, its share of what the ranks of its node hold once, and, rank 0
 * only, the writing of a checkpoint. All of it is touched, so that it is what the system counts
 * (proportional set size: a page that k processes share is 1/k of a page to each). */
typedef struct bytes {
    double own, share, writing;
} bytes;

/* x, y and number of `rows` rows. */
static double rows_bytes(const ls_trainer *t, double rows)
{
    const ls_task *task = &t->session.task;
    double numbers = (double)(ls_shape_count(&task->x) + ls_shape_count(&task->y));
    return rows * (numbers * sizeof(real) + sizeof(int64_t));
}

/* What threads after the first take in the runs of all nets: for a shard, and for a chunk. */
static double threads_bytes(const ls_trainer *t, long shard_rows, long chunk_rows)
{
    size_t sum = 0;
    for (int i = 0; i < t->session.task.nets; i++) {
        const ls_net *net = t->session.net[i];
        sum += ls_workspace_bytes_threads(net, shard_rows);
        sum += chunk_rows ? ls_workspace_bytes_threads(net, chunk_rows) : 0;
    }
    return (double)sum;
}

/* Of the stage that takes most: its runs, its feed, the rows of an evaluation chunk. */
static double stage_bytes(const ls_trainer *t)
{
    double most = 0;
    ls_error error;
    for (int s = 0; s < t->job->stages; s++) {
        ls_objective *objective = ls_session_objective(&t->session, s, 0, 0, &error);
        long batch = t->job->stage[s].batch, shards = t->state.shards;
        long rows = ls_dataset_split(t->session.data, LS_TRAIN)->x.rows;
        long chunk = ls_stage_chunk(t->job, objective);
        double fed = (double)(batch < rows ? batch : rows) * (t->end_shard - t->first_shard) /
                     (double)shards;
        long shard = (batch + shards - 1) / shards;
        double own = (double)objective->type->bytes(objective, shard, chunk) +
                     threads_bytes(t, shard, chunk);
        most = fmax(most, own + rows_bytes(t, FEED_BATCHES * fed + (double)chunk));
        ls_objective_destroy(objective);
    }
    return most;
}

static bytes plan_bytes(const ls_trainer *t)
{
    const ls_params *params = t->session.params;
    double array = (double)params->size * sizeof(real);
    int most = (t->state.shards + ls_comm_size(t->comm) - 1) / ls_comm_size(t->comm);
    double levels = most > 1 ? ceil(log2(most)) : 0;
    int ranks = ls_comm_node_size(t->comm);
    double once = (1 + t->states) * array + (double)params->prepared_size * sizeof(real) +
                  (double)ls_reduce_bytes(params, ranks);
    return (bytes){.own = ls_memory_process() + stage_bytes(t) + levels * array +
                          (double)ls_reduce_buffer_bytes(t->comm),
                   .share = once / ranks,
                   .writing = (double)ls_checkpoint_memory(params, t->states)};
}

static const char *human(double count, char *text, size_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    for (; count >= 1024 && unit < 4; unit++)
        count /= 1024;
    snprintf(text, size, unit ? "%.1f %s" : "%.0f %s", count, units[unit]);
    return text;
}

static void print_data(const ls_trainer *t, FILE *out)
{
    char shape[96];
    fprintf(out, "data      %s:", t->job->data);
    for (int s = 0; s < LS_SPLITS; s++) {
        const ls_split *split = ls_dataset_split(t->session.data, (ls_split_id)s);
        if (split->present)
            fprintf(out, " %s %ld rows,", split->name, split->x.rows);
    }
    fprintf(out, " %s", ls_shape_text(&t->session.task.x, shape, sizeof shape));
    if (t->session.task.classes)
        fprintf(out, ", %ld classes", t->session.task.classes);
    fprintf(out, "\n");
    const ls_shape *x = &t->session.task.x;
    if (x->rank == 3 && x->at[0] <= 4 && x->at[1] == x->at[2] && x->at[1] > 4)
        fprintf(out,
                "          read as height %ld, width %ld, %ld channels; if it is channels first "
                "(PyTorch's order), store rows as height, width, channels\n",
                x->at[0], x->at[1], x->at[2]);
}

static void print_stages(const ls_trainer *t, FILE *out)
{
    for (int s = 0; s < t->job->stages; s++) {
        const ls_job_stage *stage = &t->job->stage[s];
        long per_epoch, steps = ls_session_steps(&t->session, s, &per_epoch);
        if (per_epoch == 1)
            fprintf(out, "          stage %d: every step takes all training rows\n", s + 1);
        fprintf(out,
                "stage %d   %s; %s%s%s; %s; batch %ld over all ranks, about %ld a rank; "
                "%ld steps, %ld an epoch\n",
                s + 1, stage->objective, stage->optimizer[0].phase ? stage->optimizer[0].phase : "",
                stage->optimizer[0].phase ? ": " : "", stage->optimizer[0].spec, stage->schedule,
                stage->batch, stage->batch / ls_comm_size(t->comm), steps, per_epoch);
    }
}

bool ls_plan_is_complete(const ls_trainer *t)
{
    long per_epoch;
    int last = t->job->stages - 1;
    return t->state.stage == last &&
           (t->state.stage_step >= ls_session_steps(&t->session, last, &per_epoch) ||
            ls_stage_patience_over(t));
}

void ls_plan_print_start(const ls_trainer *t, FILE *out)
{
    char crowded[256];
    ls_comm *comm = t->comm;
    int threads = t->options->threads;
    fprintf(out, "lockstep %s (%s), %s\n", LS_VERSION, LS_REAL_NAME, ls_blas_description());
    fprintf(out,
            "ranks     %d on %d node%s of %d cores; %d core%s a rank as bound, %d thread%s; %d "
            "shard%s\n",
            ls_comm_size(comm), ls_comm_nodes(comm), ls_comm_nodes(comm) > 1 ? "s" : "",
            ls_comm_cores(comm), ls_comm_cores_bound(comm),
            ls_comm_cores_bound(comm) > 1 ? "s" : "", threads, threads > 1 ? "s" : "",
            t->state.shards, t->state.shards > 1 ? "s" : "");
    int most = (t->state.shards + ls_comm_size(comm) - 1) / ls_comm_size(comm);
    if (most > 1)
        fprintf(out,
                "          a rank takes %s%d shards a step in turn, and adds their gradients\n",
                t->state.shards % ls_comm_size(comm) ? "up to " : "", most);
    if (ls_threads_crowded(comm, threads, crowded, sizeof crowded))
        fprintf(out, "          %s\n", crowded);
    fprintf(out, "net       %s: %ld parameters\n", t->job->model ? t->job->model : "spec lines",
            ls_params_trained(t->session.params));
    print_data(t, out);
    print_stages(t, out);
    if (t->job->evaluate.every.unit == LS_EVERY_NEVER)
        fprintf(out, "no evaluation during training\n");
    else if (t->job->evaluate.average)
        fprintf(out, "evaluation and best.h5 are of the moving average of the weights\n");
    if (t->resumed)
        fprintf(out, "%s %s (step %ld)\n",
                ls_plan_is_complete(t) ? "complete  in" : "goes on   from", t->resumed,
                t->state.step);
    fflush(out);
}

void ls_plan_print(const ls_trainer *t, FILE *out)
{
    char rank[32], node[32], file[32];
    bytes b = plan_bytes(t);
    ls_plan_print_start(t, out);
    for (int i = 0; i < t->session.task.nets; i++)
        ls_net_print(t->session.net[i], out);
    double each = b.own + b.share, all = ls_comm_node_size(t->comm) * each + b.writing;
    fprintf(out, "memory    %s a rank, %s on this node in all; checkpoint %s\n",
            human(each, rank, sizeof rank), human(all, node, sizeof node),
            human((double)ls_checkpoint_bytes(t->session.params, t->states), file, sizeof file));
    fprintf(out, "dry run: job, net and structure of the data were checked, nothing was started or "
                 "written\n");
}
