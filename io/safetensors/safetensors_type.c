/* safetensors_type: the table of types, and how the floating-point ones become numbers of ours. */
#include "io/safetensors/safetensors_type.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "safetensors are read as they are stored");

#ifdef LS_DOUBLE
const char *const ls_safetensors_type_real = "F64";
#else
const char *const ls_safetensors_type_real = "F32";
#endif

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16: sign 1, exponent 5 (bias 15), fraction 10 bits. */
static float from_half(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31,
                   fraction = half & 0x3ff;
    if (exponent == 31) /* infinity, or not a number */
        return from_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent > 0)
        return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    const float small = (float)fraction * 0x1p-24f; /* 0, or below the least normal number */
    return sign ? -small : small;
}

static void read_f16(const void *stored, size_t count, real *numbers)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, (const char *)stored + i * sizeof half, sizeof half);
        numbers[i] = from_half(half);
    }
}

/* bfloat16 is the upper half of a float. */
static void read_bf16(const void *stored, size_t count, real *numbers)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t upper;
        memcpy(&upper, (const char *)stored + i * sizeof upper, sizeof upper);
        numbers[i] = from_bits((uint32_t)upper << 16);
    }
}

static void read_f32(const void *stored, size_t count, real *numbers)
{
    for (size_t i = 0; i < count; i++) {
        float value;
        memcpy(&value, (const char *)stored + i * sizeof value, sizeof value);
        numbers[i] = value;
    }
}

static void read_f64(const void *stored, size_t count, real *numbers)
{
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, (const char *)stored + i * sizeof value, sizeof value);
        numbers[i] = (real)value;
    }
}

static const ls_safetensors_type types[] = {
    {"F32", 4, read_f32}, {"F16", 2, read_f16}, {"BF16", 2, read_bf16}, {"F64", 8, read_f64},
    {"BOOL", 1, NULL},    {"U8", 1, NULL},      {"I8", 1, NULL},        {"F8_E5M2", 1, NULL},
    {"F8_E4M3", 1, NULL}, {"I16", 2, NULL},     {"U16", 2, NULL},       {"I32", 4, NULL},
    {"U32", 4, NULL},     {"I64", 8, NULL},     {"U64", 8, NULL},
};

const ls_safetensors_type *ls_safetensors_type_find(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return NULL;
}
