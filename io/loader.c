/* loader: a thread fills a ring of batches; ls_loader_next hands them out in order. */
#include "io/loader.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"

enum { RING = 3 };

typedef struct place {
    ls_batch batch;
    real *x, *y;
    int64_t *row;
} place;

struct ls_loader {
    ls_dataset *data;
    const ls_split *split;
    ls_loader_plan plan;
    long steps_per_epoch;
    pthread_t thread;
    place ring[RING]; /* step k lies in ring[(k - first_step) % RING] */
    double waited;    /* of the caller's thread only */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    long read, given, returned; /* steps read, handed out, handed back: read - returned <= RING */
    bool closing, failed;
    ls_error error;
};

long ls_loader_steps_per_epoch(long rows, long batch)
{
    return (rows + batch - 1) / batch;
}

/* Fills batch and row numbers of a step. */
static void lay_out(const ls_loader *feed, long step, place *place)
{
    const ls_loader_plan *plan = &feed->plan;
    long rows = feed->split->x.rows;
    long epoch = step / feed->steps_per_epoch;
    long begin = step % feed->steps_per_epoch * plan->batch;
    long total = rows - begin < plan->batch ? rows - begin : plan->batch;
    long first = total * plan->begin / plan->shards, end = total * plan->end / plan->shards;
    place->batch = (ls_batch){.rows = end - first,
                              .first = first,
                              .total = total,
                              .epoch = epoch,
                              .x_shape = feed->split->row,
                              .x = place->x,
                              .y_shape = feed->split->y.shape,
                              .y = place->y,
                              .row = place->row};
    ls_random order =
        ls_random_stream(plan->seed, LS_RANDOM_SHUFFLE, (uint64_t)epoch, plan->stage, 0);
    for (long i = 0; i < end - first; i++) {
        uint64_t index = (uint64_t)(begin + first + i);
        place->row[i] =
            (int64_t)(plan->shuffle ? ls_random_permute(order, (uint64_t)rows, index) : index);
    }
}

/* Waits for a free place; false where the thread should end. */
static bool wait_for_place(ls_loader *feed)
{
    pthread_mutex_lock(&feed->lock);
    while (!feed->closing && feed->read - feed->returned >= RING)
        pthread_cond_wait(&feed->changed, &feed->lock);
    bool go_on = !feed->closing;
    pthread_mutex_unlock(&feed->lock);
    return go_on;
}

static void *read_ahead(void *context)
{
    ls_loader *feed = context;
    bool ok = true;
    for (long step = feed->plan.first_step; ok && step < feed->plan.end_step; step++) {
        if (!wait_for_place(feed))
            break;
        ls_error error = {.code = 0};
        place *place = &feed->ring[(step - feed->plan.first_step) % RING];
        lay_out(feed, step, place);
        const ls_augment augment = {feed->plan.seed, feed->plan.stage, place->batch.epoch};
        ok = ls_dataset_read(feed->data, feed->plan.split, place->row, place->batch.rows, &augment,
                             place->x, place->y, &error);
        pthread_mutex_lock(&feed->lock);
        feed->read += ok;
        feed->failed = !ok;
        feed->error = error;
        pthread_cond_broadcast(&feed->changed);
        pthread_mutex_unlock(&feed->lock);
    }
    return NULL;
}

/* Signals are for the main thread. */
static void start_thread(ls_loader *feed)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&feed->thread, NULL, read_ahead, feed);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    ls_check(status == 0, "can't start the thread that reads data: %s", strerror(status));
}

static void check_plan(const ls_split *split, const ls_loader_plan *plan)
{
    ls_check(split->present && plan->batch > 0,
             "a feed needs a split that is there (%s) and a "
             "batch of 1 row or more, not %ld",
             split->name, plan->batch);
    ls_check(plan->shards > 0 && plan->begin >= 0 && plan->begin <= plan->end &&
                 plan->end <= plan->shards,
             "a feed of shards [%d, %d) of %d", plan->begin, plan->end, plan->shards);
}

ls_loader *ls_loader_open(ls_dataset *data, const ls_loader_plan *plan)
{
    const ls_split *split = ls_dataset_split(data, plan->split);
    check_plan(split, plan);
    ls_loader *feed = ls_alloc(1, sizeof *feed);
    feed->data = data;
    feed->split = split;
    feed->plan = *plan;
    feed->steps_per_epoch = ls_loader_steps_per_epoch(split->x.rows, plan->batch);
    long batch = plan->batch < split->x.rows ? plan->batch : split->x.rows;
    /* floor(b) - floor(a) is at most floor(b - a) + 1, for every batch size up to this one. */
    size_t most = (size_t)(batch * (plan->end - plan->begin) / plan->shards + 1);
    for (int i = 0; i < RING; i++) {
        place *place = &feed->ring[i];
        place->row = ls_alloc(most, sizeof *place->row);
        place->x = ls_alloc(most, (size_t)ls_shape_count(&split->row) * sizeof(real));
        if (split->has_y)
            place->y = ls_alloc(most, (size_t)ls_shape_count(&split->y.shape) * sizeof(real));
    }
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->changed, NULL);
    start_thread(feed);
    return feed;
}

void ls_loader_close(ls_loader *feed)
{
    if (!feed)
        return;
    pthread_mutex_lock(&feed->lock);
    feed->closing = true;
    pthread_cond_broadcast(&feed->changed);
    pthread_mutex_unlock(&feed->lock);
    pthread_join(feed->thread, NULL);
    pthread_cond_destroy(&feed->changed);
    pthread_mutex_destroy(&feed->lock);
    for (int i = 0; i < RING; i++) {
        ls_free(feed->ring[i].row);
        ls_free(feed->ring[i].x);
        ls_free(feed->ring[i].y);
    }
    ls_free(feed);
}

const ls_batch *ls_loader_next(ls_loader *feed, ls_error *error)
{
    const ls_batch *batch = NULL;
    double start = ls_clock_now();
    pthread_mutex_lock(&feed->lock);
    long steps = feed->plan.end_step - feed->plan.first_step;
    feed->returned = feed->given;
    pthread_cond_broadcast(&feed->changed);
    while (feed->read == feed->given && feed->given < steps && !feed->failed)
        pthread_cond_wait(&feed->changed, &feed->lock);
    if (feed->read > feed->given)
        batch = &feed->ring[feed->given++ % RING].batch;
    else if (feed->failed && error)
        *error = feed->error;
    else
        ls_error_set(error, LS_NUMERIC, "bug: a batch was asked for after step %ld, the last",
                     feed->plan.end_step);
    pthread_mutex_unlock(&feed->lock);
    feed->waited += ls_clock_now() - start;
    return batch;
}

double ls_loader_waited(const ls_loader *feed)
{
    return feed->waited;
}
