/* What all objectives share: nets by name, phases, metrics, and patterns that leave slots out; and
 * of supervised that it computes what is asked for and no more. */
#include <algorithm>

#include "one_layer.h"

extern "C" {
#include "core/objective.h"
}

namespace
{

/* Two nets over rows of 4 numbers, with labels of 3 classes. */
struct Setting {
    Setting()
    {
        const char *lines[] = {"a: dense units=5\nactivation function=tanh\nb: dense units=3",
                               "a: dense share=net/a\nc: dense units=3"};
        const char *names[] = {"net", "head"};
        task.params = params;
        task.net = net;
        task.x = {1, {4}};
        task.has_y = true;
        task.classes = 3;
        for (; task.nets < 2; task.nets++) {
            net[task.nets] =
                ls_net_build(params, nullptr, names[task.nets], lines[task.nets], &task.x, &error);
            EXPECT_NE(net[task.nets], nullptr) << error.text;
        }
    }
    ~Setting()
    {
        ls_objective_destroy(objective);
        for (ls_net *built : net)
            ls_net_destroy(built);
        ls_params_destroy(params);
    }
    bool create(const char *text)
    {
        objective = ls_objective_create(text, &task, &error);
        return objective != nullptr;
    }
    std::vector<std::string> slots(const ls_slots &of) const
    {
        std::vector<std::string> names;
        for (int s = 0; s < params->count; s++)
            if (ls_slots_contain(&of, s))
                names.push_back(params->slots[s].name);
        return names;
    }
    ls_params *params = ls_params_create();
    ls_net *net[2] = {};
    ls_task task = {};
    ls_error error = {};
    ls_objective *objective = nullptr;
};

using Names = std::vector<std::string>;

TEST(Objective, FindsItsNetByNameAndTrainsSharedSlots)
{
    Setting s;
    ASSERT_TRUE(s.create("supervised net=head")) << s.error.text;
    EXPECT_EQ(s.slots(s.objective->phase[0].slots),
              (Names{"net/a/weight", "net/a/bias", "head/c/weight", "head/c/bias"}));
    EXPECT_EQ(s.objective->phases, 1);
    EXPECT_EQ(ls_objective_batches(s.objective), 1);
    EXPECT_EQ(s.objective->frozen.count, 0);
    Setting other;
    EXPECT_FALSE(other.create("supervised net=hat"));
    EXPECT_STREQ(other.error.text, "the objective supervised wants a net named 'hat', which this "
                                   "model does not have; it has net, head");
}

TEST(Objective, PatternsLeaveSlotsOutOfItsPhases)
{
    Setting s;
    s.task.train = "net/b, head";
    ASSERT_TRUE(s.create("supervised")) << s.error.text;
    EXPECT_EQ(s.slots(s.objective->phase[0].slots), (Names{"net/b/weight", "net/b/bias"}));
    EXPECT_EQ(s.slots(s.objective->frozen), (Names{"net/a/weight", "net/a/bias"}));
    Setting none;
    none.task.train = "head/c";
    EXPECT_FALSE(none.create("supervised"));
    EXPECT_STREQ(none.error.text, "'head/c' names nothing that supervised trains");
    Setting unknown;
    unknown.task.train = "net/d";
    EXPECT_FALSE(unknown.create("supervised"));
    EXPECT_EQ(unknown.error.code, LS_USAGE);
}

/* Of a layer 4 -> 5 and one 5 -> 3, a product takes 40 and 30 operations a row. */
TEST(Objective, CountsTheOperationsOfWhatItTrains)
{
    const std::pair<const char *, double> cases[] = {
        {NULL, 70 + 40 + 30 + 30}, /* forward, two gradients, dx of the second layer */
        {"net/a", 70 + 40 + 30},   /* the second layer passes dx on */
        {"net/b", 70 + 30},
    };
    for (const auto &[train, flops] : cases) {
        Setting s;
        s.task.train = train;
        ASSERT_TRUE(s.create("supervised")) << s.error.text;
        EXPECT_EQ(s.objective->type->flops(s.objective), flops) << (train ? train : "all");
    }
    Setting s;
    EXPECT_EQ(ls_net_flops(s.net[0], {0, 2}, NULL, false), 40);
    EXPECT_EQ(ls_net_flops(s.net[0], {0, 2}, NULL, true), 80);
}

/* vae has no option that may change. What a default says may be written out. */
TEST(Objective, AStageGoesOnWithTheSameOptions)
{
    EXPECT_TRUE(ls_objective_continues("vae beta=2", " vae   beta=2"));
    EXPECT_TRUE(ls_objective_continues("vae", "vae beta=1"));
    EXPECT_TRUE(ls_objective_continues("vae beta=1 sigma=1", "vae"));
    EXPECT_FALSE(ls_objective_continues("vae", "vae beta=2"));
    EXPECT_FALSE(ls_objective_continues("vae beta=2", "vae"));
    EXPECT_FALSE(ls_objective_continues("vae beta=2", "vae beta=3"));
    EXPECT_FALSE(ls_objective_continues("vae", "autoencoder"));
    EXPECT_FALSE(ls_objective_continues("nothing", "nothing"));
}

TEST(Objective, MetricsAreMeansOfOnePhaseAndHaveADirection)
{
    Setting s;
    ASSERT_TRUE(s.create("supervised")) << s.error.text;
    ls_objective *o = s.objective;
    EXPECT_EQ(ls_objective_metric(o, "loss"), 0);
    EXPECT_EQ(ls_objective_metric(o, "accuracy"), 1);
    EXPECT_EQ(ls_objective_metric(o, "perplexity"), -1);
    EXPECT_TRUE(o->metric[0].lower);
    EXPECT_FALSE(o->metric[1].lower);
    EXPECT_EQ(o->judged, 1);
    o->metric[1] = {"perplexity", 1, 3, true, std::exp, false, false, nullptr};
    ls_sums sums[2] = {};
    sums[1].at[LS_SUM_WEIGHT] = 4;
    sums[1].at[3] = 6;
    EXPECT_DOUBLE_EQ(ls_objective_value(o, 1, sums), std::exp(1.5));
}

/* Without an array for it no gradient is computed, and the views hold the outputs; outputs alone
 * need no targets. All agree with the whole computation. */
TEST(Objective, SupervisedComputesWhatIsAskedFor)
{
    enum { ROWS = 6 };
    Setting s;
    ASSERT_TRUE(s.create("supervised")) << s.error.text;
    ls_objective *o = s.objective;
    const Reals x = random_reals(ROWS * 4, 1), y = {0, 1, 2, 0, 1, 2};
    real *values = (real *)ls_alloc(s.params->size, sizeof *values);
    real *prepared = (real *)ls_alloc(s.params->prepared_size, sizeof *prepared);
    real *gradient = (real *)ls_alloc(s.params->size, sizeof *gradient);
    ls_params_commit(s.params, values, prepared);
    ls_params_initialize(s.params, 3, nullptr);
    o->type->compile(o, ROWS, ROWS);
    ls_batch batch = {};
    batch.rows = batch.total = ROWS;
    batch.x = x.data();
    batch.y = y.data();
    ls_pass pass = {};
    pass.training = true;
    pass.gradient = gradient;
    ls_sums whole, forward, judged;
    o->type->gradient(o, 0, &batch, &pass, &whole);
    pass.gradient = nullptr;
    o->type->gradient(o, 0, &batch, &pass, &forward);
    const real *out = o->type->evaluate(o, &batch, &pass, &judged);
    const Reals outputs(out, out + ROWS * 3);
    for (int k = 0; k < LS_SUMS; k++) {
        EXPECT_EQ(whole.at[k], forward.at[k]);
        EXPECT_EQ(whole.at[k], judged.at[k]);
    }
    batch.y = nullptr;
    out = o->type->evaluate(o, &batch, &pass, nullptr);
    EXPECT_EQ(outputs, Reals(out, out + ROWS * 3));
    ASSERT_EQ(o->views, 1);
    EXPECT_STREQ(o->view[0].name, "net");
    out = ls_workspace_output(o->view[0].run, 2);
    EXPECT_EQ(outputs, Reals(out, out + ROWS * 3));
    ls_free(gradient);
    ls_free(prepared);
    ls_free(values);
}

/* A net whose rows are 2 steps of 3 numbers, with a label of 4 classes for each. */
struct Steps {
    explicit Steps(const char *lines)
    {
        task.params = params;
        task.net = &net;
        task.nets = 1;
        task.x = {2, {2, 3}};
        task.y = {1, {2}};
        task.has_y = true;
        task.classes = 4;
        net = ls_net_build(params, nullptr, "net", lines, &task.x, &error);
        EXPECT_NE(net, nullptr) << error.text;
    }
    ~Steps()
    {
        ls_objective_destroy(objective);
        ls_net_destroy(net);
        ls_params_destroy(params);
    }
    ls_params *params = ls_params_create();
    ls_net *net = nullptr;
    ls_task task = {};
    ls_error error = {};
    ls_objective *objective = nullptr;
};

TEST(Objective, SupervisedMeansAreOverTheStepsThatHaveLabels)
{
    enum { ROWS = 3, WIDTH = 4 };
    Steps s("dense units=4 each=1");
    ls_objective *o = s.objective = ls_objective_create("supervised", &s.task, &s.error);
    ASSERT_NE(o, nullptr) << s.error.text;
    EXPECT_EQ(ls_objective_steps(o), 2);
    EXPECT_EQ(o->classes, WIDTH);
    Buffer values((size_t)s.params->size, 0), prepared((size_t)s.params->prepared_size, 0);
    ls_params_commit(s.params, values, prepared);
    ls_params_initialize(s.params, 3, nullptr);
    o->type->compile(o, 0, ROWS);
    const Reals x = random_reals(ROWS * 6, 1), labels = {0, 3, 1, 1, 2, 0};
    ls_batch batch = {};
    batch.rows = batch.total = ROWS;
    batch.x = x.data();
    batch.y = labels.data();
    const ls_pass pass = {};
    ls_sums sums;
    const real *y = o->type->evaluate(o, &batch, &pass, &sums);
    double loss = 0, correct = 0;
    for (long i = 0; i < 2 * ROWS; i++, y += WIDTH) {
        double sum = 0;
        for (long j = 0; j < WIDTH; j++)
            sum += std::exp((double)y[j]);
        loss += std::log(sum) - (double)y[(long)labels[i]];
        correct += std::max_element(y, y + WIDTH) - y == (long)labels[i];
    }
    EXPECT_EQ(sums.at[LS_SUM_WEIGHT], 2 * ROWS);
    EXPECT_NEAR(ls_objective_value(o, 0, &sums), loss / (2 * ROWS), 1e-5);
    EXPECT_EQ(ls_objective_value(o, 1, &sums), correct / (2 * ROWS));
}

TEST(Objective, LabelsOfStepsNeedOutputsOfThem)
{
    for (const char *lines :
         {"dense units=8", "rnn units=4 last=1", "dense units=8\nreshape shape=4,2"}) {
        Steps s(lines);
        EXPECT_EQ(ls_objective_create("supervised", &s.task, &s.error), nullptr) << lines;
        EXPECT_EQ(s.error.code, LS_USAGE);
        EXPECT_NE(std::string(s.error.text)
                      .find("a target for each of 2 steps, so the net must end in 2xN (`dense "
                            "units=N each=1` over a sequence), but its output is"),
                  std::string::npos)
            << s.error.text;
    }
}

/* Else a row of 2 steps with outputs for 4 classes would be one of 8 classes. */
TEST(Objective, OneLabelARowIsForOneOutput)
{
    for (const char *lines :
         {"dense units=4 each=1", "rnn units=4", "tdnn units=4 kernel=3 pad=1"}) {
        Steps s(lines);
        s.task.y = {0, {}};
        EXPECT_EQ(ls_objective_create("supervised", &s.task, &s.error), nullptr) << lines;
        EXPECT_EQ(s.error.code, LS_USAGE);
        EXPECT_NE(std::string(s.error.text).find("is 2x4: each step of a row has one, but y has"),
                  std::string::npos)
            << s.error.text;
    }
    for (const char *lines : {"rnn units=4 last=1", "timepool\ndense units=4",
                              "dense units=2 each=1\nreshape shape=4"}) {
        Steps s(lines);
        s.task.y = {0, {}};
        s.objective = ls_objective_create("supervised", &s.task, &s.error);
        EXPECT_NE(s.objective, nullptr) << lines << s.error.text;
    }
}

/* The next token would be copied. */
TEST(Objective, ALineThatLooksAheadIsRefusedForStreams)
{
    const struct {
        const char *lines, *line;
    } cases[] = {{"a: rnn units=4 reverse=1", "net/a"},
                 {"rnn units=4\ngru units=4 reverse=1\nsum @rnn1,gru1", "net/gru1"},
                 {"tdnn units=4 kernel=3 pad=1", "net/tdnn1"},
                 {"dense units=8\nreshape shape=2,4", "net/dense1"},
                 {"lstm units=8 last=1\nreshape shape=2,4", "net/lstm1"},
                 {"timepool\ndense units=8\nreshape shape=2,4", "net/timepool1"},
                 {"reshape shape=2,3,1\nconv2d out=4 kernel=2,3 pad=1,0\nmaxpool kernel=2,1 "
                  "stride=1,1\nreshape shape=2,4",
                  "net/conv2d1"},
                 {"reshape shape=1,6\ndense units=8 each=1\nreshape shape=2,4", "net/reshape1"},
                 {"tdnn units=4 kernel=1", nullptr},
                 {"lstm units=5\nbatchnorm\ndense units=4 each=1", nullptr}};
    for (const auto &it : cases) {
        Steps s(it.lines);
        s.task.streams = 1;
        s.objective = ls_objective_create("supervised", &s.task, &s.error);
        EXPECT_EQ(s.objective == nullptr, it.line != nullptr) << it.lines << s.error.text;
        if (!s.objective && it.line) {
            EXPECT_NE(std::string(s.error.text).find(it.line + std::string(": by ")),
                      std::string::npos)
                << s.error.text;
        }
    }
    Steps s("input 2,3\nrnn units=4");
    s.task.streams = 1;
    EXPECT_EQ(ls_objective_create("supervised", &s.task, &s.error), nullptr);
    EXPECT_NE(std::string(s.error.text).find("leave that line out"), std::string::npos);
}

TEST(Objective, SmoothedLabelsHaveNoPerplexityInTraining)
{
    for (const char *text : {"supervised", "supervised smoothing=0.1"}) {
        Steps s("rnn units=4");
        s.task.streams = 1;
        s.objective = ls_objective_create(text, &s.task, &s.error);
        ASSERT_NE(s.objective, nullptr) << s.error.text;
        for (const char *name : {"bits", "perplexity"})
            EXPECT_EQ(s.objective->metric[ls_objective_metric(s.objective, name)].evaluated,
                      strlen(text) > 10)
                << name;
    }
}

/* With lengths and without, if the net keeps the steps. */
TEST(Objective, TargetsOfStepsAreThoseOfTheStepsOfX)
{
    for (const bool lengths : {false, true}) {
        Steps s("dense units=1 each=1");
        s.task.classes = 0;
        s.task.lengths = lengths;
        s.objective = ls_objective_create("supervised loss=squared-error", &s.task, &s.error);
        ASSERT_NE(s.objective, nullptr) << s.error.text;
        EXPECT_EQ(ls_objective_steps(s.objective), 2);
    }
    Steps s("dense units=2");
    s.task.classes = 0;
    s.objective = ls_objective_create("supervised loss=squared-error", &s.task, &s.error);
    ASSERT_NE(s.objective, nullptr) << s.error.text;
    EXPECT_EQ(ls_objective_steps(s.objective), 1);
}

} /* namespace */
