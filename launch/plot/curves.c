/* curves: reads the records of RUN/metrics.jsonl. */
#include "launch/plot/curves.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/rundir.h"

/* Adds a point at curves->last to the curve of that name and split, which may be new. The room for
 * points doubles whenever their count is a power of two. */
static void add_point(ls_curves *curves, const char *name, const char *split, double value)
{
    int i = 0;
    while (i < curves->count &&
           (strcmp(curves->curve[i].name, name) || strcmp(curves->curve[i].split, split)))
        i++;
    if (i == curves->count)
        curves->curve = ls_realloc(curves->curve, (size_t)++curves->count, sizeof curves->curve[0]);
    ls_curve *curve = &curves->curve[i];
    snprintf(curve->name, sizeof curve->name, "%s", name);
    snprintf(curve->split, sizeof curve->split, "%s", split);
    if ((curve->count & (curve->count - 1)) == 0)
        curve->point = ls_realloc(curve->point, curve->count ? 2 * (size_t)curve->count : 1,
                                  sizeof curve->point[0]);
    curve->point[curve->count] = curves->last;
    curve->point[curve->count++].value = value;
}

/* NaN where it is no number, or too large for a picture. */
static double number_of(const json_t *value)
{
    static const double largest = 1e100;
    double number = json_is_number(value) ? json_number_value(value) : NAN;
    return fabs(number) <= largest ? number : NAN;
}

static double member_of(const json_t *record, const char *key)
{
    return number_of(json_object_get(record, key));
}

/* Where a record stands on each axis. In the file epochs count from 0 in each stage, and seconds
 * from 0 in each start of the program; here both are counted over the whole run. */
static ls_point position_of(ls_curves *curves, const json_t *record)
{
    const ls_point *last = &curves->last;
    ls_point here = {.stage = (long)member_of(record, "stage")};
    if (here.stage != last->stage)
        curves->epoch_offset = last->x[LS_AXIS_EPOCH];
    double seconds = curves->time_offset + member_of(record, "seconds");
    if (seconds < last->x[LS_AXIS_TIME]) {
        seconds += last->x[LS_AXIS_TIME] - curves->time_offset;
        curves->time_offset = last->x[LS_AXIS_TIME];
    }
    here.x[LS_AXIS_STEP] = member_of(record, "step");
    here.x[LS_AXIS_EPOCH] = curves->epoch_offset + member_of(record, "epoch");
    here.x[LS_AXIS_TIME] = seconds;
    return here;
}

/* Whether a number of a record says where it stands, or how long something took. */
static bool is_position(const char *key)
{
    const char *seconds = strstr(key, "seconds");
    return !strcmp(key, "stage") || !strcmp(key, "step") || !strcmp(key, "epoch") ||
           (seconds && !seconds[strlen("seconds")]);
}

/* Numbers of a record belong to training steps, numbers in an object inside it to a split. */
static void add_values(ls_curves *curves, const char *split, json_t *record)
{
    const char *key;
    json_t *value;
    json_object_foreach (record, key, value) {
        double number = number_of(value);
        if (!isnan(number) && (*split || !is_position(key)))
            add_point(curves, key, split, number);
        else if (json_is_object(value) && !*split)
            add_values(curves, key, value);
    }
}

static bool add_record(ls_curves *curves, json_t *record)
{
    static const double stages = 1e6;
    double stage = member_of(record, "stage");
    if (!(stage >= 0 && stage <= stages && member_of(record, "step") >= 0 &&
          member_of(record, "epoch") >= 0))
        return false;
    const char *final = json_string_value(json_object_get(record, "final"));
    snprintf(curves->final, sizeof curves->final, "%s", final ? final : "");
    if (final) /* the record repeats numbers, and its seconds are those of the stage */
        return true;
    curves->last = position_of(curves, record);
    curves->timed &= !isnan(curves->last.x[LS_AXIS_TIME]);
    add_values(curves, "", record);
    return true;
}

/* The error that there is no metrics.jsonl: it says what is there in place of a run directory. */
static bool fail_open(const char *run, const char *path, ls_error *error)
{
    struct stat found;
    const char *why = strerror(errno);
    if (stat(run, &found) != 0)
        return ls_error_set(error, LS_DATA,
                            "%s: %s; expected a run directory: `run:` of the job file names it",
                            run, strerror(errno));
    if (!S_ISDIR(found.st_mode))
        return ls_error_set(error, LS_DATA,
                            "%s is a file; expected a run directory, the one that holds job.yaml "
                            "and metrics.jsonl",
                            run);
    return ls_error_set(error, LS_DATA,
                        "%s: %s; expected the records that `lockstep train` writes into a run "
                        "directory: is %s one, and has its training begun?",
                        path, why, run);
}

/* Whether a line that is no JSON is what is left of a record: its beginning, which another record
 * may follow, or the zeros that some file systems leave after a crash. */
static bool is_cut(const char *line)
{
    return *line == '{' || *line == 0;
}

static bool read_lines(ls_curves *curves, const char *path, const char *text, size_t size,
                       ls_error *error)
{
    const char *end, *last = text + size;
    for (long line = 1; (end = memchr(text, '\n', (size_t)(last - text))); line++, text = end + 1) {
        json_t *record = json_loadb(text, (size_t)(end - text), JSON_ALLOW_NUL, NULL);
        bool cut = !record && is_cut(text), ok = cut || add_record(curves, record);
        json_decref(record);
        if (cut && curves->cut++ == 0)
            curves->cut_line = line;
        if (!ok)
            return ls_error_set(error, LS_DATA,
                                "%s:%ld: expected a record such as {\"stage\":0,\"step\":1,"
                                "\"epoch\":0.1,\"loss\":2.3}, found '%.*s'; take the line out",
                                path, line, end - text < 60 ? (int)(end - text) : 60, text);
    }
    return true;
}

bool ls_curves_read(const char *run, ls_curves *curves, ls_error *error)
{
    *curves = (ls_curves){.run = ls_copy_string(run), .timed = true};
    for (size_t n = strlen(run); n > 1 && curves->run[n - 1] == '/'; n--)
        curves->run[n - 1] = 0;
    size_t size;
    struct stat found;
    char *path = ls_format("%s/metrics.jsonl", curves->run);
    bool ok = stat(path, &found) == 0 || fail_open(curves->run, path, error);
    char *text = ok ? ls_atomic_file_read(path, LS_RUNDIR_TEXT, &size, error) : NULL;
    ok = text && read_lines(curves, path, text, size, error);
    ls_free(text);
    ls_free(path);
    return ok;
}

void ls_curves_release(ls_curves *curves)
{
    for (int i = 0; i < curves->count; i++)
        ls_free(curves->curve[i].point);
    ls_free(curves->curve);
    ls_free(curves->run);
    *curves = (ls_curves){.run = NULL};
}
