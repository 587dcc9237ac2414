/* Nets from spec lines: graphs, names, refusals; runs: memory, add and overwrite, finished slots.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

extern "C" {
#include "core/layers/activation.h"
#include "core/memory.h"
#include "core/model.h"
#include "core/objective.h"
#include "core/workspace.h"
}

namespace
{

struct Net {
    ls_params *params = ls_params_create();
    ls_error error = {};
    ls_net *net;
    std::vector<real> values, prepared;

    Net(const char *lines, ls_shape input)
        : net(ls_net_build(params, nullptr, "net", lines, &input, &error))
    {
        values.resize(params->size + 16);
        prepared.resize(params->prepared_size + 16);
        if (!net)
            return;
        ls_params_commit(params, values.data(), prepared.data());
        ls_params_initialize(params, 1, NULL);
        ls_net_prepare(net, NULL, 0, 1);
    }
    ~Net()
    {
        ls_net_destroy(net);
        ls_params_destroy(params);
    }
};

std::string refusal(const char *lines, ls_shape input = {1, {4}})
{
    Net net(lines, input);
    return net.net ? "accepted" : net.error.text;
}

/* What `finished` is told, in turn, and a number of the slot's gradient at that time. */
struct Told {
    const Net &n;
    std::vector<real> gradient;
    std::vector<long> slots;
    std::vector<real> seen;
};

/* What `finished` is told in a backward pass of two rows; by then each gradient is what it is in
 * the end. */
std::vector<long> told_slots(const Net &n)
{
    ls_workspace *run = ls_workspace_create(n.net, 2, LS_TRAINING);
    std::vector<real> x(8, 0.5);
    Told told = {n, std::vector<real>(n.params->size), {}, {}};
    ls_pass pass = {};
    pass.gradient = told.gradient.data();
    pass.listener = &told;
    pass.finished = [](void *context, const int *slots, int count) {
        Told *told = (Told *)context;
        for (int k = 0; k < count; k++) {
            told->slots.push_back(slots[k]);
            told->seen.push_back(told->gradient[told->n.params->slots[slots[k]].offset]);
        }
    };
    ls_workspace_forward(run, &pass, x.data(), 2);
    std::fill_n(ls_workspace_dy(run), 2 * ls_shape_count(&n.net->y), (real)1);
    ls_workspace_backward(run, &pass, ls_workspace_dy(run), NULL);
    ls_workspace_destroy(run);
    for (size_t k = 0; k < told.slots.size(); k++) {
        EXPECT_NE(told.seen[k], 0);
        EXPECT_EQ(told.seen[k], told.gradient[n.params->slots[told.slots[k]].offset]);
    }
    return told.slots;
}

} /* namespace */

TEST(Net, TakesItsInputFromTheFirstLine)
{
    Net own("# noise\n  input 3,2  # rows of a generator\ndense units=5\n", {1, {4}});
    ASSERT_TRUE(own.net) << own.error.text;
    const ls_shape expected = {2, {3, 2}};
    EXPECT_TRUE(ls_shape_equal(&own.net->x, &expected));
    EXPECT_TRUE(own.net->own_input);
    EXPECT_EQ(1, own.net->count);
    Net plain("dense units=5\n", {1, {4}});
    EXPECT_FALSE(plain.net->own_input);
    EXPECT_EQ(4, plain.net->x.at[0]);
    Net read("input 6\na: dense units=5\nb: dense @input units=5\nsum @a,b", {1, {4}});
    ASSERT_TRUE(read.net) << read.error.text;
    EXPECT_EQ(2 * (6 * 5 + 5), ls_params_trained(read.params));
}

TEST(Net, RefusesAnInputInTheseWords)
{
    EXPECT_EQ("net, line 1: 'input 7x': input=7x is not a whole number",
              refusal("input 7x\ndense units=2"));
    EXPECT_EQ("net, line 1: 'input 0': input=0 is out of range: 1 to 1000000000",
              refusal("input 0\ndense units=2"));
    EXPECT_EQ("net, line 1: 'input 1,2,3,4,5,6,7': input: at most 6 numbers, found 7",
              refusal("input 1,2,3,4,5,6,7\ndense units=2"));
    const std::string nothing_else =
        "write the shape of a row, and nothing else: input 100, input 28,28,1";
    EXPECT_EQ("net, line 1: 'input': " + nothing_else, refusal("input\ndense units=2"));
    EXPECT_EQ("net, line 1: 'input units=3': " + nothing_else,
              refusal("input units=3\ndense units=2"));
    EXPECT_EQ("net, line 1: 'a: input 3': " + nothing_else, refusal("a: input 3\ndense units=2"));
    const std::string once = "the shape of a net's input stands once, before all layers";
    EXPECT_EQ("net, line 2: 'input 3': " + once, refusal("dense units=2\ninput 3"));
    EXPECT_EQ("net, line 2: 'input 3': " + once, refusal("input 3\ninput 3\ndense units=2"));
    EXPECT_EQ("net, line 1: 'input 3 4': '4' is neither key=value nor @input (after type input)",
              refusal("input 3 4\ndense units=2"));
    EXPECT_EQ("the net net has no lines", refusal("input 3\n"));
}

TEST(Net, NumbersUnnamedLinesByType)
{
    Net n("dense units=3\nactivation function=tanh\n\n# comment\nlast: dense units=2", {1, {4}});
    ASSERT_TRUE(n.net) << n.error.text;
    ASSERT_EQ(3, n.net->count);
    EXPECT_STREQ("dense1", n.net->layers[0]->name);
    EXPECT_STREQ("activation1", n.net->layers[1]->name);
    EXPECT_STREQ("last", n.net->layers[2]->name);
    EXPECT_EQ(2, ls_net_find(n.net, "last"));
    EXPECT_STREQ("net/last/bias", n.params->slots[3].name);
    EXPECT_EQ(3 * 4 + 3 + 2 * 3 + 2, ls_params_trained(n.params));
}

TEST(Net, RefusesWithTheLine)
{
    EXPECT_EQ("net, line 2: 'dens units=2': there is no layer dens: did you mean dense? "
              "(`lockstep list layers` has all)",
              refusal("dense units=3\ndens units=2"));
    EXPECT_EQ("net, line 1: 'dense @b units=3': @b is no line above this one (a line can only read "
              "earlier lines, or @input)",
              refusal("dense @b units=3\nb: dense units=1"));
    EXPECT_EQ("net, line 2: 'a: dense units=2': the name a is taken: give this line another",
              refusal("a: dense units=3\na: dense units=2"));
    EXPECT_EQ("net: no line reads the output of a",
              refusal("a: dense units=3\nb: dense @input units=3"));
    EXPECT_EQ("the net net has no lines", refusal("# nothing\n"));
    EXPECT_NE(std::string::npos, refusal("conv2d out=3 kernel=3").find("net, line 1"));
}

TEST(Net, GivesBackAllMemoryAfterARefusal)
{
    size_t blocks = ls_memory_blocks();
    refusal("dense units=3\nactivation function=tanh\ndense units=nonsense");
    EXPECT_EQ(blocks, ls_memory_blocks());
}

TEST(Net, AnInputReadTwiceCollectsBothGradients)
{
    /* softmax and activation need no second input: two dense lines read the same layer, one feeds
     * the other's sibling through the graph input. */
    Net n("a: dense units=4\nactivation @a function=tanh\ndense units=4\n", {1, {4}});
    ASSERT_TRUE(n.net) << n.error.text;
    ls_workspace *run = ls_workspace_create(n.net, 5, LS_TRAINING);
    std::vector<real> x(12, 0.3), dx(12, 99), gradient(n.params->size);
    ls_pass pass = {};
    pass.training = true;
    pass.gradient = gradient.data();
    ls_workspace_forward(run, &pass, x.data(), 3);
    EXPECT_EQ(3, ls_workspace_rows(run));
    EXPECT_EQ(n.net, ls_workspace_net(run));
    for (int i = 0; i < 12; i++)
        ls_workspace_dy(run)[i] = 1;
    ls_workspace_backward(run, &pass, ls_workspace_dy(run), dx.data());
    for (real d : dx)
        EXPECT_NE(99, d); /* overwritten, all of it */
    ls_workspace_destroy(run);
}

TEST(Net, TellsFinishedSlotsOnceEachFromTheLastLayerOn)
{
    Net n("dense units=3\nactivation function=tanh\ndense units=2\n", {1, {4}});
    EXPECT_EQ((std::vector<long>{2, 3, 0, 1}), told_slots(n));
}

TEST(Net, SharedLinesClaimNoSlotsOfTheirOwn)
{
    Net n("a: dense units=4\nb: dense share=a\nc: batchnorm\nd: batchnorm share=c\n"
          "e: dense share=b transpose=1\n",
          {1, {4}});
    ASSERT_TRUE(n.net) << n.error.text;
    auto slots = [&](int i) {
        const ls_layer *layer = n.net->layers[i];
        return std::vector<int>(layer->slot, layer->slot + layer->slots);
    };
    EXPECT_EQ(slots(0), slots(1));
    EXPECT_EQ(slots(2), slots(3));
    EXPECT_EQ((std::vector<int>{0, 6}), slots(4)); /* a's weight, its own bias */
    EXPECT_STREQ("net/e/bias", n.params->slots[6].name);
    EXPECT_EQ(7, n.params->count);
    EXPECT_EQ(16 + 4 + 8 + 4, ls_params_trained(n.params));
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ls_net_print(n.net, out);
    fclose(out);
    const std::string printed = text;
    free(text);
    EXPECT_NE(printed.find(" 20\n  b "), std::string::npos) << printed;
    EXPECT_NE(printed.find(" 0 and those of net/a\n"), std::string::npos) << printed;
    EXPECT_NE(printed.find(" 8\n  d "), std::string::npos) << printed;
    EXPECT_NE(printed.find(" 4 and those of net/b\n"), std::string::npos) << printed;
    EXPECT_NE(printed.find(" 32\n"), std::string::npos) << printed;
}

TEST(Net, RefusesToShareWhatDoesNotFit)
{
    struct Case {
        const char *lines, *reason;
    } cases[] = {
        {"a: dense units=3\ndense units=4 share=b", "share=b: the net net has no line b above"},
        {"first: dense units=3\ndense units=4 share=firts", "did you mean first?"},
        {"dense units=4 share=other/a", "there is no net other before the net net"},
        {"a: dense units=3\nb: activation function=tanh\ndense share=b units=3",
         "share=: net/b has no weight to share (it has no parameters)"},
        {"a: dense units=3 bias=0\ndense share=a units=3",
         "share=: the weight of net/dense2 would have to be 3x3, but net/a/weight is 3x4"},
        {"a: dense units=4 bias=0\ndense share=a",
         "share=: net/a has no bias to share (it has weight); give this line bias=0"},
        {"a: dense units=4\nactivation function=tanh share=a",
         "share=: a line of type activation uses no parameter of net/a, which is of type dense"},
        {"a: dense units=4\ndense units=4 transpose=1", "transpose=1 goes with share=LINE"},
        {"a: batchnorm\nbatchnorm share=a transpose=1", "batchnorm takes no transpose=1"},
        {"a: batchnorm\ndense share=a transpose=1",
         "net/a is of type batchnorm, but only the weight of a dense line"},
        {"a: dense units=4\ndense shar=a", "dense has no key shar: did you mean share?"},
    };
    for (const Case &c : cases) {
        const std::string found = refusal(c.lines);
        EXPECT_NE(found.find(c.reason), std::string::npos) << found;
    }
    const std::string found =
        refusal("a: conv2d out=8 kernel=3 pad=1\nb: conv2d out=8 kernel=3 share=a\n"
                "conv2d out=16 kernel=1\nconv2d out=8 kernel=3 groups=4 share=b",
                {3, {6, 6, 4}});
    EXPECT_NE(found.find("share=: the weight of net/b would have to be 8x8x3x3, but net/a/weight "
                         "is 8x4x3x3"),
              std::string::npos)
        << found;
    const std::string groups = refusal("a: conv2d out=8 kernel=3\nconv2d out=16 kernel=1\n"
                                       "conv2d out=8 kernel=3 groups=4 share=a",
                                       {3, {6, 6, 4}});
    EXPECT_NE(groups.find("would have to be 8x4x3x3 in 4 groups, but net/a/weight is 8x4x3x3"),
              std::string::npos)
        << groups;
}

/* A classifier on an encoder is a second net over the same parameters. */
TEST(Net, SharesLinesOfANetBefore)
{
    ls_params *params = ls_params_create();
    ls_error error = {};
    const ls_shape input = {1, {4}};
    ls_net *coder = ls_net_build(params, nullptr, "coder", "e: dense units=3\nd: dense units=4",
                                 &input, &error);
    ls_net *net = ls_net_build(params, nullptr, "net", "e: dense share=coder/e\ndense units=2",
                               &input, &error);
    ASSERT_TRUE(coder && net) << error.text;
    EXPECT_EQ(coder->layers[0]->slot[0], net->layers[0]->slot[0]);
    EXPECT_EQ(coder->layers[0]->slot[1], net->layers[0]->slot[1]);
    EXPECT_EQ(6, params->count);
    ls_slots slots = {};
    ls_net_add_slots(net, {0, 1}, &slots);
    ASSERT_EQ(1, slots.count);
    EXPECT_EQ(2, slots.at[0].end);
    ls_net_add_slots(net, ls_net_all(net), &slots);
    ASSERT_EQ(2, slots.count);
    EXPECT_EQ(0, slots.at[0].begin);
    EXPECT_EQ(2, slots.at[0].end);
    EXPECT_EQ(4, slots.at[1].begin);
    EXPECT_EQ(6, slots.at[1].end);
    ls_net_destroy(coder);
    EXPECT_FALSE(ls_net_build(params, nullptr, "late", "dense share=coder/e", &input, &error));
    EXPECT_NE(strstr(error.text, "there is no net coder before the net late"), nullptr)
        << error.text;
    ls_net_destroy(net);
    ls_params_destroy(params);
}

/* Backward runs from the last line to the first: a shared slot is complete after the first. */
TEST(Net, TellsSharedSlotsAfterTheFirstLineThatUsesThem)
{
    Net n("a: dense units=4\nb: dense units=4\nc: dense share=a\nd: dense share=b transpose=1\n",
          {1, {4}});
    ASSERT_TRUE(n.net) << n.error.text;
    EXPECT_EQ((std::vector<long>{4, 2, 3, 0, 1}), told_slots(n));
}

TEST(Net, EvaluationTakesLessMemoryThanTraining)
{
    Net n("dense units=64\nactivation function=tanh\ndense units=64\nactivation function=tanh\n"
          "dense units=64\nactivation function=tanh\ndense units=2\n",
          {1, {4}});
    EXPECT_LT(2 * ls_workspace_bytes(n.net, 1000, LS_INFERENCE),
              ls_workspace_bytes(n.net, 1000, LS_TRAINING));
    ls_workspace *training = ls_workspace_create(n.net, 5, LS_TRAINING),
                 *evaluation = ls_workspace_create(n.net, 5, LS_INFERENCE);
    std::vector<real> x(20, 0.5);
    ls_pass pass = {};
    const real *a = ls_workspace_forward(training, &pass, x.data(), 5);
    const real *b = ls_workspace_forward(evaluation, &pass, x.data(), 5);
    for (int i = 0; i < 10; i++)
        EXPECT_EQ(a[i], b[i]);
    ls_workspace_destroy(training);
    ls_workspace_destroy(evaluation);
}

/* Branches and a sum of shapes that differ from layer to layer: each layer is some run's last. */
TEST(Net, ARunUntilALayerGivesItsOutputInLessMemory)
{
    Net n("a: dense units=60\nb: activation function=tanh\nc: dense @a units=30\nd: dense @b "
          "units=30\ne: dense @d units=70\nf: softmax @e\ng: concat @c,f\ndense units=2\n",
          {1, {4}});
    ASSERT_TRUE(n.net) << n.error.text;
    enum { ROWS = 500 };
    std::vector<real> x(4 * ROWS, 0.5);
    ls_pass pass = {};
    size_t before = ls_memory_held();
    ls_workspace *training = ls_workspace_create(n.net, ROWS, LS_TRAINING);
    size_t taken = ls_memory_held() - before;
    ls_workspace_forward(training, &pass, x.data(), ROWS);
    for (int last = 0; last < n.net->count; last++) {
        long count = ROWS * ls_shape_count(&n.net->layers[last]->y);
        before = ls_memory_held();
        ls_workspace *until = ls_workspace_create_part(n.net, {0, last + 1}, ROWS, LS_INFERENCE);
        EXPECT_LT(2 * (ls_memory_held() - before), taken);
        const real *y = ls_workspace_forward(until, &pass, x.data(), ROWS);
        for (long i = 0; i < count; i++)
            ASSERT_EQ(ls_workspace_output(training, last)[i], y[i]) << n.net->layers[last]->name;
        ls_workspace_destroy(until);
    }
    ls_workspace_destroy(training);
}

/* The second half reads what the first gives, and gives back the first's dy. */
TEST(Net, TwoPartsOfANetDoWhatItDoes)
{
    Net n("a: dense units=6\nb: activation @a function=tanh\nc: sum @a,b\nd: dense units=5\n"
          "e: activation @d function=tanh\nf: concat @b,e\n",
          {1, {4}});
    Net chain("a: dense units=6\nb: activation @a function=tanh\nc: sum @a,b\nd: dense units=5\n"
              "e: activation @d function=tanh\nf: sum @d,e\n",
              {1, {4}});
    ASSERT_TRUE(n.net && chain.net) << n.error.text << chain.error.text;
    enum { ROWS = 3, CUT = 3 };
    std::vector<real> x(4 * ROWS, 0.5), whole(chain.params->size), parts(chain.params->size),
        dx(x.size(), 7), dx_parts(x.size(), 9);
    ls_pass pass = {};
    pass.training = true;
    pass.gradient = whole.data();
    ls_workspace *all = ls_workspace_create(chain.net, ROWS, LS_TRAINING),
                 *low = ls_workspace_create_part(chain.net, {0, CUT}, ROWS, LS_TRAINING),
                 *high = ls_workspace_create_part(chain.net, {CUT, 6}, ROWS, LS_TRAINING);
    EXPECT_EQ(CUT, ls_workspace_layers(high).begin);
    EXPECT_EQ(6, ls_workspace_layers(high).end);
    const real *y = ls_workspace_forward(all, &pass, x.data(), ROWS);
    const real *code = ls_workspace_forward(low, &pass, x.data(), ROWS);
    const real *same = ls_workspace_forward(high, &pass, code, ROWS);
    for (int i = 0; i < 5 * ROWS; i++) {
        ASSERT_EQ(y[i], same[i]);
        ASSERT_EQ(ls_workspace_output(all, 4)[i], ls_workspace_output(high, 4)[i]);
        ls_workspace_dy(all)[i] = ls_workspace_dy(high)[i] = (real)(0.1 * i - 0.4);
    }
    ls_workspace_backward(all, &pass, ls_workspace_dy(all), dx.data());
    pass.gradient = parts.data();
    ls_workspace_backward(high, &pass, ls_workspace_dy(high), ls_workspace_dy(low));
    ls_workspace_backward(low, &pass, ls_workspace_dy(low), dx_parts.data());
    EXPECT_EQ(dx, dx_parts);
    EXPECT_EQ(whole, parts);
    EXPECT_NE(0, whole[0]);
    ls_workspace_destroy(all);
    ls_workspace_destroy(low);
    ls_workspace_destroy(high);
    EXPECT_DEATH(ls_workspace_create_part(n.net, {CUT, 6}, ROWS, LS_INFERENCE), "f reads a layer");
}

TEST(Model, ParameterCountsArePinned)
{
    struct Case {
        const char *text;
        ls_shape input;
        long parameters;
    } cases[] = {
        {"lenet", {3, {28, 28, 1}}, 61706},
        {"mlp widths=784,256,128,100,10", {1, {784}}, 247766},
        {"mlp widths=784,1024,1024,10", {3, {28, 28, 1}}, 1863690},
        {"perceptron classes=10", {1, {784}}, 7850},
        {"dbn widths=784,500,250,10", {1, {784}}, 392500 + 125250 + 2510 + 784 + 500},
    };
    for (const Case &c : cases) {
        ls_model_nets nets;
        ls_error error = {};
        ASSERT_TRUE(ls_model_write(c.text, &c.input, &nets, &error)) << error.text;
        Net n(nets.lines[0], c.input);
        ASSERT_TRUE(n.net) << n.error.text;
        EXPECT_EQ(c.parameters, ls_params_trained(n.params)) << c.text;
        ls_model_release(&nets);
    }
}

TEST(Model, RefusesDataThatDoesNotFit)
{
    ls_model_nets nets;
    ls_error error = {};
    ls_shape image = {3, {28, 28, 1}}, row = {1, {100}};
    EXPECT_FALSE(ls_model_write("mlp widths=700,10", &image, &nets, &error));
    EXPECT_STREQ("mlp: widths= begins with 700, but a row of the data has 784 numbers", error.text);
    EXPECT_FALSE(ls_model_write("dbn widths=700,500,10", &image, &nets, &error));
    EXPECT_STREQ("dbn: widths= begins with 700, but a row of the data has 784 numbers", error.text);
    EXPECT_FALSE(ls_model_write("dbn widths=784,10", &image, &nets, &error));
    EXPECT_STREQ("dbn: widths= needs the input, a hidden layer and the output at least: "
                 "widths=784,500,10",
                 error.text);
    EXPECT_FALSE(ls_model_write("lenet", &row, &nets, &error));
    EXPECT_FALSE(ls_model_write("lenett", &image, &nets, &error));
    EXPECT_STREQ("there is no model lenett: did you mean lenet? (`lockstep list models` has all)",
                 error.text);
}

TEST(Objective, RefusesANetThatCannotLearn)
{
    Net n("d: dense units=3\ns: activation function=unit-step\ndense units=10\n", {1, {4}});
    ASSERT_TRUE(n.net) << n.error.text;
    ls_task task = {};
    task.params = n.params;
    task.nets = 1;
    task.net = &n.net;
    task.x = {1, {4}};
    task.has_y = true;
    task.classes = 10;
    EXPECT_EQ(NULL, ls_objective_create("supervised", &task, &n.error));
    EXPECT_STREQ("net/d cannot learn: the derivative of s is 0 everywhere; give that line "
                 "surrogate=ste, or a function with a slope",
                 n.error.text);
}

TEST(Objective, RefusesANameAndInputs)
{
    Net n("dense units=10\n", {1, {4}});
    ls_task task = {};
    for (std::string text : {"a: supervised", "supervised @input"}) {
        EXPECT_EQ(NULL, ls_objective_create(text.c_str(), &task, &n.error));
        EXPECT_EQ("'" + text + "': expected TYPE key=value ..., without NAME: or @", n.error.text);
    }
}

TEST(Objective, RefusesMoreClassesThanOutputs)
{
    Net n("dense units=10\n", {1, {4}});
    ls_task task = {};
    task.params = n.params;
    task.nets = 1;
    task.net = &n.net;
    task.x = {1, {4}};
    task.has_y = true;
    task.classes = 12;
    EXPECT_EQ(NULL, ls_objective_create("supervised", &task, &n.error));
    EXPECT_STREQ("the net's output has 10 values, but the data has 12 classes", n.error.text);
}

static std::pair<double, double> range_of(const std::string &lines)
{
    ls_params *params = ls_params_create();
    ls_error error = {};
    const ls_shape input = {1, {4}};
    ls_net *net = ls_net_build(params, nullptr, "net", lines.c_str(), &input, &error);
    std::pair<double, double> range = {NAN, NAN};
    if (net)
        ls_net_range(net, net->count - 1, &range.first, &range.second);
    ls_net_destroy(net);
    ls_params_destroy(params);
    return range;
}

TEST(Net, KnowsTheRangeOfItsOutputs)
{
    const double inf = INFINITY;
    const std::map<std::string, std::pair<double, double>> known = {
        {"unit-step", {0, 1}},   {"binary-step", {0, 1}},   {"sign", {-1, 1}},
        {"linear", {-inf, inf}}, {"identity", {-inf, inf}}, {"piecewise-linear", {0, 1}},
        {"logistic", {0, 1}},    {"tanh", {-1, 1}},         {"arctan", {-M_PI_2, M_PI_2}},
        {"relu", {0, inf}},      {"prelu", {-inf, inf}},    {"leaky-relu", {-inf, inf}},
        {"elu", {-1, inf}},      {"softplus", {0, inf}}};
    for (const ls_activation *a = ls_activations; a->name; a++) {
        ASSERT_EQ(known.count(a->name), 1U) << a->name << ": what is its range?";
        const auto found = range_of(std::string("activation function=") + a->name);
        const auto expected = known.at(a->name);
        for (const auto &[is, should] :
             {std::pair(found.first, expected.first), std::pair(found.second, expected.second)})
            EXPECT_TRUE(is == should || std::fabs(is - should) < 1e-6) << a->name << ": " << is;
    }
    const std::pair<double, double> all = {-inf, inf}, probabilities = {0, 1}, positive = {0, inf};
    EXPECT_EQ(range_of("activation function=tanh\ndense units=2"), all);
    EXPECT_EQ(range_of("dense units=3\nsoftmax"), probabilities);
    EXPECT_EQ(range_of("softmax\nreshape shape=2,2,1"), probabilities);
    EXPECT_EQ(range_of("reshape shape=2,2,1"), all);
    EXPECT_EQ(range_of("batchnorm relu=1"), positive);
    EXPECT_EQ(range_of("batchnorm"), all);
}

/* A convolution of more than 2e9 operations: messages can move on in its midst, and the bits stay.
 */
TEST(Net, LongBackwardIsDoneInRoundsWithoutOtherBits)
{
    const long rows = 53;
    Net n("conv2d out=64 kernel=3 pad=1", {3, {24, 24, 64}});
    ls_workspace *run = ls_workspace_create(n.net, rows, LS_TRAINING);
    std::vector<real> x((size_t)rows * 24 * 24 * 64), dy(x.size());
    for (size_t i = 0; i < x.size(); i++) {
        x[i] = (real)((double)(i % 1009) / 1009 - 0.5);
        dy[i] = (real)((double)(i % 997) / 997 - 0.5);
    }
    std::vector<real> gradient[2], dx[2];
    int told = 0;
    for (int k = 0; k < 2; k++) {
        ls_pass pass = {};
        gradient[k].resize((size_t)n.params->size);
        dx[k].resize(x.size());
        pass.gradient = gradient[k].data();
        pass.listener = &told;
        if (k == 1)
            pass.finished = [](void *told, const int *, int) { ++*(int *)told; };
        ls_workspace_forward(run, &pass, x.data(), rows);
        ls_workspace_backward(run, &pass, dy.data(), dx[k].data());
    }
    ls_workspace_destroy(run);
    EXPECT_EQ(4, told); /* amid backward, after it, amid gradient, at the end */
    EXPECT_TRUE(gradient[0] == gradient[1]);
    EXPECT_TRUE(dx[0] == dx[1]);
}

TEST(Net, AliasesOfTypesBecomeNames)
{
    EXPECT_NE(refusal("conv1d units=2\ntdnn @conv1d1 units=2", {2, {9, 3}}).find("no line above"),
              std::string::npos);
    Net n("conv1d units=2 kernel=3 # conv1d\n\nconv1d:\tconv1d @tdnn1 units=2", {2, {9, 3}});
    ASSERT_TRUE(n.net) << n.error.text;
    EXPECT_STREQ(n.net->lines, "tdnn units=2 kernel=3 # conv1d\n\nconv1d:\ttdnn @tdnn1 units=2");
    EXPECT_STREQ(n.net->layers[1]->name, "conv1d");
    char *text = ls_net_canonical("a: conv1dx @input\n conv1d");
    EXPECT_STREQ(text, "a: conv1dx @input\n tdnn");
    ls_free(text);
}
