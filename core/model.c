/* model: the table of models, and the spec lines that they write. */
#include "core/model.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "core/layer.h"
#include "core/memory.h"

#define LS_MODEL(name) extern const ls_model_type ls_model_##name;
#include "core/models.def"
#undef LS_MODEL

const ls_model_type *const ls_model_types[] = {
#define LS_MODEL(name) &ls_model_##name,
#include "core/models.def"
#undef LS_MODEL
    NULL};

const ls_model_type *ls_model_find(const char *name)
{
    return ls_spec_find_type(ls_model_types, name, "model", NULL);
}

static bool has_key(const ls_option *options, const char *key)
{
    for (const ls_option *o = options; o && o->key; o++)
        if (strcmp(o->key, key) == 0)
            return true;
    return false;
}

/* A key that the model does not have may be one of its lines. */
static void add_line_hint(const ls_spec *spec, const ls_model_type *model, ls_error *error)
{
    const ls_layer_type *found = NULL;
    int k = 0;
    while (k < spec->keys && has_key(model->options, spec->at[k].key))
        k++;
    for (int i = 0; k < spec->keys && ls_layer_types[i]; i++)
        if (has_key(ls_layer_types[i]->options, spec->at[k].key) &&
            (!found || strcmp(ls_layer_types[i]->name, model->name) == 0))
            found = ls_layer_types[i];
    if (!found || !error)
        return;
    const ls_error plain = *error;
    ls_error_set(error, plain.code,
                 "%s; %s is a key of %s lines: `lockstep list --model '%s ...'` prints the lines "
                 "of a model, for `net:` in place of `model:`",
                 plain.text, spec->at[k].key, found->name, model->name);
}

/* Reads "mlp widths=784,10": the model, and its options, to be freed. */
static const ls_model_type *read_model(const char *text, void **options, ls_error *error)
{
    ls_spec spec;
    if (!ls_spec_parse_plain(text, &spec, error))
        return NULL;
    if (!spec.type[0]) {
        ls_error_set(error, LS_USAGE, "the name of a model is missing");
        return NULL;
    }
    const ls_model_type *type = ls_spec_find_type(ls_model_types, spec.type, "model", error);
    if (type && type->stands_for) {
        const char *given = strstr(text, spec.type) + strlen(spec.type);
        char *whole = ls_format("%s%s", type->stands_for, given);
        type = read_model(whole, options, error);
        ls_free(whole);
        return type;
    }
    *options = type ? ls_alloc(1, type->size) : NULL;
    if (type && ls_spec_read(&spec, type->options, NULL, *options, error))
        return type;
    ls_free(*options);
    if (type)
        add_line_hint(&spec, type, error);
    return NULL;
}

bool ls_model_write(const char *text, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    *nets = (ls_model_nets){0};
    return ls_model_complete(text, input, nets, error);
}

bool ls_model_write_rows(const char *text, const char *input, ls_shape *shape, ls_model_nets *nets,
                         ls_error *error)
{
    char name[LS_WORD];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, " "), text);
    const ls_model_type *type = ls_model_find(name);
    const char *usual =
        type ? type->input : "1"; /* ls_model_write says that there is no such model */
    if (!ls_shape_parse("--input", input ? input : usual, shape, error))
        return false;
    return ls_model_write(text, shape, nets, error) ||
           (type && !input &&
            ls_error_prefix(error, "rows of the shape %s, which is usual (--input gives another)",
                            usual));
}

/* The names of a model's nets, into name[room]: their number. */
static int list_nets(const ls_model_type *type, char name[][LS_WORD], int room)
{
    int count = 0;
    size_t length;
    for (const char *at = type->nets ? type->nets : "net"; *at && count < room; at += length) {
        length = strcspn(at, " ");
        snprintf(name[count++], LS_WORD, "%.*s", (int)length, at);
        length += at[length] == ' ';
    }
    return count;
}

/* All nets are the model's. *all: they are all of its nets. */
static bool check_names(const ls_model_type *type, const ls_model_nets *nets, bool *all,
                        ls_error *error)
{
    char known[LS_MODEL_NETS][LS_WORD];
    const char *name[LS_MODEL_NETS];
    int count = list_nets(type, known, LS_MODEL_NETS);
    for (int i = 0; i < count; i++)
        name[i] = known[i];
    *all = nets->count == count;
    for (int i = 0, k; i < nets->count; i++) {
        for (k = 0; k < count && strcmp(name[k], nets->name[i]) != 0; k++)
            ;
        const char *near = ls_nearest(nets->name[i], name, count, sizeof name[0]);
        if (k == count)
            return ls_error_set(error, LS_USAGE, "%s has no net %s%s%s%s (its nets are: %s)",
                                type->name, nets->name[i], near ? ": did you mean " : "",
                                near ? near : "", near ? "?" : "", type->nets ? type->nets : "net");
    }
    return true;
}

bool ls_model_complete(const char *text, const ls_shape *input, ls_model_nets *nets,
                       ls_error *error)
{
    void *options;
    bool all;
    ls_model_nets model = {.vocabulary = nets->vocabulary};
    const ls_model_type *type = read_model(text, &options, error);
    bool ok = type && check_names(type, nets, &all, error);
    if (ok && !all)
        ok = type->write(options, input, &model, error);
    for (int i = 0; ok && i < nets->count; i++)
        ls_model_put(&model, nets->name[i], nets->lines[i]);
    if (type)
        ls_free(options);
    if (!ok)
        ls_model_release(&model);
    ls_model_release(nets);
    *nets = model;
    return ok;
}

/* Whether `key` is one of the words. */
static bool has_word(const char *words, const char *key)
{
    const size_t length = strlen(key);
    for (const char *at = words; at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL)
        if (strncmp(at, key, length) == 0 && strchr(" ", at[length]))
            return true;
    return false;
}

/* The k-th key of the spec that only default stages hear of; -1: it has not so many. */
static int find_filling(const ls_spec *spec, int k)
{
    const ls_model_type *type = ls_model_find(spec->type);
    for (int i = 0, seen = 0; type && i < spec->keys; i++)
        if (has_word(type->fills, spec->at[i].key) && seen++ == k)
            return i;
    return -1;
}

char *ls_model_drop(const char *text, int k, char option[LS_MODEL_OPTION])
{
    ls_spec spec;
    const int dropped = ls_spec_parse_plain(text, &spec, NULL) ? find_filling(&spec, k) : -1;
    if (dropped < 0)
        return NULL;
    char *rest = ls_copy_string(spec.type);
    for (int i = 0; i < spec.keys; i++) {
        char *before = rest;
        if (i == dropped)
            continue;
        rest = ls_format("%s %s=%s", before, spec.at[i].key, spec.at[i].value);
        ls_free(before);
    }
    snprintf(option, LS_MODEL_OPTION, "%s=%s", spec.at[dropped].key, spec.at[dropped].value);
    return rest;
}

bool ls_model_stages(const char *text, ls_recipe_list *list, ls_error *error)
{
    void *options;
    *list = (ls_recipe_list){0};
    const ls_model_type *type = read_model(text, &options, error);
    if (!type)
        return false;
    if (type->stages)
        type->stages(options, list);
    else
        ls_model_add_stage(list, &type->recipe);
    ls_free(options);
    return true;
}

void ls_model_add_stage(ls_recipe_list *list, const ls_recipe *recipe)
{
    list->at = ls_realloc(list->at, (size_t)++list->count, sizeof *list->at);
    list->at[list->count - 1] = (ls_recipe){.objective = ls_copy_string(recipe->objective),
                                            .optimizer = ls_copy_string(recipe->optimizer),
                                            .schedule = ls_copy_string(recipe->schedule),
                                            .batch = recipe->batch,
                                            .epochs = recipe->epochs};
}

void ls_model_release_stages(ls_recipe_list *list)
{
    for (int i = 0; i < list->count; i++) {
        ls_free((char *)list->at[i].objective);
        ls_free((char *)list->at[i].optimizer);
        ls_free((char *)list->at[i].schedule);
    }
    ls_free(list->at);
    *list = (ls_recipe_list){0};
}

void ls_model_release(ls_model_nets *nets)
{
    for (int i = 0; i < nets->count; i++)
        ls_free(nets->lines[i]);
    *nets = (ls_model_nets){0};
}

/* The place of the net, which is made if it is not there. */
static char **lines_of(ls_model_nets *nets, const char *name)
{
    int net = 0;
    while (net < nets->count && strcmp(nets->name[net], name) != 0)
        net++;
    if (net == nets->count) {
        ls_check(net < LS_MODEL_NETS, "a model of more than %d nets", LS_MODEL_NETS);
        snprintf(nets->name[net], LS_WORD, "%s", name);
        nets->lines[net] = ls_copy_string("");
        nets->count++;
    }
    return &nets->lines[net];
}

void ls_model_put(ls_model_nets *nets, const char *name, const char *lines)
{
    char **place = lines_of(nets, name);
    ls_free(*place);
    *place = ls_copy_string(lines);
}

void ls_model_add(ls_model_nets *nets, const char *name, const char *format, ...)
{
    char line[512], **place = lines_of(nets, name);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    ls_check(length >= 0 && (size_t)length < sizeof line, "a spec line of %d letters", length);
    char *longer = ls_format("%s%s", *place, line);
    ls_free(*place);
    *place = longer;
}

void ls_model_input(ls_model_nets *nets, const char *name, const ls_shape *shape)
{
    char text[96] = "";
    for (int i = 0; i < shape->rank; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%ld", i ? "," : "",
                 shape->at[i]);
    ls_model_add(nets, name, "input %s\n", text);
}

bool ls_model_takes(const char *model, const ls_shape *input, long least, ls_error *error)
{
    char text[96];
    if (input->rank == 3 && input->at[0] >= least && input->at[1] >= least)
        return true;
    return ls_error_set(error, LS_USAGE,
                        "%s: takes images height x width x channels of at least %ldx%ld, but a row "
                        "of the data is %s%s",
                        model, least, least, ls_shape_text(input, text, sizeof text),
                        input->rank == 2 ? ": add a last dimension of 1 channel" : "");
}

long ls_model_units(double width, long units)
{
    long scaled = lround(width * (double)units);
    return scaled < 1 ? 1 : scaled;
}
