/* images: JPEG and PNG pictures become rows of bytes [height, width, channels] of one size.
 *
 * A picture is turned as its EXIF orientation says, scaled (resample.h) until its shorter side (as
 * seen from the form of a row) fits and the longer one is the row's or more, and cropped at the
 * centre; or, with `stretch`, scaled in each direction by itself. So a picture of w x h becomes,
 * for a row of W x H, if w / h < W / H, one of W x max(H, floor(h W / w)), and of the rows that are
 * too many the first floor(half) are left out; if not, likewise with the sides exchanged.
 *
 * Only the pixels that go into the row are decoded and filtered. Turning comes last, on the small
 * picture: a flip or a quarter turn of the input is one of the output. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/decode.h"
#include "io/file.h"
#include "io/import/filewise.h"
#include "io/jpeg.h"
#include "io/magic.h"
#include "io/output.h"
#include "io/png.h"
#include "io/resample.h"

enum { SIDE = 8192, FILE_MOST = 1 << 30 /* bytes */ };

/* The size of a picture, or a place in it. */
typedef struct size {
    long width, height;
} size;

typedef struct options {
    size row;
    int channels;
    bool stretch;
    bool exact; /* the size is that of the first picture, and must be that of all */
} options;

/* What a thread keeps from file to file. */
typedef struct scratch {
    uint8_t *bytes; /* of the file */
    size_t room;
    uint8_t *grey, *tile; /* a row of the picture in grey; the row before it is turned */
    size_t grey_room, tile_room;
    ls_resample filter;
} scratch;

/* One picture on its way. */
typedef struct work {
    const options *o;
    scratch *s;
    int orientation;
    size picture; /* as a person sees it */
    bool sized;   /* only its size is asked for; or it is not that of a row, which `exact` wants */
} work;

/* Reads the whole file into s->bytes. LS_DATA where it is no file, not there or not for us;
 * LS_IO where it can't be read. */
static bool read_bytes(scratch *s, const char *path, size_t *size, ls_error *error)
{
    struct stat is;
    int file = ls_file_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    ssize_t got = -1;
    if (file >= 0 && fstat(file, &is) == 0) {
        bool fits = S_ISREG(is.st_mode) && is.st_size <= FILE_MOST;
        if (fits) {
            s->bytes = ls_memory_room(s->bytes, &s->room, (size_t)is.st_size + 1);
            got = ls_file_read(file, s->bytes, (size_t)is.st_size);
        }
        if (!fits) {
            ls_file_close(file);
            return ls_error_set(error, LS_DATA, "%s: %s; expected a JPEG or PNG picture", path,
                                S_ISREG(is.st_mode) ? "has more than 1 GiB" : "is no plain file");
        }
    }
    int reason = errno;
    if (file >= 0)
        ls_file_close(file);
    *size = got < 0 ? 0 : (size_t)got;
    return got >= 0 || ls_error_set(error, file < 0 ? ls_file_open_code(reason) : LS_IO,
                                    "%s: can't read the file: %s", path, strerror(reason));
}

/* EXIF orientations 1 to 8: whether, from the picture as it is stored, the sides change places, and
 * the stored columns and rows run backwards. */
static const struct {
    bool turn, flip_x, flip_y;
} turns[] = {[1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true},
             [4] = {false, false, true},  [5] = {true, false, false}, [6] = {true, false, true},
             [7] = {true, true, true},    [8] = {true, true, false}};

/* The size that a picture is scaled to. */
static size scaled(const options *o, size picture)
{
    size row = o->row;
    if (o->stretch)
        return row;
    if (row.width * picture.height >= row.height * picture.width)
        return (size){row.width, ls_max(row.height, picture.height * row.width / picture.width)};
    return (size){ls_max(row.width, picture.width * row.height / picture.height), row.height};
}

/* One axis of the stored picture: `count` of `to` pixels at the centre of what a person sees. */
static ls_resample_axis axis(long from, long to, long count, bool flip)
{
    long before = (to - count) / 2;
    return (ls_resample_axis){
        .from = from, .to = to, .first = flip ? to - count - before : before, .count = count};
}

static bool begin(void *context, long width, long height, int orientation, ls_decode_window *window)
{
    work *w = context;
    bool turn = turns[orientation].turn;
    w->orientation = orientation;
    w->picture = turn ? (size){height, width} : (size){width, height};
    w->sized = !w->o || (w->o->exact && (w->picture.width != w->o->row.width ||
                                         w->picture.height != w->o->row.height));
    if (w->sized)
        return false;
    size row = w->o->row, to = scaled(w->o, w->picture);
    ls_resample_axis x = axis(width, turn ? to.height : to.width, turn ? row.height : row.width,
                              turns[orientation].flip_x);
    ls_resample_axis y = axis(height, turn ? to.width : to.height, turn ? row.width : row.height,
                              turns[orientation].flip_y);
    ls_resample *filter = &w->s->filter;
    ls_resample_plan(filter, w->o->channels, &x, &y);
    *window = (ls_decode_window){filter->x.begin, filter->x.end, filter->y.begin, filter->y.end};
    w->s->grey = ls_memory_room(w->s->grey, &w->s->grey_room, (size_t)(window->x_end - window->x));
    return true;
}

/* Grey as PIL's convert("L") has it: by ITU-R BT.601, in steps of 2^-16. */
static void take_row(void *context, long y, const uint8_t *rgb)
{
    work *w = context;
    ls_resample *filter = &w->s->filter;
    long n = filter->x.end - filter->x.begin;
    for (long i = 0; w->o->channels == 1 && i < n; i++) {
        const uint8_t *p = rgb + 3 * i;
        w->s->grey[i] = (uint8_t)((19595 * p[0] + 38470 * p[1] + 7471 * p[2] + (1 << 15)) >> 16);
    }
    ls_resample_row(filter, y, w->o->channels == 1 ? w->s->grey : rgb);
}

/* Turns the small picture, as it is stored, into the row. */
static void turn_tile(const work *w, const uint8_t *tile, uint8_t *row)
{
    const options *o = w->o;
    bool turn = turns[w->orientation].turn;
    long across = turn ? o->row.height : o->row.width, down = turn ? o->row.width : o->row.height;
    for (long y = 0; y < o->row.height; y++)
        for (long x = 0; x < o->row.width; x++) {
            long u = turn ? y : x, v = turn ? x : y;
            u = turns[w->orientation].flip_x ? across - 1 - u : u;
            v = turns[w->orientation].flip_y ? down - 1 - v : v;
            for (int c = 0; c < o->channels; c++)
                *row++ = tile[(v * across + u) * o->channels + c];
        }
}

/* Decodes a picture of either format, which its first bytes tell. */
static bool decode_bytes(const char *name, const uint8_t *bytes, size_t size,
                         const ls_decode_sink *sink, ls_error *error)
{
    if (ls_jpeg_is(bytes, size))
        return ls_jpeg_decode(name, bytes, size, sink, error);
    if (ls_png_is(bytes, size))
        return ls_png_decode(name, bytes, size, sink, error);
    if (size == 0)
        return ls_error_set(error, LS_DATA, "%s: is empty; expected a JPEG or PNG picture", name);
    const char *kind = ls_magic_name(bytes, size);
    if (kind)
        return ls_error_set(error, LS_DATA, "%s: is %s; expected a JPEG or PNG picture", name,
                            kind);
    return ls_error_set(
        error, LS_DATA, "%s: begins with %02x %02x %02x %02x; expected a JPEG or PNG picture", name,
        bytes[0], size > 1 ? bytes[1] : 0, size > 2 ? bytes[2] : 0, size > 3 ? bytes[3] : 0);
}

static bool decode(work *w, const char *path, ls_error *error)
{
    size_t bytes = 0;
    const ls_decode_sink sink = {w, begin, take_row};
    return read_bytes(w->s, path, &bytes, error) &&
           decode_bytes(path, w->s->bytes, bytes, &sink, error);
}

static bool read(const ls_filewise *all, void *context, const char *path, void *const *row,
                 ls_error *error)
{
    const options *o = all->state;
    scratch *s = context;
    work w = {.o = o, .s = s};
    if (!decode(&w, path, error))
        return false;
    if (w.sized)
        return ls_error_set(error, LS_USAGE,
                            "%s: has %ld x %ld pixels, but the first picture %ld x %ld: choose a "
                            "size for all rows, such as --size %ld",
                            path, w.picture.width, w.picture.height, o->row.width, o->row.height,
                            ls_min(o->row.width, o->row.height));
    size_t bytes = (size_t)(o->row.width * o->row.height * o->channels);
    s->tile = ls_memory_room(s->tile, &s->tile_room, bytes);
    bool upright = w.orientation == 1;
    ls_resample_finish(&s->filter, upright ? row[0] : s->tile);
    if (!upright)
        turn_tile(&w, s->tile, row[0]);
    return true;
}

static void release_scratch(void *context)
{
    scratch *s = context;
    ls_free(s->bytes);
    ls_free(s->grey);
    ls_free(s->tile);
    ls_resample_release(&s->filter);
}

/* Sets the size of a row to that of the first picture. */
static bool measure_first(const ls_filewise *all, options *o, ls_error *error)
{
    scratch s = {0};
    work w = {.s = &s};
    char *path = ls_listing_path(&all->files, 0);
    bool ok = decode(&w, path, error);
    if (!ok)
        ls_error_prefix(error, "the first picture can't tell the size of a row, so give --size");
    o->exact = true;
    o->row = w.picture;
    ls_free(path);
    release_scratch(&s);
    return ok;
}

static bool in_range(const options *o, ls_error *error)
{
    return (ls_min(o->row.width, o->row.height) >= 1 &&
            ls_max(o->row.width, o->row.height) <= SIDE) ||
           ls_error_set(error, LS_USAGE,
                        "import images: size=%ld,%ld; expected a height and a width of 1 to %d",
                        o->row.height, o->row.width, SIDE);
}

static bool setup(ls_filewise *all, ls_error *error)
{
    const ls_import *import = all->import;
    options *o = ls_alloc(1, sizeof *o);
    all->state = o;
    o->channels = import->grey ? 1 : 3;
    o->stretch = import->stretch;
    o->row = (size){import->width ? import->width : import->size, import->size};
    if ((import->size == 0 && !measure_first(all, o, error)) || !in_range(o, error))
        return false;
    all->array[0] =
        (ls_filewise_array){"x", LS_U8, {3, {o->row.height, o->row.width, o->channels}}};
    return true;
}

static void release(ls_filewise *all)
{
    ls_free(all->state);
}

static bool put_attributes(const ls_filewise *all, int array, hid_t dataset, ls_error *error)
{
    return ls_output_pictures(dataset, error);
}

static bool run(const ls_import *import, FILE *report, ls_error *error)
{
    static const ls_filewise_format format = {.setup = setup,
                                              .release = release,
                                              .scratch = sizeof(scratch),
                                              .release_scratch = release_scratch,
                                              .read = read,
                                              .attributes = put_attributes};
    return ls_filewise_run(&format, import, report, error);
}

ls_import_run *const ls_import_images = run;
