/* sum and concat by hand: lines that join others. */
#include "one_layer.h"

namespace
{

struct Passed {
    Reals y, dx;
};

/* One row through the net of `text`, "shape | line; line", and back. */
Passed pass(const char *text, const Reals &x, const Reals &dy)
{
    Net net(text);
    ls_workspace *run = ls_workspace_create(net.get(), 1, LS_TRAINING);
    ls_pass pass = {};
    Passed found = {{}, Reals(x.size(), NAN)};
    const real *y = ls_workspace_forward(run, &pass, x.data(), 1);
    found.y.assign(y, y + net.y_count());
    ls_workspace_backward(run, &pass, dy.data(), found.dx.data());
    ls_workspace_destroy(run);
    return found;
}

testing::AssertionResult says(const std::string &text, const char *part)
{
    return text.find(part) != std::string::npos ? testing::AssertionSuccess()
                                                : testing::AssertionFailure() << text;
}

} /* namespace */

TEST(Sum, AddsItsInputsAndGivesEachTheWholeSlope)
{
    Passed found =
        pass("3 | a: activation function=relu; sum @input,a,input", {1, -2, 3}, {5, 6, 7});
    EXPECT_EQ(found.y, Reals({3, -4, 9}));
    EXPECT_EQ(found.dx, Reals({15, 12, 21}));
}

TEST(Sum, ReluCutsTheSumAndItsSlope)
{
    Passed found = pass("4 | a: activation function=relu; b: activation @input function=sign "
                        "surrogate=ste; sum @input,a,b relu=1",
                        {1, -2, 3, 0}, {5, 6, 7, 8});
    EXPECT_EQ(found.y, Reals({3, 0, 7, 0}));
    EXPECT_EQ(found.dx, Reals({15, 0, 21, 0}));
}

TEST(Sum, ReluPassesOnNan)
{
    real inf = std::numeric_limits<real>::infinity();
    Passed found = pass("3 | sum @input,input relu=1", {(real)NAN, -inf, inf}, {1, 1, 1});
    EXPECT_TRUE(std::isnan(found.y[0]));
    EXPECT_EQ(found.y[1], 0);
    EXPECT_EQ(found.y[2], inf);
}

TEST(Sum, RefusesOtherShapes)
{
    EXPECT_TRUE(says(refusal("a: dense units=4\nsum @input,a", {2, 2}),
                     "sum adds inputs of one shape, but input 1 is 2x2 and input 2 4"));
    EXPECT_FALSE(refusal("sum relu=1", {4}).empty());
}

TEST(Concat, PutsChannelsSideBySide)
{
    Passed found = pass("2,2 | a: activation function=relu; concat @a,input,a", {1, -2, 3, -4},
                        {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60});
    EXPECT_EQ(found.y, Reals({1, 0, 1, -2, 1, 0, 3, 0, 3, -4, 3, 0}));
    EXPECT_EQ(found.dx, Reals({9, 4, 90, 40}));
}

TEST(Concat, TakesInputsOfDifferentWidth)
{
    Net net("4,3,2 | a: conv2d out=5 kernel=1; b: conv2d @input out=1 kernel=1; "
            "concat @a,input,b");
    char text[96];
    EXPECT_STREQ(ls_shape_text(&net->y, text, sizeof text), "4x3x8");
}

TEST(Concat, RefusesOtherLeadingDimensions)
{
    EXPECT_TRUE(says(refusal("a: maxpool kernel=2\nconcat @input,a", {4, 4, 3}),
                     "differ in the last dimension only, but input 1 is 4x4x3 and input 2 2x2x3"));
    EXPECT_TRUE(says(refusal("a: dense units=4\nconcat @input,a", {2, 2}), "2x2 and input 2 4"));
    EXPECT_TRUE(says(refusal("concat @input,input", {}), "input 1 is scalar"));
}
