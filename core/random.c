/* random: Philox4x32-10 streams, and a keyed permutation. */
#include "core/random.h"

#include <Random123/philox.h>
#include <math.h>

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

void ls_random_bits(ls_random stream, uint64_t row, uint32_t *out, long n)
{
    for (long i = 0; i < n; i += 4) {
        philox4x32_ctr_t words = block_at(stream, row, (uint32_t)(i / 4), 0);
        for (long k = 0; k < 4 && i + k < n; k++)
            out[i + k] = words.v[k];
    }
}

void ls_random_uniform(ls_random stream, uint64_t row, real *out, long n)
{
    for (long i = 0; i < n; i += 4) {
        philox4x32_ctr_t words = block_at(stream, row, (uint32_t)(i / 4), 0);
        for (long k = 0; k < 4 && i + k < n; k++)
            out[i + k] = (real)(words.v[k] >> 8) * (real)0x1p-24;
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
