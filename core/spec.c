/* spec: parse "name: type @input key=value # comment" and check it against option tables. */
#include "core/spec.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

bool ls_parse_long(const char *text, long *value)
{
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)text[text[0] == '-' || text[0] == '+']))
        return false;
    *value = strtol(text, &end, 10);
    return *end == 0 && errno == 0;
}

bool ls_parse_double(const char *text, double *value)
{
    char *end;
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    if (!isdigit((unsigned char)digits[0]) &&
        !(digits[0] == '.' && isdigit((unsigned char)digits[1])))
        return false;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
        return false;
    *value = strtod(text, &end);
    return *end == 0 && isfinite(*value);
}

/* Levenshtein's distance; of b only the first 63 letters count. */
static int edit_distance(const char *a, const char *b)
{
    int row[64];
    int width = (int)strnlen(b, 63);
    for (int j = 0; j <= width; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= width; j++) {
            int change =
                diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
            int other = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
            diagonal = row[j];
            row[j] = change < other ? change : other;
        }
    }
    return row[width];
}

/* What other programs call it, and what it is called here. */
static const char *const synonyms[][2] = {{"mse", "squared-error"},
                                          {"mean-squared-error", "squared-error"},
                                          {"sigmoid", "logistic"},
                                          {"lr", "rate"},
                                          {"learning_rate", "rate"},
                                          {"weight_decay", "decay"},
                                          {"batch_size", "batch"},
                                          {"wgan", "wasserstein"},
                                          {"non-saturating", "nonsaturating"}};

/* The word itself where it has no synonym here. */
static const char *synonym_of(const char *word)
{
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
        if (strcmp(word, synonyms[i][0]) == 0)
            return synonyms[i][1];
    return word;
}

const char *ls_nearest(const char *word, const void *table, int count, size_t stride)
{
    const char *nearest = NULL, *meant = synonym_of(word);
    int best = 1 + (int)strlen(word) / 3; /* one wrong letter in a short word, more in a long one */
    for (int i = 0; i < count; i++) {
        const char *name = *(const char *const *)((const char *)table + (size_t)i * stride);
        int distance = name ? edit_distance(word, name) : 999;
        if (name && strcmp(name, meant) == 0)
            return name;
        if (distance <= best && (!nearest || distance < best)) {
            best = distance;
            nearest = name;
        }
    }
    return nearest;
}

/* Writes ": did you mean NAME?" into hint, or "" if no name is near; else as ls_nearest. */
static const char *did_you_mean(const char *word, const void *table, int count, size_t stride,
                                char hint[2 * LS_WORD])
{
    const char *nearest = ls_nearest(word, table, count, stride);
    snprintf(hint, 2 * LS_WORD, "%s%s%s", nearest ? ": did you mean " : "", nearest ? nearest : "",
             nearest ? "?" : "");
    return hint;
}

static const void *unknown(const char *name, const void *names, int count, size_t stride,
                           const char *kind, const char *list, ls_error *error)
{
    char hint[2 * LS_WORD];
    ls_error_set(error, LS_USAGE, "there is no %s %s%s (`lockstep list %s` has all)", kind, name,
                 did_you_mean(name, names, count, stride, hint), list);
    return NULL;
}

const void *ls_spec_find_type(const void *table, const char *name, const char *kind,
                              ls_error *error)
{
    const char *names[128];
    const char *const *const *types = table;
    int count = 0;
    for (; types[count] && count < 128; count++) {
        names[count] = *types[count];
        if (strcmp(names[count], name) == 0)
            return types[count];
    }
    char list[LS_WORD];
    snprintf(list, sizeof list, "%ss", kind);
    return unknown(name, names, count, sizeof *names, kind, list, error);
}

const void *ls_spec_find_entry(const void *table, size_t stride, const char *name, const char *kind,
                               const char *list, ls_error *error)
{
    int count = 0;
    for (const char *entry = table; *(const char *const *)entry; entry += stride, count++)
        if (strcmp(*(const char *const *)entry, name) == 0)
            return entry;
    return unknown(name, table, count, stride, kind, list, error);
}

/* Copies [begin, end) to `word`; an error if it is empty or too long. */
static bool read_word(const char *begin, const char *end, char *word, size_t size, const char *what,
                      ls_error *error)
{
    size_t length = (size_t)(end - begin);
    if (length == 0)
        return ls_error_set(error, LS_USAGE, "%s is missing", what);
    if (length >= size)
        return ls_error_set(error, LS_USAGE, "%s %.*s is longer than %zu letters", what, 20, begin,
                            size - 1);
    memcpy(word, begin, length);
    word[length] = 0;
    return true;
}

/* Names become parts of file paths, and stand after @ and before ':'. */
static bool check_name(const char *name, const char *what, ls_error *error)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
            return ls_error_set(error, LS_USAGE,
                                "%s '%s' holds '%c': use letters, digits, '_' and '-'", what, name,
                                *c);
    return true;
}

static bool read_inputs(ls_spec *spec, const char *begin, const char *end, ls_error *error)
{
    const char *comma, *stop;
    do {
        comma = memchr(begin, ',', (size_t)(end - begin));
        stop = comma ? comma : end;
        if (spec->inputs == LS_SPEC_INPUTS)
            return ls_error_set(error, LS_USAGE, "more than %d inputs after @", LS_SPEC_INPUTS);
        char *word = spec->input[spec->inputs++];
        if (!read_word(begin, stop, word, LS_WORD, "an input's name after @", error) ||
            !check_name(word, "the input", error))
            return false;
        begin = stop + 1;
    } while (comma);
    return true;
}

/* NULL: the spec does not give the key. */
static const char *value_of(const ls_spec *spec, const char *key)
{
    for (int i = 0; i < spec->keys; i++)
        if (strcmp(spec->at[i].key, key) == 0)
            return spec->at[i].value;
    return NULL;
}

static bool read_pair(ls_spec *spec, const char *begin, const char *equals, const char *end,
                      ls_error *error)
{
    if (spec->keys == LS_SPEC_KEYS)
        return ls_error_set(error, LS_USAGE, "more than %d keys", LS_SPEC_KEYS);
    char *key = spec->at[spec->keys].key, *value = spec->at[spec->keys].value;
    if (!read_word(begin, equals, key, LS_WORD, "the key before '='", error))
        return false;
    if (!read_word(equals + 1, end, value, sizeof spec->at[0].value, "the value", error))
        return ls_error_prefix(error, "%s=", key);
    if (value_of(spec, key))
        return ls_error_set(error, LS_USAGE, "%s= is given twice", key);
    spec->keys++;
    return true;
}

#define SPACE " \t\r\v\f"

/* Reads one word of the line, [begin, end). */
static bool read_part(ls_spec *spec, const char *begin, const char *end, ls_error *error)
{
    const char *equals = memchr(begin, '=', (size_t)(end - begin));
    if (*begin == '@')
        return read_inputs(spec, begin + 1, end, error);
    if (equals)
        return read_pair(spec, begin, equals, end, error);
    if (end[-1] == ':' && !spec->type[0] && !spec->name[0])
        return read_word(begin, end - 1, spec->name, LS_WORD, "the name before ':'", error) &&
               check_name(spec->name, "the name", error);
    if (strcmp(spec->type, "input") == 0 && !spec->shape[0])
        return read_word(begin, end, spec->shape, sizeof spec->shape, "the shape", error);
    if (spec->type[0])
        return ls_error_set(error, LS_USAGE,
                            "'%.*s' is neither key=value nor @input (after type %s)",
                            (int)(end - begin), begin, spec->type);
    return read_word(begin, end, spec->type, LS_WORD, "the type", error);
}

bool ls_spec_parse(const char *line, ls_spec *spec, ls_error *error)
{
    *spec = (ls_spec){0};
    const char *stop = line + strcspn(line, "#\n"), *word = line + strspn(line, SPACE);
    for (const char *end; word < stop; word = end + strspn(end, SPACE)) {
        end = word + strcspn(word, SPACE "#\n");
        if (*word != '@' && !spec->type[0] && memchr(word, '=', (size_t)(end - word)))
            return ls_error_set(error, LS_USAGE,
                                "'%.*s' stands before any type: write TYPE key=value",
                                (int)(end - word), word);
        if (!read_part(spec, word, end, error))
            return false;
    }
    if (!spec->type[0] && (spec->name[0] || spec->inputs))
        return ls_error_set(error, LS_USAGE, "no type after '%s'",
                            spec->name[0] ? spec->name : "@");
    return true;
}

bool ls_spec_each_line(const char *lines, const char *name,
                       bool (*add)(void *context, const ls_spec *spec, ls_error *error),
                       void *context, ls_error *error)
{
    int number = 1;
    for (const char *line = lines; *line; number++) {
        ls_spec spec;
        const int length = (int)strcspn(line, "\n");
        if (!ls_spec_parse(line, &spec, error) || (spec.type[0] && !add(context, &spec, error)))
            return ls_error_prefix(error, "%s%sline %d: '%.*s'", name ? name : "", name ? ", " : "",
                                   number, (int)strcspn(line, "#\n"), line);
        line += length + (line[length] == '\n');
    }
    return true;
}

bool ls_spec_parse_plain(const char *text, ls_spec *spec, ls_error *error)
{
    bool plain = ls_spec_parse(text, spec, error);
    if (plain && (spec->name[0] || spec->inputs))
        plain = ls_error_set(error, LS_USAGE, "expected TYPE key=value ..., without NAME: or @");
    return plain || ls_error_prefix(error, "'%s'", text);
}

/* Reads text into the field that the option stands for. */
typedef bool setter(const ls_option *option, const char *text, void *field, ls_error *error);

static bool check_range(const ls_option *option, const char *text, double value, ls_error *error)
{
    if (value >= option->low && value <= option->high)
        return true;
    if (option->high < 1e15)
        return ls_error_set(error, LS_USAGE, "%s=%s is out of range: %.10g to %.10g", option->key,
                            text, option->low, option->high);
    return ls_error_set(error, LS_USAGE, "%s=%s is out of range: at least %.10g", option->key, text,
                        option->low);
}

static bool set_int(const ls_option *option, const char *text, void *field, ls_error *error)
{
    long *value = field;
    if (!ls_parse_long(text, value))
        return ls_error_set(error, LS_USAGE, "%s=%s is not a whole number", option->key, text);
    return check_range(option, text, (double)*value, error);
}

static bool set_real(const ls_option *option, const char *text, void *field, ls_error *error)
{
    double *value = field;
    if (!ls_parse_double(text, value))
        return ls_error_set(error, LS_USAGE, "%s=%s is not a number", option->key, text);
    return check_range(option, text, *value, error);
}

static bool set_bool(const ls_option *option, const char *text, void *field, ls_error *error)
{
    if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
        return ls_error_set(error, LS_USAGE, "%s=%s: write 0 or 1", option->key, text);
    *(bool *)field = text[0] == '1';
    return true;
}

static bool set_choice(const ls_option *option, const char *text, void *field, ls_error *error)
{
    char known[512] = "", hint[2 * LS_WORD];
    int count = 0;
    for (; option->choices[count]; count++) {
        if (strcmp(option->choices[count], text) == 0) {
            *(int *)field = count;
            return true;
        }
        ls_format_join(known, sizeof known, option->choices[count]);
    }
    did_you_mean(text, option->choices, count, sizeof *option->choices, hint);
    return ls_error_set(error, LS_USAGE, "%s=%s is not known%s (known: %s)", option->key, text,
                        hint, known);
}

static bool set_word(const ls_option *option, const char *text, void *field, ls_error *error)
{
    return read_word(text, text + strlen(text), field, LS_WORD, option->key, error);
}

/* Sets the members of a list of numbers "a,b,c", `size` bytes apart, each by `set`. */
static bool set_members(const ls_option *option, const char *text, int *count, void *members,
                        size_t size, setter *set, ls_error *error)
{
    const char *at = text, *end;
    char word[LS_WORD];
    *count = 0;
    do {
        end = at + strcspn(at, ",");
        if (at == end)
            return ls_error_set(error, LS_USAGE, "%s=%s has an empty place", option->key, text);
        if (*count == LS_LIST)
            return ls_error_set(error, LS_USAGE, "%s= holds more than %d numbers", option->key,
                                LS_LIST);
        if (!read_word(at, end, word, sizeof word, option->key, error) ||
            !set(option, word, (char *)members + (size_t)*count * size, error))
            return false;
        ++*count;
        at = end + 1;
    } while (*end);
    return true;
}

static bool set_list(const ls_option *option, const char *text, void *field, ls_error *error)
{
    ls_list *list = field;
    return set_members(option, text, &list->count, list->at, sizeof *list->at, set_int, error);
}

static bool set_reals(const ls_option *option, const char *text, void *field, ls_error *error)
{
    ls_reals *list = field;
    return set_members(option, text, &list->count, list->at, sizeof *list->at, set_real, error);
}

static setter *const setters[] = {
    [LS_OPTION_INT] = set_int,       [LS_OPTION_REAL] = set_real, [LS_OPTION_BOOL] = set_bool,
    [LS_OPTION_CHOICE] = set_choice, [LS_OPTION_WORD] = set_word, [LS_OPTION_LIST] = set_list,
    [LS_OPTION_REALS] = set_reals,
};

bool ls_option_set(const ls_option *option, const char *text, void *out, ls_error *error)
{
    return setters[option->kind](option, text, (char *)out + option->offset, error);
}

static const ls_option *find_option(const ls_option *options, const char *key)
{
    for (const ls_option *o = options; o && o->key; o++)
        if (strcmp(o->key, key) == 0)
            return o;
    return NULL;
}

static bool unknown_key(const ls_spec *spec, const char *key, const ls_option *options,
                        const ls_option *common, ls_error *error)
{
    const char *names[2 * LS_SPEC_KEYS];
    char known[512] = "", hint[2 * LS_WORD];
    int count = 0;
    const ls_option *tables[] = {options, common};
    for (int t = 0; t < 2; t++)
        for (const ls_option *o = tables[t]; o && o->key && count < 2 * LS_SPEC_KEYS; o++) {
            names[count++] = o->key;
            ls_format_join(known, sizeof known, o->key);
        }
    did_you_mean(key, names, count, sizeof *names, hint);
    return ls_error_set(error, LS_USAGE, "%s has no key %s%s (known: %s)", spec->type, key, hint,
                        count ? known : "none");
}

bool ls_spec_read(const ls_spec *spec, const ls_option *options, const ls_option *common, void *out,
                  ls_error *error)
{
    for (int k = 0; k < spec->keys; k++)
        if (!find_option(options, spec->at[k].key) && !find_option(common, spec->at[k].key))
            return unknown_key(spec, spec->at[k].key, options, common, error);
    for (const ls_option *o = options; o && o->key; o++) {
        const char *given = value_of(spec, o->key), *value = given ? given : o->preset;
        if (!value)
            return ls_error_set(error, LS_USAGE, "%s needs %s= (%s)", spec->type, o->key, o->help);
        bool right = ls_option_set(o, value, out, error);
        ls_check(right || given, "the preset of %s's key %s is wrong", spec->type, o->key);
        if (!right)
            return ls_error_prefix(error, "%s", spec->type);
    }
    return true;
}
