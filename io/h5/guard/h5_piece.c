/* h5_piece: reads numbers from the bytes of a file, never past its end; and refuses the file. */
#include "io/h5/guard/h5_piece.h"

#include <string.h>

#include "core/memory.h"

void ls_h5_named_push(ls_h5_named_list *list, uint64_t address, int depth)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 16;
        list->entry = ls_realloc(list->entry, list->room, sizeof *list->entry);
    }
    list->entry[list->count++] = (ls_h5_named){address, depth};
}

bool ls_h5_walk_damaged(ls_h5_walk *walk, uint64_t address, const char *expected)
{
    if (!walk->refused)
        ls_error_set(walk->error, LS_DATA,
                     "%s: is damaged at byte %llu: expected %s; take a copy that is whole (or is "
                     "it being written?)",
                     walk->path, (unsigned long long)(address + walk->skipped), expected);
    walk->refused = true;
    return false;
}

bool ls_h5_walk_unknown(ls_h5_walk *walk, uint64_t address, const char *what)
{
    if (!walk->refused)
        ls_error_set(walk->error, LS_DATA,
                     "%s: has %s at byte %llu, which lockstep does not read; write the file as "
                     "h5py does unless told otherwise",
                     walk->path, what, (unsigned long long)(address + walk->skipped));
    walk->refused = true;
    return false;
}

bool ls_h5_piece_open(ls_h5_walk *walk, uint64_t address, uint64_t size, ls_h5_piece *piece)
{
    enum { EACH = 16 }; /* each piece costs this besides its size: an empty one is not free */
    *piece = (ls_h5_piece){.walk = walk, .at = address, .end = address + size};
    if (address > walk->size || size > walk->size - address)
        return ls_h5_walk_damaged(walk, address, "a structure that ends before the file does");
    if (size + EACH > walk->budget)
        return ls_h5_walk_damaged(walk, address, "a tree, not the same structures again and again");
    walk->budget -= size + EACH;
    return true;
}

uint64_t ls_h5_piece_number(ls_h5_piece *piece, int bytes)
{
    uint64_t number = 0;
    ls_h5_piece part = ls_h5_piece_skip(piece, (uint64_t)bytes);
    for (uint64_t i = part.at; i < part.end; i++)
        number |= (uint64_t)piece->walk->bytes[i] << 8 * (i - part.at);
    return number;
}

ls_h5_piece ls_h5_piece_skip(ls_h5_piece *piece, uint64_t bytes)
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
    ls_h5_piece part = ls_h5_piece_skip(piece, 4);
    return part.end - part.at == 4 && memcmp(piece->walk->bytes + part.at, signature, 4) == 0;
}
