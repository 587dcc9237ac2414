/* doctor: lockstep doctor: examines each host, and says what is oversubscribed, missing or slow,
 * and what to do about it. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/blas.h"
#include "core/memory.h"
#include "dist/shared.h"
#include "io/h5/h5_about.h"
#include "launch/command.h"
#include "launch/doctor/filesystem.h"
#include "launch/doctor/host.h"
#include "launch/ranks.h"
#include "launch/threads.h"

/* What one rank finds. */
typedef struct facts {
    ls_host host;
    ls_filesystem filesystem;
    char shared[256];   /* the folder of shared memory */
    double shared_room; /* bytes free there */
} facts;

/* On rank 0: the facts of all ranks, and the findings. */
typedef struct doctor {
    const facts *all; /* by rank; the ranks of a host follow each other */
    int ranks;
    ls_h5_about h5;
    char *fix, *know; /* findings, a line each: what must be mended, and what is good to know */
    int fixes, knows; /* how many */
} doctor;

/* The ranks [first, last), which are on one host. */
typedef struct group {
    int first, last;
} group;

__attribute__((format(printf, 3, 4))) static void add(char **lines, int *count, const char *format,
                                                      ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    char *longer = ls_format("%s  %d. %s\n", *lines ? *lines : "", ++*count, line);
    ls_free(*lines);
    *lines = longer;
}
#define add_fix(d, ...) add(&(d)->fix, &(d)->fixes, __VA_ARGS__)
#define add_know(d, ...) add(&(d)->know, &(d)->knows, __VA_ARGS__)

/* How many processors at least one rank of the group may run on. */
static int processors_of(const doctor *d, group g)
{
    cpu_set_t any;
    CPU_ZERO(&any);
    for (int r = g.first; r < g.last; r++)
        CPU_OR(&any, &any, &d->all[r].host.bound);
    return CPU_COUNT(&any);
}

/* "3 ranks", "1 rank of 4 threads" */
static const char *ranks_text(const doctor *d, group g, char *text, size_t size)
{
    int ranks = g.last - g.first, threads = d->all[g.first].host.threads;
    int used = snprintf(text, size, "%d %s", ranks, ranks > 1 ? "ranks" : "rank");
    if (threads > 1)
        snprintf(text + used, size - (size_t)used, " of %d threads", threads);
    return text;
}

/* Whether there are more threads than processors that they are bound to. */
static bool crowded(const doctor *d, group g)
{
    int processors = processors_of(d, g), threads = 0;
    for (int r = g.first; r < g.last; r++) {
        int bound = CPU_COUNT(&d->all[r].host.bound);
        threads += d->all[r].host.threads;
        if (bound > 0 && d->all[r].host.threads > bound)
            return true;
    }
    return processors > 0 && threads > processors;
}

static void check_cores(doctor *d, group g)
{
    char who[64];
    const ls_host *host = &d->all[g.first].host;
    int busy = (g.last - g.first) * host->threads;
    int most = host->cores / host->threads; /* ranks with a core for each of their threads */
    ranks_text(d, g, who, sizeof who);
    if (busy > host->cores)
        add_fix(d,
                "%s: %s on %d cores take turns: start at most %d there (mpirun -n, slots= in the "
                "hostfile, sbatch --ntasks-per-node)%s",
                host->name, who, host->cores, most > 0 ? most : 1,
                host->threads > 1 ? ", or give each fewer threads" : "");
    else if (crowded(d, g))
        add_fix(d,
                "%s: %s bound to %d of %d cores take turns: bind each to %s of its own "
                "(mpirun --map-by slot:PE=%d --bind-to core, srun --cpus-per-task=%d "
                "--cpu-bind=cores), or to none (mpirun --bind-to none)",
                host->name, who, processors_of(d, g), host->cores,
                host->threads > 1 ? "cores" : "one", host->threads, host->threads);
    else if (busy > host->allowed)
        add_fix(d,
                "%s: %s, but the container grants %.3g cores: start fewer, or grant more (docker "
                "run --cpus)",
                host->name, who, host->allowed);
    else if (busy < host->cores)
        add_know(d, "%s: %d of %d cores used: one rank a core is the normal way (mpirun -n %d)",
                 host->name, busy, host->cores, most);
    if (host->load > 0.5 * host->cores)
        add_know(d,
                 "%s: other programs kept %.1f of %d cores busy in the last minute: each step "
                 "waits for the slowest rank",
                 host->name, host->load, host->cores);
}

static void check_memory(doctor *d, group g)
{
    const facts *f = &d->all[g.first];
    const double shared_least = 256e6, memory_least = 1e9;
    if (f->shared_room < shared_least)
        add_fix(d,
                "%s: %.0f MB of shared memory are free in %s: a net that needs more keeps a copy "
                "a rank; make it larger (mount -o remount,size=..., docker run --shm-size=...)",
                f->host.name, f->shared_room / 1e6, f->shared);
    if (f->host.memory_free < memory_least)
        add_fix(d, "%s: %.1f GB of memory are free: end what else takes it", f->host.name,
                f->host.memory_free / 1e9);
    if (strcmp(f->host.pages, "always") != 0 && strcmp(f->host.pages, "madvise") != 0)
        add_know(d,
                 "%s: huge pages are off (%s): large nets run slower; root can turn them on: echo "
                 "madvise >/sys/kernel/mm/transparent_hugepage/enabled",
                 f->host.name, f->host.pages);
}

static void check_filesystem(doctor *d, group g)
{
    static const char *const troubles[] = {
        [LS_FILESYSTEM_NO_FILE] =
            "what rank 0 writes there is not seen: put the run directory and the "
            "data on a file system that all hosts share",
        [LS_FILESYSTEM_NO_LOCK] =
            "locks are refused, so that nothing keeps a second job out of a run "
            "directory: mount it with locks (nfs: lockd, no nolock; lustre: flock)",
        [LS_FILESYSTEM_NOT_HELD] =
            "a lock that rank 0 holds is not seen, so that two jobs could write "
            "to one run directory: mount it with locks over all hosts (nfs: "
            "local_lock=none; lustre: flock, not localflock)",
    };
    for (int r = g.first; r < g.last; r++) {
        const ls_filesystem *found = &d->all[r].filesystem;
        if (found->lock == LS_FILESYSTEM_HELD || found->lock == LS_FILESYSTEM_NOT_TRIED)
            continue;
        add_fix(d, "%s: %s (%s): %s", d->all[r].host.name, found->path, found->type,
                troubles[found->lock]);
        return;
    }
}

static void check_speed(doctor *d, group g)
{
    double best = 0, slowest = INFINITY;
    for (int r = 0; r < d->ranks; r++)
        best = fmax(best, d->all[r].host.gflops);
    for (int r = g.first; r < g.last; r++)
        slowest = fmin(slowest, d->all[r].host.gflops);
    if (slowest < 0.7 * best)
        add_know(d,
                 "%s: its slowest rank computes %.0f Gflop/s, the fastest of all %.0f, and every "
                 "step waits for the slowest: other programs, one core for two ranks, or a weaker "
                 "machine",
                 d->all[g.first].host.name, slowest, best);
    if (strcmp(d->all[0].host.set, d->all[g.first].host.set) != 0)
        add_know(d, "%s runs %s, %s runs %s: equal bits are promised on one instruction set only",
                 d->all[g.first].host.name, d->all[g.first].host.set, d->all[0].host.name,
                 d->all[0].host.set);
}

/* Libraries, and the file system as rank 0 finds it. */
static void check_run(doctor *d)
{
    const ls_filesystem *found = &d->all[0].filesystem;
    const double room_least = 1e9, speed_least = 50e6;
    if (d->h5.parallel || !d->h5.thread_safe)
        add_fix(d, "HDF5 is %s: build with a serial one that is thread-safe (Debian: libhdf5-dev)",
                d->h5.parallel ? "a build with MPI" : "not thread-safe");
    if (!d->h5.as_built)
        add_fix(d, "HDF5 %s runs, another version built the program: build it again",
                d->h5.version);
    if (ls_blas_threads() != 1)
        add_know(d, "BLAS is not known to keep to one thread: OpenBLAS does");
    if (found->why[0])
        add_fix(d, "%s: can't write there: %s", found->path, found->why);
    else if (found->room < room_least)
        add_fix(d,
                "%s: %.0f MB are free, and checkpoints are large: make room, or give another run=",
                found->path, found->room / 1e6);
    else if (found->speed < speed_least)
        add_know(d, "%s writes %.0f MB/s: checkpoint seldom, or give another run=", found->path,
                 found->speed / 1e6);
    if (strcmp(found->type, "tmpfs") == 0)
        add_know(d, "%s is in memory (tmpfs): checkpoints there end with the machine", found->path);
}

static void print_program(const doctor *d)
{
    printf("lockstep %s (%s)\n", LS_VERSION, LS_REAL_NAME);
    printf("  MPI       %s, %d %s\n", ls_comm_version(), d->ranks, d->ranks > 1 ? "ranks" : "rank");
    printf("  BLAS      %s, %d thread%s\n", ls_blas_description(), ls_blas_threads(),
           ls_blas_threads() == 1 ? "" : "s");
    printf("  OpenMP    version of %d-%02d, %d thread%s a rank (--threads)\n", _OPENMP / 100,
           _OPENMP % 100, d->all[0].host.threads, d->all[0].host.threads > 1 ? "s" : "");
    printf("  HDF5      %s, %s, %s\n", d->h5.version, d->h5.parallel ? "with MPI" : "serial",
           d->h5.thread_safe ? "thread-safe" : "not thread-safe");
}

/* "rank 0 on processors 0-3; ranks 1-3 on processors 4-7" */
static void print_binding(const doctor *d, group g)
{
    char processors[256];
    for (int r = g.first, last; r < g.last; r = last + 1) {
        const ls_host *host = &d->all[r].host;
        for (last = r; last + 1 < g.last; last++)
            if (!CPU_EQUAL(&host->bound, &d->all[last + 1].host.bound))
                break;
        ls_host_processors(&host->bound, processors, sizeof processors);
        printf(r == g.first ? "  binding   " : "; ");
        if (last > r)
            printf("ranks %d-%d on processors %s", r, last, processors);
        else
            printf("rank %d on processors %s", r, processors);
    }
    printf("\n");
}

static void print_host(const doctor *d, group g)
{
    static const char *const locks[] = {
        [LS_FILESYSTEM_HELD] = "locks hold",
        [LS_FILESYSTEM_NO_FILE] = "not shared with rank 0",
        [LS_FILESYSTEM_NO_LOCK] = "no locks",
        [LS_FILESYSTEM_NOT_HELD] = "locks do not hold",
        [LS_FILESYSTEM_NOT_TRIED] = "not writable",
    };
    const facts *f = &d->all[g.first];
    const ls_host *host = &f->host;
    char who[64];
    double speed = INFINITY;
    for (int r = g.first; r < g.last; r++)
        speed = fmin(speed, d->all[r].host.gflops);
    printf("\nhost %s: %s\n", host->name, ranks_text(d, g, who, sizeof who));
    printf("  processor %s, %d cores%s, %s\n", host->processor[0] ? host->processor : "?",
           host->cores, host->hyperthreads > 1 ? " of 2 hyperthreads" : "", host->set);
    print_binding(d, g);
    printf("  speed     %.0f Gflop/s a rank, all at once (matrix products)\n", speed);
    printf("  memory    %.1f of %.1f GB free; huge pages: %s\n", host->memory_free / 1e9,
           host->memory / 1e9, host->pages);
    printf("  shared    %s, %.1f GB free\n", f->shared, f->shared_room / 1e9);
    printf("  run       %s (%s), %.1f GB free", f->filesystem.path, f->filesystem.type,
           f->filesystem.room / 1e9);
    if (f->filesystem.speed > 0)
        printf(", writes %.0f MB/s", f->filesystem.speed / 1e6);
    printf(", %s\n", locks[f->filesystem.lock]);
}

/* The ranks from `first` on that are on one host. */
static group next_group(const doctor *d, int first)
{
    group g = {first, first + 1};
    while (g.last < d->ranks && strcmp(d->all[g.last].host.name, d->all[first].host.name) == 0)
        g.last++;
    return g;
}

/* Prints everything; returns the exit code. */
static int report(doctor *d)
{
    static void (*const checks[])(doctor *, group) = {check_cores, check_memory, check_filesystem,
                                                      check_speed};
    print_program(d);
    check_run(d);
    for (int first = 0; first < d->ranks;) {
        group g = next_group(d, first);
        print_host(d, g);
        for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
            checks[i](d, g);
        first = g.last;
    }
    if (d->know)
        printf("\nGood to know:\n%s", d->know);
    if (d->fix)
        printf("\nTo do:\n%s", d->fix);
    else
        printf("\nNothing to do.\n");
    return d->fix ? LS_DATA : 0;
}

typedef struct arguments {
    ls_words words;
    int threads;
} arguments;

/* **Collective.** */
static void examine(facts *f, ls_comm *comm, const arguments *a)
{
    f->shared_room = ls_shared_free(comm, f->shared, sizeof f->shared);
    if (!f->shared[0])
        snprintf(f->shared, sizeof f->shared, "/dev/shm");
    if (!isfinite(f->shared_room))
        f->shared_room = ls_filesystem_room(f->shared);
    ls_filesystem_read(&f->filesystem, comm, a->words.count ? a->words.at[0] : ".");
    ls_host_read(&f->host, comm);
    f->host.threads = a->threads;
}

static const ls_command_option options[] = {LS_THREADS_OPTION(arguments, threads), {.name = NULL}};

const ls_usage ls_usage_doctor = {
    .options = options,
    .arguments = "[RUN]",
    .about = "Examines the machines: libraries, cores and binding, speed, memory, and the file "
             "system of the run directory RUN (default: the working directory). There it "
             "writes a file of 16 MiB, tries a lock, and removes the file. The exit code is 65 "
             "where something must be mended.",
    .more = "Start it as you start training; it prints a block for each host:\n"
            "  mpirun -n 4 lockstep doctor runs/lenet\n"
            "  mpirun -n 2 --map-by slot:PE=4 --bind-to core lockstep doctor --threads=4\n"
            "  cluster/mpirun.sh --hostfile hostfile lockstep doctor runs/lenet\n"
            "  srun --mpi=pmix -N 2 lockstep doctor runs/lenet",
    .arguments_min = 0,
    .arguments_max = 1,
};

int ls_command_doctor(int argc, char **argv)
{
    arguments a = {.threads = 1};
    ls_command_parse(&ls_usage_doctor, argc, argv, &a.words);
    ls_comm *comm = ls_ranks_start(&argc, &argv);
    doctor d = {.ranks = comm->size};
    facts mine = {.shared = ""}, *all = ls_alloc((size_t)d.ranks, sizeof *all);
    examine(&mine, comm, &a);
    ls_comm_gather(comm, &mine, sizeof mine, all);
    d.all = all;
    int code = 0;
    if (comm->rank == 0) {
        ls_h5_about_read(&d.h5);
        code = report(&d);
    }
    ls_comm_broadcast(comm, &code, sizeof code);
    ls_free(d.fix);
    ls_free(d.know);
    ls_free(all);
    ls_comm_close(comm);
    return code;
}
