/* h5_list_compare: how the arrays of two HDF5 files differ, name by name. */
#pragma once
#include "core/check.h"

/* How the arrays of one name differ in two files. */
typedef struct ls_h5_list_difference {
    const char *path;
    bool in_a, in_b;       /* which files have it */
    bool like;             /* both have it, with the same shape and kind */
    bool compared;         /* and its values can be read: the rest is known */
    long count, differing; /* values, and those that are not equal; NaN equals NaN */
    bool numbers;          /* they are numbers, so that the two below are known */
    double largest;        /* |a - b| */
    double relative;       /* norm of a - b over the norm of a */
} ls_h5_list_difference;

/* Calls `visit` for each array that is in either file, in the order of the names. */
bool ls_h5_list_compare(const char *a, const char *b,
                        void (*visit)(void *context, const ls_h5_list_difference *difference),
                        void *context, ls_error *error);
