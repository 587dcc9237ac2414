/* doctor: `lockstep doctor`: examines each host, and says what is oversubscribed, missing or slow,
 * and what to do about it. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/blas.h"
#include "core/memory.h"
#include "core/print.h"
#include "core/safe_text.h"
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

typedef struct findings {
    char *text; /* a numbered line each; NULL: none */
    int count;
} findings;

/* On rank 0: the facts of all ranks, and the findings. */
typedef struct doctor {
    const facts *all; /* by rank; the ranks of a host follow each other */
    int ranks;
    ls_h5_about h5;
    findings to_do, to_know; /* what must be mended, and what is good to know */
} doctor;

/* The ranks of one host, from `first` to before `end`, and what they have together. */
typedef struct group {
    const facts *first, *end;
    const ls_host *host; /* of the first */
    char who[64];        /* "3 ranks", "1 rank of 4 threads" */
    int threads;         /* of all these ranks */
    int processors;      /* that at least one of them may run on */
    bool crowded;        /* there are more threads than processors that they are bound to */
    double slowest;      /* Gflop/s of the slowest rank */
} group;

__attribute__((format(printf, 2, 3))) static void add(findings *list, const char *format, ...)
{
    char line[1024], safe[sizeof line];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    ls_safe_text(safe, sizeof safe, line, strlen(line));
    char *longer = ls_format("%s  %d. %s\n", list->text ? list->text : "", ++list->count, safe);
    ls_free(list->text);
    list->text = longer;
}

/* The ranks from `first` on that are on one host. */
static group read_group(const doctor *d, const facts *first)
{
    group g = {.first = first, .end = first, .host = &first->host, .slowest = INFINITY};
    cpu_set_t any;
    CPU_ZERO(&any);
    for (; g.end < d->all + d->ranks && g.end->host.machine == g.host->machine; g.end++) {
        const ls_host *host = &g.end->host;
        int bound = CPU_COUNT(&host->bound);
        CPU_OR(&any, &any, &host->bound);
        g.threads += host->threads;
        g.crowded = g.crowded || (bound > 0 && host->threads > bound);
        g.slowest = fmin(g.slowest, host->gflops);
    }
    g.processors = CPU_COUNT(&any);
    g.crowded = g.crowded || (g.processors > 0 && g.threads > g.processors);
    int ranks = (int)(g.end - first);
    int used = snprintf(g.who, sizeof g.who, "%d %s", ranks, ranks > 1 ? "ranks" : "rank");
    if (g.host->threads > 1)
        snprintf(g.who + used, sizeof g.who - (size_t)used, " of %d threads", g.host->threads);
    return g;
}

static void check_cores(doctor *d, const group *g)
{
    const ls_host *host = g->host;
    int most = host->cores / host->threads; /* ranks with a core for each of their threads */
    if (g->threads > host->cores)
        add(&d->to_do,
            "%s: %s on %d cores take turns: start at most %d there (mpirun -n, slots= in the "
            "hostfile, sbatch --ntasks-per-node)%s",
            host->name, g->who, host->cores, most > 0 ? most : 1,
            host->threads > 1 ? ", or give each fewer threads" : "");
    else if (g->crowded)
        add(&d->to_do,
            "%s: %s bound to %d of %d cores take turns: bind each to %s of its own "
            "(mpirun --map-by slot:PE=%d --bind-to core, srun --cpus-per-task=%d "
            "--cpu-bind=cores), or to none (mpirun --bind-to none)",
            host->name, g->who, g->processors, host->cores, host->threads > 1 ? "cores" : "one",
            host->threads, host->threads);
    else if (g->threads > host->allowed)
        add(&d->to_do,
            "%s: %s, but the container grants %.3g cores: start fewer, or grant more (docker "
            "run --cpus)",
            host->name, g->who, host->allowed);
    else if (g->threads < host->cores)
        add(&d->to_know,
            "%s: %d of %d cores used: one rank a core is the normal way (mpirun -n %d)", host->name,
            g->threads, host->cores, most);
    if (host->load > 0.5 * host->cores)
        add(&d->to_know,
            "%s: other programs kept %.1f of %d cores busy in the last minute: each step "
            "waits for the slowest rank",
            host->name, host->load, host->cores);
}

static void check_memory(doctor *d, const group *g)
{
    const ls_host *host = g->host;
    const double shared_least = 256e6, memory_least = 1e9;
    if (g->first->shared_room < shared_least)
        add(&d->to_do,
            "%s: %.0f MB of shared memory are free in %s: each rank keeps a copy of a net that "
            "needs more; make it larger (mount -o remount,size=..., docker run --shm-size=...)",
            host->name, g->first->shared_room / 1e6, g->first->shared);
    if (host->memory_free < memory_least)
        add(&d->to_do, "%s: %.1f GB of memory are free: end other programs that take it",
            host->name, host->memory_free / 1e9);
    if (strcmp(host->pages, "always") != 0 && strcmp(host->pages, "madvise") != 0)
        add(&d->to_know,
            "%s: huge pages are off (%s): large nets run slower; root can turn them on: echo "
            "madvise >/sys/kernel/mm/transparent_hugepage/enabled",
            host->name, host->pages);
}

static const struct {
    const char *state;
    const char *fix; /* what is wrong, and what to do; NULL: nothing is to be done */
} locks[] = {
    [LS_FILESYSTEM_HELD] = {"locks hold", NULL},
    [LS_FILESYSTEM_NO_FILE] = {"not shared with rank 0",
                               "what rank 0 writes there is not seen: put the run directory and "
                               "the data on a file system that all hosts share"},
    [LS_FILESYSTEM_NO_LOCK] = {"no locks",
                               "locks are refused, so that nothing keeps a second job out of a run "
                               "directory: mount it with locks (nfs: lockd, no nolock; lustre: "
                               "flock)"},
    [LS_FILESYSTEM_NOT_HELD] = {"locks do not hold",
                                "a lock that rank 0 holds is not seen, so that two jobs could "
                                "write to one run directory: mount it with locks over all hosts "
                                "(nfs: local_lock=none; lustre: flock, not localflock)"},
    [LS_FILESYSTEM_NOT_TRIED] = {"not writable", NULL},
};

static void check_locks(doctor *d, const group *g)
{
    const facts *f = g->first;
    while (f < g->end && !locks[f->filesystem.lock].fix)
        f++;
    if (f < g->end)
        add(&d->to_do, "%s: %s (%s): %s", f->host.name, f->filesystem.path, f->filesystem.type,
            locks[f->filesystem.lock].fix);
}

static void check_speed(doctor *d, const group *g)
{
    const ls_host *host = g->host, *first = &d->all[0].host;
    double best = 0;
    for (int r = 0; r < d->ranks; r++)
        best = fmax(best, d->all[r].host.gflops);
    if (g->slowest < 0.7 * best)
        add(&d->to_know,
            "%s: its slowest rank computes %.0f Gflop/s, the fastest of all %.0f, and every "
            "step waits for the slowest: other programs, one core for two ranks, or a weaker "
            "machine",
            host->name, g->slowest, best);
    if (strcmp(first->set, host->set) != 0)
        add(&d->to_know,
            "%s runs %s, %s runs %s: equal bits are promised on one instruction set only",
            host->name, host->set, first->name, first->set);
}

/* Checks the libraries, and the file system as rank 0 finds it. */
static void check_run(doctor *d)
{
    const ls_filesystem *found = &d->all[0].filesystem;
    const double room_least = 1e9, speed_least = 50e6;
    if (d->h5.parallel || !d->h5.thread_safe)
        add(&d->to_do,
            "HDF5 is %s: build with a serial one that is thread-safe (Debian: libhdf5-dev)",
            d->h5.parallel ? "a build with MPI" : "not thread-safe");
    if (!d->h5.as_built)
        add(&d->to_do,
            "HDF5 %s runs, but the program was built with another version: build it again",
            d->h5.version);
    if (found->why[0])
        add(&d->to_do, "%s: can't write there: %s", found->path, found->why);
    else if (found->room < room_least)
        add(&d->to_do,
            "%s: %.0f MB are free, and checkpoints are large: make room, or give another run=",
            found->path, found->room / 1e6);
    else if (found->speed < speed_least)
        add(&d->to_know,
            "%s writes %.0f MB/s: checkpoint seldom, or give another run=", found->path,
            found->speed / 1e6);
    if (strcmp(found->type, "tmpfs") == 0)
        add(&d->to_know, "%s is in memory (tmpfs): checkpoints there end with the machine",
            found->path);
}

static void print_program(const doctor *d)
{
    ls_blas blas;
    ls_error error;
    ls_print(stdout, "lockstep %s (%s)\n", LS_VERSION, LS_REAL_NAME);
    ls_print(stdout, "  MPI       %s, %d %s\n", ls_comm_version(), d->ranks,
             d->ranks > 1 ? "ranks" : "rank");
    if (ls_blas_open(&blas, &error))
        ls_print(stdout, "  BLAS      %s, %d thread%s\n", blas.description, blas.threads,
                 blas.threads == 1 ? "" : "s");
    else
        ls_print(stdout, "  BLAS      %s: the speed is not measured\n", error.text);
    ls_print(stdout, "  OpenMP    version of %d-%02d, %d thread%s a rank (--threads)\n",
             _OPENMP / 100, _OPENMP % 100, d->all[0].host.threads,
             d->all[0].host.threads > 1 ? "s" : "");
    ls_print(stdout, "  HDF5      %s, %s, %s\n", d->h5.version,
             d->h5.parallel ? "with MPI" : "serial",
             d->h5.thread_safe ? "thread-safe" : "not thread-safe");
}

/* "rank 0 on processors 0-3; ranks 1-3 on processors 4-7" */
static void print_binding(const doctor *d, const group *g)
{
    char processors[256];
    for (const facts *f = g->first, *last; f < g->end; f = last + 1) {
        for (last = f; last + 1 < g->end; last++)
            if (!CPU_EQUAL(&f->host.bound, &last[1].host.bound))
                break;
        ls_host_processors(&f->host.bound, processors, sizeof processors);
        ls_print(stdout, "%s%s %d", f == g->first ? "  binding   " : "; ",
                 last > f ? "ranks" : "rank", (int)(f - d->all));
        if (last > f)
            ls_print(stdout, "-%d", (int)(last - d->all));
        ls_print(stdout, " on processors %s", processors);
    }
    ls_print(stdout, "\n");
}

static void print_host(const doctor *d, const group *g)
{
    const facts *f = g->first;
    const ls_host *host = g->host;
    ls_print(stdout, "\nhost %s: %s\n", host->name, g->who);
    ls_print(stdout, "  processor %s, %d cores%s, %s\n", host->processor[0] ? host->processor : "?",
             host->cores, host->hyperthreads > 1 ? " of 2 hyperthreads" : "", host->set);
    print_binding(d, g);
    if (g->slowest > 0)
        ls_print(stdout, "  speed     %.0f Gflop/s a rank, all at once (matrix products)\n",
                 g->slowest);
    ls_print(stdout, "  memory    %.1f of %.1f GB free; huge pages: %s\n", host->memory_free / 1e9,
             host->memory / 1e9, host->pages);
    ls_print(stdout, "  shared    %s, %.1f GB free\n", f->shared, f->shared_room / 1e9);
    ls_print(stdout, "  run       %s (%s), %.1f GB free", f->filesystem.path, f->filesystem.type,
             f->filesystem.room / 1e9);
    if (f->filesystem.speed > 0)
        ls_print(stdout, ", writes %.0f MB/s", f->filesystem.speed / 1e6);
    ls_print(stdout, ", %s\n", locks[f->filesystem.lock].state);
}

/* Prints everything; returns the exit code. */
static int report(doctor *d)
{
    print_program(d);
    check_run(d);
    for (const facts *first = d->all; first < d->all + d->ranks;) {
        const group g = read_group(d, first);
        print_host(d, &g);
        check_cores(d, &g);
        check_memory(d, &g);
        check_locks(d, &g);
        check_speed(d, &g);
        first = g.end;
    }
    if (d->to_know.text) {
        fputs("\nGood to know:\n", stdout);
        fputs(d->to_know.text, stdout);
    }
    fputs(d->to_do.text ? "\nTo do:\n" : "\nNothing to do.\n", stdout);
    if (d->to_do.text)
        fputs(d->to_do.text, stdout);
    return d->to_do.text ? LS_DATA : 0;
}

typedef struct arguments {
    ls_words words;
    int threads;
} arguments;

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
    facts mine = {.shared = ""}, *all = ls_alloc((size_t)comm->size, sizeof *all);
    mine.shared_room = ls_shared_free(comm, mine.shared, sizeof mine.shared);
    if (!mine.shared[0])
        snprintf(mine.shared, sizeof mine.shared, "/dev/shm");
    if (!isfinite(mine.shared_room))
        mine.shared_room = ls_filesystem_room(mine.shared);
    ls_filesystem_read(&mine.filesystem, comm, a.words.count ? a.words.at[0] : ".");
    ls_host_read(&mine.host, comm, a.threads);
    ls_comm_gather(comm, &mine, sizeof mine, all);
    int code = 0;
    if (comm->rank == 0) {
        doctor d = {.ranks = comm->size, .all = all};
        ls_h5_about_read(&d.h5);
        code = report(&d);
        ls_free(d.to_do.text);
        ls_free(d.to_know.text);
    }
    ls_comm_broadcast(comm, &code, sizeof code);
    ls_free(all);
    ls_comm_close(comm);
    return code;
}
