/* Counter-based random numbers: a function of their arguments, with the right distributions. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

extern "C" {
#include "core/random.h"
}

TEST(Random, IsPhiloxAsPublished)
{
    /* The known answers of Random123's kat_vectors go through the library itself; here: a stream is
     * a pure function of its arguments, and every one of them matters. */
    std::set<uint64_t> keys;
    auto key = [&](ls_random s) { return (uint64_t)s.key[0] << 32 | s.key[1]; };
    keys.insert(key(ls_random_stream(1, LS_RANDOM_DROPOUT, 2, 3, 4)));
    keys.insert(key(ls_random_stream(1, LS_RANDOM_DROPOUT, 2, 3, 4)));
    EXPECT_EQ(1u, keys.size());
    keys.insert(key(ls_random_stream(2, LS_RANDOM_DROPOUT, 2, 3, 4)));
    keys.insert(key(ls_random_stream(1, LS_RANDOM_NOISE, 2, 3, 4)));
    keys.insert(key(ls_random_stream(1, LS_RANDOM_DROPOUT, 1ull << 32 | 2, 3, 4)));
    keys.insert(key(ls_random_stream(1ull << 32 | 1, LS_RANDOM_DROPOUT, 2, 3, 4)));
    keys.insert(key(ls_random_stream(1, LS_RANDOM_DROPOUT, 2, 4, 4)));
    keys.insert(key(ls_random_stream(1, LS_RANDOM_DROPOUT, 2, 3, 5)));
    EXPECT_EQ(7u, keys.size());
}

TEST(Random, ALongerRequestBeginsWithTheShorterOne)
{
    ls_random stream = ls_random_stream(1, LS_RANDOM_NOISE, 0, 0, 0);
    for (auto draw : {ls_random_uniform, ls_random_normal}) {
        std::vector<real> whole(37), part(37);
        draw(stream, 9, whole.data(), 37);
        for (long n = 0; n <= 37; n++) {
            draw(stream, 9, part.data(), n);
            for (long i = 0; i < n; i++)
                ASSERT_EQ(whole[i], part[i]);
        }
    }
}

TEST(Random, AMaskDropsByTheBits)
{
    const ls_random stream = ls_random_stream(1, LS_RANDOM_DROPOUT, 2, 3, 4);
    for (long n : {1, 255, 256, 257, 600}) {
        std::vector<uint32_t> bits(n);
        std::vector<real> mask(n);
        ls_random_bits(stream, 7, bits.data(), n);
        ls_random_mask(stream, 7, 0.25, mask.data(), n);
        for (long i = 0; i < n; i++)
            ASSERT_EQ(mask[i], bits[i] < 1u << 30 ? 0 : (real)(1 / 0.75)) << i << " of " << n;
    }
}

/* Salmon et al. 2011, section 3.3, one word after the other. */
static std::vector<uint32_t> philox(ls_random stream, uint64_t row, uint32_t block)
{
    uint32_t c[4] = {(uint32_t)row, (uint32_t)(row >> 32), block, 0};
    uint32_t key[2] = {stream.key[0], stream.key[1]};
    for (int round = 0; round < 10; round++) {
        uint64_t first = (uint64_t)0xD2511F53 * c[0], second = (uint64_t)0xCD9E8D57 * c[2];
        uint32_t next[4] = {(uint32_t)(second >> 32) ^ c[1] ^ key[0], (uint32_t)second,
                            (uint32_t)(first >> 32) ^ c[3] ^ key[1], (uint32_t)first};
        std::copy(next, next + 4, c);
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    return std::vector<uint32_t>(c, c + 4);
}

TEST(Random, BitsAreTheWordsOfPhilox)
{
    const ls_random nothing = {{0, 0}}; /* the first of Random123's known answers */
    uint32_t known[4];
    ls_random_bits(nothing, 0, known, 4);
    EXPECT_EQ(std::vector<uint32_t>(known, known + 4),
              (std::vector<uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    const ls_random stream = ls_random_stream(1, LS_RANDOM_NOISE, 2, 3, 4);
    const long n = 1999;
    for (uint64_t row : {0ull, 7ull, 1ull << 32 | 5, ~0ull}) {
        std::vector<uint32_t> bits(n);
        std::vector<real> uniform(n);
        ls_random_bits(stream, row, bits.data(), n);
        ls_random_uniform(stream, row, uniform.data(), n);
        for (long i = 0; i < n; i++) {
            const uint32_t word = philox(stream, row, (uint32_t)(i / 4))[i % 4];
            ASSERT_EQ(bits[i], word) << row << " " << i;
            ASSERT_EQ(uniform[i], (real)std::ldexp((double)(word >> 8), -24)) << row << " " << i;
        }
    }
}

/* Those of a batch are those of libm, but for what single precision loses near radius 0. */
TEST(Random, NormalsOfABatchAreThoseOfItsRows)
{
    const ls_random stream = ls_random_stream(1, LS_RANDOM_NOISE, 2, 3, 4);
    for (long n : {1, 2, 3, 4, 5, 40, 257, 1000})
        for (long rows : {1, 2, 37}) {
            const uint64_t row = (1ull << 32) - 3;
            std::vector<real> all(rows * n + 1, -77), one(n), alone(n);
            ls_random_normals(stream, row, rows, n, all.data());
            EXPECT_EQ(all.back(), -77);
            for (long r = 0; r < rows; r++) {
                ls_random_normal(stream, row + r, one.data(), n);
                ls_random_normals(stream, row + r, 1, n, alone.data());
                for (long i = 0; i < n; i++) {
                    ASSERT_NEAR(all[r * n + i], one[i], 1e-4) << r << " " << i;
                    ASSERT_EQ(all[r * n + i], alone[i]) << r << " " << i;
                }
            }
        }
}

/* 64 bins of equal probability, by the normal distribution's own function. */
TEST(Random, NormalsOfABatchHaveTheNormalDistribution)
{
    const int bins = 64, rows = 5000, n = 40;
    std::vector<real> z(rows * n);
    ls_random_normals(ls_random_stream(5, LS_RANDOM_NOISE, 0, 0, 0), 0, rows, n, z.data());
    double counts[bins] = {}, square = 0, chi2 = 0, expected = (double)rows * n / bins;
    for (real x : z) {
        counts[std::min(bins - 1, (int)(bins * std::erfc(-(double)x / std::sqrt(2.0)) / 2))]++;
        square += (double)x * x / (rows * n);
    }
    for (double count : counts)
        chi2 += (count - expected) * (count - expected) / expected;
    EXPECT_LT(chi2, 103.4); /* 63 degrees of freedom, p = 0.001 */
    EXPECT_NEAR(square, 1, 4 * std::sqrt(2.0 / (rows * n)));
}

TEST(Random, RowsAreIndependentAndUniform)
{
    ls_random stream = ls_random_stream(3, LS_RANDOM_NOISE, 7, 0, 0);
    const int rows = 20000, bins = 16;
    double counts[bins] = {}, product = 0;
    std::vector<real> u(2), before(2);
    for (int row = 0; row < rows; row++) {
        before = u;
        ls_random_uniform(stream, row, u.data(), 2);
        ASSERT_GE(u[0], 0);
        ASSERT_LT(u[0], 1);
        counts[(int)(u[0] * bins)]++;
        product += (u[0] - 0.5) * (before[0] - 0.5);
    }
    double chi2 = 0, expected = (double)rows / bins;
    for (double count : counts)
        chi2 += (count - expected) * (count - expected) / expected;
    EXPECT_LT(chi2, 37.7); /* 15 degrees of freedom, p = 0.001 */
    EXPECT_LT(std::fabs(product / rows), 4 * (1 / 12.0) / std::sqrt(rows));
}

TEST(Random, NormalHasItsFirstFourMoments)
{
    const int n = 200000;
    std::vector<real> z(n);
    ls_random_normal(ls_random_stream(1, LS_RANDOM_NOISE, 0, 0, 1), 0, z.data(), n);
    double moment[5] = {};
    for (real x : z)
        for (int k = 1; k <= 4; k++)
            moment[k] += std::pow((double)x, k) / n;
    EXPECT_NEAR(0, moment[1], 0.01);
    EXPECT_NEAR(1, moment[2], 0.015);
    EXPECT_NEAR(0, moment[3], 0.03);
    EXPECT_NEAR(3, moment[4], 0.1);
}

TEST(Random, PermuteIsAPermutationOfAnySize)
{
    for (uint64_t n : {1ull, 2ull, 3ull, 5ull, 16ull, 17ull, 255ull, 1000ull, 4097ull}) {
        ls_random stream = ls_random_stream(n, LS_RANDOM_SHUFFLE, 0, 0, 0);
        std::vector<bool> seen(n);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t to = ls_random_permute(stream, n, i);
            ASSERT_LT(to, n);
            ASSERT_FALSE(seen[to]);
            seen[to] = true;
        }
    }
}

TEST(Random, PermuteSendsEveryPlaceEverywhere)
{
    const uint64_t n = 10;
    const int streams = 5000;
    double counts[n][n] = {};
    for (int s = 0; s < streams; s++)
        for (uint64_t i = 0; i < n; i++)
            counts[i][ls_random_permute(ls_random_stream(s, LS_RANDOM_SHUFFLE, 0, 0, 0), n, i)]++;
    double chi2 = 0, expected = streams / (double)n;
    for (auto &row : counts)
        for (double count : row)
            chi2 += (count - expected) * (count - expected) / expected;
    EXPECT_LT(chi2, 140); /* 81 degrees of freedom: 126 at p = 0.001 */
}

TEST(Random, PermuteGivesEachOrderOfFewRowsItsShare)
{
    const int n = 5, orders = 120, streams = 12000;
    double counts[orders] = {};
    for (int s = 0; s < streams; s++) {
        uint64_t to[n];
        int code = 0; /* number of the order, in the factorial number system */
        for (int i = 0; i < n; i++)
            to[i] = ls_random_permute(ls_random_stream(s, LS_RANDOM_SHUFFLE, 0, 0, 0), n, i);
        for (int i = 0; i < n; i++) {
            int smaller = 0;
            for (int j = i + 1; j < n; j++)
                smaller += to[j] < to[i];
            code = code * (n - i) + smaller;
        }
        counts[code]++;
    }
    double chi2 = 0, expected = streams / (double)orders;
    for (double count : counts)
        chi2 += (count - expected) * (count - expected) / expected;
    EXPECT_LT(chi2, 171); /* 119 degrees of freedom: 171 at p = 0.001 */
}
