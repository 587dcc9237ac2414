/* checkpoint_save: writes a checkpoint file piece by piece.
 *
 * The digest of a file is taken from its first byte to its last, and HDF5 finishes the first bytes
 * last. So HDF5 is let make the whole file but for the numbers (h5_frame.h); then the bytes are
 * gathered in the order of the file: those of the frame, and between them the numbers of a few rows
 * at a time, brought from the layout that they are stored in into the logical one:
 *
 *     arrays as stored  --rows of a slot-->  buffer  --chunks-->  temporary file
 *     frame             ---------------->      |
 *                                           digest, while the bytes are in the cache
 *
 * So each number is read once and written twice: into the buffer and to the disk. */
#include "io/checkpoint/checkpoint_save.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint_fields.h"
#include "io/checkpoint/checkpoint_items.h"
#include "io/checkpoint/checkpoint_size.h"
#include "io/checkpoint/checksum.h"
#include "io/h5/h5_frame.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files hold numbers as memory does");

enum { PAGE = 4096 };

/* Numbers of a data set in the file. */
typedef struct extent {
    ls_checkpoint_item item;
    size_t offset;
} extent;

struct ls_checkpoint_save {
    char *path;
    const ls_checkpoint_contents *contents;
    ls_h5_frame frame;
    extent *extents; /* [count], in the order of the file */
    int count;
    ls_atomic_file *file;
    XXH3_state_t *digest;
    char *memory, *buffer; /* the buffer begins at a page of the memory */
    size_t filled;         /* bytes of the buffer that are still to be written */
    /* What comes next: a byte of the file, and a row of an extent. */
    size_t at;
    int next;
    long row;       /* of a row state: a number */
    ls_error error; /* of a piece; code 0: none */
};

static int by_offset(const void *a, const void *b)
{
    size_t x = ((const extent *)a)->offset, y = ((const extent *)b)->offset;
    return (x > y) - (x < y);
}

/* Lays out the file of the items. */
static bool lay_out(ls_checkpoint_save *save, ls_checkpoint_part part, ls_error *error)
{
    const ls_checkpoint_contents *contents = save->contents;
    const bool all = part == LS_CHECKPOINT_ALL;
    ls_checkpoint_item *items =
        ls_checkpoint_items_list(contents->params, contents->values, all ? &contents->arrays : NULL,
                                 all ? &contents->rows : NULL, &save->count);
    save->extents = ls_alloc((size_t)save->count, sizeof *save->extents);
    hid_t file = ls_h5_frame_create(save->path, &save->frame, error);
    bool ok = file >= 0 && ls_checkpoint_fields_write(file, contents, !all, error) &&
              (!contents->vocabulary || ls_vocabulary_write(file, contents->vocabulary, error));
    for (int i = 0; i < save->count && ok; i++) {
        extent *e = &save->extents[i];
        e->item = items[i];
        ok =
            ls_h5_frame_place(file, items[i].path, items[i].rank, items[i].dims, &e->offset, error);
    }
    ok = file >= 0 && ls_h5_frame_finish(file, &save->frame, ok ? error : NULL) && ok;
    qsort(save->extents, (size_t)save->count, sizeof *save->extents, by_offset);
    ls_free(items);
    return ok;
}

static void release(ls_checkpoint_save *save)
{
    XXH3_freeState(save->digest);
    ls_h5_frame_release(&save->frame);
    ls_free(save->extents);
    ls_free(save->memory);
    ls_free(save->path);
    ls_free(save);
}

ls_checkpoint_save *ls_checkpoint_save_begin(const char *path,
                                             const ls_checkpoint_contents *contents,
                                             ls_checkpoint_part part, ls_error *error)
{
    ls_checkpoint_save *save = ls_alloc(1, sizeof *save);
    *save = (ls_checkpoint_save){
        .path = ls_copy_string(path), .contents = contents, .digest = XXH3_createState()};
    ls_check(save->digest, "no memory for a digest");
    XXH3_128bits_reset(save->digest);
    save->memory = ls_alloc(ls_checkpoint_buffer(contents->params) + PAGE, 1);
    save->buffer = save->memory + (PAGE - (uintptr_t)save->memory % PAGE) % PAGE;
    if (lay_out(save, part, error) && (save->file = ls_atomic_file_create(path, error)))
        return save;
    release(save);
    return NULL;
}

/* Writes what was gathered: whole chunks, or with `least` 1 all of it. */
static bool flush(ls_checkpoint_save *save, size_t least)
{
    while (save->filled >= least) {
        size_t size = save->filled < LS_CHECKPOINT_CHUNK ? save->filled : LS_CHECKPOINT_CHUNK;
        if (!ls_atomic_file_put(save->file, save->buffer, size, &save->error))
            return false;
        save->filled -= size;
        memmove(save->buffer, save->buffer + size, save->filled);
    }
    return true;
}

/* The extent goes on at row `end`, of `all`. */
static void go_on(ls_checkpoint_save *save, long end, long all)
{
    save->row = end < all ? end : 0;
    save->next += end == all;
}

/* The next numbers of a row state, which are stored as they are. */
static size_t gather_numbers(ls_checkpoint_save *save, char *to)
{
    const ls_checkpoint_item *item = &save->extents[save->next].item;
    const long all = (long)(item->dims[0] * item->dims[1]), first = save->row;
    const long n = ls_min(LS_CHECKPOINT_PIECE / (long)sizeof(real), all - first);
    memcpy(to, item->array + first, (size_t)n * sizeof(real));
    go_on(save, first + n, all);
    return (size_t)n * sizeof(real);
}

/* The next rows of the extent that has been reached, into `to`; their bytes. */
static size_t gather_rows(ls_checkpoint_save *save, char *to)
{
    const ls_params *params = save->contents->params;
    const ls_checkpoint_item *item = &save->extents[save->next].item;
    if (item->slot == LS_CHECKPOINT_ROWS)
        return gather_numbers(save, to);
    long all = ls_params_rows(params, item->slot), end = save->row;
    end += ls_checkpoint_piece(params, item->slot);
    const ls_interval rows = {save->row, end < all ? end : all};
    ls_params_store_rows(params, item->slot, item->array, rows, (real *)(void *)to);
    size_t numbers = (size_t)(ls_shape_count(&params->slots[item->slot].shape) / all);
    go_on(save, rows.end, all);
    return (size_t)(rows.end - rows.begin) * numbers * sizeof(real);
}

/* The frame's next bytes, up to byte `end` of the file; 0 where they can't be read. */
static size_t gather_frame(ls_checkpoint_save *save, size_t end, char *to)
{
    size_t size = end - save->at;
    size = size < LS_CHECKPOINT_PIECE ? size : LS_CHECKPOINT_PIECE;
    bool ok = ls_h5_frame_read(&save->frame, save->path, save->at, size, to, &save->error);
    return ok ? size : 0;
}

bool ls_checkpoint_save_piece(ls_checkpoint_save *save)
{
    char *to = save->buffer + save->filled;
    bool last = save->next == save->count;
    size_t end = last ? save->frame.size : save->extents[save->next].offset;
    if (save->error.code || (last && save->at == end))
        return false;
    size_t size = save->at < end ? gather_frame(save, end, to) : gather_rows(save, to);
    if (!size)
        return false;
    XXH3_128bits_update(save->digest, to, size);
    save->at += size;
    save->filled += size;
    return flush(save, LS_CHECKPOINT_CHUNK);
}

bool ls_checkpoint_save_end(ls_checkpoint_save *save, ls_error *error)
{
    ls_checksum checksum = {
        .format = LS_CHECKPOINT_FORMAT, .step = save->contents->position.step, .size = save->at};
    ls_digest_text(XXH3_128bits_digest(save->digest), checksum.digest);
    bool ok = !save->error.code && flush(save, 1);
    if (!ok && error)
        *error = save->error;
    if (ok)
        ok = ls_checksum_commit(save->path, save->file, &checksum, error);
    else
        ls_atomic_file_discard(save->file);
    release(save);
    return ok;
}
