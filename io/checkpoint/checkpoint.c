/* checkpoint: a checkpoint file that is read once: opens it, loads from it. */
#include "io/checkpoint/checkpoint.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_fields.h"
#include "io/checkpoint/checkpoint_items.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checkpoint_save.h"
#include "io/checkpoint/checksum.h"
#include "io/dataset_check.h"
#include "io/h5/h5_error.h"

/* Whether the step in the file's name is that of its .ok. If not, somebody put another checkpoint,
 * with its .ok, in the place of this one. */
static bool name_fits(const char *path, const ls_checksum *checksum, ls_error *error)
{
    const char *slash = strrchr(path, '/');
    long named = ls_checkpoint_list_step(slash ? slash + 1 : path, ".h5");
    return named < 0 || checksum->digest[0] == 0 || named == checksum->step ||
           ls_error_set(error, LS_DATA, "%s: is the checkpoint of step %ld under a wrong name",
                        path, checksum->step);
}

static ls_checkpoint *open_file(const char *path, ls_checksum_need need, ls_error *error)
{
    size_t size;
    ls_checksum checksum;
    ls_checkpoint *checkpoint = ls_alloc(1, sizeof *checkpoint);
    *checkpoint = (ls_checkpoint){.path = ls_copy_string(path), .file = -1};
    checkpoint->bytes = ls_checksum_read(path, need, &size, &checksum, error);
    if (checkpoint->bytes && name_fits(path, &checksum, error))
        checkpoint->file = ls_h5_open_image(path, checkpoint->bytes, size, error);
    if (checkpoint->file >= 0)
        return checkpoint;
    ls_checkpoint_close(checkpoint);
    return NULL;
}

ls_checkpoint *ls_checkpoint_open(const char *path, ls_error *error)
{
    ls_checkpoint *it = open_file(path, LS_CHECKSUM_REQUIRED, error);
    if (!it || (ls_checkpoint_fields_read(it, error) &&
                ls_vocabulary_read(it->file, &it->vocabulary, error)))
        return it;
    ls_checkpoint_close(it);
    return NULL;
}

void ls_checkpoint_close(ls_checkpoint *checkpoint)
{
    if (!checkpoint)
        return;
    if (checkpoint->file >= 0)
        H5Fclose(checkpoint->file);
    ls_vocabulary_destroy(checkpoint->vocabulary);
    ls_free(checkpoint->bytes);
    ls_free(checkpoint->data);
    ls_free(checkpoint->job);
    ls_free(checkpoint->path);
    ls_free(checkpoint);
}

bool ls_checkpoint_load(const ls_checkpoint *checkpoint, const ls_params *params,
                        const ls_checkpoint_arrays *arrays, ls_error *error)
{
    if (checkpoint->weights_only)
        return ls_error_set(
            error, LS_DATA,
            "%s: holds weights only, no optimizer state and no progress, so a run can't "
            "go on from it; start a new run from it with --weights",
            checkpoint->path);
    const ls_checkpoint_loaded what = {.part = LS_CHECKPOINT_ALL, .arrays = arrays};
    return ls_checkpoint_items_load(checkpoint->file, params, &what, error);
}

bool ls_checkpoint_load_weights(const ls_checkpoint *checkpoint, const ls_params *params,
                                ls_error *error)
{
    const ls_checkpoint_loaded what = {.part = LS_CHECKPOINT_WEIGHTS};
    return ls_checkpoint_items_load(checkpoint->file, params, &what, error);
}

/* Loads the parameters, then the average over them. */
bool ls_checkpoint_load_average(const ls_checkpoint *checkpoint, const ls_params *params,
                                ls_error *error)
{
    const ls_slots all = ls_slots_all(params);
    const ls_checkpoint_arrays average = {1, {{"average", &all, true, params->values}}};
    const ls_checkpoint_loaded what = {.part = LS_CHECKPOINT_WEIGHTS, .arrays = &average};
    bool exists;
    if (!ls_dataset_check_exists(checkpoint->file, "optimizer/average", &exists, error))
        return false;
    if (!exists)
        return ls_error_set(error, LS_DATA,
                            "%s: holds no moving average of the weights: expected a checkpoint of "
                            "a stage whose optimizer has ema= (best.h5 of a run with "
                            "evaluate.average=1 is the average already)",
                            checkpoint->path);
    return ls_checkpoint_items_load(checkpoint->file, params, &what, error);
}

bool ls_weights_write(const char *path, const ls_checkpoint_contents *contents, ls_error *error)
{
    ls_checkpoint_save *save =
        ls_checkpoint_save_begin(path, contents, LS_CHECKPOINT_WEIGHTS, error);
    while (save && ls_checkpoint_save_piece(save))
        ;
    return save && ls_checkpoint_save_end(save, error);
}

bool ls_weights_save(const char *path, const ls_params *params, ls_error *error)
{
    const ls_checkpoint_contents contents = {
        .job = "", .position = {.best = NAN}, .params = params, .values = params->values};
    return ls_weights_write(path, &contents, error);
}

/* Whether the file's vocabulary, if it has one, is that of the data. */
static bool has_words(ls_checkpoint *file, const ls_dataset *data, ls_error *error)
{
    return ls_vocabulary_read(file->file, &file->vocabulary, error) &&
           ls_vocabulary_same(file->path, file->vocabulary, ls_dataset_path(data),
                              ls_dataset_vocabulary(data), error);
}

bool ls_weights_load_except(const char *path, const ls_params *params, const ls_slots *except,
                            const ls_dataset *data, ls_error *error)
{
    const ls_checkpoint_loaded what = {.part = LS_CHECKPOINT_WEIGHTS, .except = except};
    ls_checkpoint *file = open_file(path, LS_CHECKSUM_OPTIONAL, error);
    bool ok = file && (!data || has_words(file, data, error)) &&
              ls_checkpoint_items_load(file->file, params, &what, error);
    ls_checkpoint_close(file);
    return ok;
}

bool ls_weights_load(const char *path, const ls_params *params, ls_error *error)
{
    return ls_weights_load_except(path, params, NULL, NULL, error);
}
