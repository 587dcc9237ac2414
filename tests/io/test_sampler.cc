/* sampler: rows come as often as their weights say, by chi-square; a draw is a function of seed and
 * position; what can't be a weight is named with its row. */
#include <cmath>

#include "data_files.h"

extern "C" {
#include "io/loader.h"
#include "io/sampler.h"
}

using namespace data_files;

namespace
{

class Sampler : public testing::Test
{
  protected:
    ~Sampler() override
    {
        ls_dataset_close(data);
    }
    void open(const std::vector<uint8_t> &labels, const std::vector<double> &weights)
    {
        ls_dataset_close(data);
        data = nullptr;
        {
            Writer file(folder / "a.h5");
            file.put<float>("train/x", {labels.size(), 1}, std::vector<float>(labels.size()));
            file.put<uint8_t>("train/y", {labels.size()}, labels);
            file.classes("train/y", 10);
            if (!weights.empty())
                file.put<double>("train/weight", {weights.size()}, weights);
        }
        data = ls_dataset_open((folder / "a.h5").c_str(), &error);
        ASSERT_NE(data, nullptr) << error.text;
    }
    /* How often each row came in n draws. */
    std::vector<double> draw(ls_sampling how, long n, long rows)
    {
        ls_sampler *sampler = ls_sampler_open(data, LS_TRAIN, rows, how, &error);
        EXPECT_NE(sampler, nullptr) << error.text;
        std::vector<double> count(size_t(rows), 0);
        ls_random stream = ls_random_stream(3, LS_RANDOM_SAMPLE, 0, 0, 0);
        for (long i = 0; sampler && i < n; i++) {
            int64_t row = ls_sampler_draw(sampler, stream, uint64_t(i));
            EXPECT_EQ(row, ls_sampler_draw(sampler, stream, uint64_t(i)));
            count[size_t(row)]++;
        }
        ls_sampler_close(sampler);
        return count;
    }
    /* Chi-square of counts beside n p is chi-square of (rows with p > 0) - 1 degrees: its mean is
     * that number, its variance twice that; 5 deviations are out of reach by chance. */
    static void expect_fits(const std::vector<double> &count, const std::vector<double> &p,
                            double n)
    {
        double chi2 = 0, degrees = -1;
        for (size_t i = 0; i < count.size(); i++) {
            if (p[i] == 0) {
                EXPECT_EQ(count[i], 0);
                continue;
            }
            chi2 += (count[i] - n * p[i]) * (count[i] - n * p[i]) / (n * p[i]);
            degrees++;
        }
        EXPECT_LT(std::abs(chi2 - degrees), 5 * std::sqrt(2 * degrees));
    }
    void expect_refused(ls_sampling how, const std::vector<std::string> &words)
    {
        EXPECT_EQ(ls_sampler_open(data, LS_TRAIN, 3, how, &error), nullptr);
        EXPECT_EQ(error.code, LS_DATA);
        expect_words(error, words);
    }

    Folder folder;
    ls_dataset *data = nullptr;
    ls_error error = {};
};

} /* namespace */

TEST_F(Sampler, WeightsAreProbabilities)
{
    std::vector<double> weights, p;
    double sum = 0;
    for (int i = 0; i < 200; i++)
        sum += weights.emplace_back(i % 7 == 0 ? 0 : 1e-3 * (1 + i % 13));
    for (double weight : weights)
        p.push_back(weight / sum);
    open(std::vector<uint8_t>(200, 1), weights);
    expect_fits(draw(LS_SAMPLING_WEIGHTS, 200000, 200), p, 200000);
}

TEST_F(Sampler, BalancedDrawsEachClassAsOften)
{
    std::vector<uint8_t> labels;
    for (int i = 0; i < 300; i++)
        labels.push_back(i < 200 ? 2 : i < 290 ? 5 : 9);
    open(labels, {});
    std::vector<double> p;
    for (uint8_t label : labels)
        p.push_back(1.0 / 3 / (label == 2 ? 200 : label == 5 ? 90 : 10));
    expect_fits(draw(LS_SAMPLING_BALANCED, 300000, 300), p, 300000);
    for (size_t i = 0; i < 250; i++) /* of the first 250 rows only */
        p[i] = labels[i] == 2 ? 1.0 / 400 : 1.0 / 100;
    p.resize(250);
    expect_fits(draw(LS_SAMPLING_BALANCED, 250000, 250), p, 250000);
}

TEST_F(Sampler, OneRowWithWeightIsAllThatComes)
{
    open({1, 1, 1}, {0, 1e-300, 0});
    EXPECT_EQ(draw(LS_SAMPLING_WEIGHTS, 100, 3), (std::vector<double>{0, 100, 0}));
}

TEST_F(Sampler, RefusesWhatIsNoWeight)
{
    open({1, 1, 1}, {});
    expect_refused(LS_SAMPLING_WEIGHTS, {"a.h5: has no train/weight; sampling by weights needs"});
    open({1, 1, 1}, {1, -2, 1});
    expect_refused(LS_SAMPLING_WEIGHTS,
                   {"a.h5: train/weight holds -2 at row 1; expected a number"});
    open({1, 1, 1}, {1, 1, NAN});
    expect_refused(LS_SAMPLING_WEIGHTS, {"holds nan at row 2"});
    open({1, 1, 1}, {1, INFINITY, 1});
    expect_refused(LS_SAMPLING_WEIGHTS, {"holds inf at row 1"});
    open({1, 1, 1}, {0, 0, 0});
    expect_refused(LS_SAMPLING_WEIGHTS, {"a.h5: the weights of 3 rows add up to 0"});
    open({1, 1, 1}, {1, 1});
    expect_refused(LS_SAMPLING_WEIGHTS,
                   {"train/weight has 2 rows of 1 numbers; expected one number"});
}

/* The rows of a batch are the same however many shards share them, and wherever a run goes on. */
TEST_F(Sampler, BatchesDoNotDependOnShardsOrTheStart)
{
    std::vector<double> weights;
    for (int i = 0; i < 50; i++)
        weights.push_back(i % 5);
    open(std::vector<uint8_t>(50, 1), weights);
    ls_sampler *sampler = ls_sampler_open(data, LS_TRAIN, 50, LS_SAMPLING_WEIGHTS, &error);
    ASSERT_NE(sampler, nullptr);
    auto rows = [&](int shards, int shard, long first) {
        ls_loader_plan plan = {};
        plan.targets = true;
        plan.split = LS_TRAIN;
        plan.seed = 5;
        plan.sampler = sampler;
        plan.batch = 12;
        plan.shards = shards;
        plan.begin = shard;
        plan.end = shard + 1;
        plan.first_step = first;
        plan.end_step = 10; /* two epochs of 5 */
        std::vector<std::vector<int64_t>> all;
        ls_loader *loader = ls_loader_open(data, &plan);
        for (long step = first; step < 10; step++) {
            const ls_batch *batch = ls_loader_next(loader, &error);
            all.emplace_back(batch->row, batch->row + batch->rows);
        }
        ls_loader_close(loader);
        return all;
    };
    auto whole = rows(1, 0, 0), later = rows(1, 0, 7);
    EXPECT_EQ(std::vector<std::vector<int64_t>>(whole.begin() + 7, whole.end()), later);
    EXPECT_NE(whole[0], whole[5]); /* another epoch draws others */
    for (int shards : {2, 3, 4}) {
        std::vector<std::vector<int64_t>> joined(10);
        for (int shard = 0; shard < shards; shard++) {
            auto part = rows(shards, shard, 0);
            for (size_t step = 0; step < 10; step++)
                joined[step].insert(joined[step].end(), part[step].begin(), part[step].end());
        }
        EXPECT_EQ(joined, whole);
    }
    ls_sampler_close(sampler);
}
