/* comm: the ranks: start and stop, node topology, agreement. The only owner of MPI (mpi.h is
 * included only in C files of dist). A failed MPI call, and a failed ls_check on any rank, ends
 * every rank through MPI_Abort with rank, host and reason. Works alone too (one rank, no mpirun).
 */
#pragma once
#include "core/check.h"
#include "core/tensor.h"

typedef struct ls_comm ls_comm;

/* **Collective.** Starts MPI (funneled) and takes over the fatal hook. Ranks that share memory are
 * a node; LOCKSTEP_RANKS_PER_NODE=K in the environment cuts nodes into groups of at most K, which
 * behave as nodes do (tests of the network path on one machine). Ranks are renumbered node by node.
 */
ls_comm *ls_comm_open(int *argc, char ***argv);
/* **Collective.** Each rank becomes a node: one copy a rank, nothing shared; ranks keep their
 * numbers. Before any shared array is made, where ls_shared_room says that there is no room. */
void ls_comm_split_nodes(ls_comm *comm);
/* **Collective.** Ends MPI. */
void ls_comm_close(ls_comm *comm);

int ls_comm_rank(const ls_comm *comm);
int ls_comm_size(const ls_comm *comm);
int ls_comm_nodes(const ls_comm *comm);
int ls_comm_node_rank(const ls_comm *comm); /* within the node */
int ls_comm_node_size(const ls_comm *comm);
const char *ls_comm_host(const ls_comm *comm);
/* Cores that this rank may run on, and cores of the machine. */
int ls_comm_cores_bound(const ls_comm *comm);
int ls_comm_cores(const ls_comm *comm);
/* Under srun without PMIx every task is a world of one: true (with what to do in *error) where the
 * environment says that more tasks were started than MPI knows. */
bool ls_comm_singletons(const ls_comm *comm, ls_error *error);
const char *ls_comm_version(void); /* of the MPI library, one line */

/* **Collective.** True where `ok` is true on all ranks; else false on all, and *error holds, on
 * every rank, the message of the lowest rank that failed. */
bool ls_comm_agree(ls_comm *comm, bool ok, ls_error *error);
/* **Collective.** Whether all ranks hold the same bytes. */
bool ls_comm_same(ls_comm *comm, const void *data, size_t bytes);
/* **Collective.** From rank 0 to all; any size. */
void ls_comm_broadcast(ls_comm *comm, void *data, size_t bytes);
/* **Collective.** `bytes` (below 2 GiB) of each rank, in rank order, into all[size * bytes] on rank
 * 0; elsewhere `all` may be NULL. */
void ls_comm_gather(ls_comm *comm, const void *mine, size_t bytes, void *all);
/* **Collective.** Of an array that each node holds once (ls_shared): from rank 0's node to the
 * others. */
void ls_comm_broadcast_nodes(ls_comm *comm, void *data, size_t bytes);
/* **Collective.** Element-wise sum on all ranks: exact where one rank only holds a number that is
 * not 0. */
void ls_comm_sum(ls_comm *comm, double *values, long count);
void ls_comm_sum_long(ls_comm *comm, long *values, long count);
/* **Collective.** The same in tree order over the ranks: the same bits each time, whatever the
 * numbers. */
void ls_comm_sum_ordered(ls_comm *comm, double *values, long count);
/* **Collective.** */
double ls_comm_max(ls_comm *comm, double value);
void ls_comm_barrier(ls_comm *comm);
void ls_comm_node_barrier(ls_comm *comm); /* of the node */
