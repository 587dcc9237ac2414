/* transform: the table of types, and the chain of a job's lines, applied row by row. */
#include "io/transform.h"

#include <string.h>

#include "core/memory.h"
#include "core/random.h"

#define LS_TRANSFORM(name) extern const ls_transform_type ls_transform_##name;
#include "io/transforms.def"
#undef LS_TRANSFORM

const ls_transform_type *const ls_transform_types[] = {
#define LS_TRANSFORM(name) &ls_transform_##name,
#include "io/transforms.def"
#undef LS_TRANSFORM
    NULL};

ls_image ls_transform_image(const ls_shape *shape)
{
    return (ls_image){shape->at[0], shape->at[1], shape->rank == 3 ? shape->at[2] : 1};
}

bool ls_transform_chance(uint32_t draw, double rate)
{
    return draw * 0x1p-32 < rate;
}

long ls_transform_pick(uint32_t draw, long n)
{
    return (long)(((uint64_t)draw * (uint64_t)n) >> 32);
}

bool ls_transform_resize(ls_transform *t, const ls_list *size, ls_error *error)
{
    if (size->count > 2)
        return ls_error_set(error, LS_USAGE, "%s: size= takes one number, or height,width",
                            t->type->name);
    for (int k = 0; k < 2; k++) {
        long side = size->at[size->count == 2 ? k : 0];
        t->y.at[k] = side ? side : t->x.at[k];
    }
    return true;
}

static bool set_up(ls_transform *t, ls_error *error)
{
    char found[96];
    if (t->type->images && t->x.rank != 2 && t->x.rank != 3)
        return ls_error_set(error, LS_USAGE,
                            "%s takes images, height x width x channels or height x width, but a "
                            "row here is %s",
                            t->type->name, ls_shape_text(&t->x, found, sizeof found));
    return !t->type->setup || t->type->setup(t, error);
}

static bool add_line(void *context, const ls_spec *spec, ls_error *error)
{
    ls_transform_chain *chain = context;
    if (spec->name[0] || spec->inputs)
        return ls_error_set(error, LS_USAGE,
                            "a transform has no name and no @input: it takes the row as the line "
                            "above leaves it");
    if (chain->count == LS_TRANSFORMS)
        return ls_error_set(error, LS_USAGE, "more than %d transforms", LS_TRANSFORMS);
    const ls_transform_type *type =
        ls_spec_find_type(ls_transform_types, spec->type, "transform", error);
    if (!type)
        return false;
    ls_transform *t = &chain->line[chain->count++];
    *t = (ls_transform){type, ls_alloc(1, type->size), .x = chain->y, .y = chain->y};
    if (!ls_spec_read(spec, type->options, NULL, t->self, error) || !set_up(t, error))
        return false;
    ls_check(type->draws <= LS_TRANSFORM_DRAWS, "%s takes more than %d draws", type->name,
             LS_TRANSFORM_DRAWS);
    long numbers = ls_shape_count(&t->y);
    chain->between = numbers > chain->between ? numbers : chain->between;
    chain->line_bytes = t->scratch > chain->line_bytes ? t->scratch : chain->line_bytes;
    chain->y = t->y;
    return true;
}

ls_transform_chain *ls_transform_chain_create(const char *lines, const ls_shape *x, ls_error *error)
{
    ls_transform_chain *chain = ls_alloc(1, sizeof *chain);
    chain->x = chain->y = *x;
    if (ls_spec_each_line(lines, NULL, add_line, chain, error))
        return chain;
    ls_transform_chain_destroy(chain);
    return NULL;
}

void ls_transform_chain_destroy(ls_transform_chain *chain)
{
    if (!chain)
        return;
    for (int i = 0; i < chain->count; i++)
        ls_free(chain->line[i].self);
    ls_free(chain);
}

/* Two rows, which the lines write alternately, and the scratch of one line. */
size_t ls_transform_chain_scratch(const ls_transform_chain *chain)
{
    return 2 * (size_t)chain->between * sizeof(real) + chain->line_bytes;
}

void ls_transform_chain_apply(const ls_transform_chain *chain, const ls_augment *augment,
                              const int64_t *row, long n, const real *x, real *y, void *scratch)
{
    long in = ls_shape_count(&chain->x), out = ls_shape_count(&chain->y);
    real *between[] = {scratch, (real *)scratch + chain->between};
    void *of_line = (real *)scratch + 2 * chain->between;
    ls_random stream[LS_TRANSFORMS];
    for (int i = 0; augment && i < chain->count; i++)
        stream[i] = ls_random_stream(augment->seed, LS_RANDOM_AUGMENT, (uint64_t)augment->epoch,
                                     augment->stage, (uint32_t)i);
    for (long r = 0; r < n; r++) {
        const real *from = x + r * in;
        for (int i = 0; i < chain->count; i++) {
            const ls_transform *t = &chain->line[i];
            uint32_t draws[LS_TRANSFORM_DRAWS];
            if (augment)
                ls_random_bits(stream[i], (uint64_t)row[r], draws, t->type->draws);
            real *to = i == chain->count - 1 ? y + r * out : between[i % 2];
            t->type->apply(t, augment ? draws : NULL, from, to, of_line);
            from = to;
        }
    }
    if (!chain->count)
        memcpy(y, x, (size_t)(n * out) * sizeof *y);
}

void ls_transform_chain_undo(const ls_transform_chain *chain, long n, real *y)
{
    for (int i = chain->count - 1; i >= 0; i--)
        if (chain->line[i].type->undo)
            chain->line[i].type->undo(&chain->line[i], n, y);
}
