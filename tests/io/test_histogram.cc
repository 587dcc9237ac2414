/* histogram: heights of bars and line, read back by libpng. */
#include <cmath>
#include <gtest/gtest.h>
#include <png.h>
#include <vector>

#include "folder.h"
extern "C" {
#include "io/histogram.h"
}

namespace
{
enum { MARGIN = 10, BINS = 80, BAR = 8, HEIGHT = 300, WIDTH = 660 };

struct Picture {
    std::vector<uint8_t> pixel;
    bool is(long x, long y, int r, int g, int b) const
    {
        const uint8_t *p = &pixel[(y * WIDTH + x) * 3];
        return p[0] == r && p[1] == g && p[2] == b;
    }
    /* Pixels of that colour in the right half of a bin, where no upright line is. */
    long count(int bin, int r, int g, int b) const
    {
        long n = 0;
        for (long y = 0; y < MARGIN + HEIGHT; y++)
            n += is(MARGIN + bin * BAR + 6, y, r, g, b);
        return n;
    }
    long blue(int bin) const
    {
        return count(bin, 158, 202, 225);
    }
    /* How high above the axis the line runs. */
    long line(int bin) const
    {
        for (long y = 0; y < MARGIN + HEIGHT; y++)
            if (is(MARGIN + bin * BAR + 6, y, 217, 72, 1))
                return MARGIN + HEIGHT - y - 1;
        return -1;
    }
};

Picture draw(const std::vector<real> &data, const std::vector<real> &made)
{
    Folder folder;
    Picture p;
    ls_error error = {};
    std::string path = folder / "a.png";
    const ls_histogram h = {data.data(), (long)data.size(), made.data(), (long)made.size()};
    EXPECT_TRUE(ls_histogram_write(path.c_str(), &h, &error)) << error.text;
    png_image image = {};
    image.version = PNG_IMAGE_VERSION;
    EXPECT_TRUE(png_image_begin_read_from_file(&image, path.c_str())) << image.message;
    EXPECT_EQ(image.width, (unsigned)WIDTH);
    EXPECT_EQ(image.format, (unsigned)PNG_FORMAT_RGB);
    p.pixel.resize(PNG_IMAGE_SIZE(image));
    EXPECT_TRUE(png_image_finish_read(&image, nullptr, p.pixel.data(), 0, nullptr));
    return p;
}
} /* namespace */

TEST(Histogram, BarsAreTheDataAndTheLineIsWhatWasMade)
{
    /* From 0 to 10, so that the bins run from -1 to 11, 0.15 each. */
    Picture p = draw({0, 0, 0, 10}, {5, 5, (real)5.01, 0});
    int zero = (int)(1 / 0.15), five = (int)(6 / 0.15), ten = (int)(11 / 0.15);
    EXPECT_EQ(p.blue(zero), HEIGHT - 1 - 2); /* less the line at a third of that height */
    EXPECT_EQ(p.blue(ten), 100 - 1);         /* less the line on the axis */
    EXPECT_EQ(p.blue(five), 0);
    EXPECT_EQ(p.line(five), HEIGHT - 1);
    EXPECT_EQ(p.line(zero), 100);
    EXPECT_EQ(p.line(ten), 0);
}

TEST(Histogram, WhatLiesOutsideCountsAtTheEnds)
{
    Picture p = draw({0, 10}, {-99, INFINITY, 99, 1e30});
    EXPECT_EQ(p.line(0), 100);
    EXPECT_EQ(p.line(BINS - 1), HEIGHT - 1);
}

TEST(Histogram, WithoutDataTheRangeIsThatOfWhatWasMade)
{
    Picture p = draw({}, {3, 3, 3});
    EXPECT_EQ(p.line(BINS / 2), HEIGHT - 1);
    p = draw({}, {(real)NAN});
    EXPECT_EQ(p.line(0), HEIGHT - 1);
}

TEST(Histogram, TheEndsOfTheRangeStandBelow)
{
    Picture p = draw({0, 10}, {1});
    auto dark = [&p](long from, long to) {
        long n = 0;
        for (long y = MARGIN + HEIGHT + 2; y < MARGIN + HEIGHT + 20; y++)
            for (long x = from; x < to; x++)
                n += p.is(x, y, 0, 0, 0);
        return n;
    };
    EXPECT_EQ(dark(MARGIN, MARGIN + 8), 3 * 4);             /* the minus of -1 */
    EXPECT_EQ(dark(MARGIN + 8, MARGIN + 16), 8 * 4);        /* its 1 */
    EXPECT_EQ(dark(WIDTH - MARGIN - 14, WIDTH), 2 * 8 * 4); /* 11 */
    EXPECT_EQ(dark(MARGIN + 16, WIDTH - MARGIN - 14), 0);
}

TEST(Histogram, TellsHowFarWhatWasMadeIsFromTheData)
{
    auto divergence = [](const std::vector<real> &data, const std::vector<real> &made) {
        const ls_histogram h = {data.data(), (long)data.size(), made.data(), (long)made.size()};
        return ls_histogram_divergence(&h);
    };
    EXPECT_NEAR(divergence({0, 10}, {10, 0, 10, 0}), 0, 1e-15);
    EXPECT_NEAR(divergence({0, 10}, {5, 5, 4}), std::log(2), 1e-15);
    /* Shares of 3/4 and 1/4 against the other way round. */
    EXPECT_NEAR(divergence({0, 0, 0, 10}, {0, 10, 10, 10}),
                0.75 * std::log(1.5) + 0.25 * std::log(0.5), 1e-15);
}
