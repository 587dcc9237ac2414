/* Annealed importance sampling against exact partition functions of machines with 20 hidden units:
 * the estimate, its error, the two sides that bound it, and what a run depends on. */
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "instructions.h"

extern "C" {
#include "core/annealing.h"
#include "core/kernels/panel.h"
#include "core/partition.h"
#include "core/random.h"
}

namespace
{

using Reals = std::vector<real>;
using Doubles = std::vector<double>;

/* Weights and biases are normal numbers. With deviation 0.6 of the weights, the inputs of units
 * have a deviation of 2 to 3, and the model lies far from its base: see ...FarFromTheBase. */
struct Machine {
    long visible, hidden;
    bool normal;
    Reals weight, a, b, stored, base;

    explicit Machine(bool normal_ = false, double scale = 0.6, long visible_ = 30,
                     long hidden_ = 20)
        : visible(visible_), hidden(hidden_), normal(normal_)
    {
        weight = draw(hidden * visible, 0, scale);
        a = draw(visible, 1, 1);
        b = draw(hidden, 2, 1);
        base.resize((size_t)visible); /* 0 */
        store();
    }

    void store()
    {
        stored.assign((size_t)ls_panel_size(hidden, visible), 0);
        const ls_shape shape = {2, {hidden, visible}};
        ls_panel_layout.load(&ls_panel_layout, &shape, weight.data(), stored.data());
    }

    static Reals draw(long n, uint64_t row, double scale)
    {
        Reals normal((size_t)n);
        ls_random_normal(ls_random_stream(8, LS_RANDOM_NOISE, 0, 0, 0), row, normal.data(), n);
        for (real &value : normal)
            value *= (real)scale;
        return normal;
    }

    ls_annealing annealing(long temperatures, bool reverse = false) const
    {
        ls_annealing how = {};
        how.visible = visible;
        how.hidden = hidden;
        how.normal = normal;
        how.weight = stored.data();
        how.hidden_bias = b.data();
        how.visible_bias = a.data();
        how.base = base.data();
        how.temperatures = temperatures;
        how.reverse = reverse;
        return how;
    }

    double exact() const
    {
        const Doubles w(weight.begin(), weight.end());
        const Doubles units(b.begin(), b.end()), others(a.begin(), a.end());
        ls_partition p = {};
        p.units = hidden;
        p.others = visible;
        p.weight = w.data();
        p.unit_bias = units.data();
        p.bias = others.data();
        p.normal = normal;
        Doubles parts;
        for (long k = 0; k < ls_partition_parts(hidden); k++)
            parts.push_back(ls_partition_part(&p, k));
        return ls_partition_add((long)parts.size(), parts.data());
    }
};

Doubles run(const ls_annealing &how, uint64_t seed, long first, long runs)
{
    Doubles weights((size_t)runs);
    ls_annealing_run(&how, seed, first, runs, weights.data());
    return weights;
}

ls_annealing_estimate estimate(const ls_annealing &how, uint64_t seed, long runs)
{
    return ls_annealing_conclude(&how, runs, run(how, seed, 0, runs).data());
}

TEST(Annealing, IsWithinATenthOfANatOfTheExactLogZ)
{
    for (bool normal : {false, true}) {
        Machine m(normal, normal ? 0.2 : 0.6);
        const double exact = m.exact();
        for (const Reals &base : {Reals(30), m.a}) { /* a base of zeros; the machine's own biases */
            m.base = base;
            for (bool reverse : {false, true}) {
                const ls_annealing_estimate e = estimate(m.annealing(1000, reverse), 1, 100);
                EXPECT_NEAR(e.log_z, exact, 0.1) << normal << reverse;
                EXPECT_LT(e.error, 0.1) << normal << reverse;
                EXPECT_GT(e.error, 0) << normal << reverse;
            }
        }
    }
}

/* So that the test above says something: without temperatures between, it is wrong by nats. */
TEST(Annealing, TheseMachinesLieFarFromTheBase)
{
    for (bool normal : {false, true}) {
        const Machine m(normal, normal ? 0.2 : 0.6);
        EXPECT_GT(std::fabs(estimate(m.annealing(1), 1, 100).log_z - m.exact()), 2) << normal;
    }
}

/* By chance, an estimate lies outside of 2 errors in 1 of 20 cases, outside of 3 in 1 of 370. */
TEST(Annealing, TheErrorIsHonest)
{
    const Machine m;
    const double exact = m.exact();
    int beyond[4] = {};
    double squares = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        const ls_annealing_estimate e = estimate(m.annealing(300), seed, 50);
        const double off = std::fabs(e.log_z - exact) / e.error;
        squares += off * off / 30;
        for (int k = 1; k <= 3; k++)
            beyond[k] += off > k;
        EXPECT_EQ(e.low < exact && exact < e.high, off < 3) << seed;
        EXPECT_GT(e.runs, 10);
        EXPECT_LE(e.runs, 50);
    }
    EXPECT_EQ(beyond[3], 0);
    EXPECT_LE(beyond[2], 5);
    EXPECT_GE(beyond[1], 3); /* nor is it too large */
    EXPECT_LT(squares, 2);
    EXPECT_GT(squares, 0.5);
}

/* Few temperatures: forward, ln Z is too small on average, and in reverse too large. */
TEST(Annealing, TheTwoDirectionsBoundLogZ)
{
    for (bool normal : {false, true}) {
        const Machine m(normal, normal ? 0.2 : 0.6);
        const double exact = m.exact();
        double mean[2] = {};
        for (uint64_t seed = 1; seed <= 20; seed++)
            for (bool reverse : {false, true})
                mean[reverse] += estimate(m.annealing(30, reverse), seed, 5).log_z / 20;
        EXPECT_LT(mean[false], exact - 0.1);
        EXPECT_GT(mean[true], exact + 0.1);
    }
}

/* Two modes, all units off or on, with the shares 0.01 and 0.99, between which no chain moves. Runs
 * upwards part early, when the shares are more alike: were they to begin the runs in reverse as
 * they are, ln Z would come out 2 too small. */
TEST(Annealing, RunsInReverseBeginInTheModesByTheirShares)
{
    Machine m(false, 0, 40, 1);
    m.a.assign(40, -2);
    m.weight.assign(40, 4);
    m.b.assign(1, (real)(-80 + std::log(99))); /* ln(1 + e^2) - ln(1 + e^-2) = 2 */
    m.base.assign(40, 0);
    m.store();
    EXPECT_NEAR(estimate(m.annealing(300), 1, 1000).log_z, m.exact(), 0.2);
    EXPECT_NEAR(estimate(m.annealing(300, true), 1, 1000).log_z, m.exact(), 0.5);
}

/* A run is a function of seed and number: the same bits in any company. */
TEST(Annealing, ARunDependsOnSeedAndNumberOnly)
{
    SKIP_WITH_BLAS();
    for (bool normal : {false, true}) {
        const Machine m(normal, 0.2, 37, 41);
        for (bool reverse : {false, true}) {
            const ls_annealing how = m.annealing(20, reverse);
            const Doubles all = run(how, 5, 0, 23), others = run(how, 6, 0, 23);
            for (long n : {1L, 4L, 9L})
                for (long first = 0; first + n <= 23; first += n) {
                    const Doubles part = run(how, 5, first, n);
                    for (long i = 0; i < n; i++)
                        EXPECT_EQ(part[(size_t)i], all[(size_t)(first + i)]);
                }
            for (size_t i = 1; i < 23; i++) {
                EXPECT_NE(all[i], all[i - 1]);
                EXPECT_NE(all[i], others[i]);
            }
        }
    }
}

/* Units beyond a block of the loops, and hidden units that no vector divides. */
TEST(Annealing, OfManyUnits)
{
    Machine m(false, 0.02, 2100, 15);
    m.base = m.a;
    const ls_annealing_estimate e = estimate(m.annealing(200), 1, 20);
    EXPECT_NEAR(e.log_z, m.exact(), 0.1);
    Machine turned(false, 0.02, 15, 2100); /* exact by its visible units */
    Machine sides(false, 0.02, 2100, 15);
    for (long j = 0; j < 2100; j++)
        for (long i = 0; i < 15; i++)
            sides.weight[(size_t)(i * 2100 + j)] = turned.weight[(size_t)(j * 15 + i)];
    turned.base = turned.a;
    sides.a = turned.b;
    sides.b = turned.a;
    EXPECT_NEAR(estimate(turned.annealing(200), 1, 20).log_z, sides.exact(), 0.1);
}

TEST(Annealing, TemperaturesAreThoseOfSalakhutdinovAndMurray)
{
    const Machine m;
    ls_annealing how = m.annealing(LS_ANNEALING_TEMPERATURES);
    for (long k = 0; k <= 14500; k++) {
        const double expected = k <= 500    ? 1e-3 * (double)k
                                : k <= 4500 ? 0.5 + 1e-4 * (double)(k - 500)
                                            : 0.9 + 1e-5 * (double)(k - 4500);
        ASSERT_NEAR((double)ls_annealing_temperature(&how, k), expected, 1e-7) << k;
    }
    for (long n : {1L, 2L, 29L, 1000L, 100000L}) {
        how.temperatures = n;
        EXPECT_EQ(ls_annealing_temperature(&how, 0), 0);
        EXPECT_EQ(ls_annealing_temperature(&how, n), 1);
        for (long k = 1; k <= n; k++)
            ASSERT_GT(ls_annealing_temperature(&how, k), ls_annealing_temperature(&how, k - 1));
    }
}

/* The mean of weights 1, 2, 6 is 3; their deviation sqrt(7), that of the mean sqrt(7 / 3). */
TEST(Annealing, ConcludesFromTheWeights)
{
    Machine m;
    m.base.assign(30, (real)0.5);
    const double weights[] = {700 + std::log(1), 700 + std::log(2), 700 + std::log(6)};
    const double base = 20 * std::log(2) + 30 * std::log1p(std::exp(0.5)), mean = 700 + std::log(3);
    ls_annealing how = m.annealing(10);
    ls_annealing_estimate e = ls_annealing_conclude(&how, 3, weights);
    EXPECT_NEAR(e.log_z, base + mean, 1e-9);
    EXPECT_NEAR(e.error, std::sqrt(7.0 / 3) / 3, 1e-9);
    EXPECT_EQ(e.low, -INFINITY); /* three errors are more than the mean */
    EXPECT_NEAR(e.high, base + mean + std::log(1 + 3 * std::sqrt(7.0 / 3) / 3), 1e-9);
    EXPECT_NEAR(e.runs, 81.0 / 41, 1e-9);
    how.reverse = true;
    e = ls_annealing_conclude(&how, 3, weights);
    EXPECT_NEAR(e.log_z, base - mean, 1e-9);
    EXPECT_EQ(e.high, INFINITY);
    EXPECT_NEAR(e.low, base - mean - std::log(1 + 3 * std::sqrt(7.0 / 3) / 3), 1e-9);
    EXPECT_TRUE(std::isnan(ls_annealing_conclude(&how, 1, weights).error));
    how.normal = true;
    EXPECT_NEAR(ls_annealing_conclude(&how, 1, weights).log_z,
                20 * std::log(2) + 15 * std::log(2 * 3.14159265358979323846) - 700, 1e-9);
}

} /* namespace */
