/* decode: what the decoders of pictures have in common. */
#include "io/decode.h"

#include <string.h>

bool ls_decode_check(const char *name, long width, long height, ls_error *error)
{
    return (width > 0 && height > 0 && width <= LS_DECODE_SIDE && height <= LS_DECODE_SIDE &&
            width * height <= LS_DECODE_PIXELS) ||
           ls_error_set(error, LS_DATA,
                        "%s: says that it has %ld x %ld pixels; expected at most %d each way and "
                        "%d million in all",
                        name, width, height, LS_DECODE_SIDE, LS_DECODE_PIXELS / 1000000);
}

/* A number of `bytes` bytes at `at`. The caller has checked that they are there. */
static uint32_t number(const uint8_t *exif, size_t at, int bytes, bool little)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | exif[at + (size_t)(little ? bytes - 1 - i : i)];
    return value;
}

/* EXIF is a TIFF header (byte order, 42, where the first directory begins) and that directory: a
 * count, and entries of 12 bytes: tag, type, count, value. Orientation is tag 0x112, a 16-bit
 * number. (CIPA DC-008, 4.6.) */
int ls_decode_orientation(const uint8_t *exif, size_t size)
{
    enum { HEADER = 8, ENTRY = 12, ORIENTATION = 0x112, SHORT = 3 };
    if (size < HEADER + 2 || (memcmp(exif, "II", 2) != 0 && memcmp(exif, "MM", 2) != 0))
        return 1;
    bool little = exif[0] == 'I';
    size_t at = number(exif, 4, 4, little);
    if (number(exif, 2, 2, little) != 42 || at > size - 2)
        return 1;
    uint32_t entries = number(exif, at, 2, little);
    at += 2;
    for (uint32_t i = 0; i < entries && at + ENTRY <= size; i++, at += ENTRY) {
        uint32_t value = number(exif, at + 8, 2, little);
        if (number(exif, at, 2, little) == ORIENTATION && number(exif, at + 2, 2, little) == SHORT)
            return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
