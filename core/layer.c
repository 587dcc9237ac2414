/* layer: the table of types, and what every layer needs from its net. */
#include "core/layer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/net.h"

#define LS_LAYER(name) extern const ls_layer_type ls_layer_##name;
#include "core/layers.def"
#undef LS_LAYER

const ls_layer_type *const ls_layer_types[] = {
#define LS_LAYER(name) &ls_layer_##name,
#include "core/layers.def"
#undef LS_LAYER
    NULL};

const char *const ls_layer_aliases[][2] = {{"conv1d", "tdnn"}, {NULL, NULL}};

const char *const ls_initializer_names[] = {
    [LS_INIT_ZERO] = "zero",     [LS_INIT_HE] = "he",           [LS_INIT_XAVIER] = "xavier",
    [LS_INIT_NORMAL] = "normal", [LS_INIT_UNIFORM] = "uniform", NULL};

const ls_option ls_layer_key_options[] = {
    {"share", LS_OPTION_WORD, offsetof(ls_layer_keys, share), LS_LAYER_ALONE, 0, 0, NULL,
     "use the parameters of this earlier LINE, or NET/LINE of a net before: all of them if it has "
     "the same type; else, as between conv2d and deconv2d, its weight"},
    {"transpose", LS_OPTION_BOOL, offsetof(ls_layer_keys, transpose), "0", 0, 1, NULL,
     "with share=, both lines dense: x W + b of the other's weight W, and a bias of its own"},
    {0}};

static const char *parameter_of(const ls_slot *slot)
{
    return strrchr(slot->name, '/') + 1;
}

/* "4x3x5x5", or "4x3x5x5 in 2 groups". */
static const char *stored_text(const ls_shape *shape, const ls_layout *layout, char text[128])
{
    char groups[32] = "";
    if (layout->groups > 1)
        snprintf(groups, sizeof groups, " in %ld groups", layout->groups);
    ls_shape_text(shape, text, 96);
    strcat(text, groups);
    return text;
}

static int refuse_missing(ls_layer *layer, const char *parameter)
{
    const ls_layer *from = layer->share.from;
    char known[256] = "";
    const bool bias = from->slots && strcmp(parameter, "bias") == 0;
    for (int k = 0; k < from->slots; k++)
        ls_format_join(known, sizeof known, parameter_of(&from->params->slots[from->slot[k]]));
    ls_error_set(layer->share.error, LS_USAGE, "share=: %s/%s has no %s to share (it has %s)%s",
                 from->net->name, from->name, parameter, from->slots ? known : "no parameters",
                 bias ? "; give this line bias=0" : "");
    return -1;
}

/* The slot of the other line that is this parameter; -1 if it has none, or one that does not fit.
 */
static int find_shared(ls_layer *layer, const char *parameter, ls_slot_kind kind,
                       const ls_shape *shape, const ls_layout *layout)
{
    const ls_layer *from = layer->share.from;
    char own[128], other[128];
    for (int k = 0; k < from->slots; k++) {
        const ls_slot *slot = &layer->params->slots[from->slot[k]];
        if (strcmp(parameter_of(slot), parameter) != 0)
            continue;
        ls_check(slot->kind == kind, "%s is of another kind in %s", slot->name, layer->name);
        if (ls_shape_equal(&slot->shape, shape) && slot->layout.load == layout->load &&
            slot->layout.groups == layout->groups)
            return from->slot[k];
        ls_error_set(layer->share.error, LS_USAGE,
                     "share=: the %s of %s/%s would have to be %s, but %s is %s", parameter,
                     layer->net->name, layer->name, stored_text(shape, layout, own), slot->name,
                     stored_text(&slot->shape, &slot->layout, other));
        return -1;
    }
    return refuse_missing(layer, parameter);
}

/* Whether the slot comes from the line that this one shares with. */
static bool is_shared(const ls_layer *layer, ls_slot_kind kind)
{
    const ls_layer_share *share = &layer->share;
    return share->from &&
           (kind == LS_SLOT_WEIGHT || (share->from->type == layer->type && !share->transpose));
}

int ls_layer_claim(ls_layer *layer, const char *parameter, ls_slot_kind kind, const ls_shape *shape,
                   const ls_initializer *initializer, const ls_layout *layout)
{
    char name[LS_SLOT_NAME];
    ls_check(layer->slots < LS_LAYER_SLOTS, "layer %s claims more than %d slots", layer->name,
             LS_LAYER_SLOTS);
    int slot;
    if (layer->share.refused)
        return 0;
    if (is_shared(layer, kind)) {
        slot = find_shared(layer, parameter, kind, shape, layout ? layout : &(ls_layout){0});
        layer->share.refused = slot < 0;
        layer->share.slots++;
    } else {
        snprintf(name, sizeof name, "%s/%s/%s", layer->net->name, layer->name, parameter);
        slot = ls_params_claim(layer->params, name, kind, shape, initializer, layout);
    }
    layer->slot[layer->slots] = slot;
    return layer->slots++;
}

const real *ls_layer_value(const ls_layer *layer, int k)
{
    return layer->params->values + layer->params->slots[layer->slot[k]].offset;
}

bool ls_layer_frozen(const ls_layer *layer, const ls_pass *pass, int k)
{
    const int slot = layer->slot[k];
    return layer->params->slots[slot].kind == LS_SLOT_ASIDE ||
           (pass->frozen && ls_slots_contain(pass->frozen, slot));
}

real *ls_layer_gradient(const ls_layer *layer, const ls_pass *pass, int k)
{
    if (!pass->gradient || ls_layer_frozen(layer, pass, k) ||
        (pass->taken && pass->taken->slot == layer->slot[k]))
        return NULL;
    return pass->gradient + layer->params->slots[layer->slot[k]].offset;
}

double ls_layer_pass_share(const ls_pass *pass, long rows)
{
    ls_check(rows <= pass->total, "%ld rows in a pass of %ld: its caller must set total", rows,
             pass->total);
    return rows > 0 ? (double)rows / (double)pass->total : 0;
}

long ls_layer_same_steps(const ls_layer *layer, long steps)
{
    return layer->y.rank > 1 && layer->y.at[0] == layer->x[0].at[0] ? steps : 0;
}

real *ls_layer_args_dx(const ls_layer *layer, const ls_layer_args *args, int k)
{
    real *dx = args->dx[k];
    if (dx && !args->add[k])
        memset(dx, 0, (size_t)(args->rows * ls_shape_count(&layer->x[k])) * sizeof *dx);
    return dx;
}

bool ls_layer_takes_tokens(ls_layer *layer, long width, ls_error *error)
{
    const ls_shape *x = &layer->x[0];
    char text[96];
    if (x->rank == LS_MAX_RANK)
        return ls_error_set(error, LS_USAGE,
                            "%s adds a dimension to its input, which may have at most %d; found %s",
                            layer->type->name, LS_MAX_RANK - 1,
                            ls_shape_text(x, text, sizeof text));
    layer->blocks = true;
    layer->y = *x;
    layer->y.at[layer->y.rank++] = width;
    return true;
}

long ls_layer_vocabulary(const ls_layer *layer)
{
    return layer->type->vocabulary ? layer->type->vocabulary(layer) : 0;
}

bool ls_layer_looks_ahead(const ls_layer *layer)
{
    return layer->type->time.looks_ahead && layer->type->time.looks_ahead(layer);
}

long ls_layer_token(long vocabulary, real x)
{
    const bool known = x > (real)-0.5 && (double)x < (double)vocabulary - 0.5;
    return known ? lround((double)x) : -1;
}

ls_interval ls_layer_next_lines(const ls_layer_args *args, long steps, long *row)
{
    ls_interval lines = {*row * steps, *row * steps};
    while (*row < args->rows && lines.end == *row * steps) {
        lines.end += args->steps ? args->steps[*row] : steps;
        ++*row;
    }
    return lines;
}

ls_interval ls_layer_args_part(const ls_layer_args *args, long count, long unit)
{
    const long units = (count + unit - 1) / unit;
    const long end = units * (args->part + 1) / args->parts * unit;
    return (ls_interval){units * args->part / args->parts * unit, ls_min(end, count)};
}
