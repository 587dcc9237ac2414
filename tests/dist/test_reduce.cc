/* reduce: the sum over ranks, bit for bit as the tree says, on any topology. */
#include "world.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace
{
/* A reduction that is destroyed with its test, with each rank's gradient filled in. */
struct Sum {
    explicit Sum(long n) : reals(n), starts(node_starts())
    {
        ls_error error = {};
        reduce = ls_reduce_create(world, reals, &error);
        EXPECT_NE(reduce, nullptr) << error.text;
        fill();
    }
    ~Sum()
    {
        ls_reduce_destroy(reduce);
    }
    void fill()
    {
        for (long i = 0; i < reals; i++)
            gradient()[i] = value(ls_comm_rank(world), i);
    }
    void run(std::vector<ls_interval> parts)
    {
        ls_reduce_sum(reduce, parts.data(), (int)parts.size(), tail, &norm2);
    }
    real *gradient()
    {
        return ls_reduce_gradient(reduce);
    }
    real expected(long i) const
    {
        return tree_of_nodes<real>(starts, [&](int rank) { return value(rank, i); });
    }
    /* Numbers of this rank's slice, in `part`, that are not the expected sum. */
    long wrong(ls_interval part)
    {
        ls_interval slice = ls_reduce_slice(reduce);
        long count = 0;
        for (long i = std::max(part.begin, slice.begin); i < std::min(part.end, slice.end); i++)
            count += gradient()[i] != expected(i);
        return count;
    }
    double expected_norm2(const std::vector<ls_interval> &parts) const
    {
        double sum = 0;
        for (long block = 0; block * LS_SLICE_ALIGN < reals; block++) {
            double in_block = 0;
            for (ls_interval part : parts) {
                long begin = std::max(part.begin, block * LS_SLICE_ALIGN);
                std::vector<real> x;
                for (long i = begin; i < std::min(part.end, (block + 1) * LS_SLICE_ALIGN); i++)
                    x.push_back(expected(i));
                in_block += ls_tree_norm2(x.data(), (long)x.size());
            }
            sum += in_block;
        }
        return sum;
    }
    long reals;
    std::vector<int> starts;
    ls_reduce *reduce;
    double tail[LS_TAIL] = {0}, norm2 = -1;
};
} // namespace

/* Whether the tree over nodes of the trees over their ranks is the tree over all ranks. */
static bool nodes_nest()
{
    std::vector<long> sizes = node_sizes();
    bool power_of_two = !(sizes.size() & (sizes.size() - 1));
    bool equal = std::count(sizes.begin(), sizes.end(), sizes[0]) == (long)sizes.size();
    return equal && (power_of_two || sizes[0] == 1);
}

TEST(Reduce, SlicesCoverTheArrayOnEveryNode)
{
    for (long n : {0, 1, 4096, 5000, 100003}) {
        Sum sum(n);
        ls_interval slice = ls_reduce_slice(sum.reduce);
        EXPECT_LE(slice.begin, slice.end);
        EXPECT_TRUE(slice.begin % LS_SLICE_ALIGN == 0 || slice.begin == n);
        std::vector<long> owners((size_t)n, 0);
        for (long i = slice.begin; i < slice.end; i++)
            owners[(size_t)i] = 1;
        ls_comm_sum_long(world, owners.data(), n);
        EXPECT_EQ(owners, std::vector<long>((size_t)n, ls_comm_nodes(world)));
    }
}

TEST(Reduce, SumIsTheTreeBitForBit)
{
    for (long n : {0, 1, 16, 4096, 12345, 1100000}) {
        Sum sum(n);
        sum.run({{0, n}});
        EXPECT_EQ(sum.wrong({0, n}), 0) << n << " reals";
        EXPECT_EQ(sum.norm2, sum.expected_norm2({{0, n}})) << n << " reals";
        ls_reduce_end(sum.reduce);
    }
}

TEST(Reduce, EqualNodesGiveTheBitsOfOneNode)
{
    if (!nodes_nest())
        GTEST_SKIP() << "this topology is repeatable, not more";
    const long n = 50000;
    Sum sum(n);
    sum.run({{0, n}});
    ls_interval slice = ls_reduce_slice(sum.reduce);
    long wrong = 0;
    for (long i = slice.begin; i < slice.end; i++)
        wrong += sum.gradient()[i] !=
                 tree<real>(0, ls_comm_size(world), [&](int rank) { return value(rank, i); });
    EXPECT_EQ(wrong, 0);
    ls_reduce_end(sum.reduce);
}

TEST(Reduce, FourShardsGiveTheSameBitsOnAnyPowerOfTwo)
{
    int size = ls_comm_size(world);
    if (!nodes_nest() || 4 % size)
        GTEST_SKIP() << "these ranks are no power of two, or their nodes are unequal";
    const long n = 20000;
    Sum sum(n);
    size_t own = (size_t)(4 / size);
    std::vector<std::vector<real>> shards(own, std::vector<real>((size_t)n));
    std::vector<real *> starts;
    for (size_t k = 0; k < own; k++) {
        for (long i = 0; i < n; i++)
            shards[k][(size_t)i] = value(ls_comm_rank(world) * (int)own + (int)k, i);
        starts.push_back(shards[k].data());
    }
    ls_tree_add(sum.gradient(), starts.data(), (int)own, n);
    sum.run({{0, n}});
    ls_interval slice = ls_reduce_slice(sum.reduce);
    long wrong = 0;
    for (long i = slice.begin; i < slice.end; i++)
        wrong += sum.gradient()[i] != tree<real>(0, 4, [&](int k) { return value(k, i); });
    EXPECT_EQ(wrong, 0);
    ls_reduce_end(sum.reduce);
}

TEST(Reduce, OnlyThePartsAreSummed)
{
    const long n = 40000;
    std::vector<ls_interval> parts = {
        {16, 32}, {64, 80}, {4080, 4112}, {9000, 30000}, {36864, 36880}};
    Sum sum(n);
    sum.run(parts);
    long before = 0, changed = 0;
    for (ls_interval part : parts) {
        EXPECT_EQ(sum.wrong(part), 0) << part.begin;
        for (long i = before; i < part.begin; i++)
            changed += sum.gradient()[i] != value(ls_comm_rank(world), i);
        before = part.end;
    }
    EXPECT_EQ(changed, 0);
    EXPECT_EQ(sum.norm2, sum.expected_norm2(parts));
    ls_reduce_end(sum.reduce);
    sum.run({});
    EXPECT_EQ(sum.norm2, 0);
    ls_reduce_end(sum.reduce);
}

TEST(Reduce, TailAndNormAreTheSameOnEveryRank)
{
    const long n = 10000;
    Sum sum(n);
    for (int i = 0; i < LS_TAIL; i++)
        sum.tail[i] = value(ls_comm_rank(world), i) / 3.0;
    sum.run({{0, n}});
    for (int i = 0; i < LS_TAIL; i++)
        EXPECT_EQ(sum.tail[i], tree_of_nodes<double>(
                                   sum.starts, [&](int rank) { return value(rank, i) / 3.0; }));
    EXPECT_TRUE(ls_comm_same(world, sum.tail, sizeof sum.tail));
    EXPECT_TRUE(ls_comm_same(world, &sum.norm2, sizeof sum.norm2));
    ls_reduce_end(sum.reduce);
}

TEST(Reduce, AnyNumberThatIsNotFiniteIsSeenByAll)
{
    const long n = 9000;
    Sum sum(n);
    bool last = ls_comm_rank(world) == ls_comm_size(world) - 1;
    for (long at : {0L, n - 1})
        for (real bad :
             {std::numeric_limits<real>::quiet_NaN(), std::numeric_limits<real>::infinity()}) {
            sum.fill();
            if (last)
                sum.gradient()[at] = bad;
            sum.run({{0, n}});
            EXPECT_FALSE(std::isfinite(sum.norm2)) << at;
            /* Without ls_reduce_end: a step that stopped. */
        }
    sum.fill();
    sum.run({{0, n}});
    EXPECT_TRUE(std::isfinite(sum.norm2));
    sum.fill();
    sum.gradient()[5] = std::numeric_limits<real>::max();
    sum.run({{0, n}});
    bool one_float = ls_comm_size(world) == 1 && sizeof(real) < sizeof(double);
    EXPECT_EQ(std::isfinite(sum.norm2), one_float) << "a sum that overflows";
}

/* Ranks come late in turn, so that a missing barrier shows. Sums are whole numbers: exact. */
TEST(Reduce, StepsDoNotRunIntoEachOther)
{
    const long n = 9000;
    const int steps = 60, size = ls_comm_size(world), rank = ls_comm_rank(world);
    Sum sum(n);
    ls_shared *shared = ls_shared_create(world, n * sizeof(real), nullptr);
    EXPECT_NE(shared, nullptr);
    real *parameters = (real *)ls_shared_data(shared);
    ls_interval slice = ls_reduce_slice(sum.reduce);
    long wrong = 0;
    auto late = [&](int turn) { usleep(turn % size == rank ? 300 : 0); };
    for (int step = 0; step < steps; step++) {
        for (long i = 0; i < n; i++)
            wrong += parameters[i] != (real)(step * (step + 1) / 2 * size);
        late(step);
        for (long i = 0; i < n; i++)
            sum.gradient()[i] = (real)(step + 1);
        sum.tail[0] = step;
        late(step + 1);
        sum.run({{0, n}});
        wrong += sum.tail[0] != step * size;
        late(step + 2);
        for (long i = slice.begin; i < slice.end; i++)
            parameters[i] += sum.gradient()[i];
        ls_reduce_end(sum.reduce);
    }
    EXPECT_EQ(wrong, 0);
    ls_comm_node_barrier(world);
    ls_shared_destroy(shared);
}

TEST(Reduce, MpiComesToTheSameSum)
{
    const long n = 30000;
    Sum sum(n);
    std::vector<real> theirs((size_t)n);
    ls_reduce_by_mpi(world, sum.gradient(), theirs.data(), n);
    sum.run({{0, n}});
    ls_interval slice = ls_reduce_slice(sum.reduce);
    double most = 0;
    for (long i = slice.begin; i < slice.end; i++)
        most = std::max(most, std::fabs((double)sum.gradient()[i] - (double)theirs[(size_t)i]));
    EXPECT_LT(most, 1e-3);
    ls_reduce_end(sum.reduce);
}

TEST(Reduce, SaysTheBytesThatItTakes)
{
    EXPECT_EQ(ls_reduce_bytes(4096, 2), 2 * 4096 * sizeof(real) + 3 * LS_TAIL * 8 + 8);
    EXPECT_GE(ls_reduce_bytes(25557032, 4), 4 * sizeof(real) * 25557032);
}
