/* checkpoint_writer: the state is copied into an HDF5 file in memory at once; a thread writes that
 * to the disk and removes old checkpoints while training goes on. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checksum.h"
#include "io/checkpoint/snapshot.h"
#include "io/h5/h5_image.h"

struct ls_checkpoint_writer {
    char *folder; /* RUN/checkpoints */
    int keep;
    bool running; /* the thread is to be joined */
    pthread_t thread;
    /* Of the write under way; the thread's own until it is joined. */
    bool best, ok;
    long step;
    ls_h5_image image;
    ls_error error;
};

ls_checkpoint_writer *ls_checkpoint_writer_open(const char *run, int keep)
{
    ls_check(keep >= 1, "a run that keeps %d checkpoints", keep);
    ls_checkpoint_writer *writer = ls_alloc(1, sizeof *writer);
    writer->folder = ls_format("%s/checkpoints", run);
    writer->keep = keep;
    writer->ok = ls_atomic_file_folder(writer->folder, &writer->error);
    ls_checkpoint_sweep(writer->folder);
    return writer;
}

static bool write_item(hid_t file, const ls_params *params, const ls_item *item, real *logical,
                       ls_error *error)
{
    hsize_t dims[LS_MAX_RANK];
    int rank = ls_item_dims(params, item, dims);
    const ls_slot *slot = &params->slots[item->slot];
    const real *from = item->array + slot->offset;
    if (slot->layout.size) {
        ls_params_store(params, item->slot, item->array, logical);
        from = logical;
    }
    hid_t stored = sizeof(real) == sizeof(double) ? H5T_IEEE_F64LE : H5T_IEEE_F32LE;
    return ls_h5_write(file, item->path, stored, ls_h5_real(), rank, dims, from, error);
}

static bool fill_file(hid_t file, const ls_snapshot *snapshot, const ls_item *items, int count,
                      ls_error *error)
{
    const ls_params *params = snapshot->params;
    bool ok = ls_snapshot_write_fields(file, snapshot, error);
    real *logical = ls_alloc(ls_snapshot_largest(params), sizeof *logical);
    for (int i = 0; i < count && ok; i++)
        ok = write_item(file, params, &items[i], logical, error);
    ls_free(logical);
    return ok;
}

static bool make_image(const char *name, const ls_snapshot *snapshot, ls_h5_image *image,
                       ls_error *error)
{
    int count, arrays = snapshot->weights_only ? 0 : snapshot->arrays;
    hid_t file =
        ls_h5_create_image(name, ls_checkpoint_bytes(snapshot->params, arrays), image, error);
    if (file < 0)
        return false;
    ls_item *items = ls_snapshot_items(snapshot->params, snapshot->array, arrays, &count);
    bool ok = fill_file(file, snapshot, items, count, error);
    ok = ls_h5_close_image(file, image, ok ? error : NULL) && ok;
    ls_free(items);
    if (ok)
        return true;
    ls_free(image->bytes);
    *image = (ls_h5_image){0};
    return false;
}

bool ls_checkpoint_save(const char *path, const ls_params *params, ls_error *error)
{
    ls_snapshot weights = {.params = params, .weights_only = true, .best = NAN};
    ls_h5_image image;
    char *name = ls_format("%s" LS_H5_IN_MEMORY, path);
    bool ok = make_image(name, &weights, &image, error) &&
              ls_checksum_write(path, image.bytes, image.size, 0, error);
    ls_free(image.bytes);
    ls_free(name);
    return ok;
}

static bool remove_file(const char *folder, long step, const char *ending, ls_error *error)
{
    char *path = ls_checkpoint_path(folder, step, ending);
    bool ok = unlink(path) == 0 || errno == ENOENT ||
              ls_error_set(error, LS_IO, "%s: can't remove the old checkpoint: %s", path,
                           strerror(errno));
    ls_free(path);
    return ok;
}

/* Keeps the newest `keep` up to the one just written. Later steps are of a future that this run,
 * resumed from before them, does not have. The .ok goes first: it makes a checkpoint one. */
static bool remove_old(const ls_checkpoint_writer *writer, ls_error *error)
{
    int count, kept = 0;
    ls_checkpoint_entry *list = ls_checkpoint_list(writer->folder, &count, error);
    bool ok = list != NULL;
    for (int i = 0; i < count && ok; i++) {
        bool whole = list[i].file && list[i].ok;
        if (whole && list[i].step <= writer->step && kept < writer->keep)
            kept++;
        else
            ok = remove_file(writer->folder, list[i].step, ".ok", error) &&
                 remove_file(writer->folder, list[i].step, ".h5", error);
    }
    ls_free(list);
    return ok;
}

static void *write_out(void *argument)
{
    ls_checkpoint_writer *writer = argument;
    char *path = writer->best ? ls_format("%s/best.h5", writer->folder)
                              : ls_checkpoint_path(writer->folder, writer->step, ".h5");
    writer->ok = ls_checksum_write(path, writer->image.bytes, writer->image.size, writer->step,
                                   &writer->error) &&
                 (writer->best || remove_old(writer, &writer->error));
    ls_free(path);
    return NULL;
}

/* The thread takes no signals: they are the training loop's. Where no thread can be had, the write
 * is done here. */
static void start(ls_checkpoint_writer *writer)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    writer->running = pthread_create(&writer->thread, NULL, write_out, writer) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!writer->running)
        write_out(writer);
}

bool ls_checkpoint_wait(ls_checkpoint_writer *writer, ls_error *error)
{
    if (writer->running)
        pthread_join(writer->thread, NULL);
    writer->running = false;
    ls_free(writer->image.bytes);
    writer->image = (ls_h5_image){0};
    bool ok = writer->ok;
    if (!ok && error)
        *error = writer->error;
    writer->ok = true; /* an error is told once */
    return ok;
}

bool ls_checkpoint_write(ls_checkpoint_writer *writer, const ls_snapshot *snapshot, bool best,
                         ls_error *error)
{
    bool before = ls_checkpoint_wait(writer, error);
    ls_snapshot what = *snapshot;
    what.weights_only = best || snapshot->weights_only;
    writer->best = best;
    writer->step = snapshot->step;
    writer->ok = make_image(best ? "best.h5" : "checkpoint", &what, &writer->image, &writer->error);
    if (writer->ok)
        start(writer);
    return before;
}

bool ls_checkpoint_writer_close(ls_checkpoint_writer *writer, ls_error *error)
{
    bool ok = ls_checkpoint_wait(writer, error);
    ls_free(writer->folder);
    ls_free(writer);
    return ok;
}
