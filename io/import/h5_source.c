/* h5_source: finds and opens the arrays of a foreign HDF5 file. */
#include "io/import/h5_source.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"

enum { PATH_SIZE = 512, RENAMES_MAX = 64 };

const char *const ls_h5_source_arrays[LS_H5_SOURCE_ARRAYS] = {"x", "y", "length", "weight"};

/* What others call x, y and the splits, for advice. */
static const struct usual {
    const char *theirs, *ours;
} usual[] = {
    {"data", "x"},
    {"images", "x"},
    {"image", "x"},
    {"features", "x"},
    {"inputs", "x"},
    {"input", "x"},
    {"X", "x"},
    {"label", "y"},
    {"labels", "y"},
    {"targets", "y"},
    {"target", "y"},
    {"outputs", "y"},
    {"output", "y"},
    {"Y", "y"},
    {"val", "valid"},
    {"validation", "valid"},
    {"dev", "valid"},
    {"training", "train"},
    {"testing", "test"},
    {"train_x", "x_train"},
    {"train_y", "y_train"},
    {"test_x", "x_test"},
    {"test_y", "y_test"},
    {"val_x", "x_valid"},
    {"val_y", "y_valid"},
    {"x_val", "x_valid"},
    {"y_val", "y_valid"},
    {"X_train", "x_train"},
    {"X_test", "x_test"},
    {"X_val", "x_valid"},
    {"train_set_x", "x_train"},
    {"train_set_y", "y_train"},
    {"test_set_x", "x_test"},
    {"test_set_y", "y_test"},
};

bool ls_h5_renames_read(ls_h5_renames *r, const char *text, ls_error *error)
{
    *r = (ls_h5_renames){.text = ls_copy_string(text ? text : "")};
    r->from = ls_alloc(RENAMES_MAX, sizeof *r->from);
    r->to = ls_alloc(RENAMES_MAX, sizeof *r->to);
    r->used = ls_alloc(RENAMES_MAX, sizeof *r->used);
    char *rest = r->text;
    for (char *pair; text && (pair = strsep(&rest, ","));) {
        char *to = strchr(pair, '=');
        if (!to || to == pair || !to[1] || r->count == RENAMES_MAX)
            return ls_error_set(error, LS_USAGE,
                                "--rename: expected OLD=NEW[,OLD=NEW ...], at most %d, found '%s'",
                                (int)RENAMES_MAX, text);
        *to = 0;
        r->from[r->count] = pair + (pair[0] == '/');
        r->to[r->count++] = to + 1 + (to[1] == '/');
    }
    return true;
}

void ls_h5_renames_release(ls_h5_renames *r)
{
    ls_free(r->text);
    ls_free(r->from);
    ls_free(r->to);
    ls_free(r->used);
}

/* The new name of a group, data set or path. */
static const char *renamed(ls_h5_renames *r, const char *name)
{
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->from[i], name) == 0) {
            r->used[i] = true;
            return r->to[i];
        }
    return name;
}

/* One walk over the names of a file. */
typedef struct walk {
    ls_h5_source *source;
    ls_h5_renames *renames;
    char group[PATH_SIZE], new_group[PATH_SIZE]; /* where the walk is; "" is the root */
    bool root_x; /* x at the root, or what becomes it, is that of train */
    bool failed;
    ls_error *error;
} walk;

/* Finds which array "train/x", "x_train", or "x" or "y" (then of train) is; beside x at the root,
 * "length" and "weight" are of train too. */
static bool find_slot(const walk *w, const char *name, int *split, int *array)
{
    char other[PATH_SIZE];
    const char *const *arrays = ls_h5_source_arrays;
    for (*split = 0; *split < LS_SPLITS; ++*split)
        for (*array = 0; *array < LS_H5_SOURCE_ARRAYS; ++*array) {
            snprintf(other, sizeof other, "%s/%s", ls_split_names[*split], arrays[*array]);
            if (strcmp(name, other) == 0)
                return true;
            snprintf(other, sizeof other, "%s_%s", arrays[*array], ls_split_names[*split]);
            if (strcmp(name, other) == 0)
                return true;
            const bool of_root = *array <= LS_H5_SOURCE_Y || w->root_x;
            if (*split == LS_TRAIN && of_root && strcmp(name, arrays[*array]) == 0)
                return true;
        }
    return false;
}

/* Opens the data set at `path` as what its new name says; *taken: it says anything. */
static bool take(walk *w, const char *path, const char *new_path, bool *taken)
{
    int split, array;
    ls_h5_source *s = w->source;
    *taken = find_slot(w, new_path, &split, &array);
    if (!*taken)
        return true;
    char **name = &s->name[split][array];
    if (*name)
        return ls_error_set(w->error, LS_DATA, "%s: %s and %s are both %s/%s; --rename one of them",
                            s->path, *name, path, ls_split_names[split],
                            ls_h5_source_arrays[array]);
    *name = ls_copy_string(path);
    s->array[split][array] = ls_h5_dataset_linked(s->file, path, w->error);
    return s->array[split][array] >= 0;
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *context);

/* Goes through the names of the group at `path`, "" for the root. */
static bool visit_group(walk *w, const char *path, const char *new_path)
{
    hid_t group = ls_h5_object_linked(w->source->file, path[0] ? path : "/");
    snprintf(w->group, sizeof w->group, "%s", path);
    snprintf(w->new_group, sizeof w->new_group, "%s", new_path);
    if (group >= 0 && H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, w) < 0 &&
        !w->failed)
        w->failed = !ls_h5_fail(w->error, LS_DATA, w->source->file, "can't list %s", path);
    ls_h5_close(group);
    w->group[0] = w->new_group[0] = 0;
    return !w->failed;
}

/* Refuses the name of a split or an array behind which nothing is found. */
static bool refuse_absent(walk *w, const char *path, const H5L_info_t *link)
{
    return ls_h5_fail(w->error, LS_DATA, w->source->file, "%s %s", path,
                      link->type == H5L_TYPE_HARD   ? "can't be opened"
                      : link->type == H5L_TYPE_SOFT ? "is a link that leads nowhere"
                                                    : "is a link to another file; expected the "
                                                      "data itself");
}

/* Takes a name of the root group or of a split; groups of the root that are splits are entered. */
static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *context)
{
    walk *w = context;
    int split, array;
    char path[2 * PATH_SIZE], new_path[2 * PATH_SIZE];
    bool root = !w->group[0], taken = false, ok = true;
    snprintf(path, sizeof path, "%s%s%s", w->group, root ? "" : "/", name);
    const char *whole = renamed(w->renames, path), *last = renamed(w->renames, name);
    snprintf(new_path, sizeof new_path, "%s%s%s", w->new_group, root ? "" : "/", last);
    if (strcmp(whole, path) == 0)
        whole = new_path;
    hid_t object = ls_h5_object_linked(w->source->file, path);
    bool is_group = object >= 0 && H5Iget_type(object) == H5I_GROUP && strlen(path) < PATH_SIZE;
    if (root && object >= 0 && !is_group && strcmp(path, "vocabulary") == 0)
        w->source->vocabulary = taken = H5Aexists(object, "level") > 0;
    ls_h5_close(object);
    if (object < 0 &&
        ((root && ls_split_find(last) != LS_SPLITS) || find_slot(w, whole, &split, &array)))
        ok = refuse_absent(w, path, link);
    else if (is_group && root && ls_split_find(last) != LS_SPLITS)
        return visit_group(w, path, last) ? 0 : -1;
    else if (!taken && (!is_group || !root))
        ok = take(w, path, whole, &taken);
    if (!taken)
        ls_format_join(w->source->unused, sizeof w->source->unused, path);
    w->failed = w->failed || !ok;
    return ok ? 0 : -1;
}

/* Takes the arrays that --rename names by a path deeper than a split. */
static bool take_paths(walk *w)
{
    bool taken;
    ls_h5_renames *r = w->renames;
    for (int i = 0; i < r->count; i++) {
        int split, array;
        if (r->used[i] || !strchr(r->from[i], '/') || !find_slot(w, r->to[i], &split, &array))
            continue;
        hid_t object = ls_h5_object_linked(w->source->file, r->from[i]);
        r->used[i] = object >= 0;
        ls_h5_close(object);
        if (r->used[i] && !take(w, r->from[i], r->to[i], &taken))
            return false;
    }
    return true;
}

/* Finds the --rename that would give the names their usual meaning: "data=x,label=y". */
static void find_advice(ls_h5_source *s)
{
    char *text = s->advice;
    char *names = ls_copy_string(s->unused), *rest = names;
    for (char *name; (name = strsep(&rest, ","));) {
        name += name[0] == ' ';
        const char *last = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
        for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
            if (strcmp(usual[i].theirs, last) != 0)
                continue;
            char pair[64];
            snprintf(pair, sizeof pair, "%s=%s", last, usual[i].ours);
            if (!strstr(text, pair) && strlen(text) + strlen(pair) + 2 < sizeof s->advice)
                strcat(strcat(text, text[0] ? "," : ""), pair);
        }
    }
    ls_free(names);
}

static bool has_x(const ls_h5_source *s, ls_error *error)
{
    for (int i = 0; i < LS_SPLITS * LS_H5_SOURCE_ARRAYS; i++) {
        const int split = i / LS_H5_SOURCE_ARRAYS, array = i % LS_H5_SOURCE_ARRAYS;
        if (s->array[split][LS_H5_SOURCE_X] < 0 && s->array[split][array] >= 0)
            return ls_error_set(error, LS_DATA,
                                "%s: has %s/%s (%s), but no %s/x; found besides: %s; --rename %s "
                                "says what is x",
                                s->path, ls_split_names[split], ls_h5_source_arrays[array],
                                s->name[split][array], ls_split_names[split],
                                s->unused[0] ? s->unused : "nothing",
                                s->advice[0] ? s->advice : "NAME=x");
    }
    for (int i = 0; i < LS_SPLITS; i++)
        if (s->array[i][LS_H5_SOURCE_X] >= 0)
            return true;
    return ls_error_set(error, LS_DATA,
                        "%s: holds %s; expected x and y at the root, or in groups train, valid and "
                        "test: say which they are by --rename %s",
                        s->path, s->unused[0] ? s->unused : "nothing",
                        s->advice[0] ? s->advice : "NAME=x,NAME=y");
}

static bool exists(hid_t file, const char *path)
{
    hid_t object = ls_h5_object_linked(file, path);
    ls_h5_close(object);
    return object >= 0;
}

/* Whether x is at the root, by its own name or by --rename. */
static bool has_root_x(hid_t file, const ls_h5_renames *r)
{
    bool found = false, moved = false;
    for (int i = 0; i < r->count; i++) {
        found = found || (strcmp(r->to[i], "x") == 0 && exists(file, r->from[i]));
        moved = moved || strcmp(r->from[i], "x") == 0;
    }
    return found || (!moved && exists(file, "x"));
}

bool ls_h5_source_open(ls_h5_source *s, const char *path, ls_h5_renames *renames, ls_error *error)
{
    *s = (ls_h5_source){.path = path, .file = ls_h5_open(path, error)};
    for (int i = 0; i < LS_SPLITS; i++)
        for (int k = 0; k < LS_H5_SOURCE_ARRAYS; k++)
            s->array[i][k] = -1;
    walk w = {.source = s, .renames = renames, .error = error};
    if (s->file < 0)
        return false;
    w.root_x = has_root_x(s->file, renames);
    if (!visit_group(&w, "", "") || !take_paths(&w))
        return false;
    find_advice(s);
    return has_x(s, error);
}

void ls_h5_source_close(ls_h5_source *s)
{
    for (int i = 0; i < LS_SPLITS; i++)
        for (int k = 0; k < LS_H5_SOURCE_ARRAYS; k++) {
            ls_h5_close(s->array[i][k]);
            ls_free(s->name[i][k]);
        }
    ls_h5_close(s->file);
}
