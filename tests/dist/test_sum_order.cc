/* tree: the order of additions. */
#include "world.h"

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
    ls_sum_order_add(to.data(), starts.data(), (int)count, (long)to.size());
    return to;
}

Array reference(int count, long n)
{
    Array sum((size_t)n);
    for (long i = 0; i < n; i++)
        sum[(size_t)i] = tree<real>(0, count, [&](int k) { return value(k, i); });
    return sum;
}
} /* namespace */

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
            ls_sum_order_add(starts[(size_t)k], starts.data(), count, n);
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

/* Whether halving [first, last) again and again gives `part`. */
static bool is_node(long first, long last, ls_interval part)
{
    long middle = first + (last - first) / 2;
    if (first == part.begin && last == part.end)
        return true;
    return last - first > 1 &&
           (part.end <= middle ? is_node(first, middle, part) : is_node(middle, last, part));
}

TEST(Tree, PartsOfRanksAreNodesWhateverTheGroups)
{
    const std::vector<std::vector<int>> topologies = {
        {1}, {2}, {3}, {7}, {8}, {3, 1}, {2, 1}, {1, 3, 2}, {1, 1, 1, 1, 1}, {24, 24, 16}};
    for (const std::vector<int> &sizes : topologies)
        for (long count : {96, 100, 128, 256, 257}) {
            int ranks = 0;
            long next = 0;
            for (int size : sizes)
                ranks += size;
            for (int rank = 0; rank < ranks; rank++) {
                ls_interval part =
                    ls_sum_order_part({0, count}, sizes.data(), (int)sizes.size(), rank);
                EXPECT_EQ(part.begin, next) << rank << " of " << ranks;
                EXPECT_TRUE(is_node(0, count, part)) << rank << " of " << ranks;
                next = part.end;
            }
            EXPECT_EQ(next, count);
        }
}

TEST(Tree, NoRankOfOneGroupIsLeftOut)
{
    for (int ranks = 1; ranks <= 40; ranks++)
        for (long count = ranks; count <= 50; count++)
            for (int rank = 0; rank < ranks; rank++) {
                ls_interval part = ls_sum_order_part({0, count}, &ranks, 1, rank);
                EXPECT_LT(part.begin, part.end) << rank << " of " << ranks;
            }
}

TEST(Tree, DoublesTakeTheSameOrder)
{
    for (int count : {1, 2, 3, 4, 7, 8})
        for (long n : {0L, 1L, 16L, 17L, 100L}) {
            std::vector<double> from((size_t)(count * n)), sum((size_t)n);
            for (int k = 0; k < count; k++)
                for (long i = 0; i < n; i++)
                    from[(size_t)(k * n + i)] = value(k, i) / 3.0;
            ls_sum_order_add_doubles(sum.data(), from.data(), count, n);
            ls_sum_order_add_doubles(from.data(), from.data(), count, n); /* into the first row */
            for (long i = 0; i < n; i++) {
                double expected = tree<double>(0, count, [&](int k) { return value(k, i) / 3.0; });
                EXPECT_EQ(sum[(size_t)i], expected);
                EXPECT_EQ(from[(size_t)i], expected);
            }
        }
}
