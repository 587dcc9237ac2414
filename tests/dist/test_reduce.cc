/* reduce: the sum over ranks, bit for bit as the tree says, on any topology. */
#include "world.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>

namespace
{
/* A reduction that is destroyed with its test, over slots of so many reals (whole groups of 16),
 * with each rank's gradient filled in. */
struct Sum {
    explicit Sum(std::vector<long> sizes) : starts(node_starts())
    {
        ls_error error = {};
        for (size_t s = 0; s < sizes.size(); s++) {
            ls_shape shape = {1, {sizes[s]}};
            ls_initializer zero = {};
            ls_params_claim(params, std::to_string(s).c_str(), LS_SLOT_WEIGHT, &shape, &zero,
                            nullptr);
        }
        reals = params->size;
        all = ls_slots_all(params);
        norm2.assign((size_t)params->count, -1);
        reduce = ls_reduce_create(world, params, &error);
        EXPECT_NE(reduce, nullptr) << error.text;
        ls_reduce_set_phase(reduce, 0, &all, nullptr);
        ls_reduce_begin(reduce, 0);
        fill();
    }
    ~Sum()
    {
        ls_reduce_destroy(reduce);
        ls_params_destroy(params);
    }
    void fill()
    {
        for (long i = 0; i < reals; i++)
            gradient()[i] = value(world->rank, i);
    }
    void run()
    {
        ls_reduce_begin(reduce, 0);
        ls_reduce_finish(reduce, &sums, norm2.data());
    }
    void run(const ls_slots &slots)
    {
        ls_reduce_set_phase(reduce, 0, &slots, nullptr);
        run();
    }
    /* Calls visit(i) for each number that this rank owns. */
    template <typename function> void each_own(function visit) const
    {
        for (long r = 0; r < reduce->own.count; r++)
            for (long i = reduce->own.at[r].begin; i < reduce->own.at[r].end; i++)
                visit(i);
    }
    real *gradient()
    {
        return reduce->gradient;
    }
    real expected(long i) const
    {
        return tree_of_nodes<real>(starts, [&](int rank) { return value(rank, i); });
    }
    /* Numbers of this rank's own that are not the expected sum. */
    long wrong()
    {
        long count = 0;
        each_own([&](long i) { count += gradient()[i] != expected(i); });
        return count;
    }
    /* Of an array whole on every rank, without a reduction. */
    std::vector<double> norms_of(const std::vector<real> &array, const ls_slots &slots) const
    {
        std::vector<double> pieces((size_t)ls_squares_room(params)), norms((size_t)params->count);
        ls_squares_measure(params, array.data(), 0, reals, pieces.data());
        ls_squares_add(params, &slots, pieces.data(), norms.data());
        return norms;
    }
    std::vector<double> expected_norms(const ls_slots &slots) const
    {
        std::vector<real> sum((size_t)reals);
        for (long i = 0; i < reals; i++)
            sum[(size_t)i] = expected(i);
        return norms_of(sum, slots);
    }
    ls_params *params = ls_params_create();
    long reals;
    ls_slots all;
    std::vector<int> starts;
    ls_reduce *reduce;
    ls_step_sums sums = {};
    std::vector<double> norm2;
};
} /* namespace */

TEST(Reduce, OwnRunsCoverTheArrayOnEveryNode)
{
    for (long n : {0, 16, 4096, 5008, 100000, 700000}) {
        Sum sum({n});
        std::vector<long> owners((size_t)n, 0);
        sum.each_own([&](long i) { owners[(size_t)i]++; });
        ls_comm_sum_long(world, owners.data(), n);
        EXPECT_EQ(owners, std::vector<long>((size_t)n, world->nodes));
    }
}

TEST(Reduce, SumIsTheTreeBitForBit)
{
    const std::vector<std::vector<long>> shapes = {
        {}, {16}, {4096}, {12352}, {1100000}, {32, 64, 9008, 16, 4048, 50000, 48}};
    for (const std::vector<long> &sizes : shapes) {
        Sum sum(sizes);
        sum.run();
        EXPECT_EQ(sum.wrong(), 0) << sum.reals << " reals";
        EXPECT_EQ(sum.norm2, sum.expected_norms(sum.all)) << sum.reals << " reals";
        ls_reduce_end(sum.reduce);
    }
}

/* Each rank adds its own shards; the reduction adds the ranks. */
TEST(Reduce, ShardsGiveTheSameBitsOnAnyRanksOfAnyNodes)
{
    const long n = 20000;
    for (int count : {12, 16, 37}) {
        Sum sum({n});
        ls_interval own =
            ls_sum_order_part({0, count}, world->node_sizes, world->nodes, world->rank);
        EXPECT_LT(own.begin, own.end);
        for (long i = 0; i < n; i++)
            sum.gradient()[i] = tree<real>((int)own.begin, (int)(own.end - own.begin),
                                           [&](int shard) { return value(shard, i); });
        sum.run();
        std::vector<real> whole((size_t)n);
        for (long i = 0; i < n; i++)
            whole[(size_t)i] = tree<real>(0, count, [&](int shard) { return value(shard, i); });
        long wrong = 0;
        sum.each_own([&](long i) { wrong += sum.gradient()[i] != whole[(size_t)i]; });
        EXPECT_EQ(wrong, 0) << count << " shards";
        EXPECT_EQ(sum.norm2, sum.norms_of(whole, sum.all)) << count << " shards";
        ls_reduce_end(sum.reduce);
    }
}

TEST(Reduce, OnlyTheSlotsAreSummed)
{
    Sum sum({16, 16, 32, 16, 4000, 32, 4888, 21008, 6864, 16, 3120});
    ls_slots some = {};
    for (int s : {1, 3, 5, 7, 9})
        ls_slots_add(&some, s, s + 1);
    sum.run(some);
    long changed = 0;
    for (int s = 0; s < sum.params->count; s++) {
        ls_interval slot = {s, s + 1}, reals = ls_slots_reals(sum.params, &slot);
        for (long i = reals.begin; i < reals.end && !ls_slots_contain(&some, s); i++)
            changed += sum.gradient()[i] != value(world->rank, i);
    }
    EXPECT_EQ(sum.wrong(), 0);
    EXPECT_EQ(changed, 0);
    EXPECT_EQ(sum.norm2, sum.expected_norms(some));
    ls_reduce_end(sum.reduce);
    sum.run({});
    EXPECT_EQ(sum.norm2, std::vector<double>((size_t)sum.params->count, 0));
    ls_reduce_end(sum.reduce);
}

/* Each rank has its own runs only of the array; ranks come late in turn, so that a missing barrier
 * shows. */
TEST(Reduce, NormsOfAnyArrayAreMeasuredByRuns)
{
    Sum sum({5008, 64, 30000, 16});
    for (int round = 0; round < 12; round++) {
        std::vector<real> whole((size_t)sum.reals), own((size_t)sum.reals, 1e6);
        for (long i = 0; i < sum.reals; i++)
            whole[(size_t)i] = value(round, i);
        ls_slots some = sum.all;
        if (round % 2)
            some.at[0].begin = 1;
        sum.run(some);
        sum.each_own([&](long i) { own[(size_t)i] = whole[(size_t)i]; });
        usleep(round % world->size == world->rank ? 300 : 0);
        ls_reduce_norms(sum.reduce, own.data(), sum.norm2.data());
        EXPECT_EQ(sum.norm2, sum.norms_of(whole, some)) << round;
    }
}

TEST(Reduce, StepSumsAndNormsAreTheSameOnEveryRank)
{
    const long n = 10000;
    Sum sum({n});
    double numbers[sizeof sum.sums / sizeof(double)];
    const int count = sizeof numbers / sizeof *numbers;
    for (int i = 0; i < count; i++)
        numbers[i] = value(world->rank, i) / 3.0;
    memcpy(&sum.sums, numbers, sizeof numbers);
    sum.run();
    memcpy(numbers, &sum.sums, sizeof numbers);
    for (int i = 0; i < count; i++)
        EXPECT_EQ(numbers[i], tree_of_nodes<double>(
                                  sum.starts, [&](int rank) { return value(rank, i) / 3.0; }));
    std::ostringstream text;
    text << std::hexfloat << sum.norm2[0];
    for (int i = 0; i < count; i++)
        text << " " << numbers[i];
    std::string exact = text.str();
    const ls_comm_given given = {"sum", exact.c_str(), "", LS_DATA};
    EXPECT_TRUE(ls_comm_same(world, &given, nullptr));
    ls_reduce_end(sum.reduce);
}

TEST(Reduce, AnyNumberThatIsNotFiniteIsSeenByAll)
{
    const long n = 9008;
    Sum sum({n});
    bool last = world->rank == world->size - 1;
    for (long at : {0L, n - 1})
        for (real bad :
             {std::numeric_limits<real>::quiet_NaN(), std::numeric_limits<real>::infinity()}) {
            sum.fill();
            if (last)
                sum.gradient()[at] = bad;
            sum.run();
            EXPECT_FALSE(std::isfinite(sum.norm2[0])) << at;
            /* Without ls_reduce_end: a step that stopped. */
        }
    sum.fill();
    sum.run();
    EXPECT_TRUE(std::isfinite(sum.norm2[0]));
    sum.fill();
    sum.gradient()[5] = std::numeric_limits<real>::max();
    sum.run();
    bool one_float = world->size == 1 && sizeof(real) < sizeof(double);
    EXPECT_EQ(std::isfinite(sum.norm2[0]), one_float) << "a sum that overflows";
}

/* Ranks come late in turn, so that a missing barrier shows. Sums are whole numbers: exact. */
TEST(Reduce, StepsDoNotRunIntoEachOther)
{
    const long n = 9008;
    const int steps = 60, size = world->size, rank = world->rank;
    Sum sum({n});
    ls_shared *shared = ls_shared_create(world, n * sizeof(real), nullptr);
    EXPECT_NE(shared, nullptr);
    real *parameters = (real *)ls_shared_data(shared);
    long wrong = 0;
    auto late = [&](int turn) { usleep(turn % size == rank ? 300 : 0); };
    for (int step = 0; step < steps; step++) {
        for (long i = 0; i < n; i++)
            wrong += parameters[i] != (real)(step * (step + 1) / 2 * size);
        late(step);
        for (long i = 0; i < n; i++)
            sum.gradient()[i] = (real)(step + 1);
        sum.sums.stop = step;
        late(step + 1);
        sum.run();
        wrong += sum.sums.stop != step * size;
        late(step + 2);
        sum.each_own([&](long i) { parameters[i] += sum.gradient()[i]; });
        ls_reduce_end(sum.reduce);
    }
    EXPECT_EQ(wrong, 0);
    ls_comm_node_barrier(world);
    ls_shared_destroy(shared);
}

TEST(Reduce, MpiComesToTheSameSum)
{
    const long n = 30000;
    Sum sum({n});
    std::vector<real> theirs((size_t)n);
    ls_reduce_by_mpi(world, sum.gradient(), theirs.data(), n);
    sum.run();
    double most = 0;
    sum.each_own([&](long i) {
        most = std::max(most, std::fabs((double)sum.gradient()[i] - (double)theirs[(size_t)i]));
    });
    EXPECT_LT(most, 1e-3);
    ls_reduce_end(sum.reduce);
}

TEST(Reduce, SaysTheBytesThatItTakes)
{
    Sum sum({4096});
    EXPECT_EQ(ls_reduce_bytes(sum.params, 2),
              2 * 4096 * sizeof(real) + 2 * 64 + 3 * sizeof(ls_step_sums) + 2 * sizeof(double));
}
