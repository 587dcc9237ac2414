/* fuzz_pictures: clang's fuzzer on the readers of pictures and of EXIF data, and the filter behind
 * them. The first byte of an input says whether the rest is a picture or EXIF data. */
#include "core/memory.h"
#include "io/jpeg.h"
#include "io/png.h"
#include "io/resample.h"

enum { SIDE = 16, MOST = 1 << 22 /* pixels: larger pictures only cost time */ };

/* A picture on its way to the middle half of the height of SIDE x 2 SIDE. */
static bool begin(void *context, long width, long height, int orientation, ls_decode_window *window)
{
    ls_resample *r = context;
    const ls_resample_axis x = {.from = width, .to = SIDE, .count = SIDE};
    const ls_resample_axis y = {.from = height, .to = 2 * SIDE, .first = SIDE / 2, .count = SIDE};
    if (orientation < 1 || orientation > 8)
        __builtin_trap();
    if (width * height > MOST)
        return false;
    ls_resample_plan(r, 3, &x, &y);
    *window = (ls_decode_window){r->x.begin, r->x.end, r->y.begin, r->y.end};
    return true;
}

static void take_row(void *context, long y, const uint8_t *rgb)
{
    ls_resample_row(context, y, rgb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t out[SIDE * SIDE * 3];
    ls_resample r = {0};
    const ls_decode_sink sink = {&r, begin, take_row};
    ls_error error;
    if (size == 0)
        return 0;
    if (data[0] % 2 == 1) {
        ls_decode_orientation(data + 1, size - 1);
        return 0;
    }
    bool png = ls_png_is(data + 1, size - 1), jpeg = ls_jpeg_is(data + 1, size - 1);
    if ((png || jpeg) &&
        (png ? ls_png_decode : ls_jpeg_decode)("a", data + 1, size - 1, &sink, &error) &&
        r.channels == 3)
        ls_resample_finish(&r, out);
    ls_resample_release(&r);
    return 0;
}
