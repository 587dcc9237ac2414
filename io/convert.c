/* convert: one plain loop for each number type, which the compiler vectorises. A number type is a
 * line CONVERT and an entry of the table. */
#include "io/convert.h"

#include <math.h>

#define CONVERT(name, stored_type, working_type)                                                   \
    static void name(const void *stored, long n, double scale, double offset, real *out)           \
    {                                                                                              \
        const stored_type *in = stored;                                                            \
        working_type a = (working_type)scale, b = (working_type)offset;                            \
        for (long i = 0; i < n; i++)                                                               \
            out[i] = (real)(a * (working_type)in[i] + b);                                          \
    }
CONVERT(from_u8, uint8_t, real)
CONVERT(from_i8, int8_t, real)
CONVERT(from_u16, uint16_t, real)
CONVERT(from_i16, int16_t, real)
CONVERT(from_u32, uint32_t, double)
CONVERT(from_i32, int32_t, double)
CONVERT(from_i64, int64_t, double)
CONVERT(from_f32, float, real)
CONVERT(from_f64, double, double)

void ls_convert(ls_dtype type, const void *stored, long n, double scale, double offset, real *out)
{
    static void (*const loops[])(const void *, long, double, double, real *) = {
        [LS_U8] = from_u8,   [LS_I8] = from_i8,   [LS_U16] = from_u16,
        [LS_I16] = from_i16, [LS_U32] = from_u32, [LS_I32] = from_i32,
        [LS_I64] = from_i64, [LS_F32] = from_f32, [LS_F64] = from_f64,
    };
    loops[type](stored, n, scale, offset, out);
}

long ls_convert_find_bad(const real *values, long n)
{
    /* v - v is NaN for NaN and infinity. The loop has no early exit, so that it vectorises. */
    int bad = 0;
    for (long i = 0; i < n; i++)
        bad |= values[i] - values[i] != 0;
    for (long i = 0; bad && i < n; i++)
        if (!isfinite(values[i]))
            return i;
    return -1;
}
