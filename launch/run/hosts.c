/* hosts: which hosts a run has, how many ranks each of them, and in what they differ. */
#include "launch/run/hosts.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"

enum { SHOWN_VALUES = 3, SHOWN_NAMES = 3 };

/* The ranks of one host. */
typedef struct machine {
    const ls_host *first; /* what the first of them finds */
    int ranks;
    double mhz; /* its clock as the fastest host has it, where they differ by less than 5 % */
} machine;

ls_host *ls_hosts_gather(ls_comm *comm, int threads)
{
    ls_host mine, *all = comm->rank ? NULL : ls_alloc((size_t)comm->size, sizeof *all);
    ls_host_describe(&mine, comm, threads);
    ls_comm_gather(comm, &mine, sizeof mine, all);
    return all;
}

static int count_machines(const ls_host *all, int ranks)
{
    int count = 0;
    for (int r = 0; r < ranks; r++)
        count += r == 0 || all[r].machine != all[r - 1].machine;
    return count;
}

/* The machines of the ranks, to be freed. */
static machine *list_machines(const ls_host *all, int ranks, int count)
{
    machine *machines = ls_alloc((size_t)count, sizeof *machines), *at = machines - 1;
    double most = 0;
    for (int r = 0; r < ranks; r++) {
        if (r == 0 || all[r].machine != all[r - 1].machine)
            *++at = (machine){.first = &all[r], .mhz = all[r].mhz};
        at->ranks++;
        most = fmax(most, all[r].mhz);
    }
    for (int i = 0; i < count; i++)
        if (machines[i].mhz == 0 || machines[i].mhz > 0.95 * most)
            machines[i].mhz = most;
    return machines;
}

static int cores_of(const ls_host *host)
{
    return host->cores;
}

static int bound_of(const ls_host *host)
{
    const int processors = CPU_COUNT(&host->bound);
    return ls_max(1, processors / host->hyperthreads);
}

static int threads_of(const ls_host *host)
{
    return host->threads;
}

/* Appends "2 cores", or "2 to 4 cores" where the ranks differ, to text[size]. */
static void append_range(const ls_host *all, int ranks, int (*of)(const ls_host *),
                         const char *unit, char *text, size_t size)
{
    int least = of(all), most = least;
    for (int r = 1; r < ranks; r++) {
        least = ls_min(least, of(&all[r]));
        most = ls_max(most, of(&all[r]));
    }
    const size_t used = strlen(text);
    if (least < most)
        snprintf(text + used, size - used, "%d to %d %ss", least, most, unit);
    else
        snprintf(text + used, size - used, "%d %s%s", most, unit, most == 1 ? "" : "s");
}

const char *ls_hosts_text(const ls_host *all, int ranks, char *text, size_t size)
{
    int count = count_machines(all, ranks);
    snprintf(text, size, "%d host%s of ", count, count > 1 ? "s" : "");
    append_range(all, ranks, cores_of, "core", text, size);
    return text;
}

const char *ls_hosts_rank_text(const ls_host *all, int ranks, char *text, size_t size)
{
    text[0] = 0;
    append_range(all, ranks, bound_of, "core", text, size);
    snprintf(text + strlen(text), size - strlen(text), " a rank as bound, ");
    append_range(all, ranks, threads_of, "thread", text, size);
    return text;
}

/* The length of a host's name without its domain. */
static int short_length(const machine *m)
{
    return (int)strcspn(m->first->name, ".");
}

/* Where the number begins that a name ends with: the name's length, if it does not. */
static int number_at(const machine *m)
{
    int at = short_length(m);
    while (at > 0 && isdigit((unsigned char)m->first->name[at - 1]))
        at--;
    return at;
}

/* Whether two names differ only in their last number, which is one higher in the second. */
static bool is_next(const machine *a, const machine *b)
{
    int at = number_at(a), length = short_length(a), longer = short_length(b);
    return at == number_at(b) && at < length && strncmp(a->first->name, b->first->name, at) == 0 &&
           atol(b->first->name + at) == atol(a->first->name + at) + 1 &&
           (longer == length || a->first->name[at] != '0');
}

/* What of a host is printed or compared, into text[size]. */
typedef void (*property)(const machine *m, char *text, size_t size);

static void ranks_text(const machine *m, char *text, size_t size)
{
    snprintf(text, size, "%d rank%s a host", m->ranks, m->ranks > 1 ? "s" : "");
}

static void set_text(const machine *m, char *text, size_t size)
{
    snprintf(text, size, "%s", m->first->set);
}

static void threads_text(const machine *m, char *text, size_t size)
{
    snprintf(text, size, "%d thread%s", m->first->threads, m->first->threads > 1 ? "s" : "");
}

static void clock_text(const machine *m, char *text, size_t size)
{
    snprintf(text, size, "%.1f GHz", m->mhz / 1000);
}

static bool has(const machine *m, property of, const char *value)
{
    char text[256];
    of(m, text, sizeof text);
    return strcmp(text, value) == 0;
}

/* Prints "node1-8, fast and 3 more": the machines with this value. */
static void print_names(const machine *machines, int count, property of, const char *value,
                        FILE *out)
{
    int names = 0, more = 0;
    for (int i = 0, last; i < count; i = last + 1) {
        last = i;
        if (!has(&machines[i], of, value))
            continue;
        while (last + 1 < count && is_next(&machines[last], &machines[last + 1]) &&
               has(&machines[last + 1], of, value))
            last++;
        if (names++ >= SHOWN_NAMES) {
            more += last - i + 1;
            continue;
        }
        ls_print(out, "%s%.*s", names > 1 ? ", " : "", short_length(&machines[i]),
                 machines[i].first->name);
        if (last > i)
            ls_print(out, "-%.*s", short_length(&machines[last]) - number_at(&machines[last]),
                     machines[last].first->name + number_at(&machines[last]));
    }
    if (more)
        ls_print(out, " and %d more", more);
}

/* Prints each value and the machines that have it: "8 ranks a host on node1-7; 4 ranks a host on
 * node8". */
static void print_values(const machine *machines, int count, property of, FILE *out)
{
    int values = 0;
    for (int i = 0; i < count; i++) {
        char value[256];
        int earlier = 0;
        of(&machines[i], value, sizeof value);
        while (earlier < i && !has(&machines[earlier], of, value))
            earlier++;
        if (earlier < i || values++ >= SHOWN_VALUES)
            continue;
        ls_print(out, "%s%s on ", values > 1 ? "; " : "", value);
        print_names(machines, count, of, value, out);
    }
    if (values > SHOWN_VALUES)
        ls_print(out, "; and %d more", values - SHOWN_VALUES);
}

static bool differ(const machine *machines, int count, property of)
{
    char first[256];
    of(machines, first, sizeof first);
    for (int i = 1; i < count; i++)
        if (!has(&machines[i], of, first))
            return true;
    return false;
}

void ls_hosts_print(const ls_host *all, int ranks, FILE *out)
{
    static const struct {
        const char *differ;
        property of;
        const char *so; /* what follows from it, or what to do */
    } same[] = {
        {"instruction sets", set_text, "equal bits are promised on one of them only"},
        {"thread counts", threads_text, "give --threads alike, unless the cores differ too"},
        {"clocks", clock_text, "each step waits for the slowest"},
    };
    int count = count_machines(all, ranks);
    if (count == 1)
        return;
    machine *machines = list_machines(all, ranks, count);
    ls_print(out, "          ");
    print_values(machines, count, ranks_text, out);
    ls_print(out, "\n");
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        if (!differ(machines, count, same[i].of))
            continue;
        ls_print(out, "          %s differ: ", same[i].differ);
        print_values(machines, count, same[i].of, out);
        ls_print(out, ": %s\n", same[i].so);
    }
    ls_free(machines);
}
