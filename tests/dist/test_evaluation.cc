/* evaluation: sums over the rows of a split on any number of ranks, the gap between two splits, and
 * estimates by draws. */
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
        objective.metric[0] = {"mean", 0, LS_SUM_LOSS, true, nullptr, false, false, nullptr};
        objective.metric[1] = {"gap", 0, 2, true, nullptr, true, true, nullptr};
        objective.metric[2] = {"square", 0, 2, true, nullptr, true, false, nullptr};
        ls_dataset_rows splits[LS_SPLITS] = {};
        if (training)
            splits[LS_TRAIN] = {TRAIN, x.data(), nullptr, {1, {1}}, {}, 0, nullptr, nullptr};
        splits[LS_VALID] = {VALID, x.data() + TRAIN, nullptr, {1, {1}}, {}, 0, nullptr, nullptr};
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

/* An estimate: draw i is the square root of i, the figure their sum; a row x has the log-likelihood
 * -x. */
struct Estimating : Measuring {
    explicit Estimating(long count_, bool training = true) : Measuring(training), count(count_)
    {
        type.draws = [](const ls_objective *o, const ls_estimate *how, ls_error *error) -> long {
            EXPECT_EQ(how->samples, 7);
            EXPECT_EQ(how->temperatures, 11);
            EXPECT_TRUE(how->reverse);
            self(o)->see(how->given);
            const long draws = self(o)->count;
            if (draws < 0)
                ls_error_set(error, LS_USAGE, "there is no estimate");
            return draws;
        };
        type.draw = [](ls_objective *o, const ls_pass *pass, const ls_estimate *, long first,
                       long n, double *result) {
            EXPECT_EQ(pass->seed, 5u);
            EXPECT_LE(n, ls_objective_chunk(o));
            self(o)->drawn += n;
            for (long i = 0; i < n; i++)
                result[i] = std::sqrt((double)(first + i));
        };
        type.conclude = [](ls_objective *o, const ls_estimate *, long n, const double *result,
                           ls_figure *figures) {
            EXPECT_EQ(n, self(o)->count);
            double sum = 0;
            for (long i = 0; i < n; i++) {
                EXPECT_EQ(result[i], std::sqrt((double)i));
                sum += result[i];
            }
            figures[0] = {"sum", sum};
            return 1;
        };
        type.assess = [](ls_objective *, const ls_batch *rows, const ls_pass *, long draws,
                         double *estimate) {
            EXPECT_EQ(draws, 7);
            for (long r = 0; r < rows->rows; r++)
                estimate[r] = -(double)rows->x[r];
        };
        objective.self = this;
        e.seed = 5;
        e.how = {7, 11, true, nullptr};
    }
    static Estimating *self(const ls_objective *o)
    {
        return (Estimating *)o->self;
    }
    /* The rows that an estimate is given are the first training rows. */
    void see(const ls_batch *given)
    {
        seen = given ? given->rows : 0;
        for (long r = 0; r < seen; r++) {
            EXPECT_EQ(given->row[r], r);
            EXPECT_EQ(given->x[r], x[(size_t)r]);
        }
    }
    bool run(ls_error *error)
    {
        return ls_evaluate(world, &objective, data, LS_VALID, &e, error);
    }
    const long count;
    long drawn = 0; /* on this rank */
    long seen = -1;
    ls_evaluation e = {};
};

TEST(Evaluation, DrawsAreSpreadOverTheRanksWhichAllConcludeFromAllOfThem)
{
    for (long count : {0L, 1L, 24L, 100L, 5000L}) {
        Estimating it(count);
        ls_error error = {};
        double expected = 0, off;
        for (long i = 0; i < count; i++)
            expected += std::sqrt((double)i);
        EXPECT_TRUE(it.run(&error)) << error.text;
        EXPECT_EQ(it.seen, TRAIN);
        EXPECT_EQ(it.e.figures, 1);
        EXPECT_STREQ(it.e.figure[0].name, "sum");
        EXPECT_DOUBLE_EQ(it.e.figure[0].value, expected);
        EXPECT_DOUBLE_EQ(ls_evaluation_likelihood(&it.e, &off), -it.mean(TRAIN, VALID, 1));
        const double mean = it.mean(TRAIN, VALID, 1), square = it.mean(TRAIN, VALID, 2);
        EXPECT_NEAR(off, std::sqrt((square - mean * mean) / (double)(VALID - 1)), 1e-12);
        long drawn = it.drawn;
        ls_comm_sum_long(world, &drawn, 1);
        EXPECT_EQ(drawn, count);
        /* 100 draws are 4 chunks, 5,000 are 32 */
        EXPECT_TRUE(count < 25L * world->size || it.drawn > 0)
            << "rank " << world->rank << " has no draw";
    }
}

TEST(Evaluation, WithoutTrainingRowsAnEstimateIsGivenNone)
{
    Estimating it(3, false);
    ls_error error = {};
    EXPECT_TRUE(it.run(&error)) << error.text;
    EXPECT_EQ(it.seen, 0);
}

TEST(Evaluation, AnEstimateThatTheObjectiveRefusesIsAnError)
{
    Estimating it(-1);
    ls_error error = {};
    EXPECT_FALSE(it.run(&error));
    EXPECT_EQ(error.code, LS_USAGE);
    EXPECT_STREQ(error.text, "there is no estimate");
}
