/* Vectorised losses of pixels against their formulas in double, at all lengths, and at logits where
 * a careless formula overflows. */
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

extern "C" {
#include "core/pixels.h"
#include "core/random.h"
}

namespace
{

using Reals = std::vector<real>;
const double EPSILON = sizeof(real) == sizeof(float) ? 1e-6 : 1e-14;

Reals logits(long n)
{
    Reals y(n);
    ls_random_normal(ls_random_stream(1, LS_RANDOM_NOISE, 0, 0, 0), 0, y.data(), n);
    for (real &value : y)
        value *= 4;
    return y;
}

Reals pixels(long n)
{
    Reals x(n);
    ls_random_uniform(ls_random_stream(1, LS_RANDOM_NOISE, 0, 0, 0), 1, x.data(), n);
    return x;
}

double bernoulli(double y, double x)
{
    return std::fmax(y, 0) - x * y + std::log1p(std::exp(-std::fabs(y)));
}

double logistic(double y)
{
    return 1 / (1 + std::exp(-y));
}

} /* namespace */

TEST(Pixels, BernoulliIsItsFormulaAtAnyLength)
{
    for (long n : {0, 1, 7, 15, 16, 17, 784, 1023, 1024, 1025, 3000}) {
        const Reals y = logits(n), x = pixels(n);
        Reals dy(n, -77);
        double expected = 0;
        for (long j = 0; j < n; j++)
            expected += bernoulli(y[j], x[j]);
        const double found = ls_pixels_bernoulli(n, y.data(), x.data(), dy.data());
        EXPECT_NEAR(found, expected, EPSILON * expected) << n;
        EXPECT_EQ(ls_pixels_bernoulli(n, y.data(), x.data(), nullptr), found) << n;
        for (long j = 0; j < n; j++)
            ASSERT_NEAR(dy[j], logistic(y[j]) - x[j], EPSILON) << n << " " << j;
    }
}

TEST(Pixels, BernoulliTakesLogitsOfAnySize)
{
    for (double size : {30.0, 88.0, 100.0, 500.0, 1e30})
        for (double sign : {-1.0, 1.0}) { /* all lanes at their largest, where a product is 2^64 */
            const Reals y(1024, (real)(sign * size)), x(1024, (real)0.25);
            const double expected = 1024 * bernoulli(y[0], 0.25);
            EXPECT_NEAR(ls_pixels_bernoulli(1024, y.data(), x.data(), nullptr), expected,
                        2 * EPSILON * expected);
        }
    const Reals zero(1024, 0);
    EXPECT_NEAR(ls_pixels_bernoulli(1024, zero.data(), zero.data(), nullptr), 1024 * std::log(2.0),
                EPSILON * 710);
    Reals y(20, 1), x(20, 1);
    y[18] = std::numeric_limits<real>::quiet_NaN();
    EXPECT_TRUE(std::isnan(ls_pixels_bernoulli(20, y.data(), x.data(), nullptr)));
    y[18] = std::numeric_limits<real>::infinity();
    EXPECT_FALSE(std::isfinite(ls_pixels_bernoulli(20, y.data(), x.data(), nullptr)));
}

TEST(Pixels, SquaredIsItsFormulaAtAnyLength)
{
    for (long n : {0, 1, 15, 16, 17, 784, 3000}) {
        const Reals y = logits(n), x = pixels(n);
        Reals dy(n, -77);
        double expected = 0;
        for (long j = 0; j < n; j++)
            expected += ((double)y[j] - x[j]) * ((double)y[j] - x[j]) / 2;
        EXPECT_NEAR(ls_pixels_squared(n, y.data(), x.data(), dy.data()), expected,
                    EPSILON * expected);
        EXPECT_NEAR(ls_pixels_squared(n, y.data(), x.data(), nullptr), expected,
                    EPSILON * expected);
        for (long j = 0; j < n; j++)
            ASSERT_EQ(dy[j], y[j] - x[j]);
    }
}

TEST(Pixels, DrawsOnesAsOftenAsTheirProbability)
{
    const int n = 20000;
    for (double probability : {0.0, 0.1, 0.7, 1.0}) {
        const Reals p(n, (real)probability);
        Reals x = pixels(n);
        ls_pixels_draw(n, p.data(), x.data());
        double ones = 0;
        for (real value : x) {
            ASSERT_TRUE(value == 0 || value == 1);
            ones += value;
        }
        EXPECT_NEAR(ones / n, probability,
                    4 * std::sqrt(probability * (1 - probability) / n) + 1e-12);
    }
}

TEST(Pixels, ARuleTakesProbabilities)
{
    for (double x : {0.0, 0.5, 1.0, 255 * (double)(1 / 255.0f)})
        EXPECT_TRUE(ls_pixels_rule.takes(x)) << x;
    for (double x : {-0.01, 1.01, 255.0})
        EXPECT_FALSE(ls_pixels_rule.takes(x)) << x;
}
