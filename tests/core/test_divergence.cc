/* Kullback-Leibler and Jensen-Shannon divergence: a worked example, bounds, entries of 0. */
#include <gtest/gtest.h>

#include <cmath>

extern "C" {
#include "core/divergence.h"
}

namespace
{

const double P[] = {0.36, 0.48, 0.16}, Q[] = {0.33, 0.33, 0.33};

/* The lecture's example has its logarithms to base 10, and cuts digits off: 0.04141 and 0.03758. */
TEST(Divergence, OfTheWorkedExample)
{
    EXPECT_NEAR(ls_divergence_kl(P, Q, 3) / std::log(10), 0.0414, 1e-4);
    EXPECT_NEAR(ls_divergence_kl(Q, P, 3) / std::log(10), 0.0375, 1e-4);
    EXPECT_NEAR(ls_divergence_kl(P, Q, 3) / std::log(10), 0.041409951563565715, 1e-15);
    EXPECT_NEAR(ls_divergence_kl(Q, P, 3) / std::log(10), 0.037579772615504874, 1e-15);
}

/* With thirds in the place of 0.33. */
TEST(Divergence, IsInNats)
{
    const double thirds[] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    EXPECT_NEAR(ls_divergence_kl(P, thirds, 3), 0.0852996013183706, 1e-15);
    EXPECT_NEAR(ls_divergence_kl(thirds, P, 3), 0.09745500678538754, 1e-15);
}

TEST(Divergence, OfADistributionFromItselfIsZero)
{
    EXPECT_EQ(ls_divergence_kl(P, P, 3), 0);
    EXPECT_EQ(ls_divergence_js(P, P, 3), 0);
    EXPECT_EQ(ls_divergence_kl(P, Q, 0), 0);
}

TEST(Divergence, JensenShannonIsSymmetricAndAtMostLn2)
{
    const double left[] = {0.25, 0.75, 0, 0}, right[] = {0, 0, 0.5, 0.5},
                 mixed[] = {0.5, 0, 0.5, 0};
    EXPECT_NEAR(ls_divergence_js(left, right, 4), std::log(2), 1e-15);
    EXPECT_EQ(ls_divergence_js(left, mixed, 4), ls_divergence_js(mixed, left, 4));
    EXPECT_GT(ls_divergence_js(left, mixed, 4), 0);
    EXPECT_LT(ls_divergence_js(left, mixed, 4), std::log(2));
}

/* JSD = H(M) - (H(P) + H(Q)) / 2: Lin's other form. */
TEST(Divergence, JensenShannonIsTheGapOfEntropies)
{
    auto entropy = [](const double *p) {
        return -(p[0] * std::log(p[0]) + p[1] * std::log(p[1]) + p[2] * std::log(p[2]));
    };
    const double other[] = {0.1, 0.2, 0.7};
    const double middle[] = {0.23, 0.34, 0.43};
    EXPECT_NEAR(ls_divergence_js(P, other, 3),
                entropy(middle) - 0.5 * (entropy(P) + entropy(other)), 1e-15);
}

TEST(Divergence, EntriesOfZero)
{
    const double p[] = {0, 1}, q[] = {0.5, 0.5}, empty[] = {0, 0};
    EXPECT_NEAR(ls_divergence_kl(p, q, 2), std::log(2), 1e-15);
    EXPECT_EQ(ls_divergence_kl(q, p, 2), INFINITY);
    EXPECT_EQ(ls_divergence_kl(empty, empty, 2), 0);
    EXPECT_NEAR(ls_divergence_js(p, q, 2), 0.21576155433883565, 1e-15);
}

} /* namespace */
