/* checkpoint_writer: writes checkpoints in a thread of low priority, and removes old ones.
 *
 * A write is a row of short parts: wait for the arrays, lay out the file, a piece of its numbers,
 * ..., the last sync. Between two parts it can change hands: who waits for it asks the thread to
 * leave and goes on itself. So a write that nobody waits for takes what the training leaves it, and
 * the last one of a run is not held up by its own low priority. */
#include "io/checkpoint/checkpoint_writer.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/thread.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checkpoint_prune.h"
#include "io/checkpoint/checkpoint_save.h"

/* The removal of old checkpoints. */
typedef struct pruning {
    bool ok; /* they were removed, or there was no need */
    ls_error error;
    ls_error told; /* the last error that was told */
} pruning;

struct ls_checkpoint_writer {
    char *folder; /* RUN/checkpoints */
    int keep;
    bool running;    /* the thread must be joined */
    bool barred;     /* no write is begun until the error is told */
    ls_error untold; /* the first error since one was told; code 0: none */
    pthread_t thread;
    atomic_bool leave; /* the thread is to leave the rest of the write to who asks this */
    atomic_bool ended; /* the write; what is below belongs to the thread before that */
    ls_checkpoint_contents contents;
    ls_checkpoint_part part;
    char *path; /* best.h5, stage-N.h5 or step-N.h5 by the part */
    ls_checkpoint_handover *handover;
    long parts;
    ls_checkpoint_save *save; /* NULL: the file was not begun */
    double start, seconds;
    bool ok;
    ls_error error;
    pruning pruning;
};

ls_checkpoint_writer *ls_checkpoint_writer_open(const char *run, int keep)
{
    ls_check(keep >= 1, "a run must keep 1 checkpoint or more, not %d", keep);
    ls_checkpoint_writer *writer = ls_alloc(1, sizeof *writer);
    writer->folder = ls_format("%s/checkpoints", run);
    writer->keep = keep;
    writer->ended = true;
    writer->ok = ls_atomic_file_folder(writer->folder, &writer->error);
    writer->pruning.ok = true;
    ls_checkpoint_prune_unfinished(writer->folder);
    return writer;
}

static void end(ls_checkpoint_writer *writer, bool ok)
{
    writer->ok = ok;
    writer->seconds = ls_clock_now() - writer->start;
    if (writer->handover)
        __atomic_add_fetch(&writer->handover->written, 1, __ATOMIC_RELEASE);
    writer->ended = true;
}

static bool is_filled(const ls_checkpoint_writer *writer)
{
    return !writer->handover ||
           __atomic_load_n(&writer->handover->filled, __ATOMIC_ACQUIRE) >= writer->parts;
}

/* Does the next part of the write. */
static void advance(ls_checkpoint_writer *writer)
{
    static const struct timespec moment = {.tv_nsec = 100000};
    if (!is_filled(writer)) {
        nanosleep(&moment, NULL);
    } else if (!writer->save) {
        writer->save =
            ls_checkpoint_save_begin(writer->path, &writer->contents, writer->part, &writer->error);
        if (!writer->save)
            end(writer, false);
    } else if (!ls_checkpoint_save_piece(writer->save)) {
        bool ok = ls_checkpoint_save_end(writer->save, &writer->error);
        writer->pruning.ok = !ok || writer->part != LS_CHECKPOINT_ALL ||
                             ls_checkpoint_prune(writer->folder, writer->contents.position.step,
                                                 writer->keep, &writer->pruning.error);
        end(writer, ok);
    }
}

static void *write_out(void *argument)
{
    ls_checkpoint_writer *writer = argument;
    ls_thread_give_way();
    while (!writer->ended && !writer->leave)
        advance(writer);
    return NULL;
}

/* Keeps the first error until it is told. */
static void keep_error(ls_checkpoint_writer *writer, const ls_error *error)
{
    if (!writer->untold.code)
        writer->untold = *error;
}

void ls_checkpoint_writer_settle(ls_checkpoint_writer *writer)
{
    writer->leave = true;
    if (writer->running)
        pthread_join(writer->thread, NULL);
    writer->running = false;
    while (!writer->ended)
        advance(writer);
    if (writer->ok)
        return;
    writer->ok = true;
    writer->barred |= writer->part != LS_CHECKPOINT_ALL;
    keep_error(writer, &writer->error);
}

void ls_checkpoint_writer_bar(ls_checkpoint_writer *writer, const ls_error *why)
{
    writer->barred = true;
    keep_error(writer, why);
}

bool ls_checkpoint_writer_wait(ls_checkpoint_writer *writer, ls_error *error)
{
    ls_checkpoint_writer_settle(writer);
    bool ok = !writer->untold.code;
    if (!ok && error)
        *error = writer->untold;
    writer->untold.code = 0;
    writer->barred = false;
    return ok;
}

/* Where the contents go. */
static char *path_of(const ls_checkpoint_writer *writer)
{
    const ls_position *position = &writer->contents.position;
    return writer->part == LS_CHECKPOINT_WEIGHTS ? ls_format("%s/best.h5", writer->folder)
           : writer->part == LS_CHECKPOINT_STAGE
               ? ls_checkpoint_list_stage(writer->folder, position->stage, ".h5")
               : ls_checkpoint_list_path(writer->folder, position->step, ".h5");
}

void ls_checkpoint_writer_write(ls_checkpoint_writer *writer,
                                const ls_checkpoint_contents *contents, ls_checkpoint_part part,
                                ls_checkpoint_handover *handover, long parts)
{
    ls_checkpoint_writer_settle(writer);
    writer->handover = handover;
    writer->parts = parts;
    writer->contents = *contents;
    writer->part = part;
    writer->save = NULL;
    ls_free(writer->path);
    writer->path = path_of(writer);
    writer->start = ls_clock_now();
    writer->leave = writer->ended = false;
    if (!writer->barred)
        writer->running = ls_thread_start(&writer->thread, write_out, writer) == 0;
    else
        end(writer, true);
    if (!writer->running) /* no thread could be started: write in this one */
        ls_checkpoint_writer_settle(writer);
}

bool ls_checkpoint_writer_failed(const ls_checkpoint_writer *writer)
{
    return writer->untold.code || (writer->ended && !writer->ok);
}

double ls_checkpoint_writer_seconds(const ls_checkpoint_writer *writer)
{
    return writer->ended && !ls_checkpoint_writer_failed(writer) ? writer->seconds : 0;
}

const char *ls_checkpoint_writer_warning(ls_checkpoint_writer *writer)
{
    pruning *pruning = &writer->pruning;
    if (!writer->ended || pruning->ok || strcmp(pruning->error.text, pruning->told.text) == 0)
        return NULL;
    pruning->told = pruning->error;
    return pruning->told.text;
}

bool ls_checkpoint_writer_close(ls_checkpoint_writer *writer, ls_error *error)
{
    bool ok = ls_checkpoint_writer_wait(writer, error);
    ls_free(writer->path);
    ls_free(writer->folder);
    ls_free(writer);
    return ok;
}
