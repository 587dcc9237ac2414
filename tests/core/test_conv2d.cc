/* conv2d, and each way to compute it, against the definition in double. */
#include "one_layer.h"

extern "C" {
#include "core/kernels/conv.h"
#include "core/layers/window.h"
}

namespace
{

struct Expected {
    std::vector<double> y, dx, weight, bias;
};

struct Range {
    long begin, end;
};

/* Products of the definition. */
struct Products {
    Range n, oh, ow, o, kh, kw, i;
};

Products all_of(const ls_conv &conv, long rows)
{
    const ls_window &w = conv.window;
    return {{0, rows},       {0, w.h.out},    {0, w.w.out},          {0, conv.out},
            {0, w.h.kernel}, {0, w.w.kernel}, {0, w.c / conv.groups}};
}

/* One product: y at `y` gets x at `x` times weight at `weight` (logical). */
template <typename Visit> void each_product(const ls_conv &conv, const Products &p, Visit visit)
{
    const ls_window &w = conv.window;
    long in = w.c / conv.groups, out = conv.out / conv.groups;
    for (long n = p.n.begin; n < p.n.end; n++)
        for (long oh = p.oh.begin; oh < p.oh.end; oh++)
            for (long ow = p.ow.begin; ow < p.ow.end; ow++)
                for (long o = p.o.begin; o < p.o.end; o++)
                    for (long kh = p.kh.begin; kh < p.kh.end; kh++)
                        for (long kw = p.kw.begin; kw < p.kw.end; kw++)
                            for (long i = p.i.begin; i < p.i.end; i++) {
                                long h = oh * w.h.stride - w.h.pad + kh * w.h.dilation;
                                long v = ow * w.w.stride - w.w.pad + kw * w.w.dilation;
                                if (h < 0 || v < 0 || h >= w.h.size || v >= w.w.size)
                                    continue;
                                visit(((n * w.h.out + oh) * w.w.out + ow) * conv.out + o,
                                      ((n * w.h.size + h) * w.w.size + v) * w.c + o / out * in + i,
                                      ((o * in + i) * w.h.kernel + kh) * w.w.kernel + kw);
                            }
}

Expected define(const ls_conv &conv, const Reals &x, const Reals &weight, const Reals &bias,
                const Reals &dy, long rows)
{
    Expected e = {std::vector<double>(dy.size()), std::vector<double>(x.size()),
                  std::vector<double>(weight.size()), std::vector<double>(bias.size())};
    for (size_t i = 0; i < dy.size() && !bias.empty(); i++) {
        e.y[i] = bias[i % conv.out];
        e.bias[i % conv.out] += dy[i];
    }
    each_product(conv, all_of(conv, rows), [&](long at, long from, long tap) {
        e.y[at] += (double)x[from] * weight[tap];
        e.dx[from] += (double)dy[at] * weight[tap];
        e.weight[tap] += (double)dy[at] * x[from];
    });
    return e;
}

struct Shape {
    std::vector<long> input; /* h, w, c */
    long out, kernel[2], stride[2], pad[2];
    bool bias;
    long groups = 1, dilation[2] = {1, 1};
};

std::string line_of(const Shape &s)
{
    auto pair = [](const long *at) { return std::to_string(at[0]) + "," + std::to_string(at[1]); };
    std::string line = "conv2d out=" + std::to_string(s.out) + " kernel=" + pair(s.kernel) +
                       " stride=" + pair(s.stride) + " pad=" + pair(s.pad);
    line += " groups=" + std::to_string(s.groups) + " dilation=" + pair(s.dilation);
    return line + (s.bias ? "" : " bias=0");
}

ls_conv conv_of(const Shape &s)
{
    auto pair = [](const long *at) { return ls_list{2, {at[0], at[1]}}; };
    ls_conv conv = {};
    ls_shape x = shape_of(s.input);
    ls_window_options options = {pair(s.kernel), pair(s.stride), pair(s.pad), pair(s.dilation),
                                 false};
    ls_error error = {};
    if (!ls_window_set(&conv.window, &x, &options, &error))
        throw std::runtime_error(error.text);
    conv.out = s.out;
    conv.groups = s.groups;
    return conv;
}

/* One of each kind: LeNet's two, 1x1, strides, a pad beyond the kernel, a kernel as large as the
 * image, more channels than the narrow way takes, one channel each way, groups, a group a channel,
 * dilation (with pad, with stride, with groups), strided 1x1, Winograd in the phases of a stride
 * and in groups, Winograd along a line and with dilation, which does not divide the outputs. */
const Shape shapes[] = {
    {{12, 12, 1}, 6, {5, 5}, {1, 1}, {2, 2}, true},
    {{7, 8, 6}, 16, {5, 5}, {1, 1}, {0, 0}, true},
    {{4, 5, 3}, 20, {1, 1}, {1, 1}, {0, 0}, true},
    {{9, 7, 3}, 8, {3, 2}, {2, 3}, {1, 1}, true},
    {{4, 4, 2}, 3, {2, 2}, {1, 1}, {3, 1}, true},
    {{4, 4, 2}, 3, {2, 2}, {1, 1}, {1, 2}, true},
    {{5, 3, 4}, 7, {5, 3}, {1, 1}, {0, 0}, false},
    {{6, 6, 20}, 40, {3, 3}, {1, 1}, {1, 1}, true},
    {{6, 5, 1}, 1, {2, 3}, {1, 1}, {1, 0}, false},
    {{5, 5, 3}, 4, {1, 1}, {2, 2}, {0, 0}, true},
    {{5, 4, 2}, 13, {3, 3}, {1, 1}, {2, 2}, true},
    {{3, 3, 1}, 2, {2, 2}, {4, 4}, {4, 4}, true},
    {{8, 8, 16}, 32, {3, 3}, {1, 1}, {1, 1}, true},
    {{40, 40, 2}, 3, {7, 7}, {2, 2}, {3, 3}, true},
    {{6, 5, 6}, 9, {3, 2}, {1, 2}, {1, 1}, true, 3},
    {{5, 4, 8}, 4, {1, 1}, {1, 1}, {0, 0}, true, 2},
    {{5, 6, 20}, 20, {3, 3}, {1, 2}, {1, 1}, true, 20},
    {{6, 5, 4}, 8, {3, 3}, {1, 1}, {1, 1}, false, 4},
    {{4, 3, 4}, 6, {4, 3}, {1, 1}, {0, 0}, true, 2},
    {{9, 8, 3}, 5, {3, 2}, {1, 1}, {2, 2}, true, 1, {2, 3}},
    {{9, 9, 4}, 6, {2, 3}, {2, 3}, {3, 4}, true, 2, {4, 3}},
    {{7, 9, 3}, 3, {3, 3}, {1, 2}, {2, 1}, true, 3, {2, 3}},
    {{8, 7, 24}, 18, {1, 1}, {2, 3}, {0, 0}, true},
    {{8, 7, 4}, 6, {1, 1}, {1, 1}, {1, 2}, true, 2},
    {{9, 14, 32}, 48, {3, 3}, {1, 1}, {1, 1}, true},
    {{6, 5, 48}, 32, {3, 3}, {1, 1}, {0, 2}, false},
    {{9, 14, 32}, 48, {5, 5}, {1, 1}, {2, 2}, true},
    {{7, 9, 48}, 16, {5, 5}, {1, 1}, {0, 4}, true},
    {{4, 4, 32}, 112, {3, 3}, {1, 1}, {1, 1}, true},
    {{3, 3, 272}, 64, {3, 3}, {1, 1}, {1, 1}, true},
    {{9, 7, 70}, 40, {3, 2}, {2, 3}, {1, 1}, true},
    {{4, 5, 40}, 33, {1, 1}, {1, 1}, {0, 0}, true},
    {{7, 6, 36}, 65, {1, 1}, {2, 2}, {0, 0}, true},
    {{11, 12, 16}, 32, {5, 5}, {2, 2}, {2, 2}, true},
    {{6, 6, 32}, 64, {3, 3}, {1, 1}, {1, 1}, true, 2},
    {{23, 21, 3}, 64, {7, 7}, {2, 2}, {3, 3}, true},
    {{1, 29, 64}, 80, {1, 3}, {1, 1}, {0, 0}, true, 1, {1, 2}},
    {{1, 19, 144}, 48, {1, 3}, {1, 1}, {0, 5}, true, 1, {1, 3}},
    {{3, 14, 32}, 128, {1, 5}, {1, 1}, {0, 8}, false, 1, {2, 2}},
    {{1, 13, 128}, 128, {1, 3}, {1, 1}, {0, 1}, true, 2},
    {{2, 15, 96}, 48, {1, 5}, {1, 2}, {0, 2}, true},
    {{13, 9, 32}, 48, {3, 3}, {1, 1}, {4, 1}, true, 1, {3, 2}},
    {{14, 11, 16}, 32, {5, 5}, {1, 1}, {2, 2}, true, 1, {2, 1}},
};

/* The arrays of a pass, and scratch of NaN. */
struct Arrays {
    Arrays(const ls_conv &conv, long rows)
        : x(random_reals(rows * conv.window.h.size * conv.window.w.size * conv.window.c, 1)),
          dy(random_reals(rows * conv.window.h.out * conv.window.w.out * conv.out, 2)),
          bias(random_reals(conv.out, 4)), y(dy.size(), NAN), dx(x.size(), NAN),
          layout(ls_conv_layout(&conv)), shape{4,
                                               {conv.out, conv.window.c / conv.groups,
                                                conv.window.h.kernel, conv.window.w.kernel}}
    {
        logical = random_reals(ls_shape_count(&shape), 3);
        weight.resize((size_t)layout.size(&layout, &shape));
        dweight.resize(weight.size());
        layout.load(&layout, &shape, logical.data(), weight.data());
        long reals = ls_conv_scratch(&conv);
        scratch = (real *)ls_alloc(reals, sizeof(real));
        std::fill(scratch, scratch + reals, NAN);
        flipped.assign((size_t)ls_conv_flipped_size(&conv), NAN);
        ls_conv_flip(&conv, weight.data(), flipped.data());
        data.rows = rows;
        data.scratch = scratch;
    }
    void forward(const ls_conv &conv)
    {
        data.x = x.data(), data.weight = weight.data(), data.bias = bias.data(), data.y = y.data();
        ls_conv_forward(&conv, &data);
    }
    void backward(const ls_conv &conv)
    {
        data.x = dy.data(), data.weight = flipped.data(), data.bias = nullptr, data.y = dx.data();
        ls_conv_backward(&conv, &data);
    }
    void gradient(const ls_conv &conv)
    {
        data.x = x.data(), data.dy = dy.data(), data.dweight = dweight.data();
        data.part = {0, conv.out};
        ls_conv_gradient(&conv, &data);
    }
    Arrays(const Arrays &) = delete;
    ~Arrays()
    {
        ls_free(scratch);
    }
    /* The gradient as [out, in, h, w]. */
    std::vector<double> logical_gradient() const
    {
        Reals sums((size_t)ls_shape_count(&shape));
        layout.store(&layout, &shape, dweight.data(), {0, shape.at[0]}, sums.data());
        return {sums.begin(), sums.end()};
    }
    Reals x, dy, bias, y, dx, logical, weight, flipped, dweight; /* logical: the weight's numbers */
    ls_layout layout;
    ls_shape shape;
    real *scratch;
    ls_conv_data data = {};
};

/* The products whose sum is number `index` of y, of dx (among others), of the weight's gradient.
 * One group, no dilation. */
Products of_y(const ls_conv &conv, long rows, long index)
{
    Products p = all_of(conv, rows);
    long pixel = index / conv.out, line = pixel / p.ow.end, o = index % conv.out;
    p.n = {line / p.oh.end, line / p.oh.end + 1};
    p.oh = {line % p.oh.end, line % p.oh.end + 1};
    p.ow = {pixel % p.ow.end, pixel % p.ow.end + 1};
    p.o = {o, o + 1};
    return p;
}

/* Outputs along one direction that see place `at`. */
Range that_see(long at, long kernel, long stride, long pad, long outs)
{
    return {std::max(0L, (at + pad - kernel + 1) / stride),
            std::min(outs, (at + pad) / stride + 1)};
}

Products of_dx(const ls_conv &conv, long rows, long index)
{
    const ls_window &w = conv.window;
    Products p = all_of(conv, rows);
    long pixel = index / w.c, line = pixel / w.w.size, i = index % w.c;
    p.n = {line / w.h.size, line / w.h.size + 1};
    p.oh = that_see(line % w.h.size, w.h.kernel, w.h.stride, w.h.pad, w.h.out);
    p.ow = that_see(pixel % w.w.size, w.w.kernel, w.w.stride, w.w.pad, w.w.out);
    p.i = {i, i + 1};
    return p;
}

Products of_weight(const ls_conv &conv, long rows, long index)
{
    const ls_window &w = conv.window;
    Products p = all_of(conv, rows);
    long row = index / w.w.kernel, i = row / w.h.kernel, o = i / w.c;
    p.kw = {index % w.w.kernel, index % w.w.kernel + 1};
    p.kh = {row % w.h.kernel, row % w.h.kernel + 1};
    p.i = {i % w.c, i % w.c + 1};
    p.o = {o, o + 1};
    return p;
}

/* The error of some of the numbers found, rms over rms of what `expected` says. */
template <typename Numbers, typename Expect> double error_of(const Numbers &found, Expect expected)
{
    std::mt19937 source(11);
    double difference2 = 0, expected2 = 0;
    for (int sample = 0; sample < 150; sample++) {
        long index = (long)(source() % found.size());
        double value = expected(index);
        difference2 += (found[index] - value) * (found[index] - value);
        expected2 += value * value;
    }
    return std::sqrt(difference2 / expected2);
}

double forward_error(const ls_conv &conv, const Arrays &a)
{
    return error_of(a.y, [&](long index) {
        double sum = 0;
        each_product(conv, of_y(conv, a.data.rows, index),
                     [&](long, long from, long tap) { sum += (double)a.x[from] * a.logical[tap]; });
        return sum;
    });
}

double backward_error(const ls_conv &conv, const Arrays &a)
{
    return error_of(a.dx, [&](long index) {
        double sum = 0;
        each_product(conv, of_dx(conv, a.data.rows, index), [&](long at, long from, long tap) {
            sum += from == index ? (double)a.dy[at] * a.logical[tap] : 0;
        });
        return sum;
    });
}

double gradient_error(const ls_conv &conv, const Arrays &a)
{
    return error_of(a.logical_gradient(), [&](long index) {
        double sum = 0;
        each_product(conv, of_weight(conv, a.data.rows, index),
                     [&](long at, long from, long) { sum += (double)a.dy[at] * a.x[from]; });
        return sum;
    });
}

/* Of ResNet-50, VGG-16, AlexNet, a net of time delays. */
const Shape large_shapes[] = {
    {{28, 28, 64}, 64, {3, 3}, {1, 1}, {1, 1}, false},
    {{14, 14, 256}, 256, {3, 3}, {1, 1}, {1, 1}, false},
    {{7, 7, 512}, 512, {3, 3}, {1, 1}, {1, 1}, false},
    {{27, 27, 64}, 192, {5, 5}, {1, 1}, {2, 2}, false},
    {{1, 196, 512}, 512, {1, 3}, {1, 1}, {0, 0}, false},
    {{28, 28, 256}, 64, {1, 1}, {1, 1}, {0, 0}, false},
    {{28, 28, 128}, 128, {3, 3}, {2, 2}, {1, 1}, false},
    {{56, 56, 3}, 64, {7, 7}, {2, 2}, {3, 3}, false},
};

} /* namespace */

TEST(Conv2d, IsItsDefinitionForwardAndBackward)
{
    for (const Shape &shape : shapes)
        for (long rows : {1, 3, 19}) {
            SCOPED_TRACE(line_of(shape) + ", rows " + std::to_string(rows));
            ls_conv conv = conv_of(shape);
            OneLayer layer(line_of(shape).c_str(), shape.input);
            Reals x = random_reals(rows * layer.x_count(), 1);
            Reals dy = random_reals(rows * layer.y_count(), 2);
            Reals y = layer.forward(x.data(), rows), dx(x.size(), NAN);
            layer.backward(dy, dx.data(), false, true);
            Reals bias = shape.bias ? layer.value(1) : Reals();
            const ls_conv_problem problem = ls_conv_forward_problem(&conv);
            double slack = ls_conv_winograd.suits(&problem) ? 2 : 1; /* its rounding is larger */
            Expected e = define(conv, x, layer.value(0), bias, dy, rows);
            expect_near(y, e.y, "y", slack);
            expect_near(dx, e.dx, "dx", slack);
            expect_near(layer.gradient_of(0), e.weight, "weight", slack);
            expect_near(shape.bias ? layer.gradient_of(1) : Reals(), e.bias, "bias");
        }
}

TEST(Conv2d, EveryWayIsItsDefinitionWhereverItSuits)
{
    for (const ls_conv_kernel *kernel :
         {&ls_conv_narrow, &ls_conv_depthwise, &ls_conv_winograd, &ls_conv_direct}) {
        int suited = 0;
        for (const Shape &shape : shapes) {
            SCOPED_TRACE(line_of(shape) + ", " + kernel->name);
            const ls_conv conv = conv_of(shape);
            const ls_conv_problem problem = ls_conv_forward_problem(&conv),
                                  back = ls_conv_backward_problem(&conv, 0);
            if (problem.c < conv.window.c || !kernel->suits(&problem))
                continue; /* groups are run one after the other: see above */
            suited++;
            Arrays a(conv, 21);
            Reals room((size_t)std::max(kernel->scratch(&problem), kernel->scratch(&back)), NAN);
            Expected e = define(conv, a.x, a.logical, a.bias, a.dy, 21);
            ls_conv_data data = {};
            data.rows = 21;
            data.x = a.x.data(), data.weight = a.weight.data(), data.bias = a.bias.data();
            data.y = a.y.data(), data.dy = a.dy.data(), data.dweight = a.dweight.data();
            data.scratch = room.data();
            kernel->run(&problem, &data);
            const double slack = kernel == &ls_conv_winograd ? 2 : 1;
            expect_near(a.y, e.y, "y", slack);
            for (long begin = 0; kernel->gradient && begin < conv.out;
                 begin += ls_conv_unit(&conv)) {
                data.part = {begin, std::min(begin + ls_conv_unit(&conv), conv.out)};
                kernel->gradient(&problem, &data);
            }
            std::vector<double> weight = a.logical_gradient();
            if (kernel->gradient)
                expect_near(Reals(weight.begin(), weight.end()), e.weight, "weight", slack);
            if (shape.stride[0] * shape.stride[1] > 1 || !kernel->suits(&back))
                continue;
            data.x = a.dy.data(), data.y = a.dx.data(), data.bias = nullptr;
            data.weight = a.flipped.data();
            kernel->run(&back, &data);
            expect_near(a.dx, e.dx, "dx", slack);
        }
        EXPECT_GE(suited, 2);
    }
}

TEST(Conv2d, ErrorIsBelowAHundredThousandthOfTheRms)
{
    if (sizeof(real) == sizeof(double))
        GTEST_SKIP() << "a bound for float";
    for (const Shape &shape : large_shapes)
        for (bool exact : {false, true}) {
            ls_conv conv = conv_of(shape);
            conv.exact = exact;
            const ls_conv_problem problem = ls_conv_forward_problem(&conv);
            SCOPED_TRACE(line_of(shape) + ", " + ls_conv_choose(&problem)->name);
            Arrays a(conv, 2);
            std::fill(a.bias.begin(), a.bias.end(), 0);
            a.forward(conv);
            a.backward(conv);
            a.gradient(conv);
            EXPECT_LT(forward_error(conv, a), 1e-5);
            EXPECT_LT(backward_error(conv, a), 1e-5);
            EXPECT_LT(gradient_error(conv, a), 1e-5);
        }
}

/* Many tiles, channels and pairs of panels; lines longer than a block, long sums, blocks of lines,
 * a long line of pixels. */
TEST(Conv2d, ManyBlocksAreOneConvolution)
{
    const Shape long_shapes[] = {{{19, 70, 32}, 112, {3, 3}, {1, 1}, {1, 1}, true},
                                 {{13, 70, 80}, 144, {3, 3}, {1, 1}, {1, 1}, true},
                                 {{1, 260, 144}, 64, {1, 3}, {1, 1}, {0, 3}, true, 1, {1, 3}},
                                 {{4, 500, 4}, 6, {3, 3}, {1, 1}, {1, 1}, true, 2},
                                 {{3, 1000, 3}, 70, {2, 5}, {1, 2}, {1, 0}, true},
                                 {{60, 45, 70}, 5, {3, 1}, {2, 1}, {0, 2}, true, 1, {2, 1}},
                                 {{20, 23, 600}, 20, {1, 1}, {1, 1}, {0, 0}, true}};
    for (const Shape &shape : long_shapes) {
        SCOPED_TRACE(line_of(shape));
        ls_conv conv = conv_of(shape);
        OneLayer layer(line_of(shape).c_str(), shape.input);
        Reals x = random_reals(4 * layer.x_count(), 1), dy = random_reals(4 * layer.y_count(), 2);
        Reals y = layer.forward(x.data(), 4), dx(x.size(), NAN);
        layer.backward(dy, dx.data(), false, true);
        Expected e = define(conv, x, layer.value(0), layer.value(1), dy, 4);
        expect_near(y, e.y, "y");
        expect_near(dx, e.dx, "dx");
        expect_near(layer.gradient_of(0), e.weight, "weight");
        expect_near(layer.gradient_of(1), e.bias, "bias");
    }
}

TEST(Conv2d, BackwardAddsToGradientsAndWhereAskedToDx)
{
    for (const Shape &shape : shapes) {
        SCOPED_TRACE(line_of(shape));
        OneLayer layer(line_of(shape).c_str(), shape.input);
        Reals x = random_reals(2 * layer.x_count(), 1), dy = random_reals(2 * layer.y_count(), 2);
        Reals once(x.size()), twice;
        layer.forward(x.data(), 2);
        layer.backward(dy, once.data(), false, true);
        Reals weight = layer.gradient_of(0);
        twice = once;
        layer.backward(dy, twice.data(), true, true);
        std::vector<double> dx2, weight2;
        for (real value : once)
            dx2.push_back(2 * value);
        for (real value : weight)
            weight2.push_back(2 * value);
        expect_near(twice, dx2, "dx");
        expect_near(layer.gradient_of(0), weight2, "weight");
    }
}

TEST(Conv2d, LeavesOutWhatNobodyWants)
{
    for (const Shape &shape : shapes) {
        SCOPED_TRACE(line_of(shape));
        OneLayer layer(line_of(shape).c_str(), shape.input);
        Reals x = random_reals(2 * layer.x_count(), 1), dy = random_reals(2 * layer.y_count(), 2);
        Reals with(x.size()), without(x.size());
        layer.forward(x.data(), 2);
        layer.backward(dy, nullptr, false, false);
        layer.backward(dy, without.data(), false, false);
        EXPECT_EQ(layer.gradient_of(0), Reals(layer.count(0), 0));
        layer.backward(dy, with.data(), false, true);
        EXPECT_EQ(with, without);
    }
}

TEST(Conv2d, TakesNoRows)
{
    for (const Shape &shape : shapes) {
        OneLayer layer(line_of(shape).c_str(), shape.input);
        real untouched = 5;
        EXPECT_TRUE(layer.forward(&untouched, 0).empty());
        layer.backward(Reals(), &untouched, false, true);
        EXPECT_EQ(untouched, 5);
        EXPECT_EQ(layer.gradient_of(0), Reals(layer.count(0), 0));
    }
}

TEST(Conv2d, WeightIsOutInHeightWidth)
{
    OneLayer layer("conv2d out=2 kernel=2,3 bias=0", {3, 4, 2});
    Reals weight(2 * 2 * 2 * 3, 0);
    weight[((1 * 2 + 0) * 2 + 1) * 3 + 2] = 1; /* out 1, in 0, h 1, w 2 */
    layer.set(0, weight);
    Reals x = random_reals(24, 1), y = layer.forward(x.data(), 1);
    for (long oh = 0; oh < 2; oh++)
        for (long ow = 0; ow < 2; ow++) {
            EXPECT_EQ(y[(oh * 2 + ow) * 2 + 0], 0);
            EXPECT_EQ(y[(oh * 2 + ow) * 2 + 1], x[((oh + 1) * 4 + ow + 2) * 2]);
        }
}

TEST(Conv2d, TakesImagesWithoutAChannelDimension)
{
    OneLayer flat("conv2d out=3 kernel=3", {6, 5}), deep("conv2d out=3 kernel=3", {6, 5, 1});
    Reals x = random_reals(30, 1);
    EXPECT_EQ(flat.forward(x.data(), 1), deep.forward(x.data(), 1));
}

TEST(Conv2d, BitsDoNotDependOnAddresses)
{
    for (const Shape &shape : shapes) {
        OneLayer layer(line_of(shape).c_str(), shape.input);
        Reals x = random_reals(17 * layer.x_count(), 1), shifted(x.size() + 1);
        std::copy(x.begin(), x.end(), shifted.begin() + 1);
        EXPECT_EQ(layer.forward(x.data(), 17), layer.forward(shifted.data() + 1, 17));
    }
}

TEST(Conv2d, CountsItsWork)
{
    OneLayer layer("conv2d out=6 kernel=5 pad=2", {28, 28, 1});
    EXPECT_EQ(layer.layer->flops, 2.0 * 28 * 28 * 25 * 6);
    EXPECT_EQ(layer.count(0) + layer.count(1), 156);
}

TEST(Conv2d, RefusesWhatItCannotDo)
{
    auto says = [](const std::string &text, const char *part) {
        return text.find(part) != std::string::npos ? testing::AssertionSuccess()
                                                    : testing::AssertionFailure() << text;
    };
    EXPECT_TRUE(says(refusal("conv2d out=2 kernel=7 pad=1", {4, 4, 1}),
                     "kernel 7x7 is larger than its input of 4x4 with pad 1,1"));
    EXPECT_TRUE(says(refusal("conv2d out=2 kernel=3", {784}),
                     "takes images, height x width x channels, but its input is 784"));
    EXPECT_TRUE(says(refusal("conv2d out=2 kernel=3,3,3", {9, 9, 1}), "found 3 numbers"));
    EXPECT_TRUE(says(refusal("conv2d out=2 kernel=3 stride=0", {9, 9, 1}), "out of range"));
    EXPECT_TRUE(says(refusal("conv2d kernel=3", {9, 9, 1}), "conv2d needs out="));
    EXPECT_TRUE(says(refusal("conv2d out=6 kernel=3 groups=3", {9, 9, 4}),
                     "groups=3 cuts channels into equal parts, but its input has 4 and out=6"));
    EXPECT_TRUE(says(refusal("conv2d out=5 kernel=3 groups=2", {9, 9, 4}), "out=5"));
    EXPECT_TRUE(says(refusal("conv2d out=6 kernel=3 groups=0", {9, 9, 4}), "out of range"));
    EXPECT_TRUE(says(refusal("conv2d out=2 kernel=3 dilation=2,4", {8, 8, 1}),
                     "kernel 3x3 with dilation 2,4 is larger than its input of 8x8"));
}

/* The largest block of tiles is not that of the most rows. */
TEST(Conv2d, WinogradsScratchHoldsTheBlocksOfAnyBatch)
{
    const Shape square = {{4, 4, 2304}, 32, {3, 3}, {1, 1}, {1, 1}, true},
                line = {{1, 4, 2304}, 32, {1, 3}, {1, 1}, {0, 1}, true};
    const std::vector<std::pair<Shape, long>> batches = {
        {square, 1}, {square, 98}, {square, 99}, {line, 147}, {line, 148}};
    for (const auto &[shape, rows] : batches) {
        const ls_conv conv = conv_of(shape);
        Arrays a(conv, rows);
        long reals = ls_conv_scratch(&conv);
        std::vector<real> guarded((size_t)reals + 4096, 77);
        a.data.scratch = guarded.data();
        a.forward(conv);
        a.backward(conv);
        a.gradient(conv);
        for (long i = reals; i < reals + 4096; i++)
            ASSERT_EQ(guarded[(size_t)i], 77) << rows << " rows";
    }
}
