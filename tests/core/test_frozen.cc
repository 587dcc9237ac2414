/* Frozen slots: which layers run in backward, what batch norm does, what is prepared anew. */
#include <algorithm>
#include <map>
#include <string>

#include "one_layer.h"

namespace
{

const char *const LINES = "a: dense units=6\nb: batchnorm\nc: activation function=prelu\n"
                          "d: dense units=5\ne: activation function=tanh\nf: dense units=3\n";
enum { ROWS = 4 };

std::string calls; /* of backward ("a ") and gradient ("a' "), in turn */
std::map<std::string, const ls_layer_type *> types;

void count_backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    calls += std::string(layer->name) + (args->dx[0] ? " " : "- ");
    types[layer->name]->backward(layer, pass, args);
}

void count_gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    calls += std::string(layer->name) + "' ";
    types[layer->name]->gradient(layer, pass, args);
}

/* The net of LINES, whose layers write down the calls that they get. */
struct Watched {
    Net net{std::string(LINES), shape_of({4})};
    std::vector<ls_layer_type> copies;
    Buffer x{ROWS * 4}, dx{ROWS * 4}, dy{ROWS * 3}, gradient;
    ls_slots frozen = {};
    std::vector<int> told;
    ls_pass pass = training_pass(4);

    Watched() : gradient((size_t)net.params()->size, 0)
    {
        copies.reserve((size_t)net->count);
        for (int i = 0; i < net->count; i++) {
            ls_layer *layer = net->layers[i];
            types[layer->name] = layer->type;
            copies.push_back(*layer->type);
            copies.back().backward = count_backward;
            copies.back().gradient = layer->type->gradient ? count_gradient : nullptr;
            layer->type = &copies.back();
        }
        fill_inputs(x, x.size(), 1);
        fill_inputs(dy, dy.size(), 2);
    }
    /* The calls of a backward pass that trains what the patterns name. */
    std::string train(const char *patterns, bool wants_dx)
    {
        ls_slots trained, all = ls_slots_all(net.params());
        EXPECT_TRUE(ls_slots_match(net.params(), patterns, &trained, nullptr));
        EXPECT_TRUE(ls_slots_subtract(&all, &trained, &frozen, nullptr));
        ls_workspace *run = ls_workspace_create(net.get(), ROWS, LS_TRAINING);
        calls = "";
        told.clear();
        pass.frozen = frozen.count ? &frozen : nullptr;
        pass.gradient = gradient;
        pass.listener = &told;
        pass.finished = [](void *context, const int *slots, int count) {
            auto *all = (std::vector<int> *)context;
            all->insert(all->end(), slots, slots + count);
        };
        ls_workspace_forward(run, &pass, x, ROWS);
        ls_workspace_backward(run, &pass, dy, wants_dx ? (real *)dx : nullptr);
        ls_workspace_destroy(run);
        return calls;
    }
    std::string names() const
    {
        std::string all;
        for (int slot : told)
            all += std::string(net.params()->slots[slot].name) + " ";
        return all;
    }
};

} /* namespace */

/* "a-": backward of a, of which no dx is wanted. */
TEST(Frozen, BackwardEndsAtTheLowestLineThatTrains)
{
    Watched at;
    EXPECT_EQ(at.train("net", false), "f f' e d d' c c' b a- a' ");
    EXPECT_EQ(at.train("net/d,net/f", false), "f f' e d- d' ");
    EXPECT_EQ(at.names(), "net/f/weight net/f/bias net/d/weight net/d/bias ");
    EXPECT_EQ(at.train("net/f", false), "f- f' ");
    EXPECT_EQ(at.train("net/a/bias", false), "f e d c b a- a' ");
    EXPECT_EQ(at.names(), "net/a/bias ");
    EXPECT_EQ(at.train("net/d/weight", true), "f e d d' c b a ");
}

TEST(Frozen, WithoutAnythingThatTrainsNothingRuns)
{
    Watched at;
    ls_slots all = ls_slots_all(at.net.params());
    ls_workspace *run = ls_workspace_create(at.net.get(), ROWS, LS_TRAINING);
    at.pass.frozen = &all;
    at.pass.gradient = at.gradient;
    ls_workspace_forward(run, &at.pass, at.x, ROWS);
    calls = "";
    ls_workspace_backward(run, &at.pass, at.dy, nullptr);
    EXPECT_EQ(calls, "");
    EXPECT_EQ(norm(at.gradient, at.gradient.size()), 0);
    ls_workspace_backward(run, &at.pass, at.dy, at.dx);
    EXPECT_EQ(calls, "f e d c b a ");
    EXPECT_GT(norm(at.dx, at.dx.size()), 0);
    EXPECT_EQ(norm(at.gradient, at.gradient.size()), 0);
    ls_workspace_destroy(run);
}

/* The rows' statistics play no part, the running ones do not move, no ranks are asked. */
TEST(Frozen, BatchNormIsThatOfEvaluation)
{
    const long rows = 6;
    Net net("20 | a: batchnorm @input sync=1 relu=1");
    const ls_layer *layer = net->layers[0];
    Rows training(layer, net.params(), rows), evaluation(layer, net.params(), rows);
    ls_slots all = ls_slots_all(net.params()), statistics = {};
    ls_slots_add(&statistics, 2, 4);
    auto run = [&](Rows &at, bool is_training, const ls_slots *frozen) {
        ls_pass pass = training_pass(4, at.gradient);
        pass.training = is_training;
        pass.frozen = frozen;
        pass.sum = [](void *, double *, long) { FAIL() << "the ranks' sums were asked for"; };
        Bench bench(layer, rows);
        bench.forward(pass, at.args());
        bench.backward(pass, at.args());
    };
    run(evaluation, false, nullptr);
    EXPECT_GT(norm(evaluation.gradient, evaluation.gradient.size()), 0);
    run(training, true, &statistics); /* scale and shift are trained */
    EXPECT_TRUE(training.y.same_bits(evaluation.y));
    EXPECT_TRUE(training.dx[0].same_bits(evaluation.dx[0]));
    EXPECT_TRUE(training.gradient.same_bits(evaluation.gradient));
    for (size_t i = 0; i < training.gradient.size(); i++)
        training.gradient[i] = 77;
    run(training, true, &all);
    EXPECT_TRUE(training.y.same_bits(evaluation.y));
    EXPECT_TRUE(training.dx[0].same_bits(evaluation.dx[0]));
    for (size_t i = 0; i < training.gradient.size(); i++)
        ASSERT_EQ(training.gradient[i], 77);
}

/* After a discriminator's update the generator is not packed anew; the parts of a node's ranks are
 * all of what must be. */
TEST(Frozen, OnlyLayersOfTheSlotsThatChangedArePrepared)
{
    Net net("6,6,3 | a: conv2d out=4 kernel=3 pad=1; b: conv2d out=4 kernel=3 pad=1; "
            "c: batchnorm; d: conv2d out=4 kernel=3 pad=1 share=b; conv2d out=2 kernel=2");
    real *prepared = net.params()->prepared;
    const size_t size = (size_t)net.params()->prepared_size;
    const std::vector<real> whole(prepared, prepared + size);
    auto made = [&](const ls_slots *slots, int parts) {
        std::string names;
        std::fill(prepared, prepared + size, (real)77);
        for (int part = 0; part < parts; part++)
            ls_net_prepare(net.get(), slots, part, parts);
        for (int i = 0; i < net->count; i++) {
            const ls_layer *layer = net->layers[i];
            auto at = whole.begin() + layer->prepared;
            if (layer->prepared_size == 0)
                continue;
            if (std::equal(at, at + layer->prepared_size, prepared + layer->prepared))
                names += std::string(layer->name) + " ";
            else
                EXPECT_EQ(std::count(prepared + layer->prepared,
                                     prepared + layer->prepared + layer->prepared_size, 77),
                          layer->prepared_size);
        }
        return names;
    };
    ls_slots slots;
    for (int parts : {1, 2, 3, 7}) {
        EXPECT_EQ(made(nullptr, parts), "a b d conv2d4 ");
        ASSERT_TRUE(ls_slots_match(net.params(), "net/b/weight,net/c", &slots, nullptr));
        EXPECT_EQ(made(&slots, parts), "b d ");
        ASSERT_TRUE(ls_slots_match(net.params(), "net/a,net/conv2d4", &slots, nullptr));
        EXPECT_EQ(made(&slots, parts), "a conv2d4 ");
        ASSERT_TRUE(ls_slots_match(net.params(), "net/c", &slots, nullptr));
        EXPECT_EQ(made(&slots, parts), "");
    }
}
