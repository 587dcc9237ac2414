/* job_compatible: may a run that was begun with one job go on with another? */
#include <ctype.h>
#include <string.h>

#include "core/optimizer.h"
#include "launch/job/job.h"

enum { TEXT = 400 };
static const char way_out[] =
    "; set it back, or start another run with run=DIRECTORY (or this one afresh: --resume=never "
    "--overwrite)";

typedef struct comparison {
    const ls_job *now;
    void (*notice)(void *context, const char *text);
    void *context;
    ls_error *error;
} comparison;

/* Past spaces and comments, which mean nothing in a spec. `after` tells whether some were there. */
static const char *skip(const char *c, bool *after)
{
    const char *begin = c;
    while (isspace((unsigned char)*c) || *c == '#') {
        if (*c == '#')
            c += strcspn(c, "\n");
        else
            c++;
    }
    *after = c != begin;
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

static bool refuse(const comparison *c, const char *key, const char *before, const char *now,
                   const char *why)
{
    char where[TEXT];
    return ls_error_set(c->error, LS_USAGE, "%s: the run began with '%.*s', now it is '%.*s': %s%s",
                        ls_job_where(c->now, key, where, sizeof where), TEXT, shown(before), TEXT,
                        shown(now), why, way_out);
}

static void tell(const comparison *c, const char *key, const char *before, const char *now)
{
    char text[3 * TEXT];
    snprintf(text, sizeof text, "%s changed from '%.*s' to '%.*s'", key, TEXT, shown(before), TEXT,
             shown(now));
    if (c->notice)
        c->notice(c->context, text);
}

/* A key that may change with a notice, or, `fixed`, not at all. */
static bool compare(const comparison *c, const char *key, const char *before, const char *now,
                    const char *fixed)
{
    if (same(before, now))
        return true;
    if (fixed)
        return refuse(c, key, before, now, fixed);
    tell(c, key, before, now);
    return true;
}

static bool compare_long(const comparison *c, const char *key, long before, long now,
                         const char *fixed)
{
    char a[24], b[24];
    snprintf(a, sizeof a, "%ld", before);
    snprintf(b, sizeof b, "%ld", now);
    return compare(c, key, a, b, fixed);
}

static const char *spec_of(const ls_job_stage *stage, const char *phase)
{
    for (int i = 0; i < stage->optimizers; i++)
        if (!stage->optimizer[i].phase || (phase && !strcmp(stage->optimizer[i].phase, phase)))
            return stage->optimizer[i].spec;
    return NULL;
}

/* `fixed`: the stage is done. `running`: the optimizer holds state of its type. */
static bool compare_optimizers(const comparison *c, const char *stage, const ls_job_stage *before,
                               const ls_job_stage *now, const char *fixed, bool running)
{
    for (int i = 0; i < now->optimizers; i++) {
        const char *phase = now->optimizer[i].phase, *spec = now->optimizer[i].spec;
        const char *old = spec_of(before, phase);
        char key[TEXT];
        snprintf(key, sizeof key, "%s.optimizer%s%s", stage, phase ? "." : "", phase ? phase : "");
        if (running && !(old && same_type(old, spec)))
            return refuse(c, key, old, spec,
                          "the running stage keeps its kind of optimizer (rate and other options "
                          "may change)");
        if (running && !same_average(old, spec))
            return refuse(c, key, old, spec,
                          "the running stage keeps its moving average (ema=), or keeps none");
        if (!compare(c, key, old, spec, fixed))
            return false;
    }
    return true;
}

static bool compare_stage(const comparison *c, int i, long running, const ls_job_stage *before,
                          const ls_job_stage *now)
{
    static const char *const names[] = {"objective", "optimizer", "schedule",
                                        "batch",     "epochs",    "steps"};
    enum { OBJECTIVE, OPTIMIZER, SCHEDULE, BATCH, EPOCHS, STEPS };
    const char *fixed = i < running ? "this stage is done" : NULL;
    const char *objective = fixed          ? fixed
                            : i == running ? "the running stage keeps its objective"
                                           : NULL;
    char stage[32], key[6][TEXT];
    snprintf(stage, sizeof stage, "stages.%d", i);
    for (int k = 0; k < 6; k++)
        snprintf(key[k], sizeof key[k], "%s.%s", stage, names[k]);
    return compare(c, key[OBJECTIVE], before->objective, now->objective, objective) &&
           compare_optimizers(c, stage, before, now, fixed, i == running) &&
           compare(c, key[SCHEDULE], before->schedule, now->schedule, fixed) &&
           compare_long(c, key[BATCH], before->batch, now->batch, fixed) &&
           (!fixed || (compare_long(c, key[EPOCHS], before->epochs, now->epochs, fixed) &&
                       compare_long(c, key[STEPS], before->steps, now->steps, fixed)));
}

static const char *switched(long on)
{
    return on ? "true" : "false";
}

bool ls_job_compatible(const ls_job *before, const ls_job *now, long stage,
                       void (*notice)(void *context, const char *text), void *context,
                       ls_error *error)
{
    static const char other[] = "the parameters belong to another net";
    const comparison c = {now, notice, context, error};
    if (!compare(&c, "model", before->model, now->model, other) ||
        !compare(&c, "net", before->net, now->net, other) ||
        !compare_long(&c, "seed", before->seed, now->seed,
                      "the seed decides what every step draws") ||
        !compare(&c, "exact_conv", switched(before->exact_conv), switched(now->exact_conv), NULL) ||
        !compare(&c, "transform", before->transform, now->transform, NULL))
        return false;
    if (stage >= now->stages)
        return ls_error_set(error, LS_USAGE,
                            "%s: the run is in stages.%ld, but the job has only %d stages%s",
                            now->path, stage, now->stages, way_out);
    for (int i = 0; i < now->stages && i < before->stages; i++)
        if (!compare_stage(&c, i, stage, &before->stage[i], &now->stage[i]))
            return false;
    return true;
}
