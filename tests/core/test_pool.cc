/* maxpool and avgpool against their definitions. */
#include "one_layer.h"

namespace
{

struct Shape {
    std::vector<long> input;
    long kernel[2], stride[2], pad[2];
    bool ceil = false;
};

const Shape shapes[] = {
    {{4, 6, 3}, {2, 2}, {2, 2}, {0, 0}},        {{28, 28, 6}, {2, 2}, {2, 2}, {0, 0}},
    {{7, 5, 2}, {3, 2}, {2, 1}, {1, 1}},        {{5, 5, 1}, {2, 2}, {2, 2}, {0, 0}},
    {{6, 7, 17}, {3, 3}, {2, 2}, {1, 1}},       {{4, 4, 2}, {4, 4}, {1, 1}, {2, 2}},
    {{6, 8, 19}, {3, 3}, {2, 2}, {0, 0}, true}, {{5, 7, 2}, {2, 3}, {2, 2}, {0, 1}, true},
    {{5, 4, 3}, {3, 2}, {3, 4}, {1, 1}, true},  {{6, 9, 3}, {2, 2}, {3, 4}, {1, 1}, true},
};

std::string line_of(const char *type, const Shape &s)
{
    auto pair = [](const long *at) { return std::to_string(at[0]) + "," + std::to_string(at[1]); };
    return std::string(type) + " kernel=" + pair(s.kernel) + " stride=" + pair(s.stride) +
           " pad=" + pair(s.pad) + (s.ceil ? " ceil=1" : "");
}

/* Visits (y index, x index) of every place that a window sees, in order. */
template <typename Visit> void each_place(const Shape &s, const ls_shape &y, long rows, Visit visit)
{
    long height = s.input[0], width = s.input[1], channels = s.input[2];
    for (long n = 0; n < rows; n++)
        for (long oh = 0; oh < y.at[0]; oh++)
            for (long ow = 0; ow < y.at[1]; ow++)
                for (long c = 0; c < channels; c++)
                    for (long kh = 0; kh < s.kernel[0]; kh++)
                        for (long kw = 0; kw < s.kernel[1]; kw++) {
                            long h = oh * s.stride[0] - s.pad[0] + kh;
                            long w = ow * s.stride[1] - s.pad[1] + kw;
                            if (h >= 0 && w >= 0 && h < height && w < width)
                                visit(((n * y.at[0] + oh) * y.at[1] + ow) * channels + c,
                                      ((n * height + h) * width + w) * channels + c);
                        }
}

/* The places of output `o` within the image and its padding, along direction `d`. */
long places(const Shape &s, long o, int d)
{
    long count = 0;
    for (long k = 0; k < s.kernel[d]; k++)
        count += o * s.stride[d] + k < s.input[d] + 2 * s.pad[d];
    return count;
}

/* y and dx of the definition; max: the first largest of each window. */
void define(bool max, const Shape &s, const ls_shape &shape, const Reals &x, const Reals &dy,
            long rows, std::vector<double> *y, std::vector<double> *dx)
{
    std::vector<long> where(dy.size(), -1);
    y->assign(dy.size(), 0);
    dx->assign(x.size(), 0);
    each_place(s, shape, rows, [&](long to, long from) {
        long ow = to / s.input[2] % shape.at[1], oh = to / s.input[2] / shape.at[1] % shape.at[0];
        double part = 1.0 / (double)(places(s, oh, 0) * places(s, ow, 1));
        (*y)[to] += x[from] * part;
        (*dx)[from] += max ? 0 : dy[to] * part;
        if (where[to] < 0 || x[from] > x[where[to]])
            where[to] = from;
    });
    for (size_t i = 0; max && i < dy.size(); i++) {
        (*y)[i] = x[where[i]];
        (*dx)[where[i]] += dy[i];
    }
}

void compare(const char *type, bool max)
{
    for (const Shape &s : shapes)
        for (bool add : {false, true}) {
            SCOPED_TRACE(line_of(type, s));
            OneLayer pool(line_of(type, s).c_str(), s.input);
            Reals x = random_reals(3 * pool.x_count(), 1), dy = random_reals(3 * pool.y_count(), 2);
            for (real &value : x) /* coarse: ties are common */
                value = std::round(value * 4) / 4;
            Reals y = pool.forward(x.data(), 3), dx(x.size(), add ? (real)10 : (real)NAN);
            std::vector<double> expected_y, expected_dx;
            define(max, s, pool.layer->y, x, dy, 3, &expected_y, &expected_dx);
            pool.backward(dy, dx.data(), add, true);
            for (double &value : expected_dx)
                value += add ? 10 : 0;
            expect_near(y, expected_y, "y");
            expect_near(dx, expected_dx, "dx");
        }
}

bool says(const std::string &text, const char *part)
{
    return text.find(part) != std::string::npos;
}

} /* namespace */

TEST(MaxPool, IsItsDefinitionForwardAndBackward)
{
    compare("maxpool", true);
}

TEST(AvgPool, IsItsDefinitionForwardAndBackward)
{
    compare("avgpool", false);
}

TEST(MaxPool, GivesTheSlopeToTheFirstOfEqualValues)
{
    OneLayer pool("maxpool kernel=2", {2, 2, 1});
    Reals x = {1, 3, 3, 3}, dx(4, NAN);
    EXPECT_EQ(pool.forward(x.data(), 1), Reals({3}));
    pool.backward({7}, dx.data(), false, true);
    EXPECT_EQ(dx, Reals({0, 7, 0, 0}));
}

TEST(MaxPool, PaddingIsNeverTheLargest)
{
    OneLayer pool("maxpool kernel=3 stride=1 pad=1", {2, 2, 1});
    Reals x = {-4, -3, -2, -1};
    EXPECT_EQ(pool.forward(x.data(), 1), Reals({-1, -1, -1, -1}));
}

TEST(MaxPool, PassesOnNanAndInfinity)
{
    OneLayer pool("maxpool kernel=2", {2, 2, 2});
    real inf = std::numeric_limits<real>::infinity();
    Reals x = {1, -inf, (real)NAN, -inf, 2, -inf, 3, -inf}, dx(8);
    Reals y = pool.forward(x.data(), 1);
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_EQ(y[1], -inf);
    pool.backward({1, 2}, dx.data(), false, true);
    EXPECT_EQ(dx, Reals({0, 2, 1, 0, 0, 0, 0, 0}));
}

TEST(AvgPool, CountsPaddingAsZeros)
{
    OneLayer pool("avgpool kernel=2 stride=1 pad=1", {1, 1, 1});
    Reals x = {8};
    EXPECT_EQ(pool.forward(x.data(), 1), Reals({2, 2, 2, 2}));
}

TEST(Pools, StrideIsTheKernelUnlessGiven)
{
    OneLayer pool("avgpool kernel=2,3", {6, 6, 5});
    EXPECT_EQ(pool.layer->y.at[0], 3);
    EXPECT_EQ(pool.layer->y.at[1], 2);
    EXPECT_EQ(pool.layer->y.at[2], 5);
}

/* Sizes that torch.nn.MaxPool2d gives. */
TEST(Pools, CeilAddsAWindowThatBeginsInsideOrInTheFirstPad)
{
    const struct {
        long size, kernel, stride, pad, floor, ceil;
    } cases[] = {{6, 3, 2, 0, 2, 3}, {7, 3, 2, 0, 3, 3}, {5, 2, 2, 0, 2, 3}, {5, 2, 2, 1, 3, 3},
                 {4, 2, 2, 1, 3, 3}, {4, 2, 3, 1, 2, 2}, {3, 1, 3, 0, 1, 1}, {4, 1, 3, 0, 2, 2},
                 {5, 3, 4, 1, 2, 2}, {7, 4, 3, 1, 2, 3}};
    for (const auto &at : cases)
        for (bool ceil : {false, true}) {
            std::string line = "avgpool kernel=" + std::to_string(at.kernel) +
                               " stride=" + std::to_string(at.stride) +
                               " pad=" + std::to_string(at.pad) + (ceil ? " ceil=1" : "");
            SCOPED_TRACE(line);
            OneLayer pool(line.c_str(), {at.size, at.size, 1});
            EXPECT_EQ(pool.layer->y.at[0], ceil ? at.ceil : at.floor);
        }
}

TEST(AvgPool, DoesNotCountPlacesBeyondThePadding)
{
    OneLayer pool("avgpool kernel=2 ceil=1", {3, 3, 1});
    Reals x = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    EXPECT_EQ(pool.forward(x.data(), 1), Reals({3, 4.5, 7.5, 9}));
}

TEST(Pools, GlobalIsOneWindowAndGivesAVector)
{
    Reals x = {1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12}, dx(12, NAN); /* [2, 3, 2] */
    OneLayer mean("avgpool global=1", {2, 3, 2}), most("maxpool global=1", {2, 3, 2});
    EXPECT_EQ(mean.layer->y.rank, 1);
    expect_near(mean.forward(x.data(), 1), {6, -7}, "mean");
    EXPECT_EQ(most.forward(x.data(), 1), Reals({11, -2}));
    mean.backward({6, 12}, dx.data(), false, true);
    expect_near(dx, {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2}, "dx");
    most.backward({6, 12}, dx.data(), false, true);
    EXPECT_EQ(dx, Reals({0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0}));
    EXPECT_EQ(OneLayer("avgpool global=1", {4, 5}).layer->y.at[0], 1);
}

TEST(Pools, TakeNoRowsAndNoDx)
{
    for (const char *line : {"maxpool kernel=2", "avgpool kernel=2"}) {
        OneLayer pool(line, {4, 4, 2});
        real untouched = 5;
        EXPECT_TRUE(pool.forward(&untouched, 0).empty());
        pool.backward(Reals(), &untouched, false, true);
        EXPECT_EQ(untouched, 5);
        Reals x = random_reals(32, 1);
        pool.forward(x.data(), 1);
        pool.backward(random_reals(8, 2), nullptr, false, true);
    }
}

TEST(Pools, RefuseWhatTheyCannotDo)
{
    for (std::string type : {"maxpool", "avgpool"}) {
        EXPECT_TRUE(says(refusal((type + " kernel=5").c_str(), {4, 4, 1}), "kernel 5x5 is larger"));
        EXPECT_TRUE(says(refusal((type + " kernel=2").c_str(), {16}), "but its input is 16"));
        EXPECT_TRUE(says(refusal((type + " kernel=3 pad=2").c_str(), {9, 9, 1}),
                         "more than half of the kernel"));
        EXPECT_TRUE(says(refusal(type.c_str(), {4, 4, 1}), "needs kernel=, or global=1"));
        EXPECT_TRUE(says(refusal((type + " kernel=2,0").c_str(), {4, 4, 1}), "needs kernel="));
        EXPECT_TRUE(says(refusal((type + " global=1 kernel=2").c_str(), {4, 4, 1}),
                         "leave kernel=, stride=, pad= and ceil= out"));
        EXPECT_TRUE(says(refusal((type + " global=1").c_str(), {4}), "takes images"));
    }
}
