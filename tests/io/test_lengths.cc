/* lengths: sequences of unequal length in a data file. */
#include <algorithm>
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
    plan.targets = true;
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
    {
        Writer file(folder / "a.h5");
        file.put<float>("train/x", {1, 3}, {1, 2, 3});
        file.put<int64_t>("train/length", {1}, {INT64_MAX});
    }
    EXPECT_FALSE(open());
    expect_words(error, {"row 0 of train is 9.22337204e+18", "expected 1 to 3"});
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
    splits[LS_TEST] = splits[LS_TRAIN];
    splits[LS_TEST].length = nullptr;
    EXPECT_FALSE(ls_dataset_open_rows("rows", splits, &error));
    expect_words(error, {"rows: train has `length`", "but test has none: give it to all splits"});
    splits[LS_TEST].rows = 0;
    ls_dataset *data = ls_dataset_open_rows("rows", splits, &error);
    ASSERT_TRUE(data) << error.text;
    const int64_t row = 0;
    real out[3];
    ASSERT_TRUE(ls_dataset_read(data, LS_TRAIN, &row, 1, nullptr, out, nullptr, &error));
    EXPECT_EQ(out[2], 0);
    ls_dataset_close(data);
}

namespace
{

/* 103 rows of up to 20 steps, in memory. */
class Buckets : public testing::Test
{
  protected:
    using Rows = std::vector<int64_t>;
    enum { ROWS = 103, STEPS = 20, BATCH = 10, GROUP = 4, FULL = 10 };

    Buckets() : x((size_t)ROWS * STEPS, 1)
    {
        for (long r = 0; r < ROWS; r++)
            length.push_back((int32_t)(1 + r * 7 % STEPS));
        ls_dataset_rows splits[LS_SPLITS] = {};
        splits[LS_TRAIN].rows = ROWS;
        splits[LS_TRAIN].x = x.data();
        splits[LS_TRAIN].x_shape.rank = 1;
        splits[LS_TRAIN].x_shape.at[0] = STEPS;
        splits[LS_TRAIN].length = length.data();
        ls_error error = {};
        data = ls_dataset_open_rows("rows", splits, &error);
        EXPECT_TRUE(data) << error.text;
    }
    ~Buckets() override
    {
        ls_dataset_close(data);
    }
    static ls_loader_plan plan(long first, long end)
    {
        ls_loader_plan plan = {};
        plan.targets = true;
        plan.split = LS_TRAIN;
        plan.seed = 7;
        plan.shuffle = true;
        plan.bucket = GROUP;
        plan.batch = BATCH;
        plan.shards = plan.end = 4;
        plan.first_step = first;
        plan.end_step = end;
        return plan;
    }
    /* The rows of each step, after checking lengths, and that shards begin with their longest. */
    std::vector<Rows> read(const ls_loader_plan &plan)
    {
        std::vector<Rows> steps;
        ls_loader *loader = ls_loader_open(data, &plan);
        for (long step = plan.first_step; step < plan.end_step; step++) {
            ls_error error = {};
            const ls_batch *batch = ls_loader_next(loader, &error);
            for (int s = plan.begin; s < plan.end; s++) {
                const ls_batch shard = ls_batch_shard(batch, s, plan.shards);
                for (long i = 0; i < shard.rows; i++) {
                    EXPECT_EQ(shard.length[i], length[(size_t)shard.row[i]]);
                    EXPECT_TRUE(i == 0 || shard.length[i - 1] >= shard.length[i]);
                }
            }
            steps.emplace_back(batch->row, batch->row + batch->rows);
            std::vector<int32_t> all(batch->all_length, batch->all_length + batch->total);
            std::sort(all.begin(), all.end());
            if (batch->rows == batch->total) {
                EXPECT_EQ(all, lengths_of(steps.back()));
            }
        }
        ls_loader_close(loader);
        return steps;
    }
    std::vector<int32_t> lengths_of(const Rows &rows) const
    {
        std::vector<int32_t> all;
        for (int64_t r : rows)
            all.push_back(length[(size_t)r]);
        std::sort(all.begin(), all.end());
        return all;
    }
    static Rows sorted(Rows rows)
    {
        std::sort(rows.begin(), rows.end());
        return rows;
    }
    /* The batches of an epoch as the words in loader.h have them, each sorted by number, in the
     * order of the groups. */
    std::vector<Rows> groups(long epoch) const
    {
        std::vector<Rows> batches;
        const ls_random order = ls_random_stream(7, LS_RANDOM_SHUFFLE, (uint64_t)epoch, 0, 0);
        for (long first = 0; first < ROWS; first += GROUP * BATCH) {
            Rows group;
            const long full = std::min<long>(first + GROUP * BATCH, FULL * BATCH);
            for (long i = first; i < full; i++)
                group.push_back((int64_t)ls_random_permute(order, ROWS, (uint64_t)i));
            std::stable_sort(group.begin(), group.end(), [&](int64_t a, int64_t b) {
                return length[(size_t)a] > length[(size_t)b];
            });
            for (size_t i = 0; i < group.size(); i += BATCH)
                batches.push_back(
                    sorted({group.begin() + (long)i, group.begin() + (long)i + BATCH}));
        }
        return batches;
    }

    std::vector<real> x;
    std::vector<int32_t> length;
    ls_dataset *data;
};

} /* namespace */

TEST_F(Buckets, AnEpochTakesEachRowOnceInBatchesOfSimilarLengths)
{
    const std::vector<Rows> steps = read(plan(0, 22));
    for (long epoch = 0; epoch < 2; epoch++) {
        std::vector<Rows> found, expected = groups(epoch);
        Rows all;
        for (long k = 0; k <= FULL; k++) {
            const Rows &step = steps[(size_t)(11 * epoch + k)];
            all.insert(all.end(), step.begin(), step.end());
            if (k < FULL)
                found.push_back(sorted(step));
            else
                EXPECT_EQ(step.size(), 3u);
        }
        EXPECT_NE(found, expected) << "batches come in the order of the groups";
        std::sort(found.begin(), found.end());
        std::sort(expected.begin(), expected.end());
        EXPECT_EQ(found, expected) << "epoch " << epoch;
        all = sorted(all);
        for (int64_t r = 0; r < ROWS; r++)
            EXPECT_EQ(all[(size_t)r], r);
    }
    EXPECT_NE(sorted(steps[0]), sorted(steps[11]));
}

TEST_F(Buckets, AStepIsTheSameFromWhereverReadingBeginsAndOnAnyRank)
{
    const std::vector<Rows> steps = read(plan(0, 22));
    EXPECT_EQ(read(plan(7, 22)), std::vector<Rows>(steps.begin() + 7, steps.end()));
    EXPECT_EQ(read(plan(13, 22)), std::vector<Rows>(steps.begin() + 13, steps.end()));
    ls_loader_plan low = plan(0, 22), high = low;
    low.end = high.begin = 1;
    const std::vector<Rows> left = read(low), right = read(high);
    for (size_t k = 0; k < steps.size(); k++) {
        Rows both = left[k];
        both.insert(both.end(), right[k].begin(), right[k].end());
        EXPECT_EQ(both, steps[k]);
    }
}

TEST_F(Buckets, OfMoreBatchesThanThereAreSortTheWholeEpoch)
{
    ls_loader_plan all = plan(0, 10);
    all.bucket = 1000000000;
    std::vector<std::pair<int32_t, int32_t>> ends;
    for (const Rows &step : read(all))
        ends.emplace_back(lengths_of(step).front(), lengths_of(step).back());
    std::sort(ends.begin(), ends.end());
    for (size_t k = 1; k < ends.size(); k++)
        EXPECT_LE(ends[k - 1].second, ends[k].first);
    all.batch = 200; /* no batch is full */
    all.end_step = 1;
    EXPECT_EQ(read(all)[0].size(), (size_t)ROWS);
}
