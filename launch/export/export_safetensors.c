/* export_safetensors: the parameters of a net as a safetensors file. */
#include "launch/export/export_safetensors.h"

#include <stdio.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/safetensors/safetensors_write.h"

static const char *const schemes[] = {
    [LS_NAMING_LOCKSTEP] = "lockstep", [LS_NAMING_TORCHVISION] = "torchvision"};

static bool put_slots(const ls_params *params, const ls_tensor_name *names,
                      ls_safetensors_write *file, ls_error *error)
{
    long largest = 0;
    for (int s = 0; s < params->count; s++)
        largest = ls_max(largest, ls_shape_count(&params->slots[s].shape));
    real *logical = ls_alloc((size_t)largest, sizeof *logical);
    real *stored = ls_alloc((size_t)largest, sizeof *stored);
    bool ok = true;
    for (int s = 0; ok && s < params->count; s++) {
        ls_params_store(params, s, params->values, logical);
        ls_tensor_names_to_file(&names[s], &params->slots[s], logical, stored);
        ok = ls_safetensors_write_numbers(file, stored, ls_shape_count(&params->slots[s].shape),
                                          error);
    }
    ls_free(stored);
    ls_free(logical);
    return ok;
}

static bool write_file(const ls_export *export, const ls_tensor_name *names, ls_error *error)
{
    const ls_params *params = export->saved->session.params;
    const char *const metadata[] = {
        "format", "pt", "lockstep", LS_VERSION, "names", schemes[export->names], NULL};
    ls_safetensors_entry *entries = ls_alloc((size_t)params->count, sizeof *entries);
    for (int s = 0; s < params->count; s++)
        entries[s] = (ls_safetensors_entry){names[s].text, params->slots[s].shape};
    const ls_safetensors_contents contents = {params->count, entries, metadata};
    ls_safetensors_write *file = ls_safetensors_write_begin(export->output, &contents, error);
    ls_free(entries);
    if (!file)
        return false;
    if (put_slots(params, names, file, error))
        return ls_safetensors_write_end(file, error);
    ls_safetensors_write_discard(file);
    return false;
}

bool ls_export_safetensors(ls_export *export, ls_error *error)
{
    const ls_params *params = export->saved->session.params;
    long numbers = 0;
    for (int s = 0; s < params->count; s++)
        numbers += ls_shape_count(&params->slots[s].shape);
    snprintf(export->text, sizeof export->text, "%d tensors of %ld numbers, %s's names",
             params->count, numbers, schemes[export->names]);
    ls_tensor_name *names =
        ls_tensor_names_list(params, export->names, export->saved->job->model, error);
    bool ok = names && write_file(export, names, error);
    ls_free(names);
    return ok;
}
