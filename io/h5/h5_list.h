/* h5_list: what an HDF5 file holds: its objects in the order of their names, their attributes, and
 * the range of the numbers in each array. Soft and external links are listed, but not followed. */
#pragma once
#include "core/check.h"

enum { LS_H5_LIST_RANK = 32, LS_H5_LIST_NUMBERS = 8, LS_H5_LIST_ATTRIBUTES = 64 };

typedef enum ls_h5_list_kind {
    LS_H5_LIST_GROUP,
    LS_H5_LIST_ARRAY,
    LS_H5_LIST_LINK,
    LS_H5_LIST_OTHER
} ls_h5_list_kind;

typedef struct ls_h5_list_attribute {
    char *name;
    char *text; /* NULL: it holds numbers, or what can't be shown */
    long count; /* of its numbers */
    int shown;  /* how many of them stand here: in whole[] where `is_whole`, else in at[] */
    bool is_whole;
    union {
        double at[LS_H5_LIST_NUMBERS];
        long whole[LS_H5_LIST_NUMBERS];
    };
} ls_h5_list_attribute;

typedef struct ls_h5_list_object {
    ls_h5_list_kind kind;
    const char *path; /* "model/net/conv1/weight"; "" is the file itself */
    /* Of an array: */
    const char *type, *storage; /* "float32", "contiguous" */
    int rank;
    long at[LS_H5_LIST_RANK];    /* its shape */
    bool numbers;                /* it holds numbers, and the four below are known */
    double least, largest, mean; /* of the finite numbers; NaN where there are none */
    long bad;                    /* how many numbers are NaN or infinite */
    long bad_row;                /* the first row that holds one; -1: none does */
    int attributes;
    ls_h5_list_attribute attribute[LS_H5_LIST_ATTRIBUTES];
} ls_h5_list_object;

/* Calls `visit` for the file itself and each object in it; *object is good until `visit` returns.
 * Every number of the file is read. LS_DATA errors where the file can't be read. */
bool ls_h5_list_visit(const char *path,
                      void (*visit)(void *context, const ls_h5_list_object *object), void *context,
                      ls_error *error);
