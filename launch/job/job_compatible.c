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

typedef struct comparison {
    const ls_job *before, *now;
    long running; /* the stage in which the run goes on */
    void (*notice)(void *context, const char *text);
    void *context;
    ls_error *error;
} comparison;

/* Past spaces and comments, which mean nothing in a spec. `skipped` tells whether some were there.
 */
static const char *skip(const char *c, bool *skipped)
{
    const char *begin = c;
    while (isspace((unsigned char)*c) || *c == '#') {
        if (*c == '#')
            c += strcspn(c, "\n");
        else
            c++;
    }
    *skipped = c != begin;
    return c;
}

/* Whether two texts are the same but for spaces and comments; NULL equals NULL only. */
static bool same(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    bool space_a = false, space_b = false;
    a = skip(a, &space_a);
    b = skip(b, &space_b);
    while (*a && *a == *b) {
        a = skip(a + 1, &space_a);
        b = skip(b + 1, &space_b);
        if (space_a != space_b && *a && *b)
            return false;
    }
    return *a == *b;
}

/* Whether two specs name the same type: "adam rate=1" and "adam". */
static bool same_type(const char *a, const char *b)
{
    size_t length = strcspn(a, " \t");
    return strcspn(b, " \t") == length && strncmp(a, b, length) == 0;
}

/* Whether both keep a moving average of the weights, or neither does. */
static bool same_average(const char *a, const char *b)
{
    ls_optimizer x, y;
    return !ls_optimizer_parse(a, &x, NULL) || !ls_optimizer_parse(b, &y, NULL) ||
           (x.ema > 0) == (y.ema > 0);
}

static const char *shown(const char *text)
{
    return text ? text : "(not given)";
}

/* The key `path` may change with a notice, or, if `why` is not NULL, not at all. */
static bool compare(const comparison *c, const char *path, const char *before, const char *now,
                    const char *why)
{
    char text[3 * TEXT], where[TEXT];
    if (same(before, now))
        return true;
    if (why)
        return ls_error_set(c->error, LS_USAGE,
                            "%s: the run began with '%.*s', now it is '%.*s': %s%s",
                            ls_job_where(c->now, path, where, sizeof where), TEXT, shown(before),
                            TEXT, shown(now), why, way_out);
    snprintf(text, sizeof text, "%s changed from '%.*s' to '%.*s'", path, TEXT, shown(before), TEXT,
             shown(now));
    if (c->notice)
        c->notice(c->context, text);
    return true;
}

static const char *spec_of(const ls_job_stage *stage, const char *phase)
{
    for (int i = 0; i < stage->optimizers; i++)
        if (!stage->optimizer[i].phase || (phase && !strcmp(stage->optimizer[i].phase, phase)))
            return stage->optimizer[i].spec;
    return NULL;
}

/* While a stage runs, its optimizers hold state of their type. */
static const char *why_state_is_lost(const char *before, const char *now)
{
    if (!before || !same_type(before, now))
        return "the running stage keeps its kind of optimizer (rate and other options may change)";
    if (!same_average(before, now))
        return "the running stage keeps its moving average (ema=), or keeps none";
    return NULL;
}

static bool compare_optimizers(const comparison *c, const char *path, int stage, const char *done)
{
    const ls_job_stage *now = &c->now->stage[stage];
    for (int i = 0; i < now->optimizers; i++) {
        const char *phase = now->optimizer[i].phase, *spec = now->optimizer[i].spec;
        const char *before = spec_of(&c->before->stage[stage], phase);
        char key[2 * TEXT];
        snprintf(key, sizeof key, "%s%s%s", path, phase ? "." : "", phase ? phase : "");
        const char *why = stage == c->running ? why_state_is_lost(before, spec) : done;
        if (!compare(c, key, before, spec, why))
            return false;
    }
    return true;
}

/* A key's value as text, the default if it is not given. */
static char *value_of(const ls_job_key *key, const ls_job *job, int stage)
{
    char *text = ls_job_key_get(key, job, stage);
    return text ? text : ls_copy_string(key->preset);
}

/* One key; `stage` is 0 for those that are not a stage's. */
static bool compare_key(const comparison *c, const ls_job_key *key, int stage)
{
    char path[TEXT];
    bool in_stage = key->map == LS_IN_STAGE;
    const char *why = key->why;
    if (in_stage && stage < c->running)
        why = "this stage is done";
    else if (key->change == LS_CHANGE_FREE || key->change == LS_CHANGE_NOTED)
        return true;
    else if (in_stage && stage > c->running)
        why = NULL;
    ls_job_key_path(key, stage, path, sizeof path);
    if (key->kind == LS_KEY_OPTIMIZER)
        return compare_optimizers(c, path, stage, why);
    char *before = value_of(key, c->before, stage), *now = value_of(key, c->now, stage);
    bool ok = compare(c, path, before, now, why);
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
        for (int i = 0; i < (key->map == LS_IN_STAGE ? both : 1); i++)
            if (!compare_key(&c, key, i))
                return false;
    return true;
}
