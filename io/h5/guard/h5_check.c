/* h5_check: superblock and object headers, before HDF5 sees them. */
#include "io/h5/guard/h5_check.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/h5/guard/h5_walk.h"

enum {
    DEPTH_MAX = 64,       /* groups in groups */
    SHARED_MAX = 1 << 16, /* objects with several names */
    HEAP_STEPS = 1 << 28, /* about a second */
    UNPACKED = 16 << 20,  /* bytes: a tenth of that */
};

bool ls_h5_walk_damaged(ls_h5_walk *walk, uint64_t at, const char *expected)
{
    return walk->error.text[0]
               ? false
               : ls_error_set(&walk->error, LS_DATA,
                              "%s: is damaged at byte %llu: expected %s; take a copy that is whole "
                              "(or is it being written?)",
                              walk->path, (unsigned long long)(at + walk->skipped), expected);
}

bool ls_h5_walk_unknown(ls_h5_walk *walk, uint64_t at, const char *what)
{
    return walk->error.text[0]
               ? false
               : ls_error_set(&walk->error, LS_DATA,
                              "%s: has %s at byte %llu, which lockstep does not read; write the "
                              "file as h5py does unless told otherwise",
                              walk->path, what, (unsigned long long)(at + walk->skipped));
}

bool ls_h5_piece_open(ls_h5_walk *walk, uint64_t address, uint64_t size, ls_h5_piece *piece)
{
    *piece = (ls_h5_piece){.walk = walk, .at = address, .end = address + size};
    if (address > walk->size || size > walk->size - address)
        return ls_h5_walk_damaged(walk, address, "all of what begins there before the file ends");
    if (size + 16 > walk->budget)
        return ls_h5_walk_damaged(walk, address, "a tree, not the same structures again and again");
    walk->budget -= size + 16;
    return true;
}

uint64_t ls_h5_piece_number(ls_h5_piece *piece, int bytes)
{
    uint64_t number = 0;
    ls_h5_piece part = ls_h5_piece_part(piece, (uint64_t)bytes);
    for (uint64_t i = part.at; i < part.end; i++)
        number |= (uint64_t)piece->walk->bytes[i] << 8 * (i - part.at);
    return number;
}

void ls_h5_piece_skip(ls_h5_piece *piece, uint64_t bytes)
{
    (void)ls_h5_piece_part(piece, bytes);
}

ls_h5_piece ls_h5_piece_part(ls_h5_piece *piece, uint64_t bytes)
{
    ls_h5_piece part = *piece;
    piece->over = piece->over || bytes > piece->end - piece->at;
    part.end = piece->at = piece->over ? piece->end : piece->at + bytes;
    if (piece->over)
        part.at = part.end;
    return part;
}

void ls_h5_piece_text(ls_h5_piece *piece)
{
    const unsigned char *from = piece->walk->bytes + piece->at;
    const unsigned char *end = memchr(from, 0, piece->end - piece->at);
    piece->over = piece->over || !end;
    piece->at = piece->over ? piece->end : piece->at + (uint64_t)(end - from) + 1;
}

bool ls_h5_piece_signed(ls_h5_piece *piece, const char *signature)
{
    ls_h5_piece part = ls_h5_piece_part(piece, 4);
    return part.end - part.at == 4 && memcmp(piece->walk->bytes + part.at, signature, 4) == 0;
}

/* How the messages of an object header stand one after the other. */
typedef struct header {
    int version, order; /* order: bytes of creation order in a message of version 2 */
    ls_h5_object object;
} header;

static bool read_messages(header *h, ls_h5_piece *piece);

static bool read_continuation(header *h, ls_h5_piece *body)
{
    uint64_t at = ls_h5_piece_number(body, 8), size = ls_h5_piece_number(body, 8);
    ls_h5_piece piece;
    if (body->over || !ls_h5_piece_open(body->walk, at, size, &piece))
        return ls_h5_walk_damaged(body->walk, body->at, "the place where an object goes on");
    if (h->version == 2) {
        bool known = size >= 8 && ls_h5_piece_signed(&piece, "OCHK");
        if (!known)
            return ls_h5_walk_damaged(body->walk, at, "a further part of an object (OCHK)");
        piece.end -= 4;
    }
    return read_messages(h, &piece);
}

static bool read_messages(header *h, ls_h5_piece *piece)
{
    uint64_t head = h->version == 1 ? 8 : 4 + (uint64_t)h->order;
    while (piece->end - piece->at >= head) {
        uint64_t at = piece->at;
        unsigned type = (unsigned)ls_h5_piece_number(piece, h->version == 1 ? 2 : 1);
        uint64_t size = ls_h5_piece_number(piece, 2);
        unsigned flags = (unsigned)ls_h5_piece_number(piece, 1);
        ls_h5_piece_skip(piece, h->version == 1 ? 3 : (uint64_t)h->order);
        ls_h5_piece body = ls_h5_piece_part(piece, size);
        if (piece->over)
            return ls_h5_walk_damaged(piece->walk, at, "a part of an object that ends inside it");
        if (!(type == LS_H5_CONTINUED ? read_continuation(h, &body)
                                      : ls_h5_message_check(&h->object, type, flags, &body)))
            return false;
    }
    return true;
}

/* Version 1: size and count of links; version 2 begins with OHDR. */
static bool read_header(ls_h5_walk *walk, uint64_t at, header *h)
{
    ls_h5_piece piece;
    *h = (header){.version = 1, .object = {.at = at, .links = 1}};
    if (!ls_h5_piece_open(walk, at, 16, &piece))
        return false;
    if (!ls_h5_piece_signed(&piece, "OHDR")) {
        piece.at = at;
        if (ls_h5_piece_number(&piece, 1) != 1)
            return ls_h5_walk_damaged(walk, at, "an object header");
        ls_h5_piece_skip(&piece, 3);
        h->object.links = ls_h5_piece_number(&piece, 4);
        return ls_h5_piece_open(walk, at + 16, ls_h5_piece_number(&piece, 4), &piece) &&
               read_messages(h, &piece);
    }
    h->version = 2;
    if (ls_h5_piece_number(&piece, 1) != 2)
        return ls_h5_walk_damaged(walk, at, "an object header of version 2");
    unsigned flags = (unsigned)ls_h5_piece_number(&piece, 1);
    uint64_t start = at + 6 + (flags & 32 ? 16 : 0) + (flags & 16 ? 4 : 0);
    uint64_t width = (uint64_t)1 << (flags & 3);
    h->order = flags & 4 ? 2 : 0;
    return ls_h5_piece_open(walk, start, width, &piece) &&
           ls_h5_piece_open(walk, start + width, ls_h5_piece_number(&piece, (int)width), &piece) &&
           read_messages(h, &piece);
}

static bool has(const ls_h5_object *o, int message)
{
    return o->seen >> message & 1;
}

/* Contiguous texts and lists of varying length. */
static bool check_lists(ls_h5_walk *walk, const ls_h5_object *o)
{
    uint64_t bytes;
    ls_h5_piece values;
    if (!o->base || o->start == LS_H5_NOWHERE)
        return true;
    return !__builtin_mul_overflow(o->points, o->bytes, &bytes) &&
           ls_h5_piece_open(walk, o->start, bytes, &values) &&
           ls_h5_message_lists(&values, o->points, o->base);
}

/* The messages of a data set agree with each other; its chunks are where they should be. */
static bool check_dataset(ls_h5_walk *walk, const ls_h5_object *o)
{
    uint64_t bytes;
    if (!has(o, LS_H5_SPACE) || !has(o, LS_H5_TYPE) || !has(o, LS_H5_LAYOUT))
        return ls_h5_walk_damaged(walk, o->at, "a data set with its shape, type and place");
    if (o->fill && o->fill != o->bytes)
        return ls_h5_walk_damaged(walk, o->at, "a data set whose fill value is of its type");
    if (o->fill && o->scattered)
        return ls_h5_walk_unknown(walk, o->at, "a fill value that is a text");
    if (o->compact != LS_H5_NOWHERE &&
        (__builtin_mul_overflow(o->points, o->bytes, &bytes) || bytes > o->compact))
        return ls_h5_walk_damaged(walk, o->at, "a data set whose numbers fit into its header");
    if (!check_lists(walk, o))
        return ls_h5_walk_damaged(walk, o->at, "a data set of texts that are there");
    if (!o->chunk.rank)
        return true;
    if (o->chunk.rank != o->rank || o->chunk.number != o->bytes)
        return ls_h5_walk_damaged(walk, o->at, "a data set whose chunks are of its rank and type");
    return o->chunk_tree == LS_H5_NOWHERE || ls_h5_table_chunks(walk, o->chunk_tree, &o->chunk);
}

static bool check_group(ls_h5_walk *walk, const ls_h5_object *o)
{
    if (has(o, LS_H5_TYPE) || has(o, LS_H5_SPACE) || has(o, LS_H5_LAYOUT))
        return ls_h5_walk_damaged(walk, o->at, "either a group or a data set");
    if (o->dense) {
        walk->dense = ls_realloc(walk->dense, (size_t)walk->dense_count + 1, sizeof *walk->dense);
        walk->dense[walk->dense_count++] = (ls_h5_dense){o->at, walk->depth};
    }
    for (size_t i = 0; i < o->named_count; i++)
        if (!ls_h5_check_object(walk, o->named[i], NULL))
            return false;
    return !has(o, LS_H5_NAMES) || ls_h5_table_group(walk, o->tree, o->heap);
}

/* HDF5 knows that it was at an object before where that has several names. */
static bool was_walked(ls_h5_walk *walk, uint64_t address, bool *known)
{
    for (int i = 0; i < walk->shared_count && !*known; i++)
        *known = walk->shared[i] == address;
    if (*known)
        return true;
    if (walk->shared_count == SHARED_MAX)
        return ls_h5_walk_unknown(walk, address, "very many objects with several names");
    walk->shared = ls_realloc(walk->shared, (size_t)walk->shared_count + 1, sizeof *walk->shared);
    walk->shared[walk->shared_count++] = address;
    return true;
}

/* What an object is by its messages, and what lies below it. */
static bool check_below(ls_h5_walk *walk, const ls_h5_object *o)
{
    bool known = false;
    if (o->links > 1 && !was_walked(walk, o->at, &known))
        return false;
    if (known)
        return true;
    if (walk->depth == DEPTH_MAX)
        return ls_h5_walk_damaged(walk, o->at, "groups at most 64 deep in each other");
    walk->depth++;
    bool ok = false;
    if (has(o, LS_H5_NAMES) || has(o, LS_H5_LINKS))
        ok = check_group(walk, o);
    else if (has(o, LS_H5_SPACE) || has(o, LS_H5_LAYOUT))
        ok = check_dataset(walk, o);
    else /* a named type */
        ok = has(o, LS_H5_TYPE) || ls_h5_walk_damaged(walk, o->at, "a group or a data set");
    walk->depth--;
    return ok;
}

bool ls_h5_check_object(ls_h5_walk *walk, uint64_t address, ls_h5_object *object)
{
    header h;
    bool ok = read_header(walk, address, &h) && check_below(walk, &h.object);
    ls_free(h.object.named);
    h.object.named = NULL;
    if (object)
        *object = h.object;
    return ok;
}

static bool check_end(ls_h5_walk *walk, uint64_t base, uint64_t end)
{
    if (base != walk->skipped)
        return ls_h5_walk_damaged(walk, 0, "a file whose addresses count from its superblock");
    return end <= walk->size + walk->skipped ||
           ls_error_set(&walk->error, LS_DATA,
                        "%s: has %llu bytes, but should have %llu; it was cut short", walk->path,
                        (unsigned long long)(walk->size + walk->skipped), (unsigned long long)end);
}

/* Versions 0 and 1: sizes of the trees' nodes, addresses, the root's entry, which repeats where its
 * names are. */
static bool check_old(ls_h5_walk *walk, int version)
{
    ls_h5_piece piece;
    ls_h5_object root;
    if (!ls_h5_piece_open(walk, 9, version ? 91 : 87, &piece))
        return false;
    ls_h5_piece_skip(&piece, 4);
    if (ls_h5_piece_number(&piece, 2) != 0x0808)
        return ls_h5_walk_unknown(walk, 13, "addresses of other than 8 bytes");
    ls_h5_piece_skip(&piece, 1);
    walk->leaf_k = ls_h5_piece_number(&piece, 2);
    walk->tree_k = ls_h5_piece_number(&piece, 2);
    ls_h5_piece_skip(&piece, 4);
    walk->chunk_k = version ? ls_h5_piece_number(&piece, 2) : 32;
    ls_h5_piece_skip(&piece, version ? 2 : 0);
    uint64_t base = ls_h5_piece_number(&piece, 8);
    ls_h5_piece_skip(&piece, 8);
    uint64_t end = ls_h5_piece_number(&piece, 8);
    if (ls_h5_piece_number(&piece, 8) != LS_H5_NOWHERE)
        return ls_h5_walk_unknown(walk, piece.at, "a driver of its own");
    ls_h5_piece_skip(&piece, 8);
    uint64_t object = ls_h5_piece_number(&piece, 8);
    uint64_t cached = ls_h5_piece_number(&piece, 4);
    ls_h5_piece_skip(&piece, 4);
    uint64_t tree = ls_h5_piece_number(&piece, 8), heap = ls_h5_piece_number(&piece, 8);
    if (!walk->leaf_k || !walk->tree_k || !walk->chunk_k)
        return ls_h5_walk_damaged(walk, 16, "nodes with entries");
    if (!check_end(walk, base, end) || !ls_h5_check_object(walk, object, &root))
        return false;
    return !has(&root, LS_H5_NAMES) || cached == 0 ||
           (cached == 1 && tree == root.tree && heap == root.heap) ||
           ls_h5_walk_damaged(walk, piece.at, "the place of the names of the first group");
}

/* Versions 2 and 3, with a checksum, which HDF5 looks at. */
static bool check_new(ls_h5_walk *walk)
{
    ls_h5_piece piece;
    if (!ls_h5_piece_open(walk, 9, 39, &piece))
        return false;
    if (ls_h5_piece_number(&piece, 2) != 0x0808)
        return ls_h5_walk_unknown(walk, 9, "addresses of other than 8 bytes");
    ls_h5_piece_skip(&piece, 1);
    uint64_t base = ls_h5_piece_number(&piece, 8), more = ls_h5_piece_number(&piece, 8);
    uint64_t end = ls_h5_piece_number(&piece, 8), object = ls_h5_piece_number(&piece, 8);
    walk->leaf_k = 4;
    walk->tree_k = 16;
    walk->chunk_k = 32;
    if (more != LS_H5_NOWHERE)
        return ls_h5_walk_unknown(walk, 20, "settings of its own");
    return check_end(walk, base, end) && ls_h5_check_object(walk, object, NULL);
}

static herr_t check_link(hid_t group, const char *name, const H5L_info_t *link, void *context)
{
    (void)group, (void)name;
    bool ok = link->type != H5L_TYPE_HARD || ls_h5_check_object(context, link->u.address, NULL);
    return ok ? 0 : -1;
}

/* Names that stand in heaps with checksums are taken from HDF5: what they name is checked before it
 * is opened. More such groups may be found on the way. */
static bool check_dense(ls_h5_walk *walk, hid_t file)
{
    bool ok = true;
    for (int i = 0; ok && i < walk->dense_count; i++) {
        const ls_h5_dense group = walk->dense[i];
        hid_t id = H5Oopen_by_addr(file, group.at);
        walk->depth = group.depth;
        ok = (id >= 0 &&
              H5Literate(id, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, check_link, walk) >= 0) ||
             ls_h5_walk_damaged(walk, group.at, "a group whose names can be read");
        if (id >= 0)
            H5Oclose(id);
    }
    return ok;
}

/* Where the superblock is: at 0, 512, 1024, ... */
static bool find_superblock(const unsigned char *bytes, size_t size, size_t *skipped)
{
    static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    for (*skipped = 0; *skipped <= size && size - *skipped > sizeof signature;
         *skipped = *skipped ? 2 * *skipped : 512)
        if (memcmp(bytes + *skipped, signature, sizeof signature) == 0)
            return true;
    return false;
}

hid_t ls_h5_check_open(const char *path, const void *bytes, size_t size, const char *name,
                       hid_t access, ls_error *error)
{
    size_t skipped;
    hid_t file = -1;
    if (!find_superblock(bytes, size, &skipped))
        return ls_error_set(error, LS_DATA, "%s: is not an HDF5 file", path), -1;
    ls_h5_walk walk = {.path = path,
                       .bytes = (const unsigned char *)bytes + skipped,
                       .size = size - skipped,
                       .skipped = skipped,
                       .budget = 4 * (uint64_t)size + 4096,
                       .heap_budget = HEAP_STEPS,
                       .unpack_budget = UNPACKED};
    int version = walk.bytes[8];
    bool ok = version > 3   ? ls_h5_walk_damaged(&walk, 8, "superblock version 0 to 3")
              : version < 2 ? check_old(&walk, version)
                            : check_new(&walk);
    if (ok)
        file = H5Fopen(name, H5F_ACC_RDONLY, access);
    if (ok && file < 0)
        ls_h5_fail_path(error, LS_DATA, path, "can't be opened; it is damaged or in use");
    if (file >= 0 && !check_dense(&walk, file)) {
        H5Fclose(file);
        file = -1;
    }
    if (walk.error.text[0])
        ls_error_set(error, LS_DATA, "%s", walk.error.text);
    ls_free(walk.dense);
    ls_free(walk.shared);
    return file;
}
