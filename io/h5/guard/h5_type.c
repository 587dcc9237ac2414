/* h5_type: types and shapes in an object header, by the HDF5 File Format Specification, version 3,
 * IV.A.2.
 *
 *     byte 0       class (low 4 bits), version (high 4 bits)
 *     bytes 1-3    bits whose meaning depends on the class: sign, byte order, number of fields, ...
 *     bytes 4-7    bytes of one value
 *     then         what the class needs: the bits that a number uses; for records a name, an offset
 *                  and a type for each field; for lists, arrays and enumerations the type of one
 *                  element
 *
 * Types nest, so that reading them is recursive: at most TYPE_DEPTH deep. HDF5 computes addresses
 * in memory from offsets and sizes without asking whether they lie inside the value: that is asked
 * here. */
#include "io/h5/guard/h5_type.h"

#include <stddef.h>

enum {
    TYPE_DEPTH = 16,
    WIDEST = 16,    /* bytes of a number */
    REFERENCE = 16, /* bytes of a value of varying length: length, address of a heap, index there */
    TIME = 2,       /* classes */
    OPAQUE = 5,
    REFERENCES = 7
};

/* A type while it is read. */
typedef struct reader {
    ls_h5_piece *piece;
    ls_h5_type *type;
    uint64_t bits; /* bytes 1 to 3 */
    int version, depth;
} reader;

/* Skips a name. Older versions fill it up to a multiple of 8 bytes. */
static void skip_name(const reader *r)
{
    uint64_t from = r->piece->at;
    ls_h5_piece_text(r->piece);
    if (r->version < 3)
        ls_h5_piece_skip(r->piece, (8 - (r->piece->at - from) % 8) % 8);
}

/* Reads the type of a field or an element. */
static bool read_part(const reader *r, ls_h5_type *part)
{
    return ls_h5_type_read(r->piece, r->depth + 1, part);
}

/* A number uses bits [offset, offset + precision) of its bytes. */
static bool read_integer(const reader *r)
{
    uint64_t offset = ls_h5_piece_number(r->piece, 2), precision = ls_h5_piece_number(r->piece, 2);
    return r->type->size <= WIDEST && precision > 0 && offset + precision <= 8 * r->type->size;
}

static bool read_float(const reader *r)
{
    ls_h5_piece *p = r->piece, precision = *p;
    ls_h5_piece_skip(&precision, 2);
    uint64_t all = ls_h5_piece_number(&precision, 2), sign = r->bits >> 8 & 255;
    bool fits = read_integer(r);
    uint64_t exponent = ls_h5_piece_number(p, 1), exponent_bits = ls_h5_piece_number(p, 1);
    uint64_t mantissa = ls_h5_piece_number(p, 1), mantissa_bits = ls_h5_piece_number(p, 1);
    ls_h5_piece_skip(p, 4);
    return fits && (r->bits >> 4 & 3) < 3 && !(r->bits & 64) && sign < all && exponent_bits > 0 &&
           exponent + exponent_bits <= all && mantissa_bits > 0 && mantissa + mantissa_bits <= all;
}

/* Bytes of an offset in a record: version 3 takes as few as the record's size needs. */
static int offset_bytes(const reader *r)
{
    if (r->version < 3 || r->type->size >= 1 << 24)
        return 4;
    return r->type->size < 1 << 8 ? 1 : r->type->size < 1 << 16 ? 2 : 3;
}

/* Fields of a record: each a name, an offset, in version 1 dimensions, and a type. */
static bool read_compound(const reader *r)
{
    enum { DIMENSIONS = 28 };
    ls_h5_piece *p = r->piece;
    uint64_t fields = r->bits & 65535, end = 0; /* of the fields so far */
    for (uint64_t i = 0; i < fields; i++) {
        ls_h5_type field;
        skip_name(r);
        uint64_t offset = ls_h5_piece_number(p, offset_bytes(r));
        if (r->version == 1) {
            if (ls_h5_piece_number(p, 1) != 0)
                return false;
            ls_h5_piece_skip(p, DIMENSIONS - 1);
        }
        if (!read_part(r, &field) || offset + field.size > r->type->size)
            return false;
        if (offset < end)
            return ls_h5_walk_unknown(p->walk, p->at, "records with fields in another order");
        end = offset + field.size;
        r->type->scattered = r->type->scattered || field.scattered;
    }
    return fields > 0;
}

static bool read_enumeration(const reader *r)
{
    ls_h5_type base;
    if (!read_part(r, &base) || base.class != 0 || base.size != r->type->size)
        return false;
    for (uint64_t i = 0; i < (r->bits & 65535); i++)
        skip_name(r);
    ls_h5_piece_skip(r->piece, (r->bits & 65535) * base.size);
    return true;
}

/* Lists and texts of varying length. */
static bool read_lists(const reader *r)
{
    enum { TEXT = 1 };
    ls_h5_type base;
    if ((r->bits & 15) > TEXT || !read_part(r, &base) || r->type->size != REFERENCE)
        return false;
    r->type->base = base.size;
    r->type->scattered = true;
    return !base.scattered || ls_h5_walk_unknown(r->piece->walk, r->piece->at, "lists of lists");
}

static bool read_arrays(const reader *r)
{
    ls_h5_piece *p = r->piece;
    ls_h5_type base;
    uint64_t rank = ls_h5_piece_number(p, 1), all = 1;
    bool fits = rank > 0 && rank <= LS_H5_RANK;
    ls_h5_piece_skip(p, r->version < 3 ? 3 : 0);
    for (uint64_t i = 0; fits && i < rank; i++)
        fits = !__builtin_mul_overflow(all, ls_h5_piece_number(p, 4), &all);
    if (fits && r->version < 3)
        ls_h5_piece_skip(p, 4 * rank);
    if (!fits || all == 0 || !read_part(r, &base))
        return false;
    r->type->scattered = base.scattered;
    return !__builtin_mul_overflow(all, base.size, &all) && all == r->type->size;
}

/* Times have a precision, opaque bytes a name. References are to objects or to regions of them. */
static bool read_other(const reader *r)
{
    uint64_t name = ((r->bits & 255) + 7) / 8 * 8;
    ls_h5_piece_skip(r->piece, r->type->class == TIME ? 2 : r->type->class == OPAQUE ? name : 0);
    return r->type->class != REFERENCES || (r->bits & 15) <= 1;
}

/* By class. Texts of fixed length have nothing more to read. */
static bool (*const classes[])(const reader *) = {
    [0] = read_integer,     [1] = read_float,      [TIME] = read_other, [3] = NULL /* texts */,
    [4] = read_integer,     [OPAQUE] = read_other, [6] = read_compound, [REFERENCES] = read_other,
    [8] = read_enumeration, [9] = read_lists,      [10] = read_arrays,
};

bool ls_h5_type_read(ls_h5_piece *p, int depth, ls_h5_type *type)
{
    int first = (int)ls_h5_piece_number(p, 1), version = first >> 4;
    reader r = {p, type, ls_h5_piece_number(p, 3), version, depth};
    *type = (ls_h5_type){.class = first & 15, .size = ls_h5_piece_number(p, 4)};
    return !p->over && depth < TYPE_DEPTH && version >= 1 && version <= 3 && type->size > 0 &&
           (size_t)type->class < sizeof classes / sizeof *classes &&
           (!classes[type->class] || classes[type->class](&r)) && !p->over;
}

bool ls_h5_type_space(ls_h5_piece *p, int *rank, uint64_t *points)
{
    enum { SCALAR, SIMPLE, NOTHING, HAS_LARGEST = 1, HAS_ORDER = 2 };
    uint64_t version = ls_h5_piece_number(p, 1), kind = SIMPLE;
    *rank = (int)ls_h5_piece_number(p, 1);
    uint64_t flags = ls_h5_piece_number(p, 1);
    if (version == 1)
        ls_h5_piece_skip(p, 5);
    else
        kind = ls_h5_piece_number(p, 1);
    *points = kind != NOTHING;
    if (version < 1 || version > 2 || *rank > LS_H5_RANK || kind > NOTHING ||
        flags > (HAS_LARGEST | HAS_ORDER) || (kind != SIMPLE && *rank > 0))
        return false;
    for (int i = 0; i < *rank; i++)
        if (__builtin_mul_overflow(*points, ls_h5_piece_number(p, 8), points))
            *points = UINT64_MAX;
    if (flags & HAS_LARGEST)
        ls_h5_piece_skip(p, 8 * (uint64_t)*rank);
    if (flags & HAS_ORDER)
        ls_h5_piece_skip(p, 8 * (uint64_t)*rank);
    return !p->over;
}
