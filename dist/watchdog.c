/* watchdog: one thread a rank; the first of a node whose process is not stopped asks the other
 * nodes, and that of the first node that answers speaks and ends the run. If it does not, any other
 * does, a little later.
 *
 * The run ends in two stages, on each node by itself: the late ranks of the node are asked for
 * their backtraces; a second later all of its processes end. A process that was stopped does so
 * when it is woken to be killed: the word of the end lies in its socket. So launchers report one
 * exit code. */
#include "dist/watchdog.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "core/thread.h"
#include "dist/shared.h"
#include "dist/stall.h"

/* Parts of the shorter of both limits. */
static const double tick_part = 1. / 16;   /* from look to look, but for a second at most */
static const double doubt_part = 1. / 4;   /* the node has stood still: others are asked */
static const double ask_part = 1. / 10;    /* from question to question to a node */
static const double answer_part = 9. / 20; /* without an answer: it does not answer */
/* A process that does less between two looks does not work: a share of the time, and bytes. Ranks
 * that take turns on a core may have little; looking alone takes less. */
static const double least_computed = 0.01, least_moved = 4096;
static const double grace = 5; /* seconds, after which other nodes than the speaker end the run */
/* All nodes greet, and are greeted by, the first SPEAKERS: one of these will ask the others. */
enum { GREETINGS = 32, SPEAKERS = 4, TEXT = 8192 };

/* What this rank saw of another of its node. */
typedef struct seen {
    ls_board_state state;
    double still;  /* seconds since it made progress */
    double silent; /* seconds since its watchdog looked */
} seen;

struct ls_watchdog {
    ls_watchdog_plan plan;
    double shorter; /* of the limits */
    ls_board *board;
    ls_shared *shared; /* the board of the node */
    ls_inquiry *inquiry;
    int node, mine, ranks; /* this node; this rank's number in it, of so many */
    seen *seen;            /* [ranks] */
    ls_vitals vitals;      /* of this process, at the last look */
    double time;           /* of the last look */
    long looks;            /* since the run began */
    bool doubts;           /* the node has stood still for a while */
    int speaker;           /* the node that speaks for all, at the last look */
    ls_news news;
    bool fresh;    /* the news are of this look */
    double warned; /* of how long a halt; 0: of none */
    int wake;      /* an eventfd that ends the thread */
    pthread_t thread;
};

/* Publishes whether this process has worked in the last `seconds`. */
static void look_at_own(ls_watchdog *w, double seconds)
{
    const ls_vitals now = ls_vitals_others();
    const ls_board_state state = ls_board_read(w->board, w->mine);
    /* A sum may wait busily between its messages, each of which is published. */
    bool computed = now.computed - w->vitals.computed > least_computed * seconds &&
                    state.activity != LS_ACTIVITY_SUMMING;
    bool moved = now.moved - w->vitals.moved > least_moved;
    w->vitals = now;
    ls_board_look(w->board, computed || moved, getpid(), ls_vitals_namespace());
}

static void look_at_node(ls_watchdog *w, double seconds)
{
    for (int r = 0; r < w->ranks; r++) {
        seen *s = &w->seen[r];
        const ls_board_state now = ls_board_read(w->board, r);
        bool moved = now.moves != s->state.moves ||
                     (now.waits_for == LS_BOARD_NOBODY && now.work != s->state.work);
        s->still = moved ? 0 : s->still + seconds;
        s->silent = now.looks != s->state.looks ? 0 : s->silent + seconds;
        s->state = now;
    }
    w->fresh = false;
}

static bool is_silent(const ls_watchdog *w, int r)
{
    return w->seen[r].silent > answer_part * w->shorter;
}

static ls_vitals_state vitals_of(const ls_watchdog *w, int r)
{
    const ls_board_state *state = &w->seen[r].state;
    return state->processes == w->seen[w->mine].state.processes ? ls_vitals_of(state->process)
                                                                : LS_VITALS_UNKNOWN;
}

/* Whether others may wait for the rank; sets its vitals. */
static bool is_late(const ls_watchdog *w, int r, ls_vitals_state *vitals)
{
    bool waits = w->seen[r].state.waits_for != LS_BOARD_NOBODY;
    *vitals = LS_VITALS_ASLEEP;
    if (waits && !is_silent(w, r))
        return false;
    *vitals = vitals_of(w, r);
    bool alive =
        *vitals == LS_VITALS_RUNNING || *vitals == LS_VITALS_ASLEEP || *vitals == LS_VITALS_DISK;
    return !waits || !alive;
}

static const ls_news *news_of_node(ls_watchdog *w)
{
    ls_news *news = &w->news;
    if (w->fresh)
        return news;
    memset(news, 0, sizeof *news);
    news->still = INFINITY;
    news->all_still = ls_board_concluded(w->board);
    for (int r = 0; r < w->ranks; r++) {
        const seen *s = &w->seen[r];
        ls_news_rank told = {.rank = ls_inquiry_at(w->inquiry, w->node)->first + r,
                             .still = s->still,
                             .state = s->state};
        news->still = fmin(news->still, s->still);
        if (!is_late(w, r, &told.vitals)) {
            if (news->waiting++ == 0)
                news->waiter = told;
        } else if (news->late++ < LS_NEWS_RANKS) {
            news->rank[news->late - 1] = told;
        }
    }
    w->fresh = true;
    return news;
}

/* To stderr, unless nobody reads that for a second. */
static void say(const char *text, size_t size)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    ssize_t written = poll(&out, 1, 1000) == 1 ? write(STDERR_FILENO, text, size) : 0;
    (void)written; /* there is nobody else to tell */
}

static ls_stall stall_of(ls_watchdog *w)
{
    return (ls_stall){.inquiry = w->inquiry,
                      .own = w->node,
                      .news = news_of_node(w),
                      .patience = answer_part * w->shorter};
}

/* Who has not been asked before, as another node spoke, has time to answer. */
static ls_stall_verdict judge(ls_watchdog *w)
{
    const ls_stall stall = stall_of(w);
    ls_stall_verdict v = ls_stall_judge(&stall);
    if (v.speaker == w->node && w->speaker != w->node) {
        ls_inquiry_begin(w->inquiry, w->node + 1);
        v = ls_stall_judge(&stall);
    }
    w->speaker = v.speaker;
    ls_board_conclude(w->board, v.still);
    return v;
}

static void tell_halt(ls_watchdog *w, const ls_stall_verdict *v, bool ends)
{
    static const char *const fates[] = {
        "the job is not ended (--stall-abort)", "the job is ended in %.0f s (--stall-abort)",
        "the job is not ended, as whoever halted its output may let it go on",
        "the job ends with exit code 71: start the same command again; checkpoints stay"};
    char text[TEXT];
    const double left = w->plan.abort - v->still;
    const int fate = ends ? 3 : v->reader_halted ? 2 : w->plan.abort > 0;
    FILE *out = fmemopen(text, sizeof text, "w");
    ls_check(out != NULL, "the system gives no memory for a message");
    const ls_stall stall = stall_of(w);
    ls_print(out, "lockstep: no rank has made progress for %.0f s:\n", v->still);
    ls_stall_print(&stall, out);
    ls_print(out, "lockstep:   ");
    ls_print(out, fates[fate], left);
    ls_print(out, "\n");
    long size = ftell(out);
    fclose(out);
    say(text, (size_t)ls_max(size, 0));
}

/* Ends this node's part of the run, which no other rank of the node does. */
static void end_node(ls_watchdog *w)
{
    static const struct timespec moment = {.tv_sec = 1};
    ls_vitals_state vitals;
    for (int r = 0; r < w->ranks; r++)
        if (is_late(w, r, &vitals) && vitals != LS_VITALS_UNKNOWN && vitals != LS_VITALS_GONE)
            ls_vitals_trace(w->seen[r].state.process);
    nanosleep(&moment, NULL);
    ls_board_end(w->board, 2);
    _exit(LS_STALLED);
}

static void receive(ls_watchdog *w)
{
    int node;
    ls_inquiry_kind kind;
    while (ls_inquiry_receive(w->inquiry, &node, &kind)) {
        if (kind == LS_INQUIRY_ASK)
            ls_inquiry_send(w->inquiry, node, LS_INQUIRY_ANSWER, news_of_node(w));
        else if (kind == LS_INQUIRY_END && ls_board_end(w->board, 1))
            end_node(w);
    }
}

/* Questions: a few at first, to know who can be asked, then where this node has come to a halt.
 * They are spread over several looks, so that answers do not come all at once. */
static void ask(ls_watchdog *w, int speaker, double tick)
{
    const long turns = (long)ceil(ask_part * w->shorter / tick);
    for (int n = 0; n < ls_inquiry_nodes(w->inquiry); n++) {
        bool greets = w->looks < GREETINGS * turns && ls_min(n, w->node) < SPEAKERS &&
                      !ls_inquiry_at(w->inquiry, n)->known;
        bool asks = w->doubts && (n <= speaker || speaker == w->node);
        if (n != w->node && (w->looks + w->node + n) % turns == 0 && (greets || asks))
            ls_inquiry_send(w->inquiry, n, LS_INQUIRY_ASK, news_of_node(w));
    }
}

/* Warns, or ends the run. */
static void act(ls_watchdog *w, const ls_stall_verdict *v)
{
    const bool speaks = v->speaker == w->node;
    if (!w->doubts && w->warned > 0) {
        char text[80];
        snprintf(text, sizeof text, "lockstep: the ranks make progress again, after %.0f s\n",
                 w->warned);
        if (speaks)
            say(text, strlen(text));
        w->warned = 0;
    }
    if (w->plan.warn > 0 && v->still >= w->plan.warn) {
        if (w->warned == 0 && speaks)
            tell_halt(w, v, false);
        w->warned = v->still;
    }
    if (w->plan.abort <= 0 || v->reader_halted || v->unknown ||
        v->still < w->plan.abort + (speaks ? 0 : grace) || !ls_board_end(w->board, 1))
        return;
    if (speaks)
        tell_halt(w, v, true);
    for (int n = 0; speaks && n < ls_inquiry_nodes(w->inquiry); n++)
        if (n != w->node)
            ls_inquiry_send(w->inquiry, n, LS_INQUIRY_END, &w->news);
    end_node(w);
}

/* One look. Seconds in which this process did not run are not counted, but for a few ticks. */
static void look(ls_watchdog *w, double tick)
{
    const double now = ls_clock_now(), passed = now - w->time, seconds = fmin(passed, 4 * tick);
    int r = 0;
    w->time = now;
    w->looks++;
    look_at_own(w, passed);
    look_at_node(w, seconds);
    ls_inquiry_age(w->inquiry, seconds);
    while (r < w->mine && is_silent(w, r))
        r++;
    if (r < w->mine || ls_board_ending(w->board)) /* another does what follows, or did */
        return;
    const bool doubted = w->doubts;
    w->doubts = news_of_node(w)->still > doubt_part * w->shorter;
    if (w->doubts && !doubted)
        ls_inquiry_begin(w->inquiry, 0);
    const ls_stall_verdict v = judge(w);
    ask(w, v.speaker, tick);
    act(w, &v);
}

static void *watch(void *context)
{
    ls_watchdog *w = context;
    const double tick = fmin(1, tick_part * w->shorter);
    struct pollfd files[] = {{.fd = w->wake, .events = POLLIN},
                             {.fd = ls_inquiry_socket(w->inquiry), .events = POLLIN}};
    for (;;) {
        const double left = w->time + tick - ls_clock_now();
        if (poll(files, 2, left > 0 ? (int)ceil(1000 * left) : 0) > 0 && files[0].revents)
            return NULL;
        receive(w);
        if (ls_board_ending(w->board) > 1)
            _exit(LS_STALLED);
        if (ls_clock_now() >= w->time + tick)
            look(w, tick);
    }
}

/* **Collective.** The board of the node, in memory that its ranks share. */
static bool share_board(ls_watchdog *w, ls_comm *comm, ls_error *error)
{
    w->shared = ls_shared_create(comm, ls_board_bytes(comm->node_size), error);
    if (!ls_comm_agree(comm, w->shared != NULL, error))
        return false;
    ls_board_share(w->board, ls_shared_data(w->shared), comm->node_rank);
    ls_board_look(w->board, false, getpid(), ls_vitals_namespace());
    ls_comm_node_barrier(comm);
    return true;
}

ls_watchdog *ls_watchdog_start(ls_comm *comm, const ls_watchdog_plan *plan, ls_error *error)
{
    const double warn = plan->warn > 0 ? plan->warn : plan->abort;
    char who[320];
    snprintf(who, sizeof who, "rank %d on %s", comm->rank, comm->host);
    ls_vitals_listen(who);
    *error = (ls_error){.code = 0};
    if (warn <= 0)
        return NULL;
    ls_watchdog *w = ls_alloc(1, sizeof *w);
    w->plan = *plan;
    w->shorter = plan->abort > 0 ? fmin(warn, plan->abort) : warn;
    w->board = comm->board;
    w->node = w->speaker = comm->node_index;
    w->mine = comm->node_rank;
    w->ranks = comm->node_size;
    if (!share_board(w, comm, error)) {
        ls_shared_destroy(w->shared);
        ls_free(w);
        return NULL;
    }
    w->inquiry = ls_inquiry_open(comm);
    w->seen = ls_alloc((size_t)w->ranks, sizeof *w->seen);
    w->time = ls_clock_now();
    w->wake = eventfd(0, EFD_CLOEXEC);
    ls_check(w->wake >= 0, "the watchdog gets no descriptor (ulimit -n)");
    int status = ls_thread_start(&w->thread, watch, w);
    ls_check(status == 0, "can't start the watchdog's thread: %s", strerror(status));
    return w;
}

void ls_watchdog_stop(ls_watchdog *w)
{
    if (!w)
        return;
    const uint64_t one = 1;
    ls_check(write(w->wake, &one, sizeof one) == sizeof one, "can't stop the watchdog's thread");
    pthread_join(w->thread, NULL);
    close(w->wake);
    ls_board_share(w->board, NULL, 0);
    ls_inquiry_close(w->inquiry);
    ls_shared_destroy(w->shared);
    ls_free(w->seen);
    ls_free(w);
}
