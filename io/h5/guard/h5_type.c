/* h5_type: types and shapes in an object header, by the HDF5 File Format Specification, version 3,
 * IV.A.2. */
#include <stddef.h>

#include "io/h5/guard/h5_walk.h"

enum {
    TYPE_DEPTH = 16,
    WIDEST = 16,   /* bytes of a number */
    REFERENCE = 16 /* bytes: length, address of a global heap, index there */
};

/* Names and numbers are filled up to whole eights in the older versions. */
static void skip_name(ls_h5_piece *p, int version)
{
    uint64_t from = p->at;
    ls_h5_piece_text(p);
    if (version < 3)
        ls_h5_piece_skip(p, (8 - (p->at - from) % 8) % 8);
}

/* Bits [offset, offset + precision) of a number of `size` bytes. */
static bool read_bits(ls_h5_piece *p, const ls_h5_type *t)
{
    uint64_t offset = ls_h5_piece_number(p, 2), precision = ls_h5_piece_number(p, 2);
    return t->size <= WIDEST && precision > 0 && offset + precision <= 8 * t->size;
}

static bool read_integer(ls_h5_piece *p, ls_h5_type *t, uint64_t bits, int version, int depth)
{
    (void)bits, (void)version, (void)depth;
    return read_bits(p, t);
}

static bool read_float(ls_h5_piece *p, ls_h5_type *t, uint64_t bits, int version, int depth)
{
    (void)version, (void)depth;
    ls_h5_piece precision = *p;
    ls_h5_piece_skip(&precision, 2);
    uint64_t all = ls_h5_piece_number(&precision, 2), sign = bits >> 8 & 255;
    bool fits = read_bits(p, t);
    uint64_t exponent = ls_h5_piece_number(p, 1), exponent_bits = ls_h5_piece_number(p, 1);
    uint64_t mantissa = ls_h5_piece_number(p, 1), mantissa_bits = ls_h5_piece_number(p, 1);
    ls_h5_piece_skip(p, 4);
    return fits && (bits >> 4 & 3) < 3 && !(bits & 64) && sign < all && exponent_bits > 0 &&
           exponent + exponent_bits <= all && mantissa_bits > 0 && mantissa + mantissa_bits <= all;
}

static bool read_time(ls_h5_piece *p, ls_h5_type *t, uint64_t bits, int version, int depth)
{
    (void)t, (void)bits, (void)version, (void)depth;
    ls_h5_piece_skip(p, 2);
    return true;
}

static bool read_nothing(ls_h5_piece *p, ls_h5_type *t, uint64_t bits, int version, int depth)
{
    (void)p, (void)t, (void)bits, (void)version, (void)depth;
    return true;
}

static bool read_opaque(ls_h5_piece *p, ls_h5_type *t, uint64_t bits, int version, int depth)
{
    (void)t, (void)version, (void)depth;
    ls_h5_piece_skip(p, ((bits & 255) + 7) / 8 * 8);
    return true;
}

/* Name, offset, in version 1 dimensions, type. */
static bool read_compound(ls_h5_piece *p, ls_h5_type *t, uint64_t bits, int version, int depth)
{
    enum { DIMENSIONS = 28 };
    int wide = version < 3         ? 4
               : t->size < 1 << 8  ? 1
               : t->size < 1 << 16 ? 2
               : t->size < 1 << 24 ? 3
                                   : 4;
    uint64_t end = 0; /* of the fields so far */
    bool ok = (bits & 65535) > 0;
    for (uint64_t i = 0; ok && i < (bits & 65535); i++) {
        ls_h5_type member;
        skip_name(p, version);
        uint64_t offset = ls_h5_piece_number(p, wide);
        if (version == 1) {
            ok = ls_h5_piece_number(p, 1) == 0;
            ls_h5_piece_skip(p, DIMENSIONS - 1);
        }
        ok = ok && ls_h5_type_read(p, depth + 1, &member) && offset + member.size <= t->size;
        if (ok && offset < end)
            return ls_h5_walk_unknown(p->walk, p->at, "records with fields in another order");
        end = ok ? offset + member.size : end;
        t->scattered = t->scattered || (ok && member.scattered);
    }
    return ok;
}

static bool read_enumeration(ls_h5_piece *p, ls_h5_type *t, uint64_t bits, int version, int depth)
{
    ls_h5_type base;
    if (!ls_h5_type_read(p, depth + 1, &base) || base.class != 0 || base.size != t->size)
        return false;
    for (uint64_t i = 0; i < (bits & 65535); i++)
        skip_name(p, version);
    ls_h5_piece_skip(p, (bits & 65535) * base.size);
    return true;
}

static bool read_lists(ls_h5_piece *p, ls_h5_type *t, uint64_t bits, int version, int depth)
{
    (void)version;
    enum { TEXT = 1 };
    ls_h5_type base;
    if ((bits & 15) > TEXT || !ls_h5_type_read(p, depth + 1, &base) || t->size != REFERENCE)
        return false;
    t->base = base.size;
    t->scattered = true;
    return !base.scattered || ls_h5_walk_unknown(p->walk, p->at, "lists of lists");
}

static bool read_arrays(ls_h5_piece *p, ls_h5_type *t, uint64_t bits, int version, int depth)
{
    (void)bits;
    ls_h5_type base;
    uint64_t rank = ls_h5_piece_number(p, 1), all = 1;
    bool fits = rank > 0 && rank <= LS_H5_RANK;
    ls_h5_piece_skip(p, version < 3 ? 3 : 0);
    for (uint64_t i = 0; fits && i < rank; i++)
        fits = !__builtin_mul_overflow(all, ls_h5_piece_number(p, 4), &all);
    if (fits && version < 3)
        ls_h5_piece_skip(p, 4 * rank);
    if (!fits || all == 0 || !ls_h5_type_read(p, depth + 1, &base))
        return false;
    t->scattered = base.scattered;
    return !__builtin_mul_overflow(all, base.size, &all) && all == t->size;
}

static bool read_references(ls_h5_piece *p, ls_h5_type *t, uint64_t bits, int version, int depth)
{
    (void)p, (void)t, (void)version, (void)depth;
    return (bits & 15) <= 1; /* to objects, to regions */
}

/* By class: numbers, floats, times, fixed texts, bits, opaque, records, references, enumerations,
 * lists and texts in the global heap, arrays. */
static bool (*const classes[])(ls_h5_piece *, ls_h5_type *, uint64_t, int, int) = {
    read_integer,  read_float,      read_time,        read_nothing, read_integer, read_opaque,
    read_compound, read_references, read_enumeration, read_lists,   read_arrays};

bool ls_h5_type_read(ls_h5_piece *p, int depth, ls_h5_type *t)
{
    int kind = (int)ls_h5_piece_number(p, 1), version = kind >> 4;
    uint64_t bits = ls_h5_piece_number(p, 3);
    *t = (ls_h5_type){.class = kind & 15, .size = ls_h5_piece_number(p, 4)};
    return !p->over && depth < TYPE_DEPTH && version >= 1 && version <= 3 && t->size > 0 &&
           (size_t)t->class < sizeof classes / sizeof *classes &&
           classes[t->class](p, t, bits, version, depth) && !p->over;
}

bool ls_h5_type_space(ls_h5_piece *p, int *rank, uint64_t *points)
{
    enum { SCALAR, SIMPLE, NOTHING };
    uint64_t version = ls_h5_piece_number(p, 1), kind = SIMPLE;
    *rank = (int)ls_h5_piece_number(p, 1);
    uint64_t flags = ls_h5_piece_number(p, 1);
    if (version == 1)
        ls_h5_piece_skip(p, 5);
    else
        kind = ls_h5_piece_number(p, 1);
    *points = kind != NOTHING;
    if (version < 1 || version > 2 || *rank > LS_H5_RANK || kind > NOTHING || flags > 3 ||
        (kind != SIMPLE && *rank > 0))
        return false;
    for (int i = 0; i < *rank; i++)
        if (__builtin_mul_overflow(*points, ls_h5_piece_number(p, 8), points))
            *points = UINT64_MAX;
    for (int times = (int)(flags & 1) + (int)(flags >> 1); times > 0; times--)
        ls_h5_piece_skip(p, 8 * (uint64_t)*rank);
    return !p->over;
}
