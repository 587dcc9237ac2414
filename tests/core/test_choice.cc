/* Drawing a class by logits: the frequencies are those of the softmax, by temperature and among the
 * most probable. */
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

extern "C" {
#include "core/choice.h"
}

namespace
{
/* How often each class comes, of so many draws. */
std::vector<double> frequencies(const std::vector<real> &logits, double temperature, long top)
{
    enum { DRAWS = 40000 };
    std::vector<double> weight(logits.size()), found(logits.size());
    std::vector<real> order(logits.size());
    ls_choice choice = {temperature, top, ls_random_stream(1, LS_RANDOM_NOISE, 2, 3, 4),
                        weight.data(), order.data()};
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        const long k = ls_choice_draw(&choice, logits.data(), (long)logits.size(), draw);
        if (k < 0 || k >= (long)logits.size())
            ADD_FAILURE() << "class " << k;
        else
            found[(size_t)k] += 1. / DRAWS;
    }
    return found;
}

/* The softmax of logits / temperature over the classes that are `taken`; the frequencies of 40,000
 * draws lie within five standard deviations. */
void expect_softmax(const std::vector<real> &logits, double temperature, long top,
                    const std::vector<bool> &taken)
{
    const std::vector<double> found = frequencies(logits, temperature, top);
    double sum = 0;
    for (size_t k = 0; k < logits.size(); k++)
        sum += taken[k] ? std::exp((double)logits[k] / temperature) : 0;
    for (size_t k = 0; k < logits.size(); k++) {
        const double p = taken[k] ? std::exp((double)logits[k] / temperature) / sum : 0;
        EXPECT_NEAR(found[k], p, 5 * std::sqrt(p * (1 - p) / 40000))
            << "class " << k << " at temperature " << temperature << ", top " << top;
    }
}

const std::vector<real> LOGITS = {0.5, -1, 2, 0.5, 1, 0.5};
} /* namespace */

TEST(Choice, FollowsTheSoftmaxAtEachTemperature)
{
    for (double temperature : {0.5, 1., 3.})
        expect_softmax(LOGITS, temperature, 0, std::vector<bool>(6, true));
}

TEST(Choice, TakesTheMostProbableOnlyAndOfEqualOnesTheFirst)
{
    expect_softmax(LOGITS, 1, 2, {false, false, true, false, true, false});
    expect_softmax(LOGITS, 1, 3, {true, false, true, false, true, false});
    expect_softmax(LOGITS, 0.7, 4, {true, false, true, true, true, false});
    expect_softmax(LOGITS, 0.7, 5, {true, false, true, true, true, true});
    expect_softmax(LOGITS, 1, 9, std::vector<bool>(6, true));
}

TEST(Choice, IsTheMostProbableAtTemperatureZero)
{
    EXPECT_EQ(frequencies(LOGITS, 0, 0)[2], frequencies(LOGITS, 1, 1)[2]);
    EXPECT_NEAR(frequencies(LOGITS, 0, 0)[2], 1, 1e-9);
}
