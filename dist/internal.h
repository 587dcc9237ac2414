/* internal: what the files of dist share. Include <mpi.h> before it: no header includes mpi.h. */
#pragma once
#include "dist/reduce.h"

struct ls_comm {
    MPI_Comm world; /* all ranks, node by node */
    MPI_Comm node;
    MPI_Comm peers; /* the ranks with this node_rank, one of each node that has it, in node order */
    int rank, size, node_index, nodes, node_rank, node_size;
    int smallest_node; /* ranks of the smallest node: the number of slices */
    int machine_nodes; /* on this rank's machine: more than 1 where it was cut */
    int started;       /* ranks that the environment says were started */
    int cores, cores_bound;
    char host[256];
};

/* Runs an MPI call; where it fails, ends every rank with the call and MPI's reason. */
#define ls_mpi(call) ls_mpi_check((call), #call, __FILE__, __LINE__)
void ls_mpi_check(int code, const char *call, const char *file, int line);

/* The parts of an array that are summed, within one slice: reals in ascending order, not touching.
 * Places in them are counted without the gaps, from 0 to `total`. */
typedef struct ls_intervals {
    int count;
    ls_interval at[LS_INTERVALS];
    long total;
} ls_intervals;

/* Reals of one message between nodes, and messages on the way at a time. */
enum { LS_EXCHANGE_PIECE = 1 << 18, LS_EXCHANGE_DEPTH = 16 };

/* **Collective** over comm->peers. Sums `runs` of the nodes' arrays in tree order over the nodes;
 * every node's array then holds the sum. `buffer`: LS_EXCHANGE_DEPTH * LS_EXCHANGE_PIECE reals. */
void ls_exchange_sum(const ls_comm *comm, real *array, const ls_intervals *runs, real *buffer);
/* **Collective** over comm->peers. The same for tail[LS_TAIL]. */
void ls_exchange_tail(const ls_comm *comm, double *tail);
