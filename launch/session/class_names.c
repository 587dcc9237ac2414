/* class_names: finds the lines "class 0: cat" of a text. */
#include "launch/session/class_names.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"

/* The name of a class, which begins at *text or later, and its length; *text moves behind it. NULL:
 * it has none there. */
static const char *take_name(const char **text, long class, int *length)
{
    char begin[32];
    const char *at = *text ? *text : "";
    snprintf(begin, sizeof begin, "class %ld: ", class);
    while (*at && strncmp(at, begin, strlen(begin)) != 0) {
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    *text = at;
    if (!*at)
        return NULL;
    at += strlen(begin);
    *length = (int)strcspn(at, "\n");
    *text = at + *length + (at[*length] == '\n');
    return at;
}

char *ls_class_names(const char *text, long *count)
{
    int length;
    char *names = NULL;
    const char *name;
    for (*count = 0; (name = take_name(&text, *count, &length)); ++*count) {
        char *more =
            names ? ls_format("%s\n%.*s", names, length, name) : ls_format("%.*s", length, name);
        ls_free(names);
        names = more;
    }
    return names;
}

bool ls_class_names_same(const char *net, const char *then, const char *path, const char *now,
                         ls_error *error)
{
    int was_length, is_length;
    for (long class = 0;; class ++) {
        const char *was = take_name(&then, class, &was_length);
        const char *is = take_name(&now, class, &is_length);
        if (!was || !is)
            return true;
        if (was_length != is_length || strncmp(was, is, (size_t)is_length) != 0)
            return ls_error_set(error, LS_DATA,
                                "%s: class %ld is '%.*s', but '%.*s' in the data that %s was "
                                "trained on: import it so that it has the same classes",
                                path, class, is_length, is, was_length, was, net);
    }
}
