/* step: what ls_optimizer_step measures, clipping, and parts that together are the whole. */
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

extern "C" {
#include "core/optimizer.h"
#include "core/squares.h"
}

namespace
{

using Reals = std::vector<real>;
using Doubles = std::vector<double>;

/* A weight of several blocks, a bias and a state slot, with values and a gradient. */
struct Net {
    Net()
    {
        const long sizes[] = {10000, 50, 16};
        const ls_slot_kind kinds[] = {LS_SLOT_WEIGHT, LS_SLOT_BIAS, LS_SLOT_STATE};
        for (int s = 0; s < 3; s++) {
            ls_shape shape = {1, {sizes[s]}};
            ls_initializer zero = {};
            ls_params_claim(params, ("net/" + std::to_string(s)).c_str(), kinds[s], &shape, &zero,
                            nullptr);
        }
        slots = ls_slots_all(params);
        size_t size = (size_t)params->size;
        values.resize(size);
        gradient.resize(size);
        for (Reals &state : states)
            state.resize(size);
        for (int s = 0; s < 3; s++)
            for (long i = 0; i < sizes[s]; i++) {
                size_t at = (size_t)(params->slots[s].offset + i);
                values[at] = (real)std::cos(0.3 * (double)i + s);
                gradient[at] = (real)std::sin(0.7 * (double)i + s);
            }
        ls_params_commit(params, values.data(), nullptr);
        pieces.resize((size_t)ls_squares_room(params));
        gradient2 = measured(gradient.data());
    }
    ~Net()
    {
        ls_params_destroy(params);
    }
    Doubles measured(const real *array)
    {
        Doubles norm2((size_t)params->count);
        ls_squares_measure(params, array, 0, params->size, pieces.data());
        ls_squares_add(params, &slots, pieces.data(), norm2.data());
        return norm2;
    }
    /* Takes the step of `text` over [begin, end) of the array. */
    void update(const char *text, long begin, long end, double weight = 8, long count = 1)
    {
        ls_optimizer optimizer;
        ls_error error = {};
        ASSERT_TRUE(ls_optimizer_parse(text, &optimizer, &error)) << error.text;
        Doubles norms = gradient2, value2((size_t)params->count);
        real *state[LS_OPTIMIZER_STATES] = {};
        for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
            state[k] = ls_optimizer_state_name(&optimizer, k) ? states[k].data() : nullptr;
        ls_update step = {};
        step.optimizer = &optimizer;
        step.params = params;
        step.slots = &slots;
        const ls_interval cut[] = {{begin, begin + LS_SLOT_ALIGN}, {begin + LS_SLOT_ALIGN, end}};
        step.runs = {2, cut};
        step.gradient = gradient.data();
        step.state = state;
        step.gradient2 = norms.data();
        step.value2 = value2.data();
        step.measure = [](void *net, const real *array, const ls_slots *, double *norm2) {
            ((Net *)net)->measure(array, norm2);
        };
        step.context = this;
        step.rate = optimizer.rate;
        step.count = count;
        ls_optimizer_step(&step, weight);
    }
    /* Measures and notes the norms; with `given`, those are the answers in their order instead. */
    void measure(const real *array, double *norm2)
    {
        Doubles norms = given.empty() ? measured(array) : given[noted.size()];
        noted.push_back(norms);
        asked += array == values.data() ? 'v' : 'g';
        std::copy(norms.begin(), norms.end(), norm2);
    }
    ls_params *params = ls_params_create();
    ls_slots slots;
    Reals values, gradient, states[LS_OPTIMIZER_STATES];
    Doubles pieces, gradient2;
    std::vector<Doubles> noted, given;
    std::string asked; /* v: the values, g: the gradient's array */
};

} /* namespace */

TEST(Step, AsksForTheNormsThatTheOptimizerUses)
{
    for (auto [text, asked] : {std::pair("sgd", ""), std::pair("adam clip=0.1", ""),
                               std::pair("lars", "v"), std::pair("lamb", "gv")}) {
        Net net;
        net.update(text, 0, net.params->size);
        EXPECT_EQ(net.asked, asked) << text;
    }
}

TEST(Step, DividesByTheWeightAndClips)
{
    const double weight = 8;
    Net net, start;
    double norm = std::sqrt(ls_squares_total(net.params, net.gradient2.data())) / weight;
    net.update("sgd rate=0.5 clip=0.25", 0, net.params->size, weight);
    ASSERT_GT(norm, 0.25);
    for (long i = 0; i < net.params->slots[2].offset; i++)
        ASSERT_NEAR(
            net.values[(size_t)i],
            start.values[(size_t)i] - 0.5 * 0.25 / norm * start.gradient[(size_t)i] / weight, 1e-6);
    size_t statistic = (size_t)net.params->slots[2].offset; /* never clipped nor divided */
    EXPECT_NEAR(net.values[statistic], start.values[statistic] + start.gradient[statistic], 1e-6);
}

TEST(Step, PartsAreTheWholeBitForBit)
{
    for (const char *text : {"momentum clip=0.1 ema=0.9", "adam decay=0.1", "lars", "lamb"}) {
        Net whole, parts;
        whole.update(text, 0, whole.params->size);
        parts.given = whole.noted;
        parts.update(text, 0, LS_SLICE_ALIGN);
        parts.noted.clear();
        parts.update(text, LS_SLICE_ALIGN, parts.params->size);
        EXPECT_EQ(parts.values, whole.values) << text;
        for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
            EXPECT_EQ(parts.states[k], whole.states[k]) << text;
    }
}
