/* crew: threads that take items one by one, and the rounds of all members. */
#include "io/import/crew.h"

#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/thread.h"

/* A run of items: of one member, in one round. */
typedef struct run {
    long first, count;
    char *results;
} run;

typedef struct state {
    const ls_crew *crew;
    int member, members;
    long share;      /* items of a member in a round */
    run now;         /* what the threads work on */
    char *buffer[2]; /* of this member: of even and odd rounds */
    char *theirs;    /* member 0: the results of another */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    long taken, ended; /* items of `now` that threads have begun, and finished */
    bool closing, failed;
    ls_error error; /* of a thread; only after all of them have ended their items does the main
                     * thread look at it */
} state;

/* A thread's number among those of its member. */
typedef struct hand {
    state *of;
    int number;
} hand;

static void *work(void *context)
{
    const hand *h = context;
    state *s = h->of;
    ls_error error;
    pthread_mutex_lock(&s->lock);
    while (!s->closing) {
        if (s->taken == s->now.count) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        long i = s->taken++;
        bool skip = s->failed;
        pthread_mutex_unlock(&s->lock);
        bool ok = skip || s->crew->work(s->crew->context, h->number, s->now.first + i,
                                        s->now.results + (size_t)i * s->crew->bytes, &error);
        pthread_mutex_lock(&s->lock);
        if (!ok && !s->failed)
            s->error = error;
        s->failed |= !ok;
        if (++s->ended == s->now.count)
            pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* The run of a member in a round; none (count 0) after the last item. */
static run run_of(const state *s, long round, int member)
{
    long first = ls_min(s->crew->items, (round * s->members + member) * s->share);
    return (run){first, ls_min(s->share, s->crew->items - first), NULL};
}

static void begin(state *s, long round)
{
    pthread_mutex_lock(&s->lock);
    s->now = run_of(s, round, s->member);
    s->now.results = s->buffer[round % 2];
    s->taken = s->ended = 0;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* Waits until the threads have done their round; false and the error of one of them. */
static bool await(state *s, ls_error *error)
{
    pthread_mutex_lock(&s->lock);
    while (s->ended < s->now.count)
        pthread_cond_wait(&s->changed, &s->lock);
    bool ok = !s->failed;
    pthread_mutex_unlock(&s->lock);
    if (!ok && error)
        *error = s->error;
    return ok;
}

/* Brings the results of a round to member 0, which takes them. */
static bool deliver(state *s, long round, ls_error *error)
{
    const ls_crew *crew = s->crew;
    char *mine = s->buffer[round % 2];
    bool ok = true;
    for (int member = 0; member < s->members; member++) {
        run of = run_of(s, round, member);
        of.results = member == s->member ? mine : s->theirs;
        if (of.count > 0 && member > 0 && (s->member == 0 || s->member == member))
            crew->team->fetch(crew->team->context, member, of.results,
                              (size_t)of.count * crew->bytes);
        if (of.count > 0 && s->member == 0 && ok) /* what failed must still be fetched */
            ok = crew->take(crew->context, of.first, of.count, of.results, error);
    }
    return ok;
}

static bool do_rounds(state *s, ls_error *error)
{
    long round_items = s->share * s->members;
    long rounds = (s->crew->items + round_items - 1) / round_items;
    bool ok = true;
    begin(s, 0);
    for (long round = 0; round < rounds; round++) {
        ok = await(s, ok ? error : NULL) && ok;
        if (!ls_team_agree(s->crew->team, ok, error))
            return false;
        if (round + 1 < rounds)
            begin(s, round + 1);
        ok = deliver(s, round, error);
    }
    return ls_team_agree(s->crew->team, ok, error);
}

/* Starts the threads, runs all rounds if that is to be done by all members, and ends them. */
static bool with_threads(state *s, ls_error *error)
{
    int count = s->crew->threads, started = 0, reason = 0;
    pthread_t *thread = ls_alloc((size_t)count, sizeof *thread);
    hand *hands = ls_alloc((size_t)count, sizeof *hands);
    for (; started < count && reason == 0; started += reason == 0) {
        hands[started] = (hand){s, started};
        reason = ls_thread_start(&thread[started], work, &hands[started]);
    }
    bool ok = reason == 0 || ls_error_set(error, LS_IO, "can't start thread %d of %d: %s",
                                          started + 1, count, strerror(reason));
    ok = ls_team_agree(s->crew->team, ok, error) && do_rounds(s, error);
    await(s, NULL);
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    ls_free(hands);
    ls_free(thread);
    return ok;
}

bool ls_crew_run(const ls_crew *crew, ls_error *error)
{
    state s = {.crew = crew,
               .member = ls_team_member(crew->team),
               .members = ls_team_members(crew->team),
               .lock = PTHREAD_MUTEX_INITIALIZER,
               .changed = PTHREAD_COND_INITIALIZER};
    s.share = ls_min((crew->items + s.members - 1) / s.members,
                     (long)ls_max(1, LS_CREW_BYTES / (long)crew->bytes));
    s.share = ls_max(1, s.share);
    for (int i = 0; i < 2; i++)
        s.buffer[i] = ls_alloc((size_t)s.share, crew->bytes);
    s.theirs = s.member == 0 && s.members > 1 ? ls_alloc((size_t)s.share, crew->bytes) : NULL;
    bool ok = with_threads(&s, error);
    for (int i = 0; i < 2; i++)
        ls_free(s.buffer[i]);
    ls_free(s.theirs);
    pthread_cond_destroy(&s.changed);
    pthread_mutex_destroy(&s.lock);
    return ok;
}
