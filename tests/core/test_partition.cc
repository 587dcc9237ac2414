/* The partition function of restricted Boltzmann machines against sums over all states of both
 * sides, and against an integral; the parts, and weights that leave the range of e^z. */
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

extern "C" {
#include "core/partition.h"
#include "core/random.h"
}

namespace
{

using Doubles = std::vector<double>;

struct Machine {
    long units, others;
    Doubles weight, unit_bias, bias;

    Machine(long units_, long others_, double scale)
        : units(units_), others(others_), weight(draw(units * others, 0, scale)),
          unit_bias(draw(units, 1, scale)), bias(draw(others, 2, scale))
    {
    }

    static Doubles draw(long n, uint64_t row, double scale)
    {
        std::vector<real> normal((size_t)n);
        ls_random_normal(ls_random_stream(3, LS_RANDOM_NOISE, 0, 0, 0), row, normal.data(), n);
        Doubles values(normal.begin(), normal.end());
        for (double &value : values)
            value *= scale;
        return values;
    }

    /* The same machine, seen from its other side. */
    Machine turned() const
    {
        Machine other(others, units, 0);
        for (long j = 0; j < units; j++)
            for (long i = 0; i < others; i++)
                other.weight[(size_t)(i * units + j)] = weight[(size_t)(j * others + i)];
        other.unit_bias = bias;
        other.bias = unit_bias;
        return other;
    }

    double input(long i, long state) const
    {
        double z = bias[(size_t)i];
        for (long j = 0; j < units; j++)
            z += (double)(state >> j & 1) * weight[(size_t)(j * others + i)];
        return z;
    }

    double unit_sum(long state) const
    {
        double sum = 0;
        for (long j = 0; j < units; j++)
            sum += (double)(state >> j & 1) * unit_bias[(size_t)j];
        return sum;
    }

    ls_partition partition(bool normal = false) const
    {
        ls_partition p = {};
        p.units = units;
        p.others = others;
        p.weight = weight.data();
        p.unit_bias = unit_bias.data();
        p.bias = bias.data();
        p.normal = normal;
        return p;
    }

    double found(bool normal = false) const
    {
        const ls_partition p = partition(normal);
        Doubles part;
        for (long k = 0; k < ls_partition_parts(units); k++)
            part.push_back(ls_partition_part(&p, k));
        return ls_partition_add((long)part.size(), part.data());
    }
};

/* By the definition: a sum over the states of both sides, of e^-energy. */
TEST(Partition, IsTheSumOverAllStatesOfBothSides)
{
    const Machine m(5, 9, 1);
    long double sum = 0;
    for (long state = 0; state < 1 << m.units; state++)
        for (long other = 0; other < 1 << m.others; other++) {
            double energy = -m.unit_sum(state);
            for (long i = 0; i < m.others; i++)
                energy -= (double)(other >> i & 1) * m.input(i, state);
            sum += std::exp((long double)-energy);
        }
    EXPECT_NEAR(m.found(), (double)std::log(sum), 1e-12);
    EXPECT_NEAR(m.turned().found(), (double)std::log(sum), 1e-12);
}

/* From 1 unit to more than the low bits and the parts hold, with others beyond a block. */
TEST(Partition, OfAnyNumberOfUnits)
{
    for (long units = 1; units <= 14; units++)
        for (long others : {1L, 7L, 33L}) {
            const Machine m(units, others, 0.8);
            long double sum = 0;
            for (long state = 0; state < 1 << units; state++) {
                double logarithm = m.unit_sum(state);
                for (long i = 0; i < others; i++)
                    logarithm += std::log1p(std::exp(m.input(i, state)));
                sum += std::exp((long double)logarithm);
            }
            EXPECT_NEAR(m.found(), (double)std::log(sum), 1e-11) << units << " x " << others;
        }
    const Machine wide(3, 1500, 0.8);
    Doubles states;
    for (long state = 0; state < 8; state++) {
        double logarithm = wide.unit_sum(state);
        for (long i = 0; i < 1500; i++)
            logarithm += std::log1p(std::exp(wide.input(i, state)));
        states.push_back(logarithm);
    }
    EXPECT_NEAR(wide.found(), ls_partition_add(8, states.data()), 1e-10);
}

/* exp(x) leaves a double's range at 709: the other way of computing must join it without a step. */
TEST(Partition, OfWeightsBeyondTheRangeOfExp)
{
    for (double scale : {60.0, 100.0, 250.0, 2000.0}) {
        const Machine m(9, 6, scale);
        Doubles states;
        for (long state = 0; state < 1 << m.units; state++) {
            double logarithm = m.unit_sum(state);
            for (long i = 0; i < m.others; i++) {
                const double z = m.input(i, state);
                logarithm += std::fmax(z, 0) + std::log1p(std::exp(-std::fabs(z)));
            }
            states.push_back(logarithm);
        }
        const double expected = ls_partition_add((long)states.size(), states.data());
        EXPECT_NEAR(m.found(), expected, 1e-13 * std::fabs(expected)) << scale;
    }
}

/* The integral over a normal unit by a sum over a fine grid, for a machine of two of them. */
TEST(Partition, IntegratesNormalUnits)
{
    const Machine m(6, 2, 0.7);
    const double step = 0.02;
    double sum = 0;
    for (long state = 0; state < 1 << m.units; state++) {
        double product = std::exp(m.unit_sum(state));
        for (long i = 0; i < m.others; i++) {
            const double bias = m.bias[(size_t)i], weights = m.input(i, state) - bias;
            double integral = 0;
            for (double v = -20; v < 20; v += step)
                integral += step * std::exp(-(v - bias) * (v - bias) / 2 + weights * v);
            product *= integral;
        }
        sum += product;
    }
    EXPECT_NEAR(m.found(true), std::log(sum), 1e-10);
}

/* A part holds the states with these highest bits: pinning those units gives the same number. */
TEST(Partition, PartsAreStatesWithTheSameHighestBits)
{
    const Machine m(13, 4, 1);
    ASSERT_EQ(ls_partition_parts(13), 256);
    const ls_partition p = m.partition();
    for (long part : {0L, 1L, 100L, 255L}) {
        Doubles states;
        for (long state = part << 5; state < (part + 1) << 5; state++) {
            double logarithm = m.unit_sum(state);
            for (long i = 0; i < m.others; i++)
                logarithm += std::log1p(std::exp(m.input(i, state)));
            states.push_back(logarithm);
        }
        EXPECT_NEAR(ls_partition_part(&p, part), ls_partition_add(32, states.data()), 1e-12);
    }
    EXPECT_EQ(ls_partition_parts(1), 1);
    EXPECT_EQ(ls_partition_parts(6), 4);
    EXPECT_EQ(ls_partition_parts(25), 256);
}

TEST(Partition, SumsOfExponentialsNeitherOverflowNorVanish)
{
    const double high[] = {1000, 1000}, low[] = {-1000, -INFINITY}, none[] = {-INFINITY};
    EXPECT_NEAR(ls_partition_add(2, high), 1000 + std::log(2), 1e-12);
    EXPECT_EQ(ls_partition_add(2, low), -1000);
    EXPECT_EQ(ls_partition_add(1, none), -INFINITY);
    EXPECT_EQ(ls_partition_add(0, nullptr), -INFINITY);
}

} /* namespace */
