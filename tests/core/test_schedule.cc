/* Schedules: the factor at the start, at corners and at the end; warm-up; errors. */
#include <gtest/gtest.h>

#include <cmath>
#include <string>

extern "C" {
#include "core/schedule.h"
}

namespace
{

ls_schedule parse(const char *text)
{
    ls_schedule schedule;
    ls_error error = {};
    EXPECT_TRUE(ls_schedule_parse(text, &schedule, &error)) << error.text;
    return schedule;
}

/* 100 steps in 10 epochs. */
double factor(const char *text, long step)
{
    ls_schedule schedule = parse(text);
    return ls_schedule_factor(&schedule, step, 100, 10);
}

} /* namespace */

TEST(Schedule, ConstantStaysOne)
{
    for (long step : {0, 1, 50, 99})
        EXPECT_EQ(factor("constant", step), 1);
}

TEST(Schedule, StepDropsAtWholeMultiples)
{
    EXPECT_EQ(factor("step every=3 gamma=0.5", 0), 1);
    EXPECT_EQ(factor("step every=3 gamma=0.5", 29), 1);
    EXPECT_EQ(factor("step every=3 gamma=0.5", 30), 0.5);
    EXPECT_EQ(factor("step every=3 gamma=0.5", 60), 0.25);
    EXPECT_EQ(factor("step every=0.1 gamma=0.5", 3), 0.125); /* 0.3 / 0.1 is below 3 in doubles */
}

TEST(Schedule, MultistepDropsAtEachEpochOfItsList)
{
    EXPECT_EQ(factor("multistep at=3,4.5,9 gamma=0.5", 29), 1);
    EXPECT_EQ(factor("multistep at=3,4.5,9 gamma=0.5", 30), 0.5);
    EXPECT_EQ(factor("multistep at=3,4.5,9 gamma=0.5", 45), 0.25);
    EXPECT_EQ(factor("multistep at=9,3,4.5 gamma=0.5", 89), 0.25);
    EXPECT_EQ(factor("multistep at=9,3,4.5 gamma=0.5", 90), 0.125);
    ls_schedule schedule;
    ls_error error = {};
    EXPECT_FALSE(ls_schedule_parse("multistep gamma=0.5", &schedule, &error));
    EXPECT_STREQ(error.text, "multistep needs at= (epochs after which it drops: at=82,123)");
    EXPECT_FALSE(ls_schedule_parse("multistep at=0,3", &schedule, &error));
}

TEST(Schedule, CosineIsHalfAWave)
{
    EXPECT_DOUBLE_EQ(factor("cosine", 0), 1);
    EXPECT_DOUBLE_EQ(factor("cosine", 50), 0.5);
    EXPECT_DOUBLE_EQ(factor("cosine", 25), 0.5 + 0.5 * std::sqrt(0.5));
    EXPECT_NEAR(factor("cosine final=0.2", 100), 0.2, 1e-15);
}

TEST(Schedule, LinearIsAStraightLine)
{
    EXPECT_DOUBLE_EQ(factor("linear", 0), 1);
    EXPECT_DOUBLE_EQ(factor("linear", 25), 0.75);
    EXPECT_DOUBLE_EQ(factor("linear final=0.5", 50), 0.75);
}

TEST(Schedule, WarmupRisesToTheSchedulesOwnFactor)
{
    EXPECT_DOUBLE_EQ(factor("constant warmup=2", 0), 1.0 / 20);
    EXPECT_DOUBLE_EQ(factor("constant warmup=2", 9), 0.5);
    EXPECT_DOUBLE_EQ(factor("constant warmup=2", 19), 1);
    EXPECT_DOUBLE_EQ(factor("constant warmup=2", 20), 1);
    EXPECT_DOUBLE_EQ(factor("linear warmup=2", 9), 0.5 * 0.91);
    EXPECT_DOUBLE_EQ(factor("constant warmup=0.05", 0), 1); /* half a step is one */
}

TEST(Schedule, MistakesAreNamed)
{
    struct {
        const char *text, *says;
    } cases[] = {
        {"cosin", "did you mean cosine?"},          {"step", "needs every="},
        {"linear gamma=1", "has no key"},           {"constant warmup=-1", "out of range"},
        {"cosine warmup=1 @input", "without NAME"}, {"", "there is no schedule "},
    };
    for (auto &c : cases) {
        ls_schedule schedule;
        ls_error error = {};
        EXPECT_FALSE(ls_schedule_parse(c.text, &schedule, &error)) << c.text;
        EXPECT_EQ(error.code, LS_USAGE);
        EXPECT_NE(std::string(error.text).find(c.says), std::string::npos) << error.text;
    }
}
