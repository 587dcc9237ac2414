/* h5_table: checks trees and heaps, by the HDF5 File Format Specification, version 3, III.
 *
 *     TREE: a node of a B-tree, of a group's names or of a data set's chunks
 *       "TREE", type, level (0: a leaf), number of children, addresses of two siblings,
 *       key, child, key, child, ..., key
 *       Of a group, keys are names (offsets in its heap), children of leaves are SNODs.
 *       Of chunks, keys are bytes as stored, filters left out and position; children of leaves are
 *       the chunks.
 *
 *     SNOD: some names of a group
 *       "SNOD", version, number of entries, and for each: offset of the name in the heap, address
 *       of the object header, kind: an object, or a soft link with the offset of its path
 *
 *     HEAP: a local heap: the names of one group
 *       "HEAP", version, bytes of its data, first free block, address of the data
 *       Free blocks form a list inside the data: offset of the next (1: none), bytes.
 *
 *     GCOL: a global heap: texts and lists of varying length
 *       "GCOL", version, bytes of it all, and for each object: index, references, bytes, data
 *       Index 0 stands for what is free, to the end.
 *
 * A node's room is fixed: HDF5 reads all of it, whatever the number of children says. HDF5 follows
 * the list of free blocks, and steps from object to object of a global heap, without asking whether
 * it ever ends. The level of a child must be one less than its parent's, so that no tree is deeper
 * than the 255 levels that a byte can count. */
#include "io/h5/guard/h5_table.h"

#include <zlib.h>

enum { ENTRY = 40 /* bytes of an entry of a SNOD */, GROUP_TREE = 0, CHUNK_TREE = 1 };

/* What the nodes of one B-tree have in common. */
typedef struct tree {
    int type;
    uint64_t key, most;       /* bytes of a key; children of a node, at most */
    ls_h5_piece texts;        /* of a group: its local heap */
    const ls_h5_chunk *chunk; /* of a data set */
} tree;

bool ls_h5_table_text(const ls_h5_piece *texts, uint64_t offset)
{
    ls_h5_piece text = *texts;
    ls_h5_piece_skip(&text, offset);
    uint64_t from = text.at;
    ls_h5_piece_text(&text);
    ls_h5_piece counted; /* many names may stand at one place: each takes from the budget */
    return !text.over && ls_h5_piece_open(texts->walk, from, text.at - from, &counted);
}

/* Checks that the list of a heap's free blocks ends, and that each lies in the heap. */
static bool check_free(const ls_h5_piece *texts, uint64_t next)
{
    enum { LAST = 1, HEAD = 16 /* bytes of the smallest block */ };
    for (uint64_t steps = 0; next != LAST; steps++) {
        ls_h5_piece piece = *texts;
        ls_h5_piece_skip(&piece, next);
        uint64_t start = next, size;
        next = ls_h5_piece_number(&piece, 8);
        size = ls_h5_piece_number(&piece, 8);
        if (piece.over || size > texts->end - texts->at - start ||
            steps > (texts->end - texts->at) / HEAD)
            return ls_h5_walk_damaged(texts->walk, texts->at, "a heap with its free blocks inside");
    }
    return true;
}

bool ls_h5_table_heap(ls_h5_walk *walk, uint64_t address, ls_h5_piece *texts)
{
    ls_h5_piece piece;
    if (!ls_h5_piece_open(walk, address, 32, &piece))
        return false;
    if (!ls_h5_piece_signed(&piece, "HEAP") || ls_h5_piece_number(&piece, 1) != 0)
        return ls_h5_walk_damaged(walk, address, "a heap of names (HEAP)");
    ls_h5_piece_skip(&piece, 3);
    uint64_t size = ls_h5_piece_number(&piece, 8), list = ls_h5_piece_number(&piece, 8);
    return ls_h5_piece_open(walk, ls_h5_piece_number(&piece, 8), size, texts) &&
           check_free(texts, list);
}

/* Checks one name of a group, of a soft link or of an object, which goes onto the list. */
static bool check_entry(const tree *t, ls_h5_piece *piece)
{
    enum { SOFT = 2 };
    ls_h5_walk *walk = piece->walk;
    uint64_t at = piece->at, name = ls_h5_piece_number(piece, 8);
    uint64_t address = ls_h5_piece_number(piece, 8), kind = ls_h5_piece_number(piece, 4);
    ls_h5_piece_skip(piece, 4);
    uint64_t link = ls_h5_piece_number(piece, 4);
    ls_h5_piece_skip(piece, 12);
    if (!ls_h5_table_text(&t->texts, name) || kind > SOFT ||
        (kind == SOFT && !ls_h5_table_text(&t->texts, link)))
        return ls_h5_walk_damaged(walk, at, "the name of an object in a group");
    if (kind != SOFT)
        ls_h5_named_push(&walk->todo, address, walk->depth + 1);
    return true;
}

static bool check_names(const tree *t, ls_h5_walk *walk, uint64_t address)
{
    ls_h5_piece piece;
    if (!ls_h5_piece_open(walk, address, 8 + 2 * walk->leaf_k * ENTRY, &piece))
        return false;
    bool known = ls_h5_piece_signed(&piece, "SNOD") && ls_h5_piece_number(&piece, 1) == 1;
    ls_h5_piece_skip(&piece, 1);
    uint64_t count = ls_h5_piece_number(&piece, 2);
    if (!known || count > 2 * walk->leaf_k)
        return ls_h5_walk_damaged(walk, address, "a node of names (SNOD)");
    for (uint64_t i = 0; i < count; i++)
        if (!check_entry(t, &piece))
            return false;
    return true;
}

/* Whether a chunk unpacks to `expected` bytes. HDF5 does not ask: where there are fewer, it reads
 * on behind them. It does ask whether gzip fails; such chunks are left to HDF5. */
static bool unpacks_whole(const ls_h5_piece *packed, uint64_t expected)
{
    unsigned char block[1 << 14];
    z_stream stream = {.next_in = (unsigned char *)packed->walk->bytes + packed->at,
                       .avail_in = (unsigned)(packed->end - packed->at)};
    int state = inflateInit(&stream);
    while (state == Z_OK && stream.total_out < expected) {
        stream.next_out = block;
        stream.avail_out = sizeof block;
        state = inflate(&stream, Z_SYNC_FLUSH);
    }
    inflateEnd(&stream);
    return state != Z_STREAM_END || stream.total_out >= expected;
}

/* Checks a chunk by its key. Bits of `left_out` are filters that this chunk was stored without. */
static bool check_chunk(const ls_h5_chunk *c, ls_h5_walk *walk, ls_h5_piece *key, uint64_t address)
{
    ls_h5_piece stored;
    uint64_t bytes = ls_h5_piece_number(key, 4), left_out = ls_h5_piece_number(key, 4);
    bool packed = (c->gzips || c->others) && !left_out;
    bool whole = packed ? bytes > c->after : bytes >= c->bytes;
    if (!whole || !ls_h5_piece_open(walk, address, bytes, &stored))
        return ls_h5_walk_damaged(walk, key->at, "a chunk of its full size inside the file");
    if (!packed || c->gzips != 1 || c->others || bytes > walk->unpack_budget)
        return true;
    walk->unpack_budget -= bytes;
    stored.end -= c->after;
    return unpacks_whole(&stored, c->bytes + c->before) ||
           ls_h5_walk_damaged(walk, address, "a chunk that unpacks to its size");
}

/* Checks a node of this level (-1: any), and all nodes below it. */
static bool check_node(const tree *t, ls_h5_walk *walk, uint64_t address, int level)
{
    ls_h5_piece piece;
    uint64_t size = 24 + t->most * 8 + (t->most + 1) * t->key;
    if (!ls_h5_piece_open(walk, address, size, &piece))
        return false;
    bool known =
        ls_h5_piece_signed(&piece, "TREE") && (int)ls_h5_piece_number(&piece, 1) == t->type;
    int found = (int)ls_h5_piece_number(&piece, 1);
    uint64_t count = ls_h5_piece_number(&piece, 2);
    ls_h5_piece_skip(&piece, 16);
    if (!known || count > t->most || (level >= 0 && found != level))
        return ls_h5_walk_damaged(walk, address, "a node of a tree (TREE)");
    for (uint64_t i = 0; i <= count; i++) {
        ls_h5_piece key = ls_h5_piece_skip(&piece, t->key), offset = key;
        if (t->type == GROUP_TREE && !ls_h5_table_text(&t->texts, ls_h5_piece_number(&offset, 8)))
            return ls_h5_walk_damaged(walk, key.at, "a key that is a name (TREE)");
        if (i == count) /* the key after the last child */
            break;
        uint64_t child = ls_h5_piece_number(&piece, 8);
        bool ok = found > 0               ? check_node(t, walk, child, found - 1)
                  : t->type == GROUP_TREE ? check_names(t, walk, child)
                                          : check_chunk(t->chunk, walk, &key, child);
        if (!ok)
            return false;
    }
    return true;
}

bool ls_h5_table_group(ls_h5_walk *walk, uint64_t address, uint64_t heap)
{
    tree t = {.type = GROUP_TREE, .key = 8, .most = 2 * walk->tree_k};
    return ls_h5_table_heap(walk, heap, &t.texts) && check_node(&t, walk, address, -1);
}

bool ls_h5_table_chunks(ls_h5_walk *walk, uint64_t address, const ls_h5_chunk *chunk)
{
    const tree t = {.type = CHUNK_TREE,
                    .key = 8 + 8 * ((uint64_t)chunk->rank + 1),
                    .most = 2 * walk->chunk_k,
                    .chunk = chunk};
    return check_node(&t, walk, address, -1);
}

/* Steps from object to object, once for each text in the heap: the steps have their own budget. */
bool ls_h5_table_global(ls_h5_walk *walk, uint64_t address, uint64_t index, uint64_t bytes)
{
    static const char absent[] = "the texts that something refers to";
    enum { HEAD = 16 };
    ls_h5_piece piece = {.walk = walk, .at = address, .end = address + HEAD};
    bool known = address <= walk->size && walk->size - address >= HEAD &&
                 ls_h5_piece_signed(&piece, "GCOL") && ls_h5_piece_number(&piece, 1) == 1;
    ls_h5_piece_skip(&piece, 3);
    uint64_t size = known ? ls_h5_piece_number(&piece, 8) : 0;
    if (size < HEAD || size > walk->size - address)
        return ls_h5_walk_damaged(walk, address, "a heap of texts (GCOL)");
    bool there = false;
    piece.end = address + size;
    while (piece.end - piece.at >= HEAD && walk->heap_budget-- > 0) {
        uint64_t found = ls_h5_piece_number(&piece, 2);
        ls_h5_piece_skip(&piece, 6);
        uint64_t length = ls_h5_piece_number(&piece, 8);
        if (found == 0) /* free space: its length counts these 16 bytes too */
            return (there && length == piece.end - piece.at + HEAD) ||
                   ls_h5_walk_damaged(walk, address, absent);
        if (length > piece.end - piece.at)
            break;
        there = found == index ? bytes == LS_H5_NOWHERE || length == bytes : there;
        ls_h5_piece_skip(&piece, (length + 7) / 8 * 8);
    }
    return (there && piece.end - piece.at < HEAD && !piece.over) ||
           ls_h5_walk_damaged(walk, address, absent);
}
