/* slow: a machine that computes longer than the others is named, and no other. */
#include <gtest/gtest.h>

#include <vector>

extern "C" {
#include "core/random.h"
#include "launch/train/slow.h"
}

namespace
{

/* A rank whose steps take that long, or up to 15 % longer, and `late` of them five times as long.
 */
ls_slow_rank rank_of(double seconds, long rows, uint64_t seed, int late = 0, double spread = 0.15)
{
    real noise[LS_SLOW_STEPS];
    double step[LS_SLOW_STEPS], row[LS_SLOW_STEPS];
    ls_random_uniform(ls_random_stream(seed, LS_RANDOM_NOISE, 0, 0, 0), 0, noise, LS_SLOW_STEPS);
    for (int i = 0; i < LS_SLOW_STEPS; i++) {
        step[i] = seconds * (1 + spread * (double)noise[i]) * (i < late ? 5 : 1);
        row[i] = rows ? step[i] / (double)rows : 0;
    }
    return {ls_slow_pace_of(step), ls_slow_pace_of(row)};
}

TEST(Slow, EqualMachinesAreNeverCalledSlow)
{
    const int sizes[] = {1, 1, 1, 1};
    for (uint64_t seed = 0; seed < 2000; seed++) {
        std::vector<ls_slow_rank> ranks;
        for (uint64_t r = 0; r < 4; r++)
            ranks.push_back(rank_of(0.1, 8, 4 * seed + r, (int)(seed + r) % 6));
        EXPECT_EQ(ls_slow_find(ranks.data(), sizes, 4, -1).machine, -1) << seed;
    }
}

TEST(Slow, TheSlowMachineIsNamedAndByHowMuch)
{
    const int sizes[] = {2, 1, 3};
    for (int slow = 0, rank = 0; slow < 3; rank += sizes[slow++]) {
        std::vector<ls_slow_rank> ranks;
        for (int r = 0; r < 6; r++)
            ranks.push_back(rank_of(r == rank ? 0.4 : 0.1, 8, (uint64_t)r, 4, 0.05));
        ls_slow found = ls_slow_find(ranks.data(), sizes, 3, -1);
        EXPECT_EQ(found.machine, slow);
        EXPECT_NEAR(found.seconds / found.median, 4, 0.2);
    }
}

TEST(Slow, OfTwoMachinesTheSlowerIsSlow)
{
    const int sizes[] = {1, 1};
    const ls_slow_rank ranks[] = {rank_of(0.1, 8, 1), rank_of(0.14, 8, 2)};
    EXPECT_EQ(ls_slow_find(ranks, sizes, 2, -1).machine, 1);
}

TEST(Slow, ASlowMachineStaysSlowUntilItIsAsFastAsTheOthers)
{
    const int sizes[] = {1, 1, 1};
    const double seconds[] = {0.1, 0.1, 0.1, 0.117}; /* 17 % slower */
    std::vector<ls_slow_rank> ranks;
    for (double s : seconds)
        ranks.push_back({{s, s}, {s, s}});
    EXPECT_EQ(ls_slow_find(ranks.data() + 1, sizes, 3, -1).machine, -1);
    EXPECT_EQ(ls_slow_find(ranks.data() + 1, sizes, 3, 2).machine, 2);
    EXPECT_EQ(ls_slow_find(ranks.data(), sizes, 3, 2).machine, -1);
}

/* 20 steps of 0.1 ms each, one machine half as fast again. */
TEST(Slow, StepsOfMicrosecondsAreNotJudged)
{
    const int sizes[] = {1, 1, 1};
    const ls_slow_rank few[] = {rank_of(1e-4, 8, 1), rank_of(1e-4, 8, 2), rank_of(1.5e-4, 8, 3)};
    const ls_slow_rank more[] = {rank_of(1e-2, 8, 1), rank_of(1e-2, 8, 2), rank_of(1.5e-2, 8, 3)};
    EXPECT_EQ(ls_slow_find(few, sizes, 3, -1).machine, -1);
    EXPECT_EQ(ls_slow_find(more, sizes, 3, -1).machine, 2);
}

/* Of two that are slow alike, the one that was named stays so; a third that is far slower is named.
 */
TEST(Slow, TheNamedMachineDoesNotChangeWithTheLastDigits)
{
    const int sizes[] = {1, 1, 1, 1, 1, 1};
    std::vector<ls_slow_rank> ranks(6, {{0.1, 0.1}, {0.1, 0.1}});
    ranks[1] = {{0.2, 0.2}, {0.2, 0.2}};
    ranks[4] = {{0.21, 0.21}, {0.21, 0.21}};
    EXPECT_EQ(ls_slow_find(ranks.data(), sizes, 6, -1).machine, 4);
    EXPECT_EQ(ls_slow_find(ranks.data(), sizes, 6, 1).machine, 1);
    ranks[4] = {{0.4, 0.4}, {0.4, 0.4}};
    EXPECT_EQ(ls_slow_find(ranks.data(), sizes, 6, 1).machine, 4);
}

/* 6, 5 and 5 rows of 16: the first rank is not slow; nor is one with a single row, that costs more
 * a row; nor one without rows. */
TEST(Slow, RanksWithMoreOrFewerRowsAreNotSlow)
{
    const int sizes[] = {1, 1, 1};
    const ls_slow_rank more[] = {rank_of(0.125, 5, 1), rank_of(0.1, 4, 2), rank_of(0.1, 4, 3)};
    const ls_slow_rank fewer[] = {rank_of(0.05, 1, 1), rank_of(0.1, 4, 2), rank_of(0.1, 4, 3)};
    const ls_slow_rank none[] = {rank_of(1e-6, 0, 1), rank_of(0.1, 4, 2), rank_of(0.1, 4, 3)};
    for (const ls_slow_rank *ranks : {more, fewer, none})
        EXPECT_EQ(ls_slow_find(ranks, sizes, 3, -1).machine, -1);
}

TEST(Slow, NobodyIsSlowBeforeThereAreSteps)
{
    const int sizes[] = {1, 1};
    const ls_slow_rank ranks[2] = {};
    EXPECT_EQ(ls_slow_find(ranks, sizes, 2, -1).machine, -1);
}

} /* namespace */
