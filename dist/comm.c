/* comm: start and stop of MPI, which ranks share memory, agreement, small sums. */
#include <mpi.h>

#include "dist/comm_internal.h"

#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "dist/numa.h"
#include "dist/sum_order.h"

enum { SHOWN = 400 }; /* letters of a line in a message */

/* Ends every rank. The message has the rank's number in MPI_COMM_WORLD, as mpirun's messages do. */
static void fatal_hook(const char *message)
{
    int rank = -1;
    char host[256] = "?";
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    gethostname(host, sizeof host - 1);
    fprintf(stderr, "lockstep: rank %d on %s: %s\n", rank, host, message);
    fflush(NULL);
    MPI_Abort(MPI_COMM_WORLD, LS_NUMERIC);
    _Exit(LS_NUMERIC);
}

void ls_mpi_check(int code, const char *call, const char *file, int line)
{
    if (code == MPI_SUCCESS)
        return;
    char reason[MPI_MAX_ERROR_STRING] = "unknown error";
    int length = 0;
    MPI_Error_string(code, reason, &length);
    ls_fatal(file, line, "%s failed: %s", call, reason);
}

void ls_mpi_await(MPI_Request *request)
{
    int done;
    while (ls_mpi(MPI_Test(request, &done, MPI_STATUS_IGNORE)), !done)
        sched_yield();
}

/* What tells a process its rank, and of how many, before MPI starts. The first that is set counts:
 * if SLURM started mpirun, it is mpirun's number. */
static const struct {
    const char *rank, *size;
} launchers[] = {{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                 {"MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"}, /* MVAPICH */
                 {"PMIX_RANK", "OMPI_COMM_WORLD_SIZE"},
                 {"PMI_RANK", "PMI_SIZE"},    /* MPICH, Intel MPI */
                 {"PALS_RANKID", "PMI_SIZE"}, /* HPE Cray */
                 {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"}};

int ls_comm_task(void)
{
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++)
        if (getenv(launchers[i].rank))
            return atoi(getenv(launchers[i].rank));
    return 0;
}

/* How many ranks mpirun or srun says it started; 1 where neither did. */
static int started_ranks(void)
{
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        const char *text = getenv(launchers[i].size);
        if (text && atoi(text) > 0)
            return atoi(text);
    }
    return 1;
}

/* How many ranks each of a machine's nodes may have: the first at[0], the second at[1], ...; all
 * after the last as many as that. */
enum { MOST_LIMITS = 64 };
typedef struct node_limits {
    int count, at[MOST_LIMITS];
} node_limits;

static const char limits_name[] = "LOCKSTEP_RANKS_PER_NODE";

/* A number, or several with commas between; no text: any number. */
static bool parse_limits(const char *text, node_limits *limits, ls_error *error)
{
    const char *at = text ? text : "";
    limits->count = 0;
    while (*at) {
        char *end;
        long limit = strtol(at, &end, 10);
        bool more = *end == ',' && end[1];
        if ((!more && *end) || limit <= 0 || limit > INT_MAX || limits->count == MOST_LIMITS)
            return ls_error_set(error, LS_USAGE,
                                "%s is \"%s\", expected a number of ranks, 1 or more, or up to %d "
                                "of them: 3,1",
                                limits_name, text, (int)MOST_LIMITS);
        limits->at[limits->count++] = (int)limit;
        at = end + more;
    }
    if (limits->count == 0)
        *limits = (node_limits){1, {INT_MAX}};
    return true;
}

bool ls_comm_check_environment(ls_error *error)
{
    node_limits limits;
    return parse_limits(getenv(limits_name), &limits, error);
}

/* By the environment of the first rank. **Collective.** */
static node_limits read_limits(void)
{
    node_limits limits = {.count = 0};
    ls_error error;
    int rank;
    ls_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
    if (rank == 0)
        ls_check(parse_limits(getenv(limits_name), &limits, &error), "%s", error.text);
    ls_mpi(MPI_Bcast(&limits, sizeof limits, MPI_BYTE, 0, MPI_COMM_WORLD));
    return limits;
}

/* The number of the node that rank `rank` of a machine belongs to. */
static int node_of(const node_limits *limits, int rank)
{
    int node = 0;
    for (; rank >= limits->at[ls_min(node, limits->count - 1)]; node++)
        rank -= limits->at[ls_min(node, limits->count - 1)];
    return node;
}

/* Numbers nodes by their lowest rank in `parent`, and ranks node by node. **Collective.** */
static void number_ranks(ls_comm *comm, MPI_Comm parent)
{
    int rank, size, lowest, before = 0;
    ls_mpi(MPI_Comm_rank(parent, &rank));
    ls_mpi(MPI_Comm_size(parent, &size));
    lowest = rank;
    ls_mpi(MPI_Bcast(&lowest, 1, MPI_INT, 0, comm->mpi->node));
    int *first = ls_alloc((size_t)size, sizeof *first); /* the lowest rank of each rank's node */
    int *index = ls_alloc((size_t)size, sizeof *index); /* of the node whose lowest rank it is */
    ls_mpi(MPI_Allgather(&lowest, 1, MPI_INT, first, 1, MPI_INT, parent));
    ls_free(comm->node_sizes);
    comm->node_sizes = ls_alloc((size_t)size, sizeof *comm->node_sizes);
    comm->nodes = 0;
    for (int i = 0; i < size; i++) {
        if (first[i] == i)
            index[i] = comm->nodes++;
        comm->node_sizes[index[first[i]]]++;
        before += first[i] < lowest;
    }
    comm->node_index = index[lowest];
    ls_free(index);
    ls_free(first);
    ls_mpi(MPI_Comm_split(parent, 0, before + comm->node_rank, &comm->mpi->world));
    ls_mpi(MPI_Comm_rank(comm->mpi->world, &comm->rank));
    ls_mpi(MPI_Comm_size(comm->mpi->world, &comm->size));
}

static void free_communicator(MPI_Comm *communicator)
{
    if (*communicator != MPI_COMM_NULL)
        ls_mpi(MPI_Comm_free(communicator));
}

/* Makes the ranks of a node that have the same `part` a node of their own. **Collective.** */
static void cut_nodes(ls_comm *comm, int part)
{
    struct ls_comm_mpi *mpi = comm->mpi, before = *mpi;
    ls_board_wait(comm->board, LS_BOARD_ALL);
    ls_mpi(MPI_Comm_split(before.node, part, 0, &mpi->node));
    ls_mpi(MPI_Comm_rank(mpi->node, &comm->node_rank));
    ls_mpi(MPI_Comm_size(mpi->node, &comm->node_size));
    number_ranks(comm, before.world);
    ls_mpi(MPI_Comm_split(mpi->world, comm->node_rank, comm->node_index, &mpi->peers));
    free_communicator(&before.peers);
    free_communicator(&before.node);
    free_communicator(&before.world);
    comm->smallest_node = comm->size;
    for (int i = 0; i < comm->nodes; i++)
        comm->smallest_node = (int)ls_min(comm->smallest_node, comm->node_sizes[i]);
    int first = comm->node_rank == 0;
    ls_mpi(MPI_Allreduce(&first, &comm->machine_nodes, 1, MPI_INT, MPI_SUM, mpi->machine));
    ls_board_go_on(comm->board);
}

/* Finds the ranks of this machine, and numbers all ranks machine by machine, whatever their order
 * in MPI_COMM_WORLD is (mpirun --map-by node deals them out like cards): so the nodes of a machine
 * are neighbours in the sum, and the first messages of an exchange, the longest, stay on it.
 * Returns this rank's number on its machine. **Collective.** */
static int find_machines(ls_comm *comm)
{
    struct ls_comm_mpi *mpi = comm->mpi;
    int lowest, rank, first;
    ls_mpi(
        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &mpi->machine));
    ls_mpi(MPI_Comm_rank(mpi->machine, &rank));
    ls_mpi(MPI_Comm_size(mpi->machine, &comm->machine_size));
    ls_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &lowest));
    ls_mpi(MPI_Bcast(&lowest, 1, MPI_INT, 0, mpi->machine));
    ls_mpi(MPI_Comm_split(MPI_COMM_WORLD, 0, lowest, &mpi->world));
    first = rank == 0;
    ls_mpi(MPI_Scan(&first, &comm->machine_index, 1, MPI_INT, MPI_SUM, mpi->world));
    ls_mpi(MPI_Allreduce(&first, &comm->machines, 1, MPI_INT, MPI_SUM, mpi->world));
    comm->machine_index--;
    return rank;
}

/* The nodes at the start: the machines, or parts of them as the environment says. **Collective.**
 */
static void start_nodes(ls_comm *comm)
{
    comm->mpi = ls_alloc(1, sizeof *comm->mpi);
    comm->mpi->peers = MPI_COMM_NULL;
    const node_limits limits = read_limits();
    int rank = find_machines(comm);
    ls_mpi(MPI_Comm_dup(comm->mpi->machine, &comm->mpi->node));
    cut_nodes(comm, node_of(&limits, rank));
}

/* Options of Open MPI, unless the user has set them. */
static void tell_open_mpi(void)
{
    /* Without mpirun it would start a daemon in case MPI_Comm_spawn is called: that takes time, and
     * kill -9 leaves it behind. */
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    /* Over TCP, a message longer than this waits until the receiver has answered, and the answer
     * stands in line behind other messages. Those of a sum (exchange.c) are to leave at once. */
    setenv("OMPI_MCA_btl_tcp_eager_limit", "1048576", 0);
    setenv("OMPI_MCA_btl_tcp_rndv_eager_limit", "1048576", 0);
}

ls_comm *ls_comm_open(int *argc, char ***argv)
{
    int started = started_ranks(); /* before MPI changes the environment */
    tell_open_mpi();
    int provided;
    ls_mpi(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided));
    ls_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    ls_fatal_set_hook(fatal_hook);
    ls_check(provided >= MPI_THREAD_FUNNELED,
             "the MPI library does not allow threads beside it (MPI_THREAD_FUNNELED)");
    ls_comm *comm = ls_alloc(1, sizeof *comm);
    comm->board = ls_board_create();
    comm->started = started;
    comm->most = 1 << 28;
    comm->cores.all = (int)sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t bound = {0};
    bool known = !sched_getaffinity(0, sizeof bound, &bound);
    comm->cores.own = known ? CPU_COUNT(&bound) : comm->cores.all;
    gethostname(comm->host, sizeof comm->host - 1);
    start_nodes(comm);
    ls_mpi(
        MPI_Allreduce(MPI_IN_PLACE, &bound, sizeof bound, MPI_BYTE, MPI_BOR, comm->mpi->machine));
    comm->cores.shared = known ? CPU_COUNT(&bound) : comm->cores.all;
    comm->crowded = comm->machine_size > comm->cores.shared;
    ls_mpi(MPI_Allreduce(MPI_IN_PLACE, &comm->crowded, 1, MPI_C_BOOL, MPI_LOR, comm->mpi->world));
    return comm;
}

ls_comm *ls_comm_part(const ls_comm *whole, int ranks)
{
    const int part = whole->rank < ranks ? 0 : MPI_UNDEFINED;
    struct ls_comm_mpi *mpi = ls_alloc(1, sizeof *mpi);
    mpi->peers = MPI_COMM_NULL;
    ls_mpi(MPI_Comm_split(whole->mpi->world, part, 0, &mpi->world));
    ls_mpi(MPI_Comm_split(whole->mpi->machine, part, 0, &mpi->machine));
    ls_mpi(MPI_Comm_split(whole->mpi->node, part, 0, &mpi->node));
    if (part == MPI_UNDEFINED) {
        ls_free(mpi);
        return NULL;
    }
    ls_comm *comm = ls_alloc(1, sizeof *comm);
    *comm = *whole;
    comm->mpi = mpi;
    comm->board = ls_board_create();
    comm->node_sizes = NULL;
    comm->machines = comm->machine_index + 1; /* of the last rank: that of rank ranks - 1 */
    ls_mpi(MPI_Bcast(&comm->machines, 1, MPI_INT, ranks - 1, mpi->world));
    ls_mpi(MPI_Comm_size(mpi->machine, &comm->machine_size));
    cut_nodes(comm, 0);
    return comm;
}

void ls_comm_leave(ls_comm *comm)
{
    if (!comm)
        return;
    free_communicator(&comm->mpi->peers);
    free_communicator(&comm->mpi->node);
    free_communicator(&comm->mpi->machine);
    free_communicator(&comm->mpi->world);
    ls_free(comm->mpi);
    ls_free(comm->node_sizes);
    ls_board_destroy(comm->board);
    ls_free(comm);
}

/* Waits for a request that `whom` must answer (ls_board_wait), asleep: it looks every so many
 * nanoseconds. */
static void sleep_until(const ls_comm *comm, int whom, MPI_Request *request, long nanoseconds)
{
    const struct timespec moment = {.tv_nsec = nanoseconds};
    ls_board_wait(comm->board, whom);
    for (int done = 0; !done;) {
        ls_mpi(MPI_Test(request, &done, MPI_STATUS_IGNORE));
        if (!done)
            nanosleep(&moment, NULL);
    }
    ls_board_go_on(comm->board);
}

void ls_comm_rest(ls_comm *comm)
{
    MPI_Request request;
    ls_mpi(MPI_Ibarrier(comm->mpi->world, &request));
    sleep_until(comm, LS_BOARD_ALL, &request, 10000000);
}

void ls_comm_close(ls_comm *comm)
{
    ls_comm_leave(comm);
    ls_fatal_set_hook(NULL);
    ls_mpi(MPI_Finalize());
}

void ls_comm_regroup(ls_comm *comm, int size)
{
    for (int i = 0; i < comm->nodes; i++)
        ls_check(size > 0 && comm->node_sizes[i] % size == 0,
                 "a node of %d ranks can't be cut into nodes of %d", comm->node_sizes[i], size);
    cut_nodes(comm, comm->node_rank / size);
}

/* The NUMA domain of this rank; -1 and an error where it may run in several. */
static int own_domain(ls_error *error)
{
    cpu_set_t bound;
    int domain =
        sched_getaffinity(0, sizeof bound, &bound) ? 0 : ls_numa_domain(LS_NUMA_FOLDER, &bound);
    if (domain < 0)
        ls_error_set(error, LS_USAGE,
                     "NUMA domains are to share memory, but this rank may run in several of them: "
                     "bind each rank to cores (mpirun --bind-to core, srun --cpu-bind=cores), or "
                     "to a domain (mpirun --bind-to numa)");
    return domain;
}

bool ls_comm_share(ls_comm *comm, ls_comm_sharing sharing, ls_error *error)
{
    int part = sharing == LS_COMM_SHARE_NONE   ? comm->node_rank
               : sharing == LS_COMM_SHARE_NUMA ? own_domain(error)
                                               : 0;
    if (!ls_comm_agree(comm, part >= 0, error))
        return false;
    if (sharing != LS_COMM_SHARE_MACHINE)
        cut_nodes(comm, part);
    return true;
}

bool ls_comm_singletons(const ls_comm *comm, ls_error *error)
{
    if (comm->size > 1 || comm->started <= 1)
        return false;
    ls_error_set(error, LS_USAGE,
                 "%d tasks were started, but MPI knows of 1: each would train alone. Start them "
                 "with `srun --mpi=%s` (`srun --mpi=list` must name %s), or with the mpirun of "
                 "the MPI that this program was built with (%s), inside the allocation",
                 comm->started, ls_comm_pmi(), ls_comm_pmi(), ls_comm_version());
    return true;
}

int ls_comm_peer(const ls_comm *comm, int node)
{
    int rank = comm->node_rank;
    for (int n = 0; n < node; n++)
        rank += comm->node_sizes[n];
    return rank;
}

const char *ls_comm_version(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    ls_mpi(MPI_Get_library_version(text, &length));
    text[strcspn(text, "\n,")] = 0;
    for (char *tab = text; (tab = strchr(tab, '\t'));)
        *tab = ' ';
    return text;
}

const char *ls_comm_pmi(void)
{
#ifdef OPEN_MPI
    return "pmix";
#else
    return "pmi2"; /* MPICH and its kin */
#endif
}

/* The lowest rank whose `ok` is false; comm->size: there is none. **Collective.** */
static int lowest_failure(ls_comm *comm, bool ok)
{
    int mine = ok ? comm->size : comm->rank, lowest;
    ls_mpi_collect(comm, LS_BOARD_ALL, MPI_Allreduce, MPI_Iallreduce, &mine, &lowest, 1, MPI_INT,
                   MPI_MIN, comm->mpi->world);
    return lowest;
}

/* The error of one rank becomes that of all. **Collective.** */
static void share_error(ls_comm *comm, int from, ls_error *error)
{
    ls_error unwanted = {.code = LS_IO};
    ls_mpi_collect(comm, LS_BOARD_ALL, MPI_Bcast, MPI_Ibcast, error ? error : &unwanted,
                   sizeof *error, MPI_BYTE, from, comm->mpi->world);
}

bool ls_comm_agree(ls_comm *comm, bool ok, ls_error *error)
{
    int lowest = lowest_failure(comm, ok);
    if (lowest == comm->size)
        return true;
    if (error && lowest > 0 && lowest == comm->rank)
        ls_error_prefix(error, "rank %d on %s", comm->rank, comm->host);
    share_error(comm, lowest, error);
    return false;
}

static void broadcast(const ls_comm *comm, MPI_Comm among, void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes; done += (size_t)comm->most)
        ls_mpi_collect(comm, LS_BOARD_ALL, MPI_Bcast, MPI_Ibcast, (char *)data + done,
                       (int)ls_min((long)(bytes - done), comm->most), MPI_BYTE, 0, among);
}

void ls_comm_broadcast(ls_comm *comm, void *data, size_t bytes)
{
    broadcast(comm, comm->mpi->world, data, bytes);
}

void ls_comm_broadcast_nodes(ls_comm *comm, void *data, size_t bytes)
{
    if (comm->node_rank == 0)
        broadcast(comm, comm->mpi->peers, data, bytes);
    ls_mpi_collect(comm, LS_BOARD_NODE, MPI_Barrier, MPI_Ibarrier, comm->mpi->node);
}

/* A block of `bytes` from which the next piece is received, so that the pieces of the ranks' blocks
 * land where the blocks lie. */
static MPI_Datatype piece_of_block(size_t bytes, int piece)
{
    MPI_Datatype whole, type;
    ls_mpi(MPI_Type_contiguous(piece, MPI_BYTE, &whole));
    ls_mpi(MPI_Type_create_resized(whole, 0, (MPI_Aint)bytes, &type));
    ls_mpi(MPI_Type_commit(&type));
    ls_mpi(MPI_Type_free(&whole));
    return type;
}

void ls_comm_gather(ls_comm *comm, const void *mine, size_t bytes, void *all)
{
    const long most = ls_max(1, comm->most / comm->size);
    for (size_t done = 0; done < bytes; done += (size_t)most) {
        int piece = (int)ls_min((long)(bytes - done), most);
        MPI_Datatype type = piece_of_block(bytes, piece);
        ls_mpi_collect(comm, LS_BOARD_ALL, MPI_Gather, MPI_Igather, (const char *)mine + done,
                       piece, MPI_BYTE, all ? (char *)all + done : NULL, 1, type, 0,
                       comm->mpi->world);
        ls_mpi(MPI_Type_free(&type));
    }
}

void ls_comm_fetch(ls_comm *comm, int from, void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes; done += (size_t)comm->most) {
        int piece = (int)ls_min((long)(bytes - done), comm->most);
        MPI_Request request;
        if (comm->rank == 0)
            ls_mpi(MPI_Irecv((char *)data + done, piece, MPI_BYTE, from, 0, comm->mpi->world,
                             &request));
        else
            ls_mpi(
                MPI_Isend((char *)data + done, piece, MPI_BYTE, 0, 0, comm->mpi->world, &request));
        sleep_until(comm, comm->rank == 0 ? from : 0, &request, 500000);
    }
}

/* The text of rank 0, on every rank; the caller frees it. **Collective.** */
static char *first_text(ls_comm *comm, const char *text)
{
    size_t bytes = strlen(text) + 1;
    ls_comm_broadcast(comm, &bytes, sizeof bytes);
    char *first = ls_alloc(bytes, 1);
    if (comm->rank == 0)
        memcpy(first, text, bytes);
    ls_comm_broadcast(comm, first, bytes);
    return first;
}

/* The first line of a text that is not as in `other`, without indentation, cut off at SHOWN. */
static void find_difference(const char *text, const char *other, char shown[SHOWN])
{
    size_t at = 0, line = 0;
    for (; text[at] && text[at] == other[at]; at++)
        line = text[at] == '\n' ? at + 1 : line;
    line += strspn(text + line, " ");
    snprintf(shown, SHOWN, "%.*s", (int)strcspn(text + line, "\n"), text + line);
    if (!shown[0])
        snprintf(shown, SHOWN, "(nothing)");
}

bool ls_comm_same(ls_comm *comm, const ls_comm_given *given, ls_error *error)
{
    char mine[SHOWN], theirs[SHOWN];
    char *first = first_text(comm, given->text), *host = first_text(comm, comm->host);
    bool same = strcmp(given->text, first) == 0;
    find_difference(given->text, first, mine);
    find_difference(first, given->text, theirs);
    if (!same)
        ls_error_set(error, given->code,
                     "rank %d on %s has another %s than rank 0 on %s: '%s' in place of '%s'; %s",
                     comm->rank, comm->host, given->what, host, mine, theirs, given->advice);
    ls_free(host);
    ls_free(first);
    int apart = lowest_failure(comm, same);
    if (apart < comm->size)
        share_error(comm, apart, error);
    return apart == comm->size;
}

static void sum_in_place(const ls_comm *comm, void *values, size_t size, long count,
                         MPI_Datatype type)
{
    for (long done = 0; done < count; done += comm->most)
        ls_mpi_collect(comm, LS_BOARD_ALL, MPI_Allreduce, MPI_Iallreduce, MPI_IN_PLACE,
                       (char *)values + (size_t)done * size, (int)ls_min(count - done, comm->most),
                       type, MPI_SUM, comm->mpi->world);
}

void ls_comm_sum(ls_comm *comm, double *values, long count)
{
    sum_in_place(comm, values, sizeof *values, count, MPI_DOUBLE);
}

void ls_comm_sum_long(ls_comm *comm, long *values, long count)
{
    sum_in_place(comm, values, sizeof *values, count, MPI_LONG);
}

void ls_comm_sum_ordered(ls_comm *comm, double *values, long count)
{
    enum { GATHERED = 1 << 22 }; /* numbers of all ranks at a time: 32 MiB */
    const long piece = ls_min(count, ls_max(1, ls_min(comm->most, GATHERED) / comm->size));
    double *all = ls_alloc((size_t)(comm->size * piece), sizeof *all);
    for (long done = 0; done < count; done += piece) {
        const int now = (int)ls_min(count - done, piece);
        ls_mpi_collect(comm, LS_BOARD_ALL, MPI_Allgather, MPI_Iallgather, values + done, now,
                       MPI_DOUBLE, all, now, MPI_DOUBLE, comm->mpi->world);
        ls_sum_order_add_doubles(values + done, all, comm->size, now);
    }
    ls_free(all);
}

double ls_comm_max(ls_comm *comm, double value)
{
    double most;
    ls_mpi_collect(comm, LS_BOARD_ALL, MPI_Allreduce, MPI_Iallreduce, &value, &most, 1, MPI_DOUBLE,
                   MPI_MAX, comm->mpi->world);
    return most;
}

void ls_comm_barrier(ls_comm *comm)
{
    ls_mpi_collect(comm, LS_BOARD_ALL, MPI_Barrier, MPI_Ibarrier, comm->mpi->world);
}

/* Shared windows have MPI's unified memory model (ls_shared_create checks it), so a barrier between
 * two fences orders the ranks' loads and stores, as MPI_Win_sync would (MPI-3.1, 11.7). */
void ls_comm_node_barrier(ls_comm *comm)
{
    if (comm->node_size == 1)
        return;
    atomic_thread_fence(memory_order_seq_cst);
    ls_mpi_collect(comm, LS_BOARD_NODE, MPI_Barrier, MPI_Ibarrier, comm->mpi->node);
    atomic_thread_fence(memory_order_seq_cst);
}
