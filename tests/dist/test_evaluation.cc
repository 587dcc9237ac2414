/* evaluation: sums over the rows of a split on any number of ranks, and the gap between two splits.
 */
#include "world.h"

#include <cmath>

extern "C" {
#include "launch/session/evaluation.h"
}

namespace
{
const long VALID = 1000,
           TRAIN = 1500; /* several chunks of up to 256 rows, the last of them short */

/* The metrics of rows of one number x: the mean of x, that of x squared as a gap, and that without
 * the gap. */
struct Measuring {
    explicit Measuring(bool training = true) : x(TRAIN + VALID)
    {
        for (size_t i = 0; i < x.size(); i++)
            x[i] = (real)(i % 7);
        type.bytes = [](const ls_objective *, long, long) { return (size_t)0; };
        type.evaluate = [](ls_objective *, const ls_batch *rows, const ls_pass *pass,
                           ls_sums *sums) -> const real * {
            EXPECT_EQ(pass->row, rows->first);
            *sums = {};
            sums->at[LS_SUM_WEIGHT] = (double)rows->rows;
            for (long r = 0; r < rows->rows; r++) {
                sums->at[LS_SUM_LOSS] += rows->x[r];
                sums->at[2] += rows->x[r] * rows->x[r];
            }
            return nullptr;
        };
        objective.type = &type;
        objective.phases = 1;
        objective.metrics = 3;
        objective.metric[0] = {"mean", 0, LS_SUM_LOSS, true, nullptr, false, false};
        objective.metric[1] = {"gap", 0, 2, true, nullptr, true, true};
        objective.metric[2] = {"square", 0, 2, true, nullptr, true, false};
        ls_dataset_rows splits[LS_SPLITS] = {};
        if (training)
            splits[LS_TRAIN] = {TRAIN, x.data(), nullptr, {1, {1}}, {}, 0, nullptr};
        splits[LS_VALID] = {VALID, x.data() + TRAIN, nullptr, {1, {1}}, {}, 0, nullptr};
        ls_error error = {};
        data = ls_dataset_open_rows("rows", splits, &error);
        EXPECT_NE(data, nullptr) << error.text;
    }
    ~Measuring()
    {
        ls_dataset_close(data);
    }
    Measuring(const Measuring &) = delete;

    /* The values of an evaluation. **Collective.** */
    std::vector<double> evaluate(ls_split_id split, long training)
    {
        ls_error error = {};
        ls_evaluation e = {};
        std::vector<double> value(3, -1);
        e.training = training;
        EXPECT_TRUE(ls_evaluate(world, &objective, data, split, &e, &error)) << error.text;
        ls_evaluation_values(&e, &objective, value.data());
        return value;
    }
    /* The mean over rows of x, of a power of it. */
    double mean(long first, long rows, int power)
    {
        double sum = 0;
        for (long r = first; r < first + rows; r++)
            sum += std::pow((double)x[(size_t)r], power);
        return sum / (double)rows;
    }

    std::vector<real> x;
    ls_objective_type type = {};
    ls_objective objective = {};
    ls_dataset *data;
};
} /* namespace */

TEST(Evaluation, AGapIsAgainstAsManyOfTheFirstTrainingRows)
{
    Measuring m;
    const double mean = m.mean(TRAIN, VALID, 1), square = m.mean(TRAIN, VALID, 2);
    for (long most : {0L, TRAIN, VALID, 999L, 300L, 1L}) {
        const long rows = most == 0 || most > VALID ? VALID : most;
        std::vector<double> value = m.evaluate(LS_VALID, most);
        EXPECT_DOUBLE_EQ(value[0], mean);
        EXPECT_DOUBLE_EQ(value[1], square - m.mean(0, rows, 2)) << most;
        EXPECT_DOUBLE_EQ(value[2], square);
    }
}

TEST(Evaluation, TrainingRowsHaveNoGapToThemselves)
{
    Measuring m;
    std::vector<double> value = m.evaluate(LS_TRAIN, 100);
    EXPECT_EQ(value[1], 0);
    EXPECT_DOUBLE_EQ(value[2], m.mean(0, TRAIN, 2));
}

TEST(Evaluation, WithoutTrainingRowsThereIsNoGap)
{
    Measuring m(false);
    std::vector<double> value = m.evaluate(LS_VALID, 0);
    EXPECT_TRUE(std::isnan(value[1]));
    EXPECT_DOUBLE_EQ(value[2], m.mean(TRAIN, VALID, 2));
}
