/* h5_dense: a fractal heap of attributes or of a group's links, and the B-tree of version 2 that
 * finds them by name.
 *
 * Of the format (HDF5 File Format Specification, version 3, III.A.2, III.G) this is what HDF5
 * itself writes for attributes:
 *
 *     BTHD: depth, address and records of the root ----> BTLF: records
 *                                                   or   BTIN: records, then addresses of BTLFs
 *     record: place and size in the heap, flags, order, hash of the name
 *
 *     FRHP: address of the root of the heap ----> FHDB: a block of bytes, with messages in it
 *                                            or   FHIB: addresses of such blocks, 4 in a row:
 *                                                       1, 1, 2, 4, 8, ... times the smallest size
 *
 * A place counts bytes over all blocks in their order, the heads of blocks included. Blocks and
 * nodes have checksums, which HDF5 compares; but it takes what a message says on trust, so each is
 * checked as if it stood in the header of the object. Links are left to HDF5 (h5_check.c), but for
 * the heads and the number of records. */
#include "io/h5/guard/h5_dense.h"

/* What all versions of HDF5 give a heap of attributes: blocks in a row, bytes of the smallest and
 * the largest block and of the largest message, bits of a place; and how many rows have blocks of
 * bytes, not of further addresses. */
enum { WIDTH = 4, SMALLEST = 1024, LARGEST = 1 << 16, MESSAGE = 4096, BITS = 40, ROWS = 8 };
/* Bytes of an address, a place and a size; and of what stands before the messages of a block. */
enum { ADDRESS = 8, PLACE = BITS / 8, SIZE = 2, BLOCK_HEAD = 13 + PLACE };

/* The heap: where its blocks are. */
typedef struct heap {
    uint64_t address;
    uint64_t blocks; /* how many there may be: 1, or those of the rows of an FHIB */
    uint64_t block[WIDTH * ROWS];
} heap;

static uint64_t block_bytes(uint64_t index)
{
    uint64_t row = index / WIDTH;
    return row < 2 ? SMALLEST : (uint64_t)SMALLEST << (row - 1);
}

/* Whether a block of the heap, with this signature and at this place, begins there; skips that. */
static bool is_block(const heap *h, ls_h5_piece *p, const char *signature, uint64_t place)
{
    return ls_h5_piece_signed(p, signature) && ls_h5_piece_number(p, 1) == 0 &&
           ls_h5_piece_number(p, ADDRESS) == h->address && ls_h5_piece_number(p, PLACE) == place;
}

/* Reads the rows of the root FHIB. */
static bool read_rows(heap *h, ls_h5_walk *walk, uint64_t root, uint64_t rows)
{
    ls_h5_piece p;
    h->blocks = rows * WIDTH;
    if (rows > ROWS)
        return ls_h5_walk_unknown(walk, root, "very many attributes");
    if (!ls_h5_piece_open(walk, root, BLOCK_HEAD + h->blocks * ADDRESS, &p))
        return false;
    if (!is_block(h, &p, "FHIB", 0))
        return ls_h5_walk_damaged(walk, root, "the blocks of a heap (FHIB)");
    for (uint64_t i = 0; i < h->blocks; i++)
        h->block[i] = ls_h5_piece_number(&p, ADDRESS);
    return true;
}

/* Reads the head of a heap up to the width of its rows: *p. Messages that are too large for its
 * blocks would stand elsewhere, found by a B-tree of their own, which nobody checks. */
static bool read_head(ls_h5_walk *walk, uint64_t address, ls_h5_piece *p)
{
    if (!ls_h5_piece_open(walk, address, 142, p))
        return false;
    bool known = ls_h5_piece_signed(p, "FRHP") && ls_h5_piece_number(p, 1) == 0;
    ls_h5_piece_skip(p, 2);                         /* bytes of a record's place and size */
    known = known && ls_h5_piece_number(p, 2) == 0; /* filters */
    ls_h5_piece_skip(p, 1);
    known = known && ls_h5_piece_number(p, 4) == MESSAGE;
    ls_h5_piece_skip(p, 8); /* numbers for writers */
    uint64_t large = ls_h5_piece_number(p, ADDRESS);
    ls_h5_piece_skip(p, 7 * 8); /* more of these, free space */
    uint64_t larger = ls_h5_piece_number(p, 8);
    ls_h5_piece_skip(p, 2 * 8); /* messages inside of records */
    if (known && (large != LS_H5_NOWHERE || larger))
        return ls_h5_walk_unknown(walk, address, "an attribute or name of more than 4 KiB");
    return (known && ls_h5_piece_number(p, 2) == WIDTH) ||
           ls_h5_walk_damaged(walk, address, "a heap of attributes or names (FRHP)");
}

static bool read_heap(heap *h, ls_h5_walk *walk, uint64_t address)
{
    ls_h5_piece p;
    *h = (heap){.address = address, .blocks = 1};
    if (!read_head(walk, address, &p))
        return false;
    if (ls_h5_piece_number(&p, 8) != SMALLEST || ls_h5_piece_number(&p, 8) != LARGEST ||
        ls_h5_piece_number(&p, 2) != BITS)
        return ls_h5_walk_damaged(walk, address, "a heap of attributes (FRHP)");
    ls_h5_piece_skip(&p, 2); /* rows that it began with */
    uint64_t root = ls_h5_piece_number(&p, ADDRESS), rows = ls_h5_piece_number(&p, 2);
    h->block[0] = root;
    return rows == 0 || read_rows(h, walk, root, rows);
}

/* Finds the message of `size` bytes at `place`: it must lie in one block, after its head. */
static bool find_message(const heap *h, ls_h5_walk *walk, uint64_t place, uint64_t size,
                         ls_h5_piece *message)
{
    uint64_t index = 0, before = 0;
    while (index < h->blocks && place - before >= block_bytes(index))
        before += block_bytes(index++);
    if (index == h->blocks || place - before < BLOCK_HEAD ||
        size > block_bytes(index) - (place - before))
        return ls_h5_walk_damaged(walk, h->address, "attributes inside the blocks of their heap");
    ls_h5_piece p;
    uint64_t block = h->block[index];
    return ls_h5_piece_open(walk, block, BLOCK_HEAD, &p) &&
           (is_block(h, &p, "FHDB", before) ||
            ls_h5_walk_damaged(walk, block, "a block of a heap (FHDB)")) &&
           ls_h5_piece_open(walk, block + (place - before), size, message);
}

/* Checks the attributes of `count` records. */
static bool check_records(const heap *h, ls_h5_object *o, ls_h5_piece *p, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        ls_h5_piece id = ls_h5_piece_skip(p, 8), message;
        uint64_t flags = ls_h5_piece_number(p, 1);
        ls_h5_piece_skip(p, 4 + 4); /* order, hash */
        if (ls_h5_piece_number(&id, 1) != 0)
            return ls_h5_walk_unknown(p->walk, id.at, "an attribute or name of more than 4 KiB");
        uint64_t place = ls_h5_piece_number(&id, PLACE);
        uint64_t size = ls_h5_piece_number(&id, SIZE);
        if (p->over || id.over)
            return ls_h5_walk_damaged(p->walk, p->at, "records of attributes in their node");
        if (!find_message(h, p->walk, place, size, &message) ||
            !ls_h5_message_check(o, LS_H5_ATTRIBUTE, (unsigned)flags, &message))
            return false;
    }
    return true;
}

/* A B-tree of version 2: `type` and bytes of its records, and of what a node of each level has room
 * for; levels count from the leaves. */
enum { LEVELS = 6, NODE = 512 };
typedef struct tree {
    ls_h5_walk *walk;
    uint64_t type, record;
    uint64_t most[LEVELS], all[LEVELS]; /* records of a node, and of it and all below it */
    uint64_t met;                       /* records so far */
    const heap *heap;                   /* of attributes, which are checked; NULL: of links */
    ls_h5_object *object;
} tree;

/* Bytes of a number up to `most`. */
static int bytes_of(uint64_t most)
{
    int bytes = 1;
    while (bytes < 8 && most >> 8 * bytes)
        bytes++;
    return bytes;
}

/* What follows a child's address and records in a node of level 2 and more: records below it. */
static uint64_t below_bytes(const tree *t, int level)
{
    return level > 1 ? (uint64_t)bytes_of(t->all[level - 1]) : 0;
}

static void find_rooms(tree *t)
{
    enum { HEAD = 10 };
    t->most[0] = t->all[0] = (NODE - HEAD) / t->record;
    for (int level = 1; level < LEVELS; level++) {
        uint64_t child = ADDRESS + (uint64_t)bytes_of(t->most[0]) + below_bytes(t, level);
        t->most[level] = (NODE - HEAD - child) / (t->record + child);
        t->all[level] = (t->most[level] + 1) * t->all[level - 1] + t->most[level];
    }
}

/* Opens a part of the B-tree after its head. */
static bool open_node(const tree *t, uint64_t address, const char *signature, uint64_t size,
                      ls_h5_piece *p)
{
    return ls_h5_piece_open(t->walk, address, size, p) &&
           ((ls_h5_piece_signed(p, signature) && ls_h5_piece_number(p, 1) == 0 &&
             ls_h5_piece_number(p, 1) == t->type) ||
            ls_h5_walk_damaged(t->walk, address, "a node of the B-tree of attributes or names"));
}

/* Checks a node of `count` records and those below it; it calls itself, LEVELS deep at most. */
static bool check_node(tree *t, uint64_t address, int level, uint64_t count)
{
    ls_h5_piece records, children;
    if (count > t->most[level])
        return ls_h5_walk_damaged(t->walk, address, "records of a B-tree that fit into their node");
    if (!open_node(t, address, level ? "BTIN" : "BTLF", NODE, &records))
        return false;
    t->met += count;
    children = records;
    ls_h5_piece_skip(&children, count * t->record);
    bool ok = !t->heap || check_records(t->heap, t->object, &records, count);
    for (uint64_t i = 0; ok && level && i <= count; i++) {
        uint64_t child = ls_h5_piece_number(&children, ADDRESS);
        uint64_t those = ls_h5_piece_number(&children, bytes_of(t->most[0]));
        ls_h5_piece_skip(&children, below_bytes(t, level));
        ok = check_node(t, child, level - 1, those);
    }
    return ok;
}

/* Checks the B-tree at `address`: HDF5 makes room for as many records as its head says, and then
 * takes as many as its nodes have. */
static bool check_tree(tree *t, uint64_t address)
{
    ls_h5_piece head;
    find_rooms(t);
    if (!open_node(t, address, "BTHD", 38, &head))
        return false;
    bool known = ls_h5_piece_number(&head, 4) == NODE && ls_h5_piece_number(&head, 2) == t->record;
    uint64_t level = ls_h5_piece_number(&head, 2);
    ls_h5_piece_skip(&head, 2);
    uint64_t root = ls_h5_piece_number(&head, ADDRESS), count = ls_h5_piece_number(&head, 2);
    uint64_t all = ls_h5_piece_number(&head, 8);
    if (!known || (count == 0 && all > 0))
        return ls_h5_walk_damaged(t->walk, address, "a B-tree of attributes or names (BTHD)");
    if (level >= LEVELS)
        return ls_h5_walk_unknown(t->walk, address, "very many attributes or names");
    return (all == 0 || check_node(t, root, (int)level, count)) &&
           (t->met == all ||
            ls_h5_walk_damaged(t->walk, address, "as many attributes or names as a B-tree says"));
}

bool ls_h5_dense_attributes(ls_h5_walk *walk, ls_h5_object *o)
{
    enum { BY_NAME = 8, RECORD = 17 };
    heap h;
    tree t = {.walk = walk, .type = BY_NAME, .record = RECORD, .heap = &h, .object = o};
    return read_heap(&h, walk, o->attribute_heap) && check_tree(&t, o->attribute_tree);
}

bool ls_h5_dense_links(ls_h5_walk *walk, const ls_h5_object *o)
{
    enum { BY_NAME = 5, RECORD = 11 };
    tree t = {.walk = walk, .type = BY_NAME, .record = RECORD};
    ls_h5_piece p;
    return read_head(walk, o->link_heap, &p) && check_tree(&t, o->link_tree);
}
