/* list: lockstep list: what there is, with options and defaults, from the code's own tables. */
#include <stdlib.h>
#include <string.h>

#include "core/layers/activation.h"
#include "core/loss.h"
#include "core/memory.h"
#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "core/schedule.h"
#include "io/transform.h"
#include "launch/command.h"

enum { WIDTH = 96, NAME = 14, KEY = 26, TEXT = 1024 };

/* Words of `text` from column `from` on, the lines after the first indented as far; `at` is the
 * column where the line stands. */
static void put_wrapped(FILE *out, int at, int from, const char *text)
{
    if (at >= from) {
        fputc('\n', out);
        at = 0;
    }
    fprintf(out, "%*s", from - at, "");
    at = from;
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (at > from && at + 1 + word > WIDTH) {
            fprintf(out, "\n%*s", from, "");
            at = from;
        }
        at += fprintf(out, "%s%.*s", at > from ? " " : "", word, text);
        text += word + (text[word] == ' ');
    }
    fputc('\n', out);
}

/* "key=N", "key=tanh|relu": how an option is written. */
static int put_key(FILE *out, const ls_option *option)
{
    static const char *const kinds[] = {
        [LS_OPTION_INT] = "N",        [LS_OPTION_REAL] = "X",    [LS_OPTION_BOOL] = "0|1",
        [LS_OPTION_CHOICE] = "",      [LS_OPTION_WORD] = "NAME", [LS_OPTION_LIST] = "N,N,...",
        [LS_OPTION_REALS] = "X,X,..."};
    int length = fprintf(out, "    %s=%s", option->key, kinds[option->kind]);
    for (int c = 0; option->kind == LS_OPTION_CHOICE && option->choices[c]; c++)
        length += fprintf(out, "%s%s", c ? "|" : "", option->choices[c]);
    return length;
}

/* "help (0 to 1; default 0.9)" */
static void describe(const ls_option *option, char *text, size_t size)
{
    static const double many = 1e6; /* a limit as far as this is none to a person */
    bool number = option->kind == LS_OPTION_INT || option->kind == LS_OPTION_REAL ||
                  option->kind == LS_OPTION_LIST || option->kind == LS_OPTION_REALS;
    char range[80] = "";
    if (number && option->high < many)
        snprintf(range, sizeof range, "%g to %g; ", option->low, option->high);
    else if (number && option->low > -many)
        snprintf(range, sizeof range, "%g or more; ", option->low);
    snprintf(text, size, "%s (%s%s%s)", option->help, range,
             option->preset ? "default " : "must be given", option->preset ? option->preset : "");
}

static void put_options(FILE *out, const ls_option *options)
{
    char text[TEXT];
    for (; options && options->key; options++) {
        describe(options, text, sizeof text);
        put_wrapped(out, put_key(out, options), KEY, text);
    }
}

static void put_entry(FILE *out, const char *name, const char *help, const ls_option *options)
{
    put_wrapped(out, fprintf(out, "  %s", name), NAME + 2, help);
    put_options(out, options);
}

static void list_models(FILE *out)
{
    for (int i = 0; ls_model_types[i]; i++)
        put_entry(out, ls_model_types[i]->name, ls_model_types[i]->help,
                  ls_model_types[i]->options);
}

static void list_layers(FILE *out)
{
    for (int i = 0; ls_layer_types[i]; i++)
        put_entry(out, ls_layer_types[i]->name, ls_layer_types[i]->help,
                  ls_layer_types[i]->options);
}

static void list_activations(FILE *out)
{
    static const char *const alpha[] = {[LS_ALPHA_NONE] = "",
                                        [LS_ALPHA_FIXED] = "; alpha is %g",
                                        [LS_ALPHA_LEARNED] = "; alpha starts at %g"};
    for (const ls_activation *a = ls_activations; a->name; a++) {
        char text[TEXT];
        int used = snprintf(text, sizeof text, "f(z) = %s", a->formula);
        if (a->takes != LS_ALPHA_NONE)
            snprintf(text + used, sizeof text - (size_t)used, alpha[a->takes], a->alpha);
        put_entry(out, a->name, text, NULL);
        snprintf(text, sizeof text, "f'(z) = %s%s", a->derivative,
                 a->flat ? "; to learn through it: surrogate=ste" : "");
        put_wrapped(out, 0, NAME + 2, text);
    }
}

static void list_losses(FILE *out)
{
    for (const ls_loss_type *loss = ls_loss_types; loss->name; loss++)
        put_entry(out, loss->name, loss->help, NULL);
}

static void list_objectives(FILE *out)
{
    for (int i = 0; ls_objective_types[i]; i++)
        put_entry(out, ls_objective_types[i]->name, ls_objective_types[i]->help,
                  ls_objective_types[i]->options);
}

static void list_optimizers(FILE *out)
{
    for (const ls_optimizer_type *type = ls_optimizer_types; type->name; type++)
        put_entry(out, type->name, type->help, type->options);
}

static void list_schedules(FILE *out)
{
    for (const ls_schedule_type *type = ls_schedule_types; type->name; type++)
        put_entry(out, type->name, type->help, type->options);
}

static void list_initializers(FILE *out)
{
    static const char *const help[] = {
        [LS_INIT_ZERO] = "0",
        [LS_INIT_HE] = "normal, standard deviation sqrt(2 / inputs) (He et al. 2015, eq. 10)",
        [LS_INIT_XAVIER] =
            "uniform in +-sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010, eq. 16)",
        [LS_INIT_NORMAL] = "normal, standard deviation scale=",
        [LS_INIT_UNIFORM] = "uniform in +-scale="};
    for (int i = 0; ls_initializer_names[i]; i++)
        put_entry(out, ls_initializer_names[i], help[i], NULL);
}

static void list_transforms(FILE *out)
{
    for (int i = 0; ls_transform_types[i]; i++)
        put_entry(out, ls_transform_types[i]->name, ls_transform_types[i]->help,
                  ls_transform_types[i]->options);
}

static const struct section {
    const char *name, *about;
    void (*list)(FILE *out);
} sections[] = {
    {"models", "model: of a job file", list_models},
    {"layers", "lines of net:, as [name:] type [@input,...] key=value ...", list_layers},
    {"activations", "activation function= and models' activation=", list_activations},
    {"losses", "objective: supervised loss=", list_losses},
    {"objectives", "objective: of a stage", list_objectives},
    {"optimizers", "optimizer: of a stage", list_optimizers},
    {"schedules", "schedule: of a stage, a factor on the optimizer's rate", list_schedules},
    {"initializers", "init= of layers with weights", list_initializers},
    {"transforms", "lines of transform: of a job file", list_transforms},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

static void put_section(FILE *out, const struct section *section)
{
    char title[16];
    snprintf(title, sizeof title, "%s", section->name);
    title[0] = (char)(title[0] - 'a' + 'A');
    fprintf(out, "%s (%s)\n", title, section->about);
    section->list(out);
}

static bool put_net(FILE *out, const char *name, const char *lines, const ls_shape *input,
                    ls_error *error)
{
    ls_params *params = ls_params_create();
    ls_net *net = ls_net_build(params, NULL, name, lines, input, error);
    bool ok = net != NULL;
    if (ok) {
        fprintf(out, "%s: |\n", name);
        for (const char *line = lines; *line;) {
            int length = (int)strcspn(line, "\n");
            fprintf(out, "  %.*s\n", length, line);
            line += length + (line[length] == '\n');
        }
        fputc('\n', out);
        ls_net_print(net, out);
    }
    ls_net_destroy(net);
    ls_params_destroy(params);
    return ok;
}

static const char *usual_input(const char *model)
{
    char name[LS_WORD];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(model, " "), model);
    const ls_model_type *type = ls_model_find(name);
    return type ? type->input : "1"; /* ls_model_write says that there is no such model */
}

static bool put_model(FILE *out, const char *model, const char *input, ls_error *error)
{
    ls_shape shape = {0};
    ls_model_nets nets;
    if (!ls_shape_parse("--input", input ? input : usual_input(model), &shape, error) ||
        !ls_model_write(model, &shape, &nets, error))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < nets.count; i++) {
        fputs(i ? "\n" : "", out);
        ok = put_net(out, nets.name[i], nets.lines[i], &shape, error);
    }
    const ls_recipe *recipe = &nets.recipe;
    if (ok)
        fprintf(out,
                "\nWhere the job says nothing else:\n"
                "  objective: %s\n  optimizer: %s\n  schedule:  %s\n  batch:     %ld\n"
                "  epochs:    %ld\n",
                recipe->objective, recipe->optimizer, recipe->schedule, recipe->batch,
                recipe->epochs);
    ls_model_release(&nets);
    return ok;
}

typedef struct arguments {
    ls_words words; /* none, or a section */
    const char *model, *input;
} arguments;

static const struct section *find_section(const char *name)
{
    for (int i = 0; i < SECTIONS; i++)
        if (strcmp(sections[i].name, name) == 0)
            return &sections[i];
    return NULL;
}

static void check_arguments(const void *context, const struct argp_state *state)
{
    const arguments *a = context;
    const char *name = a->words.count ? a->words.at[0] : NULL;
    if (name && !find_section(name)) {
        const char *near = ls_nearest(name, sections, SECTIONS, sizeof sections[0]);
        argp_error(state, "there is no list of '%s'%s%s%s", name, near ? ": did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
    }
    if (a->input && !a->model)
        argp_error(state, "--input goes with --model");
}

static const ls_command_option options[] = {
    {"model", 'm', "MODEL", "the layers and parameters of a model: 'lenet classes=10'",
     LS_COMMAND_TEXT, .offset = offsetof(arguments, model)},
    {"input", 'i', "SHAPE",
     "with --model: of a row of the data, as 28,28,1 (default: the model's usual input)",
     LS_COMMAND_TEXT, .offset = offsetof(arguments, input)},
    {NULL}};

const ls_usage ls_usage_list = {
    .options = options,
    .check = check_arguments,
    .arguments = "[models|layers|activations|losses|objectives|optimizers|schedules|initializers|"
                 "transforms]",
    .about = "Lists what there is, with options and defaults; without an argument all of it.",
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
    if (ls_command_rank() != 0)
        return 0;
    if (a.model)
        return put_model(stdout, a.model, a.input, &error) ? 0 : ls_command_fail(0, &error);
    if (a.words.count) {
        put_section(stdout, find_section(a.words.at[0]));
        return 0;
    }
    for (int i = 0; i < SECTIONS; i++) {
        fputs(i ? "\n" : "", stdout);
        put_section(stdout, &sections[i]);
    }
    return 0;
}
