/* checkpoint_writer: a write copies the contents into an HDF5 file in memory at once; a thread then
 * writes that to the disk and removes old checkpoints while training goes on. */
#include "io/checkpoint/checkpoint_writer.h"

#include <string.h>

#include "core/memory.h"
#include "core/thread.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint_items.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checkpoint_prune.h"
#include "io/checkpoint/checksum.h"

struct ls_checkpoint_writer {
    char *folder; /* RUN/checkpoints */
    int keep;
    bool running; /* the thread must be joined */
    pthread_t thread;
    /* Of the write under way; they belong to the thread until it is joined. */
    ls_checkpoint_part part; /* WEIGHTS: it becomes best.h5 */
    long step;
    bool ok;
    ls_h5_image image;
    ls_error error;
    bool pruned;       /* old checkpoints were removed, or there was no need */
    ls_error unpruned; /* why not */
    /* Why old checkpoints could not be removed, and whether that is still to be told. */
    ls_error warning;
    bool warns;
};

ls_checkpoint_writer *ls_checkpoint_writer_open(const char *run, int keep)
{
    ls_check(keep >= 1, "a run must keep 1 checkpoint or more, not %d", keep);
    ls_checkpoint_writer *writer = ls_alloc(1, sizeof *writer);
    writer->folder = ls_format("%s/checkpoints", run);
    writer->keep = keep;
    writer->ok = ls_atomic_file_folder(writer->folder, &writer->error);
    writer->pruned = true;
    ls_checkpoint_prune_unfinished(writer->folder);
    return writer;
}

static void *write_out(void *argument)
{
    ls_checkpoint_writer *writer = argument;
    bool best = writer->part == LS_CHECKPOINT_WEIGHTS;
    char *path = best ? ls_format("%s/best.h5", writer->folder)
                      : ls_checkpoint_list_path(writer->folder, writer->step, ".h5");
    writer->ok = ls_checksum_write(path, writer->image.bytes, writer->image.size, writer->step,
                                   &writer->error);
    writer->pruned =
        !writer->ok || best ||
        ls_checkpoint_prune(writer->folder, writer->step, writer->keep, &writer->unpruned);
    ls_free(path);
    return NULL;
}

bool ls_checkpoint_writer_wait(ls_checkpoint_writer *writer, ls_error *error)
{
    if (writer->running)
        pthread_join(writer->thread, NULL);
    writer->running = false;
    ls_free(writer->image.bytes);
    writer->image = (ls_h5_image){0};
    bool ok = writer->ok;
    if (!ok && error)
        *error = writer->error;
    writer->ok = true; /* an error is reported once */
    if (!writer->pruned && strcmp(writer->unpruned.text, writer->warning.text) != 0) {
        writer->warning = writer->unpruned;
        writer->warns = true;
    }
    return ok;
}

bool ls_checkpoint_writer_write(ls_checkpoint_writer *writer,
                                const ls_checkpoint_contents *contents, ls_checkpoint_part part,
                                ls_error *error)
{
    bool best = writer->part == LS_CHECKPOINT_WEIGHTS;
    bool before = ls_checkpoint_writer_wait(writer, error);
    if (!before && best)
        return false;
    const char *name = part == LS_CHECKPOINT_WEIGHTS ? "best.h5" : "checkpoint";
    writer->part = part;
    writer->step = contents->position->step;
    writer->ok = ls_checkpoint_items_write(name, contents, part, &writer->image, &writer->error);
    if (!writer->ok)
        return before;
    writer->running = ls_thread_start(&writer->thread, write_out, writer) == 0;
    if (!writer->running) /* no thread could be started: write in this one */
        write_out(writer);
    return before;
}

const char *ls_checkpoint_writer_warning(ls_checkpoint_writer *writer)
{
    bool warns = writer->warns;
    writer->warns = false;
    return warns ? writer->warning.text : NULL;
}

bool ls_checkpoint_writer_close(ls_checkpoint_writer *writer, ls_error *error)
{
    bool ok = ls_checkpoint_writer_wait(writer, error);
    ls_free(writer->folder);
    ls_free(writer);
    return ok;
}
