/* deconv2d against its definition in double, by each way to compute it. */
#include "one_layer.h"

extern "C" {
#include "core/kernels/conv.h"
}

namespace
{

struct Shape {
    long input[3]; /* h, w, c */
    long out, kernel[2];
    const char *way;
    long stride[2] = {1, 1}, pad[2] = {0, 0}, output_pad[2] = {0, 0};
    long groups = 1, dilation[2] = {1, 1};
    bool bias = true;

    std::vector<long> x() const
    {
        return {input[0], input[1], input[2]};
    }
    long y(int k) const
    {
        return (input[k] - 1) * stride[k] - 2 * pad[k] + dilation[k] * (kernel[k] - 1) +
               output_pad[k] + 1;
    }
    std::string line() const
    {
        auto pair = [](const char *key, const long *at) {
            return key + std::to_string(at[0]) + "," + std::to_string(at[1]);
        };
        return "deconv2d out=" + std::to_string(out) + pair(" kernel=", kernel) +
               pair(" stride=", stride) + pair(" pad=", pad) + pair(" output_pad=", output_pad) +
               pair(" dilation=", dilation) + " groups=" + std::to_string(groups) +
               (bias ? "" : " bias=0");
    }
};

/* DCGAN's, 1x1 images, strides with an output_pad, phases without a tap, groups, dilation, an
 * output_pad of strides and more (of a 1x1 kernel too), a group a channel, few channels. */
const Shape shapes[] = {
    {{4, 5, 40}, 33, {4, 4}, "direct", {2, 2}, {1, 1}},
    {{1, 1, 20}, 35, {4, 4}, "direct"},
    {{5, 6, 16}, 32, {6, 6}, "direct", {2, 2}, {2, 2}},
    {{3, 4, 7}, 5, {3, 2}, "narrow", {2, 3}, {1, 0}, {1, 2}},
    {{3, 4, 7}, 5, {1, 2}, "narrow", {3, 4}, {0, 1}},
    {{5, 4, 70}, 40, {1, 1}, "direct"},
    {{5, 4, 3}, 6, {1, 1}, "direct", {1, 1}, {2, 1}},
    {{6, 5, 40}, 24, {5, 3}, "direct", {1, 1}, {3, 1}, {0, 0}, 1, {1, 1}, false},
    {{5, 6, 16}, 48, {3, 3}, "winograd", {1, 1}, {1, 1}},
    {{9, 4, 48}, 16, {3, 3}, "winograd"},
    {{3, 7, 80}, 32, {3, 3}, "winograd", {1, 1}, {2, 0}, {0, 0}, 1, {1, 1}, false},
    {{5, 4, 3}, 8, {3, 2}, "narrow", {1, 1}, {1, 0}},
    {{6, 6, 13}, 2, {5, 5}, "narrow", {1, 1}, {4, 2}, {0, 0}, 1, {1, 1}, false},
    {{4, 3, 20}, 20, {3, 3}, "depthwise", {2, 1}, {1, 1}, {1, 0}, 20},
    {{4, 3, 6}, 6, {2, 1}, "depthwise", {1, 1}, {0, 0}, {2, 3}, 6, {3, 4}, false},
    {{4, 3, 8}, 6, {3, 2}, "direct", {2, 1}, {1, 0}, {1, 0}, 2},
    {{4, 3, 8}, 6, {1, 1}, "direct", {1, 1}, {0, 0}, {0, 0}, 2},
    {{5, 4, 6}, 5, {3, 2}, "direct", {2, 1}, {2, 1}, {3, 2}, 1, {4, 3}},
    {{5, 4, 6}, 5, {1, 1}, "direct", {1, 1}, {0, 0}, {2, 1}, 1, {3, 2}},
    {{5, 4, 6}, 5, {1, 1}, "direct", {1, 1}, {1, 0}, {2, 0}, 1, {3, 1}},
};

struct Expected {
    std::vector<double> y, dx, weight, bias;
};

/* Index of channel c at (n, h, w) of images [h, w, c]. */
long place(long n, long h, long w, long c, long height, long width, long channels)
{
    return ((n * height + h) * width + w) * channels + c;
}

/* One number of x, channel i: spread over y, and what comes back. */
void spread(const Shape &s, long at, long n, long ih, long iw, long i, const Reals &x,
            const Reals &weight, const Reals &dy, Expected &e)
{
    long outs = s.out / s.groups, first = i / (s.input[2] / s.groups) * outs;
    for (long o = 0; o < outs; o++)
        for (long kh = 0; kh < s.kernel[0]; kh++)
            for (long kw = 0; kw < s.kernel[1]; kw++) {
                long h = ih * s.stride[0] - s.pad[0] + kh * s.dilation[0];
                long w = iw * s.stride[1] - s.pad[1] + kw * s.dilation[1];
                if (h < 0 || w < 0 || h >= s.y(0) || w >= s.y(1))
                    continue;
                long to = place(n, h, w, first + o, s.y(0), s.y(1), s.out);
                long tap = ((i * outs + o) * s.kernel[0] + kh) * s.kernel[1] + kw;
                e.y[to] += (double)x[at] * weight[tap];
                e.dx[at] += (double)dy[to] * weight[tap];
                e.weight[tap] += (double)dy[to] * x[at];
            }
}

Expected define(const Shape &s, const Reals &x, const Reals &weight, const Reals &bias,
                const Reals &dy, long rows)
{
    Expected e = {std::vector<double>(dy.size()), std::vector<double>(x.size()),
                  std::vector<double>(weight.size()), std::vector<double>(bias.size())};
    for (size_t i = 0; i < dy.size() && s.bias; i++) {
        e.y[i] = bias[i % s.out];
        e.bias[i % s.out] += dy[i];
    }
    for (long n = 0; n < rows; n++)
        for (long h = 0; h < s.input[0]; h++)
            for (long w = 0; w < s.input[1]; w++)
                for (long i = 0; i < s.input[2]; i++)
                    spread(s, place(n, h, w, i, s.input[0], s.input[1], s.input[2]), n, h, w, i, x,
                           weight, dy, e);
    return e;
}

} /* namespace */

TEST(Deconv2d, IsItsDefinitionForwardAndBackward)
{
    for (const Shape &s : shapes)
        for (long rows : {1, 3, 19}) {
            SCOPED_TRACE(s.line() + ", rows " + std::to_string(rows));
            OneLayer layer(s.line().c_str(), s.x());
            ASSERT_EQ(layer.y_count(), s.y(0) * s.y(1) * s.out);
            Reals x = random_reals(rows * layer.x_count(), 1);
            Reals dy = random_reals(rows * layer.y_count(), 2);
            Reals y = layer.forward(x.data(), rows), dx(x.size(), NAN);
            layer.backward(dy, dx.data(), false, true);
            Reals bias = s.bias ? layer.value(1) : Reals();
            Expected e = define(s, x, layer.value(0), bias, dy, rows);
            expect_near(y, e.y, "y");
            expect_near(dx, e.dx, "dx");
            expect_near(layer.gradient_of(0), e.weight, "weight");
            expect_near(s.bias ? layer.gradient_of(1) : Reals(), e.bias, "bias");
        }
}

TEST(Deconv2d, BackwardTakesTheWayOfAConvolutionsForward)
{
    for (const Shape &s : shapes) {
        ls_conv conv = {};
        conv.window = {{s.y(0), s.kernel[0], s.stride[0], s.pad[0], s.dilation[0], s.input[0]},
                       {s.y(1), s.kernel[1], s.stride[1], s.pad[1], s.dilation[1], s.input[1]},
                       s.out};
        conv.out = s.input[2];
        conv.groups = s.groups;
        const ls_conv_problem problem = ls_conv_forward_problem(&conv);
        EXPECT_STREQ(ls_conv_choose(&problem)->name, s.way) << s.line();
    }
}

TEST(Deconv2d, BackwardAddsToGradientsAndWhereAskedToDx)
{
    for (const Shape &s : shapes) {
        SCOPED_TRACE(s.line());
        OneLayer layer(s.line().c_str(), s.x());
        Reals x = random_reals(2 * layer.x_count(), 1), dy = random_reals(2 * layer.y_count(), 2);
        Reals dx(x.size()), without(x.size());
        layer.forward(x.data(), 2);
        layer.backward(dy, without.data(), false, false);
        EXPECT_EQ(layer.gradient_of(0), Reals(layer.count(0), 0));
        layer.backward(dy, dx.data(), false, true);
        EXPECT_EQ(dx, without);
        Reals weight = layer.gradient_of(0);
        layer.backward(dy, nullptr, false, true);
        layer.backward(dy, dx.data(), true, false);
        std::vector<double> dx2, weight2;
        for (real value : without)
            dx2.push_back(2 * value);
        for (real value : weight)
            weight2.push_back(2 * value);
        expect_near(dx, dx2, "dx");
        expect_near(layer.gradient_of(0), weight2, "weight");
    }
}

TEST(Deconv2d, IsTheDataGradientOfConv2d)
{
    OneLayer conv("conv2d out=5 kernel=4 stride=2 pad=1 bias=0", {8, 6, 3});
    OneLayer deconv("deconv2d out=3 kernel=4 stride=2 pad=1 bias=0", {4, 3, 5});
    Reals x = random_reals(2 * deconv.x_count(), 1), dx(2 * deconv.y_count());
    Reals images = random_reals(2 * conv.x_count(), 2);
    conv.forward(images.data(), 2);
    conv.backward(x, dx.data(), false, false);
    deconv.set(0, conv.value(0));
    EXPECT_EQ(deconv.forward(x.data(), 2), dx);
}

TEST(Deconv2d, WeightIsInOutHeightWidth)
{
    OneLayer layer("deconv2d out=3 kernel=2,4 bias=0", {2, 3, 2});
    Reals weight(2 * 3 * 2 * 4, 0);
    weight[((1 * 3 + 2) * 2 + 0) * 4 + 3] = 1; /* in 1, out 2, h 0, w 3 */
    layer.set(0, weight);
    Reals x = random_reals(12, 1), y = layer.forward(x.data(), 1);
    for (long h = 0; h < 3; h++)
        for (long w = 0; w < 6; w++)
            for (long o = 0; o < 3; o++)
                EXPECT_EQ(y[(h * 6 + w) * 3 + o],
                          h < 2 && w >= 3 && o == 2 ? x[(h * 3 + w - 3) * 2 + 1] : 0);
}

/* Of 4x4 taps at stride 2, four reach a place of y: y keeps the size of x but for He's factor 2. */
TEST(Deconv2d, StartsWithWeightsForTheTapsThatMeet)
{
    OneLayer layer("deconv2d out=96 kernel=4 stride=2 pad=1 groups=2", {8, 8, 128});
    double squares = 0;
    for (real value : layer.value(0))
        squares += (double)value * value;
    EXPECT_NEAR(squares / layer.count(0) * 128 * 4 / 2, 2, 0.04);
}

TEST(Deconv2d, CountsItsWork)
{
    OneLayer layer("deconv2d out=6 kernel=5 stride=3 groups=2", {7, 9, 4});
    EXPECT_EQ(layer.layer->flops, 2.0 * 7 * 9 * 4 * 25 * 3);
    EXPECT_EQ(layer.count(0), 4 * 3 * 25);
    EXPECT_EQ(layer.count(1), 6);
}

TEST(Deconv2d, TakesImagesWithoutAChannelDimension)
{
    OneLayer flat("deconv2d out=3 kernel=3", {6, 5}), deep("deconv2d out=3 kernel=3", {6, 5, 1});
    Reals x = random_reals(30, 1);
    EXPECT_EQ(flat.forward(x.data(), 1), deep.forward(x.data(), 1));
}

TEST(Deconv2d, RefusesWhatItCannotDo)
{
    auto expect = [](const char *line, const std::vector<long> &input, const char *part) {
        EXPECT_NE(refusal(line, input).find(part), std::string::npos) << refusal(line, input);
    };
    expect("deconv2d out=2 kernel=3", {784},
           "takes images, height x width x channels, but its input is 784");
    expect("deconv2d out=2 kernel=3 stride=2 output_pad=2", {4, 4, 1},
           "output_pad 2,2 must be less than the larger of stride 2,2 and dilation 1,1");
    expect("deconv2d out=2 kernel=3 stride=2,1 dilation=1,3 output_pad=1,3", {4, 4, 1},
           "output_pad 1,3 must be less than the larger of stride 2,1 and dilation 1,3");
    expect("deconv2d out=2 kernel=3 stride=3 output_pad=1,1,1", {4, 4, 1}, "found 3 numbers");
    expect("deconv2d out=2 kernel=3 stride=1,2,1", {4, 4, 1}, "found 3 numbers");
    expect("deconv2d out=2 kernel=3 pad=3,1", {4, 4, 1}, "its pad leaves 0x4 of y");
    expect("deconv2d kernel=3", {4, 4, 1}, "deconv2d needs out=");
    expect("deconv2d out=6 kernel=3 groups=3", {4, 4, 4},
           "groups=3 cuts channels into equal parts, but its input has 4 and out=6");
    expect("deconv2d out=5 kernel=3 groups=2", {4, 4, 4}, "out=5");
}
