/* shared: arrays that the ranks of a node hold once, in MPI-3 shared windows. */
#pragma once
#include "dist/comm.h"

typedef struct ls_shared ls_shared;

/* **Collective** over the node. One array of `bytes` zeroed bytes, 64-byte aligned. NULL and an
 * LS_IO error where the node has no room for it. */
ls_shared *ls_shared_create(ls_comm *comm, size_t bytes, ls_error *error);
/* The address of the array, which is another one on each rank. */
void *ls_shared_data(const ls_shared *shared);
/* **Collective** over the node. */
void ls_shared_destroy(ls_shared *shared);
/* **Collective** over the node. The bytes that are free for shared arrays, and the directory that
 * the MPI library keeps them in ("" where nothing says so, and on a node of one rank). All ranks of
 * the node get the same. */
double ls_shared_free(ls_comm *comm, char *directory, size_t size);
/* **Collective.** Whether every node can hold `bytes` more. It must be known before they are used:
 * to touch a page of a file system that is full is a SIGBUS. */
bool ls_shared_room(ls_comm *comm, size_t bytes, ls_error *error);
/* **Collective.** To be called before shared arrays of `bytes` a node are made. If a node has no
 * room, each rank becomes a node of its own (ls_comm_split_nodes) and keeps a copy of its own, and
 * rank 0 says so on stderr. */
void ls_shared_make_room(ls_comm *comm, size_t bytes);
