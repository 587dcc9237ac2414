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
#include "io/lengths.h"

enum { RING = 3 };

typedef struct buffer {
    ls_batch batch; /* points into what follows */
    real *x, *y;
    int32_t *length; /* NULL: the split has none */
    int32_t *all_length;
    int64_t *row;
    int64_t *place; /* of each row in the epoch, where rows are drawn; NULL: each comes once */
} buffer;

struct ls_loader {
    ls_dataset *data;
    const ls_split *split;
    ls_loader_plan plan;
    long rows; /* of an epoch */
    long steps_per_epoch;
    int64_t *order;   /* [rows] with `bucket`: the rows of order_epoch; else NULL */
    long order_epoch; /* -1: none yet */
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

/* A random stream for the order of an epoch. */
static ls_random stream_of(const ls_loader *loader, ls_purpose purpose, long epoch, uint32_t number)
{
    return ls_random_stream(loader->plan.seed, purpose, (uint64_t)epoch, loader->plan.stage,
                            number);
}

/* Makes the order of an epoch, of batches of similar lengths. */
static void fill_order(ls_loader *loader, long epoch)
{
    const ls_lengths_epoch now = {.length = loader->split->length,
                                  .rows = loader->rows,
                                  .batch = loader->plan.batch,
                                  .bucket = loader->plan.bucket,
                                  .row_order = stream_of(loader, LS_RANDOM_SHUFFLE, epoch, 0),
                                  .batch_order = stream_of(loader, LS_RANDOM_SHUFFLE, epoch, 1)};
    ls_lengths_bucket(&now, loader->order);
    loader->order_epoch = epoch;
}

/* The row at place `index` of an epoch, which `stream` draws. */
static int64_t row_at(const ls_loader *loader, ls_random stream, long index)
{
    const ls_loader_plan *plan = &loader->plan;
    if (loader->order)
        return loader->order[index];
    if (plan->streams)
        return index % plan->batch * loader->steps_per_epoch + index / plan->batch;
    if (plan->sampler)
        return ls_sampler_draw(plan->sampler, stream, (uint64_t)index);
    if (plan->shuffle)
        return (int64_t)ls_random_permute(stream, (uint64_t)loader->rows, (uint64_t)index);
    return index;
}

/* The lengths of the batch's rows, which begin at place `begin` of the epoch; each shard of this
 * rank begins with its longest row. */
static void add_lengths(const ls_loader *loader, ls_random stream, long begin, buffer *to)
{
    const ls_loader_plan *plan = &loader->plan;
    const int32_t *length = loader->split->length;
    ls_batch *batch = &to->batch;
    batch->length = to->length;
    batch->all_length = to->all_length;
    for (long i = 0; i < batch->total; i++)
        to->all_length[i] = length[row_at(loader, stream, begin + i)];
    for (int s = plan->begin; s < plan->end; s++) {
        const ls_batch shard = ls_batch_shard(batch, s, plan->shards);
        const long skip = shard.first - batch->first;
        ls_lengths_sort(length, shard.rows, to->row + skip, to->place ? to->place + skip : NULL);
    }
    for (long i = 0; i < batch->rows; i++)
        to->length[i] = length[to->row[i]];
}

/* Sets the extent of a step's batch, and which rows of the data set it consists of. */
static void describe_batch(ls_loader *loader, long step, buffer *to)
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
                           .row = to->row};
    const ls_random stream =
        stream_of(loader, plan->sampler ? LS_RANDOM_SAMPLE : LS_RANDOM_SHUFFLE, epoch, 0);
    if (loader->order && loader->order_epoch != epoch)
        fill_order(loader, epoch);
    for (long i = 0; i < end - first; i++) {
        to->row[i] = row_at(loader, stream, begin + first + i);
        if (to->place)
            to->place[i] = begin + first + i;
    }
    if (to->length)
        add_lengths(loader, stream, begin, to);
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
    ls_check(plan->bucket == 0 || (plan->shuffle && !plan->sampler && split->length),
             "a loader can't make batches of similar lengths of %s", split->name);
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
    loader->order_epoch = -1;
    if (plan->bucket)
        loader->order = ls_alloc((size_t)loader->rows, sizeof *loader->order);
    loader->buffers = ls_dataset_in_memory(data) ? 1 : RING;
    for (int i = 0; i < loader->buffers; i++) {
        buffer *to = &loader->ring[i];
        to->row = ls_alloc(most, sizeof *to->row);
        to->x = ls_alloc(most, (size_t)ls_shape_count(&split->row) * sizeof(real));
        if (plan->sampler)
            to->place = ls_alloc(most, sizeof *to->place);
        if (split->length) {
            to->length = ls_alloc(most, sizeof *to->length);
            to->all_length = ls_alloc((size_t)batch, sizeof *to->all_length);
        }
        if (plan->targets && split->has_y)
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
        ls_free(loader->ring[i].all_length);
        ls_free(loader->ring[i].x);
        ls_free(loader->ring[i].y);
    }
    ls_free(loader->order);
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
