/* listing: reads the names of a DIR or LIST and chooses the splits. */
#include "io/import/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "core/memory.h"
#include "core/print.h"
#include "io/atomic_file.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/import/listing_labels.h"
#include "io/magic.h"

enum { DEPTH = 16 /* folders in folders */ };
static const size_t list_most = (size_t)1 << 34; /* bytes of a LIST */

/* Texts one after the other, each ended by a 0. */
typedef struct texts {
    char *text;
    size_t used, room;
} texts;

/* A listing while it is made. */
typedef struct maker {
    ls_listing *files;
    const ls_import *import;
    FILE *report;
    texts names, labels;
    size_t *label; /* [files.count] where the label of a file begins in `labels`; NO_LABEL */
    long room;     /* files */
    int root;

    /* of a DIR */
    const char *below;   /* the name of the folder that is listed, "" for DIR itself */
    int depth;           /* of that folder */
    long folders, loose; /* in DIR itself */
    size_t first_loose;
} maker;

static const size_t no_label = SIZE_MAX;

/* Appends a text; returns where it begins. */
static size_t add_text(texts *t, const char *text, size_t length)
{
    if (t->used + length + 1 > t->room) {
        t->room = 2 * t->room + length + 4096;
        t->text = ls_realloc(t->text, t->room, 1);
    }
    size_t at = t->used;
    memcpy(t->text + at, text, length);
    t->text[at + length] = 0;
    t->used += length + 1;
    return at;
}

static void add_file(maker *m, size_t name, size_t label)
{
    if (m->files->count == m->room) {
        m->room = 2 * m->room + 1024;
        m->files->file = ls_realloc(m->files->file, (size_t)m->room, sizeof *m->files->file);
        m->label = ls_realloc(m->label, (size_t)m->room, sizeof *m->label);
    }
    m->label[m->files->count] = label;
    m->files->file[m->files->count++] =
        (ls_listing_file){.name = name, .label = LS_LISTING_NONE, .root = (uint8_t)m->root};
}

static bool list_folder(maker *m, const char *below, ls_error *error);

static bool visit_folder(maker *m, const char *name, const char *path, ls_error *error)
{
    if (m->depth + 1 == DEPTH)
        return ls_error_set(error, LS_DATA,
                            "%s/%s: folders lie in folders %d deep; is there a link in a circle?",
                            m->files->folder[m->root], path, DEPTH);
    if (m->depth == 0) {
        m->folders++;
        if (strchr(name, '\n'))
            return ls_error_set(error, LS_DATA,
                                "%s/%s: the name of a class holds a line break: rename the folder",
                                m->files->folder[m->root], path);
    }
    const char *below = m->below;
    const long before = m->files->count;
    m->depth++;
    bool ok = list_folder(m, path, error);
    m->depth--;
    m->below = below;
    if (ok && m->depth == 0 && m->files->count == before && m->report)
        ls_print(m->report, "note: %s/%s: there are no files in it: it is no class\n",
                 m->files->folder[m->root], path);
    return ok;
}

/* Whether the file holds the segments of a sound beside it. */
static bool is_segments(const maker *m, const char *name)
{
    const char *ending = m->import->segments;
    if (!ending)
        return false;
    ending += ending[0] == '.';
    const size_t length = strlen(name), end = strlen(ending);
    return length > end && name[length - end - 1] == '.' &&
           strcmp(name + length - end, ending) == 0;
}

static bool visit(void *context, int folder, const char *name, ls_error *error)
{
    maker *m = context;
    struct stat is;
    if (name[0] == '.')
        return true;
    char *path = m->below[0] ? ls_format("%s/%s", m->below, name) : ls_copy_string(name);
    bool ok = true;
    const bool there = fstatat(folder, name, &is, 0) == 0;
    if (!there && ls_file_open_code(errno) == LS_IO)
        ok = ls_error_set(error, LS_IO, "%s/%s: can't look what it is: %s",
                          m->files->folder[m->root], path, strerror(errno));
    else if (there && S_ISDIR(is.st_mode))
        ok = visit_folder(m, name, path, error);
    else if (!is_segments(m, name)) { /* a link that leads nowhere too: who reads it says so */
        size_t at = add_text(&m->names, path, strlen(path));
        m->first_loose = m->loose > 0 ? m->first_loose : at;
        m->loose += m->depth == 0;
        add_file(m, at, m->depth > 0 ? 0 : no_label); /* read_folder sets the label */
    }
    ls_free(path);
    return ok;
}

static bool list_folder(maker *m, const char *below, ls_error *error)
{
    char *path = ls_format("%s/%s", m->files->folder[m->root], below);
    m->below = below;
    bool ok = ls_folder_each(path, visit, m, error);
    ls_free(path);
    return ok;
}

static int by_name(const void *a, const void *b, void *context)
{
    const ls_listing_file *x = a, *y = b;
    const char *names = context;
    return strcmp(names + x->name, names + y->name);
}

/* Lists a DIR, in the order of the names. */
static bool read_folder(maker *m, ls_error *error)
{
    long from = m->files->count, kept = from;
    m->folders = m->loose = m->depth = 0;
    if (!list_folder(m, "", error))
        return false;
    if (m->folders > 0 && m->loose > 0 && m->report)
        ls_print(m->report, "note: %s: %ld file(s) beside the folders are left out: %s%s\n",
                 m->files->folder[m->root], m->loose, m->names.text + m->first_loose,
                 m->loose > 1 ? ", ..." : "");
    ls_listing_file *file = m->files->file;
    for (long i = from; i < m->files->count; i++)
        if (m->folders == 0 || m->label[i] != no_label)
            file[kept++] = file[i];
    m->files->count = kept;
    if (kept == from)
        return true;
    qsort_r(file + from, (size_t)(kept - from), sizeof *file, by_name, m->names.text);
    for (long i = from; m->folders > 0 && i < kept; i++) {
        const char *name = m->names.text + file[i].name;
        m->label[i] = add_text(&m->labels, name, strcspn(name, "/"));
    }
    return true;
}

/* Where the label of a line begins, after a tab or the last space; NULL: it has none. */
static char *label_of(char *line)
{
    char *tab = strrchr(line, '\t'), *gap = tab ? tab : strrchr(line, ' ');
    return gap && gap > line && gap[1] ? gap + 1 : NULL;
}

/* Whether the line is the name of a file. */
static bool is_file(const maker *m, const char *line)
{
    struct stat is;
    char *path =
        line[0] == '/' ? ls_copy_string(line) : ls_format("%s/%s", m->files->folder[m->root], line);
    bool there = stat(path, &is) == 0 && !S_ISDIR(is.st_mode);
    ls_free(path);
    return there;
}

/* Cuts blanks off the end, unless there is a file whose name ends in them. */
static void trim(const maker *m, char *line)
{
    for (size_t length = strlen(line);
         length > 1 && strchr(" \t", line[length - 1]) && !is_file(m, line); length--)
        line[length - 1] = 0;
}

static bool add_line(maker *m, char *line, long number, bool labelled, ls_error *error)
{
    char *label = labelled ? label_of(line) : NULL;
    if (labelled && !label)
        return ls_error_set(error, LS_DATA,
                            "%s:%ld: '%.200s' has no label; expected a name, a tab or space, and a "
                            "label, as in the lines before (or only names of files, of which the "
                            "first must be there)",
                            m->import->file[m->root], number, line);
    if (label) {
        label[-1] = 0;
        trim(m, line);
    }
    if (label && m->files->count == 0 && is_file(m, label) && !is_file(m, line))
        return ls_error_set(error, LS_DATA,
                            "%s:%ld: %s is a file and %s is none; expected the file first, then "
                            "its label",
                            m->import->file[m->root], number, label, line);
    add_file(m, add_text(&m->names, line, strlen(line)),
             label ? add_text(&m->labels, label, strlen(label)) : no_label);
    return true;
}

static bool read_lines(maker *m, char *text, ls_error *error)
{
    bool first = true, labelled = false, ok = true;
    long number = 1;
    for (char *line = text, *next; ok && *line; line = next, number++) {
        size_t length = strcspn(line, "\n");
        next = line + length + (line[length] == '\n');
        line[length] = 0;
        if (length > 0 && line[length - 1] == '\r')
            line[--length] = 0;
        if (length == 0)
            continue;
        trim(m, line);
        labelled = first ? !is_file(m, line) : labelled;
        first = false;
        ok = add_line(m, line, number, labelled, error);
    }
    return ok;
}

static bool read_list(maker *m, ls_error *error)
{
    size_t size;
    const char *path = m->import->file[m->root];
    char *text = ls_atomic_file_read(path, list_most, &size, error);
    if (!text)
        return false;
    const char *kind = ls_magic_name(text, size), *zero = memchr(text, 0, size);
    char *lines = text + (strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0); /* a byte order mark */
    bool ok = !kind && !zero;
    if (!ok)
        ls_error_set(error, LS_DATA,
                     "%s: %s%s; expected a folder, or a list: a text file with a line for each "
                     "file",
                     path, kind ? "is " : "is no text: it holds a zero byte", kind ? kind : "");
    ok = ok && read_lines(m, lines, error);
    ls_free(text);
    return ok;
}

/* Adds the files of a DIR or LIST. */
static bool read_root(maker *m, ls_error *error)
{
    const char *path = m->import->file[m->root];
    long before = m->files->count;
    bool folder = ls_atomic_file_is_folder(path);
    const char *slash = strrchr(path, '/');
    m->files->folder[m->root] = folder   ? ls_copy_string(path)
                                : !slash ? ls_copy_string(".")
                                         : ls_format("%.*s", (int)(slash - path), path);
    if (!(folder ? read_folder(m, error) : read_list(m, error)))
        return false;
    if (m->files->count == before)
        return ls_error_set(error, LS_DATA, "%s: there are no files in it", path);
    for (long i = before; i < m->files->count; i++)
        if ((m->label[i] == no_label) != (m->label[0] == no_label))
            return ls_error_set(error, LS_DATA,
                                "%s: its files have %s labels, but those of %s have %s", path,
                                m->label[i] == no_label ? "no" : "", m->import->file[0],
                                m->label[0] == no_label ? "none" : "some");
    return true;
}

static void choose_splits(const maker *m)
{
    double valid = m->import->valid_share, test = m->import->test_share;
    for (long i = 0; i < m->files->count; i++) {
        ls_listing_file *file = &m->files->file[i];
        const char *name = m->names.text + file->name;
        uint64_t hash = XXH3_64bits_withSeed(name, strlen(name), (uint64_t)m->import->seed);
        double u = (double)(hash >> 11) * 0x1p-53;
        file->split = file->root      ? LS_TEST
                      : u < valid     ? LS_VALID
                      : u >= 1 - test ? LS_TEST
                                      : LS_TRAIN;
    }
}

static bool make(maker *m, ls_error *error)
{
    for (m->root = 0; m->root < 2 && m->import->file[m->root]; m->root++)
        if (!read_root(m, error))
            return false;
    m->files->names = m->names.text;
    const ls_listing_labels labels = {m->files, m->import, m->label, m->labels.text, m->report};
    if (m->label[0] == no_label && m->import->labels_from)
        return ls_error_set(error, LS_USAGE,
                            "%s: --labels-from is for labels that are numbers; its files have none",
                            m->import->file[0]);
    if (m->label[0] != no_label && !ls_listing_labels_number(&labels, error))
        return false;
    choose_splits(m);
    return true;
}

/* Gives member 0's list of files to the others. */
static void share(ls_listing *files, const ls_import *import)
{
    const ls_team *team = import->team;
    bool first = ls_team_member(team) == 0;
    ls_team_broadcast(team, &files->count, sizeof files->count);
    ls_team_broadcast(team, &files->classes, sizeof files->classes);
    ls_team_broadcast(team, &files->bytes, sizeof files->bytes);
    if (!first) {
        files->names = ls_alloc(files->bytes, 1);
        files->file = ls_alloc((size_t)files->count, sizeof *files->file);
    }
    ls_team_broadcast(team, files->names, files->bytes);
    ls_team_broadcast(team, files->file, (size_t)files->count * sizeof *files->file);
    for (int i = 0; i < 2; i++) {
        size_t size = first && files->folder[i] ? strlen(files->folder[i]) + 1 : 0;
        ls_team_broadcast(team, &size, sizeof size);
        if (!first && size > 0)
            files->folder[i] = ls_alloc(size, 1);
        ls_team_broadcast(team, files->folder[i], size);
    }
}

bool ls_listing_make(ls_listing *files, const ls_import *import, FILE *report, ls_error *error)
{
    maker m = {.files = files, .import = import, .report = report};
    *files = (ls_listing){0};
    bool ok = ls_team_member(import->team) != 0 || make(&m, error);
    files->names = m.names.text;
    files->bytes = m.names.used;
    files->labels = m.labels.text;
    ls_free(m.label);
    if (!ls_team_agree(import->team, ok, error))
        return false;
    share(files, import);
    return true;
}

void ls_listing_release(ls_listing *files)
{
    ls_free(files->names);
    ls_free(files->file);
    ls_free(files->class_name);
    ls_free(files->labels);
    ls_free(files->folder[0]);
    ls_free(files->folder[1]);
}

char *ls_listing_path(const ls_listing *files, long index)
{
    const ls_listing_file *file = &files->file[index];
    const char *name = files->names + file->name;
    return name[0] == '/' ? ls_copy_string(name)
                          : ls_format("%s/%s", files->folder[file->root], name);
}
