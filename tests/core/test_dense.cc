/* dense against its definition in double. */
#include "one_layer.h"

namespace
{

struct Expected {
    std::vector<double> y, dx, weight, bias;
};

/* y = x W^T + b and its derivatives. */
Expected define(const Reals &x, const Reals &weight, const Reals &bias, const Reals &dy, long rows)
{
    long out = (long)bias.size(), in = (long)weight.size() / out;
    Expected e = {std::vector<double>(rows * out), std::vector<double>(rows * in),
                  std::vector<double>(out * in), std::vector<double>(out)};
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out; o++) {
            double slope = dy[r * out + o];
            e.y[r * out + o] = bias[o];
            e.bias[o] += slope;
            for (long i = 0; i < in; i++) {
                e.y[r * out + o] += (double)weight[o * in + i] * x[r * in + i];
                e.dx[r * in + i] += slope * weight[o * in + i];
                e.weight[o * in + i] += slope * x[r * in + i];
            }
        }
    return e;
}

} /* namespace */

TEST(Dense, IsItsDefinitionForwardAndBackward)
{
    for (long rows : {1, 5, 130})
        for (long out : {1, 7, 70}) {
            OneLayer dense(("dense units=" + std::to_string(out)).c_str(), {3, 4, 2});
            Reals x = random_reals(rows * 24, 1), dy = random_reals(rows * out, 2);
            Reals y = dense.forward(x.data(), rows), dx(rows * 24, NAN);
            dense.backward(dy, dx.data(), false, true);
            Expected e = define(x, dense.value(0), dense.value(1), dy, rows);
            expect_near(y, e.y, "y");
            expect_near(dx, e.dx, "dx");
            expect_near(dense.gradient_of(0), e.weight, "weight");
            expect_near(dense.gradient_of(1), e.bias, "bias");
        }
}

TEST(Dense, EachAppliesToEveryVectorAsToARow)
{
    OneLayer each("dense units=7 each=1", {3, 4}), rows("dense units=7", {4});
    Reals x = random_reals(2 * 12, 1), dy = random_reals(2 * 21, 2), dx(24, NAN), other(24, NAN);
    EXPECT_EQ(each.layer->y.rank, 2);
    EXPECT_EQ(each.count(0), rows.count(0));
    rows.set(0, each.value(0));
    EXPECT_EQ(each.forward(x.data(), 2), rows.forward(x.data(), 6));
    each.backward(dy, dx.data(), false, true);
    rows.backward(dy, other.data(), false, true);
    EXPECT_EQ(dx, other);
    EXPECT_EQ(each.gradient_of(0), rows.gradient_of(0));
    EXPECT_EQ(each.gradient_of(1), rows.gradient_of(1));
    EXPECT_NE(refusal("dense units=7 each=1 visible=1", {4}).find("leave out each=1"),
              std::string::npos);
}

/* A net of two dense lines, the second with the first's weight transposed: y = (x W^T + a) W + b.
 */
TEST(Dense, TransposedIsItsDefinitionForwardAndBackward)
{
    for (long rows : {1, 5, 300})
        for (long units : {1, 7, 70, 600}) {
            const long in = 45;
            Net net("a: dense units=" + std::to_string(units) + "\ndense share=a transpose=1",
                    shape_of({in}));
            const ls_layer *layer = net->layers[1];
            ASSERT_EQ(net.params()->count, 3);
            Reals bias = random_reals(in, 5), weight(units * in), transposed(units * in);
            ls_params_load(net.params(), 2, bias.data(), net.params()->values);
            ls_params_store(net.params(), 0, net.params()->values, weight.data());
            for (long o = 0; o < units; o++)
                for (long i = 0; i < in; i++)
                    transposed[i * units + o] = weight[o * in + i];
            Rows at(layer, net.params(), rows);
            both_ways(layer, rows, at, 1);
            auto plain = [](const Buffer &b) { return Reals((real *)b, (real *)b + b.size()); };
            Expected e = define(plain(at.x[0]), transposed, bias, plain(at.dy), rows);
            expect_near(plain(at.y), e.y, "y");
            expect_near(plain(at.dx[0]), e.dx, "dx");
            std::vector<double> turned(units * in);
            for (long o = 0; o < units; o++)
                for (long i = 0; i < in; i++)
                    turned[o * in + i] = e.weight[i * units + o];
            Reals found(units * in), found_bias(in), first_bias(units);
            ls_params_store(net.params(), 0, at.gradient, found.data());
            ls_params_store(net.params(), 1, at.gradient, first_bias.data());
            ls_params_store(net.params(), 2, at.gradient, found_bias.data());
            expect_near(found, turned, "weight");
            expect_near(found_bias, e.bias, "bias");
            EXPECT_EQ(first_bias, Reals(units, 0)); /* the other line's own */
        }
}

TEST(Dense, BackwardAddsToGradientsAndWhereAskedToDx)
{
    OneLayer dense("dense units=3", {4});
    Reals x = random_reals(8, 1), dy = random_reals(6, 2), once(8), twice(8);
    dense.forward(x.data(), 2);
    dense.backward(dy, once.data(), false, true);
    Reals weight = dense.gradient_of(0), bias = dense.gradient_of(1);
    twice = once;
    dense.backward(dy, twice.data(), true, true);
    auto doubled = [](const Reals &v) {
        std::vector<double> out(v.begin(), v.end());
        for (double &value : out)
            value *= 2;
        return out;
    };
    expect_near(twice, doubled(once), "dx");
    expect_near(dense.gradient_of(0), doubled(weight), "weight");
    expect_near(dense.gradient_of(1), doubled(bias), "bias");
}

TEST(Dense, LeavesOutWhatNobodyWants)
{
    OneLayer dense("dense units=3", {4});
    Reals x = random_reals(8, 1), dy = random_reals(6, 2), dx(8, NAN);
    dense.forward(x.data(), 2);
    dense.backward(dy, nullptr, false, false);
    dense.backward(dy, dx.data(), false, false);
    EXPECT_EQ(dense.gradient_of(0), Reals(12, 0));
    EXPECT_EQ(dense.gradient_of(1), Reals(3, 0));
    EXPECT_FALSE(std::isnan(dx[7]));
}

TEST(Dense, TakesNoRows)
{
    OneLayer dense("dense units=3", {4});
    Reals none;
    real untouched = 5;
    EXPECT_TRUE(dense.forward(&untouched, 0).empty());
    dense.backward(none, &untouched, false, true);
    EXPECT_EQ(untouched, 5);
    EXPECT_EQ(dense.gradient_of(0), Reals(12, 0));
}

TEST(Dense, HasNoBiasWhereNoneIsAsked)
{
    OneLayer dense("dense units=2 bias=0", {3});
    EXPECT_EQ(dense.layer->slots, 1);
    Reals x = {0, 0, 0};
    EXPECT_EQ(dense.forward(x.data(), 1), Reals(2, 0));
}

/* The third slot is claimed, but no pass uses it, and the net leaves it out of what it trains. */
TEST(Dense, KeepsABiasOfItsInputsAside)
{
    OneLayer plain("dense units=3", {4}), dense("dense units=3 visible=1", {4});
    const ls_layer *layer = dense.layer;
    ASSERT_EQ(layer->slots, 3);
    const ls_slot *aside = &layer->params->slots[layer->slot[2]];
    EXPECT_STREQ(strrchr(aside->name, '/'), "/visible_bias");
    EXPECT_EQ(aside->kind, LS_SLOT_ASIDE);
    EXPECT_EQ(ls_shape_count(&aside->shape), 4);
    ls_slots trained = {};
    ls_net_add_slots(layer->net, ls_net_all(layer->net), &trained);
    EXPECT_TRUE(ls_slots_contain(&trained, layer->slot[1]));
    EXPECT_FALSE(ls_slots_contain(&trained, layer->slot[2]));
    for (long i = 0; i < 4; i++)
        layer->params->values[aside->offset + i] = 100;
    Reals x = random_reals(8, 1), dy = random_reals(6, 2), dx(8), plain_dx(8);
    EXPECT_EQ(dense.forward(x.data(), 2), plain.forward(x.data(), 2));
    dense.backward(dy, dx.data(), false, true);
    plain.backward(dy, plain_dx.data(), false, true);
    EXPECT_EQ(dx, plain_dx);
    EXPECT_EQ(dense.gradient_of(0), plain.gradient_of(0));
    EXPECT_EQ(dense.gradient_of(2), Reals(4, 0));
}

TEST(Dense, RefusesAVisibleBiasThatNoMachineCouldUse)
{
    for (const char *word : {"bias=0", "spectral=1"})
        EXPECT_NE(refusal(("dense units=3 visible=1 " + std::string(word)).c_str(), {4})
                      .find("leave out " + std::string(word)),
                  std::string::npos);
    EXPECT_NE(refusal("a: dense units=3\ndense share=a transpose=1 visible=1", {4})
                  .find("leave out transpose=1"),
              std::string::npos);
    EXPECT_EQ(refusal("a: dense units=4 visible=1\ndense share=a visible=1", {4}), "");
}

TEST(Dense, BitsDoNotDependOnAddresses)
{
    OneLayer dense("dense units=33", {57});
    Reals x = random_reals(19 * 57, 1), shifted(x.size() + 1);
    std::copy(x.begin(), x.end(), shifted.begin() + 1);
    EXPECT_EQ(dense.forward(x.data(), 19), dense.forward(shifted.data() + 1, 19));
}

TEST(Dense, StartsAsItsInitialiserSays)
{
    OneLayer uniform("dense units=300 init=uniform", {100});
    real bound = 0;
    for (real weight : uniform.value(0))
        bound = std::max(bound, std::fabs(weight));
    EXPECT_LE(bound, 0.1);
    EXPECT_GT(bound, 0.0999);
    double squares = 0;
    OneLayer he("dense units=300", {100});
    for (real weight : he.value(0))
        squares += weight * weight;
    EXPECT_NEAR(squares / 30000, 0.02, 0.001);
}

TEST(Dense, RefusesWhatItCannotDo)
{
    EXPECT_NE(refusal("dense", {4}).find("dense needs units="), std::string::npos);
    EXPECT_NE(refusal("dense units=0", {4}).find("1 or more"), std::string::npos);
    EXPECT_NE(refusal("dense units=3 unit=4", {4}).find("did you mean units?"), std::string::npos);
    EXPECT_NE(refusal("a: dense units=3\ndense share=a transpose=1 units=5", {4})
                  .find("units=5 does not agree with share=: by the weight of net/a, transposed, "
                        "this line has 4 outputs; leave units= out"),
              std::string::npos);
    EXPECT_NE(refusal("a: dense units=3\ndense units=5\ndense share=a transpose=1", {4})
                  .find("share=: the weight of net/dense3 would have to be 5x4, but net/a/weight "
                        "is 3x4"),
              std::string::npos);
}
