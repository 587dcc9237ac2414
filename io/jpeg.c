/* jpeg: libjpeg's decoder behind a function that can fail. */
#include "io/jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "core/memory.h"
#include "core/minmax.h"

/* A progressive picture may have this many scans: real ones have about ten, and each costs as much
 * as the whole picture. */
enum { SCANS = 200, EXIF_MARKER = JPEG_APP0 + 1, EXIF_MOST = 65533 };
/* Columns that are decoded on both sides of the window, and rows before it: chroma of neighbours
 * goes into a pixel. */
enum { MARGIN = 16 };

/* What is left as it is by longjmp lies here, not in locals. */
typedef struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    const char *name; /* of the file */
    ls_error *error;
    uint8_t *line, *rgb; /* a row as libjpeg gives it, and in red, green, blue */
} decoder;

bool ls_jpeg_is(const uint8_t *bytes, size_t size)
{
    return size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0;
}

/* libjpeg's error_exit. */
__attribute__((noreturn)) static void fail(j_common_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    char reason[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, reason);
    ls_error_set(d->error, LS_DATA, "%s: is a damaged JPEG picture: %s", d->name, reason);
    longjmp(d->failed, 1);
}

/* libjpeg's emit_message: level -1 is a warning. Those that leave the pixels as they are meant are
 * none to us. */
static void warn(j_common_ptr jpeg, int level)
{
    static const int harmless[] = {JWRN_EXTRANEOUS_DATA, JWRN_ADOBE_XFORM, JWRN_JFIF_MAJOR,
                                   JWRN_TOO_MUCH_DATA};
    for (size_t i = 0; level < 0 && i < sizeof harmless / sizeof *harmless; i++)
        if (jpeg->err->msg_code == harmless[i])
            return;
    if (level < 0)
        fail(jpeg);
}

static void count_scans(j_common_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    if (d->jpeg.input_scan_number <= SCANS)
        return;
    ls_error_set(d->error, LS_DATA, "%s: is a JPEG picture of more than %d scans", d->name, SCANS);
    longjmp(d->failed, 1);
}

static int orientation_of(const struct jpeg_decompress_struct *jpeg)
{
    static const char exif[] = "Exif\0"; /* and one more 0 */
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next)
        if (m->marker == EXIF_MARKER && m->data_length > sizeof exif &&
            memcmp(m->data, exif, sizeof exif) == 0)
            return ls_decode_orientation(m->data + sizeof exif, m->data_length - sizeof exif);
    return 1;
}

/* Turns CMYK into red, green, blue. */
static void convert_cmyk(const decoder *d, long pixels, const uint8_t *line)
{
    int flip = d->jpeg.saw_Adobe_marker ? 0 : 255; /* inverted numbers are 255 - ink */
    for (long i = 0; i < pixels; i++) {
        int rest = line[4 * i + 3] ^ flip;
        for (int c = 0; c < 3; c++)
            d->rgb[3 * i + c] = (uint8_t)(((line[4 * i + c] ^ flip) * rest + 127) / 255);
    }
}

static void convert_grey(const decoder *d, long pixels, const uint8_t *line)
{
    for (long i = 0; i < pixels; i++)
        d->rgb[3 * i] = d->rgb[3 * i + 1] = d->rgb[3 * i + 2] = line[i];
}

/* The next row's pixels of the window, whose first is pixel `skip` of what is decoded. */
static const uint8_t *read_row(decoder *d, long skip, long pixels)
{
    JSAMPROW row = d->line;
    jpeg_read_scanlines(&d->jpeg, &row, 1);
    const uint8_t *line = d->line + skip * d->jpeg.output_components;
    if (d->jpeg.output_components == 3)
        return line;
    (d->jpeg.output_components == 4 ? convert_cmyk : convert_grey)(d, pixels, line);
    return d->rgb;
}

/* Decodes the rows of the window. The rows after it are unpacked too, which finds a file cut short.
 */
static void read_window(decoder *d, const ls_decode_window *window, const ls_decode_sink *sink)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    long x = ls_max(0, window->x - MARGIN), y = ls_max(0, window->y - MARGIN);
    JDIMENSION left = (JDIMENSION)x;
    JDIMENSION width = (JDIMENSION)(ls_min(jpeg->output_width, window->x_end + MARGIN) - x);
    if (width < jpeg->output_width)
        jpeg_crop_scanline(jpeg, &left, &width); /* left becomes a multiple of a block's width */
    long pixels = window->x_end - window->x;
    d->line = ls_alloc((size_t)width, (size_t)jpeg->output_components);
    d->rgb = ls_alloc((size_t)pixels, 3);
    if (y > 0)
        jpeg_skip_scanlines(jpeg, (JDIMENSION)y);
    for (; y < window->y_end; y++) {
        const uint8_t *rgb = read_row(d, window->x - (long)left, pixels);
        if (y >= window->y)
            sink->row(sink->context, y, rgb);
    }
    if (jpeg->output_scanline + 1 < jpeg->output_height) /* to the end, it would unpack nothing */
        jpeg_skip_scanlines(jpeg, jpeg->output_height - jpeg->output_scanline - 1);
    if (jpeg->output_scanline < jpeg->output_height)
        read_row(d, 0, 0);
}

/* What may end by longjmp. */
static bool decode(decoder *d, const uint8_t *bytes, size_t size, const ls_decode_sink *sink)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    ls_decode_window window;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &d->progress;
    jpeg_mem_src(jpeg, bytes, size);
    jpeg_save_markers(jpeg, EXIF_MARKER, EXIF_MOST);
    jpeg_read_header(jpeg, true);
    if (!ls_decode_check(d->name, jpeg->image_width, jpeg->image_height, d->error))
        return false;
    jpeg->out_color_space = jpeg->num_components == 1   ? JCS_GRAYSCALE
                            : jpeg->num_components == 4 ? JCS_CMYK
                                                        : JCS_RGB;
    if (!sink->begin(sink->context, jpeg->image_width, jpeg->image_height, orientation_of(jpeg),
                     &window))
        return true;
    jpeg_start_decompress(jpeg);
    read_window(d, &window, sink);
    return true;
}

bool ls_jpeg_decode(const char *name, const uint8_t *bytes, size_t size, const ls_decode_sink *sink,
                    ls_error *error)
{
    ls_error unwanted;
    decoder *d = ls_alloc(1, sizeof *d);
    d->name = name;
    d->error = error ? error : &unwanted;
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->jpeg.client_data = d;
    d->errors.error_exit = fail;
    d->errors.emit_message = warn;
    d->progress.progress_monitor = count_scans;
    bool ok = setjmp(d->failed) == 0 && decode(d, bytes, size, sink);
    jpeg_destroy_decompress(&d->jpeg);
    ls_free(d->line);
    ls_free(d->rgb);
    ls_free(d);
    return ok;
}
