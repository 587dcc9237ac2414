/* The way down from a restricted Boltzmann machine to the rows of its net: which nets have one, and
 * what is made on it, against sums over all states of the layer between. */
#include "one_layer.h"

extern "C" {
#include "core/descent.h"
}

namespace
{

/* Visible means by states h[n] of a machine's hidden units, in double. */
std::vector<double> means_of(const Net &net, int line, const real *h, bool logistic)
{
    const ls_layer *layer = net->layers[line];
    Reals array[3];
    for (int k = 0; k < 3; k++) {
        const ls_slot *slot = &net.params()->slots[layer->slot[k]];
        array[k].resize((size_t)ls_shape_count(&slot->shape));
        ls_params_store(net.params(), layer->slot[k], net.params()->values, array[k].data());
    }
    const Reals &weight = array[LS_BOLTZMANN_WEIGHT], &bias = array[LS_BOLTZMANN_VISIBLE];
    std::vector<double> means(bias.begin(), bias.end());
    for (size_t i = 0; i < means.size(); i++) {
        for (size_t j = 0; j < array[LS_BOLTZMANN_HIDDEN].size(); j++)
            means[i] += (double)h[j] * weight[j * means.size() + i];
        means[i] = logistic ? 1 / (1 + exp(-means[i])) : means[i];
    }
    return means;
}

struct Down {
    ls_descent descent;
    Down(const Net &net, int layer, ls_boltzmann_units lowest, long rows)
        : descent(ls_descent_create(net.get(), layer, lowest, rows))
    {
    }
    ~Down()
    {
        ls_descent_destroy(&descent);
    }
    Reals run(long first, long rows, const Reals &h, long width) const
    {
        Reals x(size_t(rows * width));
        ls_pass pass = {};
        pass.seed = 3;
        pass.row = first;
        ls_descent_run(&descent, &pass, rows, h.data(), x.data());
        return x;
    }
};

const char *const TWO = "6 | dense units=4 visible=1; activation function=logistic; "
                        "dense units=5 visible=1; activation function=logistic; "
                        "dense units=3 visible=1";

} /* namespace */

TEST(Descent, LeadsDownThroughMachinesAndLogisticFunctionsOnly)
{
    const struct {
        const char *net;
        int layer;
        bool leads;
    } cases[] = {
        {TWO, 4, true},
        {TWO, 2, true},
        {TWO, 0, true},
        {TWO, 3, false},
        {"6 | dense units=4 visible=1; activation function=logistic; dropout rate=0.2; "
         "dense units=3 visible=1",
         3, true},
        {"6 | dense units=4 visible=1; activation function=tanh; dense units=3 visible=1", 2,
         false},
        {"6 | dense units=4; activation function=logistic; dense units=3 visible=1", 2, false},
        {"6 | dense units=4 visible=1; dense units=3 visible=1; dense units=2 visible=1", 2, false},
        {"6 | a: dense units=6 visible=1; b: activation @input function=logistic; "
         "c: dense @b units=3 visible=1; d: dense @a units=3; sum @c,d",
         2, false},
    };
    for (const auto &c : cases) {
        Net net(c.net);
        EXPECT_EQ(ls_descent_leads_down(net.get(), c.layer), c.leads) << c.net << " " << c.layer;
    }
}

TEST(Descent, TheLowestMachineGivesItsMeans)
{
    for (ls_boltzmann_units units : {LS_BOLTZMANN_BERNOULLI, LS_BOLTZMANN_GAUSSIAN}) {
        Net net(TWO);
        Down down(net, 2, units, 2);
        const Reals h = {1, 0, 0, 1, 0, 1, 1, 0}, x = down.run(0, 2, h, 6);
        std::vector<double> expected = means_of(net, 0, h.data(), units == LS_BOLTZMANN_BERNOULLI);
        for (double mean : means_of(net, 0, h.data() + 4, units == LS_BOLTZMANN_BERNOULLI))
            expected.push_back(mean);
        expect_near(x, expected, "means");
    }
}

TEST(Descent, GoesPastDropout)
{
    const Net plain("6 | dense units=4 visible=1; activation function=logistic; "
                    "dense units=5 visible=1");
    const Net dropped("6 | dense units=4 visible=1; activation function=logistic; dropout; "
                      "dense units=5 visible=1");
    ASSERT_EQ(plain.params()->size, dropped.params()->size);
    memcpy(dropped.params()->values, plain.params()->values,
           (size_t)plain.params()->size * sizeof(real));
    const Reals h = {1, 0, 0, 1, 0};
    EXPECT_EQ(Down(dropped, 3, LS_BOLTZMANN_BERNOULLI, 1).run(0, 1, h, 6),
              Down(plain, 2, LS_BOLTZMANN_BERNOULLI, 1).run(0, 1, h, 6));
}

/* E[x | h2] = sum over the 16 states h1 of p(h1 | h2) means(h1). A mean of 20,000 rows of numbers
 * from 0 to 1 has a deviation of at most 0.0036. */
TEST(Descent, TheLayerBetweenIsSampled)
{
    const long rows = 20000;
    Net net(TWO);
    Down down(net, 4, LS_BOLTZMANN_BERNOULLI, rows);
    const Reals state = {1, 0, 1, 1, 0};
    Reals h;
    for (long r = 0; r < rows; r++)
        h.insert(h.end(), state.begin(), state.end());
    const Reals x = down.run(0, rows, h, 6);
    const std::vector<double> middle = means_of(net, 2, state.data(), true);
    double expected[6] = {}, found[6] = {}, variance = 0;
    for (unsigned bits = 0; bits < 16; bits++) {
        double p = 1;
        real h1[4];
        for (int j = 0; j < 4; j++) {
            h1[j] = real(bits >> j & 1);
            p *= h1[j] > 0 ? middle[j] : 1 - middle[j];
        }
        const std::vector<double> means = means_of(net, 0, h1, true);
        for (int i = 0; i < 6; i++)
            expected[i] += p * means[i];
    }
    for (long r = 0; r < rows; r++)
        for (int i = 0; i < 6; i++)
            found[i] += x[r * 6 + i] / double(rows);
    for (int i = 0; i < 6; i++)
        EXPECT_NEAR(found[i], expected[i], 0.015) << i;
    for (long r = 0; r < rows; r++)
        variance += pow(x[r * 6] - found[0], 2) / double(rows);
    EXPECT_GT(variance, 1e-4); /* it is not the means that go down */
}

TEST(Descent, ARowIsAFunctionOfItsNumber)
{
    Net net(TWO);
    Down down(net, 4, LS_BOLTZMANN_BERNOULLI, 9);
    Reals h(9 * 5, 1);
    const Reals all = down.run(7, 9, h, 6);
    for (long cut : {1, 4}) {
        Reals parts = down.run(7, cut, h, 6), rest = down.run(7 + cut, 9 - cut, h, 6);
        parts.insert(parts.end(), rest.begin(), rest.end());
        EXPECT_EQ(parts, all);
    }
    EXPECT_NE(Reals(all.begin(), all.begin() + 6), Reals(all.begin() + 6, all.begin() + 12));
}
