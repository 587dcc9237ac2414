/* sealed: whether a file is what its .ok says, for people. */
#pragma once
#include <stddef.h>

#include "core/check.h"

typedef enum ls_sealed_state { LS_SEALED_HOLDS, LS_SEALED_BROKEN, LS_SEALED_NONE } ls_sealed_state;

typedef struct ls_sealed {
    ls_sealed_state state; /* NONE: there is no .ok beside it */
    size_t bytes;          /* of the file */
    char digest[33];       /* XXH3-128, where it holds */
    long step;             /* of the seal that holds */
    char why[1024];        /* where it does not */
} ls_sealed;

/* LS_DATA where there is no such file. */
bool ls_sealed_check(const char *path, ls_sealed *sealed, ls_error *error);
