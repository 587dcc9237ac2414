/* The contract of core/layer.h, run on every registered layer type's examples, on every activation
 * of the table, and on random windows over small images. */
#include <gtest/gtest.h>

#include "one_layer.h"

extern "C" {
#include "core/kernels/matrix.h"
#include "core/layers/activation.h"
}

namespace
{

struct Example {
    std::string name, text; /* "3,2,2 | line; line" */
};

void PrintTo(const Example &example, std::ostream *out)
{
    *out << example.text;
}

/* Two numbers from low to high, as an option. */
std::string pair(std::mt19937 &source, const char *key, int low, int high)
{
    std::uniform_int_distribution<int> draw(low, high);
    std::string first = std::to_string(draw(source)), second = std::to_string(draw(source));
    return std::string(" ") + key + "=" + first + "," + second;
}

/* Windows over images of 1 to 5 pixels a side: images smaller than kernel or stride, phases of the
 * data gradient without pixels or without taps, groups. The same ones each time. */
std::vector<Example> random_windows(const std::string &type, int count)
{
    std::mt19937 source(7);
    auto draw = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(source);
    };
    std::vector<Example> found;
    while ((int)found.size() < count) {
        const long groups = draw(1, 3), in = groups * draw(1, 5), out = groups * draw(1, 12);
        const std::vector<long> x = {draw(1, 5), draw(1, 5), in};
        std::string line = type + pair(source, "kernel", 1, 4) + pair(source, "stride", 1, 4) +
                           pair(source, "pad", 0, 2);
        if (type == "conv2d" || type == "deconv2d")
            line += pair(source, "dilation", 1, 2) + " groups=" + std::to_string(groups) +
                    " out=" + std::to_string(out);
        std::string text = std::to_string(x[0]) + "," + std::to_string(x[1]) + "," +
                           std::to_string(in) + " | " + line;
        if (refusal(line.c_str(), x).empty())
            found.push_back({"random_" + type + std::to_string(found.size()), text});
    }
    return found;
}

std::vector<Example> examples()
{
    std::vector<Example> all;
    for (const char *type : {"conv2d", "deconv2d", "maxpool", "avgpool"})
        for (const Example &example : random_windows(type, 30))
            all.push_back(example);
    for (const ls_layer_type *const *type = ls_layer_types; *type; type++)
        for (int k = 0; (*type)->examples && (*type)->examples[k]; k++)
            all.push_back({std::string((*type)->name) + std::to_string(k), (*type)->examples[k]});
    for (const ls_activation *f = ls_activations; f->name; f++) {
        std::string name = f->name;
        for (char &c : name)
            c = c == '-' ? '_' : c;
        all.push_back({"function_" + name, std::string("37 | activation function=") + f->name});
    }
    return all;
}

class Contract : public testing::TestWithParam<Example>
{
};

} /* namespace */

TEST(Contract, EveryTypeHasAnExample)
{
    for (const ls_layer_type *const *type = ls_layer_types; *type; type++)
        EXPECT_TRUE((*type)->examples && (*type)->examples[0]) << (*type)->name;
}

#ifdef LS_DOUBLE /* in float, central differences lose half of their digits */
/* Numbers behind the ends of rows are 0, as the reader and the workspace make them. */
void clear_ends(real *a, long rows, const ls_shape &shape, const int32_t *steps)
{
    const long all = ls_shape_count(&shape);
    for (long r = 0; r < rows && steps[r]; r++)
        for (long i = steps[r] * (all / shape.at[0]); i < all; i++)
            a[r * all + i] = 0;
}

/* L = sum of dy y, so dL/dx is dx; L by every x that counts and every parameter, over h each way.
 * `length`: of the rows; NULL: all steps count. */
void expect_central_differences(const std::string &text, long rows, const int32_t *length)
{
    Net net(text);
    Buffer x(net.x_count() * rows), dy(net.y_count() * rows), dx(x.size());
    Buffer gradient((size_t)net.params()->size, 0);
    std::vector<int32_t> steps((size_t)(net->count * rows), 0);
    const int32_t *const last = &steps[(size_t)((net->count - 1) * rows)];
    fill_inputs(x, x.size(), 1, ls_net_vocabulary(net.get()));
    fill_inputs(dy, dy.size(), 2);
    if (length) {
        ls_net_steps(net.get(), net->count, rows, length, steps.data());
        clear_ends(x, rows, net->x, length);
        clear_ends(dy, rows, net->y, last);
    }
    ls_workspace *run = ls_workspace_create(net.get(), rows, LS_TRAINING);
    Buffer before((size_t)(ls_net_carried(net.get()) * rows)), state(before.size());
    fill_inputs(before, before.size(), 3);
    ls_pass pass = training_pass(4, gradient);
    const ls_carried stream = {pass.row, rows, state}; /* the same before each forward */
    pass.stream = &stream;
    pass.length = length;
    auto loss = [&]() {
        net.prepare();
        memcpy(state, before, before.size() * sizeof(real));
        const real *y = ls_workspace_forward(run, &pass, x, rows);
        double sum = 0;
        for (size_t i = 0; i < dy.size(); i++)
            sum += (double)dy[i] * (double)y[i];
        return sum;
    };
    auto derivative = [&](real *at) {
        const real middle = *at, h = (real)1e-5;
        *at = middle + h;
        double above = loss();
        *at = middle - h;
        double below = loss();
        *at = middle;
        return (real)((above - below) / (2 * (double)h));
    };
    loss();
    ls_workspace_backward(run, &pass, dy, dx);
    Buffer expected(x.size());
    for (size_t i = 0; i < x.size(); i++)
        expected[i] = derivative(x + i);
    if (length)
        clear_ends(expected, rows, net->x, length);
    EXPECT_LT(difference(dx, expected, x.size()), 1e-6) << "x";
    for (int s = 0; s < net.params()->count; s++) {
        const ls_slot &slot = net.params()->slots[s];
        if (slot.kind == LS_SLOT_STATE)
            continue;
        Buffer numeric((size_t)slot.size);
        for (long i = 0; i < slot.size; i++)
            numeric[i] = derivative(net.params()->values + slot.offset + i);
        EXPECT_LT(difference(gradient + slot.offset, numeric, numeric.size()), 1e-6) << slot.name;
    }
    ls_workspace_destroy(run);
}

TEST_P(Contract, GradientsAreCentralDifferences)
{
    expect_central_differences(GetParam().text, 3, nullptr);
}

/* The first dimension of x counts as time, whatever the example means by it. */
TEST_P(Contract, GradientsOfRowsOfUnequalLengthAreCentralDifferences)
{
    const int32_t steps = (int32_t)Net(GetParam().text)->x.at[0];
    const int32_t length[] = {(steps + 1) / 2, steps, 1};
    expect_central_differences(GetParam().text, 3, length);
}
#endif

TEST_P(Contract, BackwardAddsToGradientsAndToDxWhereAsked)
{
    Net net(GetParam().text);
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        Rows once(layer, net.params(), 3), again(layer, net.params(), 3, 1);
        both_ways(layer, 3, once, 4);
        for (size_t k = 0; k < again.gradient.size(); k++)
            again.gradient[k] = 1;
        both_ways(layer, 3, again, 4, true);
        for (size_t k = 0; k < again.gradient.size(); k++)
            again.gradient[k] -= 1;
        for (int k = 0; k < layer->slots; k++) { /* state is moved on, not added to */
            const ls_slot &slot = net.params()->slots[layer->slot[k]];
            for (long j = 0; slot.kind == LS_SLOT_STATE && j < slot.size; j++)
                again.gradient[slot.offset + j] = once.gradient[slot.offset + j];
        }
        EXPECT_LE(difference(again.gradient, once.gradient, once.gradient.size()), ROUNDING);
        for (size_t k = 0; k < once.dx.size(); k++) {
            for (size_t j = 0; j < again.dx[k].size(); j++)
                again.dx[k][j] -= 1;
            EXPECT_LE(difference(again.dx[k], once.dx[k], once.dx[k].size()), ROUNDING);
        }
    }
}

/* Whether it draws what it drops in training. */
static bool drops(const ls_layer *layer)
{
    for (const ls_option *o = layer->type->options; o && o->key; o++) {
        const std::string name = o->key;
        if (name == "recurrent_dropout" ||
            (name == "rate" && std::string("dropout") == layer->type->name))
            return *(const double *)((const char *)layer->self + o->offset) > 0;
    }
    return false;
}

TEST_P(Contract, SameSeedAndStepGiveTheSameBits)
{
    Net net(GetParam().text);
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        Rows first(layer, net.params(), 8), second(layer, net.params(), 8);
        Rows later(layer, net.params(), 8);
        both_ways(layer, 8, first, 4);
        both_ways(layer, 8, second, 4);
        both_ways(layer, 8, later, 5);
        const bool random = drops(layer);
        EXPECT_TRUE(first.y.same_bits(second.y));
        EXPECT_TRUE(first.gradient.same_bits(second.gradient));
        for (size_t k = 0; k < first.dx.size(); k++)
            EXPECT_TRUE(first.dx[k].same_bits(second.dx[k]));
        EXPECT_EQ(first.y.same_bits(later.y), !random) << layer->name;
        Buffer drawn(first.y.size());
        ls_pass pass = training_pass(4);
        pass.draw = 1;
        ls_layer_args args = first.args();
        args.y = drawn;
        Bench(layer, 8).forward(pass, args);
        EXPECT_EQ(first.y.same_bits(drawn), !random) << layer->name;
    }
}

TEST_P(Contract, EvaluationDrawsNothing)
{
    Net net(GetParam().text);
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        Rows at(layer, net.params(), 8);
        Buffer later(at.y.size());
        ls_pass pass = training_pass(4), other = training_pass(5);
        pass.training = other.training = false;
        Bench(layer, 8).forward(pass, at.args());
        ls_layer_args args = at.args();
        args.y = later;
        Bench(layer, 8).forward(other, args);
        EXPECT_TRUE(at.y.same_bits(later)) << layer->name;
        for (size_t k = 0; k < at.y.size(); k++)
            ASSERT_TRUE(std::isfinite(at.y[k])) << layer->name;
    }
}

TEST_P(Contract, RowsAreIndependentUnlessMixed)
{
    const long all = 7, begin = 2, end = 5;
    Net net(GetParam().text);
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        if (layer->type->mixes_rows)
            continue;
        Rows whole(layer, net.params(), all), part(layer, net.params(), end - begin);
        both_ways(layer, all, whole, 4);
        size_t y_count = (size_t)ls_shape_count(&layer->y);
        memcpy(part.dy, whole.dy + begin * y_count, part.dy.size() * sizeof(real));
        for (size_t k = 0; k < part.x.size(); k++)
            memcpy(part.x[k], whole.x[k] + begin * (part.x[k].size() / (end - begin)),
                   part.x[k].size() * sizeof(real));
        Bench bench(layer, end - begin);
        ls_pass pass = training_pass(4);
        pass.row += begin;
        bench.forward(pass, part.args());
        bench.backward(pass, part.args());
        EXPECT_LE(difference(part.y, whole.y + begin * y_count, part.y.size()), ROUNDING);
        for (size_t k = 0; k < part.dx.size(); k++) {
            const real *expected = whole.dx[k] + begin * (part.dx[k].size() / (end - begin));
            EXPECT_LE(difference(part.dx[k], expected, part.dx[k].size()), ROUNDING);
        }
    }
}

TEST_P(Contract, NoRowsAndOneRowAreDefined)
{
    Net net(GetParam().text);
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        Rows none(layer, net.params(), 0), one(layer, net.params(), 1);
        both_ways(layer, 0, none, 4);
        EXPECT_EQ(norm(none.gradient, none.gradient.size()), 0) << layer->name;
        both_ways(layer, 1, one, 4);
        EXPECT_TRUE(std::isfinite(norm(one.y, one.y.size()))) << layer->name;
        for (const Buffer &dx : one.dx)
            EXPECT_TRUE(std::isfinite(norm(dx, dx.size()))) << layer->name;
    }
}

TEST_P(Contract, WhatIsNotWantedIsLeftOut)
{
    Net net(GetParam().text);
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        Rows both(layer, net.params(), 3), no_dx(layer, net.params(), 3);
        Rows no_gradient(layer, net.params(), 3);
        both_ways(layer, 3, both, 4);
        no_dx.dx.clear();
        both_ways(layer, 3, no_dx, 4);
        EXPECT_TRUE(no_dx.gradient.same_bits(both.gradient)) << layer->name;
        Bench bench(layer, 3);
        ls_pass pass = training_pass(4);
        bench.forward(pass, no_gradient.args());
        bench.backward(pass, no_gradient.args());
        for (size_t k = 0; k < both.dx.size(); k++)
            EXPECT_TRUE(no_gradient.dx[k].same_bits(both.dx[k])) << layer->name;
    }
}

/* Every slot of the net in turn is frozen: its gradient is left as it was, the others keep theirs.
 * (Frozen statistics change what a batch norm computes: test_frozen.cc.) */
TEST_P(Contract, AFrozenSlotGetsNoGradientAndTheOthersTheSameBits)
{
    const long rows = 5;
    Net net(GetParam().text);
    Buffer x(net.x_count() * rows), dy(net.y_count() * rows), dx(x.size()), frozen_dx(x.size());
    fill_inputs(x, x.size(), 1, ls_net_vocabulary(net.get()));
    fill_inputs(dy, dy.size(), 2);
    ls_workspace *run = ls_workspace_create(net.get(), rows, LS_TRAINING);
    auto train = [&](const ls_slots *frozen, real *gradient, real *dx) {
        ls_pass pass = training_pass(4, gradient);
        pass.frozen = frozen;
        ls_workspace_forward(run, &pass, x, rows);
        ls_workspace_backward(run, &pass, dy, dx);
    };
    Buffer all((size_t)net.params()->size, 0);
    train(nullptr, all, dx);
    for (int s = 0; s < net.params()->count; s++) {
        ls_slots one = {};
        ls_slots_add(&one, s, s + 1);
        const ls_interval own = ls_slots_reals(net.params(), &one.at[0]);
        const bool statistics = net.params()->slots[s].kind == LS_SLOT_STATE;
        Buffer gradient(all.size(), 0);
        for (long i = own.begin; i < own.end; i++)
            gradient[i] = 77;
        train(&one, gradient, frozen_dx);
        for (long i = 0; i < (long)all.size(); i++) {
            const bool is_own = i >= own.begin && i < own.end;
            ASSERT_TRUE(is_own ? gradient[i] == 77 : statistics || gradient[i] == all[i])
                << net.params()->slots[s].name << " at " << i << ": " << gradient[i];
        }
        EXPECT_TRUE(statistics || frozen_dx.same_bits(dx));
    }
    ls_workspace_destroy(run);
}

/* Takes all factors that it is told, and adds their products to a gradient of its own. */
struct Taker {
    const ls_params *params;
    real *gradient;
    long rows;
    int told;
    static bool take(void *listener, const ls_layer_factors *f)
    {
        Taker *self = (Taker *)listener;
        self->told++;
        const ls_matrix m = {f->out, f->in};
        Buffer scratch((size_t)ls_matrix_scratch(&m));
        const ls_outer product = {f->rows,
                                  f->x,
                                  f->dy,
                                  f->in,
                                  f->out,
                                  {0, f->out},
                                  self->gradient + self->params->slots[f->slot].offset,
                                  scratch};
        EXPECT_EQ(f->rows, self->rows * f->per_row);
        EXPECT_LE(f->rows, f->most);
        ls_matrix_gradient(&m, &product);
        return true;
    }
};

TEST_P(Contract, GradientsAreTheProductsOfTheFactorsThatAreTold)
{
    const long rows = 5;
    Net net(GetParam().text);
    Buffer x(net.x_count() * rows), dy(net.y_count() * rows);
    fill_inputs(x, x.size(), 1, ls_net_vocabulary(net.get()));
    fill_inputs(dy, dy.size(), 2);
    Buffer whole((size_t)net.params()->size, 0), rest(whole.size(), 0), products(whole.size(), 0);
    ls_workspace *run = ls_workspace_create(net.get(), rows, LS_TRAINING);
    Taker taker = {net.params(), products, rows, 0};
    for (bool taking : {false, true}) {
        ls_pass pass = training_pass(4, taking ? rest : whole);
        pass.factors = taking ? Taker::take : nullptr;
        pass.listener = &taker;
        ls_workspace_forward(run, &pass, x, rows);
        ls_workspace_backward(run, &pass, dy, nullptr);
    }
    ls_workspace_destroy(run);
    for (long i = 0; i < (long)whole.size(); i++)
        EXPECT_EQ(rest[i] + products[i], whole[i]) << i; /* one of them is 0 */
    const std::string text = GetParam().text;
    if (text.find("spectral=1") == std::string::npos) {
        EXPECT_EQ(taker.told > 0, text.find("dense") != std::string::npos) << text;
    }
}

/* What backward adds for running statistics is a sum over the rows' inputs: dy has no part in it.
 */
TEST_P(Contract, StateSlotsGetStatisticsNotDerivatives)
{
    Net net(GetParam().text);
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        Rows at(layer, net.params(), 3), other(layer, net.params(), 3);
        for (size_t k = 0; k < other.dy.size(); k++)
            other.dy[k] *= 2;
        both_ways(layer, 3, at, 4);
        both_ways(layer, 3, other, 4);
        for (int k = 0; k < layer->slots; k++) {
            const ls_slot &slot = net.params()->slots[layer->slot[k]];
            size_t size = (size_t)slot.size;
            const real *statistics = at.gradient + slot.offset;
            if (slot.kind != LS_SLOT_STATE)
                continue;
            EXPECT_GT(norm(statistics, size), 0) << slot.name;
            EXPECT_EQ(difference(other.gradient + slot.offset, statistics, size), 0) << slot.name;
        }
    }
}

/* Not-finite detection looks at the loss and the gradients only, so no layer may swallow a NaN. */
TEST_P(Contract, NanReachesWhatDependsOnIt)
{
    Net net(GetParam().text);
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        Rows at(layer, net.params(), 2), other(layer, net.params(), 2);
        Buffer poisoned(at.y.size());
        Bench bench(layer, 2);
        bench.forward(training_pass(4), at.args());
        for (Buffer &x : other.x)
            fill_inputs(x, x.size(), 12345, ls_layer_vocabulary(layer));
        bench.forward(training_pass(4), other.args());
        for (Buffer &x : at.x)
            for (size_t k = 0; k < x.size() / 2; k++) /* the first row */
                x[k] = NOTHING;
        ls_layer_args args = at.args();
        args.y = poisoned;
        bench.forward(training_pass(4), args);
        for (size_t k = 0; k < poisoned.size() / 2; k++)
            ASSERT_TRUE(std::isnan(poisoned[k]) || at.y[k] == other.y[k]) << layer->name << k;
        for (size_t k = poisoned.size() / 2; !layer->type->mixes_rows && k < poisoned.size(); k++)
            ASSERT_TRUE(std::isfinite(poisoned[k])) << layer->name << k;
    }
}

TEST_P(Contract, FewerRowsThanPlannedAreARun)
{
    Net net(GetParam().text);
    Buffer x(net.x_count() * 2), dy(net.y_count() * 2), dx(x.size()), exact_dx(x.size());
    Buffer gradient((size_t)net.params()->size, 0), exact_gradient((size_t)net.params()->size, 0);
    fill_inputs(x, x.size(), 1, ls_net_vocabulary(net.get()));
    fill_inputs(dy, dy.size(), 2);
    ls_workspace *large = ls_workspace_create(net.get(), 9, LS_TRAINING),
                 *exact = ls_workspace_create(net.get(), 2, LS_TRAINING);
    ls_pass pass = training_pass(4, gradient), exact_pass = training_pass(4, exact_gradient);
    const real *y = ls_workspace_forward(large, &pass, x, 2);
    const real *exact_y = ls_workspace_forward(exact, &exact_pass, x, 2);
    EXPECT_EQ(memcmp(y, exact_y, dy.size() * sizeof(real)), 0);
    ls_workspace_backward(large, &pass, dy, dx);
    ls_workspace_backward(exact, &exact_pass, dy, exact_dx);
    EXPECT_TRUE(dx.same_bits(exact_dx));
    EXPECT_TRUE(gradient.same_bits(exact_gradient));
    ls_workspace_destroy(large);
    ls_workspace_destroy(exact);
}

INSTANTIATE_TEST_SUITE_P(Layers, Contract, testing::ValuesIn(examples()),
                         [](const testing::TestParamInfo<Example> &info) {
                             return info.param.name;
                         });
