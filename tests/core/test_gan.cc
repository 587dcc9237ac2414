/* Generative adversarial nets: losses against their formulas, the phases of a step, and gradients
 * against differences. */
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "two_nets.h"

extern "C" {
#include "core/gan_loss.h"
#include "core/model.h"
}

namespace
{

using Reals = std::vector<real>;
enum { DISCRIMINATOR, GENERATOR };
enum { D_LOSS, G_LOSS, REAL, FAKE, FIGURE };

const char G[] = "dense units=8\nbatchnorm\nactivation function=tanh\ndense units=6\n";
const char D[] = "dense units=9\nbatchnorm\nactivation function=leaky-relu alpha=0.2\n"
                 "dense units=1\n";

/* For rows of the shape x. */
struct Gan : TwoNets {
    Gan(const std::string &text, const char *g = G, const char *d = D, ls_shape z = {1, {3}},
        ls_shape x = {1, {6}})
        : TwoNets(text, {"generator", g, z}, {"discriminator", d, x}, x)
    {
        EXPECT_TRUE(net[1]) << error.text;
        ls_params_initialize(params, 5, nullptr);
        prepare();
    }

    void compile(long shard, long chunk)
    {
        objective->type->compile(objective, shard, chunk);
    }

    /* One update's gradient and sums over a whole batch, or over a shard of it. */
    Reals gradient(int phase, uint32_t draw, const Reals &x, ls_sums *sums, long first = 0,
                   long total = 0, uint64_t step = 2)
    {
        Reals gradient((size_t)params->size, 7);
        ls_batch batch = {};
        ls_pass pass = {};
        batch.rows = (long)x.size() / ls_shape_count(&objective->task.x);
        batch.first = first;
        batch.total = total ? total : batch.rows;
        batch.x_shape = objective->task.x;
        batch.x = x.data();
        pass.training = true;
        pass.seed = 11;
        pass.step = step;
        pass.draw = draw;
        pass.row = first;
        pass.total = batch.total;
        pass.gradient = gradient.data();
        objective->type->gradient(objective, phase, &batch, &pass, sums);
        return gradient;
    }

    const real *evaluate(const Reals &x, long row, ls_sums *sums)
    {
        ls_batch batch = {};
        ls_pass pass = {};
        batch.rows = (long)x.size() / ls_shape_count(&objective->task.x);
        batch.x_shape = objective->task.x;
        batch.x = x.data();
        pass.seed = 11;
        pass.row = row;
        return objective->type->evaluate(objective, &batch, &pass, sums);
    }

    Reals generate(ls_generation_kind kind, long row, long n, long rows, uint64_t seed = 11)
    {
        Reals x((size_t)(n * ls_shape_count(&objective->task.x)));
        ls_generation what = {};
        ls_pass pass = {};
        what.kind = kind;
        what.rows = rows;
        pass.seed = seed;
        pass.row = row;
        objective->type->generate(objective, &pass, &what, n, x.data());
        return x;
    }
};

Reals rows(long n, unsigned seed = 1)
{
    std::mt19937 source(seed);
    std::normal_distribution<double> draw(0, 1);
    Reals x((size_t)n * 6);
    for (real &number : x)
        number = (real)draw(source);
    return x;
}

/* The draw of D's update `repeat` of a step. */
uint32_t repeat(int k)
{
    return ls_pass_draw(DISCRIMINATOR, k);
}

const uint32_t G_PHASE = ls_pass_draw(GENERATOR, 0);

/* The reals of a phase's slots. */
Reals of_phase(const Gan &gan, int phase, const Reals &array)
{
    Reals found;
    for (int i = 0; i < gan.objective->phase[phase].slots.count; i++) {
        ls_interval at = ls_slots_reals(gan.params, &gan.objective->phase[phase].slots.at[i]);
        found.insert(found.end(), array.begin() + at.begin, array.begin() + at.end);
    }
    return found;
}

double logistic(double y)
{
    return 1 / (1 + std::exp(-y));
}

/* The formulas as the papers have them, for outputs that do not overflow them. */
struct Formula {
    double (*of_real)(double y), (*of_fake)(double y), (*of_generator)(double y);
};
const Formula formulas[] = {
    {[](double y) { return -std::log(logistic(y)); },
     [](double y) { return -std::log(1 - logistic(y)); },
     [](double y) { return std::log(1 - logistic(y)); }},
    {[](double y) { return -std::log(logistic(y)); },
     [](double y) { return -std::log(1 - logistic(y)); },
     [](double y) { return -std::log(logistic(y)); }},
    {[](double y) { return std::fmax(0, 1 - y); }, [](double y) { return std::fmax(0, 1 + y); },
     [](double y) { return -y; }},
    {[](double y) { return -y; }, [](double y) { return y; }, [](double y) { return -y; }}};

void expect_term(ls_gan_term *term, double (*formula)(double), const std::string &name)
{
    for (double y : {-5.25, -1.5, -0.75, 0.0, 0.5, 0.875, 1.25, 6.0}) {
        const double h = 1e-6;
        double slope, unused, value = term(y, &slope);
        EXPECT_NEAR(value, formula(y), 1e-12) << name << y;
        EXPECT_NEAR(slope, (term(y + h, &unused) - term(y - h, &unused)) / (2 * h), 1e-9)
            << name << y;
    }
}

} /* namespace */

TEST(GanLoss, TermsAreThoseOfThePapers)
{
    for (int i = 0; ls_gan_loss_names[i]; i++) {
        const std::string name = ls_gan_loss_names[i];
        expect_term(ls_gan_losses[i].real, formulas[i].of_real, name + " real ");
        expect_term(ls_gan_losses[i].fake, formulas[i].of_fake, name + " fake ");
        expect_term(ls_gan_losses[i].generator, formulas[i].of_generator, name + " generator ");
    }
}

TEST(GanLoss, LogitsOfAnySizeGiveExactLosses)
{
    double slope;
    const ls_gan_loss *minimax = &ls_gan_losses[0], *nonsaturating = &ls_gan_losses[1];
    EXPECT_EQ(minimax->real(-900, &slope), 900);
    EXPECT_EQ(slope, -1);
    EXPECT_EQ(minimax->real(900, &slope), 0);
    EXPECT_EQ(minimax->fake(900, &slope), 900);
    EXPECT_EQ(minimax->generator(900, &slope), -900);
    EXPECT_EQ(minimax->generator(-900, &slope), 0); /* saturated: G learns nothing, ... */
    EXPECT_EQ(slope, 0);
    EXPECT_EQ(nonsaturating->generator(-900, &slope), 900); /* ... for which section 3 has this */
    EXPECT_EQ(slope, -1);
    for (int i = 0; ls_gan_loss_names[i]; i++)
        EXPECT_TRUE(std::isnan(ls_gan_losses[i].real(NAN, &slope))) << ls_gan_loss_names[i];
}

TEST(GanLoss, ValueAndBoundAreThoseOfTheTheorem)
{
    const ls_gan_figure *figure = ls_gan_losses[1].figure;
    ASSERT_STREQ(figure[0].name, "value");
    ASSERT_STREQ(figure[1].name, "jsd");
    EXPECT_EQ(figure[0].of(std::log(4)), -std::log(4));
    EXPECT_EQ(figure[1].of(std::log(4)), 0);
    EXPECT_DOUBLE_EQ(figure[1].of(0),
                     std::log(2)); /* D tells all rows apart: JSD is at least ln 2 */
    EXPECT_STREQ(ls_gan_losses[3].figure[0].name, "distance");
}

TEST(Gan, HasADiscriminatorsAndAGeneratorsPhase)
{
    Gan gan("gan k=3");
    ASSERT_TRUE(gan.objective) << gan.error.text;
    const ls_objective *o = gan.objective;
    ASSERT_EQ(o->phases, 2);
    EXPECT_STREQ(o->phase[DISCRIMINATOR].name, "discriminator");
    EXPECT_EQ(o->phase[DISCRIMINATOR].times, 3);
    EXPECT_TRUE(o->phase[DISCRIMINATOR].fresh_batch);
    EXPECT_STREQ(o->phase[GENERATOR].name, "generator");
    EXPECT_EQ(o->phase[GENERATOR].times, 1);
    EXPECT_FALSE(o->phase[GENERATOR].fresh_batch);
    EXPECT_EQ(ls_objective_batches(o), 3);
    for (int s = 0; s < gan.params->count; s++) {
        bool of_d = strncmp(gan.params->slots[s].name, "discriminator/", 14) == 0;
        EXPECT_EQ(ls_slots_contain(&o->phase[DISCRIMINATOR].slots, s), of_d);
        EXPECT_EQ(ls_slots_contain(&o->phase[GENERATOR].slots, s), !of_d);
    }
    EXPECT_FALSE(o->takes_y);
    EXPECT_EQ(o->judged, -1);
    EXPECT_EQ(o->metrics, 6);
    EXPECT_STREQ(o->metric[0].name, "d_loss");
    EXPECT_STREQ(o->metric[FIGURE + 1].name, "jsd");
    EXPECT_EQ(o->generates, LS_GENERATE_PRIOR);
    EXPECT_EQ(Gan("gan loss=hinge").objective->metrics, 4);
    EXPECT_EQ(Gan("gan loss=wasserstein").objective->metrics, 5);
}

/* Outputs of D for rows x with the statistics of these rows, by a run of its own. */
static Reals says(Gan &gan, const Reals &x)
{
    const long n = (long)x.size() / 6;
    ls_workspace *run = ls_workspace_create(gan.net[1], n, LS_TRAINING);
    ls_pass pass = {};
    pass.training = true;
    pass.total = n;
    const real *y = ls_workspace_forward(run, &pass, x.data(), n);
    Reals found(y, y + n);
    ls_workspace_destroy(run);
    return found;
}

/* What the generator's run holds. */
static Reals fake_rows(const Gan &gan, long n)
{
    const real *y = ls_workspace_output(gan.objective->view[1].run, gan.net[0]->count - 1);
    return Reals(y, y + 6 * n);
}

TEST(Gan, SumsAreThoseOfTheFormulas)
{
    const long n = 9;
    for (int i = 0; ls_gan_loss_names[i]; i++) {
        Gan gan(std::string("gan loss=") + ls_gan_loss_names[i]);
        gan.compile(n, 0);
        ASSERT_EQ(gan.objective->views, 3);
        ls_sums sums[2];
        gan.gradient(DISCRIMINATOR, 0, rows(n), &sums[0]);
        const Reals of_real = says(gan, rows(n)), of_fake = says(gan, fake_rows(gan, n));
        gan.gradient(GENERATOR, G_PHASE, rows(n), &sums[1]);
        double loss = 0, real_said = 0, fake_said = 0, g_loss = 0;
        for (size_t r = 0; r < (size_t)n; r++) {
            loss += formulas[i].of_real(of_real[r]) + formulas[i].of_fake(of_fake[r]);
            real_said += i < 2 ? logistic(of_real[r]) : of_real[r];
            fake_said += i < 2 ? logistic(of_fake[r]) : of_fake[r];
            g_loss += formulas[i].of_generator(of_fake[r]);
        }
        EXPECT_EQ(sums[0].at[LS_SUM_WEIGHT], n);
        EXPECT_EQ(sums[1].at[LS_SUM_WEIGHT], n);
        EXPECT_NEAR(ls_objective_value(gan.objective, D_LOSS, sums), loss / n, 1e-6);
        EXPECT_NEAR(ls_objective_value(gan.objective, G_LOSS, sums), g_loss / n, 1e-6);
        EXPECT_NEAR(ls_objective_value(gan.objective, REAL, sums), real_said / n, 1e-6);
        EXPECT_NEAR(ls_objective_value(gan.objective, FAKE, sums), fake_said / n, 1e-6);
        if (i < 2) {
            EXPECT_NEAR(ls_objective_value(gan.objective, FIGURE + 1, sums),
                        0.5 * (std::log(4) - loss / n), 1e-6);
        }
    }
}

/* The loss of a phase as a function of one number of a parameter. */
static double loss_at(Gan &gan, int phase, uint32_t draw, const Reals &x, long at, double value)
{
    real &number = gan.values.get()[at], before = number;
    ls_sums sums;
    number = (real)value;
    gan.prepare();
    gan.gradient(phase, draw, x, &sums);
    number = before;
    gan.prepare();
    return sums.at[LS_SUM_LOSS];
}

/* The first numbers of a slot, and the padding behind a slot of fewer. */
static void expect_slot(Gan &gan, int phase, uint32_t draw, const Reals &x, const Reals &gradient,
                        const ls_slot *slot)
{
    for (long at = slot->offset; at < slot->offset + 5; at++) {
        const double h = 1e-5, value = gan.values.get()[at];
        double up = loss_at(gan, phase, draw, x, at, value + h);
        double down = loss_at(gan, phase, draw, x, at, value - h);
        EXPECT_NEAR(gradient[(size_t)at], (up - down) / (2 * h), 1e-6) << slot->name << " " << at;
    }
}

TEST(Gan, GradientsAreThoseOfDifferences)
{
    if (sizeof(real) == sizeof(float))
        GTEST_SKIP() << "in float the differences drown in rounding";
    const Reals x = rows(7);
    for (int i = 0; ls_gan_loss_names[i]; i++) {
        Gan gan(std::string("gan k=2 loss=") + ls_gan_loss_names[i]);
        gan.compile(7, 0);
        for (int phase : {DISCRIMINATOR, GENERATOR}) {
            const uint32_t draw = phase == GENERATOR ? G_PHASE : repeat(1);
            ls_sums sums;
            Reals gradient = gan.gradient(phase, draw, x, &sums);
            for (int s = 0; s < gan.params->count; s++) {
                const ls_slot *slot = &gan.params->slots[s];
                bool own = ls_slots_contain(&gan.objective->phase[phase].slots, s);
                EXPECT_EQ(gradient[(size_t)slot->offset] != 7, own) << slot->name;
                if (own && slot->kind != LS_SLOT_STATE)
                    expect_slot(gan, phase, draw, x, gradient, slot);
            }
        }
    }
}

/* Without D's phase before it, G's phase makes the rows anew: from the noise of D's last update,
 * and with the same bits. */
TEST(Gan, RowsThatAreHeldAndRowsMadeAnewGiveTheSameBits)
{
    const Reals first = rows(8, 1), second = rows(8, 2);
    Gan gan("gan k=2"), other("gan k=2");
    ls_sums sums[2];
    gan.compile(8, 0);
    other.compile(8, 0);
    gan.gradient(DISCRIMINATOR, repeat(0), first, &sums[0]);
    gan.gradient(DISCRIMINATOR, repeat(1), second, &sums[0]);
    Reals held = gan.gradient(GENERATOR, G_PHASE, second, &sums[0]);
    Reals anew = other.gradient(GENERATOR, G_PHASE, second, &sums[1]);
    EXPECT_EQ(held, anew);
    EXPECT_EQ(memcmp(&sums[0], &sums[1], sizeof sums[0]), 0);
    EXPECT_EQ(held, gan.gradient(GENERATOR, G_PHASE, second, &sums[0]))
        << "backward overwrote them";
}

/* A generator that is changed after D's last update, which no training does, shows whether its
 * forward ran again. */
TEST(Gan, RowsOfDsLastUpdateAreNotMadeAgain)
{
    const Reals x = rows(8);
    auto loss_of_g = [&](uint32_t draw, long first, uint64_t step) {
        Gan gan("gan k=2");
        ls_sums sums;
        gan.compile(8, 0);
        gan.gradient(DISCRIMINATOR, draw, x, &sums, first, 16);
        long at = gan.params->slots[gan.net[0]->slots.begin].offset;
        for (int i = 0; i < 8; i++)
            gan.values.get()[at + i] += 1;
        gan.prepare();
        gan.gradient(GENERATOR, G_PHASE, x, &sums, 8, 16, step);
        return sums.at[LS_SUM_LOSS];
    };
    const double held = loss_of_g(repeat(1), 8, 2), anew = loss_of_g(repeat(0), 8, 2);
    EXPECT_NE(held, anew);
    EXPECT_EQ(loss_of_g(repeat(1), 0, 2), anew) << "other rows";
    EXPECT_NE(loss_of_g(repeat(1), 8, 3), held) << "another step";
}

/* The last batch of an epoch can have fewer rows than there are shards: an empty one is not the
 * shard before it. */
TEST(Gan, AShardWithoutRowsHasNoGradient)
{
    Gan gan("gan");
    const Reals x = rows(2), none;
    ls_sums sums;
    gan.compile(2, 0);
    for (int phase : {DISCRIMINATOR, GENERATOR}) {
        const uint32_t draw = phase == GENERATOR ? G_PHASE : 0;
        gan.gradient(phase, draw, x, &sums, 0, 2);
        for (real g : of_phase(gan, phase, gan.gradient(phase, draw, none, &sums, 2, 2)))
            ASSERT_EQ(g, 0);
    }
}

/* A batch in two shards: each phase's gradients add up, and rows have the noise of their place in
 * the batch. Without batch norm, which would see its shard alone. */
TEST(Gan, ShardsAddUpToTheBatch)
{
    const char g[] = "dense units=8\nactivation function=tanh\ndense units=6\n";
    const char d[] = "dense units=9\nactivation function=tanh\ndense units=1\n";
    Gan gan("gan", g, d);
    const Reals x = rows(8), low(x.begin(), x.begin() + 3 * 6), high(x.begin() + 3 * 6, x.end());
    gan.compile(8, 0);
    for (int phase : {DISCRIMINATOR, GENERATOR}) {
        const uint32_t draw = phase == GENERATOR ? G_PHASE : 0;
        ls_sums sums[3];
        Reals whole = of_phase(gan, phase, gan.gradient(phase, draw, x, &sums[0]));
        Reals a = of_phase(gan, phase, gan.gradient(phase, draw, low, &sums[1], 0, 8));
        Reals b = of_phase(gan, phase, gan.gradient(phase, draw, high, &sums[2], 3, 8));
        EXPECT_NEAR(sums[1].at[LS_SUM_LOSS] + sums[2].at[LS_SUM_LOSS], sums[0].at[LS_SUM_LOSS],
                    1e-5);
        for (size_t i = 0; i < whole.size(); i++)
            ASSERT_NEAR(a[i] + b[i], whole[i], 1e-5) << i;
    }
}

/* The mean over rows x of the first number that D's batch norm reads. */
static double mean_before_norm(const Gan &gan, const Reals &x)
{
    const long n = (long)x.size() / 6;
    double sum = 0;
    ls_workspace *run = ls_workspace_create(gan.net[1], n, LS_TRAINING);
    ls_pass pass = {};
    pass.training = true;
    ls_workspace_forward(run, &pass, x.data(), n);
    for (long r = 0; r < n; r++)
        sum += ls_workspace_output(run, 0)[9 * r];
    ls_workspace_destroy(run);
    return sum / (double)n;
}

/* Running statistics, which start at 0, move in the phase of their own net alone; D's by real rows,
 * then on by fake ones, each with the tenth that is batch norm's preset. */
TEST(Gan, StatisticsMoveInTheirNetsOwnPhase)
{
    const Reals x = rows(8);
    Gan gan("gan");
    ls_sums sums;
    gan.compile(8, 0);
    auto moved = [&](const Reals &gradient, const char *name) {
        return (double)gradient[(size_t)gan.params->slots[ls_params_find(gan.params, name)].offset];
    };
    const char *const of_g = "generator/batchnorm1/mean", *const of_d =
                                                              "discriminator/batchnorm1/mean";
    Reals in_d = gan.gradient(DISCRIMINATOR, 0, x, &sums);
    double real = mean_before_norm(gan, x), fake = mean_before_norm(gan, fake_rows(gan, 8));
    EXPECT_EQ(moved(in_d, of_g), 7);
    EXPECT_NEAR(moved(in_d, of_d), 0.9 * 0.1 * real + 0.1 * fake, 1e-6);
    Reals in_g = gan.gradient(GENERATOR, G_PHASE, x, &sums);
    EXPECT_EQ(moved(in_g, of_d), 7);
    EXPECT_NE(moved(in_g, of_g), 7);
}

TEST(Gan, AnEvaluationIsTheSameInAnyChunks)
{
    const Reals x = rows(8), low(x.begin(), x.begin() + 3 * 6), high(x.begin() + 3 * 6, x.end());
    Gan gan("gan loss=minimax");
    ls_sums whole[2], a[2], b[2];
    gan.compile(0, 8);
    const real *y = gan.evaluate(x, 0, whole);
    Reals outputs(y, y + 8);
    double real_loss = 0;
    for (real output : outputs)
        real_loss += formulas[0].of_real(output);
    y = gan.evaluate(low, 0, a);
    EXPECT_EQ(Reals(y, y + 3), Reals(outputs.begin(), outputs.begin() + 3));
    y = gan.evaluate(high, 3, b);
    EXPECT_EQ(Reals(y, y + 5), Reals(outputs.begin() + 3, outputs.end()));
    for (int phase : {DISCRIMINATOR, GENERATOR})
        for (int k = 0; k < LS_SUMS; k++)
            EXPECT_NEAR(a[phase].at[k] + b[phase].at[k], whole[phase].at[k], 1e-5) << k;
    /* What G loses is what D gains on fake rows: minimax is a game of sum 0. */
    EXPECT_NEAR(whole[0].at[LS_SUM_LOSS] - real_loss, -whole[1].at[LS_SUM_LOSS], 1e-5);
    y = gan.evaluate(x, 0, nullptr);
    EXPECT_EQ(Reals(y, y + 8), outputs) << "without sums";
}

TEST(Gan, OutputsAreProbabilitiesOrScores)
{
    const real y[] = {2};
    real out[1];
    Gan gan("gan"), critic("gan loss=wasserstein");
    gan.objective->meaning->of_values(y, 1, out);
    EXPECT_NEAR(out[0], logistic(2), 1e-6);
    EXPECT_STREQ(gan.objective->meaning->name, "probability");
    critic.objective->meaning->of_values(y, 1, out);
    EXPECT_EQ(out[0], 2);
}

TEST(Gan, ARowThatIsGeneratedDependsOnItsNumberAndTheSeed)
{
    Gan gan("gan", G, D, {1, {2}});
    gan.compile(0, 9);
    EXPECT_EQ(gan.objective->generates, LS_GENERATE_PRIOR | LS_GENERATE_PLANE);
    for (ls_generation_kind kind : {LS_GENERATE_PRIOR, LS_GENERATE_PLANE}) {
        Reals all = gan.generate(kind, 0, 9, 9), part = gan.generate(kind, 4, 3, 9);
        EXPECT_EQ(Reals(all.begin() + 4 * 6, all.begin() + 7 * 6), part);
        EXPECT_EQ(all == gan.generate(kind, 0, 9, 9, 12), kind == LS_GENERATE_PLANE);
        EXPECT_NE(Reals(all.begin(), all.begin() + 6), Reals(all.begin() + 6, all.begin() + 12));
    }
}

static std::string refusal(const char *text, const char *g, const char *d, ls_shape x = {1, {6}})
{
    Gan gan(text, g, d, {3, {1, 1, 3}}, x);
    EXPECT_FALSE(gan.objective);
    EXPECT_EQ(gan.error.code, LS_USAGE);
    return gan.error.text;
}

TEST(Gan, RefusesNetsThatDoNotFit)
{
    const ls_shape picture = {3, {4, 4, 1}};
    EXPECT_EQ(refusal("gan", "dense units=5\n", D),
              "the net generator makes rows of 5, but a row of the data is 6: let its last line "
              "make that, or a vector of 6 numbers");
    EXPECT_EQ(refusal("gan", "deconv2d out=3 kernel=4\n", D, picture),
              "the net generator makes rows of 4x4x3, but a row of the data is 4x4x1: let its last "
              "line make that, or a vector of 16 numbers");
    EXPECT_EQ(refusal("gan", G, "input 7\ndense units=1\n"),
              "the input of the net discriminator is 7, but a row of the data is 6");
    EXPECT_EQ(refusal("gan", G, "dense units=2\n"),
              "the net discriminator gives 2 for a row, but a discriminator gives one number: let "
              "its last line be dense units=1");
    EXPECT_EQ(refusal("gan discriminator=critic", G, D),
              "the objective gan wants a net named 'critic', which this model does not have; it "
              "has generator, discriminator");
}

TEST(Gan, TakesVectorsForPictures)
{
    const ls_shape picture = {3, {4, 4, 1}};
    EXPECT_TRUE(Gan("gan", "dense units=16\n", "dense units=1\n", {1, {3}}, picture).objective);
    EXPECT_TRUE(Gan("gan", "deconv2d out=1 kernel=4\n", "conv2d out=1 kernel=4\n", {3, {1, 1, 3}},
                    {2, {4, 4}})
                    .objective);
}

TEST(Gan, SaysWhatIsWrongWithADiscriminator)
{
    auto trouble = [](const char *text, double d_loss, double real, double fake) {
        Gan gan(text);
        const double value[] = {d_loss, 1, real, fake, 0, 0};
        const char *found = gan.objective->type->advice.trouble(gan.objective, value);
        return std::string(found ? found : "");
    };
    EXPECT_EQ(trouble("gan", 1.3, 0.55, 0.45), "");
    EXPECT_EQ(trouble("gan", 1.3862, 0.5, 0.499999), "") << "near the optimum";
    EXPECT_EQ(trouble("gan", 9, 0.9999, 0.9999),
              "the discriminator is constant: it takes every row for real");
    EXPECT_EQ(trouble("gan", 9, 0.0001, 0.0001),
              "the discriminator is constant: it takes every row for fake");
    EXPECT_EQ(trouble("gan", std::log(4), 0.5, 0.5),
              "the discriminator is constant: it gives all rows the same number");
    EXPECT_EQ(trouble("gan", 1.5064, 0.6682, 0.6682),
              "the discriminator is constant: it gives all rows the same number");
    EXPECT_EQ(trouble("gan", 1e-5, 0.99999, 0.00001),
              "the discriminator is certain of every row: the generator learns hardly anything "
              "from it");
    EXPECT_EQ(trouble("gan loss=wasserstein", 0, 31, 31),
              "the discriminator is constant: it gives all rows the same number");
    EXPECT_EQ(trouble("gan loss=wasserstein", -1e-6, 1.06e-5, 9.6e-6), "") << "small, but apart";
    EXPECT_EQ(trouble("gan loss=hinge", 1.9, 0.1, -0.1), "");
}

TEST(Gan, LeavesNoMemory)
{
    const long blocks = ls_memory_blocks();
    {
        Gan gan("gan");
        gan.compile(4, 4);
        EXPECT_GT(gan.objective->type->bytes(gan.objective, 4, 4),
                  gan.objective->type->bytes(gan.objective, 0, 4));
    }
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

namespace
{

/* Both nets of a model over rows of the shape x. */
struct Model {
    ls_params *params = ls_params_create();
    ls_model_nets nets = {};
    std::vector<ls_net *> net;
    ls_objective *objective = nullptr;
    ls_error error = {};

    Model(const char *text, ls_shape x)
    {
        if (!ls_model_write(text, &x, &nets, &error))
            return;
        for (int i = 0; i < nets.count; i++)
            net.push_back(ls_net_build(params, nullptr, nets.name[i], nets.lines[i], &x, &error));
        ls_task task = {};
        task.params = params;
        task.nets = nets.count;
        task.net = net.data();
        task.x = x;
        if (net.back())
            objective = ls_objective_create("gan", &task, &error);
    }

    Model(const Model &) = delete;

    ~Model()
    {
        ls_objective_destroy(objective);
        for (ls_net *each : net)
            ls_net_destroy(each);
        ls_model_release(&nets);
        ls_params_destroy(params);
    }

    long trained(int n) const
    {
        long sum = 0;
        for (long s = net[(size_t)n]->slots.begin; s < net[(size_t)n]->slots.end; s++)
            if (params->slots[s].kind != LS_SLOT_STATE)
                sum += ls_shape_count(&params->slots[s].shape);
        return sum;
    }

    /* The shapes of the outputs of a net's lines of a type. */
    std::string shapes(int n, const char *type) const
    {
        std::string all;
        char text[96];
        for (int i = 0; i < net[(size_t)n]->count; i++) {
            const ls_layer *layer = net[(size_t)n]->layers[i];
            if (strcmp(layer->type->name, type) == 0)
                all += (all.empty() ? "" : " ") +
                       std::string(ls_shape_text(&layer->y, text, sizeof text));
        }
        return all;
    }
};

const ls_shape COLOUR = {3, {64, 64, 3}}, FASHION = {3, {28, 28, 1}};

} /* namespace */

TEST(GanModels, DcganIsThatOfPyTorchsExamples)
{
    Model model("dcgan", COLOUR);
    ASSERT_TRUE(model.objective) << model.error.text;
    EXPECT_EQ(model.trained(0), 3576704);
    EXPECT_EQ(model.trained(1), 2765568);
    EXPECT_EQ(model.shapes(0, "deconv2d"), "4x4x512 8x8x256 16x16x128 32x32x64 64x64x3");
    EXPECT_EQ(model.shapes(1, "conv2d"), "32x32x64 16x16x128 8x8x256 4x4x512 1x1x1");
    EXPECT_EQ(model.shapes(0, "batchnorm"), "4x4x512 8x8x256 16x16x128 32x32x64");
    EXPECT_EQ(model.shapes(1, "batchnorm"), "16x16x128 8x8x256 4x4x512");
    EXPECT_EQ(model.shapes(0, "activation"), "64x64x3");
}

TEST(GanModels, DcganMakesSmallImages)
{
    Model model("dcgan size=28 filters=8 latent=5 output=linear", FASHION);
    ASSERT_TRUE(model.objective) << model.error.text;
    EXPECT_EQ(model.shapes(0, "deconv2d"), "4x4x32 7x7x16 14x14x8 28x28x1");
    EXPECT_EQ(model.shapes(1, "conv2d"), "14x14x8 7x7x16 4x4x32 1x1x1");
    EXPECT_EQ(model.shapes(0, "activation"), "");
    EXPECT_EQ(model.net[0]->x.at[2], 5);
    Model small("dcgan filters=4", {3, {32, 32, 3}});
    ASSERT_TRUE(small.objective) << small.error.text;
    EXPECT_EQ(small.shapes(0, "deconv2d"), "4x4x16 8x8x8 16x16x4 32x32x3");
}

TEST(GanModels, SpectralNormsTakeThePlaceOfBatchNormsInTheDiscriminator)
{
    Model model("dcgan filters=4 spectral=1", FASHION);
    ASSERT_TRUE(model.objective) << model.error.text;
    EXPECT_EQ(model.shapes(1, "batchnorm"), "");
    for (const char *line : {"conv2d1", "conv2d2", "conv2d3", "conv2d4"})
        EXPECT_GE(
            ls_params_find(model.params, ("discriminator/" + std::string(line) + "/u").c_str()), 0)
            << line;
    EXPECT_EQ(ls_params_find(model.params, "generator/deconv2d1/u"), -1);
}

TEST(GanModels, DcganRefusesOtherImages)
{
    EXPECT_STREQ(Model("dcgan", {3, {48, 48, 3}}).error.text,
                 "dcgan: makes images of 28x28, 32x32 or 64x64, but a row of the data is 48x48x3: "
                 "transform: scale-crop size=64 makes it fit");
    EXPECT_STREQ(
        Model("dcgan size=32", FASHION).error.text,
        "dcgan: size=32, but a row of the data is 28x28x1: expected images of 28x28, 32x32 "
        "or 64x64 that have that side; leave size= out, or make them fit by transform: "
        "scale-crop size=32");
    EXPECT_STREQ(Model("dcgan size=29", {3, {29, 29, 3}}).error.text,
                 "dcgan: size=29: expected 28, 32 or 64");
    EXPECT_STREQ(
        Model("dcgan", {1, {784}}).error.text,
        "dcgan: takes images height x width x channels of at least 28x28, but a row of the "
        "data is 784");
}

TEST(GanModels, DenseNetsFitAnyRow)
{
    Model model("gan latent=3 generator=5,7 discriminator=6 batchnorm=1 dropout=0.3 "
                "output=logistic",
                FASHION);
    ASSERT_TRUE(model.objective) << model.error.text;
    EXPECT_STREQ(model.nets.lines[0], "input 3\n"
                                      "dense units=5 bias=0\nbatchnorm\n"
                                      "activation function=leaky-relu alpha=0.2\n"
                                      "dense units=7 bias=0\nbatchnorm\n"
                                      "activation function=leaky-relu alpha=0.2\n"
                                      "dense units=784\nactivation function=logistic\n");
    EXPECT_STREQ(model.nets.lines[1], "dense units=6\nactivation function=leaky-relu alpha=0.2\n"
                                      "dropout rate=0.3\ndense units=1\n");
}
