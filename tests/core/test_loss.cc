/* Losses against their formulas in double, written as in the papers, and against differences. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

extern "C" {
#include "core/loss.h"
}

namespace
{

using Reals = std::vector<real>;
const double EPSILON = sizeof(real) == sizeof(float) ? 2e-6 : 1e-13;

struct Result {
    double loss, correct;
    Reals dy;
};

Result run(const char *name, const Reals &y, const Reals &target, bool vector, long width,
           double smoothing = 0)
{
    const ls_loss_type *type = ls_loss_find(name, nullptr);
    Result result = {-1, -1, Reals(y.size(), -77)};
    long rows = (long)y.size() / width;
    ls_loss_batch batch = {rows,   width,     y.data(),        target.data(),
                           vector, smoothing, result.dy.data()};
    result.loss = ls_loss_sum(type, &batch, &result.correct);
    batch.dy = nullptr;
    double correct = -1, loss = ls_loss_sum(type, &batch, &correct);
    EXPECT_TRUE(loss == result.loss || (std::isnan(loss) && std::isnan(result.loss)))
        << "without dy: " << loss << " " << result.loss;
    EXPECT_EQ(correct, result.correct) << "without dy";
    return result;
}

Reals wave(size_t n, double size)
{
    Reals x(n);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(size * std::sin(1.3 * (double)i + 0.4));
    return x;
}

double logistic(double y)
{
    return 1 / (1 + std::exp(-y));
}

/* The loss of one row, as the textbook has it; t is the vector of goals. */
double textbook(const std::string &name, const real *y, const double *t, long width)
{
    double sum = 0, normal = 0;
    for (long j = 0; j < width; j++)
        normal += std::exp((double)y[j]);
    for (long j = 0; j < width; j++) {
        double s = logistic(y[j]);
        if (name == "squared-error")
            sum += (t[j] - y[j]) * (t[j] - y[j]) / 2;
        else if (name == "cross-entropy")
            sum -= t[j] * std::log(std::exp((double)y[j]) / normal);
        else if (name == "bce")
            sum -= t[j] * std::log(s) + (1 - t[j]) * std::log(1 - s);
        else if (name == "hinge")
            sum += std::max(0.0, 1 - t[j] * y[j]);
        else
            ADD_FAILURE() << "no formula of the loss " << name << ": write it here";
    }
    return sum;
}

void expect_slopes(const char *name, Reals y, const Reals &target, bool vector, long width,
                   double smoothing = 0)
{
    if (sizeof(real) == sizeof(float))
        return; /* central differences are taken in the double build */
    Result at = run(name, y, target, vector, width, smoothing);
    for (size_t i = 0; i < y.size(); i++) {
        const real middle = y[i], h = (real)1e-5;
        y[i] = middle + h;
        double above = run(name, y, target, vector, width, smoothing).loss;
        y[i] = middle - h;
        double below = run(name, y, target, vector, width, smoothing).loss;
        y[i] = middle;
        EXPECT_NEAR(at.dy[i], (above - below) / (2 * (double)h), 1e-8) << name << " " << i;
    }
}

} /* namespace */

TEST(Loss, LabelsStandForOneAgainstAll)
{
    const long width = 4;
    const Reals y = wave(3 * width, 2), labels = {2, 0, 3};
    for (const ls_loss_type *type = ls_loss_types; type->name; type++) {
        double expected = 0, off = std::string(type->name) == "hinge" ? -1 : 0;
        for (int r = 0; r < 3; r++) {
            std::vector<double> goal(width, off);
            goal[(size_t)labels[r]] = 1;
            expected += textbook(type->name, &y[r * width], goal.data(), width);
        }
        EXPECT_NEAR(run(type->name, y, labels, false, width).loss, expected, EPSILON * expected)
            << type->name;
        expect_slopes(type->name, y, labels, false, width);
    }
}

TEST(Loss, VectorsAreTakenAsTheyAre)
{
    const long width = 3;
    const Reals y = wave(4 * width, 1.5);
    for (const ls_loss_type *type = ls_loss_types; type->name; type++) {
        if (!type->vectors)
            continue;
        Reals target = wave(y.size(), 0.45);
        for (real &t : target)
            t = std::string(type->name) == "hinge" ? (t > 0 ? 1 : -1) : t + (real)0.5;
        double expected = 0;
        for (int r = 0; r < 4; r++) {
            std::vector<double> goal(&target[r * width], &target[r * width] + width);
            expected += textbook(type->name, &y[r * width], goal.data(), width);
        }
        Result result = run(type->name, y, target, true, width);
        EXPECT_NEAR(result.loss, expected, EPSILON * expected) << type->name;
        EXPECT_EQ(result.correct, 0) << type->name;
        expect_slopes(type->name, y, target, true, width);
    }
}

TEST(Loss, OneOutputTakesLabelsZeroAndOne)
{
    const Reals y = {(real)0.7, (real)-0.3, (real)0.2, (real)-1.5}, labels = {1, 0, 0, 1};
    for (const char *name : {"squared-error", "bce", "hinge"}) {
        double expected = 0;
        for (int r = 0; r < 4; r++) {
            double goal = labels[r] != 0 ? 1 : std::string(name) == "hinge" ? -1 : 0;
            expected += textbook(name, &y[r], &goal, 1);
        }
        EXPECT_NEAR(run(name, y, labels, false, 1).loss, expected, EPSILON * expected) << name;
        expect_slopes(name, y, labels, false, 1);
    }
    EXPECT_EQ(run("bce", y, labels, false, 1).correct, 2);           /* y > 0 */
    EXPECT_EQ(run("squared-error", y, labels, false, 1).correct, 3); /* y > 1/2 */
}

/* (1 - s) of the label's and s of the mean over all classes' -ln softmax: a goal of s / K plus 1 -
 * s at the label. */
TEST(Loss, SmoothingSpreadsAShareOfTheGoal)
{
    const long width = 5;
    const Reals y = wave(3 * width, 2), labels = {2, 0, 4};
    for (double smoothing : {0.1, 1.0}) {
        double expected = 0;
        for (int r = 0; r < 3; r++) {
            std::vector<double> goal(width, smoothing / width);
            goal[(size_t)labels[r]] += 1 - smoothing;
            expected += textbook("cross-entropy", &y[r * width], goal.data(), width);
        }
        Result smoothed = run("cross-entropy", y, labels, false, width, smoothing);
        EXPECT_NEAR(smoothed.loss, expected, EPSILON * expected) << smoothing;
        EXPECT_EQ(smoothed.correct, run("cross-entropy", y, labels, false, width).correct);
        expect_slopes("cross-entropy", y, labels, false, width, smoothing);
        double sum = 0; /* of a row: softmax adds up to 1, and so does the goal */
        for (long j = 0; j < width; j++)
            sum += (double)smoothed.dy[j];
        EXPECT_NEAR(sum, 0, 5 * EPSILON);
    }
}

TEST(Loss, TiesGoToTheFirstOfTheLargest)
{
    const Reals y = {1, 3, 3, 0, 0, 0, 0, 0};
    EXPECT_EQ(run("cross-entropy", y, {1, 0}, false, 4).correct, 2);
    EXPECT_EQ(run("cross-entropy", y, {2, 3}, false, 4).correct, 0);
}

TEST(Loss, HugeLogitsNeitherOverflowNorLoseTheLoss)
{
    const Reals y = {10000, 0, -10000};
    EXPECT_EQ(run("cross-entropy", y, {0}, false, 3).loss, 0);
    EXPECT_EQ(run("cross-entropy", y, {2}, false, 3).loss, 20000);
    EXPECT_EQ(run("bce", y, {0, 0, 0}, true, 3).loss, 10000 + std::log(2));
    EXPECT_EQ(run("bce", y, {1, 1, 1}, true, 3).dy, (Reals{0, -0.5, -1}));
    Result wide = run("cross-entropy", Reals(1000, 5), {7}, false, 1000);
    EXPECT_NEAR(wide.loss, std::log(1000.0), 1e-6);
    EXPECT_NEAR(wide.dy[7], -0.999, 1e-6);
}

TEST(Loss, NanOutputsGiveANanLoss)
{
    for (const ls_loss_type *type = ls_loss_types; type->name; type++)
        for (size_t at = 0; at < 6; at++) {
            Reals y = wave(6, 1);
            y[at] = std::numeric_limits<real>::quiet_NaN();
            EXPECT_TRUE(std::isnan(run(type->name, y, {1, 2}, false, 3).loss)) << type->name << at;
        }
}

TEST(Loss, NoRowsAreNothing)
{
    for (const ls_loss_type *type = ls_loss_types; type->name; type++) {
        const ls_loss_batch batch = {0, 3, nullptr, nullptr, false, 0, nullptr};
        double correct = -1;
        EXPECT_EQ(ls_loss_sum(type, &batch, &correct), 0);
        EXPECT_EQ(correct, 0);
    }
}

TEST(Loss, ARowWithoutALabelCountsNothing)
{
    for (const ls_loss_type *type = ls_loss_types; type->name; type++) {
        const Result all = run(type->name, {1, 2, 3, 3, 1, 2}, {2, 0}, false, 3);
        const Result some = run(type->name, {1, 2, 3, 7, 8, 9, 3, 1, 2}, {2, -1, 0}, false, 3);
        EXPECT_EQ(some.loss, all.loss) << type->name;
        EXPECT_EQ(some.correct, 2) << type->name;
        for (size_t j = 0; j < 3; j++) {
            EXPECT_EQ(some.dy[j], all.dy[j]);
            EXPECT_EQ(some.dy[3 + j], 0);
            EXPECT_EQ(some.dy[6 + j], all.dy[3 + j]);
        }
    }
}

TEST(LossDeathTest, LabelBeyondTheOutputsStops)
{
    testing::FLAGS_gtest_death_test_style = "threadsafe"; /* BLAS may hold threads */
    EXPECT_DEATH(run("cross-entropy", {0, 0}, {2}, false, 2), "label 2");
    EXPECT_DEATH(run("hinge", {0, 0}, {5}, false, 2), "label 5");
}

TEST(Loss, UnknownNameIsNull)
{
    EXPECT_EQ(ls_loss_find("squared", nullptr), nullptr);
}
