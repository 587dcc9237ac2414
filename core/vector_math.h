/* vector_math: exp, tanh, logistic and the like for loops that the compiler vectorises.
 *
 * Branch-free and inlined, so that a loop over an array becomes vector code on every instruction
 * set; put LS_CLONES before the function that holds the loop. Each result depends on its own
 * argument only, and the remainder of a loop computes the same bits as its vectors. NaN in gives
 * NaN out; nothing overflows on the way.
 *
 * The float build uses the polynomials below (minimax of relative error, by Remez's exchange).
 * Largest error seen against double libm, in float ulp (tests/core/test_activation.cc holds them to
 * 4): exp 1.1, expm1 1.7, logistic 2.2, tanh 1.3, softplus 2.6, atan 1.9. Subnormal results
 * included. The double build calls libm. */
#pragma once
#include <math.h>
#include <string.h>

#include "core/clones.h"
#include "core/tensor.h"

static LS_INLINE real ls_math_sqrt(real x)
{
    return sizeof x == sizeof(float) ? (real)sqrtf((float)x) : (real)sqrt((double)x);
}

/* y[n] = exp(x[n] - shift). */
void ls_math_exp_row(long n, const real *x, real shift, real *y);
/* The sum of a[n] b[n], which may be one array, in 16 lanes of doubles, added up in their order. */
double ls_math_dot(long n, const real *a, const real *b);

#ifdef LS_DOUBLE

#define ls_math_exp exp
#define ls_math_expm1 expm1
#define ls_math_tanh tanh
#define ls_math_atan atan
#define ls_math_log1p_unit log1p

#else

/* 2^n for -126 <= n <= 127. */
static LS_INLINE float ls_math_power2(int32_t n)
{
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* x = n ln 2 + r, |r| <= ln 2 / 2: returns e^r - 1 = r + r^2 q(r), relative error 2^-26. Adding
 * 1.5 * 2^23 leaves x / ln 2, rounded, in the last bits of the sum. */
static LS_INLINE float ls_math_reduce(float x, int32_t *n)
{
    const float magic = 0x1.8p23f;
    float sum = x * 0x1.715476p+0f + magic;
    float whole = sum - magic;
    uint32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    *n = (int32_t)(bits - 0x4b400000u); /* the bits of magic */
    float r = x - whole * 0x1.62e4p-1f; /* exact: ln 2 in two parts */
    r = r - whole * 0x1.7f7d1cp-20f;
    float q = 0x1.6bebf6p-10f;
    q = q * r + 0x1.1227b0p-7f;
    q = q * r + 0x1.555674p-5f;
    q = q * r + 0x1.5554b0p-3f;
    q = q * r + 0x1.fffffep-2f;
    return r + r * r * q;
}

/* e^x; 2^n in two factors, so that subnormal results and infinity come out right. */
static LS_INLINE float ls_math_exp(float x)
{
    int32_t n;
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    float p = 1.0f + ls_math_reduce(x, &n);
    return p * ls_math_power2(n >> 1) * ls_math_power2(n - (n >> 1));
}

/* e^x - 1 = 2^n p + (2^n - 1) without cancellation, p = e^r - 1; for x <= 88, clamped there. */
static LS_INLINE float ls_math_expm1(float x)
{
    int32_t n;
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float p = ls_math_reduce(x, &n), power = ls_math_power2(n);
    return power * p + (power - 1.0f);
}

/* Near 0: x + x^3 q(x^2), relative error 2^-27; else 1 - 2 / (e^(2|x|) + 1). */
static LS_INLINE float ls_math_tanh(float x)
{
    float z = x * x, size = fabsf(x);
    float q = -0x1.75e1bap-8f;
    q = q * z + 0x1.522696p-6f;
    q = q * z - 0x1.b83c5ap-5f;
    q = q * z + 0x1.110726p-3f;
    q = q * z - 0x1.555532p-2f;
    float small = x + x * z * q;
    size = size > 10.0f ? 10.0f : size; /* tanh is 1 to the last digit from 9.1 on */
    int32_t n;
    float p = 1.0f + ls_math_reduce(2.0f * size, &n);
    float large = copysignf(1.0f - 2.0f / (p * ls_math_power2(n) + 1.0f), x);
    return size < 0.625f ? small : large;
}

/* t + t^3 q(t^2) for t <= 1, relative error 2^-26; atan x = pi/2 - atan 1/x beyond. */
static LS_INLINE float ls_math_atan(float x)
{
    float size = fabsf(x);
    float t = size > 1.0f ? 1.0f / size : size, z = t * t;
    float q = 0x1.7ed1fep-9f;
    q = q * z - 0x1.0c2bfcp-6f;
    q = q * z + 0x1.61fdc8p-5f;
    q = q * z - 0x1.3556b0p-4f;
    q = q * z + 0x1.b4e128p-4f;
    q = q * z - 0x1.230adcp-3f;
    q = q * z + 0x1.9978f4p-3f;
    q = q * z - 0x1.5554dcp-2f;
    float y = t + t * z * q;
    return copysignf(size > 1.0f ? 0x1.921fb6p+0f - y : y, x);
}

/* ln(1 + x) for 0 <= x <= 1: 2 atanh s, s = x / (2 + x); 2s + 2s^3 q(s^2), relative error 2^-27. */
static LS_INLINE float ls_math_log1p_unit(float x)
{
    float s = x / (2.0f + x), z = s * s;
    float q = 0x1.1ed7c0p-3f;
    q = q * z + 0x1.1ebd0ep-3f;
    q = q * z + 0x1.99d208p-3f;
    q = q * z + 0x1.555502p-2f;
    return 2.0f * (s + s * z * q);
}

#endif

/* 1 / (1 + e^-x), below 0 as e^x / (1 + e^x): no overflow, and small results keep their digits. */
static LS_INLINE real ls_math_logistic(real x)
{
    real e = ls_math_exp(x < 0 ? x : -x);
    return (x < 0 ? e : 1) / (1 + e);
}

/* ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|). */
static LS_INLINE real ls_math_softplus(real x)
{
    return (x < 0 ? 0 : x) + ls_math_log1p_unit(ls_math_exp(x < 0 ? x : -x));
}
