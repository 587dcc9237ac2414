/* Counter-based random numbers: a function of their arguments, with the right distributions. */
#include <gtest/gtest.h>

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
