/* A job as text and back, and what may change when a run goes on. */
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

extern "C" {
#include "core/memory.h"
#include "launch/job/job_compatible.h"
#include "launch/job/job_read.h"
#include "launch/job/job_text.h"
#include "launch/job/yaml/job_file.h"
}

namespace
{

/* Texts of all kinds, kept until the end of the test. */
struct Texts {
    std::mt19937 random{1};
    std::vector<std::string> kept = std::vector<std::string>(100000);
    size_t used = 0;

    long below(long n)
    {
        return (long)(random() % (unsigned long)n);
    }
    char *keep(const std::string &text)
    {
        kept[used] = text;
        return &kept[used++][0];
    }
    char *text()
    {
        static const char *const pieces[] = {"a",
                                             "Z",
                                             "0",
                                             " ",
                                             "  ",
                                             "\n",
                                             "\n\n",
                                             "\t",
                                             "\r",
                                             "'",
                                             "\"",
                                             "\\",
                                             ": ",
                                             " #",
                                             "- ",
                                             "#",
                                             "=",
                                             "{",
                                             "]",
                                             ",",
                                             "&",
                                             "*",
                                             "!",
                                             "|",
                                             ">",
                                             "%",
                                             "@",
                                             "`",
                                             "~",
                                             "null",
                                             "true",
                                             "---",
                                             "...",
                                             "0x1",
                                             "\x01",
                                             "\x7f",
                                             "\xc3\xa9",
                                             "\xc2\x85",
                                             "\xe2\x80\xa8",
                                             "\xef\xbb\xbf",
                                             "\xf0\x9f\x8c\x8a",
                                             "lenet",
                                             "units=3",
                                             "?",
                                             "\x1b",
                                             "\xc2\x9f",
                                             "\xef\xbf\xbe",
                                             "\xe2\x82\xac"};
        std::string text;
        for (long n = 1 + below(6); n > 0; n--)
            text += pieces[below(sizeof pieces / sizeof pieces[0])];
        return keep(text);
    }
    char *text_or_nothing()
    {
        return below(3) ? text() : nullptr;
    }
    ls_every every()
    {
        const ls_every all[] = {{LS_EVERY_NEVER, 0},
                                {LS_EVERY_EPOCHS, 1},
                                {LS_EVERY_EPOCHS, 0.1 * (double)(1 + below(1000)) / 3},
                                {LS_EVERY_STEPS, (double)(1 + below(1000000000))},
                                {LS_EVERY_MINUTES, 1e-3 * (double)(1 + below(100000))}};
        return all[below(5)];
    }
    void fill(ls_job_stage *stage)
    {
        *stage = {};
        if (below(8) == 0)
            return; /* left to the model's recipe */
        stage->objective = text_or_nothing();
        stage->schedule = text_or_nothing();
        stage->train = text_or_nothing();
        stage->rows = below(1000);
        stage->batch = below(100);
        (below(2) ? stage->epochs : stage->steps) = below(1000);
        stage->optimizers = (int)below(LS_PHASES + 1);
        for (int i = 0; i < stage->optimizers; i++) {
            stage->optimizer[i].phase =
                stage->optimizers > 1 || below(2) ? keep("phase" + std::to_string(i)) : nullptr;
            stage->optimizer[i].spec = text();
        }
    }
};

bool same_text(const char *a, const char *b)
{
    return a && b ? std::string(a) == b : a == b;
}

bool same_stage(const ls_job_stage &a, const ls_job_stage &b)
{
    bool same = same_text(a.objective, b.objective) && same_text(a.train, b.train) &&
                same_text(a.schedule, b.schedule) && a.rows == b.rows && a.batch == b.batch &&
                a.epochs == b.epochs && a.steps == b.steps && a.optimizers == b.optimizers;
    for (int i = 0; same && i < a.optimizers; i++)
        same = same_text(a.optimizer[i].phase, b.optimizer[i].phase) &&
               same_text(a.optimizer[i].spec, b.optimizer[i].spec);
    return same;
}

/* Whether a stage is as it was given; what was left out may be anything. */
bool keeps_stage(const ls_job_stage &given, ls_job_stage filled)
{
    filled.objective = given.objective ? filled.objective : nullptr;
    filled.schedule = given.schedule ? filled.schedule : nullptr;
    filled.batch = given.batch ? filled.batch : 0;
    filled.epochs = given.epochs || given.steps ? filled.epochs : 0;
    filled.optimizers = given.optimizers ? filled.optimizers : 0;
    return same_stage(given, filled);
}

bool same_every(const ls_every &a, const ls_every &b)
{
    return a.unit == b.unit && a.count == b.count;
}

bool same_job(const ls_job &a, const ls_job &b,
              bool same_stages(const ls_job_stage &a, ls_job_stage b) = nullptr)
{
    bool same =
        same_text(a.data, b.data) && same_text(a.run, b.run) && same_text(a.model, b.model) &&
        same_text(a.net, b.net) && a.seed == b.seed && a.shards == b.shards &&
        a.stages == b.stages && same_every(a.evaluate.every, b.evaluate.every) &&
        same_text(a.evaluate.split, b.evaluate.split) &&
        a.evaluate.stop_after == b.evaluate.stop_after && a.evaluate.gap == b.evaluate.gap &&
        same_text(a.evaluate.metric, b.evaluate.metric) &&
        a.evaluate.average == b.evaluate.average && same_text(a.transform, b.transform) &&
        a.accumulate == b.accumulate && a.split == b.split && a.exact_conv == b.exact_conv &&
        a.unroll == b.unroll && same_every(a.checkpoint.every, b.checkpoint.every) &&
        a.checkpoint.keep == b.checkpoint.keep && same_every(a.samples.every, b.samples.every) &&
        a.samples.rows == b.samples.rows;
    for (int i = 0; same && i < LS_MODEL_NETS; i++)
        same = same_text(a.nets[i].name, b.nets[i].name) &&
               same_text(a.nets[i].lines, b.nets[i].lines);
    for (int i = 0; same && i < a.stages; i++)
        same =
            same_stages ? same_stages(a.stage[i], b.stage[i]) : same_stage(a.stage[i], b.stage[i]);
    return same;
}

TEST(JobText, ReadsBackToTheSameJob)
{
    size_t blocks = ls_memory_blocks();
    for (int round = 0; round < 200; round++) {
        Texts texts;
        texts.random.seed((unsigned)round);
        ls_job_stage stages[3];
        ls_job job = {};
        job.data = texts.text();
        job.run = texts.text();
        static char model[] = "lenet  classes=3";
        if (texts.below(2))
            job.model = model;
        if (!job.model && texts.below(2))
            job.net = texts.text();
        for (long i = texts.below(5); !job.net && i > 0; i--)
            job.nets[i - 1] = {texts.keep("net" + std::to_string(i)), texts.text()};
        if (!job.model && !job.net && !job.nets[0].name)
            job.net = texts.text();
        job.seed = texts.below(1000000);
        job.shards = texts.below(9);
        job.stages = (int)(1 + texts.below(3));
        job.stage = stages;
        for (int i = 0; i < job.stages; i++)
            texts.fill(&stages[i]);
        static char split[] = "test";
        job.evaluate.every = texts.every();
        job.evaluate.split = split;
        job.evaluate.stop_after = texts.below(5);
        job.evaluate.gap = (double)texts.below(5) / 3;
        job.evaluate.metric = texts.text_or_nothing();
        job.evaluate.average = texts.below(2);
        job.transform = texts.text_or_nothing();
        job.unroll = job.transform ? 0 : texts.below(99);
        job.exact_conv = texts.below(2);
        job.accumulate = job.shards ? 0 : texts.below(9);
        job.split = texts.below(2);
        job.checkpoint.every = texts.every();
        job.checkpoint.keep = 1 + texts.below(5);
        job.samples.every = texts.every();
        job.samples.rows = 1 + texts.below(4096);

        ls_error error = {};
        ls_job *whole = ls_job_create(&job, &error);
        ASSERT_NE(whole, nullptr) << error.text;
        char *text = ls_job_text(whole);
        EXPECT_TRUE(same_job(job, *whole, keeps_stage)) << text;
        ls_job *back = ls_job_parse(text, "job.yaml", &error);
        ASSERT_NE(back, nullptr) << error.text << "\n" << text;
        EXPECT_TRUE(same_job(*whole, *back)) << text;
        ls_job_destroy(back);
        ls_free(text);

        text = ls_job_json(whole);
        for (auto read : {ls_job_from_json, ls_job_parse}) {
            back = read(text, "step-1.h5", &error);
            ASSERT_NE(back, nullptr) << error.text << "\n" << text;
            EXPECT_TRUE(same_job(*whole, *back)) << text;
            ls_job_destroy(back);
        }
        ls_free(text);
        ls_job_destroy(whole);
    }
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(JobText, AFaultOfAJobInJsonIsToldAsThat)
{
    ls_error error = {};
    EXPECT_EQ(ls_job_parse(
                  "{\"data\": \"d.h5\", \"model\": \"lenet\", \"stages.0.batch\": 64, \"sede\": 1}",
                  "job.json", &error),
              nullptr);
    EXPECT_NE(strstr(error.text, "unknown key 'sede': did you mean 'seed'?"), nullptr)
        << error.text;
}

TEST(JobText, JsonHasNumbersAndSwitchesAsSuch)
{
    ls_error error = {};
    ls_job *job = ls_job_parse("data: '12'\nmodel: perceptron\nexact_conv: true\nbatch: 5\n",
                               "job.yaml", &error);
    ASSERT_NE(job, nullptr) << error.text;
    char *text = ls_job_json(job);
    EXPECT_STREQ(text,
                 "{\n \"data\": \"12\",\n \"run\": \"runs/job\",\n \"model\": \"perceptron\",\n"
                 " \"exact_conv\": true,\n \"seed\": 1,\n"
                 " \"stages.0.objective\": \"supervised loss=squared-error\",\n"
                 " \"stages.0.optimizer\": \"sgd rate=0.01\",\n"
                 " \"stages.0.schedule\": \"constant\",\n"
                 " \"stages.0.batch\": 5,\n \"stages.0.epochs\": 5,\n"
                 " \"evaluate.every\": \"1 epoch\",\n \"evaluate.split\": \"valid\",\n"
                 " \"checkpoint.every\": \"1 epoch\",\n \"checkpoint.keep\": 3,\n"
                 " \"samples.every\": \"never\",\n \"samples.rows\": 64\n}");
    ls_free(text);
    ls_job_destroy(job);
}

TEST(JobText, ReadsJsonInMapsAndListsToo)
{
    ls_error error = {};
    const char text[] = "{\"data\": \"f.h5\", \"model\": \"perceptron\", \"exact_conv\": false, "
                        "\"evaluate\": {\"every\": \"2 steps\"}, \"stages\": [{\"batch\": 3}, "
                        "{\"optimizer\": {\"generator\": \"adam\"}}]}";
    ls_job *job = ls_job_from_json(text, "step-1.h5", &error);
    ASSERT_NE(job, nullptr) << error.text;
    EXPECT_EQ(job->evaluate.every.count, 2);
    ASSERT_EQ(job->stages, 2);
    EXPECT_EQ(job->stage[0].batch, 3);
    EXPECT_STREQ(job->stage[1].optimizer[0].phase, "generator");
    ls_job_destroy(job);
}

TEST(JobText, TheLibraryReadsJsonAndSaysSo)
{
    ls_error error = {};
    size_t blocks = ls_memory_blocks();
    EXPECT_EQ(ls_job_from_json("data: f.h5\nmodel: perceptron\n", "step-1.h5", &error), nullptr);
    EXPECT_NE(std::string(error.text).find("step-1.h5: expected a job in JSON, line 1: "),
              std::string::npos)
        << error.text;
    EXPECT_NE(std::string(error.text).find("resume once with `lockstep train`"), std::string::npos);
    const struct {
        const char *text, *message;
    } cases[] = {
        {"[1]", "step-1.h5: expected a job in JSON, line "},
        {"{\"data\": \"f\", \"data\": \"g\"}", "step-1.h5: expected a job in JSON, line 1: "},
        {"{\"data\": 5, \"model\": null}", "step-1.h5: model: expected a model, as `lockstep list "
                                           "models` has them, found nothing; write for example "},
        {"{\"data\": \"f\", \"sede\": 1}",
         "step-1.h5: unknown key 'sede': did you mean 'seed'? Known here: data"},
        {"{\"data\": \"f\", \"seed\": 1.5}",
         "step-1.h5: seed: expected a whole number, 0 or more, found '1.5'; write"},
        {"{\"data\": \"f\", \"model\": \"lenet\", \"stages.300.batch\": 1}",
         "step-1.h5: stages: expected a list of 1 to 256 stages, each with its"},
        {"{\"data\": \"f\", \"model\": \"lenet\", \"stages\": [{}], \"batch\": 1}",
         "step-1.h5: 'batch' stands beside 'stages' (step-1.h5): move it"},
        {"{\"data\": \"f\", \"model\": \"lenet\", \"stages\": [{\"optimizer\": {\"a.b\": "
         "\"sgd\"}}]}",
         "step-1.h5: 'a.b' is no name of a phase"},
    };
    for (const auto &c : cases) {
        EXPECT_EQ(ls_job_from_json(c.text, "step-1.h5", &error), nullptr);
        EXPECT_EQ(std::string(error.text).find(c.message), 0u) << error.text;
        EXPECT_EQ(error.code, LS_USAGE);
    }
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(JobText, KeepsTheLineEndsOfANet)
{
    for (std::string net : {"a", "a\n", "a\n\n\n", "a\n  b\n\nc", " a\n", "\na", "a \n\tb"}) {
        ls_error error = {};
        ls_job *job = ls_job_parse("data: f.h5\nnet: x\n", "job.yaml", &error);
        ASSERT_NE(job, nullptr) << error.text;
        ls_free((void *)job->net);
        job->net = ls_copy_string(net.c_str());
        char *text = ls_job_text(job);
        ls_job *back = ls_job_parse(text, "job.yaml", &error);
        ASSERT_NE(back, nullptr) << error.text << "\n" << text;
        EXPECT_EQ(back->net, net);
        ls_free(text);
        ls_job_destroy(back);
        ls_job_destroy(job);
    }
}

const char first[] = "data: f.h5\n"
                     "run: runs/a\n"
                     "net: |\n"
                     "  conv1: conv2d out=6 kernel=5  # as in the paper\n"
                     "  dense units=10\n"
                     "seed: 1\n"
                     "stages:\n"
                     "  - optimizer: adam rate=0.001\n"
                     "    batch: 64\n"
                     "    epochs: 3\n"
                     "  - objective: supervised loss=hinge\n"
                     "    optimizer: momentum rate=0.1\n"
                     "    schedule: cosine\n"
                     "    batch: 32\n"
                     "    epochs: 3\n"
                     "evaluate:\n"
                     "  every: 1 epoch\n"
                     "  split: valid\n"
                     "checkpoint:\n"
                     "  every: 2.5 minutes\n"
                     "  keep: 3\n"
                     "samples:\n"
                     "  every: 1 epoch\n"
                     "  rows: 64\n";

TEST(JobText, IsWhatAPersonWouldWrite)
{
    ls_error error = {};
    std::string whole = first; /* with all that a stage has */
    whole.replace(whole.find("  - optimizer: adam rate=0.001\n"), 31,
                  "  - objective: supervised\n    optimizer:\n      encoder: adam rate=0.001\n"
                  "      decoder: sgd\n    schedule: constant\n    rows: 1000\n");
    whole.replace(whole.find("net: |\n"), 7, "model: perceptron\nnets:\n  net: |\n");
    for (const char *line : {"  conv1: ", "  dense units=10"})
        whole.insert(whole.find(line), "  ");
    ls_job *job = ls_job_parse(whole.c_str(), "job.yaml", &error);
    ASSERT_NE(job, nullptr) << error.text;
    char *text = ls_job_text(job);
    EXPECT_EQ(text, whole);
    ls_free(text);
    ls_job_destroy(job);
}

/* The notices, a line each, then "refused: " and the message. */
std::string compare(std::string from, std::string to, long stage = 1)
{
    std::string now = first, said;
    size_t at = now.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    now.replace(at, from.size(), to);
    ls_error error = {};
    ls_job *a = ls_job_parse(first, "before.yaml", &error);
    ls_job *b = ls_job_parse(now.c_str(), "job.yaml", &error);
    EXPECT_NE(b, nullptr) << error.text;
    auto notice = [](void *context, const char *text) {
        *(std::string *)context += std::string(text) + "\n";
    };
    if (!ls_job_compatible(a, b, stage, notice, &said, &error)) {
        EXPECT_EQ(error.code, LS_USAGE);
        said += std::string("refused: ") + error.text;
    }
    ls_job_destroy(a);
    ls_job_destroy(b);
    return said;
}

const char way_out[] = "; set it back, or start another run with run=DIRECTORY (or this one "
                       "afresh: --resume=never --overwrite)";

TEST(JobCompatible, LetsPassWhatDoesNotTouchTheSteps)
{
    EXPECT_EQ(compare("", ""), "");
    EXPECT_EQ(compare("f.h5", "g.h5"), "");
    EXPECT_EQ(compare("runs/a", "runs/b"), "");
    EXPECT_EQ(compare("keep: 3", "keep: 9"), "");
    EXPECT_EQ(compare("1 epoch", "7 steps"), "");
    EXPECT_EQ(compare("rows: 64", "rows: 100"), "");
    EXPECT_EQ(compare("batch: 32\n    epochs: 3", "batch: 32\n    epochs: 9"), "");
    EXPECT_EQ(compare("batch: 32\n    epochs: 3", "batch: 32\n    steps: 9"), "");
    EXPECT_EQ(compare("kernel=5  # as in the paper\n", "  kernel=5\n  # ours\n"), "")
        << "spaces and comments mean nothing";
}

TEST(JobCompatible, TellsWhatChangesTheRestOfTheRun)
{
    EXPECT_EQ(compare("rate=0.1", "rate=0.2"), "stages.1.optimizer changed from 'momentum "
                                               "rate=0.1' to 'momentum rate=0.2'\n");
    EXPECT_EQ(compare("schedule: cosine", "schedule: linear"),
              "stages.1.schedule changed from 'cosine' to 'linear'\n");
    EXPECT_EQ(compare("batch: 32", "batch: 32\n    rows: 7"),
              "stages.1.rows changed from '0' to '7'\n");
    EXPECT_EQ(compare("batch: 32", "batch: 16"), "stages.1.batch changed from '32' to '16'\n");
    EXPECT_EQ(compare("momentum rate=0.1", "sgd", 0),
              "stages.1.optimizer changed from 'momentum rate=0.1' to 'sgd'\n")
        << "a later stage may change altogether";
}

TEST(JobCompatible, RefusesAnotherNetSeedOrPast)
{
    EXPECT_EQ(compare("out=6", "out=8"),
              "refused: job.yaml:3:6: net: the run began with 'conv1: conv2d out=6 kernel=5  # as "
              "in the paper\\ndense units=10\\n', now it is 'conv1: conv2d out=8 kernel=5  # as in "
              "the paper\\ndense units=10\\n': a run keeps the lines of its nets (--weights "
              "CHECKPOINT begins another run with its parameters)" +
                  std::string(way_out));
    EXPECT_EQ(
        compare("seed: 1", "seed: 2"),
        "refused: job.yaml:6:7: seed: the run began with '1', now it is '2': the seed decides "
        "what every step draws" +
            std::string(way_out));
    EXPECT_EQ(compare("batch: 64", "batch: 65"),
              "refused: job.yaml:9:12: stages.0.batch: the run began with '64', now it is '65': "
              "this stage is done" +
                  std::string(way_out));
    EXPECT_EQ(compare("epochs: 3", "epochs: 4"),
              "refused: job.yaml:10:13: stages.0.epochs: the run began with '3', now it is '4': "
              "this stage is done" +
                  std::string(way_out));
    EXPECT_EQ(compare("loss=hinge", "loss=bce"),
              "refused: job.yaml:11:16: stages.1.objective: the run began with 'supervised "
              "loss=hinge', now it is 'supervised loss=bce': the running stage keeps its "
              "objective" +
                  std::string(way_out));
    EXPECT_EQ(compare("batch: 32", "batch: 32\n    train: net/dense"),
              "refused: job.yaml:15:12: stages.1.train: the run began with '*', now it is "
              "'net/dense': the running stage keeps what it trains" +
                  std::string(way_out));
    EXPECT_EQ(compare("batch: 32", "batch: 32\n    train: net/dense", 0),
              "stages.1.train changed from '*' to 'net/dense'\n");
    EXPECT_EQ(
        compare("momentum rate=0.1", "sgd"),
        "refused: job.yaml:12:16: stages.1.optimizer: the run began with 'momentum rate=0.1', "
        "now it is 'sgd': the running stage keeps its kind of optimizer (rate and other "
        "options may change)" +
            std::string(way_out));
}

/* The same with nets by name. */
std::string compare_nets(const char *before, const char *now)
{
    ls_error error = {};
    std::string head = "data: f.h5\nnets:\n";
    ls_job *a = ls_job_parse((head + before).c_str(), "before.yaml", &error);
    ls_job *b = ls_job_parse((head + now).c_str(), "job.yaml", &error);
    EXPECT_NE(a, nullptr) << error.text;
    EXPECT_NE(b, nullptr) << error.text;
    std::string said = ls_job_compatible(a, b, 0, nullptr, nullptr, &error) ? "" : error.text;
    ls_job_destroy(a);
    ls_job_destroy(b);
    return said;
}

TEST(JobCompatible, RefusesOtherNets)
{
    const char both[] = "  a: dense units=3\n  b: softmax\n";
    const std::string other = ": a run keeps the lines of its nets (--weights CHECKPOINT begins "
                              "another run with its parameters)" +
                              std::string(way_out);
    EXPECT_EQ(compare_nets(both, both), "");
    EXPECT_EQ(compare_nets(both, "  a: 'dense  units=3  # the same'\n  b: softmax\n"), "");
    EXPECT_EQ(compare_nets(both, "  a: dense units=3\n  b: dense units=3\n"),
              "job.yaml:4:6: nets.b: the run began with 'softmax', now it is 'dense units=3'" +
                  other);
    EXPECT_EQ(compare_nets(both, "  a: dense units=3\n"),
              "job.yaml:3:3: nets: the run began with 'b', now it is '(not given)'" + other);
    EXPECT_EQ(compare_nets(both, "  b: softmax\n  a: dense units=3\n"),
              "job.yaml:3:3: nets: the run began with 'a', now it is 'b'" + other)
        << "the order of nets decides what they draw";
}

TEST(JobCompatible, RefusesAJobWithoutTheStageThatRuns)
{
    EXPECT_EQ(compare("  - objective: supervised loss=hinge\n    optimizer: momentum rate=0.1\n"
                      "    schedule: cosine\n    batch: 32\n    epochs: 3\n",
                      ""),
              "refused: job.yaml: the run is in stages.1, but the job has only 1 stages" +
                  std::string(way_out));
}

} /* namespace */
