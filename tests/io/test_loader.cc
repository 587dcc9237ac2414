/* loader: every row once an epoch, in an order that depends on seed, stage and epoch alone. */
#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "data_files.h"

extern "C" {
#include "core/memory.h"
#include "io/loader.h"
}

using namespace data_files;

namespace
{

using Rows = std::vector<int64_t>;

/* n rows of x = {row, 2 * row}, y = row % 10. */
class Loader : public testing::Test
{
  protected:
    ~Loader() override
    {
        ls_dataset_close(data);
    }
    void open(long rows, long bad_row = -1)
    {
        std::vector<float> x;
        std::vector<uint8_t> y;
        for (long i = 0; i < rows; i++) {
            x.push_back(i == bad_row ? NAN : (float)i);
            x.push_back(2 * (float)i);
            y.push_back((uint8_t)(i % 10));
        }
        {
            Writer file(folder / "a.h5");
            file.put<float>("train/x", {(hsize_t)rows, 2}, x);
            file.put<uint8_t>("train/y", {(hsize_t)rows}, y);
            file.classes("train/y", 10);
        }
        ls_error error = {};
        data = ls_dataset_open((folder / "a.h5").c_str(), &error);
        if (!data)
            throw std::runtime_error(error.text);
    }
    static ls_loader_plan plan(long batch, long steps)
    {
        ls_loader_plan plan = {};
        plan.targets = true;
        plan.split = LS_TRAIN;
        plan.seed = 7;
        plan.shuffle = true;
        plan.batch = batch;
        plan.shards = plan.end = 1;
        plan.end_step = steps;
        return plan;
    }
    /* The row numbers of each step, after checking that x and y are those of the rows. */
    std::vector<Rows> steps(const ls_loader_plan &plan)
    {
        std::vector<Rows> all;
        ls_loader *loader = ls_loader_open(data, &plan);
        for (long step = plan.first_step; step < plan.end_step; step++) {
            ls_error error = {};
            const ls_batch *batch = ls_loader_next(loader, &error);
            if (!batch)
                throw std::runtime_error(error.text);
            expect_contents(*batch);
            all.emplace_back(batch->row, batch->row + batch->rows);
        }
        EXPECT_GE(ls_loader_waited(loader), 0);
        ls_loader_close(loader);
        return all;
    }
    static void expect_contents(const ls_batch &batch)
    {
        EXPECT_EQ(ls_shape_count(&batch.x_shape), 2);
        EXPECT_EQ(batch.y_shape.rank, 0);
        for (long i = 0; i < batch.rows; i++) {
            EXPECT_EQ(batch.x[2 * i], (real)batch.row[i]);
            EXPECT_EQ(batch.x[2 * i + 1], (real)(2 * batch.row[i]));
            EXPECT_EQ(batch.y[i], (real)(batch.row[i] % 10));
        }
    }

    Folder folder;
    ls_dataset *data = nullptr;
};

Rows joined(const std::vector<Rows> &parts, size_t begin, size_t end)
{
    Rows all;
    for (size_t i = begin; i < end; i++)
        all.insert(all.end(), parts[i].begin(), parts[i].end());
    return all;
}

} /* namespace */

TEST_F(Loader, AnEpochHoldsEveryRowOnceAndTheLastBatchWhatIsLeft)
{
    open(103);
    ASSERT_EQ(ls_loader_steps_per_epoch(103, 10), 11);
    EXPECT_EQ(ls_loader_steps_per_epoch(100, 10), 10);
    std::vector<Rows> found = steps(plan(10, 22));
    EXPECT_EQ(found[10].size(), 3u);
    Rows first = joined(found, 0, 11), second = joined(found, 11, 22), all = counting<int64_t>(103);
    EXPECT_NE(first, second);
    EXPECT_NE(first, all);
    std::sort(first.begin(), first.end());
    std::sort(second.begin(), second.end());
    EXPECT_EQ(first, all);
    EXPECT_EQ(second, all);
}

TEST_F(Loader, TheFirstRowsMakeEpochsOfTheirOwn)
{
    open(103);
    ls_loader_plan it = plan(10, 6); /* two epochs of 10, 10 and 3 rows */
    it.rows = 23;
    std::vector<Rows> found = steps(it);
    EXPECT_EQ(found[2].size(), 3u);
    Rows first = joined(found, 0, 3), second = joined(found, 3, 6), all = counting<int64_t>(23);
    EXPECT_NE(first, second);
    std::sort(first.begin(), first.end());
    std::sort(second.begin(), second.end());
    EXPECT_EQ(first, all);
    EXPECT_EQ(second, all);
    it.rows = 104;
    EXPECT_DEATH(ls_loader_open(data, &it), "the first 104 of 103 rows");
}

TEST_F(Loader, TheOrderIsThePermutationOfTheEpochsStream)
{
    open(50);
    ls_loader_plan it = plan(20, 6);
    it.stage = 2;
    Rows found = joined(steps(it), 3, 6);
    ls_random stream = ls_random_stream(7, LS_RANDOM_SHUFFLE, 1, 2, 0);
    for (uint64_t i = 0; i < 50; i++)
        EXPECT_EQ(found[i], (int64_t)ls_random_permute(stream, 50, i));
}

TEST_F(Loader, SeedAndStageChangeTheOrder)
{
    open(100);
    ls_loader_plan a = plan(100, 1), b = a, c = a;
    b.seed = 8;
    c.stage = 1;
    EXPECT_NE(steps(a), steps(b));
    EXPECT_NE(steps(a), steps(c));
    EXPECT_EQ(steps(a), steps(a));
}

TEST_F(Loader, WithoutShuffleRowsComeAsInTheFile)
{
    open(25);
    ls_loader_plan it = plan(10, 6);
    it.shuffle = false;
    std::vector<Rows> found = steps(it);
    EXPECT_EQ(joined(found, 0, 3), counting<int64_t>(25));
    EXPECT_EQ(joined(found, 3, 6), counting<int64_t>(25));
}

TEST_F(Loader, EachRowOfABatchIsAStreamOfItsOwn)
{
    open(25);
    ls_loader_plan it = plan(4, 12);
    it.shuffle = false;
    it.streams = true;
    it.rows = 24;
    const std::vector<Rows> found = steps(it);
    for (long step = 0; step < 12; step++)
        EXPECT_EQ(found[(size_t)step],
                  (Rows{step % 6, 6 + step % 6, 12 + step % 6, 18 + step % 6}));
    it.shards = 3;
    it.begin = 1;
    it.end = 3;
    it.first_step = 5;
    const std::vector<Rows> later = steps(it);
    EXPECT_EQ(later[0], (Rows{11, 17, 23}));
    EXPECT_EQ(later[1], (Rows{6, 12, 18}));
}

TEST_F(Loader, AStartInTheMiddleGivesTheSameBatches)
{
    open(33);
    std::vector<Rows> whole = steps(plan(10, 12));
    for (long first = 0; first < 12; first++) {
        ls_loader_plan it = plan(10, 12);
        it.first_step = first;
        EXPECT_EQ(steps(it), std::vector<Rows>(whole.begin() + first, whole.end()));
    }
}

TEST_F(Loader, TheRanksTogetherReadTheBatchOfOneRank)
{
    open(47); /* batches of 10, and one of 7: not divisible by any of these */
    std::vector<Rows> whole = steps(plan(10, 10));
    for (int shards : {3, 5, 12}) {
        std::vector<Rows> together(10);
        for (int begin = 0; begin < shards; begin += 2) {
            ls_loader_plan it = plan(10, 10);
            it.shards = shards;
            it.begin = begin;
            it.end = std::min(begin + 2, shards);
            std::vector<Rows> part = steps(it);
            for (size_t step = 0; step < 10; step++)
                together[step].insert(together[step].end(), part[step].begin(), part[step].end());
        }
        EXPECT_EQ(together, whole) << shards << " shards";
    }
}

TEST_F(Loader, ABatchKnowsItsPlaceAndItsShards)
{
    open(47);
    ls_loader_plan it = plan(10, 10);
    it.shards = 4;
    it.begin = 1;
    it.end = 4;
    ls_loader *loader = ls_loader_open(data, &it);
    for (long step = 0; step < 10; step++) {
        const ls_batch *batch = ls_loader_next(loader, nullptr);
        ASSERT_NE(batch, nullptr);
        long total = step % 5 == 4 ? 7 : 10;
        EXPECT_EQ(batch->total, total);
        EXPECT_EQ(batch->first, total / 4);
        EXPECT_EQ(batch->rows, total - total / 4);
        EXPECT_EQ(batch->epoch, step / 5);
        for (int shard = 1; shard < 4; shard++)
            expect_contents(ls_batch_shard(batch, shard, 4));
    }
    ls_loader_close(loader);
}

TEST_F(Loader, AShardOrARankMayHaveNoRows)
{
    open(5);
    ls_loader_plan it = plan(2, 3); /* the last batch holds 1 row */
    it.shards = 8;
    it.begin = 0;
    it.end = 2; /* of the first quarter of 2 rows: none */
    EXPECT_EQ(steps(it), std::vector<Rows>(3));
    it.begin = it.end = 3;
    EXPECT_EQ(steps(it), std::vector<Rows>(3));
}

TEST_F(Loader, ABatchLargerThanTheDataIsAllOfIt)
{
    open(6);
    std::vector<Rows> found = steps(plan(1000000000, 2));
    for (Rows &rows : found) {
        std::sort(rows.begin(), rows.end());
        EXPECT_EQ(rows, counting<int64_t>(6));
    }
}

TEST_F(Loader, ABatchIsGoodUntilTheNextCall)
{
    open(64);
    ls_loader_plan it = plan(4, 64);
    ls_loader *loader = ls_loader_open(data, &it);
    for (long step = 0; step < 20; step++) {
        const ls_batch *batch = ls_loader_next(loader, nullptr);
        std::this_thread::sleep_for(std::chrono::milliseconds(1)); /* the thread reads ahead */
        ASSERT_NE(batch, nullptr);
        expect_contents(*batch);
    }
    ls_loader_close(loader);
}

TEST_F(Loader, ClosingEndsTheThreadWhereverItWaits)
{
    open(64);
    size_t blocks = ls_memory_blocks();
    for (int taken = 0; taken <= 10; taken++) {
        ls_loader_plan it = plan(8, 10);
        ls_loader *loader = ls_loader_open(data, &it);
        for (int i = 0; i < taken; i++)
            ls_loader_next(loader, nullptr);
        if (taken % 2)
            std::this_thread::sleep_for(std::chrono::milliseconds(1)); /* the ring fills up */
        ls_loader_close(loader);
    }
    ls_loader_close(nullptr);
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST_F(Loader, AReadErrorComesAfterTheGoodBatchesAndStays)
{
    open(50, 25);
    ls_loader_plan it = plan(10, 5);
    it.shuffle = false;
    ls_loader *loader = ls_loader_open(data, &it);
    EXPECT_NE(ls_loader_next(loader, nullptr), nullptr);
    EXPECT_NE(ls_loader_next(loader, nullptr), nullptr);
    for (int i = 0; i < 3; i++) {
        ls_error error = {};
        EXPECT_EQ(ls_loader_next(loader, &error), nullptr);
        EXPECT_EQ(error.code, LS_DATA);
        expect_words(error, {"train/x", "nan at row 25"});
    }
    ls_loader_close(loader);
}

TEST_F(Loader, AskingForMoreThanTheLastStepIsABug)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    open(10);
    ls_loader_plan it = plan(10, 2);
    ls_loader *loader = ls_loader_open(data, &it);
    ls_loader_next(loader, nullptr);
    ls_loader_next(loader, nullptr);
    EXPECT_DEATH(ls_loader_next(loader, nullptr), "after step 2");
    ls_loader_close(loader);
}
