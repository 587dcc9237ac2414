/* png: libpng packs and unpacks pixels in memory, atomic_file writes the file. */
#include "io/png.h"

#include <png.h>
#include <setjmp.h>
#include <string.h>
#include <zlib.h>

#include "core/memory.h"
#include "io/atomic_file.h"

static bool pack(const char *path, png_image *image, const ls_png *png, void *bytes,
                 png_alloc_size_t *size, ls_error *error)
{
    if (png_image_write_to_memory(image, bytes, size, 0, png->pixel, 0, NULL))
        return true;
    ls_error_set(error, LS_IO, "%s: libpng can't make the picture: %s", path, image->message);
    png_image_free(image);
    return false;
}

bool ls_png_ending(const char *path)
{
    size_t length = strlen(path), ending = strlen(".png");
    return length > ending && strcmp(path + length - ending, ".png") == 0;
}

bool ls_png_check(const char *path, long width, long height, ls_error *error)
{
    return (width <= LS_PNG_SIDE && height <= LS_PNG_SIDE && width * height <= LS_PNG_PIXELS) ||
           ls_error_set(error, LS_USAGE,
                        "%s: the picture would be %ld pixels wide and %ld high; expected at most "
                        "%d each way and %d million in all: choose fewer rows",
                        path, width, height, LS_PNG_SIDE, LS_PNG_PIXELS / 1000000);
}

bool ls_png_write(const char *path, const ls_png *png, ls_error *error)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)png->width,
                       .height = (png_uint_32)png->height,
                       .format = png->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    void *bytes = ls_alloc(size, 1);
    bool ok = pack(path, &image, png, bytes, &size, error) &&
              ls_atomic_file_write(path, bytes, size, error);
    ls_free(bytes);
    return ok;
}

/* A picture that is read. What longjmp leaves as it is lies here, not in locals. */
typedef struct reader {
    const char *name; /* of the file */
    const uint8_t *bytes;
    size_t size, at; /* read so far */
    ls_error *error;
    png_structp png;
    png_infop info;
    int passes;      /* 1, or 7 of an interlaced picture */
    uint8_t *pixels; /* a row, or of interlaced pictures all rows */
    uint8_t *rgb;    /* a row over white */
} reader;

bool ls_png_is(const uint8_t *bytes, size_t size)
{
    return size >= 8 && png_sig_cmp(bytes, 0, 8) == 0;
}

__attribute__((noreturn)) static void fail(png_structp png, png_const_charp reason)
{
    const reader *r = png_get_error_ptr(png);
    ls_error_set(r->error, LS_DATA, "%s: is a damaged PNG picture: %s", r->name, reason);
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp reason)
{
}

static void read_bytes(png_structp png, png_bytep to, size_t size)
{
    reader *r = png_get_io_ptr(png);
    if (size > r->size - r->at)
        png_error(png, "it ends too early: it was cut short");
    memcpy(to, r->bytes + r->at, size);
    r->at += size;
}

enum { PIECE_BYTES = 1 << 24 /* that libpng may take at once: a row of LS_DECODE_SIDE is less */ };

/* Memory for libpng, which believes the length that a chunk beside the pixels claims (Exif, for
 * one) and leaves out a chunk that gets none. png_set_chunk_malloc_max only warns of such a chunk.
 */
static png_voidp bounded(png_structp png, png_alloc_size_t bytes)
{
    return bytes <= PIECE_BYTES ? ls_memory_malloc(bytes) : NULL;
}

/* Asks libpng for rows of 8-bit red, green, blue, with alpha where there is transparency. */
static void set_transforms(png_structp png)
{
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
}

/* Pixels of 4 bytes over white. */
static const uint8_t *over_white(const reader *r, const uint8_t *rgba, long pixels)
{
    for (long i = 0; i < pixels; i++) {
        int alpha = rgba[4 * i + 3];
        for (int c = 0; c < 3; c++)
            r->rgb[3 * i + c] =
                (uint8_t)((rgba[4 * i + c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
    return r->rgb;
}

static void give_row(const reader *r, const ls_decode_window *window, long y, const uint8_t *row,
                     const ls_decode_sink *sink)
{
    int channels = png_get_channels(r->png, r->info);
    const uint8_t *from = row + window->x * channels;
    if (y >= window->y && y < window->y_end)
        sink->row(sink->context, y,
                  channels == 4 ? over_white(r, from, window->x_end - window->x) : from);
}

/* Decodes the rows of the window, and the others too, which finds a file cut short. */
static void read_window(reader *r, const ls_decode_window *window, const ls_decode_sink *sink)
{
    size_t row = png_get_rowbytes(r->png, r->info);
    long height = png_get_image_height(r->png, r->info);
    size_t step = r->passes > 1 ? row : 0; /* the passes add to the same rows */
    r->pixels = ls_alloc(r->passes > 1 ? (size_t)height : 1, row);
    r->rgb = ls_alloc((size_t)(window->x_end - window->x), 3);
    for (int pass = 0; pass < r->passes; pass++)
        for (long y = 0; y < height; y++) {
            uint8_t *to = r->pixels + (size_t)y * step;
            png_read_row(r->png, to, NULL);
            if (pass + 1 == r->passes)
                give_row(r, window, y, to, sink);
        }
    png_read_end(r->png, NULL);
}

static int orientation_of(const reader *r)
{
    enum { SIGNATURE = 8, HEAD = 8, SUM = 4 };
    for (size_t at = SIGNATURE; at + HEAD + SUM <= r->size;) {
        const uint8_t *chunk = r->bytes + at;
        const size_t size = png_get_uint_32(chunk), room = r->size - at - HEAD - SUM;
        if (size > room)
            return 1;
        if (memcmp(chunk + 4, "eXIf", 4) == 0)
            return crc32(0, chunk + 4, (uInt)(size + 4)) == png_get_uint_32(chunk + HEAD + size)
                       ? ls_decode_orientation(chunk + HEAD, size)
                       : 1;
        at += HEAD + size + SUM;
    }
    return 1;
}

/* What may end by longjmp. */
static bool decode(reader *r, const ls_decode_sink *sink)
{
    ls_decode_window window;
    png_set_user_limits(r->png, LS_DECODE_SIDE, LS_DECODE_SIDE);
    png_set_read_fn(r->png, r, read_bytes);
    png_read_info(r->png, r->info);
    long width = png_get_image_width(r->png, r->info);
    long height = png_get_image_height(r->png, r->info);
    if (!ls_decode_check(r->name, width, height, r->error))
        return false;
    if (!sink->begin(sink->context, width, height, orientation_of(r), &window))
        return true;
    set_transforms(r->png);
    r->passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    read_window(r, &window, sink);
    return true;
}

bool ls_png_decode(const char *name, const uint8_t *bytes, size_t size, const ls_decode_sink *sink,
                   ls_error *error)
{
    ls_error unwanted;
    reader *r = ls_alloc(1, sizeof *r);
    *r = (reader){.name = name, .bytes = bytes, .size = size, .error = error ? error : &unwanted};
    r->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, r, fail, ignore, NULL, bounded, NULL);
    r->info = r->png ? png_create_info_struct(r->png) : NULL;
    bool ok = r->info || ls_error_set(r->error, LS_IO, "%s: libpng has no memory", name);
    ok = ok && setjmp(png_jmpbuf(r->png)) == 0 && decode(r, sink);
    png_destroy_read_struct(&r->png, &r->info, NULL);
    ls_free(r->pixels);
    ls_free(r->rgb);
    ls_free(r);
    return ok;
}
