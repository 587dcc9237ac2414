/* onnx_transforms: crop and scale-crop from the middle, normalize; flip and erase do nothing
 * outside of training. */
#include "launch/export/onnx_transforms.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "io/transforms/region.h"
#include "launch/export/option_value.h"

/* Makes the rows of t->y from rows of t->x. */
typedef const char *build(ls_onnx_graph *g, const ls_transform *t, const char *x);

/* The part [top, top + height) by [left, left + width) of images. */
static const char *slice(ls_onnx_graph *g, const char *x, const ls_region *part)
{
    const char *begins = ls_onnx_graph_list(g, 2, (const long[]){part->top, part->left});
    const char *ends = ls_onnx_graph_list(
        g, 2, (const long[]){part->top + part->height, part->left + part->width});
    const char *axes = ls_onnx_graph_list(g, 2, (const long[]){1, 2});
    return ls_onnx_graph_add(g, "Slice", (const char *const[]){x, begins, ends, axes, NULL});
}

static const char *crop(ls_onnx_graph *g, const ls_transform *t, const char *x)
{
    const long pad =
        *(const long *)ls_option_value(t->type->options, t->self, "pad", LS_OPTION_INT);
    const ls_image image = ls_transform_image(&t->x), part = ls_transform_image(&t->y);
    if (pad > 0) {
        long pads[8] = {0, pad, pad, 0, 0, pad, pad, 0}; /* of images with their channels last */
        if (t->x.rank == 2)
            memcpy(pads, (const long[]){0, pad, pad, 0, pad, pad}, 6 * sizeof *pads);
        x = ls_onnx_graph_apply(g, "Pad", x, ls_onnx_graph_list(g, 2 * t->x.rank + 2, pads));
    }
    const ls_region region = {.top = (image.height + 2 * pad - part.height) / 2,
                              .left = (image.width + 2 * pad - part.width) / 2,
                              .height = part.height,
                              .width = part.width};
    return slice(g, x, &region);
}

/* The factor by which `from` pixels become `to`: Resize makes floor(from * factor) of them, and the
 * quotient may have been rounded down. */
static float scale_of(long from, long to)
{
    float factor = (float)to / (float)from;
    while (floorf((float)from * factor) < (float)to ||
           floor((double)from * (double)factor) < (double)to)
        factor = nextafterf(factor, INFINITY);
    return factor;
}

static const char *scale_crop(ls_onnx_graph *g, const ls_transform *t, const char *x)
{
    const double center =
        *(const double *)ls_option_value(t->type->options, t->self, "center", LS_OPTION_REAL);
    const ls_image image = ls_transform_image(&t->x), out = ls_transform_image(&t->y);
    const ls_region region =
        ls_region_centre(&image, (double)out.width / (double)out.height, center);
    ls_onnx_line line = {.graph = g};
    ls_onnx_value part = {.shape = t->y, .rows = slice(g, x, &region)}, scaled = {.shape = t->y};
    part.shape.at[0] = region.height;
    part.shape.at[1] = region.width;
    const char *channels = ls_onnx_line_channels(&line, &part);
    const float factors[] = {1, 1, scale_of(region.height, out.height),
                             scale_of(region.width, out.width)};
    float *scales = ls_alloc(4, sizeof *scales);
    memcpy(scales, factors, sizeof factors);
    char *name = ls_format("scale-crop/scales_%ld", ls_onnx_graph_nodes(g));
    const char *by = ls_onnx_graph_numbers(g, name, &(ls_shape){1, {4}}, scales);
    ls_free(name);
    scaled.channels = ls_onnx_graph_add(g, "Resize", (const char *const[]){channels, "", by, NULL});
    ls_onnx_graph_set_text(g, "mode", "linear");
    ls_onnx_graph_set_text(g, "coordinate_transformation_mode", "half_pixel");
    return t->y.rank == 2 ? ls_onnx_graph_reshape(g, scaled.channels, &t->y)
                          : ls_onnx_line_rows(&line, &scaled);
}

/* One number, or one for each channel. */
static const char *constant(ls_onnx_graph *g, const ls_transform *t, const char *key)
{
    const ls_reals *list = ls_option_value(t->type->options, t->self, key, LS_OPTION_REALS);
    char *name = ls_format("normalize/%s_%ld", key, ls_onnx_graph_nodes(g));
    float *numbers = ls_alloc((size_t)list->count, sizeof *numbers);
    for (int i = 0; i < list->count; i++)
        numbers[i] = (float)list->at[i];
    const char *made = ls_onnx_graph_numbers(g, name, &(ls_shape){1, {list->count}}, numbers);
    ls_free(name);
    return made;
}

static const char *normalize(ls_onnx_graph *g, const ls_transform *t, const char *x)
{
    const char *centred = ls_onnx_graph_apply(g, "Sub", x, constant(g, t, "mean"));
    return ls_onnx_graph_apply(g, "Div", centred, constant(g, t, "deviation"));
}

/* All transforms but those that do nothing outside of training. */
static const struct row {
    const char *type;
    build *build;
} rows[] = {{"crop", crop}, {"scale-crop", scale_crop}, {"normalize", normalize}};

void ls_onnx_transforms_add(ls_onnx_graph *g, const ls_transform_chain *chain, ls_onnx_value *value)
{
    ls_onnx_graph_line(g, "transform");
    for (int i = 0; i < chain->count; i++)
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
            if (strcmp(chain->line[i].type->name, rows[k].type) == 0)
                value->rows = rows[k].build(g, &chain->line[i], value->rows);
    value->shape = chain->y;
}
