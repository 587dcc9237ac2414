/* Rows that are sequences of unequal length: what a row gives does not depend on how long the
 * longest row is, nor on what stands behind its end; and what layers make of it is what they make
 * of the row alone. */
#include <cmath>
#include <numeric>

#include "one_layer.h"

extern "C" {
#include "core/objective.h"
}

namespace
{

const char *const nets[] = {
    "rnn units=5",
    "rnn units=5 last=1",
    "gru units=5 reverse=1",
    "gru units=5 reverse=1 last=1",
    "lstm units=5 norm=1; dense units=3 each=1",
    "lstm units=5 peephole=1; activation function=tanh; dense units=3 each=1",
    "lstm units=5 reverse=1; lstm units=4 last=1",
    "a: lstm units=3; b: lstm @input units=3 reverse=1; concat @a,b; gru units=4 reverse=1 last=1",
    "dense units=6 each=1; glu; softmax; lrn size=3 alpha=0.1",
    "a: dense units=6 each=1; batchnorm relu=1; b: dense units=6 each=1; batchnorm @b,a",
    "a: dense units=6 each=1; batchnorm; sum @a,batchnorm1; rnn units=3 last=1",
    "dropout rate=0.3; dense units=6 each=1",
    "tdnn units=4 delays=-1,0,1 pad=1; activation function=tanh; lstm units=3 reverse=1 last=1",
    "tdnn units=4 kernel=3 pad=1; timepool type=stat; dense units=2",
    "tdnn units=4 kernel=3 dilation=2 pad=2 bias=0; batchnorm; timepool type=max",
    "tdnn units=64 kernel=1; tdnn units=64 kernel=3 dilation=2 pad=2; tdnn units=64 kernel=5 pad=2",
    "timepool type=sum",
};

/* Applications of one net over rows of so many steps; values are the same whatever the steps. */
struct Padded {
    Net net;
    Buffer x, dy, dx, gradient;
    std::vector<real> y;

    static std::string text(long steps, const char *lines)
    {
        return std::to_string(steps) + ",3 | " + lines;
    }
    /* Rows with these lengths; numbers behind their ends are 0. */
    Padded(const char *lines, long steps, const std::vector<int32_t> &length, bool told = true)
        : net(text(steps, lines)), x(net.x_count() * length.size(), 0),
          dy(net.y_count() * length.size(), 0), dx(x.size()),
          gradient((size_t)net.params()->size, 0)
    {
        const long rows = (long)length.size(), out = ls_shape_last(&net->y);
        const bool each = net->y.rank > 1;
        for (long r = 0; r < rows; r++) {
            const size_t from = (size_t)(r * steps), n = (size_t)length[(size_t)r];
            fill_inputs(x + from * 3, 3 * n, (uint64_t)r * 100);
            fill_inputs(dy + (each ? from : (size_t)r) * (size_t)out, (each ? n : 1) * (size_t)out,
                        (uint64_t)r * 100 + 7);
        }
        ls_workspace *run = ls_workspace_create(net.get(), rows, LS_TRAINING);
        ls_pass pass = training_pass(4, gradient);
        pass.length = told ? length.data() : nullptr;
        const real *made = ls_workspace_forward(run, &pass, x, rows);
        y.assign(made, made + dy.size());
        ls_workspace_backward(run, &pass, dy, dx);
        ls_workspace_destroy(run);
    }
    /* The steps that count of row r of an array of `shape`; a vector as it is. */
    Reals part(const real *array, const ls_shape &shape, long r, long length) const
    {
        const long all = ls_shape_count(&shape);
        const long n = shape.rank > 1 ? length * (all / shape.at[0]) : all;
        return Reals(array + r * all, array + r * all + n);
    }
};

void expect_close(const Reals &a, const Reals &b, const char *what)
{
    ASSERT_EQ(a.size(), b.size()) << what;
    EXPECT_LE(difference(a.data(), b.data(), a.size()), ROUNDING) << what;
}

class Lengths : public testing::TestWithParam<const char *>
{
};

} /* namespace */

TEST_P(Lengths, LongerRowsAddNothing)
{
    const std::vector<int32_t> length = {4, 6, 1, 3};
    const Padded some(GetParam(), 6, length), more(GetParam(), 11, length);
    for (long r = 0; r < 4; r++) {
        const long n = length[(size_t)r];
        expect_close(more.part(more.y.data(), more.net->y, r, n),
                     some.part(some.y.data(), some.net->y, r, n), "y");
        expect_close(more.part(more.dx, more.net->x, r, n), some.part(some.dx, some.net->x, r, n),
                     "dx");
        for (long i = n * 3; i < 33; i++)
            ASSERT_EQ(more.dx[r * 33 + i], 0) << "dx behind the end of row " << r;
    }
    EXPECT_LE(difference(more.gradient, some.gradient, some.gradient.size()), ROUNDING);
}

TEST_P(Lengths, ARowIsWhatItIsAloneUnlessRowsAreMixed)
{
    const std::vector<int32_t> length = {4, 6, 1, 3};
    const Padded all(GetParam(), 6, length);
    for (int i = 0; i < all.net->count; i++)
        if (all.net->layers[i]->type->mixes_rows)
            return;
    for (size_t r = 0; r < length.size(); r++) {
        Net net(Padded::text(length[r], GetParam()));
        ls_workspace *run = ls_workspace_create(net.get(), 1, LS_TRAINING);
        ls_pass pass = training_pass(4);
        pass.row += (long)r;
        const Reals x = all.part(all.x, all.net->x, (long)r, length[r]);
        const real *y = ls_workspace_forward(run, &pass, x.data(), 1);
        expect_close(Reals(y, y + net.y_count()),
                     all.part(all.y.data(), all.net->y, (long)r, length[r]), "y");
        ls_workspace_destroy(run);
    }
}

TEST_P(Lengths, EqualLengthsAreTheSameBitsAsNone)
{
    const std::vector<int32_t> length = {5, 5, 5};
    const Padded told(GetParam(), 5, length), not_told(GetParam(), 5, length, false);
    if (std::string(GetParam()).find("batchnorm") != std::string::npos)
        return; /* it adds up rows in another order */
    EXPECT_EQ(memcmp(told.y.data(), not_told.y.data(), told.y.size() * sizeof(real)), 0);
    EXPECT_TRUE(told.dx.same_bits(not_told.dx));
    EXPECT_TRUE(told.gradient.same_bits(not_told.gradient));
}

TEST_P(Lengths, ThreadsGiveTheSameBits)
{
    const std::vector<int32_t> length = {4, 6, 1, 3, 2};
    Padded one(GetParam(), 6, length);
    ls_net *net = const_cast<ls_net *>(one.net.get());
    net->build.threads = 3;
    ls_workspace *run = ls_workspace_create(net, 5, LS_TRAINING);
    Buffer gradient(one.gradient.size(), 0), dx(one.dx.size());
    ls_pass pass = training_pass(4, gradient);
    pass.length = length.data();
    const real *y = ls_workspace_forward(run, &pass, one.x, 5);
    EXPECT_EQ(memcmp(y, one.y.data(), one.y.size() * sizeof(real)), 0);
    ls_workspace_backward(run, &pass, one.dy, dx);
    EXPECT_TRUE(dx.same_bits(one.dx));
    EXPECT_TRUE(gradient.same_bits(one.gradient));
    ls_workspace_destroy(run);
}

INSTANTIATE_TEST_SUITE_P(Nets, Lengths, testing::ValuesIn(nets));

/* A batch norm over rows of [time, 3], alone or above another line: what shards add to its running
 * statistics, beside what is computed from the frames that it sees. */
struct Norm {
    const std::vector<int32_t> length = {7, 1, 2, 1, 3, 7, 6, 2, 1};
    const long rows = (long)length.size();
    Net net;
    const ls_layer *layer;
    double frames = 0;
    std::vector<double> mean = std::vector<double>(3, 0), variance = mean, added[2] = {mean, mean};

    explicit Norm(const char *above)
        : net(std::string("7,3 | ") + above + "batchnorm momentum=0.25"),
          layer(net->layers[net->count - 1])
    {
    }
    long offset(int slot) const
    {
        return net.params()->slots[layer->slot[slot]].offset;
    }
    /* Adds the frames seen[rows of the shard, steps, 3] of rows first, first + 1, ... */
    void add_frames(const real *seen, long first, long n)
    {
        const long steps = net->y.at[0];
        for (size_t c = 0; c < 3; c++) {
            std::vector<double> part;
            for (long r = 0; r < n; r++)
                for (long t = 0; t < std::max(1L, length[(size_t)(first + r)] - 7 + steps); t++)
                    part.push_back((double)seen[(r * steps + t) * 3 + (long)c]);
            const double count = (double)part.size();
            const double sum = std::accumulate(part.begin(), part.end(), 0.0);
            mean[c] += sum;
            for (double value : part)
                variance[c] += std::pow(value - sum / count, 2) * count / (count - 1);
            frames += c == 0 ? count : 0;
        }
    }
    void run_shard(long first, long n)
    {
        Buffer x((size_t)n * 21, 0), dy((size_t)n * net.y_count(), 0);
        Buffer gradient((size_t)net.params()->size, 0);
        for (long r = 0; r < n; r++)
            fill_inputs(x + r * 21, 3 * (size_t)length[(size_t)(first + r)],
                        (uint64_t)(first + r) * 100);
        ls_workspace *run = ls_workspace_create(net.get(), n, LS_TRAINING);
        ls_pass pass = training_pass(4, gradient);
        pass.total = rows;
        pass.length = length.data() + first;
        pass.all_length = length.data();
        ls_workspace_forward(run, &pass, x, n);
        add_frames(net->count == 1 ? x : ls_workspace_output(run, 0), first, n);
        ls_workspace_backward(run, &pass, dy, nullptr);
        for (long c = 0; c < 3; c++)
            for (int k = 0; k < 2; k++)
                added[k][(size_t)c] += (double)gradient[offset(2 + k) + c];
        ls_workspace_destroy(run);
    }
};

/* The mean of all frames of the batch that count, and the shards' variances (over n - 1), each by
 * its frames: of one shard that of the batch. */
TEST(Lengths, RunningStatisticsAreThoseOfTheFramesThatCount)
{
    for (const char *above : {"", "tdnn units=3 kernel=3; "})
        for (long shards : {1, 4}) {
            Norm norm(above);
            for (long s = 0; s < shards; s++)
                norm.run_shard(norm.rows * s / shards,
                               norm.rows * (s + 1) / shards - norm.rows * s / shards);
            const real *const values = norm.net.params()->values;
            for (size_t c = 0; c < 3; c++) {
                const double mean = (double)values[norm.offset(2) + (long)c];
                const double variance = (double)values[norm.offset(3) + (long)c];
                EXPECT_NEAR(norm.added[0][c], 0.25 * (norm.mean[c] / norm.frames - mean), 1e-6)
                    << above << shards << " shards: mean of channel " << c;
                EXPECT_NEAR(norm.added[1][c], 0.25 * (norm.variance[c] / norm.frames - variance),
                            1e-6)
                    << above << shards << " shards: variance of channel " << c;
            }
        }
}

/* A layer without a time axis ends the time of a row; what comes after knows of none. reshape keeps
 * the numbers in their order. */
TEST(Lengths, AreKnownAsFarAsTimeGoes)
{
    Net net(
        "6,2 | dense units=4 each=1; reshape shape=6,2,2; reshape shape=6,4; reshape shape=3,8; "
        "dense units=4 each=1; dense units=4");
    int32_t length = 4, steps[6];
    ls_net_steps(net.get(), 6, 1, &length, steps);
    EXPECT_EQ(std::vector<int32_t>(steps, steps + 6), (std::vector<int32_t>{4, 4, 4, 2, 2, 0}));
    length = 3; /* 12 numbers, of which 8 make a step */
    ls_net_steps(net.get(), 6, 1, &length, steps);
    EXPECT_EQ(std::vector<int32_t>(steps, steps + 6), (std::vector<int32_t>{3, 3, 3, 2, 2, 0}));
}

/* Pairs of frames: the padding behind the end of a row is in none of them. */
TEST(Lengths, AreKnownOfStackedFrames)
{
    const std::string after = ",6; gru units=5 reverse=1; timepool";
    const Padded padded(("reshape shape=3" + after).c_str(), 6, {4});
    Net net(Padded::text(4, ("reshape shape=2" + after).c_str()));
    ls_workspace *run = ls_workspace_create(net.get(), 1, LS_TRAINING);
    const ls_pass pass = training_pass(4);
    const real *y = ls_workspace_forward(run, &pass, padded.x, 1);
    expect_close(Reals(y, y + net.y_count()), padded.y, "y");
    ls_workspace_destroy(run);
}

/* Of 9 steps with a stride of 2, and delays that reach beyond a short row. */
TEST(Lengths, OfTimeDelaysAreThoseOfAConvolutionOverTheRow)
{
    Net net("9,2 | tdnn units=3 kernel=3 stride=2; tdnn units=2 delays=0,2,1");
    const int32_t length[] = {9, 6, 5, 2};
    int32_t steps[8];
    ls_net_steps(net.get(), 2, 4, length, steps);
    EXPECT_EQ(std::vector<int32_t>(steps, steps + 8),
              (std::vector<int32_t>{4, 2, 2, 1, 2, 1, 1, 1}));
}

TEST(Lengths, DelaysNeedEqualGaps)
{
    EXPECT_NE(refusal("tdnn units=3 delays=0,1,3", {9, 2}).find("equal gaps"), std::string::npos);
    EXPECT_NE(refusal("tdnn units=3 delays=1,1", {9, 2}).find("equal gaps"), std::string::npos);
    for (const char *delays : {"0,1", "7"})
        EXPECT_NE(refusal(("tdnn units=3 kernel=2 delays=" + std::string(delays)).c_str(), {9, 2})
                      .find("one of them"),
                  std::string::npos)
            << delays;
    EXPECT_NE(refusal("tdnn units=3 kernel=3", {9}).find("takes sequences"), std::string::npos);
    EXPECT_NE(refusal("tdnn units=3 kernel=5", {3, 2}).find("larger than its input"),
              std::string::npos);
    EXPECT_EQ(refusal("tdnn units=3 delays=-2,0,2", {9, 2}), "");
}

/* Means over steps that count: the textbook's sums, step by step. */
TEST(Lengths, TheLossIsThatOfTheStepsThatCount)
{
    Net net("4,3 | dense units=2 each=1");
    const int32_t length[] = {3, 1};
    ls_net *const nets[] = {const_cast<ls_net *>(net.get())};
    ls_task task = {};
    task.params = net.params();
    task.nets = 1;
    task.net = nets;
    task.x = net->x;
    task.y.rank = 1;
    task.y.at[0] = 4;
    task.has_y = true;
    task.classes = 2;
    task.lengths = true;
    ls_error error = {};
    ls_objective *objective = ls_objective_create("supervised", &task, &error);
    ASSERT_TRUE(objective) << error.text;
    objective->type->compile(objective, 2, 0);
    Buffer x(2 * 12, 0), gradient((size_t)net.params()->size, 0);
    fill_inputs(x, 9, 1);
    fill_inputs(x + 12, 3, 2);
    const real y[] = {0, 1, 1, 0, 1, 0, 0, 0};
    ls_batch batch = {};
    batch.rows = batch.total = 2;
    batch.x_shape = net->x;
    batch.x = x;
    batch.y_shape = task.y;
    batch.y = y;
    batch.length = length;
    ls_pass pass = training_pass(0, gradient);
    ls_sums sums;
    objective->type->gradient(objective, 0, &batch, &pass, &sums);
    ls_workspace *run = ls_workspace_create(net.get(), 2, LS_INFERENCE);
    pass.length = nullptr;
    const real *out = ls_workspace_forward(run, &pass, x, 2);
    double loss = 0, correct = 0;
    for (int step : {0, 1, 2, 4}) {
        const double a = out[2 * step], b = out[2 * step + 1], right = y[step] > 0 ? b : a;
        loss += std::log(std::exp(a) + std::exp(b)) - right;
        correct += (b > a) == (y[step] > 0);
    }
    EXPECT_EQ(sums.at[LS_SUM_WEIGHT], 4);
    EXPECT_NEAR(sums.at[LS_SUM_LOSS], loss, 1e-5);
    EXPECT_EQ(sums.at[LS_SUM_LOSS + 1], correct);
    ls_workspace_destroy(run);
    ls_objective_destroy(objective);
    EXPECT_FALSE(ls_objective_create("autoencoder", &task, &error));
    EXPECT_NE(std::string(error.text).find("rows of one length"), std::string::npos) << error.text;
}
