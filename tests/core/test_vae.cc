/* The variational autoencoder against its formulas in double, its gradient against differences, its
 * likelihood against an integral; what is drawn is a function of seed, step and row. */
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "two_nets.h"

extern "C" {
#include "core/model.h"
#include "core/random.h"
}

namespace
{

using Reals = std::vector<real>;
const bool IS_DOUBLE = sizeof(real) == sizeof(double);
const double EPSILON = IS_DOUBLE ? 1e-11 : 2e-5;
enum { LOSS, BOUND, RECONSTRUCTION, DIVERGENCE };

struct Nets {
    const char *encoder = "dense units=7\nactivation function=tanh\ndense units=6\n";
    const char *decoder = "input 3\ndense units=5\nactivation function=tanh\ndense units=4\n";
    ls_shape x = {1, {4}};
};

/* All biases and weights are drawn. */
struct Vae : TwoNets {
    ls_batch batch = {};
    ls_pass pass = {};

    explicit Vae(const std::string &text, const Nets &nets = Nets(), long chunk = 64)
        : TwoNets(text, {"encoder", nets.encoder, nets.x}, {"decoder", nets.decoder, nets.x},
                  nets.x)
    {
        EXPECT_TRUE(net[1]) << error.text;
        const ls_random stream = ls_random_stream(5, LS_RANDOM_NOISE, 0, 0, 0);
        for (int s = 0; s < params->count; s++) {
            Reals logical((size_t)ls_shape_count(&params->slots[s].shape));
            ls_random_normal(stream, (uint64_t)s, logical.data(), (long)logical.size());
            for (real &number : logical)
                number *= (real)0.5;
            ls_params_load(params, s, logical.data(), params->values);
        }
        prepare();
        batch.x_shape = nets.x;
        pass.seed = 11;
        if (objective)
            objective->type->compile(objective, 64, chunk);
    }

    void take(const Reals &x, long row = 0)
    {
        batch.x = x.data();
        batch.rows = batch.total = (long)x.size() / ls_shape_count(&batch.x_shape);
        batch.first = pass.row = row;
        pass.total = batch.rows;
    }

    /* The sums of a step; *gradient gets what it adds to the parameters. */
    ls_sums step(const Reals &x, Reals *gradient = nullptr)
    {
        ls_sums sums = {};
        take(x);
        if (gradient)
            gradient->assign((size_t)params->size, 7);
        pass.training = true;
        pass.gradient = gradient ? gradient->data() : nullptr;
        objective->type->gradient(objective, 0, &batch, &pass, &sums);
        pass.training = false;
        pass.gradient = nullptr;
        return sums;
    }

    /* The outputs of an evaluation, of rows `row` and following of a split. */
    Reals evaluate(const Reals &x, ls_sums *sums, long row = 0)
    {
        take(x, row);
        const real *y = objective->type->evaluate(objective, &batch, &pass, sums);
        return Reals(y, y + x.size());
    }

    std::vector<double> assess(const Reals &x, long draws, long row = 0)
    {
        take(x, row);
        std::vector<double> estimate((size_t)batch.rows);
        objective->type->assess(objective, &batch, &pass, draws, estimate.data());
        return estimate;
    }

    Reals generate(ls_generation_kind kind, long row, long n, long rows,
                   const ls_batch *given = nullptr)
    {
        Reals x((size_t)(n * ls_shape_count(&batch.x_shape)));
        ls_generation what = {};
        what.kind = kind;
        what.rows = rows;
        what.given = given;
        pass.row = row;
        objective->type->generate(objective, &pass, &what, n, x.data());
        return x;
    }

    const ls_view &view(const std::string &name)
    {
        for (int i = 0; i < objective->views; i++)
            if (name == objective->view[i].name)
                return objective->view[i];
        ADD_FAILURE() << "no view " << name;
        return objective->view[0];
    }

    double value(int metric, const ls_sums &sums)
    {
        return ls_objective_value(objective, metric, &sums);
    }

    /* y[units of the last line] of a net of dense lines with tanh between them, in double. */
    std::vector<double> apply(const ls_net *of, std::vector<double> x)
    {
        for (int i = 0; i < of->count; i++) {
            const ls_layer *layer = of->layers[i];
            if (layer->slots == 0) {
                for (double &number : x)
                    number = std::tanh(number);
                continue;
            }
            std::vector<double> y = logical(layer->slot[1]), w = logical(layer->slot[0]);
            for (size_t k = 0; k < w.size(); k++)
                y[k / x.size()] += w[k] * x[k % x.size()];
            x = y;
        }
        return x;
    }

    std::vector<double> logical(int slot)
    {
        Reals numbers((size_t)ls_shape_count(&params->slots[slot].shape));
        ls_params_store(params, slot, values.get(), numbers.data());
        return std::vector<double>(numbers.begin(), numbers.end());
    }
};

Reals rows(long n, long width = 4)
{
    Reals x((size_t)(n * width));
    ls_random_uniform(ls_random_stream(2, LS_RANDOM_NOISE, 0, 0, 0), 0, x.data(), n * width);
    return x;
}

/* -ln p(x|z) of one number. */
double reconstruction(bool bernoulli, double sigma, double y, double x)
{
    if (bernoulli)
        return -x * std::log(1 / (1 + std::exp(-y))) - (1 - x) * std::log(1 / (1 + std::exp(y)));
    return (x - y) * (x - y) / (2 * sigma * sigma) + std::log(sigma * std::sqrt(2 * M_PI));
}

struct Kind {
    const char *text;
    bool bernoulli;
    double sigma, beta;
};
const Kind kinds[] = {{"vae", true, 1, 1},
                      {"vae beta=0.3", true, 1, 0.3},
                      {"vae binarize=1", true, 1, 1},
                      {"vae output=gaussian", false, 1, 1},
                      {"vae output=gaussian sigma=0.4 beta=2", false, 0.4, 2}};

} /* namespace */

TEST(Vae, SumsAreThoseOfTheFormulas)
{
    for (const Kind &kind : kinds) {
        Vae vae(kind.text);
        ASSERT_NE(vae.objective, nullptr) << vae.error.text;
        const Reals x = rows(5);
        const ls_sums sums = vae.step(x);
        const real *noise = vae.view("noise").numbers;
        const bool binary = std::strstr(kind.text, "binarize");
        double distance = 0, divergence = 0;
        for (long r = 0; r < 5; r++) {
            const real *seen = (binary ? vae.view("pixels").numbers : x.data()) + r * 4;
            std::vector<double> z(3), row(seen, seen + 4), code = vae.apply(vae.net[0], row);
            for (int j = 0; j < 3; j++) {
                const double mean = code[j], variance = std::exp(code[3 + j]);
                divergence -= (1 + std::log(variance) - mean * mean - variance) / 2;
                z[j] = mean + std::sqrt(variance) * noise[r * 3 + j];
            }
            const std::vector<double> y = vae.apply(vae.net[1], z);
            for (int j = 0; j < 4; j++)
                distance += reconstruction(kind.bernoulli, kind.sigma, y[j], row[j]);
        }
        EXPECT_NEAR(vae.value(RECONSTRUCTION, sums), distance / 5, EPSILON * distance) << kind.text;
        EXPECT_NEAR(vae.value(DIVERGENCE, sums), divergence / 5, EPSILON * divergence);
        EXPECT_NEAR(vae.value(BOUND, sums), (distance + divergence) / 5, EPSILON * distance);
        EXPECT_NEAR(vae.value(LOSS, sums), (distance + kind.beta * divergence) / 5,
                    EPSILON * (distance + divergence));
        EXPECT_EQ(sums.at[LS_SUM_WEIGHT], 5);
    }
}

TEST(Vae, GradientIsThatOfTheLoss)
{
    if (!IS_DOUBLE)
        return;
    const double h = 1e-5;
    for (const Kind &kind : kinds) {
        Vae vae(kind.text);
        const Reals x = rows(3);
        Reals gradient;
        vae.step(x, &gradient);
        for (int s = 0; s < vae.params->count; s++)
            for (long i = 0; i < vae.params->slots[s].size; i++) {
                real *value = vae.values.get() + vae.params->slots[s].offset + i;
                const real middle = *value;
                *value = middle + h;
                vae.prepare();
                const double above = vae.step(x).at[LS_SUM_LOSS];
                *value = middle - h;
                vae.prepare();
                const double below = vae.step(x).at[LS_SUM_LOSS];
                *value = middle;
                ASSERT_NEAR(gradient[(size_t)(vae.params->slots[s].offset + i)],
                            (above - below) / (2 * h), 2e-8)
                    << kind.text << " " << vae.params->slots[s].name << " " << i;
            }
    }
}

TEST(Vae, NetsMayShareTheirWeights)
{
    if (!IS_DOUBLE)
        return;
    Nets tied;
    tied.encoder = "hidden: dense units=7\nactivation function=tanh\ndense units=6\n";
    tied.decoder = "input 3\ndense units=7\nactivation function=tanh\n"
                   "dense units=4 share=encoder/hidden transpose=1\n";
    Vae vae("vae", tied);
    ASSERT_NE(vae.objective, nullptr) << vae.error.text;
    const Reals x = rows(3);
    Reals gradient;
    vae.step(x, &gradient);
    const ls_slot *weight = &vae.params->slots[ls_params_find(vae.params, "encoder/hidden/weight")];
    for (long i = 0; i < weight->size; i++) {
        real *value = vae.values.get() + weight->offset + i;
        const real middle = *value, h = (real)1e-5;
        *value = middle + h;
        vae.prepare();
        const double above = vae.step(x).at[LS_SUM_LOSS];
        *value = middle - h;
        vae.prepare();
        const double below = vae.step(x).at[LS_SUM_LOSS];
        *value = middle;
        ASSERT_NEAR(gradient[(size_t)(weight->offset + i)], (above - below) / 2e-5, 2e-8) << i;
    }
}

TEST(Vae, BetaRisesOverTheFirstEpochs)
{
    Vae vae("vae beta=2 warmup=3");
    const Reals x = rows(5);
    const double expected[] = {0.5, 1, 1.5, 2, 2, 2};
    for (long epoch = 0; epoch < 6; epoch++) {
        vae.batch.epoch = epoch;
        const ls_sums sums = vae.step(x);
        const double divergence = vae.value(DIVERGENCE, sums);
        const double beta = (vae.value(LOSS, sums) - vae.value(RECONSTRUCTION, sums)) / divergence;
        EXPECT_NEAR(beta, expected[epoch], 1e-5);
        EXPECT_NEAR(vae.value(BOUND, sums), vae.value(RECONSTRUCTION, sums) + divergence, 1e-5);
    }
    vae.batch.epoch = 0;
    ls_sums sums;
    vae.evaluate(x, &sums); /* with all of beta */
    EXPECT_NEAR(vae.value(LOSS, sums),
                vae.value(RECONSTRUCTION, sums) + 2 * vae.value(DIVERGENCE, sums), 1e-5);
}

TEST(Vae, NoiseIsAFunctionOfSeedStepAndRow)
{
    Vae vae("vae");
    const Reals x = rows(6);
    auto noise = [&](uint64_t seed, uint64_t step, long first) {
        const Reals part(x.begin() + first * 4, x.end());
        vae.pass.seed = seed;
        vae.pass.step = step;
        ls_sums sums;
        vae.take(part, first);
        vae.pass.training = true;
        vae.objective->type->gradient(vae.objective, 0, &vae.batch, &vae.pass, &sums);
        const real *numbers = vae.view("noise").numbers;
        return Reals(numbers, numbers + (6 - first) * 3);
    };
    const Reals all = noise(1, 5, 0), part = noise(1, 5, 2);
    EXPECT_EQ(Reals(all.begin() + 6, all.end()), part); /* a shard */
    EXPECT_EQ(noise(1, 5, 0), all);
    EXPECT_NE(noise(1, 6, 0), all);
    EXPECT_NE(noise(2, 5, 0), all);
}

TEST(Vae, EvaluationIsFixedByTheRow)
{
    for (const char *text : {"vae", "vae binarize=1"}) {
        Vae vae(text);
        const Reals x = rows(6), part(x.begin() + 8, x.end());
        const int64_t row[] = {0, 1, 2, 3, 4, 5};
        ls_sums all, sums;
        vae.batch.row = row;
        const Reals y = vae.evaluate(x, &all);
        EXPECT_EQ(vae.evaluate(x, nullptr), y);
        vae.batch.row = row + 2;
        const Reals some = vae.evaluate(part, &sums, 2);
        for (size_t i = 0; i < some.size(); i++)
            EXPECT_NEAR(some[i], y[8 + i], 1e-5); /* other sizes of a product may round otherwise */
        vae.batch.row = row;
        vae.pass.seed = 12;
        EXPECT_NE(vae.evaluate(x, nullptr), y);
    }
}

TEST(Vae, PixelsAreDrawnByTheirGreyValueAnewAtEachStep)
{
    Vae vae("vae binarize=1");
    const Reals x = {0, 1, (real)0.2, (real)0.7};
    const real *pixels = vae.view("pixels").numbers;
    const int steps = 4000;
    double ones[4] = {};
    int changed = 0;
    for (int step = 0; step < steps; step++) {
        vae.pass.step = (uint64_t)step;
        const real before = pixels[3];
        vae.step(x);
        changed += pixels[3] != before;
        for (int j = 0; j < 4; j++) {
            ASSERT_TRUE(pixels[j] == 0 || pixels[j] == 1);
            ones[j] += pixels[j];
        }
    }
    EXPECT_EQ(ones[0], 0);
    EXPECT_EQ(ones[1], steps);
    EXPECT_NEAR(ones[2] / steps, 0.2, 4 * std::sqrt(0.16 / steps));
    EXPECT_NEAR(ones[3] / steps, 0.7, 4 * std::sqrt(0.21 / steps));
    EXPECT_GT(changed, steps / 4);
}

TEST(Vae, PixelsBelongToTheRowOfTheDataSet)
{
    Vae vae("vae binarize=1");
    const Reals x(4 * 40, (real)0.5);
    const real *pixels = vae.view("pixels").numbers;
    int64_t row[40], turned[40];
    for (int r = 0; r < 40; r++)
        turned[39 - r] = row[r] = 7 * r;
    vae.batch.row = row;
    vae.step(x);
    const Reals first(pixels, pixels + 160);
    vae.batch.row = turned;
    vae.step(x);
    for (int i = 0; i < 160; i++)
        ASSERT_EQ(pixels[i], first[(size_t)((39 - i / 4) * 4 + i % 4)]);
    vae.pass.draw = 1 << 8;
    vae.step(x);
    EXPECT_NE(Reals(pixels, pixels + 160), first);
}

/* A code of one number: ln of the integral of p(x|z) p(z) dz, by the trapezoidal rule. */
TEST(Vae, LikelihoodIsTheIntegral)
{
    Nets nets;
    nets.encoder = "dense units=3\nactivation function=tanh\ndense units=2\n";
    nets.decoder = "input 1\ndense units=5\nactivation function=tanh\ndense units=4\n";
    for (const Kind &kind : kinds) {
        Vae vae(kind.text, nets);
        Reals x = rows(3);
        if (std::strstr(kind.text, "binarize")) /* pixels of 0 and 1 stay what they are */
            for (real &number : x)
                number = number > (real)0.5;
        const std::vector<double> found = vae.assess(x, 40000);
        for (int r = 0; r < 3; r++) {
            double integral = 0;
            for (double z = -9; z <= 9; z += 0.01) {
                const std::vector<double> y = vae.apply(vae.net[1], {z});
                double log_density = -z * z / 2 - std::log(2 * M_PI) / 2;
                for (int j = 0; j < 4; j++)
                    log_density -= reconstruction(kind.bernoulli, kind.sigma, y[j], x[r * 4 + j]);
                integral += 0.01 * std::exp(log_density);
            }
            EXPECT_NEAR(found[r], std::log(integral), 0.02) << kind.text;
        }
    }
}

TEST(Vae, LikelihoodOfOneDrawIsTheBoundOnAverage)
{
    Vae vae("vae");
    const Reals x = rows(3);
    const int seeds = 10000;
    double bound = 0, sample = 0;
    ls_sums sums;
    for (int seed = 0; seed < seeds; seed++) {
        vae.pass.seed = (uint64_t)seed;
        vae.evaluate(x, &sums);
        bound += vae.value(BOUND, sums) / seeds;
        for (double estimate : vae.assess(x, 1))
            sample -= estimate / (3 * seeds);
    }
    EXPECT_NEAR(sample, bound, 0.05); /* five standard deviations */
}

TEST(Vae, LikelihoodOfARowDoesNotDependOnTheRowsBesideIt)
{
    Vae vae("vae"); /* 3 rows of 100 draws are five chunks, one row is two */
    const Reals x = rows(3);
    const std::vector<double> all = vae.assess(x, 100);
    for (int r = 0; r < 3; r++)
        EXPECT_NEAR(vae.assess(Reals(x.begin() + r * 4, x.begin() + r * 4 + 4), 100, r)[0], all[r],
                    IS_DOUBLE ? 1e-12 : 1e-5);
}

TEST(Vae, RowsAreMadeOfTheirNumberAndTheSeed)
{
    Nets nets;
    nets.encoder = "dense units=3\nactivation function=tanh\ndense units=4\n";
    nets.decoder = "input 2\ndense units=5\nactivation function=tanh\ndense units=4\n";
    Vae vae("vae", nets);
    EXPECT_EQ(vae.objective->generates, LS_GENERATE_PRIOR | LS_GENERATE_WALK | LS_GENERATE_PLANE);
    for (ls_generation_kind kind : {LS_GENERATE_PRIOR, LS_GENERATE_PLANE}) {
        const Reals all = vae.generate(kind, 0, 16, 16), part = vae.generate(kind, 9, 3, 16);
        for (size_t i = 0; i < part.size(); i++) {
            EXPECT_NEAR(part[i], all[36 + i], 1e-6);
            EXPECT_TRUE(part[i] > 0 && part[i] < 1); /* a probability */
        }
        vae.pass.step = 5;
        EXPECT_EQ(vae.generate(kind, 0, 16, 16), all);
        vae.pass.seed = 12;
        EXPECT_EQ(vae.generate(kind, 0, 16, 16) == all, kind == LS_GENERATE_PLANE);
        vae.pass.seed = 11;
    }
    EXPECT_EQ(Vae("vae").objective->generates, LS_GENERATE_PRIOR | LS_GENERATE_WALK);
}

TEST(Vae, AWalkGoesBetweenTheMeanCodes)
{
    Vae vae("vae output=gaussian");
    const Reals ends = rows(2);
    ls_batch given = {};
    given.rows = given.total = 2;
    given.x = ends.data();
    given.x_shape = vae.batch.x_shape;
    const Reals walk = vae.generate(LS_GENERATE_WALK, 0, 5, 5, &given);
    std::vector<double> a = vae.apply(vae.net[0], {ends[0], ends[1], ends[2], ends[3]});
    std::vector<double> b = vae.apply(vae.net[0], {ends[4], ends[5], ends[6], ends[7]});
    for (int r = 0; r < 5; r++) {
        std::vector<double> z(3);
        for (int j = 0; j < 3; j++)
            z[j] = a[j] + (b[j] - a[j]) * r / 4;
        const std::vector<double> y = vae.apply(vae.net[1], z);
        for (int j = 0; j < 4; j++)
            EXPECT_NEAR(walk[r * 4 + j], y[j], IS_DOUBLE ? 1e-12 : 1e-5);
    }
}

/* `generate --walk A,B --rows 1`, or nets so large that a chunk has one row. */
TEST(Vae, AWalkTakesChunksOfOneRow)
{
    const Reals ends = {0, 1, (real)0.5, 1, 1, (real)0.25, 0, 0};
    const int64_t numbers[] = {7, 3};
    ls_batch given = {};
    given.rows = given.total = 2;
    given.x = ends.data();
    given.row = numbers;
    for (const char *text : {"vae", "vae binarize=1"}) {
        Vae vae(text), small(text, Nets(), 1);
        given.x_shape = vae.batch.x_shape;
        const Reals walk = vae.generate(LS_GENERATE_WALK, 0, 5, 5, &given);
        for (int r = 0; r < 5; r++) {
            const Reals one = small.generate(LS_GENERATE_WALK, r, 1, 5, &given);
            for (int j = 0; j < 4; j++)
                EXPECT_NEAR(one[j], walk[r * 4 + j], 1e-6);
        }
        EXPECT_NE(walk[0], walk[16]);
    }
}

TEST(Vae, WhatDoesNotFitIsRefused)
{
    Nets odd, wide, shape;
    odd.encoder = "dense units=5\n";
    wide.decoder = "input 3\ndense units=5\n";
    shape.encoder = "dense units=6\n";
    shape.x = {3, {2, 2, 1}};
    shape.decoder = "input 3\ndense units=4\n";
    EXPECT_NE(Vae("vae", shape).objective, nullptr);
    EXPECT_EQ(std::string(Vae("vae", odd).error.text),
              "the net encoder gives 5 numbers for a row, but a code of the 3 numbers that the net "
              "decoder takes has 6: a mean and a log-variance for each; let encoder end in `dense "
              "units=6`, or decoder begin with another `input`");
    EXPECT_EQ(std::string(Vae("vae", wide).error.text),
              "the net decoder makes rows of 5, but a row of the data is 4: let its last line make "
              "that, or a vector of 4 numbers");
    EXPECT_EQ(std::string(Vae("vae sigma=2").error.text),
              "sigma=2 is for output=gaussian; leave it out");
    EXPECT_EQ(std::string(Vae("vae output=gaussian binarize=1").error.text),
              "binarize=1 makes numbers of 0 and 1, which output=gaussian is not for: take "
              "output=bernoulli");
    EXPECT_EQ(Vae("vae decoder=net").objective, nullptr);
    EXPECT_NE(Vae("vae").objective->x_rule, nullptr);
    EXPECT_EQ(Vae("vae output=gaussian").objective->x_rule, nullptr);
}

TEST(Vae, ACollapseIsSaid)
{
    Vae vae("vae");
    const double fine[] = {100, 100, 90, 10}, collapsed[] = {100, 100, 100, 0.002};
    EXPECT_EQ(vae.objective->type->advice.trouble(vae.objective, fine), nullptr);
    EXPECT_NE(std::string(vae.objective->type->advice.trouble(vae.objective, collapsed))
                  .find("collapsed"),
              std::string::npos);
    EXPECT_STREQ(vae.objective->metric[vae.objective->judged].name, "bound");
    EXPECT_TRUE(vae.objective->metric[vae.objective->judged].lower);
}
