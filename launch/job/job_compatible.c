/* job_compatible: may a run that was begun with one job go on with another? */
#include "launch/job/job_compatible.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/optimizer.h"
#include "launch/job/job_keys.h"

enum { TEXT = 400 };
static const char way_out[] =
    "; set it back, or start another run with run=DIRECTORY (or this one afresh: --resume=never "
    "--overwrite)";
static const char keeps_type[] =
    "the running stage keeps its kind of optimizer (rate and other options may change)";
static const char keeps_average[] =
    "the running stage keeps its moving average (ema=), or keeps none";

typedef struct comparison {
    const ls_job *before, *now;
    long running; /* the stage in which the run goes on */
    void (*notice)(void *context, const char *text);
    void *context;
    ls_error *error;
} comparison;

/* The next word of a text after spaces and comments; of length 0 at the end. */
static const char *next_word(const char *text, size_t *length)
{
    while (*text == '#' || isspace((unsigned char)*text))
        text += *text == '#' ? strcspn(text, "\n") : 1;
    *length = strcspn(text, "# \t\n\v\f\r");
    return text;
}

/* Whether two texts are the same but for spaces and comments, which mean nothing in a spec. */
static bool same(const char *a, const char *b)
{
    size_t m = 1, n = 1;
    if (!a || !b)
        return a == b;
    while (m > 0) {
        a = next_word(a, &m);
        b = next_word(b, &n);
        if (m != n || strncmp(a, b, n) != 0)
            return false;
        a += m;
        b += n;
    }
    return true;
}

/* The key `path` may change with a notice, or, if `why` is not NULL, not at all. */
static bool compare(const comparison *c, const char *path, const char *before, const char *now,
                    const char *why)
{
    char text[3 * TEXT], where[TEXT];
    if (same(before, now))
        return true;
    before = before ? before : "(not given)";
    now = now ? now : "(not given)";
    if (why)
        return ls_error_set(
            c->error, LS_USAGE, "%s: the run began with '%.*s', now it is '%.*s': %s%s",
            ls_job_where(c->now, path, where, sizeof where), TEXT, before, TEXT, now, why, way_out);
    snprintf(text, sizeof text, "%s changed from '%.*s' to '%.*s'", path, TEXT, before, TEXT, now);
    if (c->notice)
        c->notice(c->context, text);
    return true;
}

/* While a stage runs, its optimizers hold state of their type, and an average or none. */
static const char *why_state_is_lost(const char *before, const char *now)
{
    ls_optimizer a, b;
    size_t length = strcspn(now, " \t");
    if (!before || strcspn(before, " \t") != length || strncmp(before, now, length) != 0)
        return keeps_type;
    bool known = ls_optimizer_parse(before, &a, NULL) && ls_optimizer_parse(now, &b, NULL);
    return known && (a.ema > 0) != (b.ema > 0) ? keeps_average : NULL;
}

/* Whether both are of the same phase; one without a phase is of all. */
static bool same_phase(const ls_job_optimizer *a, const ls_job_optimizer *b)
{
    return !a->phase || !b->phase || strcmp(a->phase, b->phase) == 0;
}

/* `before` NULL: there was none. `done`: why a stage that is over keeps its optimizers, or NULL. */
static bool compare_optimizer(const comparison *c, int stage, const char *path, const char *done,
                              const ls_job_optimizer *before, const ls_job_optimizer *now)
{
    const char *spec = before ? before->spec : NULL;
    const char *phase = now->phase || !before ? now->phase : before->phase;
    const char *why = stage == c->running ? why_state_is_lost(spec, now->spec) : done;
    char whole[2 * TEXT];
    snprintf(whole, sizeof whole, "%s%s%s", path, phase ? "." : "", phase ? phase : "");
    return compare(c, whole, spec, now->spec, why);
}

static bool compare_optimizers(const comparison *c, int stage, const char *path, const char *done)
{
    const ls_job_stage *now = &c->now->stage[stage], *before = &c->before->stage[stage];
    bool ok = true;
    for (int i = 0; ok && i < now->optimizers; i++) {
        const ls_job_optimizer *is = &now->optimizer[i];
        bool found = false;
        for (int k = 0; ok && k < before->optimizers; k++) {
            const ls_job_optimizer *was = &before->optimizer[k];
            if (!same_phase(is, was))
                continue;
            found = true;
            ok = compare_optimizer(c, stage, path, done, was, is);
        }
        ok = ok && (found || compare_optimizer(c, stage, path, done, NULL, is));
    }
    return ok;
}

/* The nets are the same, in the same order: what they draw goes by their number. */
static bool compare_nets(const comparison *c, const char *path, const char *why)
{
    for (int i = 0; i < LS_MODEL_NETS; i++) {
        const ls_job_net *before = &c->before->nets[i], *now = &c->now->nets[i];
        char whole[2 * TEXT];
        snprintf(whole, sizeof whole, "%s.%s", path, now->name ? now->name : "");
        if (!compare(c, before->name ? path : whole, before->name, now->name, why) ||
            !compare(c, whole, before->lines, now->lines, why))
            return false;
    }
    return true;
}

/* Whether two models write the same nets for all that their texts say: they differ in what only
 * their default stages hear of. Those are compared as stages. */
static bool same_nets(const char *before, const char *now)
{
    char option[LS_MODEL_OPTION];
    char *a = before ? ls_model_drop(before, 0, option) : NULL;
    char *b = !a && now ? ls_model_drop(now, 0, option) : NULL;
    const bool is_same = a || b ? same_nets(a ? a : before, b ? b : now) : same(before, now);
    ls_free(a);
    ls_free(b);
    return is_same;
}

/* Whether the key is the objective of the stage that runs, and differs in options that may change.
 */
static bool is_adjusted(const comparison *c, const ls_job_key *key, int stage)
{
    const char *before = c->before->stage[stage].objective, *now = c->now->stage[stage].objective;
    return ls_job_key_in_stage(key) && key->offset == offsetof(ls_job_stage, objective) &&
           stage == c->running && before && now && ls_objective_continues(before, now);
}

static bool compare_key(const comparison *c, const ls_job_key *key, int stage)
{
    char path[TEXT];
    bool in_stage = ls_job_key_in_stage(key), done = in_stage && stage < c->running;
    const char *why = done                             ? "this stage is done"
                      : in_stage && stage > c->running ? NULL
                      : is_adjusted(c, key, stage)     ? NULL
                                                       : key->why;
    if (!done && (key->change == LS_CHANGE_FREE || key->change == LS_CHANGE_NOTED))
        return true;
    ls_job_key_path(key, stage, path, sizeof path);
    if (key->kind == LS_KEY_OPTIMIZER)
        return compare_optimizers(c, stage, path, why);
    if (key->kind == LS_KEY_NETS)
        return compare_nets(c, path, why);
    if (strcmp(key->name, "model") == 0 && same_nets(c->before->model, c->now->model))
        why = NULL;
    char *before = ls_job_key_get(key, c->before, stage), *now = ls_job_key_get(key, c->now, stage);
    bool ok = compare(c, path, before ? before : key->preset, now ? now : key->preset, why);
    ls_free(before);
    ls_free(now);
    return ok;
}

bool ls_job_compatible(const ls_job *before, const ls_job *now, long stage,
                       void (*notice)(void *context, const char *text), void *context,
                       ls_error *error)
{
    const comparison c = {before, now, stage, notice, context, error};
    int both = now->stages < before->stages ? now->stages : before->stages;
    if (stage >= now->stages)
        return ls_error_set(error, LS_USAGE,
                            "%s: the run is in stages.%ld, but the job has only %d stages%s",
                            now->path, stage, now->stages, way_out);
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        for (int i = 0; i < (ls_job_key_in_stage(key) ? both : 1); i++)
            if (!compare_key(&c, key, i))
                return false;
    return true;
}
