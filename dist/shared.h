/* shared: arrays that the ranks of a node hold once, in MPI-3 shared windows. */
#pragma once
#include "dist/comm.h"

typedef struct ls_shared ls_shared;

/* **Collective** over the node. One array of `bytes` zeroed bytes, 64-byte aligned; ls_shared_data
 * gives each rank's own address of it. NULL and an LS_IO error where the node has no room. */
ls_shared *ls_shared_create(ls_comm *comm, size_t bytes, ls_error *error);
void *ls_shared_data(const ls_shared *shared);
/* **Collective** over the node. */
void ls_shared_destroy(ls_shared *shared);
/* **Collective** over the node. Where its shared arrays would live, into place[size] ("" where
 * nothing says so, and on a node of one rank), and the bytes that are free there: the same on all
 * of its ranks. */
double ls_shared_free(ls_comm *comm, char *place, size_t size);
/* **Collective.** Whether every node can hold `bytes` more of shared memory (a page of /dev/shm or
 * TMPDIR that is not there is a SIGBUS). Where not, the caller calls ls_comm_split_nodes, so that
 * each rank is a node of its own, and says so aloud. */
bool ls_shared_room(ls_comm *comm, size_t bytes, ls_error *error);
/* **Collective.** Before shared arrays of `bytes` a node in all are made: where a node has no room,
 * each rank becomes a node of its own (ls_comm_split_nodes), and rank 0 says so on stderr. */
void ls_shared_make_room(ls_comm *comm, size_t bytes);
