/* export: what the formats of `lockstep export` get, and who writes each. */
#pragma once
#include "launch/session/saved.h"
#include "launch/weights/tensor_names.h"

typedef struct ls_export {
    ls_saved *saved; /* the net and its parameters */
    const char *output;
    ls_naming names;
    const char *net; /* the one that is wanted; NULL: the only one */
    bool transforms; /* the job's transforms go with the net */
    char text[256];  /* what was written, for a line of output */
} ls_export;
