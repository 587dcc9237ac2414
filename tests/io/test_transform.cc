/* transform: each type against its definition, what draws depend on, chains, and the data set
 * that applies them. */
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/loader.h"
#include "io/transform.h"
}

using namespace data_files;

namespace
{

using Row = std::vector<real>;

struct Image {
    long height, width, channels;
    Row at;
    Image(long h, long w, long c) : height(h), width(w), channels(c), at((size_t)(h * w * c))
    {
    }
    /* 0 outside. */
    real get(long i, long j, long c) const
    {
        bool inside = i >= 0 && i < height && j >= 0 && j < width;
        return inside ? at[(size_t)((i * width + j) * channels + c)] : 0;
    }
    ls_shape shape() const
    {
        return {3, {height, width, channels}};
    }
};

/* Number (i, j, c) of an image is f(i, j, c). */
Image make(long h, long w, long c, const std::function<double(long, long, long)> &f)
{
    Image image(h, w, c);
    for (long k = 0; k < h * w * c; k++)
        image.at[(size_t)k] = (real)f(k / c / w, k / c % w, k % c);
    return image;
}

/* Numbers that no two places share, none of them 0. */
Image distinct(long h, long w, long c)
{
    return make(h, w, c,
                [=](long i, long j, long k) { return 1.0 + (double)((i * w + j) * c + k); });
}

/* Noise. */
Image noise(long h, long w, long c)
{
    ls_random stream = ls_random_stream(3, LS_RANDOM_NOISE, 0, 0, 0);
    Image image(h, w, c);
    ls_random_uniform(stream, 0, image.at.data(), h * w * c);
    return image;
}

const ls_augment augment = {7, 0, 0, nullptr};

/* The lines of a job. */
class Chain
{
  public:
    Chain(const std::string &lines, const ls_shape &x)
    {
        ls_error error = {};
        chain = ls_transform_chain_create(lines.c_str(), &x, &error);
        if (!chain)
            throw std::runtime_error(error.text);
    }
    ~Chain()
    {
        ls_transform_chain_destroy(chain);
    }
    Image operator()(const Image &x, int64_t row, const ls_augment *how = &augment) const
    {
        const ls_shape &y = chain->y;
        Image out(y.at[0], y.at[1], y.rank == 3 ? y.at[2] : 1);
        std::fill(out.at.begin(), out.at.end(), NAN); /* every number is set */
        std::vector<char> scratch(ls_transform_chain_scratch(chain) + 64);
        char *aligned = scratch.data() + 63 - ((uintptr_t)scratch.data() + 63) % 64;
        ls_transform_chain_apply(chain, how, &row, 1, x.at.data(), out.at.data(), aligned);
        return out;
    }
    ls_transform_chain *chain;
};

/* Region [top, +height) x [left, +width) of x at h x w: the four pixels around each place, in
 * double. */
Image scaled(const Image &x, long top, long left, long height, long width, long h, long w)
{
    return make(h, w, x.channels, [&](long i, long j, long c) {
        double v = std::max(((double)i + 0.5) * (double)height / (double)h - 0.5, 0.0);
        double u = std::max(((double)j + 0.5) * (double)width / (double)w - 0.5, 0.0);
        long i0 = (long)v, j0 = (long)u;
        long i1 = std::min(i0 + 1, height - 1), j1 = std::min(j0 + 1, width - 1);
        v -= (double)i0;
        u -= (double)j0;
        auto at = [&](long a, long b) { return (double)x.get(top + a, left + b, c); };
        return (1 - v) * (1 - u) * at(i0, j0) + (1 - v) * u * at(i0, j1) +
               v * (1 - u) * at(i1, j0) + v * u * at(i1, j1);
    });
}

Image part(const Image &x, long top, long left, long h, long w)
{
    return make(h, w, x.channels,
                [&](long i, long j, long c) { return (double)x.get(top + i, left + j, c); });
}

void expect_near(const Image &found, const Image &wanted, double tolerance)
{
    ASSERT_EQ(found.at.size(), wanted.at.size());
    for (size_t i = 0; i < wanted.at.size(); i++)
        ASSERT_NEAR((double)found.at[i], (double)wanted.at[i], tolerance) << "number " << i;
}

std::string refusal(const std::string &lines, const ls_shape &x)
{
    ls_error error = {};
    ls_transform_chain *chain = ls_transform_chain_create(lines.c_str(), &x, &error);
    EXPECT_EQ(chain, nullptr);
    EXPECT_EQ(error.code, LS_USAGE);
    ls_transform_chain_destroy(chain);
    return error.text;
}

/* The mean of channel c. */
double mean(const Image &x, long c)
{
    double sum = 0;
    for (long k = c; k < (long)x.at.size(); k += x.channels)
        sum += (double)x.at[(size_t)k];
    return sum / (double)(x.height * x.width);
}

} /* namespace */

TEST(Crop, TakesTheMiddleWithoutTraining)
{
    for (long channels : {1, 3}) {
        Image x = distinct(7, 9, channels);
        EXPECT_EQ(Chain("crop size=4,3", x.shape())(x, 0, nullptr).at, part(x, 1, 3, 4, 3).at);
        EXPECT_EQ(Chain("crop size=4,0", x.shape())(x, 0, nullptr).at, part(x, 1, 0, 4, 9).at);
        EXPECT_EQ(Chain("crop pad=2", x.shape())(x, 0, nullptr).at, x.at);
        EXPECT_EQ(Chain("crop pad=4 size=12", x.shape())(x, 0, nullptr).at,
                  part(x, -3, -2, 12, 12).at);
    }
}

TEST(Crop, TakesEveryPlaceAsOftenWhileTraining)
{
    struct Case {
        const char *line;
        long h, w, pad;
    };
    for (const Case &c : {Case{"crop pad=2", 5, 6, 2}, Case{"crop size=2,5", 2, 5, 0},
                          Case{"crop size=8,7 pad=7", 8, 7, 7}}) {
        Image x = distinct(5, 6, 2);
        Chain chain(c.line, x.shape());
        long down = 5 + 2 * c.pad - c.h + 1, across = 6 + 2 * c.pad - c.w + 1;
        std::map<Row, long> places;
        for (long i = 0; i < down; i++)
            for (long j = 0; j < across; j++)
                places[part(x, i - c.pad, j - c.pad, c.h, c.w).at] = 0;
        const long each = 200, rows = down * across * each;
        for (long row = 0; row < rows; row++) {
            auto found = places.find(chain(x, row).at);
            ASSERT_NE(found, places.end()) << c.line << ": a part that is none, row " << row;
            found->second++;
        }
        if ((long)places.size() < down * across)
            continue; /* far outside all parts are 0 */
        for (const auto &place : places)
            EXPECT_NEAR((double)place.second, (double)each, 5 * std::sqrt((double)each)) << c.line;
    }
}

TEST(Flip, MirrorsLeftToRightOrUpsideDown)
{
    for (long channels : {1, 2, 3})
        for (long width : {1, 2, 7, 33}) {
            Image x = distinct(3, width, channels);
            Image mirrored = make(3, width, channels, [&](long i, long j, long c) {
                return (double)x.get(i, width - 1 - j, c);
            });
            Image turned = make(3, width, channels,
                                [&](long i, long j, long c) { return (double)x.get(2 - i, j, c); });
            EXPECT_EQ(Chain("flip rate=1", x.shape())(x, 0).at, mirrored.at);
            EXPECT_EQ(Chain("flip rate=1 vertical=1", x.shape())(x, 0).at, turned.at);
            EXPECT_EQ(Chain("flip rate=0", x.shape())(x, 0).at, x.at);
            EXPECT_EQ(Chain("flip rate=1", x.shape())(x, 0, nullptr).at, x.at);
        }
}

TEST(Flip, HappensAsOftenAsItsRate)
{
    Image x = distinct(2, 4, 1);
    for (double rate : {0.5, 0.2}) {
        Chain chain("flip rate=" + std::to_string(rate), x.shape());
        long flipped = 0;
        for (long row = 0; row < 4000; row++)
            flipped += chain(x, row).at != x.at;
        EXPECT_NEAR((double)flipped, 4000 * rate, 5 * std::sqrt(4000 * rate * (1 - rate)));
    }
}

TEST(ScaleCrop, ScalesTheMiddleWithoutTraining)
{
    struct Case {
        long h, w, c, out_h, out_w, top, left, height, width;
        const char *center;
    };
    const Case cases[] = {
        {16, 16, 3, 14, 14, 1, 1, 14, 14, "0.875"},    /* the very pixels */
        {28, 28, 1, 20, 20, 2, 2, 24, 24, "0.857143"}, /* smaller */
        {9, 12, 3, 37, 37, 0, 1, 9, 9, "1"},           /* larger, of a square */
        {12, 9, 2, 10, 30, 4, 0, 3, 9, "1"},           /* wide */
        {40, 30, 3, 21, 7, 1, 8, 38, 13, "0.95"},      /* tall */
        {50, 40, 1, 3, 2, 0, 3, 50, 33, "1"},          /* much smaller */
        {1, 1, 3, 5, 4, 0, 0, 1, 1, "1"},
    };
    for (const Case &c : cases) {
        Image x = noise(c.h, c.w, c.c);
        std::string size = std::to_string(c.out_h) + "," + std::to_string(c.out_w);
        Chain chain("scale-crop size=" + size + " center=" + c.center, x.shape());
        SCOPED_TRACE("size " + size);
        expect_near(chain(x, 0, nullptr),
                    scaled(x, c.top, c.left, c.height, c.width, c.out_h, c.out_w), 1e-6);
    }
    Image x = noise(11, 13, 3);
    EXPECT_EQ(Chain("scale-crop size=11,13 center=1", x.shape())(x, 0, nullptr).at, x.at);
}

/* Channel 0 of the image is the row, 1 the column, 2 noise: the first two tell the region. */
TEST(ScaleCrop, ScalesARegionOfDrawnAreaAndRatioWhileTraining)
{
    const long h = 60, w = 80;
    Image x = noise(h, w, 3);
    for (long k = 0; k < h * w; k++) {
        x.at[(size_t)(3 * k)] = (real)(k / w);
        x.at[(size_t)(3 * k + 1)] = (real)(k % w);
    }
    Chain chain("scale-crop size=15,17 area=0.1,0.5 ratio=0.5,2", x.shape());
    double least = 1, largest = 0, narrow = 9, wide = 0, areas = 0;
    std::set<std::pair<long, long>> corners;
    long at_edge[4] = {0, 0, 0,
                       0}; /* top, left, bottom, right, of regions that could lie elsewhere */
    for (long row = 0; row < 400; row++) {
        Image y = chain(x, row);
        /* A mean is the region's middle; where the region is large, one step of the output spans
         * side / n pixels. */
        long height = std::lround(15 * (double)(y.get(8, 8, 0) - y.get(7, 8, 0)));
        long width = std::lround(17 * (double)(y.get(8, 9, 1) - y.get(8, 8, 1)));
        long top = std::lround(mean(y, 0) - (double)(height - 1) / 2);
        long left = std::lround(mean(y, 1) - (double)(width - 1) / 2);
        expect_near(y, scaled(x, top, left, height, width, 15, 17), 2e-5 * w);
        double area = (double)(height * width) / (double)(h * w);
        double ratio = (double)width / (double)height;
        least = std::min(least, area);
        largest = std::max(largest, area);
        narrow = std::min(narrow, ratio);
        wide = std::max(wide, ratio);
        areas += area / 400;
        corners.insert({top, left});
        at_edge[0] += top == 0 && height < h;
        at_edge[1] += left == 0 && width < w;
        at_edge[2] += top + height == h && height < h;
        at_edge[3] += left + width == w && width < w;
    }
    EXPECT_NEAR(least, 0.1, 0.02);
    EXPECT_NEAR(largest, 0.5, 0.02);
    EXPECT_NEAR(areas, 0.3, 0.03);
    EXPECT_NEAR(narrow, 0.5, 0.05);
    EXPECT_NEAR(wide, 2, 0.2);
    EXPECT_GT(corners.size(), 300u);
    for (long times : at_edge)
        EXPECT_GT(times, 0);
}

TEST(ScaleCrop, TakesTheLargestMiddleWhereNoRegionFits)
{
    Image x = noise(4, 50, 1);
    EXPECT_EQ(Chain("scale-crop size=4 area=1,1 ratio=1,1", x.shape())(x, 0).at,
              part(x, 0, 23, 4, 4).at);
    Image whole = noise(6, 6, 3);
    EXPECT_EQ(Chain("scale-crop size=6 area=1,1 ratio=1,1", whole.shape())(whole, 0).at, whole.at);
}

TEST(Normalize, TakesOffTheMeanAndDividesEachChannel)
{
    for (long width : {1, 7, 50}) {
        Image x = noise(3, width, 3);
        const double mean[] = {0.485, 0.456, 0.406}, deviation[] = {0.229, 0.224, 0.225};
        Image wanted = make(3, width, 3, [&](long i, long j, long c) {
            return ((double)x.get(i, j, c) - mean[c]) / deviation[c];
        });
        Chain each("normalize mean=0.485,0.456,0.406 deviation=0.229,0.224,0.225", x.shape());
        expect_near(each(x, 0), wanted, 1e-6);
        EXPECT_EQ(each(x, 0).at, each(x, 1, nullptr).at);
        Chain mixed("normalize mean=0.5 deviation=1,2,4", x.shape());
        expect_near(mixed(x, 0),
                    make(3, width, 3,
                         [&](long i, long j, long c) {
                             return ((double)x.get(i, j, c) - 0.5) / (double)(1 << c);
                         }),
                    1e-6);
    }
}

TEST(Normalize, TakesRowsOfAnyShape)
{
    for (ls_shape shape : {ls_shape{1, {130}}, ls_shape{2, {13, 10}}, ls_shape{4, {2, 5, 1, 13}}}) {
        Row x(130), y(130);
        for (size_t i = 0; i < 130; i++)
            x[i] = (real)i;
        Chain chain("normalize mean=-3 deviation=0.5", shape);
        int64_t row = 0;
        ls_transform_chain_apply(chain.chain, nullptr, &row, 1, x.data(), y.data(), nullptr);
        for (size_t i = 0; i < 130; i++)
            EXPECT_EQ(y[i], (real)((double)i + 3) * 2);
    }
}

/* Numbers that a net makes are given back in the units of the data set, wherever lines moved them.
 */
TEST(Normalize, IsTakenBack)
{
    Image x = noise(6, 5, 3);
    Chain chain("normalize mean=0.5,0.4,0.3 deviation=0.25,0.5,2\nflip\ncrop size=6,5 pad=1\n"
                "normalize mean=1 deviation=4",
                x.shape());
    Image y = chain(x, 0, nullptr);
    ls_transform_chain_undo(chain.chain, (long)y.at.size(), y.at.data());
    expect_near(y, x, 1e-6);
}

TEST(Erase, SetsARegionOfDrawnAreaAndRatioToZero)
{
    const long h = 40, w = 30;
    Image x = distinct(h, w, 2);
    Chain chain("erase rate=0.7 area=0.05,0.3 ratio=0.5,2", x.shape());
    long erased = 0;
    double least = 1, largest = 0;
    for (long row = 0; row < 1000; row++) {
        Image y = chain(x, row);
        if (y.at == x.at)
            continue;
        erased++;
        long top = h, left = w, bottom = -1, right = -1;
        for (long i = 0; i < h; i++)
            for (long j = 0; j < w; j++)
                if (y.get(i, j, 0) == 0) {
                    top = std::min(top, i);
                    left = std::min(left, j);
                    bottom = std::max(bottom, i);
                    right = std::max(right, j);
                }
        Image wanted = make(h, w, 2, [&](long i, long j, long c) {
            bool inside = i >= top && i <= bottom && j >= left && j <= right;
            return inside ? 0 : (double)x.get(i, j, c);
        });
        ASSERT_EQ(y.at, wanted.at);
        double height = (double)(bottom - top + 1), width = (double)(right - left + 1);
        least = std::min(least, height * width / (double)(h * w));
        largest = std::max(largest, height * width / (double)(h * w));
        EXPECT_GT(width / height, 0.44);
        EXPECT_LT(width / height, 2.3);
    }
    EXPECT_NEAR((double)erased, 700, 5 * std::sqrt(1000 * 0.7 * 0.3));
    EXPECT_NEAR(least, 0.05, 0.01);
    EXPECT_NEAR(largest, 0.3, 0.02);
    EXPECT_EQ(Chain("erase rate=1", x.shape())(x, 0, nullptr).at, x.at);
}

TEST(Transform, LinesActInTheirOrder)
{
    Image x = noise(6, 6, 3);
    Chain first("crop size=8 pad=1\nnormalize mean=0.5 deviation=2", x.shape());
    Chain second(
        "# padded with the mean\n\nnormalize mean=0.5 deviation=2 # all\n crop size=8 pad=1\n",
        x.shape());
    EXPECT_EQ(first(x, 0, nullptr).get(0, 0, 0), (real)-0.25);
    EXPECT_EQ(second(x, 0, nullptr).get(0, 0, 0), 0);
    Chain all("crop pad=1\nflip rate=1\ncrop size=4\nflip rate=1\nscale-crop size=5", x.shape());
    ls_shape wanted = {3, {5, 5, 3}};
    EXPECT_TRUE(ls_shape_equal(&all.chain->y, &wanted));
    Image middle = part(x, 1, 1, 4, 4);
    EXPECT_EQ(all(x, 0, nullptr).at,
              Chain("scale-crop size=5", middle.shape())(middle, 0, nullptr).at);
    EXPECT_EQ(Chain("# nothing\n", x.shape())(x, 0).at, x.at);
}

TEST(Transform, GreyImagesMayLackTheLastDimension)
{
    Image x = distinct(6, 8, 1);
    ls_shape flat = {2, {6, 8}};
    for (const char *line : {"crop pad=2 size=5", "flip rate=1", "scale-crop size=4,3", "erase"}) {
        Chain chain(line, flat);
        EXPECT_EQ(chain.chain->y.rank, 2);
        EXPECT_EQ(chain(x, 3).at, Chain(line, x.shape())(x, 3).at) << line;
    }
}

TEST(Transform, DrawsFollowSeedStageEpochLineAndRowAndNothingElse)
{
    Image x = distinct(16, 16, 1);
    Chain chain("crop size=4", x.shape());
    const ls_augment ways[] = {
        {1, 0, 0, nullptr}, {2, 0, 0, nullptr}, {1, 1, 0, nullptr}, {1, 0, 1, nullptr}};
    std::vector<std::vector<Row>> found; /* of 50 rows each */
    for (const ls_augment &way : ways) {
        found.emplace_back();
        for (long row = 0; row < 50; row++)
            found.back().push_back(chain(x, row, &way).at);
    }
    for (size_t i = 0; i < found.size(); i++) {
        for (size_t j = 0; j < i; j++)
            EXPECT_NE(found[i], found[j]) << i << " and " << j;
        EXPECT_GT(std::set<Row>(found[i].begin(), found[i].end()).size(), 30u);
    }
    /* Two lines of one type: the second is not the first again. */
    Chain twice("flip\nflip", x.shape());
    long flipped = 0;
    for (long row = 0; row < 200; row++)
        flipped += twice(x, row).at != x.at;
    EXPECT_NEAR((double)flipped, 100, 40);
    /* Rows of one call are what they are alone. */
    std::vector<int64_t> rows = {9, 3, 40};
    Row three, out(3 * 16);
    for (int i = 0; i < 3; i++)
        three.insert(three.end(), x.at.begin(), x.at.end());
    ls_transform_chain_apply(chain.chain, &ways[0], rows.data(), 3, three.data(), out.data(),
                             nullptr);
    for (size_t i = 0; i < 3; i++)
        EXPECT_EQ(Row(out.begin() + (long)i * 16, out.begin() + (long)i * 16 + 16),
                  found[0][(size_t)rows[i]]);
}

TEST(Transform, RefusalsSayLineAndReason)
{
    const ls_shape image = {3, {28, 28, 1}}, vector = {1, {10}};
    const struct {
        const char *lines;
        ls_shape x;
        const char *text;
    } cases[] = {
        {"flip\n\ncrop size=40", image,
         "line 3: 'crop size=40': crop: size 40,40 is larger than the image of 28x28 with pad=0"},
        {"crop size=20\ncrop size=21 pad=0", image,
         "line 2: 'crop size=21 pad=0': crop: size 21,21 is larger than the image of 20x20 with "
         "pad=0"},
        {"crop size=1,2,3", image,
         "line 1: 'crop size=1,2,3': crop: size= takes one number, or height,width"},
        {"flip", vector,
         "line 1: 'flip': flip takes images, height x width x channels or height x width, but a "
         "row "
         "here is 10"},
        {"flop", image,
         "line 1: 'flop': there is no transform flop: did you mean flip? (`lockstep list "
         "transforms` has all)"},
        {"flip rat=1", image,
         "line 1: 'flip rat=1': flip has no key rat: did you mean rate? (known: rate, vertical)"},
        {"a: flip", image,
         "line 1: 'a: flip': a transform has no name and no @input: it takes the row as the line "
         "above leaves it"},
        {"scale-crop", image,
         "line 1: 'scale-crop': scale-crop needs size= (224, or height,width)"},
        {"scale-crop size=9 area=0.5", image,
         "line 1: 'scale-crop size=9 area=0.5': scale-crop: area= takes two numbers, the least and "
         "the largest"},
        {"erase ratio=2,1", image,
         "line 1: 'erase ratio=2,1': erase: ratio= takes two numbers, the least and the largest"},
        {"erase area=0.1,1.5", image,
         "line 1: 'erase area=0.1,1.5': erase: area=1.5 is out of range: 1e-06 to 1"},
        {"normalize mean=1,2 deviation=1", image,
         "line 1: 'normalize mean=1,2 deviation=1': normalize: mean= holds 2 numbers; expected 1, "
         "or "
         "1 for the channels"},
        {"normalize mean=1 deviation=0", image,
         "line 1: 'normalize mean=1 deviation=0': normalize: deviation=0 is out of range: at least "
         "1e-12"},
        {"normalize mean=x deviation=1", image,
         "line 1: 'normalize mean=x deviation=1': normalize: mean=x is not a number"},
    };
    for (const auto &c : cases)
        EXPECT_EQ(refusal(c.lines, c.x), c.text);
    std::string many;
    for (int i = 0; i < 17; i++)
        many += "flip\n";
    EXPECT_EQ(refusal(many, image), "line 17: 'flip': more than 16 transforms");
}

TEST(Transform, NothingIsLeftAllocated)
{
    size_t blocks = ls_memory_blocks();
    refusal("flip\nerase\nflop", {3, {4, 4, 1}});
    Chain("flip\nerase", {3, {4, 4, 1}});
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

namespace
{

/* 300 rows of 40 x 50 x 3 bytes: more than a group, and runs of rows that follow each other. */
class TransformedData : public testing::Test
{
  protected:
    TransformedData()
    {
        std::vector<uint8_t> x(300 * 6000);
        for (size_t i = 0; i < x.size(); i++)
            x[i] = (uint8_t)(i * 2654435761u >> 13);
        {
            Writer file(folder / "a.h5");
            file.put<uint8_t>("train/x", {300, 40, 50, 3}, x);
            file.put<uint8_t>("train/y", {300}, counting<uint8_t>(300));
            file.put<uint8_t>("test/x", {3, 40, 50, 3}, {x.begin(), x.begin() + 3 * 6000});
            for (const char *x : {"train/x", "test/x"})
                file.attribute(x, "scale", 1.0 / 255);
        }
        ls_error error = {};
        data = ls_dataset_open((folder / "a.h5").c_str(), &error);
        if (!data)
            throw std::runtime_error(error.text);
    }
    ~TransformedData() override
    {
        ls_dataset_close(data);
    }
    Row read(const std::vector<int64_t> &rows, const ls_augment *how)
    {
        ls_error error = {};
        Row x(rows.size() * (size_t)ls_shape_count(&ls_dataset_split(data, LS_TRAIN)->row));
        EXPECT_TRUE(ls_dataset_read(data, LS_TRAIN, rows.data(), (long)rows.size(), how, x.data(),
                                    nullptr, &error))
            << error.text;
        return x;
    }
    Folder folder;
    ls_dataset *data;
};

} /* namespace */

TEST_F(TransformedData, RowsComeTransformedInEverySplitAndAsTheyWereWithout)
{
    const std::vector<int64_t> rows = counting<int64_t>(300);
    ls_error error = {};
    uint64_t digest = ls_dataset_shape_digest(data);
    Row plain = read(rows, &augment);
    ASSERT_TRUE(ls_dataset_transform(data, "crop size=30,20\nscale-crop size=16", &error));
    const ls_shape small = {3, {16, 16, 3}};
    EXPECT_TRUE(ls_shape_equal(&ls_dataset_split(data, LS_TRAIN)->row, &small));
    EXPECT_TRUE(ls_shape_equal(&ls_dataset_split(data, LS_TEST)->row, &small));
    EXPECT_EQ(ls_dataset_split(data, LS_TRAIN)->x.shape.at[0], 40);
    EXPECT_EQ(ls_dataset_shape_digest(data), digest);
    Row together = read(rows, &augment), fixed = read(rows, nullptr);
    EXPECT_NE(together, fixed);
    Image x(40, 50, 3);
    Chain chain("crop size=30,20\nscale-crop size=16", x.shape());
    for (long i : {0, 1, 42, 43, 44, 86, 87, 299}) {
        std::copy_n(plain.begin() + i * 6000, 6000, x.at.begin());
        EXPECT_EQ(Row(together.begin() + i * 768, together.begin() + (i + 1) * 768),
                  chain(x, i).at);
        EXPECT_EQ(Row(fixed.begin() + i * 768, fixed.begin() + (i + 1) * 768),
                  chain(x, i, nullptr).at);
        EXPECT_EQ(read({i}, &augment), chain(x, i).at);
    }
    /* A refusal changes nothing; no lines give the file's rows back. */
    EXPECT_FALSE(ls_dataset_transform(data, "crop size=99", &error));
    EXPECT_EQ(read(rows, &augment), together);
    ASSERT_TRUE(ls_dataset_transform(data, nullptr, &error));
    EXPECT_EQ(read(rows, &augment), plain);
}

TEST_F(TransformedData, ThreadsReadWhatOneReads)
{
    ls_error error = {};
    const std::vector<int64_t> rows = counting<int64_t>(300);
    ASSERT_TRUE(ls_dataset_transform(data, "scale-crop size=20\nflip\nerase", &error));
    Row wanted = read(rows, &augment);
    std::vector<Row> found(4);
    std::vector<std::thread> threads;
    for (Row &one : found)
        threads.emplace_back([&] { one = read(rows, &augment); });
    for (std::thread &thread : threads)
        thread.join();
    for (const Row &one : found)
        EXPECT_TRUE(one == wanted);
}

TEST_F(TransformedData, AFeedShowsOtherPicturesEachEpochAndTheSameOnOtherRanks)
{
    ls_error error = {};
    ASSERT_TRUE(ls_dataset_transform(data, "crop size=4", &error));
    /* Row of the data set and epoch -> picture, over two ranks of any number of shards. */
    auto pictures = [&](int shards) {
        std::map<std::pair<int64_t, long>, Row> all;
        for (int begin : {0, shards / 2}) {
            ls_loader_plan plan = {};
            plan.targets = true;
            plan.split = LS_TRAIN;
            plan.seed = 5;
            plan.stage = 1;
            plan.shuffle = true;
            plan.batch = 64;
            plan.shards = shards;
            plan.begin = begin;
            plan.end = begin ? shards : shards / 2;
            plan.end_step = 10;
            ls_loader *feed = ls_loader_open(data, &plan);
            for (long step = 0; step < 10; step++) {
                const ls_batch *batch = ls_loader_next(feed, &error);
                EXPECT_EQ(ls_shape_count(&batch->x_shape), 48);
                for (long i = 0; i < batch->rows; i++)
                    all[{batch->row[i], batch->epoch}] =
                        Row(batch->x + i * 48, batch->x + (i + 1) * 48);
            }
            ls_loader_close(feed);
        }
        return all;
    };
    auto two = pictures(2);
    EXPECT_EQ(two.size(), 600u);
    EXPECT_TRUE(pictures(6) == two);
    long same = 0;
    for (int64_t row = 0; row < 300; row++)
        same += two[{row, 0}] == two[{row, 1}];
    EXPECT_LT(same, 10);
    const ls_augment second = {5, 1, 1, nullptr};
    EXPECT_EQ(read({17}, &second), (two[{17, 1}]));
}
