/* slots: sets of parameter slots, and the patterns that name them. */
#include "core/slots.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/params.h"
#include "core/spec.h"

bool ls_slots_try_add(ls_slots *slots, long begin, long end, ls_error *error)
{
    if (begin >= end)
        return true;
    int first = 0;
    while (first < slots->count && slots->at[first].end < begin)
        first++;
    int stop = first; /* intervals [first, stop) touch the new one and join it */
    while (stop < slots->count && slots->at[stop].begin <= end) {
        begin = ls_min(begin, slots->at[stop].begin);
        end = ls_max(end, slots->at[stop].end);
        stop++;
    }
    int count = slots->count - (stop - first) + 1;
    if (count > LS_INTERVALS)
        return ls_error_set(error, LS_USAGE,
                            "more than %d separate groups of neighbouring parameters: name whole "
                            "lines or nets",
                            LS_INTERVALS);
    memmove(&slots->at[first + 1], &slots->at[stop],
            (size_t)(slots->count - stop) * sizeof slots->at[0]);
    slots->at[first] = (ls_interval){begin, end};
    slots->count = count;
    return true;
}

void ls_slots_add(ls_slots *slots, long begin, long end)
{
    ls_error error;
    const bool added = ls_slots_try_add(slots, begin, end, &error);
    ls_check(added, "%s", error.text);
}

bool ls_slots_intersect(const ls_slots *a, const ls_slots *b, ls_slots *both, ls_error *error)
{
    *both = (ls_slots){0};
    for (int i = 0; i < a->count; i++)
        for (int j = 0; j < b->count; j++)
            if (!ls_slots_try_add(both, ls_max(a->at[i].begin, b->at[j].begin),
                                  ls_min(a->at[i].end, b->at[j].end), error))
                return false;
    return true;
}

bool ls_slots_subtract(const ls_slots *a, const ls_slots *b, ls_slots *rest, ls_error *error)
{
    *rest = (ls_slots){0};
    for (int i = 0; i < a->count; i++) {
        long begin = a->at[i].begin;
        for (int j = 0; j < b->count; j++) {
            if (b->at[j].end <= begin)
                continue;
            if (!ls_slots_try_add(rest, begin, ls_min(b->at[j].begin, a->at[i].end), error))
                return false;
            begin = b->at[j].end;
        }
        if (!ls_slots_try_add(rest, begin, a->at[i].end, error))
            return false;
    }
    return true;
}

/* Whether the pattern matches the name, or one of the names that it begins with, up to a '/'. */
static bool matches(const char *pattern, const char *name)
{
    char part[LS_SLOT_NAME];
    strcpy(part, name);
    for (char *slash = part; slash; *slash = 0) {
        if (fnmatch(pattern, part, 0) == 0)
            return true;
        slash = strrchr(part, '/');
        if (!slash)
            break;
    }
    return false;
}

/* The name of a net, of a line or of a slot that is nearest to the pattern; NULL if none is near.
 * The caller frees *names, which it points into. */
static const char *nearest(const ls_params *params, const char *pattern, char **names)
{
    const size_t most = 3 * (size_t)params->count;
    const char **list = ls_alloc(most, sizeof *list);
    int count = 0;
    *names = ls_alloc(most, LS_SLOT_NAME);
    for (int s = 0; s < params->count; s++)
        for (int parts = 1; parts <= 3; parts++) {
            char *name = *names + (size_t)count * LS_SLOT_NAME, *end = name;
            strcpy(name, params->slots[s].name);
            for (int k = 0; k < parts && end; k++)
                end = strchr(end + (k > 0), '/');
            if (end)
                *end = 0;
            list[count++] = name;
        }
    const char *found = ls_nearest(pattern, list, count, sizeof *list);
    ls_free(list);
    return found;
}

static bool refuse(const ls_params *params, const char *pattern, ls_error *error)
{
    char *names;
    const char *near = nearest(params, pattern, &names);
    ls_error_set(error, LS_USAGE,
                 "'%s' is the name of no parameter, line or net%s%s%s (names are as NET/LINE or "
                 "NET/LINE/weight, as %s is)",
                 pattern, near ? ": did you mean " : "", near ? near : "", near ? "?" : "",
                 params->count ? params->slots[0].name : "none");
    ls_free(names);
    return false;
}

/* Adds the slots that the pattern matches, by names with their nets or without. */
static bool add_matching(const ls_params *params, const char *pattern, bool with_nets,
                         ls_slots *slots, bool *found, ls_error *error)
{
    for (int s = 0; s < params->count; s++) {
        const char *name = params->slots[s].name, *slash = strchr(name, '/');
        if (!matches(pattern, with_nets || !slash ? name : slash + 1))
            continue;
        *found = true;
        if (!ls_slots_try_add(slots, s, s + 1, error))
            return ls_error_prefix(error, "'%s'", pattern);
    }
    return true;
}

static bool match_one(const ls_params *params, const char *pattern, ls_slots *slots,
                      ls_error *error)
{
    bool found = false;
    return add_matching(params, pattern, true, slots, &found, error) &&
           (found || add_matching(params, pattern, false, slots, &found, error)) &&
           (found || refuse(params, pattern, error));
}

bool ls_slots_match(const ls_params *params, const char *patterns, ls_slots *slots, ls_error *error)
{
    *slots = (ls_slots){0};
    for (const char *at = patterns, *end;; at = end + 1) {
        at += strspn(at, " ");
        end = at + strcspn(at, ",");
        size_t length = (size_t)(end - at);
        while (length > 0 && isspace((unsigned char)at[length - 1]))
            length--;
        if (length == 0)
            return ls_error_set(error, LS_USAGE, "'%s' has an empty place: expected PATTERN,...",
                                patterns);
        char *pattern = ls_format("%.*s", (int)length, at);
        bool ok = match_one(params, pattern, slots, error);
        ls_free(pattern);
        if (!ok || !*end)
            return ok;
    }
}

ls_slots ls_slots_all(const ls_params *params)
{
    ls_slots all = {0};
    ls_slots_add(&all, 0, params->count);
    return all;
}

bool ls_slots_meet(const ls_slots *a, const ls_slots *b)
{
    for (int i = 0, k = 0; i < a->count && k < b->count;) {
        if (a->at[i].end <= b->at[k].begin)
            i++;
        else if (b->at[k].end <= a->at[i].begin)
            k++;
        else
            return true;
    }
    return false;
}

bool ls_slots_contain(const ls_slots *slots, int slot)
{
    for (int i = 0; i < slots->count; i++)
        if (slots->at[i].begin <= slot && slot < slots->at[i].end)
            return true;
    return false;
}

ls_interval ls_slots_reals(const ls_params *params, const ls_interval *slots)
{
    const bool last = slots->end == params->count;
    return (ls_interval){params->slots[slots->begin].offset,
                         last ? params->size : params->slots[slots->end].offset};
}
