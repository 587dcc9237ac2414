/* h5_check: superblock and object headers, and the walk over a file.
 *
 * THE PROBLEM. HDF5 trusts a file: it reads as many bytes as a number in it says, follows an
 * address wherever it leads, and steps through lists until they end. So a bit that flipped on a
 * disk, a copy that was cut short or a file made with bad intent can have HDF5 read beyond the end
 * of its memory, or run for ever, on all ranks. Therefore, before HDF5 opens a file, all that HDF5
 * will rely on is checked here. A file that is not as the format demands is refused, with the
 * number of the byte where it is wrong.
 *
 * THE FILE. Numbers are little-endian; an address counts bytes from the superblock. Every object, a
 * group or a data set, is a header: a list of messages (h5_message.c). Groups name objects:
 *
 *   superblock                     versions 0, 1: room of B-tree nodes, end of the file, root
 *      |                           versions 2, 3: end of the file, root
 *      v
 *   object header of the root      message 17: B-tree, heap; or 2 and 6: links (the new form)
 *      |             |
 *      v             v
 *   TREE (h5_table)  HEAP "train\0valid\0..."
 *      |
 *      v                           message 1: shape     [6000, 784]
 *   SNOD: offset of a name,                3: type      float32
 *         address of an ----> object       8: layout    address of the numbers; or of the
 *         object header       header                    B-tree of chunks ----> TREE ----> chunks
 *                                         11: filters   gzip
 *                                         12: attribute name, type, shape, value; long texts stand
 *                                                       in a global heap ----> GCOL
 *                                         16: continued address and size of more messages
 *
 * THE WALK. walk->todo lists objects that are still to be checked: at first the root. The last of
 * them is taken off and its header is read; if it is a group, what it names is put onto the list;
 * and so on until the list is empty. No function calls itself, but for B-trees and types, whose
 * depth is bounded: no file can exhaust the stack. Groups of the new form may keep their names in
 * heaps with checksums, which HDF5 checks; so once the file is open, HDF5 lists these names, and
 * the objects go onto the same list. Attributes in such heaps are read here (h5_dense.c).
 *
 * WHY IT ENDS. Each structure that is read takes its size from a budget of four times the file's
 * bytes. A sound file's structures are read about once; a tree that leads back into itself spends
 * the budget. Four things have bounds of their own. An object with several names is followed once,
 * as HDF5 does, for hard links may form a cycle in a sound file. Groups lie at most 64 deep in each
 * other, for HDF5 follows them by functions that call themselves. Steps through global heaps are
 * counted, for a heap is stepped through once for each text in it. And of chunks that gzip has
 * packed, 16 MiB are unpacked on trial. */
#include "io/h5/guard/h5_check.h"

#include <string.h>

#include "core/memory.h"
#include "io/h5/guard/h5_dense.h"
#include "io/h5/h5_error.h"
#include "io/magic.h"

enum {
    DEPTH_MAX = 64,       /* groups in groups */
    SHARED_MAX = 1 << 16, /* objects with several names */
    HEAP_STEPS = 1 << 28, /* from object to object of global heaps: about a second */
    UNPACKED = 16 << 20,  /* bytes of gzip unpacked on trial: about 0.1 seconds */
};

/* An object header: the first block of messages follows its head; messages of the number
 * LS_H5_CONTINUED name further blocks. */
typedef struct header {
    int version, order; /* order: bytes of a creation order in a message of version 2 */
    ls_h5_piece *block; /* ls_free */
    size_t blocks;
    ls_h5_object object;
} header;

static bool add_block(header *h, ls_h5_walk *walk, uint64_t address, uint64_t size)
{
    if ((h->blocks & (h->blocks - 1)) == 0) /* full: there is room up to the next power of two */
        h->block = ls_realloc(h->block, h->blocks ? 2 * h->blocks : 1, sizeof *h->block);
    return ls_h5_piece_open(walk, address, size, &h->block[h->blocks++]);
}

static bool read_continuation(header *h, ls_h5_piece *body)
{
    uint64_t address = ls_h5_piece_number(body, 8), size = ls_h5_piece_number(body, 8);
    if (body->over || !add_block(h, body->walk, address, size))
        return ls_h5_walk_damaged(body->walk, body->at, "where an object header goes on");
    if (h->version == 1)
        return true;
    ls_h5_piece *block = &h->block[h->blocks - 1];
    if (size < 8 || !ls_h5_piece_signed(block, "OCHK"))
        return ls_h5_walk_damaged(body->walk, address, "a further block of a header (OCHK)");
    block->end -= 4; /* its checksum */
    return true;
}

static bool read_messages(header *h, ls_h5_piece block)
{
    uint64_t head = h->version == 1 ? 8 : 4 + (uint64_t)h->order;
    while (block.end - block.at >= head) {
        uint64_t at = block.at;
        unsigned number = (unsigned)ls_h5_piece_number(&block, h->version == 1 ? 2 : 1);
        uint64_t size = ls_h5_piece_number(&block, 2);
        unsigned flags = (unsigned)ls_h5_piece_number(&block, 1);
        ls_h5_piece_skip(&block, h->version == 1 ? 3 : (uint64_t)h->order);
        ls_h5_piece body = ls_h5_piece_skip(&block, size);
        if (block.over)
            return ls_h5_walk_damaged(block.walk, at, "a message that ends inside its header");
        if (!(number == LS_H5_CONTINUED ? read_continuation(h, &body)
                                        : ls_h5_message_check(&h->object, number, flags, &body)))
            return false;
    }
    return true;
}

/* Reads how a header begins: its version, the number of its names (version 2 may have a message for
 * that) and the size of the first block. In version 2 flags say what stands before this size, and
 * how many bytes it takes. */
static bool read_head(header *h, ls_h5_walk *walk, uint64_t address)
{
    enum { WIDTH = 3, ORDERED = 4, PHASES = 16, TIMES = 32 };
    ls_h5_piece p;
    if (!ls_h5_piece_open(walk, address, 16, &p))
        return false;
    h->version = ls_h5_piece_signed(&p, "OHDR") ? 2 : 1;
    p.at = h->version == 2 ? p.at : address;
    if (ls_h5_piece_number(&p, 1) != (uint64_t)h->version)
        return ls_h5_walk_damaged(
            walk, address, h->version == 2 ? "an object header of version 2" : "an object header");
    if (h->version == 1) {
        ls_h5_piece_skip(&p, 3);
        h->object.links = ls_h5_piece_number(&p, 4);
        return add_block(h, walk, address + 16, ls_h5_piece_number(&p, 4));
    }
    unsigned flags = (unsigned)ls_h5_piece_number(&p, 1);
    uint64_t start = address + 6 + (flags & TIMES ? 16 : 0) + (flags & PHASES ? 4 : 0);
    uint64_t width = (uint64_t)1 << (flags & WIDTH);
    h->order = flags & ORDERED ? 2 : 0;
    return ls_h5_piece_open(walk, start, width, &p) &&
           add_block(h, walk, start + width, ls_h5_piece_number(&p, (int)width));
}

/* Reads the header at `address` with all its messages; *object gets what they say. */
static bool read_header(ls_h5_walk *walk, uint64_t address, ls_h5_object *object)
{
    header h = {.object = {.at = address, .links = 1, .attribute_heap = LS_H5_NOWHERE}};
    bool ok = read_head(&h, walk, address);
    for (size_t i = 0; ok && i < h.blocks; i++) /* messages may add blocks */
        ok = read_messages(&h, h.block[i]);
    ls_free(h.block);
    *object = h.object;
    return ok;
}

static bool has(const ls_h5_object *o, int message)
{
    return o->seen >> message & 1;
}

/* Checks that the messages of a data set agree with each other, that the texts and lists of varying
 * length to which contiguous values refer are there, and the chunks. */
static bool check_dataset(ls_h5_walk *walk, const ls_h5_object *o)
{
    uint64_t bytes;
    ls_h5_piece values;
    bool over = __builtin_mul_overflow(o->points, o->type.size, &bytes);
    if (!has(o, LS_H5_SPACE) || !has(o, LS_H5_TYPE) || !has(o, LS_H5_LAYOUT))
        return ls_h5_walk_damaged(walk, o->at, "a data set with its shape, type and layout");
    if (o->fill && o->fill != o->type.size)
        return ls_h5_walk_damaged(walk, o->at, "a data set whose fill value is of its type");
    if (o->fill && o->type.scattered)
        return ls_h5_walk_unknown(walk, o->at, "a fill value that is a text");
    if (o->compact != LS_H5_NOWHERE && (over || bytes > o->compact))
        return ls_h5_walk_damaged(walk, o->at, "a data set whose numbers fit into its header");
    if (o->type.base && o->start != LS_H5_NOWHERE &&
        (over || !ls_h5_piece_open(walk, o->start, bytes, &values) ||
         !ls_h5_message_lists(&values, o->points, o->type.base)))
        return ls_h5_walk_damaged(walk, o->at, "a data set of texts that are there");
    if (!o->chunk.rank)
        return true;
    if (o->chunk.rank != o->rank || o->chunk.number != o->type.size)
        return ls_h5_walk_damaged(walk, o->at, "a data set whose chunks are of its rank and type");
    return o->chunk_tree == LS_H5_NOWHERE || ls_h5_table_chunks(walk, o->chunk_tree, &o->chunk);
}

/* Takes the type of the object that has it, which must be a type and nothing else. */
static bool find_type(ls_h5_walk *walk, ls_h5_object *o)
{
    ls_h5_object named;
    if (!o->type_at)
        return true;
    if (!read_header(walk, o->type_at, &named))
        return false;
    o->type = named.type;
    return (has(&named, LS_H5_TYPE) && !named.type_at && !has(&named, LS_H5_SPACE) &&
            !has(&named, LS_H5_LAYOUT)) ||
           ls_h5_walk_damaged(walk, o->type_at, "a type with a name of its own");
}

/* Reverses a list from `first` on: what was put there first is then taken off first. */
static void reverse(ls_h5_named_list *list, size_t first)
{
    for (size_t i = first, j = list->count; i + 1 < j; i++) {
        const ls_h5_named last = list->entry[--j];
        list->entry[j] = list->entry[i];
        list->entry[i] = last;
    }
}

/* Puts what the group names onto the list. Messages that are links have put their objects there
 * already, from `first` on. */
static bool check_group(ls_h5_walk *walk, const ls_h5_object *o, size_t first)
{
    if (has(o, LS_H5_TYPE) || has(o, LS_H5_SPACE) || has(o, LS_H5_LAYOUT))
        return ls_h5_walk_damaged(walk, o->at, "either a group or a data set");
    if (o->dense && !ls_h5_dense_links(walk, o))
        return false;
    if (o->dense)
        ls_h5_named_push(&walk->dense, o->at, walk->depth);
    if (has(o, LS_H5_NAMES) && !ls_h5_table_group(walk, o->tree, o->heap))
        return false;
    reverse(&walk->todo, first);
    return true;
}

/* Finds whether this object, which has several names, was met before: *known. False: refused. */
static bool was_walked(ls_h5_walk *walk, uint64_t address, bool *known)
{
    for (size_t i = 0; i < walk->shared.count && !*known; i++)
        *known = walk->shared.entry[i].address == address;
    if (!*known && walk->shared.count == SHARED_MAX)
        return ls_h5_walk_unknown(walk, address, "very many objects with several names");
    if (!*known)
        ls_h5_named_push(&walk->shared, address, walk->depth);
    return true;
}

/* Checks an object by its messages, and puts what it names onto the list. */
static bool check_object(ls_h5_walk *walk, uint64_t address, ls_h5_object *o)
{
    size_t first = walk->todo.count;
    bool known = false;
    if (!read_header(walk, address, o) || !find_type(walk, o) ||
        (o->attribute_heap != LS_H5_NOWHERE && !ls_h5_dense_attributes(walk, o)) ||
        (o->links > 1 && !was_walked(walk, o->at, &known)))
        return false;
    bool group = has(o, LS_H5_NAMES) || has(o, LS_H5_LINKS);
    if (known || !group)
        walk->todo.count = first; /* links that are of no group, or were followed before */
    if (known)
        return true;
    if (walk->depth == DEPTH_MAX)
        return ls_h5_walk_damaged(walk, o->at, "groups at most 64 deep in each other");
    if (group)
        return check_group(walk, o, first);
    if (has(o, LS_H5_SPACE) || has(o, LS_H5_LAYOUT))
        return check_dataset(walk, o);
    return has(o, LS_H5_TYPE) || /* a type with a name of its own */
           ls_h5_walk_damaged(walk, o->at, "a group or a data set");
}

/* Checks the objects of the list, and what these name in their turn, until it is empty. */
static bool check_todo(ls_h5_walk *walk)
{
    ls_h5_object object;
    bool ok = true;
    while (ok && walk->todo.count > 0) {
        const ls_h5_named next = walk->todo.entry[--walk->todo.count];
        walk->depth = next.depth;
        ok = check_object(walk, next.address, &object);
    }
    return ok;
}

/* `base` and `end` of the superblock: where addresses count from, and where the file ends. */
static bool check_end(ls_h5_walk *walk, uint64_t base, uint64_t end)
{
    if (base != walk->skipped)
        return ls_h5_walk_damaged(walk, 0, "a file whose addresses count from its superblock");
    if (end <= walk->size + walk->skipped)
        return true;
    walk->refused = true;
    return ls_error_set(walk->error, LS_DATA,
                        "%s: has %llu bytes, but should have %llu; it was cut short", walk->path,
                        (unsigned long long)(walk->size + walk->skipped), (unsigned long long)end);
}

/* The superblock may go on in an object header: of what can stand there, how the space is managed
 * is known. */
static bool check_extension(ls_h5_walk *walk, uint64_t address)
{
    ls_h5_object more;
    return read_header(walk, address, &more) &&
           ((more.seen & ~(1u << LS_H5_FILE_SPACE | 1u)) == 0 ||
            ls_h5_walk_unknown(walk, address, "an extension of its superblock"));
}

/* Versions 0 and 1 say how many entries nodes have, and repeat where the names of the root group
 * are. Versions 2 and 3 have a checksum, which HDF5 checks. */
static bool check_superblock(ls_h5_walk *walk, int version)
{
    ls_h5_piece p;
    ls_h5_object root;
    bool old = version < 2;
    if (!ls_h5_piece_open(walk, 9, version == 0 ? 87 : version == 1 ? 91 : 39, &p))
        return false;
    ls_h5_piece_skip(&p, old ? 4 : 0);
    if (ls_h5_piece_number(&p, 2) != 0x0808)
        return ls_h5_walk_unknown(walk, p.at - 2, "addresses of other than 8 bytes");
    ls_h5_piece_skip(&p, 1);
    walk->leaf_k = old ? ls_h5_piece_number(&p, 2) : 4;
    walk->tree_k = old ? ls_h5_piece_number(&p, 2) : 16;
    ls_h5_piece_skip(&p, old ? 4 : 0);
    walk->chunk_k = version == 1 ? ls_h5_piece_number(&p, 2) : 32;
    ls_h5_piece_skip(&p, version == 1 ? 2 : 0);
    uint64_t base = ls_h5_piece_number(&p, 8), more = ls_h5_piece_number(&p, 8);
    uint64_t end = ls_h5_piece_number(&p, 8);
    if (old && ls_h5_piece_number(&p, 8) != LS_H5_NOWHERE)
        return ls_h5_walk_unknown(walk, p.at, "a file driver of its own");
    ls_h5_piece_skip(&p, old ? 8 : 0);
    uint64_t address = ls_h5_piece_number(&p, 8), cached = old ? ls_h5_piece_number(&p, 4) : 0;
    ls_h5_piece_skip(&p, old ? 4 : 0);
    uint64_t tree = ls_h5_piece_number(&p, 8), heap = ls_h5_piece_number(&p, 8);
    if (!walk->leaf_k || !walk->tree_k || !walk->chunk_k)
        return ls_h5_walk_damaged(walk, 16, "room for entries in the nodes of trees");
    return check_end(walk, base, end) &&
           (old || more == LS_H5_NOWHERE || check_extension(walk, more)) &&
           check_object(walk, address, &root) &&
           (!has(&root, LS_H5_NAMES) || cached == 0 ||
            (cached == 1 && tree == root.tree && heap == root.heap) ||
            ls_h5_walk_damaged(walk, p.at, "the addresses of the root group's names"));
}

/* A superblock may stand at byte 0, 512, 1024, ...: a program may put bytes of its own before it.
 */
static bool find_superblock(const unsigned char *bytes, size_t size, size_t *skipped)
{
    static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    for (*skipped = 0; *skipped <= size && size - *skipped > sizeof signature;
         *skipped = *skipped ? 2 * *skipped : 512)
        if (memcmp(bytes + *skipped, signature, sizeof signature) == 0)
            return true;
    return false;
}

/* Checks a file of `size` bytes as far as its bytes tell. */
static bool check_bytes(ls_h5_walk *walk, const unsigned char *bytes, size_t size)
{
    size_t skipped;
    if (!find_superblock(bytes, size, &skipped)) {
        const char *name = ls_magic_name(bytes, size);
        return ls_error_set(walk->error, LS_DATA, "%s: is not an HDF5 file%s%s", walk->path,
                            name ? ": it is " : "", name ? name : "");
    }
    walk->bytes = bytes + skipped;
    walk->size = size - skipped;
    walk->skipped = skipped;
    int version = walk->bytes[8];
    if (version > 3)
        return ls_h5_walk_damaged(walk, 8, "superblock version 0 to 3");
    return check_superblock(walk, version) && check_todo(walk);
}

/* Puts what a hard link leads to onto the list; HDF5 calls it for each link of a group. */
static herr_t add_link(hid_t group, const char *name, const H5L_info_t *link, void *context)
{
    ls_h5_walk *walk = context;
    if (link->type == H5L_TYPE_HARD)
        ls_h5_named_push(&walk->todo, link->u.address, walk->depth + 1);
    return 0;
}

/* Has HDF5 list the groups whose names only it can read, and checks what they name; this may add
 * more such groups. */
static bool check_dense_groups(ls_h5_walk *walk, hid_t file)
{
    bool ok = true;
    for (size_t i = 0; ok && i < walk->dense.count; i++) {
        const ls_h5_named next = walk->dense.entry[i];
        hid_t group = H5Oopen_by_addr(file, next.address);
        walk->depth = next.depth;
        ok = (group >= 0 &&
              H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, add_link, walk) >= 0) ||
             ls_h5_walk_damaged(walk, next.address, "a group whose names can be read");
        reverse(&walk->todo, 0);
        ok = ok && check_todo(walk);
        ls_h5_close(group);
    }
    return ok;
}

hid_t ls_h5_check_open(const char *path, const void *bytes, size_t size, const char *name,
                       hid_t access, ls_error *error)
{
    hid_t file = -1;
    ls_h5_walk walk = {.path = path,
                       .error = error,
                       .budget = 4 * (uint64_t)size + 4096,
                       .heap_budget = HEAP_STEPS,
                       .unpack_budget = UNPACKED};
    if (check_bytes(&walk, bytes, size)) {
        file = H5Fopen(name, H5F_ACC_RDONLY, access);
        if (file < 0)
            ls_h5_fail_path(error, LS_DATA, path, "can't be opened; it is damaged or in use");
    }
    if (file >= 0 && !check_dense_groups(&walk, file)) {
        H5Fclose(file);
        file = -1;
    }
    ls_free(walk.todo.entry);
    ls_free(walk.dense.entry);
    ls_free(walk.shared.entry);
    return file;
}
