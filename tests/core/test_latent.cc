/* Codes: draws from a prior are a function of the row, a plane covers the prior evenly. */
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

extern "C" {
#include "core/latent.h"
}

namespace
{

using Reals = std::vector<real>;

Reals draw(ls_latent_prior prior, long first, long n, long width)
{
    Reals z((size_t)(n * width));
    ls_latent_draw(prior, ls_random_stream(3, LS_RANDOM_NOISE, 4, 5, 6), first, n, width, z.data());
    return z;
}

TEST(Latent, ARowDoesNotDependOnTheRowsDrawnWithIt)
{
    for (ls_latent_prior prior : {LS_LATENT_NORMAL, LS_LATENT_UNIFORM}) {
        Reals all = draw(prior, 0, 9, 5), part = draw(prior, 4, 3, 5);
        EXPECT_EQ(Reals(all.begin() + 20, all.begin() + 35), part);
    }
}

TEST(Latent, HasTheMomentsOfItsPrior)
{
    const double variance[] = {1, 1.0 / 3}, reach[] = {6, 1};
    for (ls_latent_prior prior : {LS_LATENT_NORMAL, LS_LATENT_UNIFORM}) {
        double sum = 0, square = 0, largest = 0, n = 0;
        for (real z : draw(prior, 0, 10000, 7)) {
            sum += z;
            square += (double)z * z;
            largest = std::fmax(largest, std::fabs(z));
            n++;
        }
        EXPECT_NEAR(sum / n, 0, 0.02) << ls_latent_names[prior];
        EXPECT_NEAR(square / n, variance[prior], 0.02) << ls_latent_names[prior];
        EXPECT_LE(largest, reach[prior]);
    }
}

/* 0.6744897501960817 is the upper quartile of N(0, 1), so that 4 cells have their middles at
 * probabilities 1/8, 3/8, ...: 1.1503493803760079 and 0.3186393639643752. */
TEST(Latent, APlaneHasThePriorsQuantiles)
{
    Reals z(2 * 16);
    ls_latent_plane(LS_LATENT_NORMAL, 16, 0, 16, z.data());
    const double quantile[] = {-1.1503493803760079, -0.3186393639643752, 0.3186393639643752,
                               1.1503493803760079};
    for (size_t i = 0; i < 16; i++) {
        EXPECT_NEAR(z[2 * i], quantile[i % 4], 1e-7) << i;
        EXPECT_NEAR(z[2 * i + 1], quantile[i / 4], 1e-7) << i;
    }
    ls_latent_plane(LS_LATENT_UNIFORM, 4, 0, 4, z.data());
    EXPECT_EQ(Reals(z.begin(), z.begin() + 8), (Reals{-0.5, -0.5, 0.5, -0.5, -0.5, 0.5, 0.5, 0.5}));
}

TEST(Latent, ThePartsOfAPlaneAreThePlane)
{
    Reals all(2 * 7), part(2 * 3);
    ls_latent_plane(LS_LATENT_NORMAL, 7, 0, 7, all.data());
    ls_latent_plane(LS_LATENT_NORMAL, 7, 4, 3, part.data());
    EXPECT_EQ(Reals(all.begin() + 8, all.end()), part);
}

TEST(Latent, AWalkGoesFromOneCodeToTheOther)
{
    const Reals from = {1, -2, 0}, to = {3, 2, 0};
    Reals z(3 * 5), part(3 * 2);
    ls_latent_walk(from.data(), to.data(), 3, 5, 0, 5, z.data());
    EXPECT_EQ(z, (Reals{1, -2, 0, 1.5, -1, 0, 2, 0, 0, 2.5, 1, 0, 3, 2, 0}));
    ls_latent_walk(from.data(), to.data(), 3, 5, 2, 2, part.data());
    EXPECT_EQ(Reals(z.begin() + 6, z.begin() + 12), part);
    ls_latent_walk(from.data(), to.data(), 3, 1, 0, 1, z.data());
    EXPECT_EQ(Reals(z.begin(), z.begin() + 3), from);
}

} /* namespace */
