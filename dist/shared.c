/* shared: arrays of a node in MPI-3 shared windows, and how much room there is for them.
 *
 * A window's pages belong to a file, in /dev/shm or a session directory: that depends on the MPI
 * library and its settings. So a small window is made and looked up in /proc/self/maps. The system
 * places a page near the core that first writes to it: therefore rank r of the node zeroes the r-th
 * equal part. A node of one rank has ordinary memory (huge pages, no limit). */
#include <mpi.h>

#include "dist/comm_internal.h"
#include "dist/shared.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"

enum { PAGE = 4096 };

struct ls_shared {
    MPI_Win window; /* MPI_WIN_NULL: a node of one rank */
    void *data;
    ls_board *board;
};

static MPI_Win open_window(const ls_comm *comm, size_t bytes, char **base)
{
    MPI_Win window;
    ls_board_wait(comm->board, LS_BOARD_NODE);
    MPI_Aint size = comm->node_rank == 0 ? (MPI_Aint)(bytes + PAGE) : 0;
    int unit, *model, found;
    ls_check(
        MPI_Win_allocate_shared(size, 1, MPI_INFO_NULL, comm->mpi->node, base, &window) ==
            MPI_SUCCESS,
        "the ranks of this machine can't have %zu bytes of shared memory: the MPI library could "
        "not make or map the file; look for a full /dev/shm, and for limits on open files and "
        "memory (ulimit -n, ulimit -v)",
        bytes);
    ls_mpi(MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN));
    ls_mpi(MPI_Win_get_attr(window, MPI_WIN_MODEL, &model, &found));
    ls_check(
        found && *model == MPI_WIN_UNIFIED,
        "the ranks of this machine can't use their shared memory: the MPI library could not map "
        "it (ulimit -v), or its windows are not coherent (MPI_WIN_UNIFIED expected)");
    ls_mpi(MPI_Win_shared_query(window, 0, &size, &unit, base));
    ls_mpi(MPI_Win_lock_all(MPI_MODE_NOCHECK, window));
    ls_board_go_on(comm->board);
    return window;
}

static void close_window(MPI_Win *window, ls_board *board)
{
    ls_board_wait(board, LS_BOARD_NODE);
    ls_mpi(MPI_Win_unlock_all(*window));
    ls_mpi(MPI_Win_free(window));
    ls_board_go_on(board);
}

/* The directory of the file that is mapped at `address`, into directory[size]; "": no file is. */
static void find_directory(const void *address, char *directory, size_t size)
{
    directory[0] = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (!maps)
        return;
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, maps) > 0) {
        uintptr_t begin, end;
        bool read = sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &begin, &end) == 2;
        const char *path = strchr(line, '/');
        if (!read || (uintptr_t)address < begin || (uintptr_t)address >= end || !path)
            continue;
        snprintf(directory, size, "%.*s", (int)(strrchr(path, '/') - path), path);
    }
    free(line);
    fclose(maps);
}

/* Bytes that the node may still take in `directory`; infinite where nothing limits them. */
static double free_bytes(const char *directory)
{
    struct statvfs space;
    double bytes = INFINITY;
    if (directory[0] && !statvfs(directory, &space) && space.f_blocks > 0)
        bytes = (double)space.f_bavail * (double)space.f_frsize;
    const char *limit = getenv("LOCKSTEP_SHARED_LIMIT"); /* for tests: less than there is */
    return limit ? fmin(bytes, atof(limit)) : bytes;
}

double ls_shared_free(ls_comm *comm, char *directory, size_t size)
{
    directory[0] = 0;
    if (comm->node_size > 1) {
        char *base;
        MPI_Win window = open_window(comm, PAGE, &base);
        find_directory(base, directory, size);
        close_window(&window, comm->board);
    }
    double available = free_bytes(directory);
    ls_mpi_collect(comm, LS_BOARD_NODE, MPI_Bcast, MPI_Ibcast, &available, 1, MPI_DOUBLE, 0,
                   comm->mpi->node);
    return available;
}

/* Whether this node can hold so many bytes more; the same answer, and error, on all of its ranks.
 * **Collective** over the node. */
static bool node_has_room(ls_comm *comm, double wanted, ls_error *error)
{
    if (comm->node_size == 1)
        return true;
    char directory[PAGE];
    double available = ls_shared_free(comm, directory, sizeof directory);
    if (wanted <= available)
        return true;
#ifdef OPEN_MPI
    const char *elsewhere =
        ", or name another directory (mpirun --mca osc_sm_backing_directory DIR)";
#else
    const char *elsewhere = "";
#endif
    return ls_error_set(error, LS_IO,
                        "shared memory in %s on %s: the ranks need %.1f MB, and %.1f MB are free; "
                        "make it larger (mount -o remount,size=..., docker run --shm-size=...)%s",
                        directory, comm->host, wanted / 1e6, available / 1e6, elsewhere);
}

bool ls_shared_room(ls_comm *comm, size_t bytes, ls_error *error)
{
    const double machine = (double)bytes * comm->machine_nodes;
    return ls_comm_agree(comm, node_has_room(comm, machine, error), error);
}

/* Zeroes this rank's part, which places its pages near this rank's core. */
static void zero_part(const ls_comm *comm, char *data, size_t bytes)
{
    long all = (long)bytes, part = (all + comm->node_size - 1) / comm->node_size;
    long begin = ls_min(part * comm->node_rank, all), end = ls_min(begin + part, all);
    memset(data + begin, 0, (size_t)(end - begin));
}

ls_shared *ls_shared_create(ls_comm *comm, size_t bytes, ls_error *error)
{
    if (!node_has_room(comm, (double)bytes, error)) /* other nodes may have taken theirs already */
        return NULL;
    ls_shared *shared = ls_alloc(1, sizeof *shared);
    shared->window = MPI_WIN_NULL;
    shared->board = comm->board;
    if (comm->node_size == 1) {
        shared->data = ls_alloc(bytes, 1);
        return shared;
    }
    char *base;
    shared->window = open_window(comm, bytes, &base);
    /* Every rank maps the window at the start of a page plus the same offset, so all of them move
     * by the same distance to the next page. */
    shared->data = base + (PAGE - (uintptr_t)base % PAGE) % PAGE;
    madvise(shared->data, bytes, MADV_HUGEPAGE); /* if the system has huge pages */
    zero_part(comm, shared->data, bytes);
    ls_comm_node_barrier(comm);
    return shared;
}

void *ls_shared_data(const ls_shared *shared)
{
    return shared->data;
}

void ls_shared_destroy(ls_shared *shared)
{
    if (!shared)
        return;
    if (shared->window == MPI_WIN_NULL)
        ls_free(shared->data);
    else
        close_window(&shared->window, shared->board);
    ls_free(shared);
}

void ls_shared_make_room(ls_comm *comm, size_t bytes)
{
    ls_error error;
    if (ls_shared_room(comm, bytes, &error))
        return;
    if (comm->rank == 0)
        ls_print(stderr, "lockstep: %s: each rank keeps a copy of its own\n", error.text);
    ls_comm_regroup(comm, 1);
}
