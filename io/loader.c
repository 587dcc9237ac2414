/* loader: a thread reads batches into a ring of buffers, and ls_loader_next hands them out in
 * order.
 *
 * The batch of step k lies in buffer (k - first_step) % buffers. Three counts say where both sides
 * are: the thread fills buffer `read` while read - returned < buffers; the caller gets buffer
 * `given` as soon as given < read, and gives it back with its next call. A failed read ends the
 * thread; the caller gets the error after the batches that were read before. */
#include "io/loader.h"

#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/thread.h"

enum { RING = 3 };

typedef struct buffer {
    ls_batch batch; /* points into what follows */
    real *x, *y;
    int32_t *length; /* NULL: the split has none */
    int64_t *row;
    int64_t *place; /* of each row in the epoch, where rows are drawn; NULL: each comes once */
} buffer;

struct ls_loader {
    ls_dataset *data;
    const ls_split *split;
    ls_loader_plan plan;
    long rows; /* of an epoch */
    long steps_per_epoch;
    pthread_t thread;
    buffer ring[RING];
    long buffers;  /* of the ring that are used: one if all rows are in memory, else all */
    double waited; /* of the caller's thread only */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    long read, given, returned; /* batches: read, handed out, handed back */
    bool closing, failed;
    ls_error error; /* of a failed read; only then does the caller's thread look at it */
};

long ls_loader_steps_per_epoch(long rows, long batch)
{
    return (rows + batch - 1) / batch;
}

/* Sets the extent of a step's batch, and which rows of the data set it consists of. */
static void describe_batch(const ls_loader *loader, long step, buffer *to)
{
    const ls_loader_plan *plan = &loader->plan;
    long rows = loader->rows, epoch = step / loader->steps_per_epoch;
    long begin = step % loader->steps_per_epoch * plan->batch; /* in the order of the epoch */
    long total = rows - begin < plan->batch ? rows - begin : plan->batch;
    long first = total * plan->begin / plan->shards, end = total * plan->end / plan->shards;
    to->batch = (ls_batch){.rows = end - first,
                           .first = first,
                           .total = total,
                           .epoch = epoch,
                           .x_shape = loader->split->row,
                           .x = to->x,
                           .y_shape = loader->split->y.shape,
                           .y = to->y,
                           .length = to->length,
                           .row = to->row};
    ls_random order =
        ls_random_stream(plan->seed, plan->sampler ? LS_RANDOM_SAMPLE : LS_RANDOM_SHUFFLE,
                         (uint64_t)epoch, plan->stage, 0);
    for (long i = 0; i < end - first; i++) {
        uint64_t index = (uint64_t)(begin + first + i);
        to->row[i] = plan->streams
                         ? (first + i) * loader->steps_per_epoch + step % loader->steps_per_epoch
                     : plan->sampler ? ls_sampler_draw(plan->sampler, order, index)
                     : plan->shuffle ? (int64_t)ls_random_permute(order, (uint64_t)rows, index)
                                     : (int64_t)index;
        if (to->place)
            to->place[i] = (int64_t)index;
        if (to->length)
            to->length[i] = loader->split->length[to->row[i]];
    }
}

/* The thread. It holds the lock except while it waits or reads. */
static void *read_batches(void *context)
{
    ls_loader *loader = context;
    const ls_loader_plan *plan = &loader->plan;
    pthread_mutex_lock(&loader->lock);
    for (long step = plan->first_step; !loader->failed && step < plan->end_step; step++) {
        while (!loader->closing && loader->read - loader->returned >= loader->buffers)
            pthread_cond_wait(&loader->changed, &loader->lock);
        if (loader->closing)
            break;
        pthread_mutex_unlock(&loader->lock);
        buffer *to = &loader->ring[(step - plan->first_step) % loader->buffers];
        describe_batch(loader, step, to);
        const ls_augment augment = {plan->seed, plan->stage, to->batch.epoch, to->place};
        bool ok = ls_dataset_read(loader->data, plan->split, to->row, to->batch.rows, &augment,
                                  to->x, to->y, &loader->error);
        pthread_mutex_lock(&loader->lock);
        loader->read += ok;
        loader->failed = !ok;
        pthread_cond_broadcast(&loader->changed);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

ls_loader *ls_loader_open(ls_dataset *data, const ls_loader_plan *plan)
{
    const ls_split *split = ls_dataset_split(data, plan->split);
    ls_check(split->present && plan->batch > 0,
             "a loader needs a split that is there (%s) and a batch of 1 row or more, not %ld",
             split->name, plan->batch);
    ls_check(plan->rows >= 0 && plan->rows <= split->x.rows,
             "a loader can't read the first %ld of %ld rows", plan->rows, split->x.rows);
    ls_check(!plan->streams ||
                 (!plan->shuffle && (plan->rows ? plan->rows : split->x.rows) % plan->batch == 0),
             "a loader can't cut the rows into %ld equal streams", plan->batch);
    ls_check(plan->shards > 0 && plan->begin >= 0 && plan->begin <= plan->end &&
                 plan->end <= plan->shards,
             "a loader can't read shards [%d, %d) of %d", plan->begin, plan->end, plan->shards);
    ls_loader *loader = ls_alloc(1, sizeof *loader);
    loader->data = data;
    loader->split = split;
    loader->plan = *plan;
    loader->rows = plan->rows ? plan->rows : split->x.rows;
    loader->steps_per_epoch = ls_loader_steps_per_epoch(loader->rows, plan->batch);
    long batch = plan->batch < loader->rows ? plan->batch : loader->rows;
    /* The most rows that this rank gets of any batch of up to `batch` rows: for all real numbers a
     * and b, floor(b) - floor(a) is at most floor(b - a) + 1. */
    size_t most = (size_t)(batch * (plan->end - plan->begin) / plan->shards + 1);
    loader->buffers = ls_dataset_in_memory(data) ? 1 : RING;
    for (int i = 0; i < loader->buffers; i++) {
        buffer *to = &loader->ring[i];
        to->row = ls_alloc(most, sizeof *to->row);
        to->x = ls_alloc(most, (size_t)ls_shape_count(&split->row) * sizeof(real));
        if (plan->sampler)
            to->place = ls_alloc(most, sizeof *to->place);
        if (split->length)
            to->length = ls_alloc(most, sizeof *to->length);
        if (split->has_y)
            to->y = ls_alloc(most, (size_t)ls_shape_count(&split->y.shape) * sizeof(real));
    }
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->changed, NULL);
    int status = ls_thread_start(&loader->thread, read_batches, loader);
    ls_check(status == 0, "can't start the thread that reads data: %s", strerror(status));
    return loader;
}

void ls_loader_close(ls_loader *loader)
{
    if (!loader)
        return;
    pthread_mutex_lock(&loader->lock);
    loader->closing = true;
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
    pthread_join(loader->thread, NULL);
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->lock);
    for (int i = 0; i < RING; i++) {
        ls_free(loader->ring[i].row);
        ls_free(loader->ring[i].place);
        ls_free(loader->ring[i].length);
        ls_free(loader->ring[i].x);
        ls_free(loader->ring[i].y);
    }
    ls_free(loader);
}

const ls_batch *ls_loader_next(ls_loader *loader, ls_error *error)
{
    const ls_batch *batch = NULL;
    double start = ls_clock_now();
    pthread_mutex_lock(&loader->lock);
    ls_check(loader->given < loader->plan.end_step - loader->plan.first_step,
             "a batch was asked for after step %ld, the last", loader->plan.end_step);
    loader->returned = loader->given;
    pthread_cond_broadcast(&loader->changed);
    while (loader->read == loader->given && !loader->failed)
        pthread_cond_wait(&loader->changed, &loader->lock);
    if (loader->read > loader->given)
        batch = &loader->ring[loader->given++ % loader->buffers].batch;
    else if (error)
        *error = loader->error;
    pthread_mutex_unlock(&loader->lock);
    loader->waited += ls_clock_now() - start;
    return batch;
}

double ls_loader_waited(const ls_loader *loader)
{
    return loader->waited;
}
