/* PNG forms that PIL can't write (16 bits, interlaced), EXIF orientations, bytes damaged at random,
 * and the filter by its definition. Pixels of all other pictures are compared with PIL's in
 * tests/launch/test_images.sh. */
#include <gtest/gtest.h>

#include <cmath>
#include <png.h>
#include <random>
#include <zlib.h>

#include "data_files.h"

extern "C" {
#include "io/jpeg.h"
#include "io/png.h"
#include "io/resample.h"
}

using Bytes = std::vector<uint8_t>;

namespace
{

/* A whole picture in memory. */
struct Picture {
    long width = 0, height = 0;
    int orientation = 0;
    ls_decode_window window = {};
    bool whole = true;
    Bytes rgb;
};

bool begin(void *context, long width, long height, int orientation, ls_decode_window *window)
{
    auto *p = static_cast<Picture *>(context);
    p->width = width;
    p->height = height;
    p->orientation = orientation;
    if (p->whole)
        p->window = {0, width, 0, height};
    *window = p->window;
    return true;
}

void row(void *context, long y, const uint8_t *rgb)
{
    auto *p = static_cast<Picture *>(context);
    EXPECT_EQ(long(p->rgb.size()), (y - p->window.y) * (p->window.x_end - p->window.x) * 3);
    p->rgb.insert(p->rgb.end(), rgb, rgb + (p->window.x_end - p->window.x) * 3);
}

void append(png_structp png, png_bytep data, size_t size)
{
    auto *to = static_cast<Bytes *>(png_get_io_ptr(png));
    to->insert(to->end(), data, data + size);
}

/* A PNG of width x height samples of `depth` bits, row after row as libpng takes them. */
Bytes write_png(long width, long height, int depth, int colour, int interlace, Bytes samples)
{
    Bytes file;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &file, append, nullptr);
    png_set_IHDR(png, info, png_uint_32(width), png_uint_32(height), depth, colour, interlace,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    std::vector<png_bytep> rows;
    for (long y = 0; y < height; y++)
        rows.push_back(samples.data() + size_t(y) * png_get_rowbytes(png, info));
    png_write_image(png, rows.data());
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return file;
}

bool decode(const Bytes &file, Picture *picture, ls_error *error)
{
    const ls_decode_sink sink = {picture, begin, row};
    auto *read = ls_jpeg_is(file.data(), file.size()) ? ls_jpeg_decode : ls_png_decode;
    return read("a.png", file.data(), file.size(), &sink, error);
}

Bytes random_bytes(size_t size, unsigned seed)
{
    std::mt19937 random(seed);
    Bytes bytes(size);
    for (uint8_t &byte : bytes)
        byte = uint8_t(random());
    return bytes;
}

/* EXIF data with one entry, in either byte order. */
Bytes exif(bool little, unsigned tag, unsigned value)
{
    auto number = [&](unsigned n, int bytes) {
        Bytes out;
        for (int i = 0; i < bytes; i++)
            out.push_back(uint8_t(n >> 8 * (little ? i : bytes - 1 - i)));
        return out;
    };
    Bytes all;
    for (const Bytes &part :
         {Bytes(2, little ? 'I' : 'M'), number(42, 2), number(8, 4), number(1, 2), number(tag, 2),
          number(3, 2), number(1, 4), number(value, 2), number(0, 2), number(0, 4)})
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

} /* namespace */

TEST(Decode, SixteenBitsAreRoundedToEight)
{
    Bytes samples = random_bytes(7 * 5 * 6, 1);
    Picture picture;
    ls_error error = {};
    ASSERT_TRUE(decode(write_png(7, 5, 16, PNG_COLOR_TYPE_RGB, 0, samples), &picture, &error))
        << error.text;
    ASSERT_EQ(picture.rgb.size(), samples.size() / 2);
    for (size_t i = 0; i < picture.rgb.size(); i++)
        EXPECT_EQ(picture.rgb[i], std::lround((samples[2 * i] * 256 + samples[2 * i + 1]) / 257.0));
}

TEST(Decode, InterlacedPicturesAreWhole)
{
    Bytes samples = random_bytes(23 * 17 * 4, 2);
    Picture plain, interlaced;
    ls_error error = {};
    ASSERT_TRUE(decode(write_png(23, 17, 8, PNG_COLOR_TYPE_RGBA, 0, samples), &plain, &error));
    ASSERT_TRUE(decode(write_png(23, 17, 8, PNG_COLOR_TYPE_RGBA, 1, samples), &interlaced, &error));
    EXPECT_EQ(plain.rgb, interlaced.rgb);
    for (size_t i = 0; i < 23 * 17; i++) /* over white */
        for (size_t c = 0; c < 3; c++)
            EXPECT_EQ(plain.rgb[3 * i + c], std::lround((samples[4 * i + c] * samples[4 * i + 3] +
                                                         255.0 * (255 - samples[4 * i + 3])) /
                                                        255));
}

TEST(Decode, AChunkThatClaimsMoreThanTheFileHasIsDamage)
{
    Bytes file = write_png(7, 5, 8, PNG_COLOR_TYPE_RGB, 0, random_bytes(7 * 5 * 3, 3));
    const char claim[] = "\x66\xff\x4d\x1a" /* 1.7 GB */
                         "eXIf";
    file.insert(file.begin() + 33, claim, claim + 8); /* behind the header */
    Picture picture;
    ls_error error = {};
    EXPECT_FALSE(decode(file, &picture, &error));
    EXPECT_STREQ(error.text,
                 "a.png: is a damaged PNG picture: it ends too early: it was cut short");
}

TEST(Decode, ThePlaceOfAPngsOrientationDoesNotMatter)
{
    const Bytes file = write_png(7, 5, 8, PNG_COLOR_TYPE_RGB, 0, random_bytes(7 * 5 * 3, 3));
    Bytes content = {'e', 'X', 'I', 'f'}, chunk;
    for (uint8_t byte : exif(true, 0x112, 6))
        content.push_back(byte);
    auto put = [&](uint32_t number) {
        for (int k = 24; k >= 0; k -= 8)
            chunk.push_back(uint8_t(number >> k));
    };
    put(uint32_t(content.size() - 4));
    chunk.insert(chunk.end(), content.begin(), content.end());
    put(uint32_t(crc32(0, content.data(), uInt(content.size()))));
    for (size_t at : {size_t(33), file.size() - 12}) { /* behind the header, before the end */
        for (bool sound : {true, false}) {
            Bytes odd = file;
            odd.insert(odd.begin() + long(at), chunk.begin(), chunk.end());
            if (!sound)
                odd[at + chunk.size() - 1] ^= 1; /* its sum of bits */
            Picture picture;
            ls_error error = {};
            ASSERT_TRUE(decode(odd, &picture, &error)) << error.text;
            EXPECT_EQ(picture.orientation, sound ? 6 : 1) << at;
        }
    }
}

TEST(Decode, AWindowIsAPartOfTheWhole)
{
    Picture whole, part;
    ls_error error = {};
    Bytes file = write_png(40, 30, 8, PNG_COLOR_TYPE_RGB, 0, random_bytes(40 * 30 * 3, 3));
    part.whole = false;
    part.window = {11, 25, 7, 9};
    ASSERT_TRUE(decode(file, &whole, &error) && decode(file, &part, &error));
    for (long y = 0; y < 2; y++)
        for (long x = 0; x < 14 * 3; x++)
            EXPECT_EQ(part.rgb[size_t(y * 14 * 3 + x)],
                      whole.rgb[size_t((y + 7) * 40 * 3 + 11 * 3 + x)]);
}

TEST(Decode, OrientationIsFoundInBothByteOrders)
{
    for (bool little : {false, true})
        for (unsigned value = 0; value < 12; value++) {
            Bytes data = exif(little, 0x112, value);
            int wanted = value >= 1 && value <= 8 ? int(value) : 1;
            EXPECT_EQ(ls_decode_orientation(data.data(), data.size()), wanted);
            for (size_t size = 0; size < data.size() - 4; size++) {
                Bytes cut(data.begin(), data.begin() + long(size)); /* of its own, for sanitizers */
                EXPECT_EQ(ls_decode_orientation(cut.data(), size), 1);
            }
        }
    Bytes other = exif(true, 0x113, 6);
    EXPECT_EQ(ls_decode_orientation(other.data(), other.size()), 1);
}

/* The mean by the formula of resample.h, in double, of rows and then of columns. */
TEST(Resample, IsTheMeanByATriangle)
{
    struct {
        long from, to, first, count;
    } axes[] = {{100, 10, 0, 10}, {37, 11, 2, 7}, {5, 12, 0, 12}, {9, 9, 3, 4}, {1, 6, 1, 3}};
    auto weights = [](long from, long to, long i) {
        std::vector<double> w(size_t(from), 0);
        double scale = double(from) / double(to), width = std::max(scale, 1.0), sum = 0;
        for (long j = 0; j < from; j++)
            sum += w[size_t(j)] =
                std::max(0.0, 1 - std::abs(double(j) + 0.5 - (double(i) + 0.5) * scale) / width);
        for (double &share : w)
            share /= sum;
        return w;
    };
    ls_resample r = {};
    for (auto &a : axes)
        for (auto &b : axes)
            for (int channels : {1, 3}) {
                Bytes in = random_bytes(size_t(a.from * b.from * channels), 4);
                Bytes out(size_t(a.count * b.count * channels));
                ls_resample_axis x = {}, y = {};
                x.from = a.from, x.to = a.to, x.first = a.first, x.count = a.count;
                y.from = b.from, y.to = b.to, y.first = b.first, y.count = b.count;
                ls_resample_plan(&r, channels, &x, &y);
                for (long v = r.y.begin; v < r.y.end; v++)
                    ls_resample_row(&r, v, &in[size_t((v * a.from + r.x.begin) * channels)]);
                ls_resample_finish(&r, out.data());
                for (long v = 0; v < b.count; v++)
                    for (long u = 0; u < a.count; u++)
                        for (int c = 0; c < channels; c++) {
                            double mean = 0;
                            auto wx = weights(a.from, a.to, a.first + u);
                            auto wy = weights(b.from, b.to, b.first + v);
                            for (long j = 0; j < b.from; j++)
                                for (long i = 0; i < a.from; i++)
                                    mean += wy[size_t(j)] * wx[size_t(i)] *
                                            in[size_t((j * a.from + i) * channels + c)];
                            EXPECT_NEAR(out[size_t((v * a.count + u) * channels + c)], mean, 1.01);
                        }
            }
    ls_resample_release(&r);
}

/* Whatever is changed in a file, decoding ends with pixels or with an error; sanitizers watch. */
TEST(Decode, DamagedFilesAreRefusedOrRead)
{
    std::mt19937 random(5);
    const Bytes files[] = {
        write_png(23, 17, 8, PNG_COLOR_TYPE_RGBA, 1, random_bytes(23 * 17 * 4, 6)),
        write_png(20, 9, 16, PNG_COLOR_TYPE_GRAY, 0, random_bytes(20 * 9 * 2, 7))};
    long refused = 0;
    for (int i = 0; i < 2000; i++) {
        Bytes file = files[i % 2];
        for (unsigned k = random() % 4; k < 4; k++)
            file[8 + random() % (file.size() - 8)] = uint8_t(random());
        if (random() % 4 == 0)
            file.resize(8 + random() % (file.size() - 8));
        Picture picture;
        ls_error error = {};
        bool ok = decode(file, &picture, &error);
        EXPECT_TRUE(ok || error.code == LS_DATA);
        refused += !ok;
    }
    EXPECT_GT(refused, 1000);
}
