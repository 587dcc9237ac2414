/* export: what the formats of `lockstep export` get, and who writes each. */
#pragma once
#include "launch/session/saved.h"
#include "launch/weights/tensor_names.h"

typedef struct ls_export {
    ls_saved *saved; /* the net and its parameters */
    const char *output;
    ls_naming names;
    char text[256]; /* what was written, for a line of output */
} ls_export;
