/* comm_internal: MPI's communicators and checked MPI calls, for the files of dist. Include <mpi.h>
 * before it: no header includes mpi.h. */
#pragma once
#include "dist/comm.h"

struct ls_comm_mpi {
    MPI_Comm world;   /* all ranks, numbered node by node */
    MPI_Comm machine; /* the ranks of this machine */
    MPI_Comm node;    /* the ranks of this node */
    MPI_Comm peers; /* the ranks of all nodes that have this node_rank, in the order of the nodes */
};

/* Runs an MPI call; if it fails, ends every rank with the call and MPI's reason. */
#define ls_mpi(call) ls_mpi_check((call), #call, __FILE__, __LINE__)
/* The same for a call that ends when rank `whom`, LS_BOARD_NODE or LS_BOARD_ALL made one too: so
 * the board tells for whom this rank waits. */
#define ls_mpi_wait(comm, whom, call)                                                              \
    (ls_board_wait((comm)->board, whom), ls_mpi(call), ls_board_go_on((comm)->board))
/* The same for a collective call that waits so, given by both of its names: MPI_Bcast, MPI_Ibcast,
 * arguments. Where ranks take turns on cores, one that waits gives its core away: MPICH would keep
 * it, as long as the system lets it, from the rank that it waits for. A blocking call on one rank
 * and a nonblocking one on another would not meet: `crowded` is the same on all. */
#define ls_mpi_collect(comm, whom, call, nonblocking, ...)                                         \
    do {                                                                                           \
        MPI_Request request_ = MPI_REQUEST_NULL;                                                   \
        ls_board_wait((comm)->board, whom);                                                        \
        if (!(comm)->crowded)                                                                      \
            ls_mpi(call(__VA_ARGS__));                                                             \
        else                                                                                       \
            ls_mpi(nonblocking(__VA_ARGS__, &request_));                                           \
        ls_mpi_await(&request_);                                                                   \
        ls_board_go_on((comm)->board);                                                             \
    } while (0)
void ls_mpi_await(MPI_Request *request); /* until it is done, giving the core away */
void ls_mpi_check(int code, const char *call, const char *file, int line);
