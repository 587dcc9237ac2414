/* export_onnx: a net as an ONNX file. */
#pragma once
#include "launch/export/export.h"

/* On rank 0: writes the file, whole or not at all, and fills export->text. LS_USAGE: which of
 * several nets is not said, or a line has no form in ONNX; LS_IO. */
bool ls_export_onnx(ls_export *export, ls_error *error);
