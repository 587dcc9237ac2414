/* batchnorm against its formula in double, on blocks of every kind; what training, evaluation,
 * shards and ranks make of the statistics. */
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <thread>

#include "one_layer.h"

extern "C" {
#include "core/optimizer.h"
}

namespace
{

const double CLOSE = IS_DOUBLE ? 1e-11 : 3e-6;

std::string example(long channels, const std::string &options)
{
    return std::to_string(channels) + " | a: batchnorm " + options;
}

/* The formula, plainly: channel c of x[n], n a multiple of channels. */
struct Formula {
    std::vector<double> y, dx, dother, dscale, dshift, mean, unbiased;

    Formula(const Buffer &x, const Buffer *other, const Buffer &dy, long channels, bool relu,
            const real *scale, const real *shift, double epsilon)
        : y(x.size()), dx(x.size()), dother(x.size()), dscale(channels), dshift(channels),
          mean(channels), unbiased(channels)
    {
        size_t C = (size_t)channels, n = x.size();
        double m = (double)(n / C);
        for (size_t c = 0; c < C; c++) {
            double variance = 0, dxhat = 0;
            for (size_t i = c; i < n; i += C)
                mean[c] += (double)x[i] / m;
            for (size_t i = c; i < n; i += C)
                variance += ((double)x[i] - mean[c]) * ((double)x[i] - mean[c]) / m;
            unbiased[c] = m > 1 ? variance * m / (m - 1) : variance;
            double root = std::sqrt(variance + epsilon);
            for (size_t i = c; i < n; i += C) {
                double xhat = ((double)x[i] - mean[c]) / root;
                y[i] =
                    xhat * (double)scale[c] + (double)shift[c] + (other ? (double)(*other)[i] : 0);
                dother[i] = relu && y[i] <= 0 ? 0 : (double)dy[i];
                y[i] = relu && y[i] <= 0 ? 0 : y[i];
                dshift[c] += dother[i];
                dscale[c] += dother[i] * xhat;
            }
            dxhat = dscale[c] / m;
            for (size_t i = c; i < n; i += C)
                dx[i] = (double)scale[c] / root *
                        (dother[i] - dshift[c] / m - dxhat * ((double)x[i] - mean[c]) / root);
        }
    }
};

void expect_close(const real *found, const std::vector<double> &expected, const std::string &what,
                  double close = CLOSE)
{
    double wrong = 0, size = 0;
    for (size_t i = 0; i < expected.size(); i++) {
        wrong += std::pow((double)found[i] - expected[i], 2);
        size += expected[i] * expected[i];
    }
    EXPECT_LE(std::sqrt(wrong), close * std::sqrt(size)) << what;
    EXPECT_GT(size, 0) << what;
}

real *slot_of(const Net &net, real *array, int k)
{
    return array + net.params()->slots[net->layers[0]->slot[k]].offset;
}

/* Channels of one kind, rows of `x` as given; a residual and ReLU where asked. */
void compare(long channels, long rows, bool residual, bool relu, bool add, double centre)
{
    Net net(std::to_string(channels) + " | a: batchnorm @input" + (residual ? ",input" : "") +
            " epsilon=1e-3 relu=" + (relu ? "1" : "0"));
    const ls_layer *layer = net->layers[0];
    Rows at(layer, net.params(), rows, 1);
    for (size_t i = 0; i < at.x[0].size(); i++)
        at.x[0][i] += (real)centre;
    both_ways(layer, rows, at, 4, add);
    real *values = net.params()->values;
    Formula formula(at.x[0], residual ? &at.x[1] : nullptr, at.dy, channels, relu,
                    slot_of(net, values, 0), slot_of(net, values, 1), 1e-3);
    for (double &dx : formula.dx)
        dx += add;
    for (double &dx : formula.dother)
        dx += add;
    std::string what = std::to_string(channels) + " channels, " + std::to_string(rows) + " rows ";
    expect_close(at.y, formula.y, what + "y");
    expect_close(at.dx[0], formula.dx, what + "dx");
    if (residual)
        expect_close(at.dx[1], formula.dother, what + "dx of the second input");
    expect_close(slot_of(net, at.gradient, 0), formula.dscale, what + "dscale", 10 * CLOSE);
    expect_close(slot_of(net, at.gradient, 1), formula.dshift, what + "dshift", 10 * CLOSE);
    /* rows / total * momentum * (statistic - running value) */
    const double share = 0.1 * (double)rows / (double)training_pass(4).total;
    for (long c = 0; c < channels; c++) {
        formula.mean[c] = share * (formula.mean[c] - (double)slot_of(net, values, 2)[c]);
        formula.unbiased[c] = share * (formula.unbiased[c] - (double)slot_of(net, values, 3)[c]);
    }
    expect_close(slot_of(net, at.gradient, 2), formula.mean, what + "mean");
    expect_close(slot_of(net, at.gradient, 3), formula.unbiased, what + "variance");
}

/* A sum over two threads that stand for ranks. */
struct Meeting {
    std::mutex lock;
    std::condition_variable changed;
    std::vector<double> sum, result;
    int here = 0;
    long round = 0;

    static void add(void *context, double *values, long count)
    {
        Meeting *meeting = (Meeting *)context;
        std::unique_lock<std::mutex> guard(meeting->lock);
        meeting->sum.resize((size_t)count);
        for (long i = 0; i < count; i++)
            meeting->sum[(size_t)i] += values[i];
        long round = meeting->round;
        if (++meeting->here == 2) {
            meeting->result.swap(meeting->sum);
            meeting->sum.clear();
            meeting->here = 0;
            meeting->round++;
            meeting->changed.notify_all();
        }
        meeting->changed.wait(guard, [&] { return meeting->round > round; });
        memcpy(values, meeting->result.data(), (size_t)count * sizeof *values);
    }
};

} /* namespace */

TEST(BatchNorm, IsItsFormulaOnAnyNumberOfChannels)
{
    for (long channels : {1, 3, 16, 24, 64, 100, 300})
        for (long rows : {4, 7, 700}) {
            compare(channels, rows, false, false, false, 0.1);
            compare(channels, rows, true, true, true, 0.1);
        }
    compare(1, 40000, false, true, false, 0.1); /* several blocks */
    compare(3, 12001, true, false, true, 0.1);
}

TEST(BatchNorm, KeepsItsDigitsFarFromZero)
{
    compare(16, 5000, false, false, false, 1000);
    compare(5, 20, true, true, false, 1000);
}

/* The first block lies elsewhere: what the later blocks' deviations are taken from is far off. */
TEST(BatchNorm, KeepsItsDigitsWhereTheFirstRowsAreOdd)
{
    const long rows = 20000;
    Net net("2 | a: batchnorm");
    Rows at(net->layers[0], net.params(), rows);
    for (size_t i = 0; i < at.x[0].size(); i++)
        at.x[0][i] += i < 600 ? 0 : 1000;
    both_ways(net->layers[0], rows, at, 4);
    real *values = net.params()->values;
    Formula formula(at.x[0], nullptr, at.dy, 2, false, slot_of(net, values, 0),
                    slot_of(net, values, 1), 1e-5);
    expect_close(at.y, formula.y, "y");
    expect_close(at.dx[0], formula.dx, "dx");
}

TEST(BatchNorm, OneNumberAChannelBecomesTheShift)
{
    Net net("6 | a: batchnorm");
    Rows at(net->layers[0], net.params(), 1);
    both_ways(net->layers[0], 1, at, 4);
    for (long c = 0; c < 6; c++) {
        EXPECT_EQ(at.y[c], slot_of(net, net.params()->values, 1)[c]);
        EXPECT_NEAR(at.dx[0][c], 0, 1e-7 * std::fabs(at.dy[c]) / std::sqrt(1e-5)); /* rounding */
    }
}

TEST(BatchNorm, EvaluationTakesTheRunningStatisticsAsConstants)
{
    const long rows = 5, channels = 20;
    Net net(example(channels, "relu=1 epsilon=0.01"));
    Rows at(net->layers[0], net.params(), rows);
    Bench bench(net->layers[0], rows);
    ls_pass pass = training_pass(4, at.gradient);
    pass.training = false;
    bench.forward(pass, at.args());
    bench.backward(pass, at.args());
    real *values = net.params()->values;
    std::vector<double> y(at.y.size()), dx(at.y.size());
    for (size_t i = 0; i < y.size(); i++) {
        size_t c = i % channels;
        double slope = (double)slot_of(net, values, 0)[c] /
                       std::sqrt((double)slot_of(net, values, 3)[c] + 0.01);
        double value = slope * ((double)at.x[0][i] - (double)slot_of(net, values, 2)[c]) +
                       (double)slot_of(net, values, 1)[c];
        y[i] = value > 0 ? value : 0;
        dx[i] = value > 0 ? slope * (double)at.dy[i] : 0;
    }
    expect_close(at.y, y, "y");
    expect_close(at.dx[0], dx, "dx");
    EXPECT_EQ(norm(slot_of(net, at.gradient, 2), channels), 0);
    EXPECT_EQ(norm(slot_of(net, at.gradient, 3), channels), 0);
}

/* PyTorch: running = 0.9 running + 0.1 statistic, once a step; here of two shards, by their rows.
 */
TEST(BatchNorm, RunningStatisticsFollowTheMeanOfTheShards)
{
    const long channels = 3, rows[] = {4, 9};
    Net net(example(channels, "momentum=0.1"));
    real *values = net.params()->values;
    Buffer gradient((size_t)net.params()->size, 0);
    std::vector<double> expected(channels);
    for (long c = 0; c < channels; c++)
        expected[c] = 0.9 * (double)slot_of(net, values, 2)[c];
    for (long shard = 0; shard < 2; shard++) {
        Rows at(net->layers[0], net.params(), rows[shard]);
        fill_inputs(at.x[0], at.x[0].size(), 1000 * (uint64_t)shard);
        Bench bench(net->layers[0], rows[shard]);
        ls_pass pass = training_pass(4, at.gradient);
        pass.total = 13;
        bench.forward(pass, at.args());
        bench.backward(pass, at.args());
        for (size_t i = 0; i < gradient.size(); i++)
            gradient[i] += at.gradient[i];
        for (size_t i = 0; i < at.x[0].size(); i++)
            expected[i % channels] += 0.1 * (double)at.x[0][i] / 13;
    }
    ls_optimizer optimizer;
    ls_error error;
    ASSERT_TRUE(ls_optimizer_parse("sgd rate=0", &optimizer, &error));
    ls_update update = {};
    update.optimizer = &optimizer, update.scale = 1 / 13.0;
    ls_slots all = ls_slots_all(net.params());
    real *state[LS_OPTIMIZER_STATES] = {};
    const ls_interval run = {0, net.params()->size};
    update.params = net.params(), update.slots = &all, update.runs = {1, &run};
    update.gradient = gradient, update.state = state;
    ls_optimizer_update(&update);
    expect_close(slot_of(net, values, 2), expected, "running mean");
}

/* PyTorch's running = (1 - momentum) running + momentum statistic, for each of two passes of a
 * step, by one shard or two. At momentum 1 it ends at the statistic of the last. */
TEST(BatchNorm, RunningStatisticsMoveOnWithEachPassOfAStep)
{
    const long channels = 3;
    for (const auto &[text, momentum] : {std::pair("momentum=0.1", 0.1), {"momentum=1", 1.0}})
        for (const std::vector<long> &shards : {std::vector<long>{7}, {4, 9}}) {
            Net net(example(channels, text));
            const long total = std::accumulate(shards.begin(), shards.end(), 0L);
            const real *start = slot_of(net, net.params()->values, 2);
            std::vector<double> found(start, start + channels), expected = found, mean[2];
            for (std::vector<double> &each : mean)
                each.resize((size_t)channels);
            for (long rows : shards) {
                Rows at(net->layers[0], net.params(), rows);
                for (uint64_t k = 0; k < 2; k++) {
                    fill_inputs(at.x[0], at.x[0].size(), 1000 * k + (uint64_t)rows);
                    Bench bench(net->layers[0], rows);
                    ls_pass pass = training_pass(4, at.gradient);
                    pass.total = total;
                    bench.forward(pass, at.args());
                    bench.backward(pass, at.args());
                    for (size_t i = 0; i < at.x[0].size(); i++)
                        mean[k][i % channels] += (double)at.x[0][i] / (double)total;
                }
                for (long c = 0; c < channels; c++)
                    found[(size_t)c] += (double)slot_of(net, at.gradient, 2)[(size_t)c];
            }
            for (const std::vector<double> &each : mean)
                for (size_t c = 0; c < expected.size(); c++)
                    expected[c] += momentum * (each[c] - expected[c]);
            expect_close(Reals(found.begin(), found.end()).data(), expected, "running mean");
        }
}

/* Shards of 6 and 3, and of 9 and 0 rows, against one batch of 9. */
TEST(BatchNorm, SynchronousShardsAreOneBatch)
{
    const long channels = 20, rows = 9;
    for (long cut : {6, 9}) {
        Net net(std::to_string(channels) + " | a: batchnorm @input,input sync=1 relu=1");
        const ls_layer *layer = net->layers[0];
        EXPECT_TRUE(layer->sums);
        Rows whole(layer, net.params(), rows);
        for (size_t i = 0; i < whole.x[0].size(); i++)
            whole.x[0][i] += 30;
        both_ways(layer, rows, whole, 4);
        Meeting meeting;
        Rows parts[] = {{layer, net.params(), cut}, {layer, net.params(), rows - cut}};
        auto run = [&](long begin, long end, Rows &at) {
            for (size_t k = 0; k < 2; k++)
                memcpy(at.x[k], whole.x[k] + begin * channels, at.x[k].size() * sizeof(real));
            memcpy(at.dy, whole.dy + begin * channels, at.dy.size() * sizeof(real));
            Bench bench(layer, end - begin);
            ls_pass pass = training_pass(4, at.gradient);
            pass.sum = Meeting::add;
            pass.context = &meeting;
            bench.forward(pass, at.args());
            bench.backward(pass, at.args());
        };
        std::thread other([&] { run(cut, rows, parts[1]); });
        run(0, cut, parts[0]);
        other.join();
        for (long part = 0; part < (cut < rows ? 2 : 1); part++) {
            const Rows &at = parts[part];
            long first = part * cut * channels;
            EXPECT_LE(difference(at.y, whole.y + first, at.y.size()), ROUNDING);
            for (size_t k = 0; k < 2; k++)
                EXPECT_LE(difference(at.dx[k], whole.dx[k] + first, at.dx[k].size()), ROUNDING);
        }
        for (size_t i = 0; i < whole.gradient.size(); i++)
            parts[0].gradient[i] += parts[1].gradient[i];
        for (int k = 0; k < layer->slots; k++) /* scale, shift, mean, variance */
            EXPECT_LE(difference(slot_of(net, parts[0].gradient, k),
                                 slot_of(net, whole.gradient, k), channels),
                      ROUNDING)
                << k;
    }
}

TEST(BatchNorm, StartsAsAskedAndRefusesShapesThatDiffer)
{
    ls_params *params = ls_params_create();
    ls_error error = {};
    ls_shape shape = {3, {4, 4, 6}};
    ls_net *net = ls_net_build(params, nullptr, "net", "batchnorm scale=0.25", &shape, &error);
    ASSERT_TRUE(net) << error.text;
    Buffer values((size_t)params->size);
    ls_params_commit(params, values, nullptr);
    ls_params_initialize(params, 1, nullptr);
    const double start[] = {0.25, 0, 0, 1};
    for (int k = 0; k < 4; k++)
        for (long c = 0; c < 6; c++)
            EXPECT_EQ(values[params->slots[k].offset + c], start[k]) << params->slots[k].name;
    EXPECT_EQ(ls_params_trained(params), 12);
    ls_net_destroy(net);
    ls_params_destroy(params);

    params = ls_params_create();
    EXPECT_FALSE(ls_net_build(params, nullptr, "net", "a: dense units=3\nbatchnorm @a,input",
                              &shape, &error));
    EXPECT_NE(strstr(error.text, "here are 3 and 4x4x6"), nullptr) << error.text;
    ls_params_destroy(params);
}
