/* export_safetensors: the parameters of a net as a safetensors file. */
#pragma once
#include "launch/export/export.h"

/* On rank 0: writes the file, whole or not at all, and fills export->text. LS_USAGE: the net has no
 * names of this kind; LS_IO. */
bool ls_export_safetensors(ls_export *export, ls_error *error);
