/* streams: a chunk's streams go side by side, from their first window to the last of the longest.
 */
#include "launch/session/streams.h"

#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "launch/session/chunks.h"

/* What a rank needs for a chunk. */
typedef struct walk {
    const ls_streams *streams;
    const ls_split *split;
    long steps;           /* of a window */
    long count;           /* streams of the split */
    real *x, *y, *tokens; /* [size, steps] each; [steps + 1] */
    int64_t *first;       /* [size] the first token of each window */
    int32_t *length;      /* [size] */
    real *carried;        /* [size, reals] */
    bool failed;
    ls_error error;
} walk;

/* The first token of stream s. */
static long begin_of(const walk *w, long s)
{
    const long labels = w->split->tokens - 1;
    return w->streams->reals ? labels * s / w->count : ls_min(s * w->steps, labels);
}

/* Reads window `number` of these streams; returns whether any of them has one. */
static bool read_windows(walk *w, const ls_batch *batch, long number)
{
    bool any = false;
    memset(w->x, 0, (size_t)(batch->rows * w->steps) * sizeof *w->x);
    memset(w->y, 0, (size_t)(batch->rows * w->steps) * sizeof *w->y);
    for (long i = 0; i < batch->rows && !w->failed; i++) {
        const long first = begin_of(w, batch->first + i) + number * w->steps;
        const long left = begin_of(w, batch->first + i + 1) - first;
        const long n = w->length[i] = (int32_t)ls_max(0, ls_min(left, w->steps));
        w->first[i] = first;
        if (n == 0)
            continue;
        any = true;
        w->failed = !ls_dataset_read_tokens(w->streams->data, w->streams->split, first, n + 1,
                                            w->tokens, &w->error);
        memcpy(w->x + i * w->steps, w->tokens, (size_t)n * sizeof *w->x);
        memcpy(w->y + i * w->steps, w->tokens + 1, (size_t)n * sizeof *w->y);
    }
    return any && !w->failed;
}

static void apply_chunk(void *context, const ls_batch *rows, long chunk, real *results)
{
    walk *w = context;
    const ls_carried carried = {.first = rows->first, .rows = rows->rows, .data = w->carried};
    ls_batch batch = *rows;
    batch.x_shape = batch.y_shape = w->split->row;
    batch.x = w->x;
    batch.y = w->y;
    batch.row = w->first;
    batch.length = w->length;
    memset(w->carried, 0, (size_t)(rows->rows * w->streams->reals) * sizeof *w->carried);
    for (long number = 0; read_windows(w, &batch, number); number++)
        w->streams->apply(w->streams->context, &batch, w->streams->reals ? &carried : NULL, chunk);
}

static long count_streams(const ls_streams *streams)
{
    const ls_split *split = ls_dataset_split(streams->data, streams->split);
    const long labels = split->tokens - 1, steps = ls_shape_count(&split->row);
    const long windows = labels / steps, most = ls_max(LS_STREAMS, windows / LS_STREAMS_LONG);
    return ls_max(1, streams->reals ? ls_min(most, windows / LS_STREAMS_WINDOWS)
                                    : (labels + steps - 1) / steps);
}

/* The streams as rows to be made: nothing is read but by apply_chunk. */
static ls_chunks chunks_of(const ls_streams *streams)
{
    return (ls_chunks){.rows = count_streams(streams), .size = streams->size, .apply = apply_chunk};
}

long ls_streams_chunks(const ls_streams *streams)
{
    const ls_chunks chunks = chunks_of(streams);
    return ls_chunks_count(&chunks);
}

bool ls_streams_run(const ls_streams *streams, ls_comm *comm, ls_error *error)
{
    const ls_split *split = ls_dataset_split(streams->data, streams->split);
    const size_t size = (size_t)streams->size, steps = (size_t)ls_shape_count(&split->row);
    walk w = {.streams = streams,
              .split = split,
              .steps = (long)steps,
              .count = count_streams(streams),
              .x = ls_alloc(size * steps, sizeof *w.x),
              .y = ls_alloc(size * steps, sizeof *w.y),
              .tokens = ls_alloc(steps + 1, sizeof *w.tokens),
              .first = ls_alloc(size, sizeof *w.first),
              .length = ls_alloc(size, sizeof *w.length),
              .carried = ls_alloc(size * (size_t)streams->reals, sizeof *w.carried)};
    ls_chunks chunks = chunks_of(streams);
    chunks.context = &w;
    bool ok = ls_chunks_run(&chunks, comm, error);
    if (ok && w.failed && error)
        *error = w.error;
    ok = ls_comm_agree(comm, ok && !w.failed, error);
    ls_free(w.carried);
    ls_free(w.length);
    ls_free(w.first);
    ls_free(w.tokens);
    ls_free(w.y);
    ls_free(w.x);
    return ok;
}
