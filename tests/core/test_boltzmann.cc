/* A restricted Boltzmann machine against double loops, and against sums over all its states. */
#include "one_layer.h"

extern "C" {
#include "core/boltzmann.h"
}

namespace
{

const ls_boltzmann_units BERNOULLI = LS_BOLTZMANN_BERNOULLI, GAUSSIAN = LS_BOLTZMANN_GAUSSIAN,
                         RECTIFIED = LS_BOLTZMANN_RECTIFIED;

/* A machine with random numbers, and these in double and in logical order. */
struct Machine {
    Net net;
    ls_boltzmann machine;
    Reals weight, hidden_bias, visible_bias;

    Machine(long visible, long hidden, long rows, ls_boltzmann_units visible_units = BERNOULLI,
            ls_boltzmann_units hidden_units = BERNOULLI)
        : net(std::to_string(visible) + " | dense units=" + std::to_string(hidden) + " visible=1"),
          machine(ls_boltzmann_create(net->layers[0], visible_units, hidden_units, rows)),
          weight(logical(LS_BOLTZMANN_WEIGHT)), hidden_bias(logical(LS_BOLTZMANN_HIDDEN)),
          visible_bias(logical(LS_BOLTZMANN_VISIBLE))
    {
    }
    ~Machine()
    {
        ls_boltzmann_destroy(&machine);
    }
    Reals logical(int k, const real *array = nullptr) const
    {
        const int slot = net->layers[0]->slot[k];
        Reals out((size_t)ls_shape_count(&net.params()->slots[slot].shape));
        ls_params_store(net.params(), slot, array ? array : net.params()->values, out.data());
        return out;
    }
    /* b + W v in double. */
    std::vector<double> inputs(const real *v) const
    {
        std::vector<double> x(hidden_bias.begin(), hidden_bias.end());
        for (size_t j = 0; j < x.size(); j++)
            for (size_t i = 0; i < visible_bias.size(); i++)
                x[j] += (double)weight[j * visible_bias.size() + i] * v[i];
        return x;
    }
    /* E(v, h), h by its bits. */
    double energy(const real *v, unsigned h) const
    {
        std::vector<double> x = inputs(v);
        double e = 0;
        for (size_t i = 0; i < visible_bias.size(); i++) {
            const double a = visible_bias[i], off = v[i] - a;
            e += machine.visible_units == GAUSSIAN ? off * off / 2 : -a * v[i];
        }
        for (size_t j = 0; j < x.size(); j++)
            e -= h >> j & 1 ? x[j] : 0;
        return e;
    }
    double free_energy(const real *v) const
    {
        Reals inputs((size_t)machine.hidden);
        const real *x = ls_boltzmann_hidden_inputs(&machine, 1, v);
        double energy;
        ls_boltzmann_energies(&machine, 1, v, x, nullptr, &energy);
        return energy;
    }
};

double mean_of(ls_boltzmann_units units, double x)
{
    real input = (real)x, mean;
    ls_boltzmann_means(units, 1, &input, &mean);
    return mean;
}

double sum_of(ls_boltzmann_units units, double x)
{
    real input = (real)x;
    return ls_boltzmann_means(units, 1, &input, nullptr);
}

} /* namespace */

TEST(Boltzmann, ProductsAreTheirDefinitionBothWays)
{
    for (long rows : {1, 5, 130})
        for (long hidden : {1, 7, 70}) {
            const long visible = 45;
            Machine m(visible, hidden, rows);
            Reals v = random_reals(rows * visible, 1), h = random_reals(rows * hidden, 2), y(v);
            std::vector<double> x, expected;
            for (long r = 0; r < rows; r++) {
                for (double input : m.inputs(v.data() + r * visible))
                    x.push_back(input);
                for (long i = 0; i < visible; i++) {
                    expected.push_back(m.visible_bias[i]);
                    for (long j = 0; j < hidden; j++)
                        expected.back() += (double)h[r * hidden + j] * m.weight[j * visible + i];
                }
            }
            const real *found = ls_boltzmann_hidden_inputs(&m.machine, rows, v.data());
            expect_near(Reals(found, found + rows * hidden), x, "hidden inputs");
            ls_boltzmann_visible_inputs(&m.machine, rows, h.data(), y.data());
            expect_near(y, expected, "visible inputs");
        }
}

TEST(Boltzmann, GradientIsASumOverRowsThatAreGivenNotRemembered)
{
    const long rows = 9, visible = 40, hidden = 33;
    Machine m(visible, hidden, rows);
    Reals other = random_reals(visible, 5), v = random_reals(rows * visible, 1);
    Reals slope = random_reals(rows * hidden, 2);
    Buffer gradient((size_t)m.net.params()->size, 1);
    std::vector<double> weight(visible * hidden, 1), bias(hidden, 1);
    for (long r = 0; r < rows; r++)
        for (long j = 0; j < hidden; j++) {
            bias[j] += slope[r * hidden + j];
            for (long i = 0; i < visible; i++)
                weight[j * visible + i] += (double)slope[r * hidden + j] * v[r * visible + i];
        }
    const ls_pass pass = training_pass(0, gradient);
    ls_boltzmann_hidden_inputs(&m.machine, 1, other.data());
    ls_boltzmann_gradient(&m.machine, &pass, rows, v.data(), slope.data());
    expect_near(m.logical(LS_BOLTZMANN_WEIGHT, gradient), weight, "weight");
    expect_near(m.logical(LS_BOLTZMANN_HIDDEN, gradient), bias, "hidden bias");
    EXPECT_EQ(m.logical(LS_BOLTZMANN_VISIBLE, gradient), Reals(visible, 1));
}

TEST(Boltzmann, FreeEnergyIsTheSumOverAllHiddenStates)
{
    for (ls_boltzmann_units units : {BERNOULLI, GAUSSIAN}) {
        const long visible = 19, hidden = 9;
        Machine m(visible, hidden, 1, units);
        for (unsigned salt = 0; salt < 5; salt++) {
            Reals v = random_reals(visible, salt);
            for (real &value : v)
                value = units == GAUSSIAN ? value : value > 0;
            double sum = 0;
            for (unsigned h = 0; h < 1u << hidden; h++)
                sum += std::exp(-m.energy(v.data(), h));
            EXPECT_NEAR(m.free_energy(v.data()), -std::log(sum), 100 * tolerance());
        }
    }
}

/* The conditional means are those of the joint distribution. */
TEST(Boltzmann, HiddenMeansAreThoseOfAllHiddenStates)
{
    const long visible = 6, hidden = 7;
    Machine m(visible, hidden, 1);
    Reals v = {1, 0, 1, 1, 0, 1}, means(hidden);
    std::vector<double> expected(hidden);
    double sum = 0, energy;
    for (unsigned h = 0; h < 1u << hidden; h++) {
        const double p = std::exp(-m.energy(v.data(), h));
        sum += p;
        for (long j = 0; j < hidden; j++)
            expected[j] += h >> j & 1 ? p : 0;
    }
    for (double &value : expected)
        value /= sum;
    ls_boltzmann_energies(&m.machine, 1, v.data(),
                          ls_boltzmann_hidden_inputs(&m.machine, 1, v.data()), means.data(),
                          &energy);
    expect_near(means, expected, "means");
}

/* Also where sums run over several blocks of lanes, and over a remainder. */
TEST(Boltzmann, MeansAndSumsOfManyUnitsAreThoseOfEachAlone)
{
    for (ls_boltzmann_units units : {BERNOULLI, GAUSSIAN, RECTIFIED})
        for (long n : {1, 15, 16, 33, 1024, 2500}) {
            Reals inputs = random_reals(n, 3), means(n), place;
            for (real &x : inputs)
                x *= 60;
            double expected = 0;
            for (long i = 0; i < n; i++)
                expected += sum_of(units, inputs[i]);
            place = inputs;
            const double sum = ls_boltzmann_means(units, n, inputs.data(), means.data());
            EXPECT_NEAR(sum, expected, 10 * tolerance() * expected) << units << " of " << n;
            EXPECT_EQ(ls_boltzmann_means(units, n, inputs.data(), nullptr), sum);
            EXPECT_EQ(ls_boltzmann_means(units, n, place.data(), place.data()), sum);
            EXPECT_EQ(place, means);
            for (long i = 0; i < n; i++)
                ASSERT_EQ(means[i], (real)mean_of(units, inputs[i])) << units << " at " << i;
        }
}

TEST(Boltzmann, MeansAreTheFormulas)
{
    for (double x = -30; x < 30; x += 0.37) {
        const double tolerance = 1e-6 + 1e-6 * std::fabs(x);
        EXPECT_NEAR(mean_of(BERNOULLI, x), 1 / (1 + std::exp(-x)), tolerance);
        EXPECT_NEAR(mean_of(RECTIFIED, x), std::log1p(std::exp(x)), tolerance);
        EXPECT_EQ(mean_of(GAUSSIAN, x), (real)x);
    }
}

/* A rectified unit stands for Bernoulli units with the inputs x - 1/2, x - 3/2, ...; an integral
 * for their sum (the midpoint rule) is off by about a 24th of the derivative's change. */
TEST(Boltzmann, ARectifiedUnitIsASumOfShiftedUnits)
{
    for (double x = -8; x < 12; x += 0.5) {
        double mean = 0, sum = 0;
        for (int i = 1; i < 60; i++) {
            mean += mean_of(BERNOULLI, x - i + 0.5);
            sum += sum_of(BERNOULLI, x - i + 0.5);
        }
        EXPECT_NEAR(mean_of(RECTIFIED, x), mean, 0.013);
        EXPECT_NEAR(sum_of(RECTIFIED, x) - mean_of(BERNOULLI, x) / 24, sum, 0.002);
    }
}

#ifdef LS_DOUBLE
TEST(Boltzmann, TheDerivativeOfASumIsTheMean)
{
    const double step = 1e-4;
    for (ls_boltzmann_units units : {BERNOULLI, GAUSSIAN, RECTIFIED})
        for (double x = -20; x < 20; x += 0.173)
            EXPECT_NEAR((sum_of(units, x + step) - sum_of(units, x - step)) / (2 * step),
                        mean_of(units, x), 1e-7)
                << units << " at " << x;
    /* -Li2(-1) and -Li2(-e^-1), by their series; and no step where the formula changes */
    EXPECT_NEAR(sum_of(RECTIFIED, 0), M_PI * M_PI / 12, 1e-15);
    double series = 0;
    for (int k = 40; k > 0; k--)
        series -= std::pow(-std::exp(-1.0), k) / k / k;
    EXPECT_NEAR(sum_of(RECTIFIED, -1), series, 1e-15);
    EXPECT_NEAR(sum_of(RECTIFIED, 1), M_PI * M_PI / 6 + 0.5 - series, 1e-14);
    EXPECT_NEAR(sum_of(RECTIFIED, -1e-13), sum_of(RECTIFIED, 1e-13), 1e-12);
}
#endif

TEST(Boltzmann, AChangeOfOneUnitIsTheDifferenceOfEnergies)
{
    for (ls_boltzmann_units units : {BERNOULLI, GAUSSIAN})
        for (long hidden : {5, 32, 75}) {
            const long visible = 37;
            Machine m(visible, hidden, 1, units, hidden == 32 ? RECTIFIED : BERNOULLI);
            Reals v = random_reals(visible, 4), room(hidden);
            for (long i : {0, 17, 36}) {
                Reals changed = v;
                changed[i] = 1 - v[i];
                const double expected = m.free_energy(changed.data()) - m.free_energy(v.data());
                const real *x = ls_boltzmann_hidden_inputs(&m.machine, 1, v.data());
                EXPECT_NEAR(ls_boltzmann_change(&m.machine, v.data(), x, i, 1 - v[i], room.data()),
                            expected, 100 * tolerance());
            }
        }
}

TEST(Boltzmann, SamplesOfARowDoNotDependOnTheRowsDrawnWithIt)
{
    const long rows = 9, n = 37;
    const ls_random stream = ls_random_stream(3, LS_RANDOM_NOISE, 4, 5, 6);
    for (ls_boltzmann_units units : {BERNOULLI, GAUSSIAN, RECTIFIED}) {
        Reals inputs = random_reals(rows * n, 1), means(inputs.size()), all(inputs.size());
        ls_boltzmann_means(units, rows * n, inputs.data(), means.data());
        ls_boltzmann_samples(units, stream, 100, rows, n, inputs.data(), means.data(), all.data());
        Reals part(3 * n);
        ls_boltzmann_samples(units, stream, 104, 3, n, inputs.data() + 4 * n, means.data() + 4 * n,
                             part.data());
        EXPECT_EQ(Reals(all.begin() + 4 * n, all.begin() + 7 * n), part) << units;
    }
}

/* Of a rectified unit these are the moments of max(0, z), z normal around x with variance s(x). */
TEST(Boltzmann, SamplesHaveTheMomentsOfTheirUnits)
{
    const long rows = 40000;
    const std::vector<double> inputs = {-2, -0.3, 0, 0.7, 3};
    const long n = (long)inputs.size();
    for (ls_boltzmann_units units : {BERNOULLI, GAUSSIAN, RECTIFIED}) {
        Reals x(rows * n), means(rows * n), samples(rows * n);
        for (long i = 0; i < rows * n; i++)
            x[i] = (real)inputs[i % n];
        ls_boltzmann_means(units, rows * n, x.data(), means.data());
        ls_boltzmann_samples(units, ls_random_stream(3, LS_RANDOM_NOISE, 1, 0, 0), 0, rows, n,
                             x.data(), means.data(), samples.data());
        for (long k = 0; k < n; k++) {
            double sum = 0, square = 0;
            for (long r = 0; r < rows; r++) {
                sum += samples[r * n + k];
                square += std::pow((double)samples[r * n + k], 2);
            }
            const double at = inputs[k], s = 1 / (1 + std::exp(-at)), deviation = std::sqrt(s);
            const double above = std::erfc(-at / deviation / std::sqrt(2)) / 2;
            const double density = std::exp(-at * at / s / 2) / std::sqrt(2 * M_PI);
            const double rectified = at * above + deviation * density;
            const double mean = units == BERNOULLI ? s : units == GAUSSIAN ? at : rectified;
            const double second = units == BERNOULLI ? s
                                  : units == GAUSSIAN
                                      ? at * at + 1
                                      : (at * at + s) * above + at * deviation * density;
            const double slack = 5 / std::sqrt((double)rows);
            EXPECT_NEAR(sum / rows, mean, slack) << units << " at " << at;
            EXPECT_NEAR(square / rows, second, slack * (1 + 2 * std::fabs(at))) << units << at;
        }
    }
}

TEST(Boltzmann, RefusesALineWithoutVisibleBias)
{
    Net net("6 | dense units=5; activation function=tanh; dense units=2 visible=1");
    ls_error error = {};
    EXPECT_FALSE(ls_boltzmann_check(net->layers[0], &error));
    EXPECT_STREQ(error.text, "net/dense1 is of type dense and has no bias of visible units; a "
                             "restricted Boltzmann machine is a line `dense units=N visible=1`");
    EXPECT_FALSE(ls_boltzmann_check(net->layers[1], &error));
    EXPECT_TRUE(ls_boltzmann_check(net->layers[2], &error));
}
