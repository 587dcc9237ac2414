/* picture: the pixels of a grid, read back by libpng; shapes, ranges and failures. */
#include <cmath>
#include <gtest/gtest.h>
#include <png.h>
#include <vector>

#include "folder.h"
#include "full_disk.h"
extern "C" {
#include "core/memory.h"
#include "io/picture.h"
#include "io/png.h"
}

namespace
{
struct Picture {
    long width = 0, height = 0, channels = 0;
    std::vector<uint8_t> pixel;
    int at(long y, long x, long c = 0) const
    {
        return pixel[(y * width + x) * channels + c];
    }
    std::string line(long y, long from, long to) const
    {
        std::string text;
        for (long x = from; x < to; x++)
            text += std::to_string(at(y, x)) + " ";
        return text;
    }
};

/* The pixels as they are stored: grey or colours, 8 bits. */
Picture read_png(const std::string &path)
{
    Picture p;
    png_image image = {};
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_file(&image, path.c_str())) {
        ADD_FAILURE() << path << ": " << image.message;
        return p;
    }
    EXPECT_TRUE(image.format == PNG_FORMAT_GRAY || image.format == PNG_FORMAT_RGB) << image.format;
    p.width = image.width;
    p.height = image.height;
    p.channels = image.format == PNG_FORMAT_RGB ? 3 : 1;
    p.pixel.resize(PNG_IMAGE_SIZE(image));
    EXPECT_TRUE(png_image_finish_read(&image, nullptr, p.pixel.data(), 0, nullptr));
    return p;
}

ls_picture picture_of(std::vector<long> row, long columns, double least = 0, double most = 255)
{
    ls_picture p = {{3, {row[0], row[1], row[2]}}, columns, least, most};
    return p;
}

/* Where pixel `at` of a grid with a pixel for each number is in one with `zoom` pixels. */
long place(long at, long size, long zoom)
{
    long border = at / (size + 1) * (size * zoom + 1), inside = at % (size + 1);
    return inside == 0 ? border : border + 1 + (inside - 1) * zoom;
}

/* The grid with a pixel for each number. */
Picture shrink(const Picture &large, const ls_picture &p, long count)
{
    const long zoom = ls_picture_zoom(&p, count), high = p.row.at[0], wide = p.row.at[1];
    Picture small;
    small.width = 1 + (large.width - 1) / (wide * zoom + 1) * (wide + 1);
    small.height = 1 + (large.height - 1) / (high * zoom + 1) * (high + 1);
    small.channels = large.channels;
    for (long y = 0; y < small.height; y++)
        for (long x = 0; x < small.width; x++)
            for (long c = 0; c < small.channels; c++)
                small.pixel.push_back(
                    (uint8_t)large.at(place(y, high, zoom), place(x, wide, zoom), c));
    return small;
}

/* Writes rows whose numbers are 0, 1, 2, ... and reads the picture. */
Picture numbered(const ls_picture &p, long count)
{
    Folder folder;
    ls_error error = {};
    std::vector<real> rows(count * ls_shape_count(&p.row));
    for (size_t i = 0; i < rows.size(); i++)
        rows[i] = (real)i;
    std::string path = folder / "a.png";
    EXPECT_TRUE(ls_picture_write(path.c_str(), &p, rows.data(), count, &error)) << error.text;
    return shrink(read_png(path), p, count);
}

std::string shape_of(std::vector<long> row)
{
    ls_shape shape = {(int)row.size(), {}}, picture = {};
    for (size_t i = 0; i < row.size(); i++)
        shape.at[i] = row[i];
    char text[96];
    return ls_picture_shape(&shape, &picture) ? ls_shape_text(&picture, text, sizeof text) : "none";
}
} /* namespace */

TEST(Picture, EachGreyTileStandsInItsPlaceWithALineAround)
{
    Picture p = numbered(picture_of({2, 3, 1}, 2), 3);
    ASSERT_EQ(p.width, 9);
    ASSERT_EQ(p.height, 7);
    ASSERT_EQ(p.channels, 1);
    EXPECT_EQ(p.line(0, 0, 9), "255 255 255 255 255 255 255 255 255 ");
    EXPECT_EQ(p.line(1, 0, 9), "255 0 1 2 255 6 7 8 255 ");
    EXPECT_EQ(p.line(2, 0, 9), "255 3 4 5 255 9 10 11 255 ");
    EXPECT_EQ(p.line(3, 0, 9), "255 255 255 255 255 255 255 255 255 ");
    EXPECT_EQ(p.line(4, 0, 9), "255 12 13 14 255 255 255 255 255 ");
    EXPECT_EQ(p.line(5, 0, 9), "255 15 16 17 255 255 255 255 255 ");
    EXPECT_EQ(p.line(6, 0, 9), "255 255 255 255 255 255 255 255 255 ");
}

TEST(Picture, NumbersAreSquaresOfAReadableSize)
{
    Folder folder;
    const std::string path = folder / "a.png";
    std::vector<real> rows(64 * 28 * 28);
    for (size_t i = 0; i < rows.size(); i++)
        rows[i] = (real)(i * 7 % 256);
    ls_picture p = picture_of({28, 28, 1}, 0);
    ASSERT_TRUE(ls_picture_write(path.c_str(), &p, rows.data(), 64, nullptr));
    Picture found = read_png(path);
    ASSERT_EQ(ls_picture_zoom(&p, 64), 4);
    ASSERT_EQ(found.width, 1 + 8 * (28 * 4 + 1));
    ASSERT_EQ(found.height, found.width);
    for (long y = 0; y < 28 * 4; y++)
        for (long x = 0; x < 28 * 4; x++)
            ASSERT_EQ(found.at(1 + y, 114 + x), (28 * 28 + y / 4 * 28 + x / 4) * 7 % 256);
    EXPECT_EQ(ls_picture_zoom(&p, 1), 16);
    EXPECT_EQ(ls_picture_zoom(&p, 100000), 1);
    const ls_picture large = picture_of({500, 499, 3}, 0), larger = picture_of({500, 500, 3}, 0);
    EXPECT_EQ(ls_picture_zoom(&large, 1), 1);
    EXPECT_EQ(ls_picture_zoom(&larger, 4), 1);
}

TEST(Picture, ThreeChannelsAreColours)
{
    Picture p = numbered(picture_of({2, 2, 3}, 0), 1);
    ASSERT_EQ(p.width, 4);
    ASSERT_EQ(p.channels, 3);
    for (long y = 0; y < 2; y++)
        for (long x = 0; x < 2; x++)
            for (long c = 0; c < 3; c++)
                EXPECT_EQ(p.at(1 + y, 1 + x, c), (y * 2 + x) * 3 + c);
}

TEST(Picture, OtherChannelsAreGreyTilesBesideEachOther)
{
    Picture p = numbered(picture_of({1, 2, 4}, 1), 2);
    ASSERT_EQ(p.width, 13);
    ASSERT_EQ(p.height, 5);
    EXPECT_EQ(p.line(1, 0, 13), "255 0 4 255 1 5 255 2 6 255 3 7 255 ");
    EXPECT_EQ(p.line(3, 0, 13), "255 8 12 255 9 13 255 10 14 255 11 15 255 ");
}

TEST(Picture, NumbersAreRoundedAndClamped)
{
    Folder folder;
    std::string path = folder / "a.png";
    std::vector<real> rows = {-1, 1, 0, -2, 5, (real)0.0039, (real)-0.9968, (real)NAN, INFINITY};
    ls_picture p = picture_of({1, 9, 1}, 0, -1, 1);
    ls_error error = {};
    ASSERT_TRUE(ls_picture_write(path.c_str(), &p, rows.data(), 1, &error)) << error.text;
    EXPECT_EQ(shrink(read_png(path), p, 1).line(1, 1, 10), "0 255 128 0 255 128 0 0 255 ");
    p.most = -1; /* no range at all */
    ASSERT_TRUE(ls_picture_write(path.c_str(), &p, rows.data(), 1, &error)) << error.text;
    EXPECT_EQ(shrink(read_png(path), p, 1).line(1, 1, 4), "128 128 128 ");
}

TEST(Picture, ColumnsThatAreNotGivenMakeItNearlyASquare)
{
    for (auto [row, count, columns, lines] :
         std::vector<std::tuple<std::vector<long>, long, long, long>>{{{28, 28, 1}, 64, 8, 8},
                                                                      {{28, 28, 1}, 60, 8, 8},
                                                                      {{28, 28, 3}, 1, 1, 1},
                                                                      {{9, 4, 1}, 50, 10, 5},
                                                                      {{4, 9, 1}, 50, 5, 10},
                                                                      {{9, 9, 4}, 16, 2, 8},
                                                                      {{1, 99, 1}, 3, 1, 3},
                                                                      {{28, 28, 1}, 2, 2, 1}}) {
        Picture p = numbered(picture_of(row, 0), count);
        long planes = row[2] == 3 ? 1 : row[2];
        EXPECT_EQ((p.width - 1) / (row[1] + 1), columns * planes) << count;
        EXPECT_EQ((p.height - 1) / (row[0] + 1), lines) << count;
    }
}

TEST(Picture, EqualNumbersGiveEqualBytes)
{
    Folder folder;
    std::vector<real> rows(4 * 28 * 28);
    for (size_t i = 0; i < rows.size(); i++)
        rows[i] = (real)(i % 97);
    ls_picture p = picture_of({28, 28, 1}, 0, 0, 96);
    for (const char *name : {"a.png", "b.png"})
        ASSERT_TRUE(ls_picture_write((folder / name).c_str(), &p, rows.data(), 4, nullptr));
    EXPECT_EQ(read_file(folder / "a.png"), read_file(folder / "b.png"));
    EXPECT_FALSE(has(read_file(folder / "a.png"), "tIME"));
}

TEST(Picture, ShapesThatArePictures)
{
    EXPECT_EQ(shape_of({28, 28, 1}), "28x28x1");
    EXPECT_EQ(shape_of({5, 7, 3}), "5x7x3");
    EXPECT_EQ(shape_of({5, 7}), "5x7x1");
    EXPECT_EQ(shape_of({784}), "28x28x1");
    EXPECT_EQ(shape_of({4}), "2x2x1");
    EXPECT_EQ(shape_of({1}), "none");
    EXPECT_EQ(shape_of({783}), "none");
    EXPECT_EQ(shape_of({3, 4, 5, 6}), "none");
    EXPECT_EQ(shape_of({}), "none");
}

TEST(Picture, TheRangeHoldsAllNumbersThatAreFinite)
{
    double least = 7, most = 7;
    std::vector<real> numbers = {(real)0.25, (real)0.5, (real)NAN};
    ls_picture_range(numbers.data(), 3, &least, &most);
    EXPECT_EQ(least, 0);
    EXPECT_EQ(most, 1);
    numbers = {-1, 3, INFINITY};
    ls_picture_range(numbers.data(), 3, &least, &most);
    EXPECT_EQ(least, -1);
    EXPECT_EQ(most, 3);
}

TEST(Picture, OneThatCannotBeWrittenIsNotThere)
{
    Folder folder;
    size_t blocks = ls_memory_blocks();
    ls_error error = {};
    std::string path = folder / "a.png";
    std::vector<real> rows(100 * 100);
    for (size_t i = 0; i < rows.size(); i++)
        rows[i] = (real)(i * i % 251);
    ls_picture p = picture_of({100, 100, 1}, 0);
    {
        FullDisk full(1000);
        EXPECT_FALSE(ls_picture_write(path.c_str(), &p, rows.data(), 1, &error));
    }
    EXPECT_EQ(error.code, LS_IO);
    EXPECT_TRUE(has(error, "a.png: can't write")) << error.text;
    EXPECT_TRUE(has(error, "File too large")) << error.text;
    EXPECT_TRUE(std::filesystem::is_empty(folder.root));
    EXPECT_FALSE(ls_picture_write((folder / "no/a.png").c_str(), &p, rows.data(), 1, &error));
    EXPECT_TRUE(has(error, "no/a.png: can't create: its folder is not there: mkdir -p "))
        << error.text;
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(Picture, OneThatIsTooLargeIsRefused)
{
    ls_error error = {};
    real number = 0;
    ls_picture p = picture_of({LS_PNG_SIDE, 1, 1}, 0);
    EXPECT_FALSE(ls_picture_write("a.png", &p, &number, 1, &error));
    EXPECT_EQ(error.code, LS_USAGE);
    EXPECT_TRUE(has(error, "a.png: the picture would be 3 pixels wide and 65502 high; expected at "
                           "most 65500 each way and 268 million in all"))
        << error.text;
    p = picture_of({20000, 20000, 1}, 0);
    EXPECT_FALSE(ls_picture_write("a.png", &p, &number, 1, &error));
}
