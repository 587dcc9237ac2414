/* The posterior of a code: its divergence against the integral that defines it, its slopes against
 * differences. */
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

extern "C" {
#include "core/posterior.h"
#include "core/random.h"
}

namespace
{

using Reals = std::vector<real>;
const bool IS_DOUBLE = sizeof(real) == sizeof(double);

Reals numbers(long n, uint64_t row)
{
    Reals x(n);
    ls_random_normal(ls_random_stream(1, LS_RANDOM_NOISE, 0, 0, 0), row, x.data(), n);
    return x;
}

/* The integral over z of q ln (q / p), by the trapezoidal rule, exact to rounding for such q. */
double integral(double mean, double logarithm)
{
    const double deviation = std::exp(logarithm / 2), step = deviation / 50;
    double sum = 0;
    for (int i = -600; i <= 600; i++) {
        const double z = mean + i * step, off = (z - mean) / deviation;
        const double q = std::exp(-off * off / 2) / (deviation * std::sqrt(2 * M_PI));
        sum += q * (z * z / 2 - off * off / 2 - logarithm / 2) * step;
    }
    return sum;
}

} /* namespace */

TEST(Posterior, DivergenceIsTheIntegral)
{
    for (long latent : {1, 2, 20, 63, 64, 65, 130}) {
        const long rows = 3;
        const Reals code = numbers(rows * 2 * latent, 1);
        double expected = 0;
        for (long r = 0; r < rows; r++)
            for (long j = 0; j < latent; j++)
                expected += integral(code[r * 2 * latent + j], code[r * 2 * latent + latent + j]);
        EXPECT_NEAR(ls_posterior_divergence(rows, latent, code.data()), expected,
                    (IS_DOUBLE ? 1e-10 : 1e-5) * expected)
            << latent;
    }
}

TEST(Posterior, DivergenceOfThePriorIsZero)
{
    const Reals code(2 * 40, 0);
    EXPECT_EQ(ls_posterior_divergence(1, 40, code.data()), 0);
}

TEST(Posterior, NoiseMakesDrawsOfMeanAndDeviation)
{
    const long rows = 4, latent = 21;
    const Reals code = numbers(rows * 2 * latent, 2), noise = numbers(rows * latent, 3);
    Reals z(rows * latent);
    ls_posterior_draw(rows, latent, code.data(), noise.data(), z.data());
    for (long r = 0; r < rows; r++)
        for (long j = 0; j < latent; j++) {
            const real *mean = &code[r * 2 * latent];
            EXPECT_NEAR(z[r * latent + j],
                        mean[j] + std::exp(mean[latent + j] / 2.0) * noise[r * latent + j],
                        IS_DOUBLE ? 1e-14 : 1e-5);
        }
}

/* The loss: the sum of dz z, plus beta times the divergence. */
TEST(Posterior, SlopesAreThoseOfTheLoss)
{
    const long rows = 2, latent = 5;
    const double beta = 0.3, h = 1e-5;
    Reals code = numbers(rows * 2 * latent, 4), noise = numbers(rows * latent, 5);
    const Reals dz = numbers(rows * latent, 6);
    Reals dcode(code.size(), -77), z(noise.size());
    auto loss = [&] {
        double sum = beta * ls_posterior_divergence(rows, latent, code.data());
        ls_posterior_draw(rows, latent, code.data(), noise.data(), z.data());
        for (size_t i = 0; i < z.size(); i++)
            sum += (double)dz[i] * z[i];
        return sum;
    };
    ls_posterior_slopes(rows, latent, code.data(), noise.data(), dz.data(), beta, dcode.data());
    for (size_t i = 0; IS_DOUBLE && i < code.size(); i++) {
        const real middle = code[i];
        code[i] = middle + (real)h;
        const double above = loss();
        code[i] = middle - (real)h;
        const double below = loss();
        code[i] = middle;
        EXPECT_NEAR(dcode[i], (above - below) / (2 * h), 1e-8) << i;
    }
    for (size_t i = 0; i < code.size(); i++) { /* in float too: by the formulas */
        const size_t row = i / (2 * latent), j = i % (2 * latent) % latent, at = row * latent + j;
        const double logarithm = code[row * 2 * latent + latent + j];
        const double expected = i % (2 * latent) < (size_t)latent
                                    ? dz[at] + beta * code[i]
                                    : dz[at] * noise[at] * std::exp(logarithm / 2) / 2 +
                                          beta * (std::exp(logarithm) - 1) / 2;
        EXPECT_NEAR(dcode[i], expected, IS_DOUBLE ? 1e-13 : 1e-5) << i;
    }
}

TEST(Posterior, RatioIsThatOfTheDensities)
{
    for (long latent : {1, 40, 64, 100}) {
        const Reals code = numbers(2 * latent, 7), noise = numbers(latent, 8);
        Reals z(latent);
        ls_posterior_draw(1, latent, code.data(), noise.data(), z.data());
        double expected = 0, size = 0;
        for (long j = 0; j < latent; j++) {
            const double deviation = std::exp(code[latent + j] / 2.0);
            const double off = (z[j] - code[j]) / deviation;
            const double prior = -z[j] * (double)z[j] / 2 - std::log(2 * M_PI) / 2;
            const double own = -off * off / 2 - std::log(deviation) - std::log(2 * M_PI) / 2;
            expected += prior - own;
            size += std::fabs(prior) + std::fabs(own);
        }
        EXPECT_NEAR(ls_posterior_ratio(latent, code.data(), noise.data(), z.data()), expected,
                    (IS_DOUBLE ? 1e-13 : 1e-6) * size)
            << latent;
    }
}
