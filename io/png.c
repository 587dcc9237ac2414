/* png: libpng packs the pixels in memory, atomic_file writes the file. */
#include "io/png.h"

#include <png.h>
#include <string.h>

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
