/* comm_internal: the inside of ls_comm, and checked MPI calls, for the files of dist. Include
 * <mpi.h> before it: no header includes mpi.h. */
#pragma once
#include "dist/comm.h"

/* A machine may be cut into several nodes (LOCKSTEP_RANKS_PER_NODE). */
struct ls_comm {
    MPI_Comm world; /* all ranks, numbered node by node */
    MPI_Comm node;  /* the ranks of this node */
    MPI_Comm peers; /* the ranks of all nodes that have this node_rank, in the order of the nodes */
    int rank, size; /* in world */
    int node_index, nodes;
    int node_rank, node_size; /* in node */
    int smallest_node;        /* ranks of the smallest node: into how many slices arrays are cut */
    int machine_nodes;        /* nodes on this rank's machine */
    int started;              /* ranks that the environment says were started */
    int cores, cores_bound;
    char host[256];
};

/* Runs an MPI call; if it fails, ends every rank with the call and MPI's reason. */
#define ls_mpi(call) ls_mpi_check((call), #call, __FILE__, __LINE__)
void ls_mpi_check(int code, const char *call, const char *file, int line);
