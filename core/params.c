/* params: slots of the one parameter array. */
#include "core/params.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "core/memory.h"
#include "core/orthogonal.h"
#include "core/random.h"

static long round_up(long n, long to)
{
    return (n + to - 1) / to * to;
}

ls_params *ls_params_create(void)
{
    return ls_alloc(1, sizeof(ls_params));
}

void ls_params_destroy(ls_params *params)
{
    if (!params)
        return;
    ls_free(params->slots);
    ls_free(params->net);
    ls_free(params);
}

int ls_params_claim(ls_params *params, const char *name, ls_slot_kind kind, const ls_shape *shape,
                    const ls_initializer *initializer, const ls_layout *layout)
{
    ls_check(!params->values, "parameter %s is claimed after commit", name);
    ls_check(strlen(name) < LS_SLOT_NAME, "the parameter name %s is too long", name);
    ls_check(ls_params_find(params, name) < 0, "there are two parameters named %s", name);
    if ((params->count & (params->count - 1)) == 0) /* full at powers of two */
        params->slots = ls_realloc(params->slots, params->count ? 2 * (size_t)params->count : 1,
                                   sizeof *params->slots);
    ls_slot *slot = &params->slots[params->count];
    *slot = (ls_slot){.kind = kind,
                      .shape = *shape,
                      .initializer = *initializer,
                      .layout = layout ? *layout : (ls_layout){0},
                      .offset = params->size,
                      .size = layout ? layout->size(layout, shape) : ls_shape_count(shape)};
    strcpy(slot->name, name);
    params->size += round_up(slot->size, LS_SLOT_ALIGN);
    return params->count++;
}

long ls_params_claim_prepared(ls_params *params, long reals)
{
    ls_check(!params->values, "prepared memory is claimed after commit");
    long offset = params->prepared_size;
    params->prepared_size += round_up(reals, LS_SLOT_ALIGN);
    return offset;
}

void ls_params_commit(ls_params *params, real *values, real *prepared)
{
    params->values = values;
    params->prepared = prepared;
}

/* Fills logical[count], which is 0. */
static void draw_initial(const ls_slot *slot, ls_random stream, real *logical, long count)
{
    const ls_initializer *init = &slot->initializer;
    const bool he = init->kind == LS_INIT_HE, xavier = init->kind == LS_INIT_XAVIER;
    double std = he ? sqrt(2.0 / init->fan_in) : init->scale;
    double span = xavier ? sqrt(6.0 / (init->fan_in + init->fan_out)) : init->scale;
    const bool orthogonal = init->kind == LS_INIT_ORTHOGONAL;
    const bool all = init->only.begin == init->only.end;
    if (orthogonal) {
        const long n = slot->shape.at[1];
        ls_random_normal(stream, 0, logical, count);
        for (long first = 0; first < count; first += n * n)
            ls_orthogonal_rows(logical + first, n);
    } else if (he || init->kind == LS_INIT_NORMAL) {
        ls_random_normal(stream, 0, logical, count);
        for (long i = 0; i < count; i++)
            logical[i] = (real)((float)logical[i] * (float)std);
    } else if (xavier || init->kind == LS_INIT_UNIFORM) {
        ls_random_uniform(stream, 0, logical, count);
        for (long i = 0; i < count; i++)
            logical[i] = (real)(((float)logical[i] * 2 - 1) * (float)span);
    } else if (init->kind == LS_INIT_CONSTANT) {
        for (long i = all ? 0 : init->only.begin; i < (all ? count : init->only.end); i++)
            logical[i] = (real)(float)init->scale;
    }
}

void ls_params_initialize(ls_params *params, uint64_t seed, const ls_slots *slots)
{
    for (int s = 0; s < params->count; s++) {
        if (slots && !ls_slots_contain(slots, s))
            continue;
        const ls_slot *slot = &params->slots[s];
        uint64_t name = XXH3_64bits(slot->name, strlen(slot->name));
        ls_random stream = ls_random_stream(seed, LS_RANDOM_INITIALIZE, name, 0, 0);
        long count = ls_shape_count(&slot->shape);
        real *logical = ls_alloc((size_t)count, sizeof *logical);
        draw_initial(slot, stream, logical, count);
        ls_params_load(params, s, logical, params->values);
        ls_free(logical);
    }
}

bool ls_params_accept(const ls_slot *slot, const real *numbers, const char *where, ls_error *error)
{
    for (long i = 0; i < ls_shape_count(&slot->shape); i++)
        if (!isfinite(numbers[i]) || (slot->squares && numbers[i] < 0))
            return ls_error_set(error, LS_DATA,
                                "%s holds %g at place %ld; expected finite numbers%s", where,
                                (double)numbers[i], i, slot->squares ? ", 0 or more" : "");
    return true;
}

int ls_params_find(const ls_params *params, const char *name)
{
    for (int s = 0; s < params->count; s++)
        if (strcmp(params->slots[s].name, name) == 0)
            return s;
    return -1;
}

long ls_params_trained(const ls_params *params)
{
    long count = 0;
    for (int s = 0; s < params->count; s++)
        if (params->slots[s].kind != LS_SLOT_STATE)
            count += ls_shape_count(&params->slots[s].shape);
    return count;
}

void ls_params_load(const ls_params *params, int slot, const real *logical, real *array)
{
    const ls_slot *s = &params->slots[slot];
    if (s->layout.size)
        s->layout.load(&s->layout, &s->shape, logical, array + s->offset);
    else
        memcpy(array + s->offset, logical, (size_t)s->size * sizeof *logical);
}

long ls_params_rows(const ls_params *params, int slot)
{
    const ls_shape *shape = &params->slots[slot].shape;
    return shape->rank ? shape->at[0] : 1;
}

void ls_params_store_rows(const ls_params *params, int slot, const real *array, ls_interval rows,
                          real *logical)
{
    const ls_slot *s = &params->slots[slot];
    long row = ls_shape_count(&s->shape) / ls_params_rows(params, slot);
    if (s->layout.size)
        s->layout.store(&s->layout, &s->shape, array + s->offset, rows, logical);
    else
        memcpy(logical, array + s->offset + rows.begin * row,
               (size_t)((rows.end - rows.begin) * row) * sizeof *logical);
}

void ls_params_store(const ls_params *params, int slot, const real *array, real *logical)
{
    ls_params_store_rows(params, slot, array, (ls_interval){0, ls_params_rows(params, slot)},
                         logical);
}
