/* Sets of slots: union, intersection, difference, and the patterns that name slots. */
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

extern "C" {
#include "core/params.h"
}

namespace
{

std::set<int> members(const ls_slots &slots, int count)
{
    std::set<int> all;
    for (int s = 0; s < count; s++)
        if (ls_slots_contain(&slots, s))
            all.insert(s);
    for (int i = 0; i < slots.count; i++) { /* sorted, and no two touch */
        EXPECT_LT(slots.at[i].begin, slots.at[i].end);
        EXPECT_LT(i > 0 ? slots.at[i - 1].end : -1, slots.at[i].begin);
    }
    return all;
}

/* net: conv1 and dense2, each with weight and bias; decoder: dense1, without bias. */
struct Named {
    ls_params *params = ls_params_create();
    ls_error error = {};
    Named()
    {
        const ls_shape shape = {1, {3}};
        const ls_initializer zero = {};
        for (const char *name : {"net/conv1/weight", "net/conv1/bias", "net/dense2/weight",
                                 "net/dense2/bias", "decoder/dense1/weight"})
            ls_params_claim(params, name, LS_SLOT_WEIGHT, &shape, &zero, nullptr);
    }
    ~Named()
    {
        ls_params_destroy(params);
    }
    std::set<int> match(const char *patterns)
    {
        ls_slots slots;
        if (ls_slots_match(params, patterns, &slots, &error))
            return members(slots, params->count);
        EXPECT_EQ(LS_USAGE, error.code);
        return {-1};
    }
};

using Set = std::set<int>;

} /* namespace */

TEST(Slots, AreSetsUnderIntersectionAndDifference)
{
    std::mt19937 source(3);
    const int count = 40;
    for (int trial = 0; trial < 200; trial++) {
        ls_slots a = {}, b = {}, both, rest;
        Set in_a, in_b, in_both, in_rest;
        for (int s = 0; s < count; s++) {
            if (source() % 3) {
                in_a.insert(s);
                ls_slots_add(&a, s, s + 1);
            }
            if (source() % 2) {
                in_b.insert(s);
                ls_slots_add(&b, s, s + 1);
            }
        }
        for (int s : in_a)
            (in_b.count(s) ? in_both : in_rest).insert(s);
        ASSERT_TRUE(ls_slots_intersect(&a, &b, &both, nullptr));
        ASSERT_TRUE(ls_slots_subtract(&a, &b, &rest, nullptr));
        EXPECT_EQ(members(both, count), in_both);
        EXPECT_EQ(members(rest, count), in_rest);
        EXPECT_EQ(ls_slots_meet(&a, &b), !in_both.empty());
        EXPECT_FALSE(ls_slots_meet(&rest, &b));
        EXPECT_EQ(ls_slots_meet(&b, &both), !in_both.empty());
    }
}

TEST(Slots, TooManyIntervalsAreRefused)
{
    ls_slots all = {}, odd = {}, result;
    ls_error error = {};
    ls_slots_add(&all, 0, 4 * LS_INTERVALS);
    for (int i = 0; i < LS_INTERVALS; i++)
        ASSERT_TRUE(ls_slots_try_add(&odd, 2 * i + 1, 2 * i + 2, &error));
    EXPECT_FALSE(ls_slots_try_add(&odd, 4 * LS_INTERVALS, 4 * LS_INTERVALS + 1, &error));
    EXPECT_EQ(LS_USAGE, error.code);
    EXPECT_EQ(LS_INTERVALS, odd.count); /* as it was */
    EXPECT_TRUE(ls_slots_try_add(&odd, 2, 3, &error)) << "joins two intervals";
    EXPECT_EQ(LS_INTERVALS - 1, odd.count);
    EXPECT_TRUE(ls_slots_intersect(&all, &odd, &result, &error));
    EXPECT_EQ(LS_INTERVALS - 1, result.count);
    EXPECT_TRUE(ls_slots_subtract(&all, &odd, &result, &error));
    EXPECT_EQ(LS_INTERVALS, result.count);
    ASSERT_TRUE(ls_slots_try_add(&odd, 4 * LS_INTERVALS - 2, 4 * LS_INTERVALS - 1, &error));
    EXPECT_FALSE(ls_slots_subtract(&all, &odd, &result, &error));
    EXPECT_NE(std::string(error.text).find("more than 256 separate groups"), std::string::npos);
}

TEST(Slots, PatternsNameSlotsLinesAndNets)
{
    Named n;
    EXPECT_EQ(n.match("net/conv1/weight"), (Set{0}));
    EXPECT_EQ(n.match("net/conv1"), (Set{0, 1}));
    EXPECT_EQ(n.match("net"), (Set{0, 1, 2, 3}));
    EXPECT_EQ(n.match("decoder, net/dense2"), (Set{2, 3, 4}));
    EXPECT_EQ(n.match("*/bias"), (Set{1, 3}));
    EXPECT_EQ(n.match("net/dense?"), (Set{2, 3}));
    EXPECT_EQ(n.match("*/dense[12]/weight ,net/conv1/bias"), (Set{1, 2, 4}));
    EXPECT_EQ(n.match("*"), (Set{0, 1, 2, 3, 4}));
}

TEST(Slots, APatternThatMatchesNothingIsRefusedWithTheNearestName)
{
    Named n;
    EXPECT_EQ(n.match("net/conv1,net/dens2"), Set{-1});
    EXPECT_STREQ("'net/dens2' is the name of no parameter, line or net: did you mean net/dense2? "
                 "(names are as NET/LINE or NET/LINE/weight, as net/conv1/weight is)",
                 n.error.text);
    EXPECT_EQ(n.match("decodr"), Set{-1});
    EXPECT_NE(std::string(n.error.text).find("did you mean decoder?"), std::string::npos);
    EXPECT_EQ(n.match("conv1/weigth"), Set{-1});
    EXPECT_EQ(n.match("net/conv1/"), Set{-1});
    EXPECT_EQ(n.match("net,,decoder"), Set{-1});
    EXPECT_STREQ("'net,,decoder' has an empty place: expected PATTERN,...", n.error.text);
    EXPECT_EQ(n.match(""), Set{-1});
}

TEST(Slots, ANameWithoutItsNetWillDoWhereNoNetIsCalledSo)
{
    Named named;
    EXPECT_EQ((Set{2, 3}), named.match("dense2"));
    EXPECT_EQ((Set{2, 4}), named.match("dense*/weight"));
    EXPECT_EQ((Set{4}), named.match("dec*")) << "not what lies in it too";
    EXPECT_EQ((Set{4}), named.match("d*")) << "the net alone, as ever";
}
