/* layer: the table of types, and what every layer needs from its net. */
#include "core/layer.h"

#include <stdio.h>
#include <string.h>

#include "core/minmax.h"

#define LS_LAYER(name) extern const ls_layer_type ls_layer_##name;
#include "core/layers.def"
#undef LS_LAYER

const ls_layer_type *const ls_layer_types[] = {
#define LS_LAYER(name) &ls_layer_##name,
#include "core/layers.def"
#undef LS_LAYER
    NULL};

const char *const ls_initializer_names[] = {
    [LS_INIT_ZERO] = "zero",     [LS_INIT_HE] = "he",           [LS_INIT_XAVIER] = "xavier",
    [LS_INIT_NORMAL] = "normal", [LS_INIT_UNIFORM] = "uniform", NULL};

int ls_layer_claim(ls_layer *layer, const char *parameter, ls_slot_kind kind, const ls_shape *shape,
                   const ls_initializer *initializer, const ls_layout *layout)
{
    char name[LS_SLOT_NAME];
    ls_check(layer->slots < LS_LAYER_SLOTS, "layer %s claims more than %d slots", layer->name,
             LS_LAYER_SLOTS);
    snprintf(name, sizeof name, "%s/%s/%s", layer->net, layer->name, parameter);
    layer->slot[layer->slots] =
        ls_params_claim(layer->params, name, kind, shape, initializer, layout);
    return layer->slots++;
}

const real *ls_layer_value(const ls_layer *layer, int k)
{
    return layer->params->values + layer->params->slots[layer->slot[k]].offset;
}

real *ls_layer_gradient(const ls_layer *layer, const ls_pass *pass, int k)
{
    return pass->gradient ? pass->gradient + layer->params->slots[layer->slot[k]].offset : NULL;
}

double ls_layer_pass_share(const ls_pass *pass, long rows)
{
    ls_check(rows <= pass->total, "%ld rows in a pass of %ld: its caller must set total", rows,
             pass->total);
    return rows > 0 ? (double)rows / (double)pass->total : 0;
}

real *ls_layer_args_dx(const ls_layer *layer, const ls_layer_args *args, int k)
{
    real *dx = args->dx[k];
    if (dx && !args->add[k])
        memset(dx, 0, (size_t)(args->rows * ls_shape_count(&layer->x[k])) * sizeof *dx);
    return dx;
}

ls_interval ls_layer_args_part(const ls_layer_args *args, long count, long unit)
{
    const long units = (count + unit - 1) / unit;
    const long end = units * (args->part + 1) / args->parts * unit;
    return (ls_interval){units * args->part / args->parts * unit, ls_min(end, count)};
}
