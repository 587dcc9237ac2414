/* bench_feed: the loader of training, with nobody who computes on its batches. */
#include "launch/bench/bench_feed.h"

#include "core/clock.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "io/loader.h"
#include "launch/json.h"
#include "launch/session/session.h"

/* **Collective.** Takes all batches; *rows of all ranks in *seconds of the slowest, from the second
 * batch on. */
static bool take_all(ls_comm *comm, ls_loader *loader, long batches, long *rows, double *seconds,
                     ls_error *error)
{
    bool ok = ls_comm_agree(comm, ls_loader_next(loader, error) != NULL, error);
    if (!ok)
        return false;
    double start = ls_clock_now();
    for (long i = 1; ok && i < batches; i++) {
        const ls_batch *batch = ls_loader_next(loader, error);
        ok = batch != NULL;
        *rows += ok ? batch->total : 0;
    }
    *seconds = ls_comm_max(comm, ls_clock_now() - start);
    return ls_comm_agree(comm, ok, error);
}

static void print_speed(const ls_comm *comm, const ls_bench_arguments *a, const ls_split *split,
                        double rows, double seconds)
{
    double stored = (double)ls_shape_count(&split->x.shape) * (double)ls_dtype_size(split->x.type);
    ls_json_print(json_pack(
        "{s:s, s:o, s:i, s:I, s:I, s:f, s:f, s:f}", "bench", "feed", "data", ls_json_text(a->data),
        "ranks", comm->size, "batch", (json_int_t)ls_min(a->batch, split->x.rows), "steps",
        (json_int_t)a->steps, "seconds", seconds, "rows_per_second", rows / seconds,
        "megabytes_per_second", 1e-6 * rows * stored / seconds));
}

bool ls_bench_feed(ls_comm *comm, const ls_bench_arguments *a, ls_error *error)
{
    ls_dataset *data = ls_dataset_open(a->data, error);
    bool ok = data && ls_dataset_transform(data, a->transform, error);
    const ls_split *split = ok ? ls_dataset_split(data, LS_TRAIN) : NULL;
    if (ok && !split->present)
        ok = ls_error_set(error, LS_DATA, "%s: has no training rows", a->data);
    char *text = ls_session_same_data(comm, ok ? data : NULL, error);
    ok = text != NULL;
    ls_free(text);
    if (ok) {
        double seconds = 0;
        long rows = 0;
        const ls_loader_plan plan = {.split = LS_TRAIN,
                                     .seed = 1,
                                     .targets = true,
                                     .shuffle = true,
                                     .batch = a->batch,
                                     .shards = comm->size,
                                     .begin = comm->rank,
                                     .end = comm->rank + 1,
                                     .end_step = a->steps + 1};
        ls_loader *loader = ls_loader_open(data, &plan);
        ok = take_all(comm, loader, a->steps + 1, &rows, &seconds, error);
        ls_loader_close(loader);
        if (ok && comm->rank == 0)
            print_speed(comm, a, split, (double)rows, seconds);
    }
    ls_dataset_close(data);
    return ok;
}
