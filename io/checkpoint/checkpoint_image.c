/* checkpoint_image: a checkpoint file built in memory. */
#include "io/checkpoint/checkpoint_image.h"

#include "core/memory.h"
#include "io/checkpoint/checkpoint_fields.h"

static bool write_item(hid_t file, const ls_params *params, const ls_checkpoint_item *item,
                       real *logical, ls_error *error)
{
    hsize_t dims[LS_MAX_RANK];
    int rank = ls_checkpoint_items_dims(params, item, dims);
    const ls_slot *slot = &params->slots[item->slot];
    const real *from = item->array + slot->offset;
    if (slot->layout.size) {
        ls_params_store(params, item->slot, item->array, logical);
        from = logical;
    }
    hid_t stored = sizeof(real) == sizeof(double) ? H5T_IEEE_F64LE : H5T_IEEE_F32LE;
    return ls_h5_write(file, item->path, stored, ls_h5_real(), rank, dims, from, error);
}

static bool fill_file(hid_t file, const ls_checkpoint_contents *contents, ls_checkpoint_part part,
                      ls_error *error)
{
    const ls_params *params = contents->params;
    int count;
    ls_checkpoint_item *items =
        ls_checkpoint_items(params, part == LS_CHECKPOINT_ALL ? contents->arrays : NULL, &count);
    real *logical = ls_alloc(ls_checkpoint_items_largest(params), sizeof *logical);
    bool ok = ls_checkpoint_fields_write(file, contents->position, contents->job,
                                         part == LS_CHECKPOINT_WEIGHTS, error);
    for (int i = 0; i < count && ok; i++)
        ok = write_item(file, params, &items[i], logical, error);
    ls_free(logical);
    ls_free(items);
    return ok;
}

bool ls_checkpoint_image(const char *name, const ls_checkpoint_contents *contents,
                         ls_checkpoint_part part, ls_h5_image *image, ls_error *error)
{
    int arrays = part == LS_CHECKPOINT_ALL ? contents->arrays->count : 0;
    hid_t file =
        ls_h5_create_image(name, ls_checkpoint_bytes(contents->params, arrays), image, error);
    bool ok = file >= 0 && fill_file(file, contents, part, error);
    ok = file >= 0 && ls_h5_close_image(file, image, ok ? error : NULL) && ok;
    if (ok)
        return true;
    ls_free(image->bytes);
    *image = (ls_h5_image){0};
    return false;
}
