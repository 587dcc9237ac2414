/* Reshape: the same numbers in the same order. */
#include "one_layer.h"

TEST(Reshape, KeepsNumbersAndTheirOrder)
{
    ls_params *params = ls_params_create();
    ls_error error = {};
    const ls_shape input = {1, {12}};
    ls_net *net = ls_net_build(params, nullptr, "net", "reshape shape=2,3,2", &input, &error);
    ASSERT_NE(net, nullptr) << error.text;
    EXPECT_EQ(net->y.rank, 3);
    EXPECT_EQ(net->y.at[1], 3);
    const Reals x = random_reals(2 * 12, 1);
    ls_workspace *run = ls_workspace_create(net, 2, LS_TRAINING);
    ls_pass pass = {};
    const real *y = ls_workspace_forward(run, &pass, x.data(), 2);
    EXPECT_EQ(x, Reals(y, y + 24));
    Reals dx(24);
    ls_workspace_backward(run, &pass, x.data(), dx.data());
    EXPECT_EQ(x, dx);
    ls_workspace_destroy(run);
    ls_net_destroy(net);
    ls_params_destroy(params);
}

TEST(Reshape, RefusesOtherNumbers)
{
    EXPECT_NE(
        refusal("reshape shape=2,3", {7}).find("the input is 7, 7 numbers, but shape=2x3 has 6"),
        std::string::npos);
    EXPECT_NE(refusal("reshape shape=1000000000,1000000000,1000000000", {7}).find("has 1000000000"),
              std::string::npos);
    EXPECT_NE(refusal("reshape", {7}), "");
    EXPECT_NE(refusal("deconv2d out=2 kernel=2", {7}).find("reshape shape=HEIGHT,WIDTH,CHANNELS"),
              std::string::npos);
    EXPECT_EQ(refusal("reshape shape=7", {1, 7}), "");
}
