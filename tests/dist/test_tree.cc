/* tree: the order of additions. */
#include "world.h"

#include <cmath>
#include <limits>

namespace
{
using Array = std::vector<real>;

std::vector<Array> arrays(int count, long n)
{
    std::vector<Array> all((size_t)count, Array((size_t)n));
    for (int k = 0; k < count; k++)
        for (long i = 0; i < n; i++)
            all[(size_t)k][(size_t)i] = value(k, i);
    return all;
}

Array tree_add(std::vector<Array> &from, size_t begin, size_t count)
{
    std::vector<real *> starts;
    for (size_t k = begin; k < begin + count; k++)
        starts.push_back(from[k].data());
    Array to(from[begin].size());
    ls_tree_add(to.data(), starts.data(), (int)count, (long)to.size());
    return to;
}

Array reference(int count, long n)
{
    Array sum((size_t)n);
    for (long i = 0; i < n; i++)
        sum[(size_t)i] = tree<real>(0, count, [&](int k) { return value(k, i); });
    return sum;
}
} // namespace

TEST(Tree, AddsHalvesOfHalves)
{
    for (int count : {1, 2, 3, 4, 5, 7, 8, 13, 64})
        for (long n : {0, 1, 15, 1024, 2500}) {
            std::vector<Array> from = arrays(count, n);
            EXPECT_EQ(tree_add(from, 0, (size_t)count), reference(count, n)) << count << " " << n;
        }
}

TEST(Tree, OrderShowsInTheseNumbers)
{
    int differ = 0;
    for (long i = 0; i < 1000; i++) {
        real chain = 0;
        for (int k = 0; k < 8; k++)
            chain += value(k, i);
        differ += chain != tree<real>(0, 8, [&](int k) { return value(k, i); });
    }
    EXPECT_GT(differ, 100);
}

TEST(Tree, TargetMayBeOneOfTheArrays)
{
    const long n = 3000;
    for (int count : {1, 2, 3, 4, 5, 8})
        for (int k = 0; k < count; k++) {
            std::vector<Array> from = arrays(count, n);
            std::vector<real *> starts;
            for (Array &array : from)
                starts.push_back(array.data());
            ls_tree_add(starts[(size_t)k], starts.data(), count, n);
            EXPECT_EQ(from[(size_t)k], reference(count, n)) << count << " into " << k;
        }
}

TEST(Tree, PowersOfTwoNest)
{
    const long n = 1500;
    for (size_t count : {4, 8, 12, 24})
        for (size_t groups : {2, 4}) {
            std::vector<Array> from = arrays((int)count, n), sums;
            for (size_t g = 0; g < groups; g++)
                sums.push_back(tree_add(from, g * count / groups, count / groups));
            EXPECT_EQ(tree_add(sums, 0, groups), tree_add(from, 0, count));
        }
}

TEST(Tree, TailsTakeTheSameOrder)
{
    for (int count : {1, 2, 3, 4, 7, 8}) {
        std::vector<double> tails((size_t)count * LS_TAIL);
        for (int k = 0; k < count; k++)
            for (int i = 0; i < LS_TAIL; i++)
                tails[(size_t)(k * LS_TAIL + i)] = value(k, i) / 3.0;
        double sum[LS_TAIL];
        ls_tree_add_tails(sum, tails.data(), count);
        for (int i = 0; i < LS_TAIL; i++)
            EXPECT_EQ(sum[i], tree<double>(0, count, [&](int k) { return value(k, i) / 3.0; }));
    }
}

TEST(Tree, NormIsTheSumOfSquares)
{
    for (long n : {0, 1, 15, 16, 17, 4096}) {
        Array x = arrays(1, n)[0];
        long double sum = 0;
        for (real v : x)
            sum += (long double)v * v;
        EXPECT_NEAR(ls_tree_norm2(x.data(), n), (double)sum, 1e-14 * (double)sum) << n;
    }
}

TEST(Tree, NormShowsWhatIsNotFinite)
{
    Array x(4096, 1);
    for (long at : {0, 17, 4095})
        for (real bad :
             {std::numeric_limits<real>::quiet_NaN(), -std::numeric_limits<real>::infinity()}) {
            x[(size_t)at] = bad;
            EXPECT_FALSE(std::isfinite(ls_tree_norm2(x.data(), 4096))) << at;
            x[(size_t)at] = 1;
        }
}
