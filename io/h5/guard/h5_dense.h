/* h5_dense: attributes and names that stand in a heap. */
#pragma once
#include "io/h5/guard/h5_message.h"

/* Checks the attributes of an object that has more than 8 in the form of libver='latest': their
 * heap, the B-tree that finds them, and each as a message. */
bool ls_h5_dense_attributes(ls_h5_walk *walk, ls_h5_object *object);
/* Checks what HDF5 relies on without a checksum before it lists the names of a dense group. */
bool ls_h5_dense_links(ls_h5_walk *walk, const ls_h5_object *object);
