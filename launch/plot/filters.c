/* filters: weights from a checkpoint, turned so that a row is a picture, and scaled. */
#include "launch/plot/filters.h"

#include <math.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "io/picture.h"
#include "launch/job/yaml/job_file.h"
#include "launch/session/layer_name.h"
#include "launch/session/saved.h"

/* How the weights of a layer, an array [out, in] or [out, in, h, w], become tiles. */
typedef struct tiles {
    int slot;      /* the weights */
    long count;    /* tiles */
    ls_shape tile; /* h, w, channels */
    /* Number (p, c) of tile k, pixel p, channel c, stands at k * each + p * pixel + c * channel. */
    long each, pixel, channel;
} tiles;

/* Of a dense layer: what a unit reads, or, where only the output has the size of a row of the data,
 * what an input paints. */
static bool tile_dense(const ls_task *task, const ls_layer *layer, const ls_shape *weight,
                       tiles *tiles)
{
    const long out = weight->at[0], in = weight->at[1], row = ls_shape_count(&task->x);
    const bool reads = in == row, paints = !reads && out == row;
    tiles->count = paints ? in : out;
    tiles->each = paints ? 1 : in;
    if (!ls_picture_shape(reads || paints ? &task->x : &layer->x[0], &tiles->tile))
        return false;
    tiles->channel = paints ? in : 1;
    tiles->pixel = tiles->channel * tiles->tile.at[2];
    return ls_shape_count(&tiles->tile) == (paints ? out : in);
}

static bool tile_kernels(const ls_shape *weight, tiles *tiles)
{
    const long in = weight->at[1], high = weight->at[2], wide = weight->at[3];
    tiles->tile = (ls_shape){3, {high, wide, in}};
    tiles->count = weight->at[0];
    tiles->each = in * high * wide;
    tiles->pixel = 1;
    tiles->channel = high * wide;
    return true;
}

/* Whether the layer has weights that can be drawn. */
static bool tile_layer(const ls_task *task, const ls_layer *layer, tiles *tiles)
{
    for (int k = 0; k < layer->slots; k++) {
        const ls_slot *slot = &task->params->slots[layer->slot[k]];
        tiles->slot = layer->slot[k];
        if (slot->kind == LS_SLOT_WEIGHT && (slot->shape.rank == 2 || slot->shape.rank == 4))
            return slot->shape.rank == 4 ? tile_kernels(&slot->shape, tiles)
                                         : tile_dense(task, layer, &slot->shape, tiles);
    }
    return false;
}

/* The error names the layers that can be drawn. */
static bool find_tiles(const ls_task *task, const char *asked, tiles *found, ls_error *error)
{
    ls_named_layer named;
    char list[1024] = "";
    if (!ls_layer_name_find(task, asked, &named, error))
        return false;
    if (tile_layer(task, named.layer, found))
        return true;
    for (int n = 0; n < task->nets; n++)
        for (int i = 0; i < task->net[n]->count; i++) {
            tiles ignored;
            char full[2 * LS_WORD];
            const ls_layer *layer = task->net[n]->layers[i];
            snprintf(full, sizeof full, "%s/%s", task->net[n]->name, layer->name);
            if (tile_layer(task, layer, &ignored))
                ls_format_join(list, sizeof list, task->nets > 1 ? full : layer->name);
        }
    return ls_error_set(error, LS_USAGE,
                        "%s has no weights that are pictures: expected a convolution, or a dense "
                        "layer that reads one. Layers that can be drawn: %s",
                        asked, *list ? list : "none");
}

/* The range that is drawn from black to white. */
static void find_range(const real *w, long count, bool colours, double *least, double *most)
{
    *least = INFINITY;
    *most = -INFINITY;
    for (long i = 0; i < count; i++) {
        *least = fmin(*least, (double)w[i]);
        *most = fmax(*most, (double)w[i]);
    }
    if (!colours) {
        *most = fmax(fabs(*least), fabs(*most));
        *least = -*most;
    }
}

/* Fills row[tile] with tile k, scaled to [0, 1]. */
static void fill_tile(const tiles *t, const real *weight, long k, real *row)
{
    const long channels = t->tile.at[2], pixels = t->tile.at[0] * t->tile.at[1];
    double least, most;
    for (long p = 0; p < pixels; p++)
        for (long c = 0; c < channels; c++)
            row[p * channels + c] = weight[k * t->each + p * t->pixel + c * t->channel];
    find_range(row, pixels * channels, channels == 3, &least, &most);
    for (long i = 0; i < pixels * channels; i++)
        row[i] = most > least ? (real)(((double)row[i] - least) / (most - least)) : (real)0.5;
}

/* On rank 0. */
static bool draw(const ls_params *params, const tiles *t, const char *output, ls_error *error)
{
    const ls_shape *tile = &t->tile;
    const long size = ls_shape_count(tile);
    const bool planes = tile->at[2] != 1 && tile->at[2] != 3; /* a grey tile for each channel */
    const ls_picture picture = {.row = *tile, .columns = planes, .most = 1};
    real *weight = ls_alloc((size_t)ls_shape_count(&params->slots[t->slot].shape), sizeof *weight);
    real *rows = ls_alloc((size_t)(t->count * size), sizeof *rows);
    ls_params_store(params, t->slot, params->values, weight);
    for (long k = 0; k < t->count; k++)
        fill_tile(t, weight, k, rows + k * size);
    bool ok = ls_picture_write(output, &picture, rows, t->count, error);
    ls_free(rows);
    ls_free(weight);
    return ok;
}

static void print_notice(void *context, const char *text)
{
    ls_print(stderr, "lockstep: %s\n", text);
}

bool ls_filters_write(ls_comm *comm, const ls_filters *filters, ls_error *error)
{
    ls_saved saved;
    tiles tiles;
    const ls_saved_request request = {.from = filters->from,
                                      .without_data = true,
                                      .read_job = ls_job_parse,
                                      .notice = print_notice};
    bool first = comm->rank == 0;
    bool ok =
        ls_saved_open(&saved, comm, &request, error) &&
        find_tiles(&saved.session.task, filters->layer, &tiles, error) &&
        ls_comm_agree(comm, !first || draw(saved.session.params, &tiles, filters->output, error),
                      error);
    if (ok && first)
        ls_print(stdout, "wrote %s: %ld tiles of %s (step %ld)\n", filters->output, tiles.count,
                 saved.path, saved.step);
    ls_saved_close(&saved);
    return ok;
}
