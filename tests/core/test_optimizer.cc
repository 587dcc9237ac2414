/* Optimizers against their formulas in double, one number at a time; slots, ranges, clipping, the
 * moving average. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include "core/optimizer.h"
#include "core/squares.h"
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

using Doubles = std::vector<double>;

double norm(const Doubles &x)
{
    double sum = 0;
    for (double v : x)
        sum += v * v;
    return std::sqrt(sum);
}

/* torch.optim's documented updates of one slot's parameters p by gradients g (decay included, but
 * for AdamW's), step t from 1, states a and b. */
void torch_step(const std::string &name, Doubles &p, const Doubles &g, int t, double rate,
                Doubles &a, Doubles &b)
{
    for (size_t i = 0; i < p.size(); i++) {
        double step = g[i];
        if (name == "momentum" || name == "nesterov")
            step = a[i] = 0.9 * a[i] + g[i];
        if (name == "nesterov")
            step = g[i] + 0.9 * a[i];
        if (name == "adam" || name == "adamw") {
            a[i] = 0.9 * a[i] + 0.1 * g[i];
            b[i] = 0.999 * b[i] + 0.001 * g[i] * g[i];
            double mean = a[i] / (1 - std::pow(0.9, t)), square = b[i] / (1 - std::pow(0.999, t));
            step = mean / (std::sqrt(square) + 1e-8);
        }
        if (name == "rmsprop") {
            a[i] = 0.99 * a[i] + 0.01 * g[i] * g[i];
            step = g[i] / (std::sqrt(a[i]) + 1e-8);
        }
        p[i] -= rate * step;
    }
}

/* The papers' updates of one slot; g without decay. adapt: with the ratio. */
void lars_step(Doubles &p, const Doubles &g, double rate, double decay, bool adapt, Doubles &v)
{
    double w = norm(p), ratio = adapt ? 0.001 * w / (norm(g) + decay * w + 1e-8) : 1;
    for (size_t i = 0; i < p.size(); i++)
        p[i] -= v[i] = 0.9 * v[i] + rate * ratio * (g[i] + decay * p[i]);
}

void lamb_step(Doubles &p, const Doubles &g, int t, double rate, double decay, bool adapt,
               Doubles &m, Doubles &v)
{
    Doubles r = p;
    for (size_t i = 0; i < p.size(); i++) {
        m[i] = 0.9 * m[i] + 0.1 * g[i];
        v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
        double mean = m[i] / (1 - std::pow(0.9, t)), square = v[i] / (1 - std::pow(0.999, t));
        r[i] = mean / (std::sqrt(square) + 1e-6) + decay * p[i];
    }
    double ratio = adapt ? norm(p) / norm(r) : 1;
    for (size_t i = 0; i < p.size(); i++)
        p[i] -= rate * ratio * r[i];
}

/* weight [5, 7], bias [5], statistics [20] and another weight [9000]. */
struct Slots {
    ls_params *params = ls_params_create();
    Reals values, gradient, state[LS_OPTIMIZER_STATES];
    ls_slots all;

    Slots()
    {
        claim("net/a/weight", LS_SLOT_WEIGHT, 35);
        claim("net/a/bias", LS_SLOT_BIAS, 5);
        claim("net/n/mean", LS_SLOT_STATE, 20);
        claim("net/b/weight", LS_SLOT_WEIGHT, 9000);
        size_t size = (size_t)params->size;
        values.assign(size, 0), gradient.assign(size, 0);
        for (Reals &one : state)
            one.assign(size, 0);
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
    Doubles norms2(const Reals &array, const ls_slots &slots) const
    {
        Doubles pieces((size_t)ls_squares_room(params)), norm2((size_t)params->count);
        ls_squares_measure(params, array.data(), 0, params->size, pieces.data());
        ls_squares_add(params, &slots, pieces.data(), norm2.data());
        return norm2;
    }
    /* One step over `slots`, as ranks take it that own `slice` reals each; the gradient is spent.
     */
    void update(const ls_optimizer &optimizer, ls_update numbers, const ls_slots &slots, long slice)
    {
        real *const at[] = {state[0].data(), state[1].data(),
                            optimizer.ema > 0 ? state[2].data() : nullptr};
        Doubles value2 = norms2(values, slots), gradient2 = norms2(gradient, slots);
        bool directed = false;
        numbers.optimizer = &optimizer, numbers.params = params, numbers.slots = &slots;
        numbers.gradient = gradient.data(), numbers.state = at;
        for (long begin = 0; begin < params->size; begin += slice) {
            const ls_interval run = {begin, std::min(begin + slice, params->size)};
            numbers.runs = {1, &run};
            directed = ls_optimizer_direct(&numbers);
        }
        if (directed)
            gradient2 = norms2(gradient, slots);
        numbers.value2 = value2.data();
        numbers.gradient2 = gradient2.data();
        for (long begin = 0; begin < params->size; begin += slice) {
            const ls_interval run = {begin, std::min(begin + slice, params->size)};
            numbers.runs = {1, &run};
            ls_optimizer_update(&numbers);
        }
    }
    void update(const ls_optimizer &optimizer, const ls_update &numbers)
    {
        update(optimizer, numbers, all, params->size);
    }
    Doubles slot(const Reals &array, int s) const
    {
        const real *at = array.data() + params->slots[s].offset;
        return Doubles(at, at + params->slots[s].size);
    }
};

ls_update numbers(double rate, double scale, double decay, long count)
{
    ls_update update = {};
    update.rate = rate;
    update.scale = scale;
    update.decay = decay;
    update.count = count;
    return update;
}

std::vector<std::string> every_optimizer()
{
    std::vector<std::string> names;
    for (const ls_optimizer_type *type = ls_optimizer_types; type->name; type++)
        names.push_back(type->name);
    return names;
}

/* One slot's step by the formula of `name`, whose decay and ratio spare biases where `spares`. */
void expected_step(const std::string &name, bool spares, int t, double rate, Doubles &p,
                   const Doubles &gradient, Doubles &a, Doubles &b)
{
    const double decay = spares ? 0 : 0.1;
    Doubles g = gradient;
    for (double &one : g)
        one *= 0.25;
    if (name == "lars")
        return lars_step(p, g, rate, decay, !spares, a);
    if (name == "lamb")
        return lamb_step(p, g, t, rate, decay, !spares, a, b);
    for (size_t i = 0; i < g.size(); i++)
        if (name == "adamw")
            p[i] *= 1 - rate * decay;
        else
            g[i] += decay * p[i];
    torch_step(name, p, g, t, rate, a, b);
}

} /* namespace */

TEST(Optimizer, EachEqualsItsFormulaOverSteps)
{
    for (const std::string &name : every_optimizer())
        for (bool all : {false, true}) {
            Slots slots;
            bool adapts = name == "lars" || name == "lamb";
            ls_optimizer optimizer =
                parse((name + " rate=0.03 decay=0.1 decay_all=" + (all ? "1" : "0") +
                       (adapts && all ? " adapt_all=1" : ""))
                          .c_str());
            Doubles p[4], a[4], b[4];
            for (int s : {0, 1, 3}) {
                p[s] = slots.slot(slots.values, s);
                a[s] = b[s] = Doubles(p[s].size(), 0);
            }
            const Reals gradient = slots.gradient;
            for (int t = 1; t <= 5; t++) {
                double rate = 0.03 / t;
                slots.gradient = gradient;
                slots.update(optimizer, numbers(rate, 0.25, 0.1, t));
                for (int s : {0, 1, 3})
                    expected_step(name, s == 1 && !all, t, rate, p[s], slots.slot(gradient, s),
                                  a[s], b[s]);
            }
            for (int s : {0, 1, 3})
                for (size_t i = 0; i < p[s].size(); i++)
                    ASSERT_NEAR(slots.slot(slots.values, s)[i], p[s][i], 4 * EPSILON)
                        << name << " slot " << s << ", " << i;
        }
}

/* v = mu v + g with mu = 0.5 in the first two epochs, of which each has two steps, and then 0.9. */
TEST(Optimizer, MomentumSwitchesAfterEpochs)
{
    for (const std::string name : {"momentum", "nesterov"}) {
        Slots slots;
        ls_optimizer optimizer = parse((name + " start=0.5 switch=2 momentum=0.9").c_str());
        double p = slots.values[0], v = 0;
        const double g = slots.gradient[0];
        for (long t = 1; t <= 7; t++) {
            ls_update update = numbers(0.03, 1, 0, t);
            update.epoch = (t - 1) / 2;
            slots.update(optimizer, update);
            const double mu = t <= 4 ? 0.5 : 0.9;
            v = mu * v + g;
            p -= 0.03 * (name == "nesterov" ? g + mu * v : v);
            ASSERT_NEAR(slots.values[0], p, 4 * EPSILON) << name << " step " << t;
        }
    }
}

/* A bias that no pass uses is one to the optimizers. */
TEST(Optimizer, ASlotAsideIsTreatedAsABias)
{
    for (const std::string &name : every_optimizer()) {
        Slots bias, aside;
        aside.params->slots[1].kind = LS_SLOT_ASIDE;
        ls_optimizer optimizer = parse((name + " rate=0.03 decay=0.1 decay_all=0").c_str());
        bias.update(optimizer, numbers(0.03, 0.25, 0.1, 1));
        aside.update(optimizer, numbers(0.03, 0.25, 0.1, 1));
        EXPECT_EQ(bias.values, aside.values) << name;
    }
}

TEST(Optimizer, ABoundCutsWeightsAndBiasesAfterEachStep)
{
    const double bound = 0.4;
    for (const std::string &name : every_optimizer()) {
        Slots slots;
        ls_optimizer optimizer = parse((name + " bound=0.4 ema=0.9").c_str());
        const bool spares = name == "lars" || name == "lamb"; /* biases, by their preset */
        const Reals gradient = slots.gradient;
        Doubles p[4], a[4], b[4];
        for (int s : {0, 1, 3}) {
            p[s] = slots.slot(slots.values, s);
            a[s] = b[s] = Doubles(p[s].size(), 0);
        }
        long cut = 0;
        for (int t = 1; t <= 3; t++) {
            slots.gradient = gradient;
            slots.update(optimizer, numbers(0.03, 0.25, 0.1, t));
            for (int s : {0, 1, 3}) {
                expected_step(name, s == 1 && spares, t, 0.03, p[s], slots.slot(gradient, s), a[s],
                              b[s]);
                for (double &value : p[s]) {
                    cut += std::fabs(value) > bound;
                    value = std::max(-bound, std::min(bound, value));
                }
            }
        }
        EXPECT_GT(cut, 0) << name;
        for (int s : {0, 1, 3})
            for (size_t i = 0; i < p[s].size(); i++) {
                ASSERT_NEAR(slots.slot(slots.values, s)[i], p[s][i], 4 * EPSILON)
                    << name << " slot " << s << ", " << i;
                ASSERT_LE(std::fabs(slots.slot(slots.state[LS_OPTIMIZER_AVERAGE], s)[i]),
                          bound + EPSILON);
            }
        const Doubles statistics = slots.slot(slots.values, 2);
        EXPECT_GT(*std::max_element(statistics.begin(), statistics.end()), 2 * bound) << name;
    }
}

TEST(Optimizer, StatisticsAreAddedNotScaled)
{
    for (const std::string &name : every_optimizer()) {
        Slots slots;
        const Reals before = slots.values;
        slots.update(parse(name.c_str()), numbers(0.5, 0.125, 0.1, 1));
        long at = slots.params->slots[2].offset;
        for (long i = at; i < at + 20; i++)
            EXPECT_NEAR(slots.values[i], before[i] + slots.gradient[i], EPSILON) << name;
    }
}

TEST(Optimizer, DecaySparesBiasesOnRequest)
{
    for (const char *text : {"sgd decay_all=0", "sgd"}) {
        Slots slots;
        std::fill(slots.gradient.begin(), slots.gradient.end(), 0);
        const Reals before = slots.values;
        slots.update(parse(text), numbers(1, 1, 0.5, 1));
        long weight = slots.params->slots[0].offset, bias = slots.params->slots[1].offset;
        bool spared = std::string(text) != "sgd";
        EXPECT_EQ(slots.values[weight + 1], before[weight + 1] / 2);
        EXPECT_EQ(slots.values[bias + 1], spared ? before[bias + 1] : before[bias + 1] / 2);
    }
}

TEST(Optimizer, CutRangesGiveTheBitsOfTheWhole)
{
    for (const std::string &name : every_optimizer()) {
        Slots whole, cut;
        const Reals gradient = whole.gradient;
        ls_optimizer optimizer = parse((name + " decay=0.01 ema=0.9").c_str());
        for (long t = 1; t <= 3; t++) {
            const ls_update step = numbers(0.1, 0.5, 0.01, t);
            whole.gradient = cut.gradient = gradient;
            whole.update(optimizer, step);
            cut.update(optimizer, step, cut.all, LS_SLICE_ALIGN);
        }
        EXPECT_EQ(whole.values, cut.values) << name;
        EXPECT_EQ(whole.state[LS_OPTIMIZER_AVERAGE], cut.state[LS_OPTIMIZER_AVERAGE]) << name;
    }
}

TEST(Optimizer, OtherSlotsAndPaddingStayAsTheyAre)
{
    for (const std::string &name : every_optimizer()) {
        Slots slots;
        const Reals before = slots.values;
        ls_slots some = {};
        ls_slots_add(&some, 1, 2);
        slots.update(parse((name + " ema=0.5").c_str()), numbers(0.1, 1, 0.1, 1), some,
                     slots.params->size);
        for (long i = 0; i < slots.params->size; i++) {
            long in_bias = i - slots.params->slots[1].offset;
            bool in = in_bias >= 0 && in_bias < 5;
            EXPECT_EQ(slots.values[i] != before[i], in) << name << " " << i;
            EXPECT_EQ(slots.state[LS_OPTIMIZER_AVERAGE][i] != 0, in) << name << " " << i;
        }
    }
}

/* Zero weights could never leave zero by a ratio of 0; a zero gradient has none. */
TEST(Optimizer, ARatioNeedsBothNorms)
{
    for (const char *text : {"lars", "lamb"}) {
        Slots slots;
        std::fill(slots.values.begin(), slots.values.end(), 0);
        slots.update(parse(text), numbers(0.5, 1, 0, 1));
        long at = slots.params->slots[0].offset;
        EXPECT_NE(slots.values[at + 2], 0) << text;
        const Reals before = slots.values;
        std::fill(slots.gradient.begin(), slots.gradient.end(), 0);
        std::fill(slots.state[0].begin(), slots.state[0].end(), 0);
        slots.update(parse(text), numbers(0.5, 1, 0, 2));
        EXPECT_EQ(slots.values, before) << text;
    }
}

/* The ratio is the slot's own: scaling one slot's gradient scales no step of LAMB, and none of LARS
 * but for epsilon; momentum's it does. */
TEST(Optimizer, TheScaleOfASlotsGradientCancels)
{
    for (const char *text : {"lars epsilon=0 momentum=0", "lamb epsilon=1e-30", "momentum"}) {
        Slots small, large;
        for (real &g : large.gradient)
            g *= 1024;
        small.update(parse(text), numbers(0.1, 1, 0, 1));
        large.update(parse(text), numbers(0.1, 1, 0, 1));
        double most = 0;
        for (int s : {0, 3})
            for (size_t i = 0; i < small.slot(small.values, s).size(); i++)
                most = std::max(most, std::fabs(small.slot(small.values, s)[i] -
                                                large.slot(large.values, s)[i]));
        if (std::string(text) == "momentum")
            EXPECT_GT(most, 1);
        else
            EXPECT_LT(most, EPSILON) << text;
    }
}

/* a = d a + (1 - d) p, d = min(ema, (t - 1) / (t + 9)), statistics included. */
TEST(Optimizer, TheAverageFollowsTheWeightsSlowerAndSlower)
{
    Slots slots;
    ls_optimizer optimizer = parse("sgd rate=0.3 ema=0.25");
    ASSERT_STREQ(ls_optimizer_state_name(&optimizer, LS_OPTIMIZER_AVERAGE), "average");
    std::fill(slots.state[2].begin(), slots.state[2].end(), 7); /* forgotten at once */
    Doubles average((size_t)slots.params->size, 0);
    double largest = 0;
    for (int t = 1; t <= 6; t++) {
        slots.update(optimizer, numbers(0.3, 0.25, 0, t));
        double d = std::min(0.25, (t - 1) / (t + 9.0));
        largest = std::max(largest, d);
        for (size_t i = 0; i < average.size(); i++)
            average[i] = d * average[i] + (1 - d) * (double)slots.values[i];
        for (int s = 0; s < 4; s++)
            for (long k = 0; k < slots.params->slots[s].size; k++) {
                long i = slots.params->slots[s].offset + k;
                ASSERT_NEAR(slots.state[2][i], average[(size_t)i], 4 * EPSILON) << t << " " << i;
            }
    }
    EXPECT_EQ(largest, 0.25) << "the bound is reached";
    optimizer = parse("sgd");
    EXPECT_EQ(ls_optimizer_state_name(&optimizer, LS_OPTIMIZER_AVERAGE), nullptr);
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
    EXPECT_STREQ(ls_optimizer_state_name(&adam, 1), "square");
    EXPECT_TRUE(adam.decay_all);
    EXPECT_EQ(adam.ema, 0);
    for (const char *text : {"lars", "lamb"}) {
        ls_optimizer adapting = parse(text);
        EXPECT_FALSE(adapting.decay_all);
        EXPECT_FALSE(adapting.adapt_all);
    }
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
        {"a: sgd", "without NAME"},       {"sgd adapt_all=1", "has no key adapt_all"},
        {"lars ema=1", "out of range"},
    };
    for (auto &c : cases) {
        ls_optimizer optimizer;
        ls_error error = {};
        EXPECT_FALSE(ls_optimizer_parse(c.text, &optimizer, &error)) << c.text;
        EXPECT_EQ(error.code, LS_USAGE);
        EXPECT_NE(std::string(error.text).find(c.says), std::string::npos) << error.text;
    }
}
