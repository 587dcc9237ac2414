/* wav_segments: reads segments, numbers their names, and labels frames by them. */
#include "io/import/wav_segments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/h5/h5_attribute.h"
#include "io/import/classes.h"
#include "io/labels.h"

enum { NAME = 64 };
static const size_t file_most = (size_t)1 << 28; /* bytes of a file of segments */

typedef struct segment {
    double begin, end; /* seconds */
    char name[NAME];
} segment;

/* Gets each segment of a file. */
typedef bool each(void *context, const segment *s, ls_error *error);

/* The path of the segments of a sound; the caller frees it. */
static char *path_of(const char *sound, const char *ending)
{
    const char *name = strrchr(sound, '/'), *dot = strrchr(name ? name : sound, '.');
    int length = (int)(dot ? dot - sound : (long)strlen(sound));
    return ls_format("%.*s.%s", length, sound, ending + (ending[0] == '.'));
}

static bool read_line(const char *path, long number, const char *line, segment *s, ls_error *error)
{
    int used = 0;
    return (sscanf(line, "%lf %lf %63s %n", &s->begin, &s->end, s->name, &used) == 3 &&
            line[used] == 0 && s->begin >= 0 && s->begin <= s->end) ||
           ls_error_set(error, LS_DATA,
                        "%s:%ld: '%.80s' is no segment; expected begin and end in seconds and a "
                        "name of at most %d letters without blanks",
                        path, number, line, NAME - 1);
}

static bool read_segments(const char *path, each *visit, void *context, ls_error *error)
{
    size_t size;
    char *text = ls_atomic_file_read(path, file_most, &size, error), *rest = text;
    bool ok = text && (!memchr(text, 0, size) ||
                       ls_error_set(error, LS_DATA, "%s: is no text: it holds a zero byte", path));
    for (long number = 1; ok && *rest; number++) {
        char *line = rest;
        segment s;
        rest += strcspn(rest, "\n");
        if (*rest)
            *rest++ = 0;
        line[strcspn(line, "\r")] = 0;
        if (line[strspn(line, " \t")] != 0)
            ok = read_line(path, number, line, &s, error) && visit(context, &s, error);
    }
    ls_free(text);
    return ok;
}

/* Names as they are collected, each once. */
typedef struct names {
    char (*at)[NAME];
    long count, room;
} names;

static bool add_name(void *context, const segment *s, ls_error *error)
{
    names *n = context;
    if (strcmp(s->name, LS_WAV_SEGMENTS_NONE) == 0)
        return true;
    for (long i = 0; i < n->count; i++)
        if (strcmp(n->at[i], s->name) == 0)
            return true;
    if (n->count == LS_CLASSES_MAX - 1)
        return ls_error_set(error, LS_DATA, "segments have more than %d names",
                            (int)LS_CLASSES_MAX - 1);
    if (n->count == n->room) {
        n->room = 2 * n->room + 64;
        n->at = ls_realloc(n->at, (size_t)n->room, sizeof *n->at);
    }
    memcpy(n->at[n->count++], s->name, NAME);
    return true;
}

bool ls_wav_segments_collect(ls_wav_segments *segments, const ls_listing *files, bool strict,
                             ls_error *error)
{
    names n = {0};
    bool ok = true;
    for (long i = 0; ok && i < files->count; i++) {
        char *sound = ls_listing_path(files, i), *path = path_of(sound, segments->ending);
        const long before = n.count;
        ok = read_segments(path, add_name, &n, error);
        if (!ok && error->code == LS_DATA && !strict) {
            n.count = before; /* ls_wav_segments_read will say what is wrong */
            ok = true;
        }
        ls_free(path);
        ls_free(sound);
    }
    segments->classes = n.count + 1;
    segments->text = (char *)n.at;
    segments->name = ls_alloc((size_t)segments->classes, sizeof *segments->name);
    segments->name[0] = LS_WAV_SEGMENTS_NONE;
    for (long i = 0; i < n.count; i++)
        segments->name[i + 1] = n.at[i];
    qsort(segments->name + 1, (size_t)n.count, sizeof *segments->name, ls_classes_order);
    return ok;
}

void ls_wav_segments_release(ls_wav_segments *segments)
{
    ls_free(segments->name);
    ls_free(segments->text);
}

/* The labels of a sound while its segments are read. */
typedef struct labels {
    const ls_wav_segments *segments;
    const ls_wav_times *times;
    long frames;
    int32_t *at;
    double end;          /* of the segment that ends last */
    char stranger[NAME]; /* a name that was not collected; "" */
} labels;

static bool add_labels(void *context, const segment *s, ls_error *error)
{
    labels *l = context;
    l->end = fmax(l->end, s->end);
    if (strcmp(s->name, LS_WAV_SEGMENTS_NONE) == 0)
        return true;
    const char *wanted = s->name;
    char **name = l->segments->name + 1;
    char **found =
        bsearch(&wanted, name, (size_t)l->segments->classes - 1, sizeof *name, ls_classes_order);
    if (!found)
        memcpy(l->stranger, s->name, NAME);
    for (long t = 0; found && t < l->frames; t++) {
        double middle = l->times->first + (double)t * l->times->hop;
        if (middle >= s->begin && middle < s->end && l->at[t] == 0)
            l->at[t] = (int32_t)(found - name) + 1;
    }
    return true;
}

bool ls_wav_segments_read(const ls_wav_segments *segments, const char *sound,
                          const ls_wav_times *times, long frames, int32_t *label, ls_error *error)
{
    labels l = {.segments = segments, .times = times, .frames = frames, .at = label};
    const double slack = 1; /* seconds */
    char *path = path_of(sound, segments->ending);
    bool ok = read_segments(path, add_labels, &l, error) &&
              (!l.stranger[0] ||
               ls_error_set(error, LS_IO, "%s: segments called %s came in while they were read",
                            path, l.stranger)) &&
              (l.end <= times->end + slack ||
               ls_error_set(error, LS_DATA,
                            "%s: a segment ends at %.9g s, but its sound at %.3g s; expected begin "
                            "and end in seconds (TIMIT has samples, HTK units of 100 ns)",
                            path, l.end, times->end));
    ls_free(path);
    return ok;
}

bool ls_wav_segments_put(const ls_wav_segments *segments, hid_t y, ls_error *error)
{
    return ls_h5_put_long(y, "classes", segments->classes, error) &&
           ls_classes_put_names(segments->name, segments->classes, y, error);
}
