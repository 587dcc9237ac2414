/* What recurrent nets learn: the next letters of a word, a token that lies ten steps back. */
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

extern "C" {
#include "core/learner.h"
}

namespace
{

/* Trains a net on rows of tokens for some steps; returns the share of labels that it then predicts.
 */
double learned(const char *net, const std::vector<real> &x, const std::vector<real> &y, long rows,
               long classes, long steps)
{
    const long time = (long)x.size() / rows, labels = (long)y.size();
    ls_learner_plan plan = {};
    plan.net = net;
    plan.optimizer = "adam rate=0.02 clip=1";
    plan.seed = 3;
    plan.x = {1, {time}};
    plan.y = labels > rows ? ls_shape{1, {labels / rows}} : ls_shape{};
    plan.classes = classes;
    plan.batch = rows;
    ls_error error = {};
    ls_learner *learner = ls_learner_create(&plan, &error);
    if (!learner) {
        ADD_FAILURE() << error.text;
        return 0;
    }
    ls_sums sums;
    for (long i = 0; i < steps; i++)
        EXPECT_TRUE(ls_learner_step(learner, x.data(), y.data(), rows, &sums, &error));
    const real *out = ls_learner_predict(learner, x.data(), rows);
    long right = 0;
    for (long i = 0; i < labels; i++)
        right += ls_loss_predict(out + i * classes, classes, 0) == (long)y[i];
    ls_learner_destroy(learner);
    return (double)right / (double)labels;
}

} /* namespace */

/* h, e, l, o are 0, 1, 2, 3. After l comes l once and then o, so the last letter is not enough. */
TEST(RecurrentLearning, EveryNextLetterOfHelloIsRight)
{
    const std::vector<real> x = {0, 1, 2, 2}, y = {1, 2, 2, 3};
    for (const std::string cell : {"rnn units=8", "gru units=8", "lstm units=8"}) {
        const std::string net = "onehot vocabulary=4\n" + cell + "\ndense units=4 each=1";
        EXPECT_EQ(learned(net.c_str(), x, y, 1, 4, 60), 1) << cell;
    }
}

/* The first of 11 tokens is the label; the others are noise. */
TEST(RecurrentLearning, ATokenIsRememberedOverTenSteps)
{
    enum { ROWS = 64, TIME = 11, TOKENS = 4 };
    std::mt19937 source(1);
    std::vector<real> x(ROWS * TIME), y(ROWS);
    for (real &token : x)
        token = (real)(source() % TOKENS);
    for (long i = 0; i < ROWS; i++)
        y[i] = x[i * TIME];
    for (const std::string cell : {"gru units=12", "lstm units=12", "lstm units=12 peephole=1"}) {
        const std::string net =
            "embedding vocabulary=4 width=6\n" + cell + " last=1\ndense units=4";
        EXPECT_EQ(learned(net.c_str(), x, y, ROWS, TOKENS, 150), 1) << cell;
    }
}
