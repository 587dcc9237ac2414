/* h5_message: checks the messages of an object header, by the HDF5 File Format Specification,
 * version 3, IV.A.2.
 *
 * A message is a number that says what it is about, flags, its size and its content. The content
 * begins with a version, nearly always; what follows depends on it. A message that is not known
 * here refuses the file: nobody has checked what HDF5 would do with it. The table at the end of
 * this file has all that are known.
 *
 * An attribute, the message that people fill themselves, carries a data set in small: name, type,
 * shape and values, one after the other, each with its size before it:
 *
 *     version, flags, size of name, size of type, size of shape | name | type | shape | values
 *
 * Its values must fit into the message, by type and shape; a value of varying length is a reference
 * (length, address of a global heap, index there), and what it refers to must be there. */
#include "io/h5/guard/h5_message.h"

enum { BY_REFERENCE = 2 }; /* flag: the message stands in another object */

bool ls_h5_message_lists(ls_h5_piece *values, uint64_t points, uint64_t base)
{
    for (uint64_t i = 0; i < points && !values->over; i++) {
        uint64_t length = ls_h5_piece_number(values, 4), address = ls_h5_piece_number(values, 8);
        uint64_t index = ls_h5_piece_number(values, 4);
        if (address > 0 && !ls_h5_table_global(values->walk, address, index, length * base))
            return false;
    }
    return !values->over;
}

/* Checks the values of an attribute: `p` must hold all of them. */
static bool check_values(ls_h5_piece *p, const ls_h5_type *t, uint64_t points)
{
    uint64_t bytes;
    if (__builtin_mul_overflow(t->size, points, &bytes) || bytes > p->end - p->at)
        return false;
    if (t->base)
        return ls_h5_message_lists(p, points, t->base);
    return !t->scattered ||
           ls_h5_walk_unknown(p->walk, p->at, "an attribute of records with texts in them");
}

static bool check_attribute(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    ls_h5_type t;
    int rank;
    uint64_t points, size[3]; /* of name, type and shape */
    ls_h5_piece part[3];
    if (ls_h5_piece_number(p, 1) && version > 1)
        return ls_h5_walk_unknown(p->walk, p->at, "an attribute of a named type");
    for (int i = 0; i < 3; i++)
        size[i] = ls_h5_piece_number(p, 2);
    ls_h5_piece_skip(p, version == 3);
    for (int i = 0; i < 3; i++)
        part[i] = ls_h5_piece_skip(p, version == 1 ? (size[i] + 7) / 8 * 8 : size[i]);
    uint64_t name = part[0].at;
    ls_h5_piece_text(&part[0]);
    return !p->over && part[0].at - name == size[0] && !part[0].over &&
           ls_h5_type_read(&part[1], 0, &t) && ls_h5_type_space(&part[2], &rank, &points) &&
           check_values(p, &t, points);
}

static bool check_type(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    return ls_h5_type_read(p, 0, &o->type);
}

/* A type with a name stands in an object of its own, whose header has it; this is its address. */
static bool check_named_type(ls_h5_object *o, ls_h5_piece *p)
{
    enum { COMMITTED = 2 };
    uint64_t version = ls_h5_piece_number(p, 1), kind = ls_h5_piece_number(p, 1);
    ls_h5_piece_skip(p, version == 1 ? 6 : 0);
    o->type_at = ls_h5_piece_number(p, 8);
    if (version >= 1 && version <= 3 && (version < 3 || kind == COMMITTED))
        return !p->over && o->type_at != 0;
    return ls_h5_walk_unknown(p->walk, p->at, "a type that several objects share");
}

static bool check_space(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    return ls_h5_type_space(p, &o->rank, &o->points);
}

static bool check_fill(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    /* Versions 1 and 2: two bytes about when it is written, then whether there is one. */
    uint64_t flags = ls_h5_piece_number(p, version < 3 ? 3 : 1);
    bool given = version == 1 || (version == 2 ? flags >> 16 : flags & 32);
    uint64_t size = given ? ls_h5_piece_number(p, 4) : 0;
    o->fill = size == UINT32_MAX ? 0 : size; /* -1: undefined */
    ls_h5_piece_skip(p, o->fill);
    return true;
}

static bool check_old_fill(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    ls_h5_piece_skip(p, ls_h5_piece_number(p, 4));
    return true;
}

/* A chunk's shape, with the bytes of a number as the last dimension. Version 3 says before it where
 * the B-tree of chunks is; version 4 has an index with checksums, which HDF5 checks. */
static bool check_chunks(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    ls_h5_piece_skip(p, version - 3);
    uint64_t rank = ls_h5_piece_number(p, 1);
    o->chunk_tree = version == 3 ? ls_h5_piece_number(p, 8) : LS_H5_NOWHERE;
    int wide = version == 3 ? 4 : (int)ls_h5_piece_number(p, 1);
    if (rank < 2 || rank > LS_H5_RANK + 1 || wide < 1 || wide > 8)
        return false;
    o->chunk.rank = (int)rank - 1;
    o->chunk.bytes = 1;
    for (uint64_t i = 0; i < rank; i++) {
        o->chunk.number = ls_h5_piece_number(p, wide);
        if (o->chunk.number == 0 ||
            __builtin_mul_overflow(o->chunk.bytes, o->chunk.number, &o->chunk.bytes))
            return false;
    }
    return o->chunk.bytes <= UINT32_MAX;
}

static bool check_layout(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    enum { COMPACT, CONTIGUOUS, CHUNKED, VIRTUAL };
    uint64_t class = ls_h5_piece_number(p, 1);
    o->compact = o->start = LS_H5_NOWHERE;
    if (version < 3 || version > 4)
        return ls_h5_walk_unknown(p->walk, p->at, "a data set as HDF5 1.4 wrote it");
    if (class == COMPACT) {
        o->compact = ls_h5_piece_number(p, 2);
        ls_h5_piece_skip(p, o->compact);
    } else if (class == CONTIGUOUS) {
        o->start = ls_h5_piece_number(p, 8);
    } else if (class == VIRTUAL) {
        uint64_t address = ls_h5_piece_number(p, 8), index = ls_h5_piece_number(p, 4);
        return address == LS_H5_NOWHERE ||
               ls_h5_table_global(p->walk, address, index, LS_H5_NOWHERE);
    } else if (class == CHUNKED) {
        return check_chunks(o, p, version);
    }
    return class <= CHUNKED;
}

static bool check_filters(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    enum { GZIP = 1, SHUFFLE, CHECKSUM, SZIP, SCALE_OFFSET = 6, MOST = 32, NAMED = 256 };
    uint64_t count = ls_h5_piece_number(p, 1);
    ls_h5_piece_skip(p, version == 1 ? 6 : 0);
    for (uint64_t i = 0; i < count && !p->over; i++) {
        uint64_t id = ls_h5_piece_number(p, 2);
        if (id >= SZIP && id <= SCALE_OFFSET) /* HDF5 trusts the numbers that these read */
            return ls_h5_walk_unknown(p->walk, p->at, "the filter szip, n-bit or scale-offset");
        if (id == CHECKSUM)
            *(o->chunk.gzips ? &o->chunk.after : &o->chunk.before) += 4;
        o->chunk.gzips += id == GZIP;
        o->chunk.others += id != GZIP && id != SHUFFLE && id != CHECKSUM;
        uint64_t name = version == 1 || id >= NAMED ? ls_h5_piece_number(p, 2) : 0;
        ls_h5_piece_skip(p, 2);
        uint64_t values = ls_h5_piece_number(p, 2);
        ls_h5_piece_skip(p, version == 1 ? (name + 7) / 8 * 8 : name);
        ls_h5_piece_skip(p, 4 * (values + (version == 1 ? values % 2 : 0)));
    }
    return count <= MOST;
}

static bool check_names(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    o->tree = ls_h5_piece_number(p, 8);
    o->heap = ls_h5_piece_number(p, 8);
    return true;
}

/* Whether a structure with this signature begins there. HDF5 checks the rest of it by a checksum,
 * but crashes where its address is LS_H5_NOWHERE. */
static bool is_signed(ls_h5_walk *walk, uint64_t address, const char *signature)
{
    ls_h5_piece piece;
    return address < walk->size && ls_h5_piece_open(walk, address, 4, &piece) &&
           ls_h5_piece_signed(&piece, signature);
}

/* Many links stand in a heap, whose B-tree finds them. */
static bool check_many_links(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    ls_h5_piece_skip(p, ls_h5_piece_number(p, 1) & 1 ? 8 : 0); /* creation order */
    o->link_heap = ls_h5_piece_number(p, 8);
    o->link_tree = ls_h5_piece_number(p, 8);
    o->dense = o->link_heap != LS_H5_NOWHERE;
    return true;
}

static bool check_many_attributes(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    ls_h5_piece_skip(p, ls_h5_piece_number(p, 1) & 1 ? 2 : 0); /* creation order */
    o->attribute_heap = ls_h5_piece_number(p, 8);
    o->attribute_tree = ls_h5_piece_number(p, 8);
    return true;
}

static bool check_link(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    enum { KIND = 8, ORDER = 4, LETTERS = 16, HARD = 0 };
    uint64_t flags = ls_h5_piece_number(p, 1);
    uint64_t kind = flags & KIND ? ls_h5_piece_number(p, 1) : HARD;
    ls_h5_piece_skip(p, (flags & ORDER ? 8 : 0) + (flags & LETTERS ? 1 : 0));
    ls_h5_piece_skip(p, ls_h5_piece_number(p, 1 << (flags & 3))); /* its name */
    if (p->over)
        return false;
    if (kind == HARD)
        ls_h5_named_push(&p->walk->todo, ls_h5_piece_number(p, 8), p->walk->depth + 1);
    else /* the path that it leads to */
        ls_h5_piece_skip(p, ls_h5_piece_number(p, 2));
    return true;
}

/* Names of the files that hold the numbers of a data set, in a heap. */
static bool check_external(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    ls_h5_piece texts;
    ls_h5_piece_skip(p, 3 + 2);
    uint64_t count = ls_h5_piece_number(p, 2);
    bool ok = ls_h5_table_heap(p->walk, ls_h5_piece_number(p, 8), &texts);
    for (uint64_t i = 0; ok && i < count && !p->over; i++) {
        ok = ls_h5_table_text(&texts, ls_h5_piece_number(p, 8));
        ls_h5_piece_skip(p, 16);
    }
    return ok;
}

static bool check_group_info(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    uint64_t flags = ls_h5_piece_number(p, 1);
    ls_h5_piece_skip(p, (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0));
    return true;
}

static bool check_comment(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    ls_h5_piece_text(p);
    return true;
}

static bool check_link_count(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    o->links = ls_h5_piece_number(p, 4);
    return true;
}

/* A file may be divided into pages, and keep lists of its free space, which only writers read. */
static bool check_file_space(ls_h5_object *o, ls_h5_piece *p, uint64_t version)
{
    enum { STRATEGIES = 4, PAGE_MIN = 512, PAGE_MAX = 1 << 30, LISTS = 12 };
    uint64_t strategy = ls_h5_piece_number(p, 1), kept = ls_h5_piece_number(p, 1);
    ls_h5_piece_skip(p, 8); /* free space smaller than this is not kept */
    uint64_t page = ls_h5_piece_number(p, 8);
    ls_h5_piece_skip(p, 2 + 8); /* what may be left of a page; the end before the lists */
    for (int i = 0; kept && i < LISTS; i++) {
        uint64_t list = ls_h5_piece_number(p, 8);
        if (list != LS_H5_NOWHERE && !is_signed(p->walk, list, "FSHD"))
            return false;
    }
    return strategy < STRATEGIES && kept <= 1 && page >= PAGE_MIN && page <= PAGE_MAX;
}

/* By the number of the message. It begins with its version, then `skip` bytes that may be anything;
 * `check`, if any, reads the rest, and keeps in `object` what it says. */
static const struct kind {
    const char *expected; /* NULL: messages of this number are not known */
    bool (*check)(ls_h5_object *object, ls_h5_piece *body, uint64_t version);
    uint8_t least, most; /* versions */
    uint8_t skip;
    bool unversioned; /* it begins without a version, or `check` reads that */
    bool several;     /* an object may have more than one */
} kinds[] = {
    [0] = {"nothing", .unversioned = true, .several = true},
    [LS_H5_SPACE] = {"a shape", .check = check_space, .unversioned = true},
    [LS_H5_LINKS] = {"where the links of a group are", .check = check_many_links},
    [LS_H5_TYPE] = {"a type of numbers", .check = check_type, .unversioned = true},
    [4] = {"a fill value", .check = check_old_fill, .unversioned = true},
    [LS_H5_FILL] = {"a fill value", .check = check_fill, .least = 1, .most = 3},
    [LS_H5_LINK] = {"a link", .check = check_link, .least = 1, .most = 1, .several = true},
    [7] = {"names of files", .check = check_external, .least = 1, .most = 1},
    [LS_H5_LAYOUT] = {"the layout of a data set", .check = check_layout, .most = UINT8_MAX},
    [10] = {"sizes that a group expects", .check = check_group_info},
    [LS_H5_FILTERS] = {"filters", .check = check_filters, .least = 1, .most = 2},
    [LS_H5_ATTRIBUTE] = {"an attribute", .check = check_attribute, .least = 1, .most = 3,
                         .several = true},
    [13] = {"a comment", .check = check_comment, .unversioned = true},
    [14] = {"a time", .unversioned = true, .skip = 14},
    [LS_H5_NAMES] = {"where the names of a group are", .check = check_names, .unversioned = true},
    [18] = {"a time", .least = 1, .most = 1, .skip = 7},
    [21] = {"where attributes are", .check = check_many_attributes},
    [22] = {"a number of links", .check = check_link_count},
    [LS_H5_FILE_SPACE] = {"how the file's space is managed", .check = check_file_space, .least = 1,
                          .most = 1},
};

bool ls_h5_message_check(ls_h5_object *object, unsigned number, unsigned flags, ls_h5_piece *body)
{
    uint64_t at = body->at;
    const struct kind *kind = number < sizeof kinds / sizeof *kinds ? &kinds[number] : NULL;
    if (!kind || !kind->expected)
        return ls_h5_walk_damaged(body->walk, at, "a message of a known number");
    bool named = flags & BY_REFERENCE;
    if (named && number != LS_H5_TYPE)
        return ls_h5_walk_unknown(body->walk, at, "a message that several objects share");
    if (!kind->several && object->seen >> number & 1)
        return ls_h5_walk_damaged(body->walk, at, "one message of this number in an object");
    object->seen |= 1u << number;
    if (named)
        return check_named_type(object, body) ||
               ls_h5_walk_damaged(body->walk, at, "the address of a type");
    uint64_t version = kind->unversioned ? 0 : ls_h5_piece_number(body, 1);
    ls_h5_piece_skip(body, kind->skip);
    bool ok = version >= kind->least && version <= kind->most &&
              (!kind->check || kind->check(object, body, version));
    return (ok && !body->over) || ls_h5_walk_damaged(body->walk, at, kind->expected);
}
