/* lengths: sequences of unequal length in a data file. */
#include <cmath>
#include <limits>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/dataset.h"
#include "io/loader.h"
}

using namespace data_files;

namespace
{

const float NOTHING = std::numeric_limits<float>::quiet_NaN();

/* x [4, 3, 2], labels y [4, 3] and length [4]; behind the ends are NaN and labels of no class. */
class LengthsOfRows : public testing::Test
{
  protected:
    ~LengthsOfRows() override
    {
        ls_dataset_close(data);
    }
    void write(const std::vector<int32_t> &length, const std::string &path = "length")
    {
        std::vector<float> x;
        std::vector<int8_t> y;
        for (long r = 0; r < 4; r++)
            for (long t = 0; t < 3; t++) {
                const bool counts = r >= (long)length.size() || t < length[(size_t)r];
                x.push_back(counts ? (float)(10 * r + t + 1) : NOTHING);
                x.push_back(counts ? 1 : INFINITY);
                y.push_back(counts ? (int8_t)(r % 2) : -1);
            }
        Writer file(folder / "a.h5");
        file.put<float>("train/x", {4, 3, 2}, x);
        file.put<int8_t>("train/y", {4, 3}, y);
        file.classes("train/y", 2);
        file.put<int32_t>("train/" + path, {length.size()}, length);
    }
    bool open()
    {
        data = ls_dataset_open((folder / "a.h5").c_str(), &error);
        return data;
    }
    std::vector<real> read_x(const std::vector<int64_t> &rows)
    {
        std::vector<real> x(rows.size() * 6);
        EXPECT_TRUE(ls_dataset_read(data, LS_TRAIN, rows.data(), (long)rows.size(), nullptr,
                                    x.data(), nullptr, &error))
            << error.text;
        return x;
    }
    Folder folder;
    ls_error error = {};
    ls_dataset *data = nullptr;
};

} /* namespace */

TEST_F(LengthsOfRows, WhatLiesBehindTheEndReadsAs0)
{
    write({3, 1, 2, 3});
    ASSERT_TRUE(open()) << error.text;
    EXPECT_TRUE(ls_dataset_has_lengths(data));
    EXPECT_EQ(ls_dataset_split(data, LS_TRAIN)->length[2], 2);
    EXPECT_EQ(read_x({2, 1}), (std::vector<real>{21, 1, 22, 1, 0, 0, 11, 1, 0, 0, 0, 0}));
    std::vector<int64_t> rows = {1, 3};
    std::vector<real> y(6);
    ASSERT_TRUE(
        ls_dataset_read(data, LS_TRAIN, rows.data(), 2, nullptr, nullptr, y.data(), &error));
    EXPECT_EQ(y, (std::vector<real>{1, 0, 0, 1, 1, 1}));
}

TEST_F(LengthsOfRows, TransformsLeaveThe0BehindTheEnd)
{
    write({3, 1, 2, 3});
    ASSERT_TRUE(open()) << error.text;
    ASSERT_TRUE(ls_dataset_transform(data, "normalize mean=1 deviation=2", &error)) << error.text;
    EXPECT_EQ(read_x({2}), (std::vector<real>{10, 0, 10.5, 0, 0, 0}));
    EXPECT_FALSE(ls_dataset_transform(data, "flip", &error));
    expect_words(error, {"flip is for images", "sequences of unequal length"});
}

TEST_F(LengthsOfRows, ComeWithTheRowsOfABatch)
{
    write({3, 1, 2, 3});
    ASSERT_TRUE(open()) << error.text;
    ls_loader_plan plan = {};
    plan.split = LS_TRAIN;
    plan.seed = 3;
    plan.shuffle = true;
    plan.batch = 3;
    plan.shards = 2;
    plan.begin = 0;
    plan.end = 2;
    plan.end_step = 2;
    ls_loader *loader = ls_loader_open(data, &plan);
    for (int step = 0; step < 2; step++) {
        const ls_batch *batch = ls_loader_next(loader, &error);
        ASSERT_TRUE(batch) << error.text;
        for (int shard = 0; shard < 2; shard++) {
            const ls_batch part = ls_batch_shard(batch, shard, 2);
            for (long r = 0; r < part.rows; r++)
                EXPECT_EQ(part.length[r], ls_dataset_split(data, LS_TRAIN)->length[part.row[r]]);
        }
    }
    ls_loader_close(loader);
}

TEST_F(LengthsOfRows, OfABadFileAreRefusedWithTheRow)
{
    write({3, 0, 2, 3});
    EXPECT_FALSE(open());
    expect_words(error, {"a.h5: the length of row 1 of train is 0", "expected 1 to 3"});
    write({3, 1, 4, 3});
    EXPECT_FALSE(open());
    expect_words(error, {"row 2 of train is 4", "cut longer ones"});
    write({3, 1, 2});
    EXPECT_FALSE(open());
    expect_words(error, {"train/length has 3 rows, but train/x has 4"});
    write({3, 1, 2, 3}, "other");
    {
        const hid_t file = H5Fopen((folder / "a.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
        const hsize_t dims[] = {4};
        const hid_t space = H5Screate_simple(1, dims, nullptr);
        const hid_t set = H5Dcreate2(file, "train/length", H5T_NATIVE_FLOAT, space, H5P_DEFAULT,
                                     H5P_DEFAULT, H5P_DEFAULT);
        const float halves[] = {1, 2, 2.5, 3};
        H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, halves);
        H5Dclose(set);
        H5Sclose(space);
        H5Fclose(file);
    }
    EXPECT_FALSE(open());
    expect_words(error, {"rows of train/length are scalar, float32", "one whole number a row"});
}

TEST_F(LengthsOfRows, WithoutThemEveryStepCounts)
{
    write({3, 1, 2, 3}, "other");
    EXPECT_FALSE(open());
    expect_words(error, {"train/y holds label -1 at row 1, step 1"});
}

TEST(LengthsInMemory, AreCheckedAndUsed)
{
    const real x[] = {1, 2, NAN, 4, 5, 6};
    const int32_t good[] = {2, 3}, bad[] = {2, 4};
    ls_dataset_rows splits[LS_SPLITS] = {};
    splits[LS_TRAIN].rows = 2;
    splits[LS_TRAIN].x = x;
    splits[LS_TRAIN].x_shape.rank = 1;
    splits[LS_TRAIN].x_shape.at[0] = 3;
    splits[LS_TRAIN].length = bad;
    ls_error error = {};
    EXPECT_FALSE(ls_dataset_open_rows("rows", splits, &error));
    expect_words(error, {"rows: the length of row 1 of train is 4"});
    splits[LS_TRAIN].length = good;
    ls_dataset *data = ls_dataset_open_rows("rows", splits, &error);
    ASSERT_TRUE(data) << error.text;
    const int64_t row = 0;
    real out[3];
    ASSERT_TRUE(ls_dataset_read(data, LS_TRAIN, &row, 1, nullptr, out, nullptr, &error));
    EXPECT_EQ(out[2], 0);
    ls_dataset_close(data);
}
