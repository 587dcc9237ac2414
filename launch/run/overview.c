/* overview: what `lockstep train` prints before the first step. */
#include "launch/run/overview.h"

#include <math.h>

#include "core/kernels/tile.h"
#include "core/minmax.h"
#include "core/print.h"
#include "launch/run/hosts.h"
#include "launch/threads.h"
#include "launch/train/plan.h"
#include "launch/train/ranges.h"

/* Prints "BEFORE12.3 MiB". */
static void print_bytes(FILE *out, const char *before, double count)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    for (; count >= 1024 && unit < 4; unit++)
        count /= 1024;
    ls_print(out, "%s%.*f %s", before, unit > 0, count, units[unit]);
}

/* The first number of ranks, from `ranks` to as many as there are shards, of which none has more
 * than `most`; 0: there is none. */
static int ranks_with(const ls_shards *shards, int ranks, int most)
{
    while (ranks <= shards->count && ls_shards_most(shards->count, shards->way, ranks) > most)
        ranks++;
    return ranks <= shards->count ? ranks : 0;
}

/* How unequal the shares are; where that costs much, what would be better. */
static void print_share(const ls_shards *shards, int ranks, FILE *out)
{
    double largest = 1.0 * shards->most / shards->count, even = 1.0 / ranks;
    ls_print(out, "          the largest share of a batch is %.1f %%, an even one %.1f %%",
             100 * largest, 100 * even);
    if (largest < 1.2 * even) {
        ls_print(out, "\n");
        return;
    }
    int fewer = ranks_with(shards, 1, shards->most), more = 0;
    if (shards->most > 1)
        more = ranks_with(shards, ranks + 1, shards->most - 1);
    ls_print(out, ": shards=%d is faster (other bits)", ranks);
    if (more)
        ls_print(out, ", or %d ranks", more);
    if (shards->way == LS_SHARDS_BY_TREE &&
        ls_shards_most(shards->count, LS_SHARDS_EVENLY, ranks) < shards->most)
        ls_print(out, ", or split=even (bits of these ranks and groups)");
    if (fewer < ranks)
        ls_print(out, "; %d rank%s would be as fast", fewer, fewer > 1 ? "s" : "");
    ls_print(out, "\n");
}

static void print_ranks(const ls_trainer *t, const ls_host *hosts, FILE *out)
{
    char text[256];
    ls_comm *comm = t->comm;
    int threads = t->session.net[0]->build.threads, shards = t->shards.count, ranks = comm->size;
    int most = t->shards.most;
    ls_print(out, "ranks     %d on %s", ranks, ls_hosts_text(hosts, ranks, text, sizeof text));
    if (comm->nodes > 1)
        ls_print(out, " in %d groups", comm->nodes);
    ls_print(out, "; %s; %d shard%s", ls_hosts_rank_text(hosts, ranks, text, sizeof text), shards,
             shards > 1 ? "s" : "");
    if (comm->node_size > 1)
        print_bytes(out, comm->nodes > 1 ? "; a group shares " : "; shared: ",
                    ls_plan_make(t).share * comm->node_size);
    ls_print(out, "\n");
    ls_hosts_print(hosts, ranks, out);
    if (most > 1)
        ls_print(out,
                 "          a rank takes %s%d shards a step in turn, and adds their gradients\n",
                 most * ranks > shards ? "up to " : "", most);
    if (most * ranks > shards)
        print_share(&t->shards, ranks, out);
    if (ls_threads_crowded(comm, threads, text, sizeof text))
        ls_print(out, "          %s\n", text);
}

/* Pictures of bytes whose values go into the net as they are make training hard. Tokens are no
 * values. */
static void print_range(const ls_session *session, FILE *out)
{
    enum { LARGE = 16 };
    const ls_split *train = ls_dataset_split(session->data, LS_TRAIN);
    bool bytes = train->x.type == LS_U8 || train->x.type == LS_U16;
    double least, largest;
    for (int i = 0; i < session->task.nets; i++)
        bytes = bytes && (session->net[i]->own_input || !ls_net_vocabulary(session->net[i]));
    if (bytes && ls_ranges_data(session, &least, &largest) && largest > LARGE)
        ls_print(out,
                 "          values up to %.0f go into the net as they are: x.attrs['scale'] = 1/%d "
                 "in the file, or a line `normalize` in transform:, makes them small\n",
                 largest, train->x.type == LS_U8 ? 255 : 65535);
}

static void print_data(const ls_session *session, FILE *out)
{
    char shape[96], text[512];
    ls_print(out, "data      %s:", session->job->data);
    for (int s = 0; s < LS_SPLITS; s++) {
        const ls_split *split = ls_dataset_split(session->data, (ls_split_id)s);
        if (split->present)
            ls_print(out, " %s %ld %s,", split->name, split->tokens ? split->tokens : split->x.rows,
                     split->tokens ? "tokens" : "rows");
    }
    const ls_shape *x = &session->task.x;
    ls_print(out, " %s%s", session->job->unroll ? "rows of " : "",
             ls_shape_text(x, shape, sizeof shape));
    if (session->task.classes)
        ls_print(out, ", %ld classes", session->task.classes);
    ls_print(out, "\n");
    if (ls_session_channels_first(session))
        ls_print(out,
                 "          read as height %ld, width %ld, %ld channels; " LS_SESSION_CHANNELS_FIRST
                 "\n",
                 x->at[0], x->at[1], x->at[2]);
    if (ls_dataset_unused(session->data)[0])
        ls_print(out, "          not used: %s\n", ls_dataset_unused(session->data));
    print_range(session, out);
    if (ls_dataset_unpacks(session->data, LS_TRAIN, text, sizeof text))
        ls_print(out, "          %s\n", text);
}

/* Whether neither the job nor a model says by which optimizer the stage is trained. */
static bool is_usual(const ls_job *job, int stage, const char *phase)
{
    char key[32 + LS_WORD];
    snprintf(key, sizeof key, "stages.%d.optimizer%s%s", stage, phase ? "." : "",
             phase ? phase : "");
    return !job->model && ls_job_origin(job, key) == LS_FROM_DEFAULT;
}

/* Which tokens a stage of streams trains on. */
static void print_streams(const ls_session *session, int number, FILE *out)
{
    const ls_session_stage *stage = &session->stage[number];
    const ls_split *train = ls_dataset_split(session->data, LS_TRAIN);
    const ls_job_stage *keys = &session->job->stage[number];
    const long steps = session->job->unroll, used = stage->rows * steps;
    const long given =
        keys->rows ? ls_min(keys->rows * steps, train->tokens - 1) : train->tokens - 1;
    if (!ls_objective_streams(stage->objective))
        return;
    ls_print(out,
             "          stage %d: %ld streams of %ld tokens, side by side; %ld of %ld tokens "
             "fill no whole row of a batch, and are left out of training\n",
             number + 1, keys->batch, stage->epoch_batches * steps, given - used, given);
    if (stage->epoch_batches == 1)
        ls_print(out,
                 "          stage %d: each stream is a single window, so that no state is carried; "
                 "a smaller batch or unroll makes longer ones\n",
                 number + 1);
}

static void print_stage(const ls_session *session, int number, FILE *out)
{
    const ls_job_stage *keys = &session->job->stage[number];
    const ls_session_stage *stage = &session->stage[number];
    long rows = stage->rows;
    if (keys->batch > rows)
        ls_print(out,
                 "          stage %d: batch=%ld is more than there is: every step takes all %ld "
                 "training rows\n",
                 number + 1, keys->batch, rows);
    else if (keys->batch == rows)
        ls_print(out, "          stage %d: every step takes all training rows\n", number + 1);
    print_streams(session, number, out);
    ls_print(out, "stage %d   %s; ", number + 1, keys->objective);
    for (int i = 0; i < keys->optimizers; i++) {
        const char *phase = keys->optimizer[i].phase;
        ls_print(out, "%s%s%s%s; ", phase ? phase : "", phase ? ": " : "", keys->optimizer[i].spec,
                 is_usual(session->job, number, phase) ? " (default)" : "");
    }
    ls_print(out, "%s; ", keys->schedule);
    if (keys->train)
        ls_print(out, "trains %s; ", keys->train);
    if (keys->rows)
        ls_print(out, "the first %ld training rows; ", rows);
    ls_print(out, "batch %ld over all ranks, about %ld a rank; %ld steps, %.*f an epoch\n",
             keys->batch, ls_min(keys->batch, rows) / session->comm->size, stage->steps,
             stage->epoch_batches % stage->batches ? 1 : 0, ls_session_steps_per_epoch(stage));
}

void ls_overview_print(const ls_trainer *t, const ls_host *hosts, FILE *out)
{
    const ls_job *job = t->session.job;
    char kernel[256];
    ls_tile_describe(kernel, sizeof kernel);
    ls_print(out, "lockstep %s (%s), micro-kernel %s\n", LS_VERSION, LS_REAL_NAME, kernel);
    print_ranks(t, hosts, out);
    ls_print(out, "net       %s: %ld parameters\n", job->model ? job->model : "spec lines",
             ls_params_trained(t->session.params));
    print_data(&t->session, out);
    for (int s = 0; s < job->stages; s++)
        print_stage(&t->session, s, out);
    if (t->evaluate.unit == LS_EVERY_NEVER)
        ls_print(out, "no evaluation during training\n");
    else if (job->evaluate.average)
        ls_print(out, "evaluation and best.h5 are of the moving average of the weights\n");
    if (t->resumed)
        ls_print(out, "%s %s (step %ld)\n",
                 ls_trainer_complete(t) ? "complete  in" : "goes on   from", t->resumed,
                 t->position.step);
}

/* "about 2 h 5 min", into text[size]; returns text. */
static const char *time_text(double seconds, char *text, size_t size)
{
    static const struct {
        const char *large, *small;
        long seconds, parts; /* of the large unit; the small units in it */
    } units[] = {{"d", "h", 86400, 24}, {"h", "min", 3600, 60}, {"min", "s", 60, 60}};
    for (int i = 0; i < 3; i++) {
        const long small = lround(seconds / (double)units[i].seconds * (double)units[i].parts);
        if (small < units[i].parts)
            continue;
        snprintf(text, size, "about %ld %s %ld %s", small / units[i].parts, units[i].large,
                 small % units[i].parts, units[i].small);
        return text;
    }
    snprintf(text, size, seconds < 1 ? "less than 1 s" : "about %.1f s", seconds);
    return text;
}

/* What each stage takes of a rank's memory, and a guess of the time that is left. */
static void print_needs(const ls_trainer *t, const ls_plan *plan, double pace, FILE *out)
{
    char text[64];
    double all = 0;
    const int stages = t->session.job->stages;
    for (int s = 0; s < stages; s++) {
        const double flops = ls_plan_stage_flops(t, s);
        const double others = plan->own + plan->share - plan->stage;
        all += flops;
        if (stages == 1)
            break;
        ls_print(out, "          stage %d", s + 1);
        print_bytes(out, ": ", others + ls_plan_stage_bytes(t, s));
        ls_print(out, " a rank, %s\n",
                 flops > 0 ? time_text(flops / pace, text, sizeof text) : "done");
    }
    ls_print(out,
             "time      %s, a guess: %.3g operations in products, at the %.3g Gflop/s a rank "
             "that a product reached just now; sums over ranks, evaluations and files come on "
             "top\n",
             time_text(all / pace, text, sizeof text), all, 1e-9 * pace);
}

void ls_overview_print_plan(const ls_trainer *t, const ls_host *hosts, double pace, FILE *out)
{
    ls_plan plan = ls_plan_make(t);
    double each = plan.own + plan.share;
    double all = t->comm->machine_size * each + plan.writing;
    ls_overview_print(t, hosts, out);
    for (int i = 0; i < t->session.task.nets; i++)
        ls_net_print(t->session.net[i], out);
    print_bytes(out, "memory    ", each);
    print_bytes(out, " a rank, ", all);
    print_bytes(out, " on this host in all; checkpoint ", plan.checkpoint);
    ls_print(out, "\n");
    print_needs(t, &plan, pace, out);
    ls_print(out,
             "dry run: job, net and structure of the data were checked, nothing was started or "
             "written\n");
}
