/* weights_file: the parameters of --weights FILE: a checkpoint or a file of weights of lockstep's
 * (HDF5), or a safetensors file, by lockstep's names or by torchvision's. */
#pragma once
#include "core/params.h"
#include "io/dataset.h"

typedef struct ls_weights_source {
    const char *path;
    const char *except;     /* patterns of slots that stay as they are (core/slots.h); NULL: none */
    const char *model;      /* the job's model, whose names the file may have; NULL: it has none */
    const ls_dataset *data; /* that the net is for */
} ls_weights_source;

/* Fills params->values from the file. Names, shapes and types are strict; all are checked before
 * anything is filled, except that numbers are finite. A tensor of a slot that `except` names may be
 * missing, or of another shape. A vocabulary in the file is that of the data, unless `except` names
 * something: what depends on it then. LS_USAGE, LS_DATA and LS_IO errors say which tensor, what was
 * expected and what was found. */
bool ls_weights_file_load(const ls_weights_source *source, const ls_params *params,
                          ls_error *error);
