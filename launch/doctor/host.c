/* host: reads what Linux and the library know of the machine, and measures its speed. */
#include "launch/doctor/host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/blas.h"
#include "core/clock.h"
#include "core/clones.h"
#include "core/kernels/tile.h"
#include "core/memory.h"

enum { LINE = 256, SIDE = 512 };

/* Writes into value[size] the first line of a file; with a key, what follows the colon of the first
 * line that begins with the key. "" where there is none. */
static void read_value(const char *path, const char *key, char *value, size_t size)
{
    char line[LINE];
    value[0] = 0;
    FILE *file = fopen(path, "r");
    while (file && !value[0] && fgets(line, sizeof line, file)) {
        const char *text = line;
        if (key) {
            text = strncmp(line, key, strlen(key)) == 0 ? strchr(line, ':') : NULL;
            if (!text)
                continue;
            text += 1 + strspn(text + 1, " \t");
        }
        snprintf(value, size, "%.*s", (int)strcspn(text, "\n"), text);
    }
    if (file)
        fclose(file);
}

static double memory_of(const char *key)
{
    char text[LINE];
    read_value("/proc/meminfo", key, text, sizeof text);
    return atof(text) * 1024; /* kB */
}

/* Cores that the container may use: cgroup version 2 gives a quota of microseconds in a period. */
static double granted_cores(void)
{
    char line[LINE];
    double quota, period;
    read_value("/sys/fs/cgroup/cpu.max", NULL, line, sizeof line);
    return sscanf(line, "%lf %lf", &quota, &period) == 2 && period > 0 ? quota / period : INFINITY;
}

/* The setting of transparent huge pages: the word in [brackets]. */
static void chosen_pages(char *word, size_t size)
{
    char line[LINE];
    read_value("/sys/kernel/mm/transparent_hugepage/enabled", NULL, line, sizeof line);
    const char *bracket = strchr(line, '['), *chosen = bracket ? bracket + 1 : "not there";
    snprintf(word, size, "%.*s", (int)strcspn(chosen, "]"), chosen);
}

/* Gflop/s of products of two SIDE x SIDE matrices, measured for 0.1 s; 0 without OpenBLAS. */
static double product_speed(void)
{
    ls_blas blas;
    if (!ls_blas_open(&blas, NULL))
        return 0;
    real *a = ls_alloc(3 * SIDE * SIDE, sizeof *a), *b = a + SIDE * SIDE, *c = b + SIDE * SIDE;
    double start = 0, elapsed = 0;
    long count = -1; /* the first product warms the caches */
    while (elapsed < 0.1) {
        ls_gemm(&blas, SIDE, SIDE, SIDE, (ls_factor){a, SIDE, false}, (ls_factor){b, SIDE, false},
                (ls_result){c, SIDE, false});
        if (count++ < 0)
            start = ls_clock_now();
        elapsed = ls_clock_now() - start;
    }
    ls_free(a);
    return (double)count * 2e-9 * SIDE * SIDE * SIDE / elapsed;
}

/* The most that Linux lets processor 0 run at, in MHz; where nothing governs it, what it runs at.
 */
static double clock_mhz(void)
{
    char text[LINE];
    read_value("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", NULL, text, sizeof text);
    if (text[0])
        return atof(text) / 1000; /* kHz */
    read_value("/proc/cpuinfo", "cpu MHz", text, sizeof text);
    return atof(text);
}

void ls_host_describe(ls_host *host, const ls_comm *comm, int threads)
{
    char text[LINE];
    *host = (ls_host){
        .machine = comm->machine_index, .threads = threads, .hyperthreads = 1, .mhz = clock_mhz()};
    snprintf(host->name, sizeof host->name, "%s", comm->host);
    read_value("/proc/cpuinfo", "model name", host->processor, sizeof host->processor);
    ls_tile_describe(text, sizeof text);
    snprintf(host->set, sizeof host->set, "%s, micro-kernel %.200s", ls_clones_set(), text);
    read_value("/sys/devices/system/cpu/smt/active", NULL, text, sizeof text);
    if (text[0] == '1')
        host->hyperthreads = 2;
    host->cores = comm->cores.all / host->hyperthreads;
    if (sched_getaffinity(0, sizeof host->bound, &host->bound) != 0)
        CPU_ZERO(&host->bound);
}

void ls_host_read(ls_host *host, ls_comm *comm, int threads)
{
    ls_host_describe(host, comm, threads);
    host->allowed = granted_cores();
    getloadavg(&host->load, 1);
    host->memory = memory_of("MemTotal");
    host->memory_free = memory_of("MemAvailable");
    chosen_pages(host->pages, sizeof host->pages);
    ls_comm_barrier(comm);
    host->gflops = product_speed();
}

void ls_host_processors(const cpu_set_t *set, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < CPU_SETSIZE && used < size; i++) {
        int last = i;
        if (!CPU_ISSET(i, set))
            continue;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
            last++;
        used += (size_t)snprintf(text + used, size - used, last > i ? "%s%d-%d" : "%s%d",
                                 used ? "," : "", i, last);
        i = last;
    }
}
