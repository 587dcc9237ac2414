/* spectral=1 against the formulas of Miyato et al. 2018, written plainly, with the same layer
 * without it as the reference for y and G; what prepare, shards, applications and steps make of u.
 */
#include "one_layer.h"

namespace
{

using Doubles = std::vector<double>;

/* dimension: of the weight, that is the matrix's rows. */
struct Line {
    const char *input, *line;
    int dimension;
};

/* Every layout and kernel: several panels, groups, depthwise, Winograd, kernels as large as the
 * image. */
const Line lines[] = {
    {"6", "dense units=5", 0},
    {"3,4,5", "dense units=70 bias=0", 0},
    {"6,5,3", "conv2d out=4 kernel=3,2 pad=1 stride=2,1", 0},
    {"8,8,16", "conv2d out=40 kernel=3 pad=1", 0},
    {"6,5,4", "conv2d out=6 kernel=3,2 groups=2", 0},
    {"5,6,5", "conv2d out=5 kernel=3 groups=5 pad=1", 0},
    {"3,4,3", "conv2d out=5 kernel=3,4", 0},
    {"3,4,35", "deconv2d out=4 kernel=4 stride=2 pad=1", 1},
    {"4,5,16", "deconv2d out=33 kernel=3 pad=1 bias=0", 1},
    {"3,3,4", "deconv2d out=6 kernel=3,2 groups=2", 1},
    {"3,2,4", "deconv2d out=4 kernel=3 groups=4 stride=2", 1},
    {"1,1,7", "deconv2d out=5 kernel=4", 1},
};
const double CLOSE = IS_DOUBLE ? 1e-12 : 1e-5;
const long ROWS = 4;

std::string text_of(const Line &line, const char *options)
{
    return std::string(line.input) + " | " + line.line + options;
}

Reals logical_of(const Net &net, int k, const real *array)
{
    const int slot = net->layers[0]->slot[k];
    Reals logical((size_t)ls_shape_count(&net.params()->slots[slot].shape));
    ls_params_store(net.params(), slot, array, logical.data());
    return logical;
}

void load(const Net &net, int k, const Reals &logical)
{
    ls_params_load(net.params(), net->layers[0]->slot[k], logical.data(), net.params()->values);
}

int slot_u(const Net &net)
{
    return net->layers[0]->slots - 1;
}

double normalize(Doubles &x)
{
    double norm = 0;
    for (double one : x)
        norm += one * one;
    for (double &one : x)
        one /= std::sqrt(norm);
    return std::sqrt(norm);
}

/* One iteration from u, and W / sigma. */
struct Formula {
    long rows, columns;
    std::vector<std::pair<long, long>> place; /* row and column of each logical number */
    Doubles v, u, weight;
    double sigma;

    Formula(const ls_shape &shape, int dimension, const Reals &W, const Reals &start)
        : rows(shape.at[dimension]), columns((long)W.size() / rows), v((size_t)columns),
          u((size_t)rows)
    {
        const long inner = ls_shape_count(&shape) / shape.at[0];
        const long taps = inner / shape.at[1];
        for (long i = 0; i < (long)W.size(); i++)
            place.push_back(dimension == 0
                                ? std::pair(i / inner, i % inner)
                                : std::pair(i / taps % rows, i / inner * taps + i % taps));
        for (size_t i = 0; i < W.size(); i++)
            v[place[i].second] += (double)W[i] * (double)start[place[i].first];
        normalize(v);
        for (size_t i = 0; i < W.size(); i++)
            u[place[i].first] += (double)W[i] * v[place[i].second];
        sigma = normalize(u);
        for (real one : W)
            weight.push_back((double)one / sigma);
    }
    /* (G - <G, W / sigma> u v^T) / sigma */
    Doubles gradient(const Reals &G) const
    {
        double inner = 0;
        Doubles result;
        for (size_t i = 0; i < G.size(); i++)
            inner += (double)G[i] * weight[i];
        for (size_t i = 0; i < G.size(); i++)
            result.push_back(((double)G[i] - inner * u[place[i].first] * v[place[i].second]) /
                             sigma);
        return result;
    }
};

Formula formula_of(const Net &net, int dimension)
{
    const real *values = net.params()->values;
    return Formula(net.params()->slots[net->layers[0]->slot[0]].shape, dimension,
                   logical_of(net, 0, values), logical_of(net, slot_u(net), values));
}

/* The line without spectral=1, its weight that of the formula. */
void copy_normalized(const Net &net, const Formula &formula, Net &plain)
{
    load(plain, 0, Reals(formula.weight.begin(), formula.weight.end()));
    if (net->layers[0]->slots == 3)
        load(plain, 1, logical_of(net, 1, net.params()->values));
    plain.prepare();
}

void expect_close(const Reals &found, const Doubles &expected, const std::string &what,
                  double slack = 1)
{
    double wrong = 0, size = 0;
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); i++) {
        wrong += std::pow((double)found[i] - expected[i], 2);
        size += expected[i] * expected[i];
    }
    EXPECT_LE(std::sqrt(wrong), slack * CLOSE * std::sqrt(size)) << what;
    EXPECT_GT(size, 0) << what;
}

/* A pass of training over rows [begin, end) of what Rows draws for ROWS of them. */
void apply(const Net &net, long begin, long end, Rows &all, real *gradient, long total)
{
    const ls_layer *layer = net->layers[0];
    Bench bench(layer, end - begin);
    ls_pass pass = training_pass(4, gradient);
    pass.total = total;
    ls_layer_args args = all.args();
    args.x[0] += begin * (long)net.x_count();
    args.dx[0] += begin * (long)net.x_count();
    args.y += begin * (long)net.y_count();
    args.dy += begin * (long)net.y_count();
    bench.forward(pass, args);
    bench.backward(pass, args);
}

/* What a step does to u. */
void step(const Net &net)
{
    Rows at(net->layers[0], net.params(), 1);
    apply(net, 0, 1, at, at.gradient, 1);
    Reals u = logical_of(net, slot_u(net), net.params()->values);
    const Reals change = logical_of(net, slot_u(net), at.gradient);
    for (size_t i = 0; i < u.size(); i++)
        u[i] += change[i];
    load(net, slot_u(net), u);
    net.prepare();
}

} /* namespace */

TEST(Spectral, IsItsFormulaInEveryLayout)
{
    for (const Line &line : lines) {
        Net net(text_of(line, " spectral=1")), plain(text_of(line, ""));
        const ls_layer *layer = net->layers[0];
        const Formula formula = formula_of(net, line.dimension);
        copy_normalized(net, formula, plain);
        Rows at(layer, net.params(), ROWS), expected(plain->layers[0], plain.params(), ROWS);
        both_ways(layer, ROWS, at, 4);
        both_ways(plain->layers[0], ROWS, expected, 4);
        EXPECT_LE(difference(at.y, expected.y, at.y.size()), CLOSE) << line.line;
        EXPECT_LE(difference(at.dx[0], expected.dx[0], at.dx[0].size()), CLOSE) << line.line;
        const Reals G = logical_of(plain, 0, expected.gradient);
        expect_close(logical_of(net, 0, at.gradient), formula.gradient(G), line.line, 10);
        if (layer->slots == 3) {
            EXPECT_EQ(logical_of(net, 1, at.gradient), logical_of(plain, 1, expected.gradient));
        }
        Doubles change = formula.u;
        const Reals u = logical_of(net, slot_u(net), net.params()->values);
        for (size_t i = 0; i < u.size(); i++)
            change[i] = ROWS / (double)training_pass(4).total * (change[i] - (double)u[i]);
        expect_close(logical_of(net, slot_u(net), at.gradient), change, line.line);
        for (long i = 0; i < net.params()->slots[layer->slot[0]].size; i++) /* padding stays 0 */
            ASSERT_TRUE(net.params()->values[i] != 0 || at.gradient[i] == 0) << line.line;
    }
}

TEST(Spectral, PrepareMayRunAnyNumberOfTimes)
{
    for (const Line &line : lines) {
        Net net(text_of(line, " spectral=1"));
        Rows once(net->layers[0], net.params(), 2), again(net->layers[0], net.params(), 2);
        const Reals u = logical_of(net, slot_u(net), net.params()->values);
        both_ways(net->layers[0], 2, once, 4);
        for (int k = 0; k < 3; k++)
            net.prepare();
        both_ways(net->layers[0], 2, again, 4);
        EXPECT_TRUE(once.y.same_bits(again.y));
        EXPECT_TRUE(once.gradient.same_bits(again.gradient));
        EXPECT_EQ(logical_of(net, slot_u(net), net.params()->values), u);
    }
}

TEST(Spectral, StepsFindTheLargestSingularValue)
{
    Net net("3 | dense units=2 bias=0 spectral=1");
    load(net, 0, {3, 0, 0, 0, 4, 0}); /* singular values 3 and 4 */
    load(net, 1, {1, (real)0.1});
    net.prepare();
    for (int k = 0; k < 60; k++)
        step(net);
    const Reals u = logical_of(net, 1, net.params()->values);
    EXPECT_NEAR(u[0], 0, 1e-6);
    EXPECT_NEAR(u[1], 1, 1e-6);
    Rows at(net->layers[0], net.params(), 1);
    for (int k = 0; k < 3; k++)
        at.x[0][k] = k < 2;
    both_ways(net->layers[0], 1, at, 4);
    EXPECT_NEAR(at.y[0], 0.75, 1e-6);
    EXPECT_NEAR(at.y[1], 1, 1e-6);
}

#ifdef LS_DOUBLE /* in float, central differences lose half of their digits */
/* The gradient takes u' and v as constants: after `steps` towards rest it must be the derivative.
 */
void expect_derivative(int steps, bool constants_stay)
{
    for (const Line &line : lines) {
        Net net(text_of(line, " spectral=1"));
        const ls_layer *layer = net->layers[0];
        for (int k = 0; k < steps; k++)
            step(net);
        layer->params->constants_stay = constants_stay;
        Rows at(layer, net.params(), ROWS);
        both_ways(layer, ROWS, at, 4);
        Reals W = logical_of(net, 0, net.params()->values);
        const Reals found = logical_of(net, 0, at.gradient);
        auto loss = [&]() {
            load(net, 0, W);
            net.prepare();
            Rows now(layer, net.params(), ROWS);
            both_ways(layer, ROWS, now, 4);
            double sum = 0;
            for (size_t i = 0; i < now.y.size(); i++)
                sum += (double)now.dy[i] * (double)now.y[i];
            return sum;
        };
        for (size_t i = 0; i < W.size(); i += 1 + W.size() / 20) {
            const real middle = W[i], h = (real)1e-5;
            W[i] = middle + h;
            const double above = loss();
            W[i] = middle - h;
            const double derivative = (above - loss()) / (2e-5);
            W[i] = middle;
            EXPECT_NEAR(found[i], derivative, 1e-6 * norm(found.data(), found.size())) << line.line;
        }
    }
}

/* How sigma depends on W through u' and v is then of second order. */
TEST(Spectral, AtRestTheGradientIsTheDerivative)
{
    expect_derivative(1000, false);
}

TEST(Spectral, TheGradientIsTheDerivativeWhileConstantsStay)
{
    expect_derivative(0, true);
}
#endif

TEST(Spectral, ShardsAddUpAndApplicationsMoveUOnce)
{
    for (const Line &line : lines) {
        Net net(text_of(line, " spectral=1"));
        const ls_layer *layer = net->layers[0];
        Rows all(layer, net.params(), ROWS), twice(layer, net.params(), ROWS);
        apply(net, 0, ROWS, all, all.gradient, ROWS);
        Buffer first((size_t)net.params()->size, 0), second((size_t)net.params()->size, 0);
        apply(net, 0, 1, all, first, ROWS);
        apply(net, 1, ROWS, all, second, ROWS);
        for (size_t i = 0; i < first.size(); i++)
            first[i] += second[i];
        EXPECT_LE(difference(first, all.gradient, first.size()), ROUNDING) << line.line;
        for (int k = 0; k < 2; k++)
            apply(net, 0, ROWS, twice, twice.gradient, ROWS);
        const long u = net.params()->slots[layer->slot[slot_u(net)]].offset;
        for (long i = 0; i < (long)all.gradient.size(); i++)
            all.gradient[i] *= i < u ? 2 : 1;
        EXPECT_LE(difference(twice.gradient, all.gradient, all.gradient.size()), ROUNDING)
            << line.line;
    }
}

/* A line of the same type shares u too; a transposed one has its own, of the weight's rows as well.
 */
TEST(Spectral, LinesThatShareAWeightShareItsGradient)
{
    for (const char *text :
         {"5 | a: dense units=5 bias=0 spectral=1; dense share=a bias=0 spectral=1",
          "6 | a: dense units=4 bias=0 spectral=1; dense share=a transpose=1 bias=0 spectral=1"}) {
        Net net(text);
        const ls_params *params = net.params();
        const ls_slot &weight = params->slots[net->layers[0]->slot[0]];
        Buffer x(net.x_count() * ROWS), dy(net.y_count() * ROWS), gradient((size_t)params->size, 0);
        fill_inputs(x, x.size(), 1);
        fill_inputs(dy, dy.size(), 2);
        ls_workspace *run = ls_workspace_create(net.get(), ROWS, LS_TRAINING);
        ls_pass pass = training_pass(4, gradient);
        pass.total = ROWS;
        auto loss = [&]() {
            net.prepare();
            const real *y = ls_workspace_forward(run, &pass, x, ROWS);
            double sum = 0;
            for (size_t i = 0; i < dy.size(); i++)
                sum += (double)dy[i] * (double)y[i];
            return sum;
        };
        for (int step = 0; step < 1000; step++) {
            memset((real *)gradient, 0, gradient.size() * sizeof(real));
            loss();
            ls_workspace_backward(run, &pass, dy, nullptr);
            for (int s = 0; s < params->count; s++)
                for (long i = 0;
                     params->slots[s].kind == LS_SLOT_STATE && i < params->slots[s].size; i++)
                    params->values[params->slots[s].offset + i] +=
                        gradient[params->slots[s].offset + i];
        }
        for (int s = 0; s < params->count; s++)
            if (params->slots[s].kind == LS_SLOT_STATE) {
                EXPECT_NEAR(
                    norm(params->values + params->slots[s].offset, (size_t)params->slots[s].size),
                    1, 1e-5);
            }
        for (long i = 0; IS_DOUBLE && i < weight.size;
             i++) { /* float loses the digits of differences */
            real *at = params->values + weight.offset + i, middle = *at;
            *at = middle + (real)1e-5;
            const double above = loss();
            *at = middle - (real)1e-5;
            const double derivative = (above - loss()) / 2e-5;
            *at = middle;
            if (middle != 0) {
                EXPECT_NEAR(gradient[weight.offset + i], derivative, 1e-6) << text;
            }
        }
        ls_workspace_destroy(run);
    }
}

TEST(Spectral, EvaluationTakesTheSameWeightAndLeavesU)
{
    Net net("6 | dense units=5 spectral=1");
    Rows training(net->layers[0], net.params(), 3), evaluation(net->layers[0], net.params(), 3);
    both_ways(net->layers[0], 3, training, 4);
    Bench bench(net->layers[0], 3);
    ls_pass pass = training_pass(4, evaluation.gradient);
    pass.training = false;
    pass.total = 0; /* which evaluation need not say */
    bench.forward(pass, evaluation.args());
    bench.backward(pass, evaluation.args());
    EXPECT_TRUE(training.y.same_bits(evaluation.y));
    EXPECT_EQ(logical_of(net, 0, evaluation.gradient), logical_of(net, 0, training.gradient));
    EXPECT_EQ(logical_of(net, 2, evaluation.gradient), Reals(5, 0));
}

TEST(Spectral, RefusesAWeightOfZeros)
{
    for (const char *line :
         {"dense units=2 init=zero spectral=1", "conv2d out=2 kernel=1 init=zero spectral=1",
          "deconv2d out=2 kernel=1 init=zero spectral=1"})
        EXPECT_NE(refusal(line, {2, 2, 2}).find("init=zero makes 0"), std::string::npos) << line;
    EXPECT_EQ(refusal("dense units=2 spectral=1", {2, 2, 2}), "");
}
