/* snapshot: who copies what, and when.
 *
 *     rank 0    step n  | copy part 0 |  step n+1 ...            each copies when it comes there,
 *     rank 1    step n     | copy part 1 |  step n+1 ...         and goes on
 *     thread                 waits for both | turns round, digest, disk | written
 *
 * The copy is of one moment: it begins after the barrier that ends the step's update (C in
 * dist/reduce.c), and no rank updates again before the next step's barrier B, to which each rank
 * comes after it has copied its part. So the parts may be cut in any way; here they are equal.
 *
 * Rows that an objective carries (carry.h) change in the gradient of the next step, before barrier
 * B, and lie in the own memory of ranks of all nodes. So they are sent to rank 0 at once, which has
 * them all before it counts up `filled` for its part: the thread begins when all parts are there.
 *
 * Numbers are copied as they are stored, into memory that was touched when the run began: at the
 * speed of memory. A rank writes into its part again when the thread has ended (`written` of the
 * handover). */
#include "launch/train/snapshot.h"

#include <time.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/minmax.h"

size_t ls_snapshot_bytes(const ls_params *params, int arrays)
{
    return (size_t)params->size * (size_t)arrays * sizeof(real) + sizeof(ls_checkpoint_handover);
}

bool ls_snapshot_create(ls_snapshot *snapshot, ls_comm *comm, const ls_params *params, int arrays,
                        long rows, ls_error *error)
{
    *snapshot = (ls_snapshot){.comm = comm, .size = params->size};
    if (comm->rank == 0)
        snapshot->rows = ls_alloc((size_t)rows, sizeof(real));
    if (comm->node_index == 0)
        snapshot->shared = ls_shared_create(comm, ls_snapshot_bytes(params, arrays), error);
    if (snapshot->shared) {
        snapshot->copy = ls_shared_data(snapshot->shared);
        snapshot->handover = (void *)(snapshot->copy + arrays * snapshot->size);
    }
    return ls_comm_agree(comm, comm->node_index > 0 || snapshot->shared, error);
}

void ls_snapshot_release(ls_snapshot *snapshot)
{
    ls_shared_destroy(snapshot->shared);
    ls_free(snapshot->rows);
}

void ls_snapshot_wait(ls_snapshot *snapshot)
{
    static const struct timespec moment = {.tv_nsec = 100000};
    double start = ls_clock_now();
    if (snapshot->writer)
        ls_checkpoint_writer_settle(snapshot->writer);
    if (snapshot->shared)
        ls_board_wait(snapshot->comm->board, 0);
    while (snapshot->shared &&
           __atomic_load_n(&snapshot->handover->written, __ATOMIC_ACQUIRE) < snapshot->taken)
        nanosleep(&moment, NULL);
    if (snapshot->shared)
        ls_board_go_on(snapshot->comm->board);
    snapshot->wait = ls_clock_now() - start;
    snapshot->waited += snapshot->wait;
}

/* Copies this rank's part of an array into array `number` of the copy, which it returns. */
static real *copy_part(const ls_snapshot *snapshot, const real *from, long number)
{
    const ls_comm *comm = snapshot->comm;
    real *to = snapshot->copy + number * snapshot->size;
    long blocks = snapshot->size / LS_SLOT_ALIGN;
    long begin = blocks * comm->node_rank / comm->node_size * LS_SLOT_ALIGN;
    long end = blocks * (comm->node_rank + 1) / comm->node_size * LS_SLOT_ALIGN;
    ls_memory_copy(to + begin, from + begin, (size_t)(end - begin) * sizeof *to);
    return to;
}

/* Puts the copies in the place of the arrays, some of which may be one (an average). */
static void copy_arrays(const ls_snapshot *snapshot, ls_checkpoint_arrays *arrays)
{
    const ls_checkpoint_arrays from = *arrays;
    long copied = 1; /* the values come first */
    for (int i = 0; i < from.count; i++) {
        int same = 0;
        while (from.at[same].array != from.at[i].array)
            same++;
        arrays->at[i].array =
            same < i ? arrays->at[same].array : copy_part(snapshot, from.at[i].array, copied++);
    }
}

void ls_snapshot_take(ls_snapshot *snapshot, const ls_checkpoint_contents *contents,
                      const ls_carry *carry, ls_checkpoint_part part)
{
    double start = ls_clock_now();
    ls_checkpoint_contents copy = *contents;
    if (snapshot->comm && part == LS_CHECKPOINT_ALL)
        ls_carry_gather(carry, snapshot->comm, snapshot->rows, &copy.rows);
    if (!snapshot->shared)
        return;
    copy.values = copy_part(snapshot, contents->values, 0);
    if (part == LS_CHECKPOINT_ALL)
        copy_arrays(snapshot, &copy.arrays);
    __atomic_add_fetch(&snapshot->handover->filled, 1, __ATOMIC_RELEASE);
    snapshot->taken++;
    if (snapshot->writer)
        ls_checkpoint_writer_write(snapshot->writer, &copy, part, snapshot->handover,
                                   snapshot->taken * snapshot->comm->node_size);
    snapshot->held = snapshot->wait + ls_clock_now() - start;
}
