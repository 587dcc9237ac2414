/* comm: the ranks of a run: start and stop, which ranks share memory, agreement, small sums.
 *
 * A *node* is a group of ranks that share memory: those of one machine, or a part of them. Ranks
 * are numbered machine by machine, and node by node there. Without mpirun there is one rank. A
 * failed MPI call, and a failed ls_check on any rank, ends every rank through MPI_Abort with rank,
 * host and reason. */
#pragma once
#include "core/check.h"
#include "core/tensor.h"
#include "dist/board.h"

/* What a rank knows of the run; callers only read it. */
/* Cores of a rank's machine. */
typedef struct ls_comm_cores {
    int all;    /* that it has */
    int own;    /* that this rank may run on */
    int shared; /* that at least one of its ranks may run on */
} ls_comm_cores;

typedef struct ls_comm {
    int rank, size;              /* this rank's number, and how many ranks there are */
    int node_index, nodes;       /* the number of this rank's node, and how many nodes there are */
    int node_rank, node_size;    /* this rank's number within its node, and the ranks of the node */
    int *node_sizes;             /* [nodes] ranks of each node */
    int smallest_node;           /* its ranks: so many of each node add up and update */
    int machine_index, machines; /* the number of this rank's machine, and how many there are */
    int machine_size, machine_nodes; /* ranks and nodes on this rank's machine */
    int started;                     /* ranks that the environment says were started */
    bool crowded;                    /* on some machine there are more ranks than cores for them */
    long most; /* elements of one MPI call, whose counts are int: longer ones are cut */
    ls_comm_cores cores;
    char host[256];
    ls_board *board;         /* what this rank does now (board.h) */
    struct ls_comm_mpi *mpi; /* communicators, for the files of dist (comm_internal.h) */
} ls_comm;

/* **Collective.** Starts MPI (MPI_THREAD_FUNNELED) and takes over the fatal hook. With
 * LOCKSTEP_RANKS_PER_NODE=K in the environment, nodes have at most K ranks, and with =3,1 the first
 * of a machine has 3, all others 1: so several nodes can be tried on one machine. */
ls_comm *ls_comm_open(int *argc, char ***argv);
/* Whether this process's environment has a LOCKSTEP_RANKS_PER_NODE that ls_comm_open takes, which
 * it must be on the first rank; LS_USAGE error. */
bool ls_comm_check_environment(ls_error *error);
/* Which ranks of a machine share memory, and are a node. */
typedef enum ls_comm_sharing {
    LS_COMM_SHARE_MACHINE, /* all of them, as ls_comm_open leaves it */
    LS_COMM_SHARE_NUMA,    /* those that run in the same NUMA domain */
    LS_COMM_SHARE_NONE     /* each rank is a node */
} ls_comm_sharing;
/* **Collective.** Cuts the nodes so, and numbers the ranks anew. To be called before any shared
 * array is made. False, with the same LS_USAGE error on all ranks, where the domain of a rank is
 * asked for, but it may run in several. */
bool ls_comm_share(ls_comm *comm, ls_comm_sharing sharing, ls_error *error);
/* **Collective.** Cuts every node into nodes of `size` ranks, which must divide all of them; ranks
 * keep their numbers. To be called before any shared array is made. */
void ls_comm_regroup(ls_comm *comm, int size);
/* **Collective.** The first `ranks` ranks alone, numbered as here; NULL on all others. End it with
 * ls_comm_leave. */
ls_comm *ls_comm_part(const ls_comm *comm, int ranks);
void ls_comm_leave(ls_comm *part); /* **Collective** over the part; NULL is allowed. */
/* **Collective.** A barrier in which a rank that comes early sleeps, so that those that work have
 * the machine for themselves. */
void ls_comm_rest(ls_comm *comm);
/* **Collective.** Ends MPI. */
void ls_comm_close(ls_comm *comm);

/* Whether the environment says that more ranks were started than MPI knows of; *error says what to
 * do. Under srun without PMIx each of them would train alone. */
bool ls_comm_singletons(const ls_comm *comm, ls_error *error);
/* This process's rank by the environment that its launcher gave it, before MPI starts; else 0. */
int ls_comm_task(void);
/* The rank of node `node` that has this rank's number within its node. */
int ls_comm_peer(const ls_comm *comm, int node);
const char *ls_comm_version(void); /* of the MPI library, one line */
/* What srun --mpi= must name for this MPI library to join the tasks: pmix, or pmi2. */
const char *ls_comm_pmi(void);

/* **Collective.** True if `ok` is true on all ranks. Else false on all of them, and *error is, on
 * every rank, that of the lowest rank whose `ok` is false; where this is not rank 0, the message
 * begins with rank and host, for the machines may differ. */
bool ls_comm_agree(ls_comm *comm, bool ok, ls_error *error);
/* Something that every rank was given by itself. */
typedef struct ls_comm_given {
    const char *what;   /* "job" */
    const char *text;   /* what tells it apart; lines are compared one by one */
    const char *advice; /* what to do where the ranks' texts are not the same */
    int code;           /* of the error */
} ls_comm_given;
/* **Collective.** Whether all ranks were given the same. Else *error, the same on all ranks, names
 * the first rank whose text is not that of rank 0, its host, and the first line that differs. */
bool ls_comm_same(ls_comm *comm, const ls_comm_given *given, ls_error *error);
/* **Collective.** From rank 0 to all ranks; of any size. */
void ls_comm_broadcast(ls_comm *comm, void *data, size_t bytes);
/* **Collective.** From rank 0's node to the others: an array that a node holds once (ls_shared). */
void ls_comm_broadcast_nodes(ls_comm *comm, void *data, size_t bytes);
/* **Collective.** `bytes` of each rank, in the order of the ranks, into
 * all[size * bytes] on rank 0; `all` may be NULL on the others. */
void ls_comm_gather(ls_comm *comm, const void *mine, size_t bytes, void *all);
/* `bytes` of rank `from` into `data` on rank 0. To be called by these two ranks, which must differ;
 * each sleeps until the other comes, so that threads beside it have the core. */
void ls_comm_fetch(ls_comm *comm, int from, void *data, size_t bytes);
/* **Collective.** Element-wise sums, on all ranks. MPI chooses the order of the additions: doubles
 * are the same in every run only if each element is 0 on all ranks but one. Else use
 * ls_comm_sum_ordered. */
void ls_comm_sum(ls_comm *comm, double *values, long count);
void ls_comm_sum_long(ls_comm *comm, long *values, long count);
/* **Collective.** The same in the order of sum_order.h: the same bits in every run. */
void ls_comm_sum_ordered(ls_comm *comm, double *values, long count);
double ls_comm_max(ls_comm *comm, double value); /* **Collective.** The largest of all ranks' */
void ls_comm_barrier(ls_comm *comm);             /* **Collective.** */
void ls_comm_node_barrier(ls_comm *comm);        /* **Collective** over the node. */
