/* rnn, gru and lstm against their formulas, step after step in double; directions, outputs, how
 * their parameters start. */
#include "one_layer.h"

extern "C" {
#include "core/random.h"
}

namespace
{

const long T = 5, IN = 3, ROWS = 2;
using Vector = std::vector<double>;

double logistic(double z)
{
    return 1 / (1 + std::exp(-z));
}

/* Gate g of W x + R (m o h) + b, b being slot 2 unless biased = false; m is the mask of a row,
 * [units]. */
class Sums
{
  public:
    Sums(OneLayer &one, long units, bool biased)
        : m(units, 1), units_(units), w_(one.value(0)), r_(one.value(1)),
          b_(biased ? one.value(2) : Reals(4 * units, 0))
    {
    }
    Reals m;
    double x(long g, long j, const real *x) const
    {
        double sum = b_[g * units_ + j];
        for (long k = 0; k < IN; k++)
            sum += (double)w_[(g * units_ + j) * IN + k] * (double)x[k];
        return sum;
    }
    double h(long g, long j, const Vector &h) const
    {
        double sum = 0;
        for (long k = 0; k < units_; k++)
            sum += (double)r_[(g * units_ + j) * units_ + k] * (double)m[k] * h[k];
        return sum;
    }

  private:
    long units_;
    Reals w_, r_, b_;
};

/* Runs `cell`, which makes the next h (and c) of a step, over all rows; y [ROWS, T, units]. */
template <class Cell> Vector unroll(long units, const Reals &x, Cell cell)
{
    Vector y;
    for (long i = 0; i < ROWS; i++) {
        Vector h(units, 0), c(units, 0);
        for (long t = 0; t < T; t++) {
            cell(&x[(i * T + t) * IN], h, c);
            y.insert(y.end(), h.begin(), h.end());
        }
    }
    return y;
}

/* The layer's y of random x, and what the cell makes of the same x and parameters; as in training
 * if the products do not see this share of h. */
template <class Cell>
void expect_cell(const std::string &line, long units, Cell cell, double dropped = 0)
{
    OneLayer one((line + " units=" + std::to_string(units)).c_str(), {T, IN});
    const Reals x = random_reals(ROWS * T * IN, 3);
    ls_pass pass = {};
    pass.training = dropped > 0;
    pass.seed = 7;
    pass.step = 11;
    pass.row = 5;
    const ls_random stream = ls_random_stream(7, LS_RANDOM_DROPOUT, 11, 0, one.layer->stream);
    Sums sums(one, units, line.find("norm=1") == std::string::npos);
    const Vector expected = unroll(units, x, [&](const real *at, Vector &h, Vector &c) {
        const uint64_t row = 5 + (uint64_t)((at - x.data()) / (T * IN));
        ls_random_mask(stream, row, dropped, sums.m.data(), units);
        cell(one, sums, at, h, c);
    });
    expect_near(one.forward(x.data(), ROWS, pass), expected, line.c_str(), 10);
}

void lstm_cell(OneLayer &one, const Sums &s, const real *x, Vector &h, Vector &c)
{
    const long n = (long)h.size();
    const Reals p = one.layer->slots > 3 ? one.value(3) : Reals(3 * n, 0);
    const Vector before = h;
    for (long j = 0; j < n; j++) {
        auto sum = [&](long gate) { return s.x(gate, j, x) + s.h(gate, j, before); };
        const double i = logistic(sum(0) + p[j] * c[j]), f = logistic(sum(1) + p[n + j] * c[j]);
        c[j] = c[j] * f + i * std::tanh(sum(2));
        h[j] = std::tanh(c[j]) * logistic(sum(3) + p[2 * n + j] * c[j]);
    }
}

/* Layer normalization of a, by the k-th scales and shifts. */
Vector normalized(OneLayer &one, const Vector &a, long k)
{
    const long n = (long)a.size();
    const Reals scale = one.value(2), shift = one.layer->slots > 3 ? one.value(3) : Reals(5 * n, 0);
    double mean = 0, variance = 0;
    for (double x : a)
        mean += x / (double)n;
    for (double x : a)
        variance += (x - mean) * (x - mean) / (double)n;
    Vector y;
    for (long j = 0; j < n; j++)
        y.push_back((double)scale[k * n + j] * (a[j] - mean) / std::sqrt(variance + 1e-5) +
                    (double)shift[k * n + j]);
    return y;
}

void norm_cell(OneLayer &one, const Sums &s, const real *x, Vector &h, Vector &c)
{
    const long n = (long)h.size();
    Vector g[4];
    for (long k = 0; k < 4; k++) {
        for (long j = 0; j < n; j++)
            g[k].push_back(s.x(k, j, x) + s.h(k, j, h));
        g[k] = normalized(one, g[k], k);
    }
    for (long j = 0; j < n; j++)
        c[j] = logistic(g[1][j]) * c[j] + logistic(g[0][j]) * std::tanh(g[2][j]);
    const Vector y = normalized(one, c, 4);
    for (long j = 0; j < n; j++)
        h[j] = logistic(g[3][j]) * std::tanh(y[j]);
}

void gru_before_cell(OneLayer &, const Sums &s, const real *x, Vector &h, Vector &)
{
    const long n = (long)h.size();
    const Vector before = h;
    Vector reset(n);
    for (long j = 0; j < n; j++)
        reset[j] = logistic(s.x(0, j, x) + s.h(0, j, before)) * before[j];
    for (long j = 0; j < n; j++) {
        const double z = logistic(s.x(1, j, x) + s.h(1, j, before));
        h[j] = (1 - z) * before[j] + z * std::tanh(s.x(2, j, x) + s.h(2, j, reset));
    }
}

void gru_after_cell(OneLayer &one, const Sums &s, const real *x, Vector &h, Vector &)
{
    const Reals bias = one.value(3);
    const Vector before = h;
    for (long j = 0; j < (long)h.size(); j++) {
        const double r = logistic(s.x(0, j, x) + s.h(0, j, before)),
                     z = logistic(s.x(1, j, x) + s.h(1, j, before)),
                     n = std::tanh(s.x(2, j, x) + r * (s.h(2, j, before) + (double)bias[j]));
        h[j] = (1 - z) * n + z * before[j];
    }
}

template <double (*F)(double)>
void rnn_cell(OneLayer &, const Sums &s, const real *x, Vector &h, Vector &)
{
    const Vector before = h;
    for (long j = 0; j < (long)h.size(); j++)
        h[j] = F(s.x(0, j, x) + s.h(0, j, before));
}

double relu(double z)
{
    return z > 0 ? z : 0;
}

double hyperbolic(double z)
{
    return std::tanh(z);
}

/* Steps of x the other way round. */
Reals backwards(const Reals &x, long rows, long width)
{
    Reals out(x.size());
    for (long i = 0; i < rows; i++)
        for (long t = 0; t < T; t++)
            memcpy(&out[(i * T + T - 1 - t) * width], &x[(i * T + t) * width],
                   (size_t)width * sizeof(real));
    return out;
}

const char *const types[] = {"rnn",        "gru", "gru reset=after", "lstm", "lstm peephole=1",
                             "lstm norm=1"};

/* The numbers that a slot of a line starts at. */
Reals start_of(const std::string &line, long x, const char *slot)
{
    const Net net(line, shape_of({T, x}));
    const int s = ls_params_find(net.params(), (std::string("net/") + slot).c_str());
    Reals logical((size_t)ls_shape_count(&net.params()->slots[s].shape));
    ls_params_store(net.params(), s, net.params()->values, logical.data());
    return logical;
}

} /* namespace */

/* Numbers of units below, at and above a panel of 32. */
class Recurrent : public testing::TestWithParam<long>
{
};

TEST_P(Recurrent, LstmIsEquations61To66)
{
    expect_cell("lstm", GetParam(), lstm_cell);
}

TEST_P(Recurrent, PeepholesSeeTheCellBeforeAndTheOutputGateTheNewOne)
{
    expect_cell("lstm peephole=1", GetParam(), lstm_cell);
}

TEST_P(Recurrent, NormNormalizesEachGateAndTheCellOnItsWayOut)
{
    expect_cell("lstm norm=1", GetParam(), norm_cell);
    expect_cell("lstm norm=1 bias=0", GetParam(), norm_cell);
}

TEST_P(Recurrent, GruResetsBeforeTheProductAndZWeighsTheNewState)
{
    expect_cell("gru", GetParam(), gru_before_cell);
}

TEST_P(Recurrent, GruAfterResetsTheProductWithItsBiasAndZWeighsTheOldState)
{
    expect_cell("gru reset=after", GetParam(), gru_after_cell);
}

TEST_P(Recurrent, RnnIsTheActivationOfBothProducts)
{
    expect_cell("rnn", GetParam(), rnn_cell<hyperbolic>);
    expect_cell("rnn activation=logistic", GetParam(), rnn_cell<logistic>);
    expect_cell("rnn activation=relu", GetParam(), rnn_cell<relu>);
}

TEST_P(Recurrent, OfADroppedUnitNoProductOfARowsStepsSeesTheState)
{
    const std::string rest = " recurrent_dropout=0.4";
    expect_cell("lstm" + rest, GetParam(), lstm_cell, 0.4);
    expect_cell("lstm peephole=1" + rest, GetParam(), lstm_cell, 0.4);
    expect_cell("lstm norm=1" + rest, GetParam(), norm_cell, 0.4);
    expect_cell("gru" + rest, GetParam(), gru_before_cell, 0.4);
    expect_cell("gru reset=after" + rest, GetParam(), gru_after_cell, 0.4);
    expect_cell("rnn" + rest, GetParam(), rnn_cell<hyperbolic>, 0.4);
    expect_cell("lstm" + rest, GetParam(), lstm_cell); /* not in training */
}

TEST_P(Recurrent, ReverseIsForwardOverTheStepsTheOtherWayRound)
{
    const std::string units = " units=" + std::to_string(GetParam());
    for (const std::string type : types) {
        OneLayer forward((type + units).c_str(), {T, IN});
        OneLayer reverse((type + units + " reverse=1").c_str(), {T, IN});
        const Reals x = random_reals(ROWS * T * IN, 3);
        EXPECT_EQ(backwards(forward.forward(x.data(), ROWS), ROWS, GetParam()),
                  reverse.forward(backwards(x, ROWS, IN).data(), ROWS))
            << type;
    }
}

TEST_P(Recurrent, LastIsTheStateAfterAllSteps)
{
    const std::string units = " units=" + std::to_string(GetParam());
    for (const std::string type : types)
        for (const char *way : {"", " reverse=1"}) {
            OneLayer all((type + units + way).c_str(), {T, IN});
            OneLayer last((type + units + way + " last=1").c_str(), {T, IN});
            const Reals x = random_reals(ROWS * T * IN, 3);
            const Reals y = all.forward(x.data(), ROWS), end = last.forward(x.data(), ROWS);
            ASSERT_EQ((long)end.size(), ROWS * GetParam());
            for (long i = 0; i < ROWS; i++)
                EXPECT_EQ(0, memcmp(&end[i * GetParam()],
                                    &y[(i * T + (*way ? 0 : T - 1)) * GetParam()],
                                    (size_t)GetParam() * sizeof(real)))
                    << type << way;
        }
}

/* A sequence in two windows, each begun with what the one before has left, is the whole sequence;
 * rows that carry nothing begin at 0. */
TEST_P(Recurrent, WindowsThatCarryTheirStateAreOneSequence)
{
    const std::string units = " units=" + std::to_string(GetParam());
    for (const std::string type : types) {
        const std::string second = "; " + type + " units=6";
        Net whole("8,3 | " + type + units + second),
            part("4,3 | " + type + units + " carry=1" + second + " carry=1");
        const long width = 6;
        ASSERT_EQ(ls_net_carried(whole.get()), 0);
        Buffer state((size_t)(ls_net_carried(part.get()) * ROWS), 0), x(8 * 3 * ROWS);
        fill_inputs(x, x.size(), 8);
        ls_workspace *all = ls_workspace_create(whole.get(), ROWS, LS_INFERENCE);
        ls_workspace *some = ls_workspace_create(part.get(), ROWS, LS_INFERENCE);
        ls_pass pass = training_pass(1);
        const real *y = ls_workspace_forward(all, &pass, x, ROWS);
        const ls_carried stream = {pass.row, ROWS, state};
        pass.stream = &stream;
        for (int window = 0; window < 2; window++) {
            Buffer cut(4 * 3 * ROWS);
            for (long i = 0; i < ROWS; i++)
                memcpy(cut + i * 12, x + i * 24 + window * 12, 12 * sizeof(real));
            const real *found = ls_workspace_forward(some, &pass, cut, ROWS);
            for (long i = 0; i < ROWS; i++)
                for (long j = 0; j < 4 * width; j++)
                    ASSERT_NEAR(found[i * 4 * width + j], y[i * 8 * width + window * 4 * width + j],
                                tolerance())
                        << type << " window " << window << " row " << i;
        }
        ls_workspace_destroy(some);
        ls_workspace_destroy(all);
    }
}

INSTANTIATE_TEST_SUITE_P(Units, Recurrent, testing::Values(1, 7, 32, 45));

TEST(RecurrentStart, OfTheBiasOnlyTheForgetGatesPartIsNot0)
{
    const Reals usual = start_of("l: lstm units=2", IN, "l/bias");
    EXPECT_EQ(usual, Reals({0, 0, 1, 1, 0, 0, 0, 0}));
    const Reals asked = start_of("l: lstm units=2 forget_bias=-3", IN, "l/bias");
    EXPECT_EQ(asked, Reals({0, 0, -3, -3, 0, 0, 0, 0}));
    EXPECT_EQ(start_of("l: gru units=2", IN, "l/bias"), Reals(6, 0));
    const std::string norm = "l: lstm units=2 norm=1 forget_bias=3";
    EXPECT_EQ(start_of(norm, IN, "l/shift"), Reals({0, 0, 3, 3, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(start_of(norm, IN, "l/scale"), Reals(10, 1));
}

TEST(RecurrentStart, EachGatesRecurrentWeightIsOrthogonalOnRequest)
{
    const long n = 37;
    const Reals r = start_of("l: gru units=37 orthogonal=1", IN, "l/recurrent");
    for (long g = 0; g < 3; g++)
        for (long i = 0; i < n; i++)
            for (long j = 0; j < n; j++) {
                double dot = 0;
                for (long k = 0; k < n; k++)
                    dot += (double)r[(g * n + i) * n + k] * (double)r[(g * n + j) * n + k];
                ASSERT_NEAR(dot, i == j, 1e-6) << g << " " << i << " " << j;
            }
    EXPECT_NE(Reals(r.begin(), r.begin() + n * n), Reals(r.begin() + n * n, r.begin() + 2 * n * n));
    const Reals uniform = start_of("l: gru units=37", IN, "l/recurrent");
    for (real value : uniform)
        ASSERT_LE(std::fabs((double)value), 1 / std::sqrt(37.0) + 1e-7);
}

TEST(RecurrentSetup, NoStateIsCarriedAgainstTheStream)
{
    EXPECT_NE(refusal("gru units=3 carry=1 reverse=1", {2, 3}).find("leave one of them out"),
              std::string::npos);
}

TEST(RecurrentSetup, WhatIsNormalizedHasNoPeepholes)
{
    EXPECT_NE(refusal("lstm units=3 peephole=1 norm=1", {2, 3}).find("leave one of them out"),
              std::string::npos);
}

TEST(RecurrentSetup, OnlySequencesAreTaken)
{
    for (const char *line : {"rnn units=3", "gru units=3", "lstm units=3"})
        EXPECT_NE(refusal(line, {6}).find("takes sequences, [time, features] a row, found 6"),
                  std::string::npos)
            << refusal(line, {6});
    EXPECT_NE(refusal("lstm units=3", {2, 3, 4}).find("found 2x3x4"), std::string::npos);
    EXPECT_NE(refusal("lstm", {2, 3}), "");
}

/* Over 900 steps a gradient vanishes: to 0, not to denormal numbers, which make products slow. */
TEST(RecurrentSetup, AGradientThatHasVanishedIsZero)
{
    const long steps = 900;
    for (const char *line : {"lstm units=4 last=1", "gru units=4 last=1", "rnn units=4 last=1"}) {
        Net net(std::to_string(steps) + ",3 | " + line);
        const ls_slot *r = &net.params()->slots[net->layers[0]->slot[1]];
        for (long i = 0; i < r->size; i++)
            net.params()->values[r->offset + i] *= (real)0.1;
        ls_net_prepare(net.get(), NULL, 0, 1);
        Buffer x(net.x_count()), dy(net.y_count()), dx(net.x_count());
        Buffer gradient((size_t)net.params()->size, 0);
        fill_inputs(x, x.size(), 1);
        fill_inputs(dy, dy.size(), 2);
        ls_workspace *run = ls_workspace_create(net.get(), 1, LS_TRAINING);
        const ls_pass pass = training_pass(4, gradient);
        ls_workspace_forward(run, &pass, x, 1);
        ls_workspace_backward(run, &pass, dy, dx);
        ls_workspace_destroy(run);
        EXPECT_EQ(dx[0], 0) << line;
        EXPECT_NE(dx[3 * steps - 1], 0) << line;
        for (long i = 0; i < 3 * steps; i++)
            ASSERT_NE(std::fpclassify(dx[i]), FP_SUBNORMAL) << line << " at step " << i / 3;
    }
}
