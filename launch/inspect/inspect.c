/* inspect: lockstep inspect: prints what a file or a run directory holds, or how two files differ.
 */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint_find.h"
#include "io/dataset.h"
#include "io/h5/h5_list.h"
#include "io/h5/h5_list_compare.h"
#include "launch/command.h"
#include "launch/inspect/contents.h"
#include "launch/job/job_text.h"
#include "launch/job/yaml/job_file.h"
#include "launch/json.h"

typedef struct arguments {
    ls_words words;
    bool diff, json;
} arguments;

static void check_arguments(const void *context, const struct argp_state *state)
{
    const arguments *a = context;
    if (a->diff && a->words.count != 2)
        argp_error(state, "--diff takes two files");
    if (!a->diff && a->words.count == 2)
        argp_error(state, "two files go with --diff");
}

static const ls_command_option options[] = {
    {"diff", 0, NULL, "print which arrays of two files differ, and by how much",
     .offset = offsetof(arguments, diff)},
    {"json", 0, NULL, "print one JSON object", .offset = offsetof(arguments, json)},
    {.name = NULL}};

const ls_usage ls_usage_inspect = {
    .alone = true,
    .options = options,
    .check = check_arguments,
    .arguments = "FILE|RUN [FILE|RUN]",
    .about = "Prints what a data set, a checkpoint or any other HDF5 file holds: objects, "
             "shapes, types, attributes, the range of the numbers, whether the digest holds, "
             "and the job inside. Of a run directory it prints the job, the history of its "
             "stages and its checkpoints. With --diff it compares two files; a run directory "
             "stands for its newest checkpoint.",
    .more = "Examples:\n"
            "  lockstep inspect fashion.h5\n"
            "  lockstep inspect runs/lenet\n"
            "  lockstep inspect --diff runs/a runs/b",
    .arguments_min = 1,
    .arguments_max = 2,
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

static long long integer_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void print_job(const char *text)
{
    ls_print(stdout, "\njob\n");
    for (int length; *text; text += length + (text[length] == '\n')) {
        length = (int)strcspn(text, "\n");
        ls_print(stdout, "  %.*s\n", length, text);
    }
}

/* Prints the job of a checkpoint, JSON or YAML, as YAML; if it cannot be read, as it stands. */
static void print_job_inside(const char *text)
{
    ls_error error;
    ls_job *job = ls_job_parse(text, "job", &error);
    char *yaml = job ? ls_job_text(job) : NULL;
    print_job(yaml ? yaml : text);
    ls_free(yaml);
    ls_job_destroy(job);
}

/* Prints the first line of a text, a number, or the numbers of a list. */
static void print_value(const json_t *value)
{
    size_t i;
    json_t *member;
    if (json_is_string(value)) {
        int length = (int)strcspn(json_string_value(value), "\n");
        ls_print(stdout, "%.*s%s", length, json_string_value(value),
                 json_string_value(value)[length] ? " ..." : "");
    } else if (json_is_integer(value)) {
        ls_print(stdout, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        ls_print(stdout, "%.9g", json_real_value(value));
    } else if (json_is_null(value)) {
        ls_print(stdout, "nan");
    }
    json_array_foreach (value, i, member) {
        if (i)
            putchar(' ');
        print_value(member);
    }
}

/* Prints attributes: those of an object indented by 6, those of the file by 2, without the job. */
static void print_attributes(json_t *attributes, int indent)
{
    const char *name;
    json_t *value;
    json_object_foreach (attributes, name, value) {
        if (indent == 2 && strcmp(name, "job") == 0)
            continue;
        ls_print(stdout, indent == 2 ? "  %-16s " : "      %s = ", name);
        print_value(value);
        putchar('\n');
    }
}

static const char *shape_of(const json_t *object, char *text, size_t size)
{
    size_t i, used = 0;
    json_t *count, *shape = json_object_get(object, "shape");
    snprintf(text, size, json_array_size(shape) ? "" : "scalar");
    json_array_foreach (shape, i, count)
        used += (size_t)snprintf(text + used, size - used, i ? "x%lld" : "%lld",
                                 (long long)json_integer_value(count));
    return text;
}

static void print_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_number(value))
        ls_print(stdout, " %11.5g", json_number_value(value));
    else
        ls_print(stdout, " %11s", "-");
}

static void print_array(const json_t *object, int width)
{
    char shape[LS_H5_LIST_RANK * sizeof "x9223372036854775807"];
    const char *storage = text_of(object, "storage");
    ls_print(stdout, "  %-*s %-14s %-8s", width, text_of(object, "path"),
             shape_of(object, shape, sizeof shape), text_of(object, "type"));
    print_number(object, "least");
    print_number(object, "largest");
    print_number(object, "mean");
    if (integer_of(object, "not_finite"))
        ls_print(stdout, "  %lld not finite, the first in row %lld",
                 integer_of(object, "not_finite"), integer_of(object, "not_finite_row"));
    if (strcmp(storage, "contiguous") != 0)
        ls_print(stdout, "  %s", storage);
}

static void print_object(const json_t *object, int width)
{
    const char *kind = text_of(object, "kind");
    if (strcmp(kind, "array") == 0)
        print_array(object, width);
    else
        ls_print(stdout,
                 strcmp(kind, "group") == 0  ? "  %s/"
                 : strcmp(kind, "link") == 0 ? "  %s  (soft or external link: not followed)"
                                             : "  %s  (other)",
                 text_of(object, "path"));
    putchar('\n');
    print_attributes(json_object_get(object, "attributes"), 6);
}

/* Whether a group without attributes need not be printed: the path of the next object holds it. */
static bool is_shown_by(const json_t *object, const json_t *next)
{
    const char *path = text_of(object, "path");
    size_t length = strlen(path);
    return strcmp(text_of(object, "kind"), "group") == 0 &&
           json_object_size(json_object_get(object, "attributes")) == 0 &&
           strncmp(path, text_of(next, "path"), length) == 0 &&
           text_of(next, "path")[length] == '/';
}

static void print_objects(const json_t *objects)
{
    size_t i;
    json_t *object;
    int width = 8;
    json_array_foreach (objects, i, object) {
        int length = (int)strlen(text_of(object, "path"));
        width = length > width && length < 60 ? length : width;
    }
    ls_print(stdout, "  %-*s %-14s %-8s %11s %11s %11s\n", width, "contents", "shape", "type",
             "least", "largest", "mean");
    json_array_foreach (objects, i, object) {
        if (!is_shown_by(object, json_array_get(objects, i + 1)))
            print_object(object, width);
    }
}

/* What slows training down on a data set whose chunks can't all be kept. */
static void print_chunks(const char *path)
{
    char text[512];
    ls_dataset *data = ls_dataset_open(path, NULL);
    for (int id = 0; data && id < LS_SPLITS; id++)
        if (ls_dataset_unpacks(data, (ls_split_id)id, text, sizeof text))
            ls_print(stdout, "\n%s\n", text);
    ls_dataset_close(data);
}

static void print_file(const json_t *top)
{
    const json_t *digest = json_object_get(top, "digest");
    json_t *attributes = json_object_get(top, "attributes");
    const char *state = text_of(digest, "state"), *kind = text_of(top, "kind");
    ls_print(stdout, "%s: %s%s%lld bytes\n", text_of(top, "file"), kind, kind[0] ? ", " : "",
             integer_of(top, "bytes"));
    if (strcmp(state, "broken") == 0) {
        ls_print(stdout, "digest DOES NOT HOLD: %s\nWhat is in it is not read.\n",
                 text_of(digest, "reason"));
        return;
    }
    if (strcmp(state, "holds") == 0)
        ls_print(stdout, "digest holds: %s, step %lld\n", text_of(digest, "xxh3_128"),
                 integer_of(digest, "step"));
    else
        ls_print(stdout, "digest: there is no .ok file beside it%s\n",
                 strcmp(kind, "checkpoint") == 0 ? "; its writing was never finished" : "");
    ls_print(stdout, json_object_size(attributes) ? "\nattributes\n" : "");
    print_attributes(attributes, 2);
    if (text_of(attributes, "job")[0])
        print_job_inside(text_of(attributes, "job"));
    putchar('\n');
    print_objects(json_object_get(top, "objects"));
    if (strcmp(kind, "data set") == 0)
        print_chunks(text_of(top, "file"));
}

/* Prints "    valid      loss 0.31, accuracy 0.9": the means in a record, and not its position. */
static void print_means(const char *title, json_t *record)
{
    static const char *const positions[] = {"stage",     "first_step", "step",
                                            "epoch",     "seconds",    "stage_seconds",
                                            "best_step", "unreadable", "best"};
    const char *name, *between = "";
    json_t *value;
    ls_print(stdout, "    %-10s ", title);
    json_object_foreach (record, name, value) {
        size_t k = 0, count = sizeof positions / sizeof positions[0];
        while (k < count && strcmp(name, positions[k]) != 0)
            k++;
        if (k < count || !json_is_number(value))
            continue;
        ls_print(stdout, "%s%s %.5g", between, name, json_number_value(value));
        between = ", ";
    }
    putchar('\n');
}

static void print_stage(json_t *record)
{
    const char *name, *final = text_of(record, "final");
    json_t *value;
    double epoch = 0, seconds = 0, best = NAN;
    json_unpack(record, "{s?F, s?F, s?F}", "epoch", &epoch, "stage_seconds", &seconds, "best",
                &best);
    ls_print(stdout, "  stage %lld: steps %lld to %lld, %.4g epochs",
             integer_of(record, "stage") + 1, integer_of(record, "first_step"),
             integer_of(record, "step"), epoch);
    if (final[0])
        ls_print(stdout, "; %s, %.4g s", final, seconds);
    ls_print(stdout, "%s\n", integer_of(record, "unreadable") ? "; some lines are no JSON" : "");
    print_means("training", record);
    json_object_foreach (record, name, value) {
        if (json_is_object(value))
            print_means(name, value);
    }
    if (!isnan(best))
        ls_print(stdout, "    %-10s %.5g at step %lld\n", "best", best,
                 integer_of(record, "best_step"));
}

static void print_run(const json_t *top)
{
    size_t i;
    json_t *entry;
    ls_print(stdout, "%s: run directory\n", text_of(top, "run"));
    print_job(text_of(top, "job"));
    ls_print(stdout, "\nhistory\n");
    json_array_foreach (json_object_get(top, "history"), i, entry)
        print_stage(entry);
    ls_print(stdout, "\ncheckpoints\n");
    json_array_foreach (json_object_get(top, "checkpoints"), i, entry) {
        const char *reason = text_of(entry, "reason");
        ls_print(stdout, "  %-40s step %8lld %12lld bytes  %s%s\n", text_of(entry, "file"),
                 integer_of(entry, "step"), integer_of(entry, "bytes"),
                 json_object_get(entry, "unread")                    ? "CAN'T BE READ: "
                 : !json_is_true(json_object_get(entry, "finished")) ? "NEVER FINISHED: "
                 : reason[0]                                         ? "DOES NOT HOLD: "
                                                                     : "holds",
                 reason);
    }
}

/* Whether all checkpoints of a run could be read; LS_IO and the reason of the first that could not.
 */
static bool was_read(const json_t *top, ls_error *error)
{
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(top, "checkpoints"), i, entry)
        if (json_object_get(entry, "unread"))
            return ls_error_set(error, LS_IO, "%s", text_of(entry, "reason"));
    return true;
}

static bool inspect(const arguments *a, ls_error *error)
{
    const char *path = a->words.at[0];
    bool run = ls_atomic_file_is_folder(path);
    json_t *top = run ? ls_contents_run(path, error) : ls_contents_file(path, error);
    if (!top)
        return false;
    if (a->json)
        ls_json_print(json_incref(top));
    else if (run)
        print_run(top);
    else
        print_file(top);
    bool ok = was_read(top, error);
    json_decref(top);
    return ok;
}

typedef struct comparison {
    json_t *list; /* the arrays that differ or can't be compared */
    long arrays, differing;
} comparison;

static void add_difference(void *context, const ls_h5_list_difference *d)
{
    comparison *c = context;
    c->arrays++;
    if (d->compared && d->differing == 0)
        return;
    const char *how = !d->in_a || !d->in_b ? (d->in_a ? "only in the first" : "only in the second")
                      : d->compared        ? "differs"
                      : d->like            ? "not compared: neither numbers nor plain texts"
                                           : "another shape or type";
    c->differing += d->compared || !d->like;
    json_t *entry = json_pack("{s:o, s:s, s:o*, s:o*, s:o*, s:o*}", "path", ls_json_text(d->path),
                              "how", how, "values", d->compared ? json_integer(d->count) : NULL,
                              "differing", d->compared ? json_integer(d->differing) : NULL,
                              "largest", d->numbers ? ls_json_real(d->largest) : NULL, "relative",
                              d->numbers ? ls_json_real(d->relative) : NULL);
    json_array_append_new(c->list, entry);
}

/* Prints a figure of a difference, if it has this one; an infinity is null in JSON. */
static void print_difference(const json_t *entry, const char *key)
{
    const json_t *value = json_object_get(entry, key);
    if (json_is_integer(value))
        ls_print(stdout, " %12lld", (long long)json_integer_value(value));
    else if (value)
        ls_print(stdout, " %12.4g", json_is_null(value) ? INFINITY : json_real_value(value));
}

static void print_differences(const comparison *c)
{
    static const char *const columns[] = {"values", "differing", "largest", "relative"};
    size_t i;
    json_t *entry;
    if (json_array_size(c->list))
        ls_print(stdout, "  %-40s %12s %12s %12s %12s\n", "array", columns[0], columns[1],
                 columns[2], columns[3]);
    json_array_foreach (c->list, i, entry) {
        ls_print(stdout, "  %-40s", text_of(entry, "path"));
        for (int k = 0; k < 4; k++)
            print_difference(entry, columns[k]);
        if (!json_object_get(entry, "values"))
            ls_print(stdout, " %s", text_of(entry, "how"));
        putchar('\n');
    }
    ls_print(stdout, "%ld of %ld arrays differ\n", c->differing, c->arrays);
}

static void notice(void *context, const char *text)
{
    ls_print(stderr, "lockstep: %s\n", text);
}

/* The file itself, or of a run directory the newest checkpoint, for ls_free. NULL and an error. */
static char *resolve(const char *path, ls_error *error)
{
    if (!ls_atomic_file_is_folder(path))
        return ls_copy_string(path);
    ls_checkpoint *found;
    if (ls_checkpoint_find(path, &found, notice, NULL, error) == LS_CHECKPOINT_NONE)
        ls_error_set(error, LS_DATA, "%s: holds no checkpoint", path);
    char *newest = found ? ls_copy_string(found->path) : NULL;
    ls_checkpoint_close(found);
    return newest;
}

static bool compare(const arguments *a, ls_error *error)
{
    comparison c = {.list = json_array()};
    char *one = resolve(a->words.at[0], error), *two = one ? resolve(a->words.at[1], error) : NULL;
    bool ok = two && ls_h5_list_compare(one, two, add_difference, &c, error);
    if (ok && a->json) {
        ls_json_print(json_pack("{s:o, s:o, s:I, s:O}", "a", ls_json_text(one), "b",
                                ls_json_text(two), "arrays", (json_int_t)c.arrays, "differences",
                                c.list));
    } else if (ok) {
        ls_print(stdout, "%s\n%s\n", one, two);
        print_differences(&c);
    }
    ls_free(one);
    ls_free(two);
    json_decref(c.list);
    return ok;
}

int ls_command_inspect(int argc, char **argv)
{
    arguments a = {.json = false};
    ls_error error = {0};
    ls_command_parse(&ls_usage_inspect, argc, argv, &a.words);
    bool ok = a.diff ? compare(&a, &error) : inspect(&a, &error);
    return ok ? 0 : ls_command_fail(0, &error);
}
