/* random: Philox4x32-10 streams, and a keyed permutation. */
#include "core/random.h"

#include <Random123/philox.h>
#include <math.h>
#include <string.h>

#include "core/clones.h"
#include "core/minmax.h"
#include "core/philox.h"

static philox4x32_ctr_t block_at(ls_random stream, uint64_t row, uint32_t block, uint32_t domain)
{
    philox4x32_ctr_t counter = {{(uint32_t)row, (uint32_t)(row >> 32), block, domain}};
    philox4x32_key_t key = {{stream.key[0], stream.key[1]}};
    return philox4x32(counter, key);
}

ls_random ls_random_stream(uint64_t seed, ls_purpose purpose, uint64_t step, uint32_t draw,
                           uint32_t layer)
{
    /* Two calls mix 64 bits of seed, 64 of step, purpose, draw and layer into the stream's key. */
    ls_random base = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t first = block_at(base, step, (uint32_t)purpose, 0xfffffffe);
    base = (ls_random){{first.v[0], first.v[1]}};
    philox4x32_ctr_t second = block_at(base, draw, layer, 0xffffffff);
    return (ls_random){{second.v[0], second.v[1]}};
}

enum { LANES = LS_PHILOX_LANES };

/* Words of `count` blocks of rows that have `each` blocks, from block `first` on, of which the
 * number is counted on over the rows. */
static void fill(ls_random stream, uint64_t row, long each, long first, long count,
                 ls_philox *blocks)
{
    row += (uint64_t)(first / each);
    uint32_t block = (uint32_t)(first % each);
    for (long i = 0; i < count; i++) {
        blocks->word[0][i] = (uint32_t)row;
        blocks->word[1][i] = (uint32_t)(row >> 32);
        blocks->word[2][i] = block++;
        blocks->word[3][i] = 0;
        if (block == (uint32_t)each) {
            block = 0;
            row++;
        }
    }
    ls_philox_run(stream.key, count, blocks);
}

/* The words of the blocks in their order, [count, 4], as they are and as numbers of [0, 1). */
static LS_CLONES void take_bits(long count, const ls_philox *restrict blocks,
                                uint32_t *restrict out)
{
    for (long i = 0; i < count; i++)
        for (int k = 0; k < 4; k++)
            out[4 * i + k] = blocks->word[k][i];
}

static LS_CLONES void take_uniform(long count, const ls_philox *restrict blocks, real *restrict out)
{
    for (long i = 0; i < count; i++)
        for (int k = 0; k < 4; k++)
            out[4 * i + k] = (real)(int32_t)(blocks->word[k][i] >> 8) * (real)0x1p-24;
}

/* Of the n words of a row those from `begin` on; returns how many. */
static long next_words(ls_random stream, uint64_t row, long n, long begin,
                       uint32_t words[4 * LANES])
{
    ls_philox blocks;
    const long count = ls_min(n - begin, 4 * LANES);
    fill(stream, row, (n + 3) / 4, begin / 4, (count + 3) / 4, &blocks);
    take_bits((count + 3) / 4, &blocks, words);
    return count;
}

void ls_random_bits(ls_random stream, uint64_t row, uint32_t *out, long n)
{
    uint32_t words[4 * LANES];
    for (long begin = 0, count; begin < n; begin += count) {
        count = next_words(stream, row, n, begin, words);
        memcpy(out + begin, words, (size_t)count * sizeof *out);
    }
}

void ls_random_uniform(ls_random stream, uint64_t row, real *out, long n)
{
    ls_philox blocks;
    real numbers[4 * LANES];
    for (long begin = 0; begin < n; begin += 4 * LANES) {
        const long count = ls_min(n - begin, 4 * LANES);
        fill(stream, row, (n + 3) / 4, begin / 4, (count + 3) / 4, &blocks);
        take_uniform((count + 3) / 4, &blocks, numbers);
        memcpy(out + begin, numbers, (size_t)count * sizeof *out);
    }
}

static LS_CLONES void take_mask(long n, const uint32_t *restrict bits, uint32_t dropped, real scale,
                                real *restrict out)
{
    for (long i = 0; i < n; i++)
        out[i] = bits[i] < dropped ? 0 : scale;
}

void ls_random_mask(ls_random stream, uint64_t row, double rate, real *out, long n)
{
    const uint32_t dropped = (uint32_t)llround(rate * 0x1p32); /* of the 2^32 draws */
    const real scale = (real)(1 / (1 - rate));
    uint32_t words[4 * LANES];
    for (long begin = 0, count; begin < n; begin += count) {
        count = next_words(stream, row, n, begin, words);
        take_mask(count, words, dropped, scale, out + begin);
    }
}

void ls_random_normal(ls_random stream, uint64_t row, real *out, long n)
{
    for (long i = 0; i < n; i += 4) {
        philox4x32_ctr_t words = block_at(stream, row, (uint32_t)(i / 4), 0);
        double normal[4];
        for (int k = 0; k < 4; k += 2) {
            double radius = sqrt(-2.0 * log((words.v[k] + 1.0) * 0x1p-32)); /* of (0, 1] */
            double angle = 2.0 * 3.14159265358979323846 * words.v[k + 1] * 0x1p-32;
            normal[k] = radius * cos(angle);
            normal[k + 1] = radius * sin(angle);
        }
        for (long k = 0; k < 4 && i + k < n; k++)
            out[i + k] = (real)(float)normal[k]; /* the same in the double build */
    }
}

/* ln x of a float above 0: x = 2^n m, m from sqrt(1/2) to sqrt(2), ln m = 2 atanh((m-1) / (m+1)).
 */
static LS_INLINE float natural_log(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const int32_t n = (int32_t)(bits - 0x3f3504f3u) >> 23; /* the bits of sqrt(1/2) */
    bits -= (uint32_t)n << 23;
    float m;
    memcpy(&m, &bits, sizeof m);
    const float s = (m - 1) / (m + 1), z = s * s;
    float q = 0x1.1ed7c0p-3f; /* as in vector_math.h */
    q = q * z + 0x1.1ebd0ep-3f;
    q = q * z + 0x1.99d208p-3f;
    q = q * z + 0x1.555502p-2f;
    return (float)n * 0x1.62e430p-1f + 2 * (s + s * z * q);
}

/* Sine and cosine of word / 2^32 turns: of the angle to the nearest quarter turn by their series,
 * up to 45 degrees, then turned by the quarters. */
static LS_INLINE void sine_cosine(uint32_t word, float *sine, float *cosine)
{
    const uint32_t quarters = (word + (1u << 29)) >> 30;
    const float angle =
        (float)(int32_t)(word - (quarters << 30)) * 0x1.921fb6p-30f; /* 2 pi / 2^32 */
    const float z = angle * angle;
    float s = -1.0f / 5040, c = 1.0f / 40320;
    s = s * z + 1.0f / 120;
    s = s * z - 1.0f / 6;
    s = angle + angle * z * s;
    c = c * z - 1.0f / 720;
    c = c * z + 1.0f / 24;
    c = c * z - 0.5f;
    c = 1 + z * c;
    const float x = quarters & 1 ? -s : c, y = quarters & 1 ? c : s;
    *cosine = quarters & 2 ? -x : x;
    *sine = quarters & 2 ? -y : y;
}

/* Box and Muller 1958: words of `radius` and `angle` become two normal numbers, in their place. */
static LS_CLONES void make_normal(long count, uint32_t *restrict radius, uint32_t *restrict angle)
{
    for (long i = 0; i < count; i++) {
        float u = ((float)(int32_t)(radius[i] >> 1) + 0.5f) * 0x1p-31f; /* in (0, 1] */
        float r = sqrtf(-2 * natural_log(u)), s, c;
        sine_cosine(angle[i], &s, &c);
        c *= r;
        s *= r;
        memcpy(&radius[i], &c, sizeof c);
        memcpy(&angle[i], &s, sizeof s);
    }
}

/* The normal numbers of the blocks, [count, 4]. */
static LS_CLONES void take_normal(long count, const ls_philox *restrict blocks, real *restrict out)
{
    for (long i = 0; i < count; i++)
        for (int k = 0; k < 4; k++) {
            float number;
            memcpy(&number, &blocks->word[k][i], sizeof number);
            out[4 * i + k] = (real)number;
        }
}

void ls_random_normals(ls_random stream, uint64_t row, long rows, long n, real *out)
{
    ls_philox blocks;
    real numbers[4 * LANES];
    const long each = (n + 3) / 4, all = rows * each; /* blocks of a row, of all rows */
    for (long first = 0; first < all; first += LANES) {
        const long count = ls_min(all - first, LANES);
        fill(stream, row, each, first, count, &blocks);
        make_normal(count, blocks.word[0], blocks.word[1]);
        make_normal(count, blocks.word[2], blocks.word[3]);
        take_normal(count, &blocks, numbers);
        for (long i = 0; i < count; i++) {
            const long at = (first + i) % each * 4, wanted = ls_min(n - at, 4);
            memcpy(out, numbers + 4 * i, (size_t)wanted * sizeof *out);
            out += wanted;
        }
    }
}

uint64_t ls_random_permute(ls_random stream, uint64_t n, uint64_t index)
{
    int half = 4; /* bits of each half: the smallest even number of bits that holds n, at least 8 */
    while (half < 32 && (1ull << (2 * half)) < n)
        half++;
    const uint32_t rounds = half > 4 ? 6 : 8; /* short halves are mixed less by a round */
    uint64_t mask = (1ull << half) - 1;
    do { /* Walks the cycle of the permutation of [0, 4^half) until it is back in [0, n). */
        uint64_t left = index >> half, right = index & mask;
        for (uint32_t round = 0; round < rounds; round++) {
            uint64_t mixed = left ^ (block_at(stream, right, round, 1).v[0] & mask);
            left = right;
            right = mixed;
        }
        index = left << half | right;
    } while (index >= n);
    return index;
}
