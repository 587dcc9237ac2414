/* h5_list: what an HDF5 file holds: its objects in the order of their names, their attributes, and
 * the range of the numbers in each array. Links to elsewhere are told, and not followed. */
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
    char *text; /* of a text; NULL: numbers, or what can't be shown */
    long count; /* numbers in it */
    int shown;  /* the first of them, in at[], or in whole[] where `is_whole` */
    bool is_whole;
    double at[LS_H5_LIST_NUMBERS];
    long whole[LS_H5_LIST_NUMBERS];
} ls_h5_list_attribute;

typedef struct ls_h5_list_object {
    ls_h5_list_kind kind;
    const char *path; /* "model/net/conv1/weight"; "" is the file itself */
    /* Arrays. */
    const char *type, *storage; /* "float32", "contiguous" */
    int rank;
    long at[LS_H5_LIST_RANK];    /* its shape */
    bool numbers;                /* the four below are known */
    double least, largest, mean; /* of the finite numbers; NaN where there are none */
    long bad;                    /* NaN and infinite numbers */
    int attributes;
    ls_h5_list_attribute attribute[LS_H5_LIST_ATTRIBUTES];
} ls_h5_list_object;

/* Calls `visit` for the file itself and each object in it; what it gets is good until it returns.
 * Every number is read. LS_DATA errors where the file can't be read. */
bool ls_h5_list_visit(const char *path,
                      void (*visit)(void *context, const ls_h5_list_object *object), void *context,
                      ls_error *error);

/* How the arrays of one name differ in two files. */
typedef struct ls_h5_list_difference {
    const char *path;
    bool in_a, in_b; /* where it is */
    bool compared;   /* false: in one only, of other shape or kind, or not to be read */
    bool like;       /* of one shape and kind, where compared is false because it can't be read */
    long count, differing; /* values, and those that are not equal; NaN equals NaN */
    bool numbers;          /* the rest is known */
    double largest;        /* |a - b| */
    double relative;       /* norm of a - b over the norm of a */
} ls_h5_list_difference;

/* Calls `visit` for each array that is in either file, in the order of the names. */
bool ls_h5_list_compare(const char *a, const char *b,
                        void (*visit)(void *context, const ls_h5_list_difference *difference),
                        void *context, ls_error *error);
