/* Dropout: how many numbers fall, by what the others grow, and that the place of a row decides. */
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

extern "C" {
#include "core/workspace.h"
}

namespace
{

using Reals = std::vector<real>;

/* y of ones through one dropout line of `width` numbers. */
Reals drop(const char *line, long width, long rows, const ls_pass &pass, Reals *draws = nullptr)
{
    ls_params *params = ls_params_create();
    ls_shape shape = {1, {width}};
    ls_error error = {};
    ls_net *net = ls_net_build(params, nullptr, "net", line, &shape, &error);
    EXPECT_NE(net, nullptr) << error.text;
    ls_workspace *run = ls_workspace_create(net, rows, LS_TRAINING);
    Reals x((size_t)(width * rows), 1);
    const real *y = ls_workspace_forward(run, &pass, x.data(), rows);
    Reals result(y, y + x.size());
    if (draws) {
        draws->resize(x.size());
        EXPECT_EQ(ls_workspace_draws(run, 0, draws->data()).at[0], width);
    }
    ls_workspace_destroy(run);
    ls_net_destroy(net);
    ls_params_destroy(params);
    return result;
}

ls_pass training()
{
    ls_pass pass = {};
    pass.training = true;
    pass.seed = 3;
    return pass;
}

} /* namespace */

TEST(Dropout, KeepsTheMeanAndDropsTheRate)
{
    for (double rate : {0.0, 0.1, 0.5, 0.9}) {
        const std::string line = "dropout rate=" + std::to_string(rate);
        Reals y = drop(line.c_str(), 100, 1000, training());
        double dropped = 0;
        for (real value : y) {
            dropped += value == 0;
            EXPECT_TRUE(value == 0 || value == (real)(1 / (1 - std::stod(line.substr(13)))));
        }
        EXPECT_NEAR(dropped / 1e5, rate, 5 * std::sqrt(rate * (1 - rate) / 1e5)); /* 5 sigma */
    }
}

TEST(Dropout, TheGlobalRowDecides)
{
    ls_pass pass = training(), later = training();
    later.row = 4;
    Reals all = drop("dropout", 33, 10, pass), tail = drop("dropout", 33, 6, later);
    EXPECT_EQ(Reals(all.begin() + 4 * 33, all.end()), tail);
    EXPECT_NE(Reals(all.begin(), all.begin() + 33), Reals(tail.begin(), tail.begin() + 33));
}

TEST(Dropout, LinesOfANetDrawApart)
{
    Reals once = drop("dropout", 64, 4, training());
    Reals twice = drop("dropout\ndropout", 64, 4, training());
    int more = 0;
    for (size_t i = 0; i < once.size(); i++)
        more += once[i] != 0 && twice[i] == 0;
    EXPECT_GT(more, 30); /* about half of the 128 that the first line leaves */
    EXPECT_LT(more, 98);
}

TEST(Dropout, DumpsItsMask)
{
    Reals draws, y = drop("dropout rate=0.2", 21, 3, training(), &draws);
    EXPECT_EQ(draws, y);
}
