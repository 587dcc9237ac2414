/* The table of activation functions: Raschka's values and derivatives; accuracy; NaN. */
#include <gtest/gtest.h>

#include <math.h>
#include <string.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

extern "C" {
#include "core/layers/activation.h"
#include "core/vector_math.h"
#include "core/workspace.h"
}

namespace
{

using Reals = std::vector<real>;

const ls_activation &function(const char *name)
{
    const ls_activation *found = ls_activation_find(name, nullptr);
    EXPECT_NE(found, nullptr) << name;
    return *found;
}

double value(const char *name, double x)
{
    const ls_activation &f = function(name);
    real in = (real)x, out = -77;
    f.value(1, &in, (real)f.alpha, &out);
    return out;
}

double slope(const char *name, double x)
{
    const ls_activation &f = function(name);
    real in = (real)x, y = (real)value(name, x), dy = 1, out = -77;
    f.slope(1, &in, &y, &dy, (real)f.alpha, false, &out);
    return out;
}

real nan_real()
{
    return std::numeric_limits<real>::quiet_NaN();
}

/* A million floats: every exponent, both signs, infinities, subnormals. */
Reals all_kinds()
{
    Reals x;
    for (uint64_t bits = 0; bits < 0x100000000ull; bits += 4099) {
        uint32_t word = (uint32_t)bits;
        float number;
        memcpy(&number, &word, sizeof number);
        if (!std::isnan(number))
            x.push_back(number);
    }
    return x;
}

/* Distance in units of the last place of a real near `exact`. */
double ulps(real found, long double exact)
{
    using limits = std::numeric_limits<real>;
    if (std::fabs(exact) > limits::max())
        return std::fabs(found) >= limits::max() ? 0 : INFINITY;
    int exponent = std::fabs(exact) < limits::min() ? limits::min_exponent - 1 : ilogbl(exact);
    return (double)(std::fabs((long double)found - exact) /
                    ldexpl(1, exponent - (limits::digits - 1)));
}

double worst_ulps(const Reals &x, const Reals &y, long double (*exact)(long double))
{
    double worst = 0;
    for (size_t i = 0; i < x.size(); i++) {
        double error = ulps(y[i], exact(x[i]));
        worst = error <= worst ? worst : error; /* a NaN becomes the worst */
    }
    return worst;
}

long double logistic(long double x)
{
    return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

long double softplus(long double x)
{
    return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x)));
}

long double elu(long double x)
{
    return x < 0 ? expm1l(x) : x;
}

} /* namespace */

TEST(Activation, StepsAndRampHaveTheTabledCorners)
{
    const double tiny = 1e-6;
    EXPECT_EQ(value("unit-step", -tiny), 0);
    EXPECT_EQ(value("unit-step", 0), 0.5);
    EXPECT_EQ(value("unit-step", -0.0), 0.5);
    EXPECT_EQ(value("unit-step", tiny), 1);
    EXPECT_EQ(value("binary-step", -tiny), 0);
    EXPECT_EQ(value("binary-step", 0), 1);
    EXPECT_EQ(value("sign", -3), -1);
    EXPECT_EQ(value("sign", 0), 0);
    EXPECT_EQ(value("sign", 3), 1);
    EXPECT_EQ(value("piecewise-linear", 0.5), 1);
    EXPECT_EQ(value("piecewise-linear", 0.25), 0.75);
    EXPECT_EQ(value("piecewise-linear", -0.5), 0);
    EXPECT_EQ(value("piecewise-linear", -7), 0);
    EXPECT_EQ(slope("piecewise-linear", 0.5), 0);
    EXPECT_EQ(slope("piecewise-linear", -0.5), 0);
    EXPECT_EQ(slope("piecewise-linear", 0.499), 1);
}

TEST(Activation, RectifiersHaveSlopeOneAtZero)
{
    for (const char *name : {"relu", "prelu", "leaky-relu", "elu"}) {
        EXPECT_EQ(slope(name, 0), 1) << name;
        EXPECT_EQ(slope(name, -0.0), 1) << name;
        EXPECT_EQ(value(name, 2.5), 2.5) << name;
    }
    EXPECT_EQ(value("relu", -2), 0);
    EXPECT_EQ(slope("relu", -2), 0);
    EXPECT_EQ(value("prelu", -2), -0.5);
    EXPECT_EQ(slope("prelu", -2), 0.25);
    EXPECT_NEAR(value("leaky-relu", -2), -0.02, 1e-9);
    EXPECT_NEAR(slope("elu", -2), std::exp(-2.0), 1e-7); /* f + alpha */
}

TEST(Activation, TwoNamesOfTheLineAgree)
{
    EXPECT_EQ(value("linear", 3.5), 3.5);
    EXPECT_EQ(value("identity", 3.5), 3.5);
    EXPECT_EQ(slope("linear", -9), 1);
    EXPECT_EQ(slope("identity", -9), 1);
}

TEST(Activation, SmoothFunctionsAreWithinFourUlpOfLibm)
{
    struct {
        const char *name;
        long double (*exact)(long double);
    } cases[] = {{"logistic", logistic},
                 {"tanh", tanhl},
                 {"arctan", atanl},
                 {"softplus", softplus},
                 {"elu", elu}};
    Reals x = all_kinds(), y(x.size());
    for (auto &c : cases) {
        function(c.name).value((long)x.size(), x.data(), 1, y.data());
        EXPECT_LT(worst_ulps(x, y, c.exact), 4) << c.name;
    }
    ls_math_exp_row((long)x.size(), x.data(), 0, y.data());
    EXPECT_LT(worst_ulps(x, y, expl), 4) << "exp";
}

TEST(Activation, NothingOverflowsFarFromZero)
{
    for (double far : {100.0, 1e4, 1e30}) {
        EXPECT_EQ(value("logistic", far), 1);
        EXPECT_LT(value("logistic", -far), 1e-43);
        EXPECT_EQ(value("softplus", far), (real)far);
        EXPECT_LT(value("softplus", -far), 1e-43);
        EXPECT_EQ(value("tanh", far), 1);
        EXPECT_EQ(value("tanh", -far), -1);
        EXPECT_EQ(value("elu", -far), -1);
        for (const ls_activation *f = ls_activations; f->name; f++)
            for (double x : {-far, far})
                EXPECT_TRUE(std::isfinite(slope(f->name, x))) << f->name << " at " << x;
    }
}

#ifdef LS_DOUBLE /* in float, central differences lose half of their digits */
TEST(Activation, DerivativeIsTheSlopeOfTheValue)
{
    for (const ls_activation *f = ls_activations; f->name; f++)
        for (double x = -3.03; x < 3; x += 0.1) { /* no kink among these */
            double h = 1e-5, numeric = (value(f->name, x + h) - value(f->name, x - h)) / (2 * h);
            EXPECT_NEAR(slope(f->name, x), numeric, 1e-8) << f->name << " at " << x;
        }
}
#endif

TEST(Activation, NanIsNeverSwallowed)
{
    Reals x(67, (real)0.7), y(67);
    x[0] = x[30] = x[66] = nan_real(); /* in a vector's body and in the tail */
    for (const ls_activation *f = ls_activations; f->name; f++) {
        f->value(67, x.data(), (real)f->alpha, y.data());
        for (int i = 0; i < 67; i++)
            EXPECT_EQ(std::isnan(y[i]), std::isnan(x[i])) << f->name << " at " << i;
    }
}

TEST(Activation, TailsGiveTheBitsOfTheBody)
{
    Reals x(200);
    for (size_t i = 0; i < x.size(); i++)
        x[i] = (real)std::sin(1.7 * (double)i) * 4;
    for (const ls_activation *f = ls_activations; f->name; f++) {
        Reals whole(x.size()), slopes(x.size()), part(x.size()), part_slopes(x.size());
        const real a = (real)f->alpha;
        f->value(200, x.data(), a, whole.data());
        f->slope(200, x.data(), whole.data(), x.data(), a, false, slopes.data());
        for (long n = 1; n < 40; n++) {
            f->value(n, x.data() + n, a, part.data());
            f->slope(n, x.data() + n, part.data(), x.data() + n, a, false, part_slopes.data());
            EXPECT_EQ(memcmp(part.data(), &whole[n], n * sizeof(real)), 0) << f->name << n;
            EXPECT_EQ(memcmp(part_slopes.data(), &slopes[n], n * sizeof(real)), 0) << f->name << n;
        }
    }
}

TEST(Activation, EachHasItsFormulasForPeople)
{
    for (const ls_activation *f = ls_activations; f->name; f++) {
        EXPECT_GT(strlen(f->formula), 0u) << f->name;
        EXPECT_GT(strlen(f->derivative), 0u) << f->name;
        EXPECT_EQ(ls_activation_find(f->name, nullptr), f);
    }
    EXPECT_EQ(ls_activation_find("relus", nullptr), nullptr);
}

namespace
{

/* A net of one activation line over rows of `width` numbers. */
struct Line {
    ls_params *params = ls_params_create();
    ls_net *net;
    ls_error error = {};
    Reals values;

    explicit Line(const char *line, long width = 5)
    {
        ls_shape shape = {1, {width}};
        net = ls_net_build(params, nullptr, "net", line, &shape, &error);
        values.assign((size_t)params->size, 0);
        ls_params_commit(params, values.data(), nullptr);
        if (net)
            ls_params_initialize(params, 1, nullptr);
    }
    ~Line()
    {
        ls_net_destroy(net);
        ls_params_destroy(params);
    }
    Reals dx(const Reals &x, const Reals &dy, real *gradient = nullptr) const
    {
        ls_workspace *run = ls_workspace_create(net, 1, LS_TRAINING);
        ls_pass pass = {};
        pass.training = true;
        pass.gradient = gradient;
        Reals dx(x.size());
        ls_workspace_forward(run, &pass, x.data(), 1);
        ls_workspace_backward(run, &pass, dy.data(), dx.data());
        ls_workspace_destroy(run);
        return dx;
    }
};

} /* namespace */

TEST(Activation, StepsLetNothingThroughWithoutASurrogate)
{
    const Reals x = {-2, -1, 0, 1, 3}, dy = {1, 2, 3, 4, 5};
    EXPECT_EQ(Line("activation function=binary-step").dx(x, dy), Reals(5, 0));
    EXPECT_EQ(Line("activation function=sign surrogate=ste").dx(x, dy), dy);
    EXPECT_EQ(Line("activation function=sign surrogate=clipped-ste").dx(x, dy),
              (Reals{0, 2, 3, 4, 0}));
}

/* Rosenblatt's rule: w += rate (d - y) x. With e = d - y and half of e^2, -gradient = (d - y) x. */
TEST(Activation, PerceptronRuleIsAStepWithItsSurrogate)
{
    Line line("dense units=1\nactivation function=binary-step surrogate=ste", 3);
    std::fill(line.values.begin(), line.values.end(), 0);
    Reals gradient((size_t)line.params->size, 0);
    const Reals x = {5, -2, 3};
    line.dx(x, {1}, gradient.data()); /* y = step(0) = 1, d = 0: dy = y - d = 1 */
    const ls_slot &weight = line.params->slots[ls_params_find(line.params, "net/dense1/weight")];
    Reals logical(3);
    ls_params_store(line.params, (int)(&weight - line.params->slots), gradient.data(),
                    logical.data());
    EXPECT_EQ(logical, x);
}

TEST(Activation, SaysWhetherItBlocksLearning)
{
    EXPECT_TRUE(Line("activation function=unit-step").net->layers[0]->blocks);
    EXPECT_FALSE(Line("activation function=unit-step surrogate=ste").net->layers[0]->blocks);
    EXPECT_FALSE(Line("activation function=relu").net->layers[0]->blocks);
}

TEST(Activation, PreluLearnsItsSlope)
{
    Line line("activation function=prelu alpha=0.5");
    ASSERT_EQ(line.params->count, 1);
    EXPECT_EQ(line.params->slots[0].kind, LS_SLOT_BIAS);
    EXPECT_EQ(line.values[0], (real)0.5);
    Reals gradient((size_t)line.params->size, 10);
    EXPECT_EQ(line.dx({-2, -1, 0, 1, 3}, {1, 2, 3, 4, 5}, gradient.data()),
              (Reals{0.5, 1, 3, 4, 5}));
    EXPECT_EQ(gradient[0], 10 - 2 - 2); /* added: sum of dy x over x < 0 */
    EXPECT_EQ(Line("activation function=leaky-relu alpha=0.5").params->count, 0);
}

TEST(Activation, PreluSumsOverAnyNumberOfInputs)
{
    for (long n : {1, 15, 16, 17, 96, 111, 1000}) {
        Line line("activation function=prelu", n);
        Reals x((size_t)n), dy((size_t)n), gradient((size_t)line.params->size, 0);
        double expected = 0;
        for (long i = 0; i < n; i++) {
            x[i] = (real)(i * 37 % 19 - 9);
            dy[i] = (real)(i % 7) + (real)0.5;
            expected += x[i] < 0 ? (double)x[i] * (double)dy[i] : 0;
        }
        line.dx(x, dy, gradient.data());
        EXPECT_EQ(gradient[0], (real)expected) << n; /* halves: exact in any order */
    }
}

TEST(Activation, MistakesAreNamed)
{
    struct {
        const char *line, *says;
    } cases[] = {
        {"activation function=rellu", "did you mean relu?"},
        {"activation", "needs function="},
        {"activation function=relu alpha=0.1", "takes no alpha"},
        {"activation function=elu alpha=1x", "is not a number"},
        {"activation function=elu alpha=-1", "out of range"},
        {"activation function=tanh surrogate=ste", "has a derivative of its own"},
    };
    for (auto &c : cases) {
        Line line(c.line);
        EXPECT_EQ(line.net, nullptr) << c.line;
        EXPECT_EQ(line.error.code, LS_USAGE);
        EXPECT_NE(std::string(line.error.text).find(c.says), std::string::npos) << line.error.text;
    }
}
