/* list: lockstep list: prints everything that a job file can name, or the layers of a model. */
#include "launch/manual/list.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/layer.h"
#include "core/layers/activation.h"
#include "core/loss.h"
#include "core/memory.h"
#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "core/schedule.h"
#include "io/transform.h"
#include "launch/command.h"
#include "launch/job/job_keys.h"

enum { WIDTH = 96, NAME = 14, KEY = 26 };

/* Prints `text` from column `from` on, in lines of at most WIDTH columns, after the `column`
 * columns that the line has. */
static void put_wrapped(int column, int from, const char *text)
{
    printf(column < from ? "%*s" : "\n%*s", column < from ? from - column : from, "");
    column = from;
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (column > from && column + 1 + word > WIDTH) {
            printf("\n%*s", from, "");
            column = from;
        }
        column += printf("%s%.*s", column > from ? " " : "", word, text);
        text += word + (text[word] == ' ');
    }
    putchar('\n');
}

static bool fill_activation(int i, ls_list_entry *entry)
{
    static const char *const alpha[] = {[LS_ALPHA_NONE] = "",
                                        [LS_ALPHA_FIXED] = "; alpha is %g",
                                        [LS_ALPHA_LEARNED] = "; alpha starts at %g"};
    const ls_activation *a = &ls_activations[i];
    if (!a->name)
        return false;
    char text[64] = "";
    if (a->takes != LS_ALPHA_NONE)
        snprintf(text, sizeof text, alpha[a->takes], a->alpha);
    snprintf(entry->name, sizeof entry->name, "%s", a->name);
    snprintf(entry->help, sizeof entry->help, "f(z) = %s; f'(z) = %s%s%s", a->formula,
             a->derivative, text, a->flat ? "; to learn through it: surrogate=ste" : "");
    return true;
}

static bool fill_initializer(int i, ls_list_entry *entry)
{
    static const char *const help[] = {
        [LS_INIT_ZERO] = "0",
        [LS_INIT_HE] = "normal, standard deviation sqrt(2 / inputs) (He et al. 2015, eq. 10)",
        [LS_INIT_XAVIER] =
            "uniform in +-sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010, eq. 16)",
        [LS_INIT_NORMAL] = "normal, standard deviation scale=",
        [LS_INIT_UNIFORM] = "uniform in +-scale="};
    if (!ls_initializer_names[i])
        return false;
    snprintf(entry->name, sizeof entry->name, "%s", ls_initializer_names[i]);
    snprintf(entry->help, sizeof entry->help, "%s", help[i]);
    return true;
}

/* The name is "batch: 128"; the help says the key's values, its default and what may change on
 * resume. */
static bool fill_key(int i, ls_list_entry *entry)
{
    char name[LS_WORD], expected[512], rules[256];
    const ls_job_key *key = &ls_job_keys[i];
    if (!key->name)
        return false;
    snprintf(entry->name, sizeof entry->name, "%s: %s", ls_job_key_path(key, -1, name, sizeof name),
             key->example);
    snprintf(entry->help, sizeof entry->help, "%s. %s",
             ls_job_key_expected(key, expected, sizeof expected),
             ls_job_key_rules(key, rules, sizeof rules));
    return true;
}

const ls_list_section ls_list_sections[] = {
    {"keys", "of a job file, each with an example; on the command line as batch=128",
     .fill = fill_key},
    {"models", "model: of a job file", ls_model_types, .options = offsetof(ls_model_type, options)},
    {"layers", "lines of net:, as [name:] type [@input,...] key=value ...", ls_layer_types,
     .options = offsetof(ls_layer_type, options), .aliases = ls_layer_aliases,
     .common = ls_layer_key_options},
    {"activations", "activation function= and models' activation=", .fill = fill_activation},
    {"losses", "objective: supervised loss=", ls_loss_types, sizeof(ls_loss_type), .options = 0},
    {"objectives", "objective: of a stage", ls_objective_types,
     .options = offsetof(ls_objective_type, options)},
    {"optimizers", "optimizer: of a stage", ls_optimizer_types, sizeof(ls_optimizer_type),
     .options = offsetof(ls_optimizer_type, options)},
    {"schedules", "schedule: of a stage, a factor on the optimizer's rate", ls_schedule_types,
     sizeof(ls_schedule_type), .options = offsetof(ls_schedule_type, options)},
    {"initializers", "init= of layers with weights", .fill = fill_initializer},
    {"transforms", "lines of transform: of a job file", ls_transform_types,
     .options = offsetof(ls_transform_type, options)},
    {.name = NULL}};
enum { SECTIONS = sizeof ls_list_sections / sizeof ls_list_sections[0] - 1 };

bool ls_list_get(const ls_list_section *section, int i, ls_list_entry *entry)
{
    *entry = (ls_list_entry){.options = NULL};
    if (section->common && i-- == 0) {
        *entry =
            (ls_list_entry){"TYPE", "every type of line takes these keys too", section->common};
        return true;
    }
    if (section->fill)
        return section->fill(i, entry);
    const char *type = section->stride ? (const char *)section->table + (size_t)i * section->stride
                                       : ((const char *const *)section->table)[i];
    const char *const *words = (const char *const *)type; /* name, help */
    if (!type || !words[0])
        return false;
    snprintf(entry->name, sizeof entry->name, "%s", words[0]);
    size_t used = (size_t)snprintf(entry->help, sizeof entry->help, "%s", words[1]);
    for (int k = 0; section->aliases && section->aliases[k][0]; k++)
        if (strcmp(section->aliases[k][1], words[0]) == 0)
            used += (size_t)snprintf(entry->help + used, sizeof entry->help - used,
                                     "; also called %s", section->aliases[k][0]);
    if (section->options)
        entry->options = *(const ls_option *const *)(type + section->options);
    return true;
}

bool ls_list_option(const ls_list_entry *entry, int i, ls_list_entry *option)
{
    static const char *const values[] = {
        [LS_OPTION_INT] = "N",        [LS_OPTION_REAL] = "X",    [LS_OPTION_BOOL] = "0|1",
        [LS_OPTION_CHOICE] = "",      [LS_OPTION_WORD] = "NAME", [LS_OPTION_LIST] = "N,N,...",
        [LS_OPTION_REALS] = "X,X,..."};
    static const double many = 1e6; /* a bound beyond it limits nothing in practice */
    const ls_option *o = entry->options ? &entry->options[i] : NULL;
    char range[80] = "";
    if (!o || !o->key)
        return false;
    size_t used =
        (size_t)snprintf(option->name, sizeof option->name, "%s=%s", o->key, values[o->kind]);
    for (int c = 0; o->kind == LS_OPTION_CHOICE && o->choices[c]; c++)
        used += (size_t)snprintf(option->name + used, sizeof option->name - used, "%s%s",
                                 c ? "|" : "", o->choices[c]);
    bool number = o->kind == LS_OPTION_INT || o->kind == LS_OPTION_REAL ||
                  o->kind == LS_OPTION_LIST || o->kind == LS_OPTION_REALS;
    if (number && o->high < many)
        snprintf(range, sizeof range, "%g to %g; ", o->low, o->high);
    else if (number && o->low > -many)
        snprintf(range, sizeof range, "%g or more; ", o->low);
    snprintf(option->help, sizeof option->help, "%s (%s%s%s)", o->help, range,
             o->preset ? "default " : "must be given", o->preset ? o->preset : "");
    return true;
}

static void put_section(const ls_list_section *section)
{
    ls_list_entry entry, option;
    printf("%c%s (%s)\n", section->name[0] - 'a' + 'A', section->name + 1, section->about);
    for (int i = 0; ls_list_get(section, i, &entry); i++) {
        put_wrapped(printf("  %s", entry.name), NAME + 2, entry.help);
        for (int k = 0; ls_list_option(&entry, k, &option); k++)
            put_wrapped(printf("    %s", option.name), KEY, option.help);
    }
}

static void put_net(const ls_net *net)
{
    const char *lines = net->lines;
    printf("%s: |\n", net->name);
    for (int length; *lines; lines += length + (lines[length] == '\n')) {
        length = (int)strcspn(lines, "\n");
        printf("  %.*s\n", length, lines);
    }
    putchar('\n');
    ls_net_print(net, stdout);
}

static bool put_nets(const ls_model_nets *model, const ls_shape *input, ls_error *error)
{
    int built = 0;
    ls_net *net[LS_MODEL_NETS];
    ls_params *params = ls_params_create();
    while (built < model->count && (net[built] = ls_net_build(params, NULL, model->name[built],
                                                              model->lines[built], input, error)))
        built++;
    for (int i = 0; i < built; i++) {
        fputs(i ? "\n" : "", stdout);
        put_net(net[i]);
    }
    for (int i = 0; i < built; i++)
        ls_net_destroy(net[i]);
    ls_params_destroy(params);
    return built == model->count;
}

/* As a job file has it: one text, or a line for each phase. */
static void put_optimizer(const char *text)
{
    const char *indent = strchr(text, '\n') ? "\n    " : " ";
    printf("  optimizer:");
    for (int length; *text; text += length + (text[length] == '\n')) {
        length = (int)strcspn(text, "\n");
        printf("%s%.*s", indent, length, text);
    }
    putchar('\n');
}

static void put_stages(const ls_recipe_list *stages)
{
    printf("\nWhere the job says nothing else:\n");
    for (int i = 0; i < stages->count; i++) {
        const ls_recipe *recipe = &stages->at[i];
        if (stages->count > 1)
            printf("  # stages.%d\n", i);
        printf("  objective: %s\n", recipe->objective);
        put_optimizer(recipe->optimizer);
        printf("  schedule:  %s\n  batch:     %ld\n  epochs:    %ld\n", recipe->schedule,
               recipe->batch, recipe->epochs);
    }
}

static bool put_model(const char *model, const char *input, ls_error *error)
{
    ls_shape shape = {0};
    ls_model_nets nets;
    ls_recipe_list stages;
    if (!ls_model_write_rows(model, input, &shape, &nets, error))
        return false;
    bool ok = put_nets(&nets, &shape, error) && ls_model_stages(model, &stages, error);
    if (ok) {
        put_stages(&stages);
        ls_model_release_stages(&stages);
    }
    ls_model_release(&nets);
    return ok;
}

typedef struct arguments {
    ls_words words; /* none, or a section */
    const char *model, *input;
} arguments;

static const ls_list_section *find_section(const char *name)
{
    for (int i = 0; i < SECTIONS; i++)
        if (strcmp(ls_list_sections[i].name, name) == 0)
            return &ls_list_sections[i];
    return NULL;
}

static void check_arguments(const void *context, const struct argp_state *state)
{
    const arguments *a = context;
    const char *name = a->words.count ? a->words.at[0] : NULL;
    if (name && !find_section(name)) {
        const char *near = ls_nearest(name, ls_list_sections, SECTIONS, sizeof ls_list_sections[0]);
        argp_error(state, "there is no list of '%s'%s%s%s", name, near ? ": did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
    }
    if (a->input && !a->model)
        argp_error(state, "--input goes with --model");
}

static const ls_command_option options[] = {
    {"model", 'm', "MODEL", "print the layers and parameters of a model: 'lenet classes=10'",
     LS_COMMAND_TEXT, .offset = offsetof(arguments, model)},
    {"input", 'i', "SHAPE",
     "with --model: the shape of a row, as 28,28,1 (default: the model's usual input)",
     LS_COMMAND_TEXT, .offset = offsetof(arguments, input)},
    {.name = NULL}};

const ls_usage ls_usage_list = {
    .alone = true,
    .options = options,
    .check = check_arguments,
    .arguments =
        "[keys|models|layers|activations|losses|objectives|optimizers|schedules|initializers|"
        "transforms]",
    .about = "Lists everything that a job file can name, with options and defaults; with an "
             "argument only one kind.",
    .more = "Examples:\n"
            "  lockstep list optimizers\n"
            "  lockstep list --model 'mlp widths=784,256,10'\n"
            "  lockstep list --model 'lenet classes=10' --input 28,28,1",
    .arguments_max = 1,
};

int ls_command_list(int argc, char **argv)
{
    arguments a = {.model = NULL};
    ls_error error;
    ls_command_parse(&ls_usage_list, argc, argv, &a.words);
    if (a.model)
        return put_model(a.model, a.input, &error) ? 0 : ls_command_fail(0, &error);
    const ls_list_section *only = a.words.count ? find_section(a.words.at[0]) : NULL;
    for (int i = 0; i < SECTIONS; i++) {
        fputs(i && !only ? "\n" : "", stdout);
        if (!only || only == &ls_list_sections[i])
            put_section(&ls_list_sections[i]);
    }
    return 0;
}
