/* timeline: keeps spans in a ring, and writes those of all ranks as a Chrome trace. */
#include "launch/train/timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "dist/clocks.h"
#include "io/atomic_file.h"
#include "io/file.h"

/* Events of all ranks together, and of one at least and at most; and how many of each rank are
 * gathered at a time. */
enum { EVENTS = 1 << 20, EVENTS_LEAST = 1 << 12, EVENTS_MOST = 1 << 16, BLOCK = 1 << 10 };

/* What a span is called, and the category by which a viewer finds it. */
static const struct {
    const char *name, *category;
} kinds[LS_SPANS] = {
    [LS_SPAN_STEP] = {"step", "step"},
    [LS_SPAN_DATA] = {"rows", "data"},
    [LS_SPAN_GRADIENT] = {"gradient", "compute"},
    [LS_SPAN_FORWARD] = {"forward", "compute"},
    [LS_SPAN_BACKWARD] = {"backward", "compute"},
    [LS_SPAN_WAIT] = {"wait", "wait"},
    [LS_SPAN_SUM] = {"sum", "sum"},
    [LS_SPAN_UPDATE] = {"update", "compute"},
    [LS_SPAN_PREPARE] = {"prepare", "compute"},
    [LS_SPAN_CHECKPOINT] = {"checkpoint", "checkpoint"},
    [LS_SPAN_EVALUATION] = {"evaluation", "evaluation"},
    [LS_SPAN_SAMPLES] = {"samples", "samples"},
};

typedef struct event {
    double begin, end;
    int kind; /* LS_SPANS: there is none here */
    int net;  /* of the session's, in a pass through a layer */
    int index;
} event;

/* Stores the passes through one net. */
typedef struct net_watch {
    ls_watch watch;
    ls_timeline *timeline;
    int net;
} net_watch;

struct ls_timeline {
    const ls_session *session;
    const char *path;
    event *ring;          /* event i is at i % capacity */
    long capacity, count; /* of all that were stored */
    long steps;           /* of these */
    double opened;        /* where the times of the trace begin */
    net_watch net[LS_VIEWS];
};

/* Where a rank runs. */
typedef struct place {
    int machine;
    char host[sizeof((ls_comm *)0)->host];
} place;

/* What a trace begins with. */
#define BEGINNING "[\n{\"name\":\"process_name\""

/* Whether nothing is at `path`, or a trace, as an earlier run has written it. */
static bool is_free(const char *path)
{
    char text[sizeof BEGINNING] = "";
    int file = ls_file_open(path, O_RDONLY | O_NONBLOCK, 0);
    if (file < 0)
        return errno == ENOENT;
    bool trace = ls_file_read_at(file, text, sizeof text - 1, 0) > 0 && !strcmp(text, BEGINNING);
    ls_file_close(file);
    return trace;
}

/* On rank 0: begins the file. */
static ls_atomic_file *open_file(const char *path, ls_error *error)
{
    ls_atomic_file *file = ls_atomic_file_create(path, error);
    if (!file || is_free(path))
        return file;
    ls_error_set(error, LS_USAGE,
                 "--timeline=%s: the file that is there is no timeline of an earlier run: give "
                 "another name, or remove it",
                 path);
    ls_atomic_file_discard(file);
    return NULL;
}

static bool check_path(const ls_comm *comm, const char *path, ls_error *error)
{
    if (comm->rank != 0)
        return true;
    ls_atomic_file *file = open_file(path, error);
    ls_atomic_file_discard(file);
    return file != NULL;
}

ls_timeline *ls_timeline_create(const ls_session *session, const char *path, ls_error *error)
{
    if (!ls_comm_agree(session->comm, check_path(session->comm, path, error), error))
        return NULL;
    ls_timeline *timeline = ls_alloc(1, sizeof *timeline);
    timeline->session = session;
    timeline->path = path;
    timeline->opened = ls_clock_now();
    timeline->capacity = ls_min(ls_max(EVENTS / session->comm->size, EVENTS_LEAST), EVENTS_MOST);
    timeline->ring = ls_alloc((size_t)timeline->capacity, sizeof *timeline->ring);
    return timeline;
}

void ls_timeline_destroy(ls_timeline *timeline)
{
    if (!timeline)
        return;
    ls_free(timeline->ring);
    ls_free(timeline);
}

static void store(ls_timeline *timeline, const ls_span *span, int net)
{
    timeline->ring[timeline->count++ % timeline->capacity] = (event){.begin = span->begin,
                                                                     .end = span->end,
                                                                     .kind = span->kind,
                                                                     .net = net,
                                                                     .index = span->index};
}

void ls_timeline_note(ls_timeline *timeline, const ls_span *span)
{
    timeline->steps += span->kind == LS_SPAN_STEP;
    store(timeline, span, 0);
}

static void note_pass(void *context, const ls_span *span)
{
    const net_watch *watch = context;
    store(watch->timeline, span, watch->net);
}

void ls_timeline_watch(ls_timeline *timeline, ls_objective *objective)
{
    for (int v = 0; v < objective->views; v++) {
        ls_workspace *run = objective->view[v].run;
        net_watch *watch = &timeline->net[v];
        *watch = (net_watch){.watch = {note_pass, watch}, .timeline = timeline};
        const int nets = timeline->session->task.nets;
        while (run && watch->net < nets &&
               timeline->session->net[watch->net] != ls_workspace_net(run))
            watch->net++;
        if (run && watch->net < nets)
            ls_workspace_watch(run, &watch->watch);
    }
}

/* Writes the name of an event, as JSON has it: names of nets and layers have only letters, digits
 * and underscores. */
static void put_name(FILE *out, const ls_session *session, const event *e)
{
    const ls_net *net = session->net[e->net];
    const char *kind = kinds[e->kind].name;
    if (e->kind == LS_SPAN_STEP)
        ls_print(out, "%s %d", kind, e->index);
    else if (e->kind != LS_SPAN_FORWARD && e->kind != LS_SPAN_BACKWARD)
        ls_print(out, "%s", kind);
    else if (session->task.nets > 1)
        ls_print(out, "%s/%s %s", net->name, net->layers[e->index]->name, kind);
    else
        ls_print(out, "%s %s", net->layers[e->index]->name, kind);
}

/* Times of a trace are in microseconds. */
static void put_event(FILE *out, const ls_timeline *timeline, const event *e, const place *at,
                      int rank)
{
    fputs(",\n{\"name\":\"", out);
    put_name(out, timeline->session, e);
    ls_print(out, "\",\"cat\":\"%s\",\"ph\":\"X\",\"ts\":%.3f,\"dur\":%.3f,\"pid\":%d,\"tid\":%d}",
             kinds[e->kind].category, 1e6 * (e->begin - timeline->opened),
             1e6 * (e->end - e->begin), at->machine, rank);
}

/* The names of machines and ranks, as a trace has them. */
static void put_places(FILE *out, const place *all, int ranks)
{
    for (int r = 0; r < ranks; r++) {
        fputs(r ? ",\n{\"name\":\"process_name\"" : BEGINNING, out);
        ls_print(out, ",\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":\"", all[r].machine,
                 r);
        for (const char *c = all[r].host; *c; c++) /* a host's name is anything */
            fputc(*c == '"' || *c == '\\' || *c < ' ' || *c > '~' ? '?' : *c, out);
        ls_print(out,
                 "\"}},\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":%d,\"tid\":%d,"
                 "\"args\":{\"name\":\"rank %d\"}}",
                 all[r].machine, r, r);
    }
}

/* When the first event that is still in the ring ended: all that began later are there. */
static double known_since(const ls_timeline *timeline)
{
    const long lost = timeline->count - timeline->capacity;
    return lost > 0 ? timeline->ring[timeline->count % timeline->capacity].end : -INFINITY;
}

/* Fills block[BLOCK] with this rank's events from number *next on that began at `since` or later,
 * by its own clock; their times become `offset` larger. Returns how many are steps. */
static long fill_block(const ls_timeline *timeline, long *next, double since, double offset,
                       event *block)
{
    long steps = 0;
    int filled = 0;
    for (; *next < timeline->count && filled < BLOCK; ++*next) {
        event e = timeline->ring[*next % timeline->capacity];
        if (e.begin < since)
            continue;
        e.begin += offset;
        e.end += offset;
        steps += e.kind == LS_SPAN_STEP;
        block[filled++] = e;
    }
    for (; filled < BLOCK; filled++)
        block[filled].kind = LS_SPANS;
    return steps;
}

/* **Collective.** Writes the events of all ranks to `out`, on rank 0; returns the steps in them. */
static long put_events(const ls_timeline *timeline, FILE *out)
{
    ls_comm *comm = timeline->session->comm;
    const bool first = comm->rank == 0;
    const size_t ranks = first ? (size_t)comm->size : 0;
    place here = {.machine = comm->machine_index};
    memcpy(here.host, comm->host, sizeof here.host);
    place *places = ls_alloc(ranks, sizeof *places);
    event *block = ls_alloc(BLOCK, sizeof *block), *all = ls_alloc(ranks * BLOCK, sizeof *all);
    ls_comm_gather(comm, &here, sizeof here, places);
    if (first)
        put_places(out, places, comm->size);
    /* Clocks drift, and the last steps are kept: so they are compared now. */
    const double offset = ls_clocks_offset(comm);
    const double since = ls_comm_max(comm, known_since(timeline) + offset) - offset;
    long next = ls_max(timeline->count - timeline->capacity, 0L), steps = 0;
    while (ls_comm_max(comm, (double)(timeline->count - next)) > 0) {
        steps += fill_block(timeline, &next, since, offset, block);
        ls_comm_gather(comm, block, BLOCK * sizeof *block, all);
        for (size_t i = 0; i < ranks * BLOCK; i++)
            if (all[i].kind != LS_SPANS)
                put_event(out, timeline, &all[i], &places[i / BLOCK], (int)(i / BLOCK));
    }
    ls_free(all);
    ls_free(block);
    ls_free(places);
    return steps;
}

void ls_timeline_write(ls_timeline *timeline, const ls_listener *listener)
{
    ls_comm *comm = timeline->session->comm;
    ls_error error;
    char text[sizeof error.text + 128];
    if (timeline->steps == 0) /* of a run that was complete: what is there stays */
        return;
    ls_atomic_file *file = comm->rank == 0 ? open_file(timeline->path, &error) : NULL;
    bool ok = ls_comm_agree(comm, comm->rank != 0 || file, &error);
    if (ok) {
        FILE *out = file ? ls_atomic_file_stream(file) : NULL;
        const long steps = put_events(timeline, out);
        if (file)
            fputs("\n]\n", out);
        ok = !file || ls_atomic_file_finish(file, &error);
        snprintf(text, sizeof text, "timeline: %s, of the last %ld of %ld steps", timeline->path,
                 steps, timeline->steps);
    }
    if (!ok)
        snprintf(text, sizeof text, "%s; there is no timeline", error.text);
    if (comm->rank == 0 && listener->notice)
        listener->notice(listener->context, text);
}
