/* Threads: outputs and gradients have the same bits for any number of them. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "instructions.h"

extern "C" {
#include "core/memory.h"
#include "core/random.h"
#include "core/workspace.h"
}

namespace
{

struct Results {
    std::vector<real> y, dx, gradient;
};

struct Net {
    const char *about;
    ls_shape input;
    const char *lines;
};

/* Every kernel of conv2d and deconv2d, dense layers of several panels, batch norm of several
 * chunks, and what has draws, masks and slopes of its own. */
const Net nets[] = {
    {"winograd, batch norm, pool",
     {3, {24, 24, 16}},
     "conv2d out=80 kernel=3 pad=1 bias=0\nbatchnorm relu=1\nmaxpool kernel=2\n"
     "conv2d out=48 kernel=3 pad=1\nbatchnorm\ndense units=10\n"},
    {"direct and residual",
     {3, {15, 14, 3}},
     "conv2d out=64 kernel=5 stride=2 pad=2\na: batchnorm relu=1\n"
     "b: conv2d out=64 kernel=1 bias=0\nbatchnorm @b,a relu=1\navgpool global=1\n"},
    {"narrow, lrn, prelu",
     {3, {12, 12, 1}},
     "conv2d out=13 kernel=5\nactivation function=prelu\nlrn\nconv2d out=20 kernel=3\ndropout\n"},
    {"groups, depthwise, dilation",
     {3, {9, 9, 32}},
     "conv2d out=32 kernel=3 groups=32\nconv2d out=40 kernel=3 groups=4\n"
     "conv2d out=9 kernel=2 dilation=2\n"},
    {"transposed",
     {3, {4, 3, 32}},
     "deconv2d out=40 kernel=4 stride=2 pad=1\nbatchnorm relu=1\n"
     "deconv2d out=48 kernel=3 pad=1 bias=0\ndeconv2d out=16 kernel=3 pad=1\n"
     "deconv2d out=8 kernel=2 groups=4 stride=2\ndeconv2d out=3 kernel=3\n"},
    {"spectral norm",
     {3, {8, 8, 16}},
     "conv2d out=70 kernel=3 pad=1 spectral=1\nconv2d out=40 kernel=3 groups=2 spectral=1\n"
     "deconv2d out=35 kernel=2 stride=2 spectral=1\ndense units=70 bias=0 spectral=1\n"},
    {"time delays",
     {2, {40, 64}},
     "tdnn units=80 kernel=3 dilation=3 pad=1\ntdnn units=64 kernel=5 dilation=2\n"
     "tdnn units=40 kernel=5 stride=2\n"},
    {"dense, where one thread has many rows and two have few",
     {1, {70}},
     "dense units=600\ndense units=9\n"},
    {"dense",
     {1, {300}},
     "dense units=200\nactivation function=tanh\ndropout rate=0.3\ndense units=33\nsoftmax\n"},
    {"tied",
     {1, {300}},
     "a: dense units=200\nb: dense units=70\nactivation function=tanh\n"
     "dense share=b transpose=1\ndense share=a transpose=1\n"},
    {"recurrent",
     {2, {6, 40}},
     "lstm units=70 peephole=1\nlstm units=70 norm=1\ngru units=33\n"
     "gru units=40 reset=after reverse=1\nrnn units=64 last=1\n"},
    {"tied convolutions",
     {3, {12, 10, 8}},
     "a: conv2d out=48 kernel=3 pad=1 stride=2\nb: conv2d out=40 kernel=3\n"
     "deconv2d out=48 kernel=3 share=b\n"
     "deconv2d out=8 kernel=3 pad=1 stride=2 output_pad=1 share=a\n"},
};

Results train(const Net &at, long rows, int threads)
{
    Results results;
    ls_error error = {};
    ls_params *params = ls_params_create();
    const ls_build build = {threads, false, false};
    ls_net *net = ls_net_build(params, &build, "net", at.lines, &at.input, &error);
    if (!net)
        throw std::runtime_error(error.text);
    real *values = (real *)ls_alloc(params->size, sizeof(real));
    real *prepared = (real *)ls_alloc(params->prepared_size, sizeof(real));
    real *gradient = (real *)ls_alloc(params->size, sizeof(real));
    ls_params_commit(params, values, prepared);
    ls_params_initialize(params, 5, nullptr);
    ls_net_prepare(net, NULL, 0, 1);
    std::vector<real> x(rows * ls_shape_count(&net->x)), dy(rows * ls_shape_count(&net->y));
    ls_random_uniform(ls_random_stream(1, LS_RANDOM_SYNTHETIC, 0, 0, 0), 0, x.data(), x.size());
    ls_random_uniform(ls_random_stream(1, LS_RANDOM_SYNTHETIC, 1, 0, 0), 0, dy.data(), dy.size());
    ls_workspace *run = ls_workspace_create(net, rows, LS_TRAINING);
    ls_pass pass = {};
    pass.training = true;
    pass.row = 40;
    pass.total = 2 * rows;
    pass.gradient = gradient;
    const real *y = ls_workspace_forward(run, &pass, x.data(), rows);
    results.y.assign(y, y + dy.size());
    results.dx.resize(x.size());
    ls_workspace_backward(run, &pass, dy.data(), results.dx.data());
    results.gradient.assign(gradient, gradient + params->size);
    ls_workspace_destroy(run);
    ls_net_destroy(net);
    ls_params_destroy(params);
    ls_free(values);
    ls_free(prepared);
    ls_free(gradient);
    return results;
}

bool same(const std::vector<real> &a, const std::vector<real> &b)
{
    return a.size() == b.size() &&
           (a.empty() || memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0);
}

} /* namespace */

TEST(Threads, ChangeNoBit)
{
    SKIP_WITH_BLAS();
    for (const Net &net : nets)
        for (long rows : {1, 40, 100}) {
            SCOPED_TRACE(std::string(net.about) + ", rows " + std::to_string(rows));
            Results one = train(net, rows, 1);
            for (real g : one.gradient)
                ASSERT_TRUE(std::isfinite(g));
            for (int threads : {1, 2, 3, 8}) {
                SCOPED_TRACE(std::to_string(threads) + " threads");
                Results many = train(net, rows, threads);
                EXPECT_TRUE(same(one.y, many.y));
                EXPECT_TRUE(same(one.dx, many.dx));
                EXPECT_TRUE(same(one.gradient, many.gradient));
            }
        }
}

/* Evaluation cuts its chunks by the memory of a run; figures are sums over chunks. */
TEST(Threads, LeaveTheSizeOfChunks)
{
    ls_error error = {};
    ls_params *params = ls_params_create();
    ls_net *net = ls_net_build(params, nullptr, "net", nets[0].lines, &nets[0].input, &error);
    const size_t one = ls_workspace_bytes(net, 40, LS_INFERENCE);
    EXPECT_EQ(ls_workspace_bytes_threads(net, 40), 0u);
    net->build.threads = 3;
    const size_t beside = ls_workspace_bytes_threads(net, 40);
    EXPECT_EQ(ls_workspace_bytes(net, 40, LS_INFERENCE), one);
    const size_t held = ls_memory_held();
    ls_workspace *run = ls_workspace_create(net, 40, LS_INFERENCE);
    EXPECT_GT(beside, 0u);
    EXPECT_NEAR((double)(ls_memory_held() - held), (double)(one + beside), 1e4);
    ls_workspace_destroy(run);
    ls_net_destroy(net);
    ls_params_destroy(params);
}

TEST(Threads, ChangeNoBitOfAnyLayer)
{
    SKIP_WITH_BLAS();
    for (const ls_layer_type *const *type = ls_layer_types; *type; type++)
        for (const char *const *example = (*type)->examples; *example; example++) {
            SCOPED_TRACE(*example);
            std::string text = *example, lines = text.substr(text.find('|') + 1);
            std::replace(lines.begin(), lines.end(), ';', '\n');
            Net net = {*example, {}, lines.c_str()};
            ls_error error = {};
            text.resize(text.find(' '));
            ASSERT_TRUE(ls_shape_parse("input", text.c_str(), &net.input, &error)) << error.text;
            Results one = train(net, 7, 1), many = train(net, 7, 3);
            EXPECT_TRUE(same(one.y, many.y));
            EXPECT_TRUE(same(one.dx, many.dx));
            EXPECT_TRUE(same(one.gradient, many.gradient));
        }
}
