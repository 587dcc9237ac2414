/* checkpoint_rows: reads what a checkpoint holds below /rows. */
#include "io/checkpoint/checkpoint_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_items.h"
#include "io/dataset_check.h"
#include "io/h5/h5.h"

/* The names below /rows that no row state has. */
typedef struct strangers {
    const ls_row_states *known;
    long count;
    char first[256];
} strangers;

static herr_t look_at(hid_t group, const char *name, const H5L_info_t *link, void *context)
{
    strangers *s = context;
    for (int k = 0; k < s->known->count; k++)
        if (strcmp(s->known->at[k].name, name) == 0)
            return 0;
    if (s->count++ == 0)
        snprintf(s->first, sizeof s->first, "%s", name);
    return 0;
}

/* Whether all that is below /rows has the name of a row state. */
static bool check_names(hid_t file, const ls_row_states *known, ls_error *error)
{
    strangers s = {.known = known};
    H5L_info_t link;
    H5O_info_t object;
    if (H5Lget_info(file, "rows", &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD ||
        H5Oget_info_by_name1(file, "rows", &object, H5P_DEFAULT) < 0 ||
        object.type != H5O_TYPE_GROUP)
        return ls_h5_fail(error, LS_DATA, file, "/rows is no group");
    if (H5Literate_by_name(file, "rows", H5_INDEX_NAME, H5_ITER_NATIVE, NULL, look_at, &s,
                           H5P_DEFAULT) < 0)
        return ls_h5_fail(error, LS_DATA, file, "can't list what is below /rows");
    return s.count == 0 ||
           ls_h5_fail(error, LS_DATA, file,
                      "holds %ld state(s) of rows that this objective does not have, the first of "
                      "them /rows/%s; it is of another objective",
                      s.count, s.first);
}

/* The state's rows and reals in the file. */
static bool read_shape(hid_t dataset, const char *path, ls_row_state *state, ls_error *error)
{
    hsize_t dims[H5S_MAX_RANK] = {0};
    hid_t space = H5Dget_space(dataset);
    const int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    state->rows = (long)dims[0];
    state->reals = (long)dims[1];
    return rank == 2 ||
           ls_h5_fail(error, LS_DATA, dataset,
                      "%s has %d dimensions; expected [rows, numbers of a row]", path, rank);
}

/* The numbers of a state, as many as are wanted. */
static bool read_numbers(hid_t file, const char *path, const ls_row_state *state, real *data,
                         ls_error *error)
{
    const hsize_t dims[] = {(hsize_t)state->rows, (hsize_t)state->reals};
    if (!ls_h5_read(file, path, ls_h5_real(), 2, dims, data, error))
        return false;
    for (long i = 0; i < state->rows * state->reals; i++)
        if (!isfinite(data[i]))
            return ls_h5_fail(error, LS_DATA, file,
                              "%s holds %g in row %ld; expected finite numbers", path,
                              (double)data[i], i / state->reals);
    return true;
}

static bool read_state(hid_t file, const ls_row_state *wanted, ls_row_state *found, real **data,
                       ls_error *error)
{
    bool exists;
    char path[LS_SLOT_NAME];
    snprintf(path, sizeof path, "rows/%s", wanted->name);
    *found = (ls_row_state){.name = wanted->name};
    if (!ls_dataset_check_exists(file, path, &exists, error))
        return false;
    if (!exists)
        return true;
    hid_t dataset = ls_h5_dataset(file, path, error);
    if (dataset < 0)
        return false;
    bool ok = read_shape(dataset, path, found, error) &&
              ls_checkpoint_items_type(dataset, path, LS_CHECKPOINT_ALL, error);
    H5Dclose(dataset);
    if (!ok || found->rows != wanted->rows || found->reals != wanted->reals)
        return ok;
    *data = ls_alloc((size_t)(wanted->rows * wanted->reals), sizeof(real));
    return read_numbers(file, path, wanted, *data, error);
}

bool ls_checkpoint_rows_load(const ls_checkpoint *checkpoint, const ls_row_states *wanted,
                             ls_checkpoint_rows *found, ls_error *error)
{
    hid_t file = checkpoint->file;
    bool exists;
    *found = (ls_checkpoint_rows){.states = {.count = wanted->count}};
    bool ok = ls_dataset_check_exists(file, "rows", &exists, error) &&
              (!exists || check_names(file, wanted, error));
    for (int k = 0; ok && k < wanted->count; k++)
        ok = read_state(file, &wanted->at[k], &found->states.at[k], &found->data[k], error);
    return ok;
}

void ls_checkpoint_rows_release(ls_checkpoint_rows *found)
{
    for (int k = 0; k < LS_ROW_STATES; k++)
        ls_free(found->data[k]);
    *found = (ls_checkpoint_rows){.states = {.count = 0}};
}
