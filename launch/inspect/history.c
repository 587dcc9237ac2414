/* history: merges the records of a stage; a key has the value of the last record that holds it. */
#include "launch/inspect/history.h"

#include <string.h>

#include "core/memory.h"
#include "io/atomic_file.h"

static json_int_t stage_of(const json_t *record)
{
    return json_integer_value(json_object_get(record, "stage"));
}

static void merge_record(json_t *history, json_t *record)
{
    size_t count = json_array_size(history);
    json_t *last = count ? json_array_get(history, count - 1) : NULL;
    if (!last || stage_of(last) != stage_of(record)) {
        last = json_object();
        json_object_set(last, "stage", json_object_get(record, "stage"));
        json_object_set(last, "first_step", json_object_get(record, "step"));
        json_array_append_new(history, last);
    }
    json_object_del(last, "final"); /* the stage was resumed after its end */
    json_object_del(last, "stage_seconds");
    json_object_update(last, record);
}

static void merge_line(json_t *history, const char *line, size_t length)
{
    json_t *record = json_loadb(line, length, 0, NULL);
    size_t count = json_array_size(history);
    if (json_is_object(record)) {
        merge_record(history, record);
    } else if (count && length) {
        json_t *last = json_array_get(history, count - 1);
        json_int_t bad = json_integer_value(json_object_get(last, "unreadable"));
        json_object_set_new(last, "unreadable", json_integer(bad + 1));
    }
    json_decref(record);
}

json_t *ls_history_read(const char *run)
{
    size_t size;
    char *path = ls_format("%s/metrics.jsonl", run);
    char *text = ls_atomic_file_read(path, &size, NULL);
    json_t *history = json_array();
    for (const char *line = text; line && *line;) {
        size_t length = strcspn(line, "\n");
        merge_line(history, line, length);
        line += length + (line[length] == '\n');
    }
    ls_free(text);
    ls_free(path);
    return history;
}
