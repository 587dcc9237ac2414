/* The gated linear unit: values times logistic gates, over the last dimension. */
#include "one_layer.h"

namespace
{

double logistic(double b)
{
    return 1 / (1 + std::exp(-b));
}

} /* namespace */

TEST(Glu, IsItsFormulaOverTheLastDimension)
{
    const ls_shape shape = {2, {3, 8}};
    const long vectors = 2 * 3, n = 4;
    ls_params *params = ls_params_create();
    ls_error error = {};
    ls_net *net = ls_net_build(params, nullptr, "net", "glu", &shape, &error);
    ASSERT_NE(net, nullptr) << error.text;
    EXPECT_EQ(ls_shape_last(&net->y), n);
    EXPECT_EQ(ls_shape_count(&net->y), 3 * n);
    ls_workspace *run = ls_workspace_create(net, 2, LS_TRAINING);
    ls_pass pass = {};
    const Reals x = random_reals(vectors * 2 * n, 1), dy = random_reals(vectors * n, 2);
    Reals dx(x.size(), NOTHING);
    const real *y = ls_workspace_forward(run, &pass, x.data(), 2);
    const Reals found(y, y + vectors * n);
    ls_workspace_backward(run, &pass, dy.data(), dx.data());
    std::vector<double> expected, slopes(x.size());
    for (long v = 0; v < vectors; v++)
        for (long i = 0; i < n; i++) {
            const double a = x[v * 2 * n + i], s = logistic(x[v * 2 * n + n + i]);
            expected.push_back(a * s);
            slopes[v * 2 * n + i] = dy[v * n + i] * s;
            slopes[v * 2 * n + n + i] = dy[v * n + i] * a * s * (1 - s);
        }
    expect_near(found, expected, "y");
    expect_near(dx, slopes, "dx");
    ls_workspace_destroy(run);
    ls_net_destroy(net);
    ls_params_destroy(params);
}

TEST(Glu, AGateForEachValue)
{
    EXPECT_NE(refusal("glu", {3, 5})
                  .find("glu takes as many gates as values: an even last "
                        "dimension, found 3x5"),
              std::string::npos);
    EXPECT_EQ(refusal("glu", {3, 6}), "");
}
