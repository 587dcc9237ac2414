/* philox: Salmon et al., section 3.3, with the constants of Random123. A round multiplies two of
 * the four words by constants and takes both halves of the products of 64 bits. The instruction for
 * that, pmuludq, multiplies the low halves of lanes of 64 bits; no compiler finds it for this loop,
 * so it is called by name. Words stay in lanes of 64 bits over all rounds, whose high halves hold
 * what happens to be there: nothing reads them. */
#include "core/philox.h"

#include <Random123/philox.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "core/clones.h"

enum { ROUNDS = 10 };

#ifdef __x86_64__

/* A function for vectors of `bytes`, `multiply` being pmuludq for them. */
#define MAKE(name, instructions, bytes, integers, multiply)                                        \
    typedef uint64_t name##_wide __attribute__((vector_size(bytes)));                              \
    typedef uint32_t name##_narrow __attribute__((vector_size(bytes / 2), aligned(4), may_alias)); \
    static __attribute__((target(instructions))) void name(const uint32_t key[2], long count,      \
                                                           ls_philox *blocks)                      \
    {                                                                                              \
        enum { LANES = bytes / 8 };                                                                \
        const name##_wide zero = {0}, first = zero + PHILOX_M4x32_0;                               \
        const name##_wide second = zero + PHILOX_M4x32_1;                                          \
        for (long i = 0; i < count; i += LANES) {                                                  \
            name##_wide w[4];                                                                      \
            uint32_t left = key[0], right = key[1];                                                \
            for (int k = 0; k < 4; k++)                                                            \
                w[k] = __builtin_convertvector(*(const name##_narrow *)(blocks->word[k] + i),      \
                                               name##_wide);                                       \
            for (int round = 0; round < ROUNDS; round++) {                                         \
                const name##_wide a = (name##_wide)multiply((integers)w[0], (integers)first);      \
                const name##_wide b = (name##_wide)multiply((integers)w[2], (integers)second);     \
                w[0] = (b >> 32) ^ w[1] ^ (zero + left);                                           \
                w[1] = b;                                                                          \
                w[2] = (a >> 32) ^ w[3] ^ (zero + right);                                          \
                w[3] = a;                                                                          \
                left += PHILOX_W32_0;                                                              \
                right += PHILOX_W32_1;                                                             \
            }                                                                                      \
            for (int k = 0; k < 4; k++)                                                            \
                *(name##_narrow *)(blocks->word[k] + i) =                                          \
                    __builtin_convertvector(w[k], name##_narrow);                                  \
        }                                                                                          \
    }
MAKE(avx512, "avx512f,avx512vl", 64, __m512i, _mm512_mul_epu32)
MAKE(avx2, "avx2", 32, __m256i, _mm256_mul_epu32)

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

#endif

static LS_CLONES void plain(const uint32_t key[2], long count, ls_philox *blocks)
{
    uint32_t *restrict w0 = blocks->word[0], *restrict w1 = blocks->word[1];
    uint32_t *restrict w2 = blocks->word[2], *restrict w3 = blocks->word[3];
    for (long i = 0; i < count; i++) {
        uint32_t a = w0[i], b = w1[i], c = w2[i], d = w3[i], left = key[0], right = key[1];
        for (int round = 0; round < ROUNDS; round++) {
            const uint64_t first = (uint64_t)PHILOX_M4x32_0 * a;
            const uint64_t second = (uint64_t)PHILOX_M4x32_1 * c;
            a = (uint32_t)(second >> 32) ^ b ^ left;
            b = (uint32_t)second;
            c = (uint32_t)(first >> 32) ^ d ^ right;
            d = (uint32_t)first;
            left += PHILOX_W32_0;
            right += PHILOX_W32_1;
        }
        w0[i] = a, w1[i] = b, w2[i] = c, w3[i] = d;
    }
}

static bool always(void)
{
    return true;
}

const ls_philox_way ls_philox_ways[] = {
#ifdef __x86_64__
    {"avx512", has_avx512, avx512},
    {"avx2", has_avx2, avx2},
#endif
    {"plain", always, plain}};

void ls_philox_run(const uint32_t key[2], long count, ls_philox *blocks)
{
    const ls_philox_way *way = ls_philox_ways;
    while (!way->can())
        way++;
    way->run(key, count, blocks);
}
