/* learner: a step is the optimizer's rule on the mean gradient, by hand; what cannot be learned is
 * refused. */
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

extern "C" {
#include "core/learner.h"
#include "core/memory.h"
}

namespace
{

class Learner : public testing::Test
{
  protected:
    ~Learner() override
    {
        ls_learner_destroy(learner);
        EXPECT_EQ(ls_memory_blocks(), held);
    }
    void make()
    {
        learner = ls_learner_create(&plan, &error);
        ASSERT_NE(learner, nullptr) << error.text;
    }
    /* weight[0..n) and bias of the only dense layer */
    std::vector<double> numbers()
    {
        const ls_params *params = ls_learner_params(learner);
        std::vector<double> all;
        for (int s = 0; s < params->count; s++) {
            std::vector<real> logical(size_t(ls_shape_count(&params->slots[s].shape)));
            ls_params_store(params, s, params->values, logical.data());
            all.insert(all.end(), logical.begin(), logical.end());
        }
        return all;
    }

    size_t held = ls_memory_blocks();
    ls_learner_plan plan = {};
    ls_learner *learner = nullptr;
    ls_error error = {};
};

/* y = w x + b, loss half the squared error: dw = mean (y - t) x, db = mean (y - t). */
TEST_F(Learner, AStepIsTheDeltaRule)
{
    plan.net = "dense units=1";
    plan.objective = "supervised loss=squared-error";
    plan.optimizer = "sgd rate=0.5";
    plan.x = {1, {2}};
    plan.y = {1, {1}};
    plan.batch = 8;
    make();
    const real x[3][2] = {{1, 2}, {-1, 0.5}, {3, 1}}, t[3] = {1, 0, -2};
    std::vector<double> p = numbers();
    double expected[3] = {p[0], p[1], p[2]}, loss = 0;
    for (int i = 0; i < 3; i++) {
        double off = p[0] * x[i][0] + p[1] * x[i][1] + p[2] - t[i];
        loss += off * off / 2;
        expected[0] -= 0.5 * off * x[i][0] / 3;
        expected[1] -= 0.5 * off * x[i][1] / 3;
        expected[2] -= 0.5 * off / 3;
    }
    ls_sums sums;
    ASSERT_TRUE(ls_learner_step(learner, x[0], t, 3, &sums, &error)) << error.text;
    EXPECT_EQ(sums.at[LS_SUM_WEIGHT], 3);
    EXPECT_NEAR(sums.at[LS_SUM_LOSS], loss, 1e-5);
    std::vector<double> after = numbers();
    for (size_t i = 0; i < 3; i++)
        EXPECT_NEAR(after[i], expected[i], 1e-6);
    const real *y = ls_learner_predict(learner, x[0], 3);
    EXPECT_NEAR(y[2], after[0] * 3 + after[1] + after[2], 1e-5);
}

/* An epoch is two steps; the first has the momentum 0. */
TEST_F(Learner, CountsTheEpochsOfItsOptimizer)
{
    plan.net = "dense units=1 bias=0";
    plan.objective = "supervised loss=squared-error";
    plan.optimizer = "momentum rate=1 momentum=0.5 start=0 switch=1";
    plan.x = {1, {1}};
    plan.y = {1, {1}};
    plan.batch = 1;
    plan.epoch = 2;
    make();
    double p = numbers()[0], v = 0;
    for (int step = 0; step < 5; step++) {
        const real x = 1, t = 7;
        ASSERT_TRUE(ls_learner_step(learner, &x, &t, 1, nullptr, &error)) << error.text;
        v = (step < 2 ? 0 : 0.5) * v + (p - 7);
        p -= v;
        EXPECT_NEAR(numbers()[0], p, 1e-5) << step;
    }
}

/* Three steps of gradient descent on what persistent chains give, by hand. Chains that began anew
 * in each step would give other numbers. */
TEST_F(Learner, KeepsTheRowsThatItsObjectiveCarries)
{
    const int ROWS = 3, CHAINS = 5, WIDTH = 4;
    plan.net = "dense units=6 visible=1 init=normal scale=1";
    plan.objective = "rbm chains=5";
    plan.optimizer = "sgd rate=0.5";
    plan.x = {1, {WIDTH}};
    plan.batch = ROWS;
    plan.seed = 7;
    make();
    const real x[ROWS][WIDTH] = {{1, 0, 1, 0}, {0, 1, 1, 0}, {1, 1, 0, 1}};
    const ls_params *params = ls_learner_params(learner);
    const size_t size = (size_t)params->size;
    ls_net *net = (ls_net *)ls_learner_net(learner);
    std::vector<real> values(params->values, params->values + size), gradient(size);
    ls_task task = {};
    task.params = (ls_params *)params;
    task.nets = 1;
    task.net = &net;
    task.x = plan.x;
    for (bool kept : {true, false}) {
        ls_objective *rbm = ls_objective_create(plan.objective, &task, &error);
        ASSERT_NE(rbm, nullptr) << error.text;
        rbm->type->compile(rbm, ROWS, 0);
        std::vector<real> p = values, chains(CHAINS * WIDTH), before(size);
        for (uint64_t step = 0; step < 3; step++) {
            if (step == 0 || !kept)
                rbm->type->begin_rows(rbm, 0, plan.seed, 0, CHAINS, chains.data());
            ls_carried carried = {0, CHAINS, chains.data()};
            ls_batch batch = {};
            batch.rows = batch.total = ROWS;
            batch.x_shape = plan.x;
            batch.x = x[0];
            ls_pass pass = {};
            pass.training = true;
            pass.seed = plan.seed;
            pass.step = step;
            pass.total = ROWS;
            pass.gradient = gradient.data();
            pass.carried = &carried;
            ls_sums sums;
            std::copy(p.begin(), p.end(), params->values);
            ls_net_prepare(net, nullptr, 0, 1);
            rbm->type->gradient(rbm, 0, &batch, &pass, &sums);
            for (size_t i = 0; i < size; i++)
                p[i] -= (real)0.5 * gradient[i] / ROWS;
        }
        ls_objective_destroy(rbm);
        std::copy(values.begin(), values.end(), params->values);
        ls_learner_destroy(learner);
        learner = nullptr;
        make();
        params = ls_learner_params(learner);
        net = (ls_net *)ls_learner_net(learner);
        task.params = (ls_params *)params;
        for (int step = 0; step < 3; step++)
            ASSERT_TRUE(ls_learner_step(learner, x[0], nullptr, ROWS, nullptr, &error));
        double off = 0;
        for (size_t i = 0; i < size; i++)
            off = std::fmax(off, std::fabs((double)params->values[i] - (double)p[i]));
        EXPECT_EQ(off < 1e-5, kept) << off;
    }
}

TEST_F(Learner, TheSameSeedGivesTheSameNumbersDropoutIncluded)
{
    plan.net = "dense units=9\nactivation function=relu\ndropout rate=0.5\ndense units=2";
    plan.x = {1, {3}};
    plan.classes = 2;
    plan.batch = 4;
    plan.seed = 5;
    const real x[4][3] = {{1, 2, 3}, {0, 1, 0}, {2, 0, 1}, {1, 1, 1}}, y[4] = {0, 1, 1, 0};
    std::vector<double> first;
    for (int time = 0; time < 3; time++) {
        plan.seed = time == 2 ? 6 : 5;
        make();
        for (int step = 0; step < 10; step++)
            ASSERT_TRUE(ls_learner_step(learner, x[0], y, 4, nullptr, &error)) << error.text;
        if (time == 0)
            first = numbers();
        EXPECT_EQ(numbers() == first, time < 2);
        ls_learner_destroy(learner);
        learner = nullptr;
    }
}

TEST_F(Learner, ANumberThatIsNotFiniteStopsBeforeTheUpdate)
{
    plan.net = "dense units=2";
    plan.x = {1, {2}};
    plan.classes = 2;
    plan.batch = 2;
    make();
    const real x[2][2] = {{1, 2}, {NAN, 1}}, y[2] = {0, 1};
    std::vector<double> before = numbers();
    EXPECT_FALSE(ls_learner_step(learner, x[0], y, 2, nullptr, &error));
    EXPECT_EQ(error.code, LS_NUMERIC);
    EXPECT_NE(std::string(error.text).find("not finite"), std::string::npos) << error.text;
    EXPECT_EQ(numbers(), before);
    EXPECT_TRUE(ls_learner_step(learner, x[0], y, 0, nullptr, &error)); /* no rows: nothing to do */
    EXPECT_EQ(numbers(), before);
}

TEST_F(Learner, PlansThatDoNotFitAreRefused)
{
    plan.x = {1, {2}};
    plan.classes = 3;
    plan.batch = 2;
    plan.net = "dense units=2";
    EXPECT_EQ(ls_learner_create(&plan, &error), nullptr); /* 3 classes */
    plan.net = "dens units=3";
    EXPECT_EQ(ls_learner_create(&plan, &error), nullptr);
    EXPECT_NE(std::string(error.text).find("did you mean dense?"), std::string::npos) << error.text;
    plan.net = "dense units=3";
    plan.optimizer = "sdg rate=1";
    EXPECT_EQ(ls_learner_create(&plan, &error), nullptr);
    plan.optimizer = nullptr;
    plan.batch = 0;
    EXPECT_EQ(ls_learner_create(&plan, &error), nullptr);
}

} /* namespace */

/* Batch norm's running mean takes a tenth of the batch's mean a step, under any optimizer. */
TEST_F(Learner, StatisticsFollowTheBatch)
{
    plan.net = "norm: batchnorm\ndense units=1";
    plan.objective = "supervised loss=squared-error";
    plan.optimizer = "lamb rate=0.1 clip=1e-3";
    plan.x = {1, {1}};
    plan.y = {1, {1}};
    plan.batch = 2;
    make();
    const real x[2] = {3, 5}, t[2] = {0, 1};
    ASSERT_TRUE(ls_learner_step(learner, x, t, 2, nullptr, &error)) << error.text;
    const ls_params *params = ls_learner_params(learner);
    const ls_slot *mean = &params->slots[ls_params_find(params, "net/norm/mean")];
    EXPECT_NEAR(params->values[mean->offset], 0.1 * 4, 1e-6);
}

TEST_F(Learner, KeepsNoAverage)
{
    plan.net = "dense units=1";
    plan.objective = "supervised loss=squared-error";
    plan.optimizer = "sgd ema=0.9";
    plan.x = plan.y = {1, {1}};
    plan.batch = 2;
    EXPECT_EQ(ls_learner_create(&plan, &error), nullptr);
    EXPECT_EQ(error.code, LS_USAGE);
    EXPECT_NE(std::string(error.text).find("ema=0.9"), std::string::npos) << error.text;
}
