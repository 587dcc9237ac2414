/* jpeg: reads JPEG pictures by libjpeg-turbo.
 *
 * They are decoded in full size. (Decoding at a half, a quarter or an eighth of the size, which
 * libjpeg can do for little, leaves out high frequencies where a filter would average them: pixels
 * then differ by tens of grey levels.) What lies outside the wanted window is only unpacked, not
 * transformed.
 *
 * Grey becomes three equal channels. CMYK, as it is or as YCCK, becomes red = (255 - c) (255 - k) /
 * 255 and so on; with Adobe's marker the numbers are stored inverted, as programs that write such
 * files do. A picture whose data end early or are damaged is refused, where libjpeg would only warn
 * and fill it with grey. */
#pragma once
#include "io/decode.h"

bool ls_jpeg_is(const uint8_t *bytes, size_t size);
/* Gives the pixels of the window to the sink. LS_DATA errors begin with `name`. */
bool ls_jpeg_decode(const char *name, const uint8_t *bytes, size_t size, const ls_decode_sink *sink,
                    ls_error *error);
