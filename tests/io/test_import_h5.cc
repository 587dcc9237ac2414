/* import h5: rows of any order of dimensions, against the definition by indices; and that nothing
 * is left of imports that fail. tests/launch/test_import_h5.sh compares many files with h5py. */
#include <numeric>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/h5/h5.h"
#include "io/import/h5_rows.h"
#include "io/import/import.h"
}

using namespace data_files;

namespace
{

struct Opened {
    explicit Opened(const std::string &path)
        : file(ls_h5_open(path.c_str(), nullptr)), x(ls_h5_dataset(file, "x", nullptr))
    {
    }
    ~Opened()
    {
        H5Dclose(x);
        H5Fclose(file);
    }
    hid_t file, x;
};

template <class T> std::vector<T> read_all(const Opened &from, int order, long block)
{
    ls_h5_rows rows;
    ls_error error = {};
    EXPECT_TRUE(ls_h5_rows_open(&rows, from.x, "x", order, &error)) << error.text;
    std::vector<T> out(size_t(rows.rows * rows.width));
    for (long first = 0; first < rows.rows; first += block) {
        long n = std::min(block, rows.rows - first);
        EXPECT_TRUE(ls_h5_rows_read(&rows, first, n, &out[size_t(first * rows.width)], &error))
            << error.text;
    }
    ls_h5_rows_release(&rows);
    return out;
}

/* [4, 3, 5, 2], counted up: number (a, b, c, d) is ((a * 3 + b) * 5 + c) * 2 + d. */
template <class T> void expect_orders(const std::string &path, hid_t layout)
{
    const size_t A = 4, B = 3, C = 5, D = 2;
    {
        Writer file(path);
        file.put<T>("x", {A, B, C, D}, counting<T>(A * B * C * D), 0, layout);
    }
    Opened from(path);
    std::vector<T> first, reversed, both;
    auto at = [&](size_t a, size_t b, size_t c, size_t d) {
        return T(((a * B + b) * C + c) * D + d);
    };
    for (size_t a = 0; a < A; a++)
        for (size_t c = 0; c < C; c++)
            for (size_t d = 0; d < D; d++)
                for (size_t b = 0; b < B; b++)
                    first.push_back(at(a, b, c, d));
    for (size_t d = 0; d < D; d++)
        for (size_t c = 0; c < C; c++)
            for (size_t b = 0; b < B; b++)
                for (size_t a = 0; a < A; a++)
                    reversed.push_back(at(a, b, c, d));
    for (size_t d = 0; d < D; d++) /* reversed [D, C, B, A], of which C are the channels */
        for (size_t b = 0; b < B; b++)
            for (size_t a = 0; a < A; a++)
                for (size_t c = 0; c < C; c++)
                    both.push_back(at(a, b, c, d));
    for (long block : {1, 3, 4}) {
        EXPECT_EQ(read_all<T>(from, LS_H5_AS_IT_IS, block), counting<T>(A * B * C * D));
        EXPECT_EQ(read_all<T>(from, LS_H5_CHANNELS_FIRST, block), first);
        EXPECT_EQ(read_all<T>(from, LS_H5_REVERSED, block), reversed);
        EXPECT_EQ(read_all<T>(from, LS_H5_REVERSED | LS_H5_CHANNELS_FIRST, block), both);
    }
}

} /* namespace */

TEST(ImportH5, DimensionsComeOutInEveryOrder)
{
    Folder folder;
    hid_t chunks = chunked({3, 2, 2, 1}, 4);
    for (hid_t layout : {hid_t(H5P_DEFAULT), chunks}) {
        expect_orders<uint8_t>(folder / "a.h5", layout);
        expect_orders<int16_t>(folder / "b.h5", layout);
        expect_orders<float>(folder / "c.h5", layout);
        expect_orders<double>(folder / "d.h5", layout);
    }
    H5Pclose(chunks);
}

TEST(ImportH5, ABlockIsARowOfChunks)
{
    Folder folder;
    hid_t wide = chunked({1000, 4}, 0), fine = chunked({1, 4}, 0);
    {
        Writer file(folder / "a.h5");
        file.put<float>("x", {5000, 4}, counting<float>(20000), 0, wide);
        Writer more(folder / "b.h5");
        more.put<float>("x", {5000, 4}, counting<float>(20000), 0, fine);
    }
    for (const char *name : {"a.h5", "b.h5"}) {
        Opened from(folder / name);
        ls_h5_rows rows;
        ASSERT_TRUE(ls_h5_rows_open(&rows, from.x, "x", LS_H5_AS_IT_IS, nullptr));
        EXPECT_EQ(rows.block, 5000) << name; /* all of it is less than a block has room for */
        ls_h5_rows_release(&rows);
    }
    H5Pclose(wide);
    H5Pclose(fine);
}

TEST(ImportH5, NumbersThatDoNotFitAreNamedByRow)
{
    Folder folder;
    {
        Writer file(folder / "a.h5");
        file.put<int64_t>("x", {3}, {1, 2, -1}, 0);
        file.put<int64_t>("y", {3}, {0, 1, 0});
        hid_t x = file.create("big", H5T_STD_U64LE, {3});
        const int64_t numbers[] = {1, 2, -1}; /* 2^64 - 1 */
        H5Dwrite(x, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
        H5Dclose(x);
    }
    std::string input = folder / "a.h5", output = folder / "out.h5";
    ls_import plan = ls_import_presets;
    ls_error error = {};
    plan.file[0] = input.c_str();
    plan.output = output.c_str();
    plan.rename = "x=old,big=x";
    size_t blocks = ls_memory_blocks();
    EXPECT_FALSE(ls_import_h5(&plan, nullptr, &error));
    EXPECT_EQ(error.code, LS_DATA);
    expect_words(error, {"a.h5: big holds 18446744073709551615 at row 2"});
    EXPECT_EQ(entries(folder), 1u);
    EXPECT_EQ(ls_memory_blocks(), blocks);
}
