/* shared: arrays that the ranks of a node hold once, in MPI-3 shared windows. */
#pragma once
#include "dist/comm.h"

typedef struct ls_shared ls_shared;

/* **Collective** over the node. One array of `bytes` zeroed bytes, 64-byte aligned. NULL and an
 * LS_IO error where the node has no room for it. */
ls_shared *ls_shared_create(ls_comm *comm, size_t bytes, ls_error *error);
/* The array's address, which differs from rank to rank. */
void *ls_shared_data(const ls_shared *shared);
/* **Collective** over the node. */
void ls_shared_destroy(ls_shared *shared);
/* **Collective** over the node. The bytes that are free for shared arrays, the same on all ranks of
 * the node, and the directory that MPI keeps them in ("": unknown, or a node of one rank). */
double ls_shared_free(ls_comm *comm, char *directory, size_t size);
/* **Collective.** Whether every node can hold `bytes` more, as the others of its machine do. Ask
 * before they are used: writing to a page that a full file system can't provide is a SIGBUS. */
bool ls_shared_room(ls_comm *comm, size_t bytes, ls_error *error);
/* **Collective.** To be called before shared arrays of `bytes` a node are made. If a node has no
 * room, each rank becomes a node of its own with its own arrays, and rank 0 says so on stderr. */
void ls_shared_make_room(ls_comm *comm, size_t bytes);
