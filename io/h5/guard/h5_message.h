/* h5_message: checks the messages of an object header, and keeps what they say of the object. */
#pragma once
#include "io/h5/guard/h5_table.h"
#include "io/h5/guard/h5_type.h"

/* Numbers of messages, as the format counts them. */
enum {
    LS_H5_SPACE = 1, /* shape of a data set */
    LS_H5_LINKS = 2, /* of a group in the new form: where its links are */
    LS_H5_TYPE = 3,
    LS_H5_FILL = 5,
    LS_H5_LINK = 6,   /* one link of a group in the new form */
    LS_H5_LAYOUT = 8, /* where the numbers of a data set are */
    LS_H5_FILTERS = 11,
    LS_H5_ATTRIBUTE = 12,
    LS_H5_CONTINUED = 16, /* the header goes on elsewhere */
    LS_H5_NAMES = 17,     /* of a group in the old form: its B-tree and heap */
    LS_H5_FILE_SPACE = 23 /* of the superblock: how free space is managed */
};

/* What the messages of one object say. */
typedef struct ls_h5_object {
    uint64_t at;         /* of its header */
    unsigned seen;       /* a bit for each kind of message */
    uint64_t links;      /* how many names it says that it has */
    bool dense;          /* a group whose names only HDF5 can read */
    uint64_t tree, heap; /* addresses of those that hold a group's names */
    int rank;
    uint64_t points; /* values of its shape, UINT64_MAX where these are too many to count */
    ls_h5_type type;
    uint64_t type_at;                        /* of a type with a name: its address; else 0 */
    uint64_t link_heap, link_tree;           /* of a dense group */
    uint64_t attribute_heap, attribute_tree; /* of many attributes; LS_H5_NOWHERE: there are none */
    uint64_t start;                          /* address of contiguous values */
    uint64_t fill, compact; /* bytes of the fill value, and of values in the header itself */
    uint64_t chunk_tree;    /* address of the B-tree of chunks */
    ls_h5_chunk chunk;      /* rank 0: the values are not in chunks */
} ls_h5_object;

/* Checks a message by its number, flags and content. What a group names by it goes onto walk->todo.
 */
bool ls_h5_message_check(ls_h5_object *object, unsigned number, unsigned flags, ls_h5_piece *body);
/* Checks that what `points` values of varying length refer to is there, which HDF5 does not ask;
 * their elements have `base` bytes each. */
bool ls_h5_message_lists(ls_h5_piece *values, uint64_t points, uint64_t base);
