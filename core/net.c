/* net: builds a graph of layers from spec lines. How it is applied: workspace.c. */
#include "core/net.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"

int ls_net_find(const ls_net *net, const char *name)
{
    for (int i = 0; i < net->count; i++)
        if (strcmp(net->layers[i]->name, name) == 0)
            return i;
    return -1;
}

int ls_net_last_reader(const ls_net *net, int count, int i)
{
    int last = i;
    for (int j = i + 1; j < count; j++)
        for (int k = 0; k < net->layers[j]->inputs; k++)
            last = net->layers[j]->input[k] == i ? j : last;
    return last;
}

/* The line's own name, or its type with a number: conv2d1, conv2d2. */
static bool name_layer(const ls_net *net, const ls_spec *spec, ls_layer *layer, ls_error *error)
{
    int number = 1;
    for (int i = 0; i < net->count; i++)
        number += net->layers[i]->type == layer->type;
    if (spec->name[0])
        strcpy(layer->name, spec->name);
    else
        snprintf(layer->name, sizeof layer->name, "%.32s%d", spec->type, number);
    if (ls_net_find(net, layer->name) >= 0 || strcmp(layer->name, "input") == 0)
        return ls_error_set(error, LS_USAGE, "the name %s is taken: give this line another",
                            layer->name);
    return true;
}

static bool find_inputs(const ls_net *net, const ls_spec *spec, ls_layer *layer, ls_error *error)
{
    layer->inputs = spec->inputs ? spec->inputs : 1;
    layer->input[0] = net->count - 1; /* the line before; -1: the net's input */
    for (int k = 0; k < spec->inputs; k++) {
        layer->input[k] = ls_net_find(net, spec->input[k]);
        if (layer->input[k] < 0 && strcmp(spec->input[k], "input") != 0)
            return ls_error_set(
                error, LS_USAGE,
                "@%s is no line above this one (a line can only read earlier lines, "
                "or @input)",
                spec->input[k]);
    }
    const ls_layer_type *type = layer->type;
    const int least = type->inputs_max ? type->inputs_min : 1;
    const int most = type->inputs_max ? type->inputs_max : 1;
    if (layer->inputs < least || layer->inputs > most)
        return ls_error_set(error, LS_USAGE, "%s takes %d to %d inputs, here are %d", type->name,
                            least, most, layer->inputs);
    for (int k = 0; k < layer->inputs; k++)
        layer->x[k] = layer->input[k] < 0 ? net->x : net->layers[layer->input[k]]->y;
    return true;
}

/* The net called name[length] of those that were built over the same parameters, or this one. */
static const ls_net *find_net(const ls_net *net, const char *name, size_t length)
{
    const ls_net *found = NULL;
    for (int i = 0; i <= net->params->nets; i++) {
        const ls_net *other = i < net->params->nets ? net->params->net[i] : net;
        if (other && strlen(other->name) == length && memcmp(other->name, name, length) == 0)
            found = other;
    }
    return found;
}

static const ls_layer *no_line(const ls_net *net, const char *share, const char *line,
                               ls_error *error)
{
    const char **names = ls_alloc((size_t)net->count, sizeof *names);
    for (int i = 0; i < net->count; i++)
        names[i] = net->layers[i]->name;
    const char *near = ls_nearest(line, names, net->count, sizeof *names);
    ls_error_set(error, LS_USAGE,
                 "share=%s: the net %s has no line %s above this one%s%s%s (a line can share with "
                 "an earlier line, or NET/LINE of a net that stands before this one)",
                 share, net->name, line, near ? ": did you mean " : "", near ? near : "",
                 near ? "?" : "");
    ls_free(names);
    return NULL;
}

/* The layer that share=LINE or NET/LINE names; NULL and an LS_USAGE error if there is none. */
static const ls_layer *find_shared(const ls_net *net, const char *share, ls_error *error)
{
    const char *slash = strchr(share, '/'), *line = slash ? slash + 1 : share;
    const ls_net *other = slash ? find_net(net, share, (size_t)(slash - share)) : net;
    if (!other) {
        ls_error_set(error, LS_USAGE,
                     "share=%s: there is no net %.*s before the net %s; nets are built in the "
                     "order in which they stand",
                     share, (int)(slash - share), share, net->name);
        return NULL;
    }
    int i = ls_net_find(other, line);
    return i < 0 ? no_line(other, share, line, error) : other->layers[i];
}

static bool check_transpose(const ls_layer *layer, ls_error *error)
{
    const ls_layer *from = layer->share.from;
    const char *type = layer->type->name;
    if (!from)
        return ls_error_set(error, LS_USAGE,
                            "transpose=1 goes with share=LINE, whose weight is transposed");
    if (!layer->type->transposes)
        return ls_error_set(error, LS_USAGE,
                            "%s takes no transpose=1: that is for dense lines (a deconv2d that "
                            "shares the weight of a conv2d is its transpose as it is)",
                            type);
    return from->type == layer->type ||
           ls_error_set(error, LS_USAGE,
                        "transpose=1: %s/%s is of type %s, but only the weight of a %s line can be "
                        "transposed here",
                        from->net->name, from->name, from->type->name, type);
}

static bool read_keys(const ls_net *net, const ls_spec *spec, ls_layer *layer, ls_error *error)
{
    ls_layer_keys keys;
    if (!ls_spec_read(spec, layer->type->options, ls_layer_key_options, layer->self, error) ||
        !ls_spec_read(spec, ls_layer_key_options, layer->type->options, &keys, error))
        return false;
    layer->share.transpose = keys.transpose;
    if (strcmp(keys.share, LS_LAYER_ALONE) != 0) {
        layer->share.from = find_shared(net, keys.share, error);
        if (!layer->share.from)
            return false;
    }
    return !keys.transpose || check_transpose(layer, error);
}

static bool set_up(ls_layer *layer, ls_error *error)
{
    const ls_layer *from = layer->share.from;
    layer->share.error = error;
    bool ok = layer->type->setup(layer, error) && !layer->share.refused;
    layer->share.error = NULL;
    if (!ok || !from || layer->share.slots)
        return ok;
    return ls_error_set(error, LS_USAGE,
                        "share=: a line of type %s uses no parameter of %s/%s, which is of type "
                        "%s: leave share= out",
                        layer->type->name, from->net->name, from->name, from->type->name);
}

/* Lists the slots that no line before uses. */
static void list_first(const ls_net *net, ls_layer *layer)
{
    for (int k = 0; k < layer->slots; k++) {
        bool earlier = false;
        for (int i = 0; i < net->count && layer->share.slots; i++)
            for (int j = 0; j < net->layers[i]->slots; j++)
                earlier |= net->layers[i]->slot[j] == layer->slot[k];
        if (!earlier)
            layer->share.first[layer->share.firsts++] = layer->slot[k];
    }
}

static void destroy_layer(ls_layer *layer)
{
    ls_free(layer->self);
    ls_free(layer);
}

/* The line `input 7,7,64`. */
static bool set_input(ls_net *net, const ls_spec *spec, ls_error *error)
{
    if (net->count > 0 || net->own_input)
        return ls_error_set(error, LS_USAGE,
                            "the shape of a net's input stands once, before all layers");
    if (!spec->shape[0] || spec->name[0] || spec->inputs || spec->keys)
        return ls_error_set(error, LS_USAGE,
                            "write the shape of a row, and nothing else: input 100, input 28,28,1");
    net->own_input = true;
    return ls_shape_parse("input", spec->shape, &net->x, error);
}

static bool add_layer(void *context, const ls_spec *spec, ls_error *error)
{
    ls_net *net = context;
    if (strcmp(spec->type, "input") == 0)
        return set_input(net, spec, error);
    const ls_layer_type *type = ls_spec_find_type(ls_layer_types, spec->type, "layer", error);
    if (!type)
        return false;
    ls_layer *layer = ls_alloc(1, sizeof *layer);
    layer->type = type;
    layer->stream = (uint32_t)net->params->nets << 16 | (uint32_t)net->count;
    layer->params = net->params;
    layer->self = ls_alloc(1, type->size);
    layer->net = net;
    if (!name_layer(net, spec, layer, error) || !find_inputs(net, spec, layer, error) ||
        !read_keys(net, spec, layer, error) || !set_up(layer, error)) {
        destroy_layer(layer);
        return false;
    }
    list_first(net, layer);
    layer->prepared = ls_params_claim_prepared(net->params, layer->prepared_size);
    net->layers = ls_realloc(net->layers, (size_t)net->count + 1, sizeof(ls_layer *));
    net->layers[net->count++] = layer;
    net->y = layer->y;
    return true;
}

/* The last line is the net's output; the output of any other must be read, else it is a mistake. */
static bool check_all_used(const ls_net *net, ls_error *error)
{
    for (int i = 0; i < net->count - 1; i++)
        if (ls_net_last_reader(net, net->count, i) == i)
            return ls_error_set(error, LS_USAGE, "no line reads the output of %s",
                                net->layers[i]->name);
    return true;
}

static bool build_lines(ls_net *net, ls_error *error)
{
    if (!ls_spec_each_line(net->lines, net->name, add_layer, net, error))
        return false;
    if (net->count == 0)
        return ls_error_set(error, LS_USAGE, "the net %s has no lines", net->name);
    return check_all_used(net, error) || ls_error_prefix(error, "%s", net->name);
}

/* The name of the type that has this alias; NULL: none has. */
static const char *name_of_alias(const char *word, size_t length)
{
    for (int i = 0; ls_layer_aliases[i][0]; i++)
        if (strlen(ls_layer_aliases[i][0]) == length &&
            memcmp(ls_layer_aliases[i][0], word, length) == 0)
            return ls_layer_aliases[i][1];
    return NULL;
}

char *ls_net_canonical(const char *lines)
{
    char *text = ls_copy_string("");
    bool before_type = true; /* of the line: only a name and inputs so far */
    for (size_t length; *lines; lines += length) {
        const size_t blank = strspn(lines, " \t"), word = strcspn(lines, " \t\n#");
        length = blank ? blank : word ? word : 1; /* else a newline, or # */
        const char *name = before_type && word ? name_of_alias(lines, word) : NULL;
        if (word)
            before_type = before_type && (*lines == '@' || lines[word - 1] == ':');
        else if (!blank)
            before_type = *lines == '\n';
        char *more =
            ls_format("%s%.*s", text, (int)(name ? strlen(name) : length), name ? name : lines);
        ls_free(text);
        text = more;
    }
    return text;
}

ls_net *ls_net_build(ls_params *params, const ls_build *build, const char *name, const char *lines,
                     const ls_shape *input, ls_error *error)
{
    ls_net *net = ls_alloc(1, sizeof *net);
    snprintf(net->name, sizeof net->name, "%s", name);
    net->params = params;
    net->build = build ? *build : (ls_build){0};
    net->x = *input;
    net->lines = ls_net_canonical(lines);
    net->slots.begin = params->count;
    if (!build_lines(net, error)) {
        ls_net_destroy(net);
        return NULL;
    }
    net->slots.end = params->count;
    params->net = ls_realloc(params->net, (size_t)params->nets + 1, sizeof(ls_net *));
    params->net[params->nets++] = net;
    return net;
}

void ls_net_destroy(ls_net *net)
{
    if (!net)
        return;
    for (int i = 0; i < net->count; i++)
        destroy_layer(net->layers[i]);
    for (int i = 0; i < net->params->nets; i++)
        if (net->params->net[i] == net)
            net->params->net[i] = NULL;
    ls_free(net->layers);
    ls_free(net->lines);
    ls_free(net);
}

static bool uses_one_of(const ls_layer *layer, const ls_slots *slots)
{
    for (int k = 0; k < layer->slots; k++)
        if (ls_slots_contain(slots, layer->slot[k]))
            return true;
    return false;
}

/* Whether the layer has something to prepare from one of these slots. */
static bool must_prepare(const ls_layer *layer, const ls_slots *slots)
{
    return layer->type->prepare && (!slots || uses_one_of(layer, slots));
}

void ls_net_prepare(const ls_net *net, const ls_slots *slots, int part, int parts)
{
    int turn = 0;
    for (int i = 0; i < net->count; i++)
        if (must_prepare(net->layers[i], slots) && turn++ % parts == part)
            net->layers[i]->type->prepare(net->layers[i]);
}

ls_interval ls_net_all(const ls_net *net)
{
    return (ls_interval){0, net->count};
}

void ls_net_add_slots(const ls_net *net, ls_interval lines, ls_slots *slots)
{
    for (long i = lines.begin; i < lines.end; i++)
        for (int k = 0; k < net->layers[i]->slots; k++) {
            const int slot = net->layers[i]->slot[k];
            if (net->params->slots[slot].kind != LS_SLOT_ASIDE)
                ls_slots_add(slots, slot, slot + 1);
        }
}

bool ls_net_learns(const ls_net *net, ls_interval lines, const ls_slots *trained)
{
    long i = lines.begin;
    while (i < lines.end && !uses_one_of(net->layers[i], trained))
        i++;
    return i < lines.end;
}

double ls_net_flops(const ls_net *net, ls_interval lines, const ls_slots *trained, bool dx)
{
    double sum = 0;
    bool below = dx; /* what a line reads learns, so that dx is wanted */
    for (long i = lines.begin; i < lines.end; i++) {
        const ls_layer *layer = net->layers[i];
        const bool learns = trained && uses_one_of(layer, trained);
        sum += layer->flops * (1 + learns + below);
        below = below || learns;
    }
    return sum;
}

/* The parameters that the line claimed itself. */
static long own_parameters(const ls_net *net, const ls_layer *layer)
{
    long parameters = 0;
    for (int k = 0; k < layer->share.firsts; k++) {
        const ls_slot *slot = &net->params->slots[layer->share.first[k]];
        if (layer->share.first[k] >= net->slots.begin && slot->kind != LS_SLOT_STATE)
            parameters += ls_shape_count(&slot->shape);
    }
    return parameters;
}

bool ls_net_share(const ls_net *a, const ls_net *b)
{
    ls_slots of_a = {.count = 0}, of_b = {.count = 0};
    ls_net_add_slots(a, ls_net_all(a), &of_a);
    ls_net_add_slots(b, ls_net_all(b), &of_b);
    return ls_slots_meet(&of_a, &of_b);
}

long ls_net_vocabulary(const ls_net *net)
{
    long least = 0;
    for (int i = 0; i < net->count; i++) {
        const long vocabulary = ls_layer_vocabulary(net->layers[i]);
        least = vocabulary && (!least || vocabulary < least) ? vocabulary : least;
    }
    return least;
}

/* By the lines before `end`; NULL: by all. */
static long carried_by(const ls_net *net, const ls_layer *end)
{
    long reals = 0;
    for (int i = 0; i < net->count && net->layers[i] != end; i++)
        if (net->layers[i]->type->time.carries)
            reals += net->layers[i]->type->time.carries(net->layers[i]);
    return reals;
}

long ls_net_carried(const ls_net *net)
{
    return carried_by(net, NULL);
}

real *ls_net_stream(const ls_layer *layer, const ls_pass *pass, long *apart)
{
    const ls_carried *all = pass->stream;
    if (!all || !layer->type->time.carries || layer->type->time.carries(layer) == 0)
        return NULL;
    *apart = ls_net_carried(layer->net);
    return all->data + (pass->row - all->first) * *apart + carried_by(layer->net, layer);
}

void ls_net_steps(const ls_net *net, int lines, long rows, const int32_t *length, int32_t *steps)
{
    for (long i = 0; i < lines * rows; i++) {
        const ls_layer *layer = net->layers[i / rows];
        long most = 0;
        for (int k = 0; k < layer->inputs; k++) {
            const int from = layer->input[k];
            const long given = net->own_input ? 0 : length[i % rows];
            most = ls_max(most, from < 0 ? given : steps[from * rows + i % rows]);
        }
        steps[i] =
            most && layer->type->time.steps ? (int32_t)layer->type->time.steps(layer, most) : 0;
    }
}

long ls_net_steps_after(const ls_net *net, int layer, long length)
{
    const int32_t given = (int32_t)length;
    int32_t *steps = ls_alloc((size_t)layer + 1, sizeof *steps);
    ls_net_steps(net, layer + 1, 1, &given, steps);
    const long after = steps[layer];
    ls_free(steps);
    return after;
}

void ls_net_range(const ls_net *net, int layer, double *low, double *high)
{
    while (layer >= 0 && net->layers[layer]->type->passes_on)
        layer = net->layers[layer]->input[0];
    *low = -INFINITY;
    *high = INFINITY;
    if (layer >= 0 && net->layers[layer]->type->range)
        net->layers[layer]->type->range(net->layers[layer], low, high);
}

void ls_net_print(const ls_net *net, FILE *out)
{
    char shape[96];
    long total = 0;
    int wide = 20;
    for (int i = 0; i < net->count; i++)
        if ((int)strlen(net->layers[i]->name) > wide)
            wide = (int)strlen(net->layers[i]->name);
    ls_print(out, "  %-*s %-12s %-16s %12s\n", wide, "layer", "type", "output", "parameters");
    ls_print(out, "  %-*s %-12s %-16s\n", wide, "input", "",
             ls_shape_text(&net->x, shape, sizeof shape));
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        const ls_layer *from = layer->share.from;
        const long parameters = own_parameters(net, layer);
        ls_print(out, "  %-*s %-12s %-16s %12ld%s%s%s%s\n", wide, layer->name, layer->type->name,
                 ls_shape_text(&layer->y, shape, sizeof shape), parameters,
                 from ? " and those of " : "", from ? from->net->name : "", from ? "/" : "",
                 from ? from->name : "");
        total += parameters;
    }
    ls_print(out, "  %-*s %-12s %-16s %12ld\n", wide, net->name, "in all", "", total);
}
