/* Softmax: sums to 1 over the last dimension, against the formula, and far from 0. */
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

extern "C" {
#include "core/workspace.h"
}

namespace
{

std::vector<real> softmax(const std::vector<real> &x, const ls_shape &shape)
{
    ls_params *params = ls_params_create();
    ls_error error = {};
    ls_net *net = ls_net_build(params, nullptr, "net", "softmax", &shape, &error);
    EXPECT_NE(net, nullptr) << error.text;
    long rows = (long)x.size() / ls_shape_count(&shape);
    ls_workspace *run = ls_workspace_create(net, rows, LS_INFERENCE);
    ls_pass pass = {};
    const real *y = ls_workspace_forward(run, &pass, x.data(), rows);
    std::vector<real> result(y, y + x.size());
    ls_workspace_destroy(run);
    ls_net_destroy(net);
    ls_params_destroy(params);
    return result;
}

} /* namespace */

TEST(Softmax, IsTheFormulaOverTheLastDimension)
{
    const long width = 3;
    std::vector<real> x(2 * 4 * width);
    for (size_t i = 0; i < x.size(); i++)
        x[i] = (real)(3 * std::sin(1.9 * (double)i));
    std::vector<real> y = softmax(x, {2, {4, width}});
    for (size_t v = 0; v < x.size(); v += width) {
        double sum = 0;
        for (long j = 0; j < width; j++)
            sum += std::exp((double)x[v + j]);
        for (long j = 0; j < width; j++)
            EXPECT_NEAR(y[v + j], std::exp((double)x[v + j]) / sum, 2e-7);
    }
}

TEST(Softmax, HugeInputsStayProbabilities)
{
    EXPECT_EQ(softmax({10000, 0, -10000, 10000}, {1, {4}}), (std::vector<real>{0.5, 0, 0, 0.5}));
}
