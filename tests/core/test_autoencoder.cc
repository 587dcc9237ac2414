/* Autoencoders against sums in double: losses, noise, gradients, layer by layer; what they refuse,
 * and what the model writes. */
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
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
using Doubles = std::vector<double>;
using Named = std::map<std::string, Doubles>; /* values of slots in logical order */

enum { IN = 7, HIDDEN = 5, CODE = 3, ROWS = 6, SEED = 11, STEP = 4 };
const bool IS_DOUBLE = sizeof(real) == sizeof(double);

const char ENCODER[] = "dense1: dense units=5\nactivation function=tanh\ndense2: dense units=3\n";
const char TIED[] = "dense2: dense share=encoder/dense2 transpose=1\nactivation function=tanh\n"
                    "dense1: dense share=encoder/dense1 transpose=1\n";
const char UNTIED[] = "dense2: dense units=5\nactivation function=tanh\ndense1: dense units=7\n";

/* An encoder and a decoder, all parameters of which are drawn, biases too. */
struct Built : TwoNets {
    Built(const std::string &text, const char *decoder, const char *encoder = ENCODER,
          ls_shape x = {1, {IN}}, ls_shape code = {1, {CODE}}, const char *train = nullptr)
        : TwoNets(text, {"encoder", encoder, x}, {"decoder", decoder, code}, x, train)
    {
        if (!objective)
            return;
        draw_values();
        prepare();
        objective->type->compile(objective, ROWS, ROWS);
    }
    void draw_values()
    {
        for (int s = 0; s < params->count; s++) {
            Reals drawn((size_t)ls_shape_count(&params->slots[s].shape));
            for (size_t i = 0; i < drawn.size(); i++)
                drawn[i] = (real)(0.7 * std::sin(1.3 * (double)i + 2.1 * s + 0.4));
            ls_params_load(params, s, drawn.data(), params->values);
        }
    }
    Named stored(const real *array) const
    {
        Named found;
        for (int s = 0; s < params->count; s++) {
            Reals logical((size_t)ls_shape_count(&params->slots[s].shape));
            ls_params_store(params, s, array, logical.data());
            found[params->slots[s].name] = Doubles(logical.begin(), logical.end());
        }
        return found;
    }
    const ls_view *view(const std::string &name) const
    {
        for (int k = 0; k < objective->views; k++)
            if (name == objective->view[k].name)
                return &objective->view[k];
        return nullptr;
    }
};

/* Pixels from 0 to 1, 0 and 1 among them. */
Reals pixels(long rows = ROWS, long width = IN)
{
    Reals x((size_t)(rows * width));
    for (size_t i = 0; i < x.size(); i++)
        x[i] = (real)std::clamp(0.5 + 0.7 * std::sin(2.9 * (double)i + 0.3), 0.0, 1.0);
    return x;
}

ls_batch batch_of(const Reals &x, long first = 0, long rows = ROWS)
{
    ls_batch batch = {};
    batch.rows = rows;
    batch.first = first;
    batch.total = ROWS;
    batch.x_shape = {1, {IN}};
    batch.x = x.data() + first * IN;
    return batch;
}

ls_pass training_pass(real *gradient, long first = 0)
{
    ls_pass pass = {};
    pass.training = true;
    pass.seed = SEED;
    pass.step = STEP;
    pass.draw = 1 << 20;
    pass.row = first;
    pass.gradient = gradient;
    return pass;
}

/* 0 where masking noise strikes number j of a row of so many, else 1. */
double kept(double noise, long row, long width, long j)
{
    std::vector<uint32_t> bits((size_t)width);
    ls_random stream = ls_random_stream(SEED, LS_RANDOM_NOISE, STEP, 1 << 20, 0);
    ls_random_bits(stream, (uint64_t)row, bits.data(), width);
    return (double)bits[(size_t)j] / 4294967296.0 >= noise;
}

/* W x + b, or with `turned` W^T x + b. */
Doubles affine(const Doubles &W, const Doubles &b, const Doubles &x, bool turned)
{
    Doubles y = b;
    for (size_t o = 0; o < y.size(); o++)
        for (size_t i = 0; i < x.size(); i++)
            y[o] += (turned ? W[i * y.size() + o] : W[o * x.size() + i]) * x[i];
    return y;
}

Doubles tanh_of(Doubles x)
{
    for (double &value : x)
        value = std::tanh(value);
    return x;
}

/* What is computed of a row: what the decoder makes, what that is compared with, and the row that
 * comes out at last. */
struct Rebuilt {
    Doubles y, goal, out;
};

Rebuilt rebuild(const Named &p, bool tied, int pair, double noise, const Doubles &x, long row)
{
    auto corrupt = [&](Doubles clean) {
        for (size_t j = 0; j < clean.size() && noise > 0; j++)
            clean[j] *= kept(noise, row, (long)clean.size(), (long)j);
        return clean;
    };
    auto encode = [&](const char *layer, const Doubles &in) {
        return affine(p.at(std::string("encoder/") + layer + "/weight"),
                      p.at(std::string("encoder/") + layer + "/bias"), in, false);
    };
    auto decode = [&](const std::string &layer, const Doubles &in) {
        return affine(p.at((tied ? "encoder/" : "decoder/") + layer + "/weight"),
                      p.at("decoder/" + layer + "/bias"), in, tied);
    };
    Doubles hidden = tanh_of(encode("dense1", pair == 2 ? x : corrupt(x)));
    if (pair == 1) {
        Doubles y = decode("dense1", hidden);
        return {y, x, y};
    }
    Doubles code = encode("dense2", pair == 2 ? corrupt(hidden) : hidden);
    Doubles back = tanh_of(decode("dense2", code)), out = decode("dense1", back);
    return pair == 2 ? Rebuilt{back, hidden, out} : Rebuilt{out, x, out};
}

struct Kind {
    bool tied;
    int pair;
    double noise;
    bool bce;
    std::string text() const
    {
        return "autoencoder loss=" + std::string(bce ? "bce" : "squared-error") +
               " noise=" + std::to_string(noise) + " pair=" + std::to_string(pair);
    }
    const char *decoder() const
    {
        return tied ? TIED : UNTIED;
    }
};

/* Loss and squared error a number, summed over rows. */
Doubles sums_of(const Kind &kind, const Named &p, const Reals &x, bool noisy, long first = 0,
                long rows = ROWS)
{
    Doubles sums(2);
    for (long r = first; r < first + rows; r++) {
        Doubles row(x.begin() + r * IN, x.begin() + (r + 1) * IN);
        Rebuilt it = rebuild(p, kind.tied, kind.pair, noisy ? kind.noise : 0, row, r);
        for (size_t j = 0; j < it.y.size(); j++) {
            double y = it.y[j], t = it.goal[j], s = 1 / (1 + std::exp(-y));
            const bool logits = kind.bce && kind.pair < 2;
            double off = (logits ? s : y) - t;
            sums[0] += logits ? -t * std::log(s) - (1 - t) * std::log(1 - s) : off * off / 2;
            sums[1] += off * off / (double)it.y.size();
        }
    }
    return sums;
}

std::vector<Kind> kinds()
{
    std::vector<Kind> all;
    for (bool tied : {true, false})
        for (int pair : {0, 1, 2})
            for (double noise : {0.0, 0.4})
                for (bool bce : {false, true})
                    all.push_back({tied, pair, noise, bce});
    return all;
}

const double CLOSE = IS_DOUBLE ? 1e-11 : 2e-5;

void expect_gradient(const Kind &kind, const Built &it, const Named &found, const Reals &x)
{
    const double h = 1e-5;
    Named p = it.stored(it.params->values);
    for (int s = 0; s < it.params->count; s++) {
        const char *name = it.params->slots[s].name;
        const bool learns = ls_slots_contain(&it.objective->phase[0].slots, s);
        for (size_t i = 0; i < p[name].size(); i++) {
            if (!learns) {
                EXPECT_TRUE(std::isnan(found.at(name)[i])) << name << " does not learn";
                continue;
            }
            double &value = p[name][i], at = value;
            value = at + h;
            double above = sums_of(kind, p, x, true)[0];
            value = at - h;
            double below = sums_of(kind, p, x, true)[0];
            value = at;
            EXPECT_NEAR((above - below) / (2 * h), found.at(name)[i], IS_DOUBLE ? 1e-7 : 2e-4)
                << kind.text() << (kind.tied ? " tied " : " untied ") << name << " " << i;
        }
    }
}

} /* namespace */

TEST(Autoencoder, LossAndGradientAreThoseOfTheFormula)
{
    const Reals x = pixels();
    for (const Kind &kind : kinds()) {
        Built it(kind.text(), kind.decoder());
        ASSERT_TRUE(it.objective) << it.error.text;
        Reals gradient((size_t)it.params->size, (real)NAN);
        ls_pass pass = training_pass(gradient.data());
        ls_batch batch = batch_of(x);
        ls_sums sums;
        it.objective->type->gradient(it.objective, 0, &batch, &pass, &sums);
        Doubles expected = sums_of(kind, it.stored(it.params->values), x, true);
        EXPECT_EQ(ROWS, sums.at[LS_SUM_WEIGHT]);
        EXPECT_NEAR(expected[0], sums.at[LS_SUM_LOSS], CLOSE * expected[0]) << kind.text();
        EXPECT_NEAR(expected[1], sums.at[it.objective->metric[1].sum], CLOSE * expected[1]);
        expect_gradient(kind, it, it.stored(gradient.data()), x);
    }
}

/* The weights of a tied decoder are the encoder's slots. */
TEST(Autoencoder, WhatIsFrozenGetsNoGradientAndTheRestTheSame)
{
    const Reals x = pixels();
    for (const char *train : {"decoder", "encoder", "encoder/dense2", "decoder/dense1/bias"})
        for (const char *decoder : {TIED, UNTIED}) {
            Built all("autoencoder noise=0.4", decoder);
            Built some("autoencoder noise=0.4", decoder, ENCODER, {1, {IN}}, {1, {CODE}}, train);
            ASSERT_TRUE(all.objective && some.objective) << some.error.text;
            Named found[2];
            for (Built *it : {&all, &some}) {
                Reals gradient((size_t)it->params->size, (real)NAN);
                ls_pass pass = training_pass(gradient.data());
                pass.frozen = it == &some ? &it->objective->frozen : nullptr;
                ls_batch batch = batch_of(x);
                ls_sums sums;
                it->objective->type->gradient(it->objective, 0, &batch, &pass, &sums);
                found[it == &some] = it->stored(gradient.data());
            }
            for (int s = 0; s < some.params->count; s++) {
                const std::string name = some.params->slots[s].name;
                if (!ls_slots_contain(&some.objective->phase[0].slots, s))
                    EXPECT_TRUE(std::isnan(found[1][name][0])) << train << ": " << name;
                else
                    EXPECT_EQ(found[0][name], found[1][name]) << train << ": " << name;
            }
        }
}

TEST(Autoencoder, EvaluationHasNoNoiseAndRebuildsRows)
{
    const Reals x = pixels();
    for (const Kind &kind : kinds()) {
        Built it(kind.text(), kind.decoder());
        ASSERT_TRUE(it.objective) << it.error.text;
        EXPECT_TRUE(it.objective->outputs.rebuilds);
        EXPECT_EQ(IN, ls_shape_count(&it.objective->output));
        ls_pass pass = {};
        ls_batch batch = batch_of(x);
        ls_sums sums;
        const Named p = it.stored(it.params->values);
        const real *y = it.objective->type->evaluate(it.objective, &batch, &pass, &sums);
        Doubles expected = sums_of(kind, p, x, false);
        EXPECT_NEAR(expected[0], sums.at[LS_SUM_LOSS], CLOSE * expected[0]) << kind.text();
        EXPECT_NEAR(expected[1], sums.at[it.objective->metric[1].sum], CLOSE * expected[1]);
        for (long r = 0; r < ROWS; r++) {
            Doubles row(x.begin() + r * IN, x.begin() + (r + 1) * IN);
            Rebuilt rebuilt = rebuild(p, kind.tied, kind.pair, 0, row, r);
            for (long j = 0; j < IN; j++)
                EXPECT_NEAR(rebuilt.out[(size_t)j], y[r * IN + j], CLOSE * 10) << kind.text();
        }
        it.objective->type->evaluate(it.objective, &batch, &pass, nullptr);
    }
}

/* The noise of a row depends on its place in the whole batch, not on the shard that holds it. */
TEST(Autoencoder, ShardsTogetherAreTheWholeBatch)
{
    const Reals x = pixels();
    for (int pair : {0, 2}) {
        const Kind kind = {true, pair, 0.4, false};
        Built it(kind.text(), kind.decoder());
        ASSERT_TRUE(it.objective) << it.error.text;
        double loss = 0;
        for (long first = 0; first < ROWS; first += 2) {
            ls_pass pass = training_pass(nullptr, first);
            ls_batch batch = batch_of(x, first, 2);
            ls_sums sums;
            it.objective->type->gradient(it.objective, 0, &batch, &pass, &sums);
            loss += sums.at[LS_SUM_LOSS];
        }
        double expected = sums_of(kind, it.stored(it.params->values), x, true)[0];
        EXPECT_NEAR(expected, loss, CLOSE * expected);
    }
}

TEST(Autoencoder, NoiseSetsItsShareOfPixelsToZeroAndDiffersByStep)
{
    enum { WIDE = 1500 };
    const std::string encoder = "dense units=2\n", decoder = "dense units=1500\n";
    Built it("autoencoder noise=0.3", decoder.c_str(), encoder.c_str(), {1, {WIDE}}, {1, {2}});
    ASSERT_TRUE(it.objective) << it.error.text;
    Reals x((size_t)(ROWS * WIDE), (real)0.75), before;
    ls_batch batch = {};
    batch.rows = batch.total = ROWS;
    batch.x = x.data();
    for (uint64_t step : {1, 2}) {
        ls_pass pass = training_pass(nullptr);
        pass.step = step;
        ls_sums sums;
        it.objective->type->gradient(it.objective, 0, &batch, &pass, &sums);
        ASSERT_TRUE(it.view("corrupted"));
        EXPECT_EQ(WIDE, ls_shape_count(&it.view("corrupted")->shape));
        const real *seen = it.view("corrupted")->numbers;
        long zeros = 0;
        for (long i = 0; i < ROWS * WIDE; i++) {
            zeros += seen[i] == 0;
            EXPECT_TRUE(seen[i] == 0 || seen[i] == x[(size_t)i]);
        }
        EXPECT_NEAR(0.3, (double)zeros / (ROWS * WIDE), 0.02);
        EXPECT_NE(0, std::memcmp(seen, seen + WIDE, WIDE * sizeof *seen)) << "rows differ";
        EXPECT_NE(before, Reals(seen, seen + ROWS * WIDE));
        before.assign(seen, seen + ROWS * WIDE);
    }
}

TEST(Autoencoder, ViewsShowWhatWasComputed)
{
    const Reals x = pixels();
    Built it("autoencoder noise=0.4 pair=2", TIED);
    ASSERT_TRUE(it.objective) << it.error.text;
    ls_pass pass = training_pass(nullptr);
    ls_batch batch = batch_of(x);
    ls_sums sums;
    it.objective->type->gradient(it.objective, 0, &batch, &pass, &sums);
    const Named p = it.stored(it.params->values);
    for (long r = 0; r < ROWS; r++) {
        Doubles row(x.begin() + r * IN, x.begin() + (r + 1) * IN);
        Rebuilt expected = rebuild(p, true, 2, 0.4, row, r);
        const real *made = ls_workspace_output(it.view("decoder")->run, 1);
        for (long j = 0; j < HIDDEN; j++) {
            EXPECT_NEAR(expected.goal[(size_t)j], it.view("target")->numbers[r * HIDDEN + j],
                        CLOSE);
            EXPECT_NEAR(expected.y[(size_t)j], made[r * HIDDEN + j], CLOSE * 10);
        }
    }
    EXPECT_EQ(2, ls_workspace_layers(it.view("encoder")->run).begin);
}

/* Layers below a pair are applied as in evaluation; a line above the first weight belongs to the
 * first pair. */
TEST(Autoencoder, DropoutBelowAPairDoesNotDrop)
{
    const Reals x = pixels();
    const char *dropping = "dropout rate=0.5\ndense1: dense units=5\nactivation function=tanh\n"
                           "dropout rate=0.5\ndense2: dense units=3\n";
    Built first("autoencoder pair=1", TIED, dropping), second("autoencoder pair=2", TIED, dropping);
    ASSERT_TRUE(first.objective && second.objective) << first.error.text << second.error.text;
    ls_pass pass = training_pass(nullptr);
    ls_batch batch = batch_of(x);
    ls_sums sums;
    second.objective->type->gradient(second.objective, 0, &batch, &pass, &sums);
    const Named p = second.stored(second.params->values);
    Doubles row(x.begin(), x.begin() + IN), expected = rebuild(p, true, 2, 0, row, 0).goal;
    for (size_t j = 0; j < HIDDEN; j++)
        EXPECT_NEAR(expected[j], second.view("target")->numbers[j], CLOSE);
    EXPECT_EQ(0, ls_workspace_layers(first.view("encoder")->run).begin);
    EXPECT_EQ(4, ls_workspace_layers(first.view("encoder")->run).end);
    EXPECT_EQ(4, ls_workspace_layers(second.view("encoder")->run).begin);
}

TEST(Autoencoder, AWalkLeadsFromOneRowsReconstructionToTheOthers)
{
    const Reals x = pixels();
    for (int pair : {0, 1, 2}) {
        Built it("autoencoder loss=bce pair=" + std::to_string(pair), UNTIED);
        ASSERT_TRUE(it.objective) << it.error.text;
        EXPECT_EQ(LS_GENERATE_WALK, it.objective->generates);
        ls_batch given = batch_of(x, 1, 2);
        ls_generation walk = {};
        walk.kind = LS_GENERATE_WALK;
        walk.rows = 5;
        walk.given = &given;
        Reals made(5 * IN), ends(2 * IN), pieces(5 * IN);
        ls_pass pass = {};
        it.objective->type->generate(it.objective, &pass, &walk, 5, made.data());
        for (long r = 0; r < 5; r++) {
            pass.row = r;
            it.objective->type->generate(it.objective, &pass, &walk, 1, pieces.data() + r * IN);
        }
        pass.row = 0;
        const real *y = it.objective->type->evaluate(it.objective, &given, &pass, nullptr);
        for (int k = 0; k < 2; k++)
            it.objective->meaning->of_values(y + k * IN, IN, ends.data() + k * IN);
        for (long j = 0; j < IN; j++) {
            EXPECT_NEAR(ends[(size_t)j], made[(size_t)j], CLOSE);
            EXPECT_NEAR(ends[(size_t)(IN + j)], made[(size_t)(4 * IN + j)], CLOSE);
            EXPECT_GT(made[(size_t)j], 0) << "of logits come pixels";
        }
        EXPECT_NE(0, std::memcmp(made.data(), made.data() + 2 * IN, IN * sizeof(real)));
        for (size_t i = 0; i < made.size(); i++)
            EXPECT_NEAR(made[i], pieces[i], CLOSE);
    }
}

TEST(Autoencoder, ACodeOfTwoNumbersHasAPlane)
{
    Built it("autoencoder", "dense units=7\n", "dense units=2\n", {1, {IN}}, {1, {2}});
    ASSERT_TRUE(it.objective) << it.error.text;
    EXPECT_EQ(LS_GENERATE_WALK | LS_GENERATE_PLANE, it.objective->generates);
    ls_generation plane = {};
    plane.kind = LS_GENERATE_PLANE;
    plane.rows = 4;
    Reals made(4 * IN);
    ls_pass pass = {};
    it.objective->type->generate(it.objective, &pass, &plane, 4, made.data());
    for (long j = 0; j < IN; j++) /* linear: the corners' diagonals have one middle */
        EXPECT_NEAR(made[(size_t)j] + made[(size_t)(3 * IN + j)],
                    made[(size_t)(IN + j)] + made[(size_t)(2 * IN + j)], 1e-5);
}

TEST(Autoencoder, RefusesNetsThatDoNotFitInWords)
{
    auto refusal = [](const char *text, const char *decoder, const char *encoder = ENCODER) {
        Built it(text, decoder, encoder);
        EXPECT_TRUE(it.objective || it.error.code == LS_USAGE);
        return std::string(it.objective ? "" : it.error.text);
    };
    EXPECT_NE(std::string::npos,
              refusal("autoencoder", "dense units=8\n")
                  .find("the net decoder makes rows of 8, but a row of the data is 7"));
    EXPECT_NE(std::string::npos, refusal("autoencoder", "dense units=7\n", "dense units=4\n")
                                     .find("the net encoder makes codes of 4, but the net decoder "
                                           "takes 3: give it the line `input 4`"));
    const char wide[] = "d2: dense units=6\nactivation function=tanh\nd1: dense units=8\n";
    EXPECT_NE(std::string::npos,
              refusal("autoencoder pair=2", wide)
                  .find("pair=2: activation1 makes 6 numbers of the code, but is "
                        "to rebuild the 5 that dense2 reads"));
    const char late[] = "d2: dense units=5\nactivation function=tanh\nd1: dense units=8\n";
    EXPECT_NE(
        std::string::npos,
        refusal("autoencoder pair=2", late).find("makes rows of 8, but a row of the data is 7"));
    EXPECT_NE(std::string::npos, refusal("autoencoder pair=3", TIED).find("has 2 layers"));
    EXPECT_NE(std::string::npos,
              refusal("autoencoder pair=1", "dense units=7\n").find("decoder has 1;"));
    EXPECT_NE(std::string::npos,
              refusal("autoencoder pair=2", UNTIED,
                      "a: dense units=5\nb: activation function=tanh\nd: dense units=5\n"
                      "sum @d,a\ndense units=3 bias=0\n")
                  .find("3 layers"));
    EXPECT_NE(std::string::npos,
              refusal("autoencoder pair=2", UNTIED,
                      "a: dense units=3\nb: activation function=tanh\nd: dense @b units=3\n"
                      "e: sum @d,a\n")
                  .find("pair=: the net encoder cannot be cut above d, since e reads an earlier"));
    EXPECT_NE(std::string::npos, refusal("autoencoder encoder=net", TIED).find("'net'"));
}

TEST(Autoencoder, TheModelWritesItsNetsAndStages)
{
    const ls_shape x = {3, {28, 28, 1}};
    struct Case {
        const char *text;
        int nets;
        long parameters;
        std::vector<std::string> objectives;
    } cases[] = {
        {"autoencoder widths=784,256,64 classes=0",
         2,
         784 * 256 + 256 + 256 * 64 + 64 + 256 + 784,
         {"autoencoder loss=squared-error noise=0"}},
        {"autoencoder widths=784,256,64 tied=0 noise=0.25 activation=prelu code=prelu",
         3,
         2 * (784 * 256 + 256 * 64) + 256 + 64 + 256 + 784 + 650 + 3,
         {"autoencoder loss=squared-error noise=0.25",
          "supervised net=classifier loss=cross-entropy"}},
        {"autoencoder widths=784,256,64 greedy=1 loss=bce classes=7",
         3,
         784 * 256 + 256 + 256 * 64 + 64 + 256 + 784 + 64 * 7 + 7,
         {"autoencoder loss=bce noise=0 pair=1", "autoencoder loss=bce noise=0 pair=2",
          "supervised net=classifier loss=cross-entropy"}},
    };
    for (const Case &c : cases) {
        ls_error error = {};
        ls_model_nets nets;
        ASSERT_TRUE(ls_model_write(c.text, &x, &nets, &error)) << error.text;
        ASSERT_EQ(c.nets, nets.count);
        ls_params *params = ls_params_create();
        ls_net *net[LS_MODEL_NETS] = {};
        for (int i = 0; i < nets.count; i++)
            ASSERT_TRUE(net[i] =
                            ls_net_build(params, nullptr, nets.name[i], nets.lines[i], &x, &error))
                << error.text;
        EXPECT_EQ(c.parameters, ls_params_trained(params)) << c.text;
        ls_recipe_list stages;
        ASSERT_TRUE(ls_model_stages(c.text, &stages, &error)) << error.text;
        ASSERT_EQ((int)c.objectives.size(), stages.count);
        for (int i = 0; i < stages.count; i++) {
            EXPECT_EQ(c.objectives[(size_t)i], stages.at[i].objective);
            ls_task task = {};
            task.params = params;
            task.nets = nets.count;
            task.net = net;
            task.x = x;
            task.has_y = true;
            task.classes = 7;
            ls_objective *objective = ls_objective_create(stages.at[i].objective, &task, &error);
            EXPECT_TRUE(objective) << error.text;
            ls_objective_destroy(objective);
        }
        ls_model_release_stages(&stages);
        for (int i = nets.count - 1; i >= 0; i--)
            ls_net_destroy(net[i]);
        ls_params_destroy(params);
        ls_model_release(&nets);
    }
    ls_error error = {};
    ls_model_nets nets;
    EXPECT_FALSE(ls_model_write("autoencoder widths=780,30", &x, &nets, &error));
    EXPECT_STREQ("autoencoder: widths= begins with 780, but a row of the data has 784 numbers",
                 error.text);
}
