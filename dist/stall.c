/* stall: late is who waits for nobody and makes no progress, who is stopped, and all ranks of a
 * node that does not answer. */
#include "dist/stall.h"

#include <math.h>

#include "core/minmax.h"
#include "core/print.h"

enum { SHOWN = 16 }; /* lines about late ranks */

static const char *const activities[] = {[LS_ACTIVITY_OPENING] = "opening",
                                         [LS_ACTIVITY_READING] = "reading rows",
                                         [LS_ACTIVITY_COMPUTING] = "computing",
                                         [LS_ACTIVITY_SUMMING] = "summing",
                                         [LS_ACTIVITY_UPDATING] = "updating",
                                         [LS_ACTIVITY_EVALUATING] = "evaluating",
                                         [LS_ACTIVITY_CHECKPOINTING] = "checkpointing",
                                         [LS_ACTIVITY_PICTURING] = "making pictures",
                                         [LS_ACTIVITY_REPORTING] = "reporting"};

/* What is said of a process in a state; %ld is its number. */
static const char *const states[] = {
    [LS_VITALS_UNKNOWN] = "its process %ld can't be looked at",
    [LS_VITALS_RUNNING] = "process %ld is running (state R)",
    [LS_VITALS_ASLEEP] = "process %ld is asleep (state S)",
    [LS_VITALS_DISK] = "process %ld is in disk sleep (state D): its file system does not answer",
    [LS_VITALS_STOPPED] = "stopped by a signal (state T): kill -CONT %ld there lets it go on",
    [LS_VITALS_TRACED] = "a debugger holds process %ld (state t)",
    [LS_VITALS_GONE] = "process %ld has ended"};

/* What is said besides of a rank that is asleep, where it uses files. */
static const char *const asleep[] = {
    [LS_ACTIVITY_OPENING] = ": a file or its file system does not answer",
    [LS_ACTIVITY_READING] = ": its file system gives no rows",
    [LS_ACTIVITY_CHECKPOINTING] = ": its file system does not take the checkpoint",
    [LS_ACTIVITY_REPORTING] = ": nobody reads its output, or its file system does not answer"};

static bool answers(const ls_stall *s, int n)
{
    const ls_inquiry_node *node = ls_inquiry_at(s->inquiry, n);
    return n == s->own || (node->known && node->age < s->patience);
}

/* NULL: the node does not answer. */
static const ls_news *news_of(const ls_stall *s, int n)
{
    return n == s->own ? s->news : answers(s, n) ? &ls_inquiry_at(s->inquiry, n)->news : NULL;
}

/* Whether every late rank waits for the reader of its output. One that runs has just been read
 * from, and has not yet published that it goes on. */
static bool reader_halted(const ls_news *news)
{
    for (int i = 0; i < ls_min(news->late, LS_NEWS_RANKS); i++) {
        const ls_vitals_state state = news->rank[i].vitals;
        if (news->rank[i].state.activity != LS_ACTIVITY_REPORTING ||
            (state != LS_VITALS_ASLEEP && state != LS_VITALS_RUNNING))
            return false;
    }
    return true;
}

ls_stall_verdict ls_stall_judge(const ls_stall *s)
{
    ls_stall_verdict v = {.still = s->news->still, .reader_halted = true};
    bool unknown = false;
    for (int n = ls_inquiry_nodes(s->inquiry) - 1; n >= 0; n--) {
        const ls_inquiry_node *node = ls_inquiry_at(s->inquiry, n);
        const ls_news *news = news_of(s, n);
        unknown |= !news && !node->known;
        if (news) {
            v.speaker = n;
            v.still = fmin(v.still, news->still + (n == s->own ? 0 : node->age));
            v.reader_halted &= reader_halted(news);
            v.late += news->late;
        } else if (node->known) {
            v.reader_halted = false;
            v.late += node->ranks;
        }
    }
    if (v.speaker != s->own) /* it has not asked the others, but the speaker has */
        v.still = fmin(s->news->still, ls_inquiry_at(s->inquiry, v.speaker)->news.all_still +
                                           ls_inquiry_at(s->inquiry, v.speaker)->age);
    v.reader_halted &= v.late > 0;
    v.unknown = unknown && v.late == 0;
    return v;
}

/* "step 41, discriminator, computing" */
static const char *place_of(const ls_board_state *state, char *text, size_t size)
{
    char step[32] = "";
    if (state->step > 0)
        snprintf(step, sizeof step, "step %ld, ", state->step);
    snprintf(text, size, "%s%s%s%s", step, state->phase, *state->phase ? ", " : "",
             activities[state->activity]);
    return text;
}

static void print_late(const ls_news_rank *r, const char *host, FILE *out)
{
    char place[128], state[128];
    const bool files =
        r->vitals == LS_VITALS_ASLEEP && (size_t)r->state.activity < sizeof asleep / sizeof *asleep;
    const char *more = files ? asleep[r->state.activity] : NULL;
    snprintf(state, sizeof state, states[r->vitals], r->state.process);
    ls_print(out, "lockstep:   rank %d on %s: %s, for %.0f s; %s%s\n", r->rank, host,
             place_of(&r->state, place, sizeof place), r->still, state, more ? more : "");
}

static void print_silent(const ls_inquiry_node *node, FILE *out)
{
    const bool one = node->ranks == 1;
    ls_print(out, one ? "lockstep:   rank %d" : "lockstep:   ranks %d", node->first);
    if (!one)
        ls_print(out, " to %d", node->first + node->ranks - 1);
    ls_print(out,
             node->known ? " on %s: no answer; stopped, or its machine or network is down\n"
                         : " on %s: can't be asked, as no UDP datagram comes from there\n",
             node->host);
}

/* How many of the node's late ranks are not told. */
static int print_node(const ls_stall *s, int n, FILE *out, int room)
{
    const ls_inquiry_node *node = ls_inquiry_at(s->inquiry, n);
    const ls_news *news = news_of(s, n);
    if (!news) {
        if (room > 0)
            print_silent(node, out);
        return room > 0 ? 0 : node->ranks;
    }
    int told = (int)ls_min(ls_min(news->late, LS_NEWS_RANKS), ls_max(room, 0));
    for (int i = 0; i < told; i++)
        print_late(&news->rank[i], node->host, out);
    return news->late - told;
}

static void print_waiting(const ls_stall *s, int late, FILE *out)
{
    char place[128], whom[32];
    int waiting = 0, from = -1;
    for (int n = ls_inquiry_nodes(s->inquiry) - 1; n >= 0; n--) {
        const ls_news *news = news_of(s, n);
        waiting += news ? news->waiting : 0;
        from = news && news->waiting ? n : from;
    }
    if (from < 0)
        return;
    const ls_news_rank *first = &news_of(s, from)->waiter;
    const int other = first->state.waits_for;
    snprintf(whom, sizeof whom,
             other >= 0  ? "rank %d"
             : late == 1 ? "it"
             : late      ? "them"
                         : "others",
             other);
    ls_print(out, "lockstep:   rank %d on %s waits for %s: %s", first->rank,
             ls_inquiry_at(s->inquiry, from)->host, whom,
             place_of(&first->state, place, sizeof place));
    ls_print(out, waiting > 1 ? "; %d more wait\n" : "\n", waiting - 1);
}

void ls_stall_print(const ls_stall *s, FILE *out)
{
    const int late = ls_stall_judge(s).late;
    int room = SHOWN, untold = 0;
    for (int n = 0; n < ls_inquiry_nodes(s->inquiry); n++) {
        const ls_news *news = news_of(s, n);
        untold += print_node(s, n, out, room);
        room -= news ? (int)ls_min(news->late, LS_NEWS_RANKS) : 1;
    }
    if (untold > 0)
        ls_print(out, "lockstep:   and %d ranks more\n", untold);
    if (late == 0)
        ls_print(out, "lockstep:   all ranks that can be seen wait for others: a message is lost, "
                      "or this is a bug\n");
    print_waiting(s, late, out);
}
