// Optimizers against PyTorch's formulas in double, one number at a time; slots, ranges, clipping.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include "core/optimizer.h"
}

namespace
{

using Reals = std::vector<real>;
const double EPSILON = sizeof(real) == sizeof(float) ? 2e-6 : 1e-14;

ls_optimizer parse(const char *text)
{
    ls_optimizer optimizer;
    ls_error error = {};
    EXPECT_TRUE(ls_optimizer_parse(text, &optimizer, &error)) << error.text;
    return optimizer;
}

// torch.optim's documented updates for one parameter p, gradient g, step t from 1, states a and b.
double reference(const std::string &name, double p, double g, int t, double rate, double *a,
                 double *b)
{
    if (name == "sgd")
        return p - rate * g;
    if (name == "momentum")
        return p - rate * (*a = 0.9 * *a + g);
    if (name == "nesterov") {
        *a = 0.9 * *a + g;
        return p - rate * (g + 0.9 * *a);
    }
    if (name == "adam") {
        *a = 0.9 * *a + 0.1 * g;
        *b = 0.999 * *b + 0.001 * g * g;
        double mean = *a / (1 - std::pow(0.9, t)), square = *b / (1 - std::pow(0.999, t));
        return p - rate * mean / (std::sqrt(square) + 1e-8);
    }
    *a = 0.99 * *a + 0.01 * g * g; // rmsprop
    return p - rate * g / (std::sqrt(*a) + 1e-8);
}

// weight [5, 7], bias [5], statistics [20] and another weight [9000].
struct Slots {
    ls_params *params = ls_params_create();
    Reals values, gradient, first, second;
    ls_slots all;

    Slots()
    {
        claim("net/a/weight", LS_SLOT_WEIGHT, 35);
        claim("net/a/bias", LS_SLOT_BIAS, 5);
        claim("net/n/mean", LS_SLOT_STATE, 20);
        claim("net/b/weight", LS_SLOT_WEIGHT, 9000);
        size_t size = (size_t)params->size;
        values.assign(size, 0), gradient.assign(size, 0);
        first.assign(size, 0), second.assign(size, 0);
        ls_params_commit(params, values.data(), nullptr);
        all = ls_slots_all(params);
        for (int s = 0; s < params->count; s++)
            for (long i = 0; i < params->slots[s].size; i++) {
                values[params->slots[s].offset + i] = (real)std::sin(0.7 * (double)(i + s));
                gradient[params->slots[s].offset + i] = (real)std::cos(1.1 * (double)(i + s));
            }
    }
    ~Slots()
    {
        ls_params_destroy(params);
    }
    void claim(const char *name, ls_slot_kind kind, long size)
    {
        ls_shape shape = {1, {size}};
        ls_initializer zero = {};
        ls_params_claim(params, name, kind, &shape, &zero, nullptr);
    }
    void update(const ls_optimizer &optimizer, const ls_update &numbers, const ls_slots &slots,
                long begin, long end)
    {
        real *const state[LS_OPTIMIZER_STATES] = {first.data(), second.data()};
        ls_optimizer_update(&optimizer, &numbers, params, &slots, begin, end, gradient.data(),
                            state);
    }
    void update(const ls_optimizer &optimizer, const ls_update &numbers)
    {
        update(optimizer, numbers, all, 0, params->size);
    }
};

} // namespace

TEST(Optimizer, EachEqualsItsFormulaOverSteps)
{
    for (const ls_optimizer_type *type = ls_optimizer_types; type->name; type++) {
        Slots slots;
        ls_optimizer optimizer = parse((std::string(type->name) + " rate=0.03 decay=0.1").c_str());
        std::vector<double> p(slots.values.begin(), slots.values.end());
        std::vector<double> a(p.size(), 0), b(p.size(), 0);
        for (int t = 1; t <= 5; t++) {
            double rate = 0.03 / t;
            slots.update(optimizer, {rate, 0.25, 0.25, 0.1, t});
            for (int s : {0, 1, 3})
                for (long k = 0; k < slots.params->slots[s].size; k++) {
                    long i = slots.params->slots[s].offset + k;
                    double g = 0.25 * slots.gradient[i] + 0.1 * p[i];
                    p[i] = reference(type->name, p[i], g, t, rate, &a[i], &b[i]);
                }
        }
        for (int s : {0, 1, 3})
            for (long k = 0; k < slots.params->slots[s].size; k++) {
                long i = slots.params->slots[s].offset + k;
                ASSERT_NEAR(slots.values[i], p[i], 4 * EPSILON) << type->name << " " << i;
            }
    }
}

TEST(Optimizer, StatisticsAreAddedByTheMeanAndNotClipped)
{
    for (const ls_optimizer_type *type = ls_optimizer_types; type->name; type++) {
        Slots slots;
        const Reals before = slots.values;
        slots.update(parse(type->name), {0.5, 0.125, 0.25, 0.1, 1});
        long at = slots.params->slots[2].offset;
        for (long i = at; i < at + 20; i++)
            EXPECT_NEAR(slots.values[i], before[i] + 0.25 * slots.gradient[i], EPSILON);
    }
}

TEST(Optimizer, DecaySparesBiasesOnRequest)
{
    for (const char *text : {"sgd decay_all=0", "sgd"}) {
        Slots slots;
        std::fill(slots.gradient.begin(), slots.gradient.end(), 0);
        const Reals before = slots.values;
        slots.update(parse(text), {1, 1, 0.25, 0.5, 1});
        long weight = slots.params->slots[0].offset, bias = slots.params->slots[1].offset;
        bool spared = std::string(text) != "sgd";
        EXPECT_EQ(slots.values[weight + 1], before[weight + 1] / 2);
        EXPECT_EQ(slots.values[bias + 1], spared ? before[bias + 1] : before[bias + 1] / 2);
    }
}

TEST(Optimizer, CutRangesGiveTheBitsOfTheWhole)
{
    for (const ls_optimizer_type *type = ls_optimizer_types; type->name; type++) {
        Slots whole, cut;
        ls_optimizer optimizer = parse((std::string(type->name) + " decay=0.01").c_str());
        for (long t = 1; t <= 3; t++) {
            whole.update(optimizer, {0.1, 0.5, 0.25, 0.01, t});
            for (long begin = 0; begin < cut.params->size; begin += LS_SLICE_ALIGN)
                cut.update(optimizer, {0.1, 0.5, 0.25, 0.01, t}, cut.all, begin,
                           std::min(begin + (long)LS_SLICE_ALIGN, cut.params->size));
        }
        EXPECT_EQ(
            memcmp(whole.values.data(), cut.values.data(), whole.values.size() * sizeof(real)), 0)
            << type->name;
    }
}

TEST(Optimizer, OtherSlotsAndPaddingStayAsTheyAre)
{
    for (const ls_optimizer_type *type = ls_optimizer_types; type->name; type++) {
        Slots slots;
        const Reals before = slots.values;
        ls_slots some = {};
        ls_slots_add(&some, 1, 2);
        slots.update(parse(type->name), {0.1, 1, 1, 0.1, 1}, some, 0, slots.params->size);
        for (long i = 0; i < slots.params->size; i++) {
            long in_bias = i - slots.params->slots[1].offset;
            if (in_bias >= 0 && in_bias < 5)
                EXPECT_NE(slots.values[i], before[i]) << type->name;
            else
                EXPECT_EQ(slots.values[i], before[i]) << type->name << " " << i;
        }
    }
}

TEST(Optimizer, ClippingBringsTheNormUnderTheBound)
{
    ls_optimizer clipped = parse("sgd clip=2"), free = parse("sgd");
    EXPECT_DOUBLE_EQ(ls_optimizer_clip(&clipped, 100), 0.2);
    EXPECT_EQ(ls_optimizer_clip(&clipped, 3.9), 1);
    EXPECT_EQ(ls_optimizer_clip(&free, 1e30), 1);
}

TEST(Optimizer, OptionsAreReadWithTheirDefaults)
{
    ls_optimizer adam = parse("adam");
    EXPECT_EQ(adam.rate, 0.001);
    EXPECT_EQ(adam.beta2, 0.999);
    EXPECT_EQ(adam.type->states, 2);
    EXPECT_TRUE(adam.decay_all);
    ls_optimizer nesterov = parse("nesterov rate=0.05 momentum=0.8 decay=5e-4 decay_all=0 clip=1");
    EXPECT_EQ(nesterov.momentum, 0.8);
    EXPECT_EQ(nesterov.decay, 5e-4);
    EXPECT_FALSE(nesterov.decay_all);
    EXPECT_EQ(nesterov.clip, 1);
}

TEST(Optimizer, MistakesAreNamed)
{
    struct {
        const char *text, *says;
    } cases[] = {
        {"adamm", "did you mean adam?"},  {"sgd momentum=0.9", "has no key momentum"},
        {"adam beta1=1", "out of range"}, {"sgd rate=0.1x", "is not a number"},
        {"a: sgd", "without NAME"},
    };
    for (auto &c : cases) {
        ls_optimizer optimizer;
        ls_error error = {};
        EXPECT_FALSE(ls_optimizer_parse(c.text, &optimizer, &error)) << c.text;
        EXPECT_EQ(error.code, LS_USAGE);
        EXPECT_NE(std::string(error.text).find(c.says), std::string::npos) << error.text;
    }
}
