/* The job file: what it fills, what it refuses, and in what words. */
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

extern "C" {
#include "core/memory.h"
#include "launch/job/job_compatible.h"
#include "launch/job/job_read.h"
#include "launch/job/job_stages.h"
#include "launch/job/yaml/job_file.h"
}

namespace
{

/* A job file in a directory of its own, removed afterwards. */
class JobFile
{
  public:
    explicit JobFile(const std::string &text)
    {
        char pattern[] = "/tmp/lockstep-job-XXXXXX";
        folder = mkdtemp(pattern);
        path = folder + "/job.yaml";
        std::ofstream(path) << text;
    }
    ~JobFile()
    {
        unlink(path.c_str());
        rmdir(folder.c_str());
    }
    ls_job *load(std::vector<std::string> overrides)
    {
        std::vector<char *> words;
        for (std::string &text : overrides)
            words.push_back(&text[0]);
        error = {};
        return ls_job_load(path.c_str(), words.data(), (int)words.size(), &error);
    }
    /* The message, with the folder left out. */
    std::string message(std::vector<std::string> overrides)
    {
        ls_job *job = load(overrides);
        EXPECT_EQ(job, nullptr);
        ls_job_destroy(job);
        EXPECT_EQ(error.code, LS_USAGE);
        std::string text = error.text;
        for (size_t at; (at = text.find(folder + "/")) != std::string::npos;)
            text.erase(at, folder.size() + 1);
        return text;
    }
    std::string folder, path;
    ls_error error;
};

TEST(Job, UnrollIsNotDroppedForATransform)
{
    JobFile file("data: d.h5\nnet: dense\nunroll: 16\n");
    EXPECT_EQ(file.message({"transform=flip"}),
              "job.yaml:3:9: unroll and command line: transform: only one of them may stand: take "
              "one out, as by `unroll=`");
    ls_job *job = file.load({"transform=flip", "unroll=0"});
    ASSERT_TRUE(job) << file.error.text;
    EXPECT_STREQ(job->transform, "flip");
    EXPECT_EQ(job->unroll, 0);
    ls_job_destroy(job);
}

TEST(Job, AnEmptyTransformTakesOutThatOfTheFile)
{
    JobFile file("data: d.h5\nnet: dense\ntransform: flip\n");
    EXPECT_EQ(file.message({"unroll=16"}),
              "job.yaml:3:12: transform and command line: unroll: only one of them may stand: take "
              "one out, as by `transform=`");
    ls_job *job = file.load({"unroll=16", "transform="});
    ASSERT_TRUE(job) << file.error.text;
    EXPECT_EQ(job->transform, nullptr);
    EXPECT_EQ(job->unroll, 16);
    ls_job_destroy(job);
}

std::string refusal(const std::string &text)
{
    ls_error error = {};
    ls_job *job = ls_job_parse(text.c_str(), "job.yaml", &error);
    EXPECT_EQ(job, nullptr) << text;
    ls_job_destroy(job);
    EXPECT_EQ(error.code, LS_USAGE);
    return error.text;
}

std::string where(const ls_job *job, const char *key)
{
    char text[256];
    return ls_job_where(job, key, text, sizeof text);
}

const char whole[] =
    "data:      fashion.h5\n"
    "run:       runs/lenet   # everything that the run writes\n"
    "model:     lenet classes=10\n"
    "seed:      7\n"
    "shards:    4\n"
    "stages:\n"
    "  - objective: supervised loss=cross-entropy\n"
    "    optimizer: momentum rate=0.05 momentum=0.9 decay=5e-4  # a comment\n"
    "    schedule:  cosine warmup=1\n"
    "    train:     encoder, net/dense*\n"
    "    rows:      1000\n"
    "    batch:     256\n"
    "    epochs:    12\n"
    "  - optimizer: {discriminator: adam rate=2e-4, generator: sgd}\n"
    "    steps:     500\n"
    "evaluate:   {every: 500 steps, split: test, stop_after: 5, gap: 2.5, metric: accuracy}\n"
    "checkpoint: {every: 1.5 minutes, keep: 9}\n"
    "samples:    {every: 2 epochs, rows: 100}\n";

TEST(Job, FillsEveryKey)
{
    size_t blocks = ls_memory_blocks();
    JobFile file(whole);
    ls_job *job = file.load({});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_STREQ(job->data, "fashion.h5");
    EXPECT_STREQ(job->run, "runs/lenet");
    EXPECT_STREQ(job->model, "lenet classes=10");
    EXPECT_EQ(job->net, nullptr);
    EXPECT_EQ(job->seed, 7);
    EXPECT_EQ(job->shards, 4);
    ASSERT_EQ(job->stages, 2);
    const ls_job_stage *stage = job->stage;
    EXPECT_STREQ(stage[0].objective, "supervised loss=cross-entropy");
    ASSERT_EQ(stage[0].optimizers, 1);
    EXPECT_EQ(stage[0].optimizer[0].phase, nullptr);
    EXPECT_STREQ(stage[0].optimizer[0].spec, "momentum rate=0.05 momentum=0.9 decay=5e-4");
    EXPECT_STREQ(stage[0].schedule, "cosine warmup=1");
    EXPECT_STREQ(stage[0].train, "encoder, net/dense*");
    EXPECT_EQ(stage[1].train, nullptr);
    EXPECT_EQ(stage[0].rows, 1000);
    EXPECT_EQ(stage[0].batch, 256);
    EXPECT_EQ(stage[0].epochs, 12);
    EXPECT_EQ(stage[0].steps, 0);
    EXPECT_STREQ(stage[1].objective, "supervised loss=cross-entropy");
    ASSERT_EQ(stage[1].optimizers, 2);
    EXPECT_STREQ(stage[1].optimizer[1].phase, "generator");
    EXPECT_STREQ(stage[1].optimizer[1].spec, "sgd");
    EXPECT_EQ(stage[1].steps, 500);
    EXPECT_EQ(job->evaluate.every.unit, LS_EVERY_STEPS);
    EXPECT_EQ(job->evaluate.every.count, 500);
    EXPECT_STREQ(job->evaluate.split, "test");
    EXPECT_EQ(job->evaluate.stop_after, 5);
    EXPECT_EQ(job->evaluate.gap, 2.5);
    EXPECT_STREQ(job->evaluate.metric, "accuracy");
    EXPECT_EQ(job->checkpoint.every.unit, LS_EVERY_MINUTES);
    EXPECT_EQ(job->checkpoint.every.count, 1.5);
    EXPECT_EQ(job->checkpoint.keep, 9);
    EXPECT_EQ(job->samples.every.unit, LS_EVERY_EPOCHS);
    EXPECT_EQ(job->samples.every.count, 2);
    EXPECT_EQ(job->samples.rows, 100);
    ls_job_destroy(job);
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(Job, IsCompleteOnceItIsRead)
{
    JobFile file("data: f.h5\nnet: |\n  dense units=10\n");
    ls_job *job = file.load({});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_STREQ(job->run, "runs/job");
    EXPECT_STREQ(job->net, "dense units=10\n");
    EXPECT_EQ(job->seed, 1);
    EXPECT_EQ(job->shards, 0);
    EXPECT_EQ(job->evaluate.every.unit, LS_EVERY_EPOCHS);
    EXPECT_STREQ(job->evaluate.split, "valid");
    EXPECT_EQ(job->checkpoint.keep, 3);
    EXPECT_EQ(job->samples.every.unit, LS_EVERY_NEVER);
    EXPECT_EQ(job->samples.rows, 64);
    ASSERT_EQ(job->stages, 1);
    EXPECT_STREQ(job->stage[0].objective, "supervised loss=cross-entropy");
    ASSERT_EQ(job->stage[0].optimizers, 1);
    EXPECT_STREQ(job->stage[0].optimizer[0].spec, "momentum rate=0.01 momentum=0.9");
    EXPECT_STREQ(job->stage[0].schedule, "constant");
    EXPECT_EQ(job->stage[0].rows, 0);
    EXPECT_EQ(job->stage[0].batch, 128);
    EXPECT_EQ(job->stage[0].epochs, 10);
    ls_job_destroy(job);
}

TEST(Job, TakesWhatItLeavesOutFromTheModel)
{
    JobFile file("data: f.h5\nmodel: resnet depth=20 stem=cifar\nsteps: 40\n");
    ls_job *job = file.load({"batch=5"});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_STREQ(job->stage[0].optimizer[0].spec, "momentum rate=0.1 momentum=0.9 decay=1e-4");
    EXPECT_STREQ(job->stage[0].schedule, "multistep at=82,123 gamma=0.1");
    EXPECT_EQ(job->stage[0].batch, 5);
    EXPECT_EQ(job->stage[0].epochs, 0) << "steps were given";
    ls_job_destroy(job);
    job = file.load({"model=perceptron", "epochs=3"});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_STREQ(job->stage[0].objective, "supervised loss=squared-error");
    EXPECT_EQ(job->stage[0].epochs, 3);
    EXPECT_EQ(job->stage[0].steps, 0);
    ls_job_destroy(job);
}

/* Default stages of a model that there is not: two of one objective, and one with phases. */
struct Recipes {
    Recipes()
    {
        const ls_recipe recipes[] = {
            {"autoencoder pair=1", "adam rate=0.1", "linear", 64, 5},
            {"autoencoder pair=2", "adam rate=0.2", "cosine", 32, 6},
            {"gan k=2", "discriminator: rmsprop rate=0.3\ngenerator: adam rate=0.4 beta1=0.5",
             "constant", 16, 7}};
        for (const ls_recipe &recipe : recipes)
            ls_model_add_stage(&list, &recipe);
    }
    ~Recipes()
    {
        ls_model_release_stages(&list);
    }
    Recipes(const Recipes &) = delete;
    Recipes &operator=(const Recipes &) = delete;
    ls_recipe_list list = {};
};

/* What the stage gets: "OBJECTIVE; [PHASE:] OPTIMIZER; ...; SCHEDULE; BATCH; EPOCHS". */
std::string described(const ls_job_stage &stage)
{
    std::string text = std::string(stage.objective) + "; ";
    for (int i = 0; i < stage.optimizers; i++) {
        const ls_job_optimizer &optimizer = stage.optimizer[i];
        text +=
            (optimizer.phase ? std::string(optimizer.phase) + ": " : "") + optimizer.spec + "; ";
    }
    return text + stage.schedule + "; " + std::to_string(stage.batch) + "; " +
           std::to_string(stage.epochs);
}

/* A job of these stages, completed from the recipes. */
std::vector<std::string> filled(const std::vector<ls_job_stage> &given)
{
    Recipes recipes;
    std::vector<std::string> texts;
    std::vector<ls_job_stage> stages = given;
    for (ls_job_stage &stage : stages) { /* the job's own: it is filled and freed in place */
        stage.objective = ls_copy_string(stage.objective);
        stage.schedule = ls_copy_string(stage.schedule);
        for (int i = 0; i < stage.optimizers; i++) {
            stage.optimizer[i].phase = ls_copy_string(stage.optimizer[i].phase);
            stage.optimizer[i].spec = ls_copy_string(stage.optimizer[i].spec);
        }
    }
    ls_job job = {};
    job.stages = (int)stages.size();
    job.stage = stages.data();
    ls_job_stages_fill(&job, &recipes.list);
    for (ls_job_stage &stage : stages) {
        texts.push_back(described(stage));
        ls_free((void *)stage.objective);
        ls_free((void *)stage.schedule);
        for (int i = 0; i < stage.optimizers; i++) {
            ls_free((void *)stage.optimizer[i].phase);
            ls_free((void *)stage.optimizer[i].spec);
        }
    }
    return texts;
}

ls_job_stage stage_of(const char *objective)
{
    ls_job_stage stage = {};
    stage.objective = objective;
    return stage;
}

TEST(JobStages, AsManyAsTheModelHasTakeOneEach)
{
    size_t blocks = ls_memory_blocks();
    EXPECT_EQ(filled({stage_of(nullptr), stage_of(nullptr), stage_of(nullptr)}),
              (std::vector<std::string>{
                  "autoencoder pair=1; adam rate=0.1; linear; 64; 5",
                  "autoencoder pair=2; adam rate=0.2; cosine; 32; 6",
                  "gan k=2; discriminator: rmsprop rate=0.3; generator: adam rate=0.4 beta1=0.5; "
                  "constant; 16; 7"}));
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(JobStages, OthersTakeThatOfTheirObjectiveElseTheFirst)
{
    EXPECT_EQ(filled({stage_of("gan")})[0], "gan; discriminator: rmsprop rate=0.3; generator: adam "
                                            "rate=0.4 beta1=0.5; constant; 16; 7");
    EXPECT_EQ(filled({stage_of("supervised")})[0], "supervised; adam rate=0.1; linear; 64; 5");
    EXPECT_EQ(filled({stage_of(nullptr), stage_of("autoencoder noise=1")}),
              (std::vector<std::string>{"autoencoder pair=1; adam rate=0.1; linear; 64; 5",
                                        "autoencoder noise=1; adam rate=0.1; linear; 64; 5"}));
    EXPECT_EQ(filled({stage_of(nullptr), stage_of(nullptr)})[1],
              "autoencoder pair=2; adam rate=0.2; cosine; 32; 6");
    EXPECT_EQ(filled(std::vector<ls_job_stage>(4, stage_of(nullptr)))[3],
              "autoencoder pair=1; adam rate=0.1; linear; 64; 5");
    EXPECT_EQ(filled({stage_of(nullptr), stage_of(nullptr), stage_of("supervised")})[2],
              "supervised; momentum rate=0.01 momentum=0.9; constant; 16; 7")
        << "phases of another objective are none of this";
}

TEST(JobStages, TakeOptimizersOfThePhasesThatTheyGiveNoneFor)
{
    ls_job_stage one = stage_of("gan"), all = one;
    one.optimizer[0] = {"generator", "sgd"};
    one.optimizers = 1;
    EXPECT_EQ(filled({one})[0],
              "gan; generator: sgd; discriminator: rmsprop rate=0.3; constant; 16; 7");
    all.optimizer[0] = {nullptr, "sgd"};
    all.optimizers = 1;
    EXPECT_EQ(filled({all})[0], "gan; sgd; constant; 16; 7");
    all.steps = 9;
    EXPECT_EQ(filled({all})[0], "gan; sgd; constant; 16; 0");
}

/* The stages of a job of a model with two: an autoencoder, then a classifier; or the refusal. */
std::vector<std::string> stages_of(const std::string &text, std::vector<std::string> overrides = {})
{
    JobFile file("data: f.h5\nmodel: autoencoder widths=9,4\n" + text);
    ls_job *job = file.load(overrides);
    std::vector<std::string> texts;
    for (int i = 0; job && i < job->stages; i++)
        texts.push_back(described(job->stage[i]));
    if (!job)
        texts.push_back(file.error.text);
    ls_job_destroy(job);
    return texts;
}

const std::string first_stage = "autoencoder loss=squared-error noise=0; adam rate=0.001; cosine; ",
                  last_stage =
                      "supervised net=classifier loss=cross-entropy; adam rate=0.001; cosine; ";
typedef std::vector<std::string> Stages;

TEST(JobStages, AreTheModelsWhereTheJobGivesNone)
{
    size_t blocks = ls_memory_blocks();
    const Stages plain = {first_stage + "128; 20", last_stage + "128; 12"};
    EXPECT_EQ(stages_of(""), plain);
    EXPECT_EQ(stages_of("", {"model=autoencoder widths=9,4 classes=0"}), Stages{plain[0]});
    EXPECT_EQ(stages_of("batch: 64\n"), (Stages{first_stage + "64; 20", last_stage + "64; 12"}))
        << "a key at the top holds for all";
    EXPECT_EQ(stages_of("", {"epochs=2"}), (Stages{first_stage + "128; 2", last_stage + "128; 2"}));
    EXPECT_EQ(stages_of("", {"stages.1.epochs=3"}),
              (Stages{first_stage + "128; 20", last_stage + "128; 3"}));
    EXPECT_EQ(stages_of("stages: {1: {epochs: 3}}\nbatch: 64\n"),
              (Stages{first_stage + "64; 20", last_stage + "64; 3"}));
    EXPECT_EQ(stages_of("stages: {1: {epochs: 3, batch: 5}}\nbatch: 64\n"),
              (Stages{first_stage + "64; 20", last_stage + "5; 3"}))
        << "a key of one stage before one of all";
    EXPECT_EQ(stages_of("epochs: 7\n", {"stages.1.steps=3"}),
              (Stages{first_stage + "128; 7", last_stage + "128; 0"}));
    EXPECT_EQ(stages_of("optimizer: sgd\n", {"stages.0.optimizer.net=adam"})[1],
              "supervised net=classifier loss=cross-entropy; sgd; cosine; 128; 12");
    EXPECT_EQ(stages_of("optimizer: sgd\n", {"stages.0.optimizer.net=adam"})[0],
              "autoencoder loss=squared-error noise=0; net: adam; cosine; 128; 20");
    EXPECT_EQ(stages_of("objective: supervised net=classifier\n"),
              Stages{"supervised net=classifier; adam rate=0.001; cosine; 128; 12"})
        << "with an objective the job has one stage";
    EXPECT_EQ(stages_of("stages: [{epochs: 1}]\n"), Stages{first_stage + "128; 1"});
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(JobStages, TheLastKeyOfTheCommandLineWins)
{
    EXPECT_EQ(stages_of("stages: {1: {epochs: 3}}\n", {"epochs=2"}),
              (Stages{first_stage + "128; 2", last_stage + "128; 2"}));
    EXPECT_EQ(stages_of("stages: {1: {epochs: 3}}\n", {"steps=2"}),
              (Stages{first_stage + "128; 0", last_stage + "128; 0"}));
    EXPECT_EQ(stages_of("", {"epochs=2", "stages.1.epochs=3"}),
              (Stages{first_stage + "128; 2", last_stage + "128; 3"}));
    EXPECT_EQ(stages_of("", {"stages.1.epochs=3", "epochs=2"}),
              (Stages{first_stage + "128; 2", last_stage + "128; 2"}));
}

TEST(JobStages, RefuseWhatTheModelDoesNotHave)
{
    auto ends = [](const Stages &found, const std::string &text) {
        return found.size() == 1 && found[0].size() >= text.size() &&
               found[0].compare(found[0].size() - text.size(), text.size(), text) == 0;
    };
    const std::string numbers = "this job's stages have the numbers 0 to 1: write for example "
                                "stages.0.epochs";
    EXPECT_TRUE(
        ends(stages_of("", {"stages.2.epochs=1"}), "command line: stages.2.epochs: " + numbers));
    EXPECT_TRUE(ends(stages_of("stages: {2: {epochs: 1}}\n"),
                     "job.yaml:3:22: stages.2.epochs: " + numbers));
    EXPECT_TRUE(ends(stages_of("", {"stages.2.epochs=1", "model=autoencoderr widths=9,4"}),
                     "command line: model: there is no model autoencoderr: did you mean "
                     "autoencoder? (`lockstep list models` has all)"))
        << "the model is the mistake, not the number";
    EXPECT_TRUE(ends(stages_of("", {"model=autoencoder"}),
                     "command line: model: autoencoder needs widths= (units of input, hidden "
                     "layers, code)"));
    ls_error error = {};
    ls_job *job = ls_job_parse("data: f.h5\nmodel: autoencoder widths=9,4\nstages: {1: {batch: "
                               "7}}\nbatch: 8\n",
                               "job.yaml", &error);
    ASSERT_NE(job, nullptr) << error.text;
    EXPECT_EQ(where(job, "stages.0.batch"), "job.yaml:4:8: batch");
    EXPECT_EQ(where(job, "stages.1.batch"), "job.yaml:3:21: stages.1.batch");
    EXPECT_EQ(where(job, "stages.1.epochs"), "job.yaml: stages.1.epochs (default)");
    ls_job_destroy(job);
}

TEST(Job, HasNetsOfItsOwn)
{
    size_t blocks = ls_memory_blocks();
    JobFile file("data: f.h5\nnets:\n  encoder: |\n    dense units=3\n  decoder: |\n    input "
                 "3\n    dense units=9\n");
    ls_job *job = file.load({});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_STREQ(job->nets[0].name, "encoder");
    EXPECT_STREQ(job->nets[0].lines, "dense units=3\n");
    EXPECT_STREQ(job->nets[1].name, "decoder");
    EXPECT_STREQ(job->nets[1].lines, "input 3\ndense units=9\n");
    EXPECT_EQ(job->nets[2].name, nullptr);
    EXPECT_EQ(where(job, "nets.decoder"), file.path + ":5:12: nets.decoder");
    ls_job_destroy(job);
    job = file.load({"nets.encoder=dense units=4", "nets.third=softmax"});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_STREQ(job->nets[0].lines, "dense units=4");
    EXPECT_STREQ(job->nets[1].name, "decoder");
    EXPECT_STREQ(job->nets[2].name, "third");
    EXPECT_EQ(where(job, "nets.encoder"), "command line: nets.encoder");
    ls_job_destroy(job);
    job = file.load({"net=dense units=4"});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_EQ(job->nets[0].name, nullptr) << "net takes the place of nets";
    ls_job_destroy(job);
    job = file.load({"model=perceptron"});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_STREQ(job->nets[0].name, "encoder") << "nets may stand beside model";
    ls_job_destroy(job);
    EXPECT_EQ(ls_memory_blocks(), blocks);
    JobFile plain("data: f.h5\nnet: softmax\n");
    job = plain.load({"nets.a=softmax"});
    ASSERT_NE(job, nullptr) << plain.error.text;
    EXPECT_EQ(job->net, nullptr) << "nets take the place of net";
    ls_job_destroy(job);
}

TEST(Job, ReadsNumbersInTensWhateverTheyBeginWith)
{
    JobFile file("data: f.h5\nmodel: perceptron\nbatch: 010\nseed: '9223372036854775807'\n");
    ls_job *job = file.load({"epochs=007"});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_EQ(job->stage[0].batch, 10);
    EXPECT_EQ(job->stage[0].epochs, 7);
    EXPECT_EQ(job->seed, 9223372036854775807L);
    ls_job_destroy(job);
}

TEST(Job, TakesOverridesInOrderTheLastWins)
{
    JobFile file(whole);
    ls_job *job = file.load({"checkpoint.keep=5", "stages.1.batch=32", "stages.1.batch=64",
                             "stages.0.steps=100", "evaluate.every=2 epochs", "net=dense units=3",
                             "stages.1.optimizer.generator=adam", "run=a=b"});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_EQ(job->checkpoint.keep, 5);
    EXPECT_EQ(job->checkpoint.every.count, 1.5);
    EXPECT_EQ(job->stage[1].batch, 64);
    EXPECT_EQ(job->stage[0].steps, 100);
    EXPECT_EQ(job->stage[0].epochs, 0) << "steps take the place of epochs";
    EXPECT_EQ(job->evaluate.every.unit, LS_EVERY_EPOCHS);
    EXPECT_EQ(job->evaluate.every.count, 2);
    EXPECT_EQ(job->model, nullptr) << "net takes the place of model";
    EXPECT_STREQ(job->stage[1].optimizer[0].spec, "adam rate=2e-4");
    EXPECT_STREQ(job->stage[1].optimizer[1].spec, "adam");
    EXPECT_STREQ(job->run, "a=b");
    ls_job_destroy(job);
}

TEST(Job, TakesAListOfStagesFromTheCommandLine)
{
    JobFile file("data: f.h5\nmodel: perceptron\nstages: [{batch: 1}]\n");
    ls_job *job = file.load({"stages=[{batch: 2, steps: 3}, {batch: 4}]", "stages.1.batch=6"});
    ASSERT_NE(job, nullptr) << file.error.text;
    ASSERT_EQ(job->stages, 2);
    EXPECT_EQ(job->stage[0].batch, 2);
    EXPECT_EQ(job->stage[0].steps, 3);
    EXPECT_EQ(job->stage[1].batch, 6);
    ls_job_destroy(job);
    EXPECT_NE(file.message({"stages=[{batch: 2}"}).find("command line"), std::string::npos);
    EXPECT_NE(file.message({"stages=[{batsh: 2}]"}).find("batch"), std::string::npos);
}

TEST(Job, TheOnlyStageIsReachedWithAndWithoutItsNumber)
{
    for (const char *text : {"data: f.h5\nmodel: perceptron\nbatch: 1\n",
                             "data: f.h5\nmodel: perceptron\nstages: [{batch: 1}]\n",
                             "data: f.h5\nmodel: perceptron\n"})
        for (const char *key : {"batch=3", "stages.0.batch=3"}) {
            JobFile file(text);
            ls_job *job = file.load({key});
            ASSERT_NE(job, nullptr) << file.error.text;
            EXPECT_EQ(job->stage[0].batch, 3);
            ls_job_destroy(job);
        }
}

TEST(Job, KnowsWhereAKeyStood)
{
    ls_error error = {};
    ls_job *job = ls_job_parse(whole, "job.yaml", &error);
    ASSERT_NE(job, nullptr) << error.text;
    EXPECT_EQ(where(job, "stages.0.optimizer"), "job.yaml:8:16: stages.0.optimizer");
    EXPECT_EQ(where(job, "stages.1.optimizer.generator"),
              "job.yaml:14:59: stages.1.optimizer.generator");
    EXPECT_EQ(where(job, "evaluate.every"), "job.yaml:16:21: evaluate.every");
    EXPECT_EQ(where(job, "stages.1.schedule"), "job.yaml: stages.1.schedule (default)");
    ls_job_destroy(job);
    JobFile file("data: f.h5\nmodel: perceptron\nbatch: 1\n");
    job = file.load({"seed=5"});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_EQ(where(job, "stages.0.batch"), file.path + ":3:8: batch");
    EXPECT_EQ(where(job, "seed"), "command line: seed");
    ls_job_destroy(job);
}

TEST(Job, TellsWhetherAKeyCameFromTheFileOrTheCommandLine)
{
    JobFile file("data: f.h5\nmodel: perceptron\nbatch: 1\n");
    ls_job *job = file.load({"seed=5", "epochs=2"});
    ASSERT_NE(job, nullptr) << file.error.text;
    EXPECT_EQ(ls_job_origin(job, "stages.0.batch"), LS_FROM_FILE);
    EXPECT_EQ(ls_job_origin(job, "stages.0.epochs"), LS_FROM_COMMAND_LINE);
    EXPECT_EQ(ls_job_origin(job, "seed"), LS_FROM_COMMAND_LINE);
    EXPECT_EQ(ls_job_origin(job, "evaluate.split"), LS_FROM_DEFAULT);
    ls_job_destroy(job);
}

TEST(Job, SetsOneKeyFromItsText)
{
    ls_error error = {};
    size_t blocks = ls_memory_blocks();
    ls_job *job = ls_job_parse(whole, "job.yaml", &error);
    ASSERT_NE(job, nullptr) << error.text;
    EXPECT_TRUE(ls_job_set(job, "data", "other.h5", &error));
    EXPECT_STREQ(job->data, "other.h5");
    EXPECT_TRUE(ls_job_set(job, "stages.1.batch", "9", &error));
    EXPECT_EQ(job->stage[1].batch, 9);
    EXPECT_FALSE(ls_job_set(job, "seed", "-1", &error));
    EXPECT_STREQ(error.text, "seed: expected a whole number, 0 or more, found '-1'");
    for (const char *key : {"stages.2.batch", "stages.0.optimizer", "evaluate", "sede", ""}) {
        EXPECT_FALSE(ls_job_set(job, key, "1", &error));
        EXPECT_EQ(error.code, LS_USAGE) << key;
    }
    ls_job_destroy(job);
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(Job, IsMadeFromAPlainStruct)
{
    ls_error error = {};
    size_t blocks = ls_memory_blocks();
    ls_job plain = {};
    plain.data = "f.h5";
    plain.model = "lenet classes=10";
    ls_job *job = ls_job_create(&plain, &error);
    ASSERT_NE(job, nullptr) << error.text;
    EXPECT_STREQ(job->data, "f.h5");
    EXPECT_STREQ(job->run, "runs/job");
    EXPECT_EQ(job->seed, 0) << "0 is a seed as any other";
    EXPECT_EQ(job->stages, 1);
    EXPECT_EQ(job->evaluate.every.unit, LS_EVERY_EPOCHS);
    EXPECT_STREQ(job->evaluate.split, "valid");
    EXPECT_EQ(job->checkpoint.keep, 3);
    EXPECT_EQ(job->samples.every.unit, LS_EVERY_NEVER);
    EXPECT_EQ(job->samples.rows, 64);
    EXPECT_EQ(where(job, "stages.0.batch"), "job: stages.0.batch");
    ls_job_destroy(job);

    ls_job_stage stages[2] = {};
    stages[0].batch = 32;
    stages[1].optimizer[0] = {"generator", "adam"};
    stages[1].optimizers = 1;
    plain.path = "mine";
    plain.run = "runs/x";
    plain.stages = 2;
    plain.stage = stages;
    plain.evaluate.every.unit = LS_EVERY_NEVER;
    job = ls_job_create(&plain, &error);
    ASSERT_NE(job, nullptr) << error.text;
    EXPECT_EQ(job->stage[0].batch, 32);
    EXPECT_STREQ(job->stage[1].optimizer[0].phase, "generator");
    EXPECT_EQ(job->evaluate.every.unit, LS_EVERY_NEVER);
    ls_job_destroy(job);

    stages[0].batch = -5;
    EXPECT_EQ(ls_job_create(&plain, &error), nullptr);
    EXPECT_STREQ(error.text, "mine: stages.0.batch: expected a whole number, 1 or more (rows over "
                             "all ranks), found '-5'; write for example `batch: 128`");
    stages[0] = {};
    stages[0].epochs = stages[0].steps = 3;
    EXPECT_EQ(ls_job_create(&plain, &error), nullptr);
    EXPECT_STREQ(error.text, "mine: stages.0.epochs and mine: stages.0.steps: only one of them may "
                             "stand: take one out");
    plain.evaluate.every = {LS_EVERY_EPOCHS, 0};
    EXPECT_EQ(ls_job_create(&plain, &error), nullptr);
    EXPECT_STREQ(error.text,
                 "mine: evaluate.every: expected 'N epochs', 'N steps', 'N minutes' (N above 0, "
                 "at most 1e15, steps whole) or 'never', found '0 epochs'; write for example "
                 "`every: 1 epoch`");
    plain = {};
    EXPECT_EQ(ls_job_create(&plain, &error), nullptr);
    EXPECT_STREQ(error.text, "job: the key 'data' is missing: expected the path of a data set "
                             "file; write for example `data: fashion.h5`");
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

const char number[] = "expected a whole number, 1 or more (rows over all ranks), found ";
const char known[] =
    " Known here: data run model net nets transform unroll exact_conv seed shards accumulate split "
    "stages objective optimizer "
    "schedule train rows sampling bucket batch epochs steps evaluate checkpoint samples";
const char optimizer[] = "expected an optimizer, as `lockstep list optimizers` has them, or "
                         "`phase: optimizer` for each of at most 8 phases, found ";
const char optimizer_end[] = "; write for example `optimizer: momentum rate=0.05 momentum=0.9`";
const char every[] =
    "expected 'N epochs', 'N steps', 'N minutes' (N above 0, at most 1e15, steps whole) or "
    "'never', found ";
const char nets[] = "`name: spec lines` for each of at most 4 nets; beside model: they replace the "
                    "model's nets of these names, found ";
const char nets_end[] =
    "; write for example `nets: {encoder: dense units=20, decoder: dense units=784}`";
const char dot[] = "dots are for the command line; here a key stands on a line below its map's";
const char stages[] = "expected a list of 1 to 256 stages, each with its objective, optimizer, "
                      "batch ..., or `NUMBER: {epochs: 3 ...}` for stages of the model, found ";

/* What follows two good lines, and the message about it. */
TEST(Job, RefusesBrokenFilesInTheseWords)
{
    struct {
        std::string text, message;
    } cases[] = {
        {"bacth: 5",
         "job.yaml:3:1: unknown key 'bacth': did you mean 'batch'?" + std::string(known)},
        {"zzzzzzz: 5", "job.yaml:3:1: unknown key 'zzzzzzz'." + std::string(known)},
        {"keep: 5",
         "job.yaml:3:1: unknown key 'keep': did you mean 'checkpoint.keep'?" + std::string(known)},
        {"checkpoint.keep: 5", "job.yaml:3:1: a dot stands in a key: " + std::string(dot)},
        {"checkpoint: {kep: 5}", "job.yaml:3:14: unknown key 'checkpoint.kep': did you mean "
                                 "'keep'? Known here: every keep"},
        {"stages:\n- batch: 5\n- bathc: 6",
         "job.yaml:5:3: unknown key 'stages.1.bathc': did you mean 'batch'? Known here: objective "
         "optimizer schedule train rows sampling bucket batch epochs steps"},
        {"train:", "job.yaml:3:7: train: expected the parameters that learn, as patterns of their "
                   "names between commas; all others are frozen, found nothing; write for example "
                   "`train: classifier, encoder/dense3`"},
        {"rows: -1", "job.yaml:3:7: rows: expected a whole number, 0 or more (only the first "
                     "training rows, such as the ones with labels; 0: all), found '-1'; write for "
                     "example `rows: 1000`"},
        {"batch: 12x",
         "job.yaml:3:8: batch: " + std::string(number) + "'12x'; write for example `batch: 128`"},
        {"batch: 1e3",
         "job.yaml:3:8: batch: " + std::string(number) + "'1e3'; write for example `batch: 128`"},
        {"batch: 0x10",
         "job.yaml:3:8: batch: " + std::string(number) + "'0x10'; write for example `batch: 128`"},
        {"batch: ' 5 5'",
         "job.yaml:3:8: batch: " + std::string(number) + "' 5 5'; write for example `batch: 128`"},
        {"batch: 0",
         "job.yaml:3:8: batch: " + std::string(number) + "'0'; write for example `batch: 128`"},
        {"batch: -3",
         "job.yaml:3:8: batch: " + std::string(number) + "'-3'; write for example `batch: 128`"},
        {"batch: 99999999999999999999", "job.yaml:3:8: batch: " + std::string(number) +
                                            "'99999999999999999999'; write for example "
                                            "`batch: 128`"},
        {"batch:",
         "job.yaml:3:7: batch: " + std::string(number) + "nothing; write for example `batch: 128`"},
        {"batch: [1, 2]", "job.yaml:3:8: batch: " + std::string(number) +
                              "a list of 2; write for example `batch: 128`"},
        {"batch: {a: 2}",
         "job.yaml:3:8: batch: " + std::string(number) + "1 key; write for example `batch: 128`"},
        {"seed: 1.5", "job.yaml:3:7: seed: expected a whole number, 0 or more, found '1.5'; write "
                      "for example `seed: 1`"},
        {"run:", "job.yaml:3:5: run: expected the directory for all that the run writes, found "
                 "nothing; write for example `run: runs/lenet`"},
        {"run: ~", "job.yaml:3:6: run: expected the directory for all that the run writes, found "
                   "nothing; write for example `run: runs/lenet`"},
        {"run: {a: b}", "job.yaml:3:6: run: expected the directory for all that the run writes, "
                        "found 1 key; write for example `run: runs/lenet`"},
        {"checkpoint: 5", "job.yaml:3:13: checkpoint: expected the keys every, keep, found '5'"},
        {"checkpoint: [1]",
         "job.yaml:3:13: checkpoint: expected the keys every, keep, found a list of 1"},
        {"evaluate: {every: 1 epohc}", "job.yaml:3:19: evaluate.every: " + std::string(every) +
                                           "'1 epohc'; write for example `every: 1 epoch`"},
        {"evaluate: {every: 1.5 steps}", "job.yaml:3:19: evaluate.every: " + std::string(every) +
                                             "'1.5 steps'; write for example `every: 1 epoch`"},
        {"evaluate: {every: 0 steps}", "job.yaml:3:19: evaluate.every: " + std::string(every) +
                                           "'0 steps'; write for example `every: 1 epoch`"},
        {"evaluate: {every: 1 epoch 2}", "job.yaml:3:19: evaluate.every: " + std::string(every) +
                                             "'1 epoch 2'; write for example `every: 1 epoch`"},
        {"evaluate: {gap: -0.5}",
         "job.yaml:3:17: evaluate.gap: expected a number, 0 or more (a stage with a metric that is "
         "a gap between the evaluated and the training rows (rbm: of free energies, in nats) ends "
         "when that exceeds this; 0: it does not end for that), found '-0.5'; write for example "
         "`gap: 5`"},
        {"samples: {rows: 4097}",
         "job.yaml:3:17: samples.rows: expected a whole number from 1 to 4096 (rows that are made "
         "for a picture), found '4097'; write for example `rows: 64`"},
        {"samples: {every: 5}",
         "job.yaml:3:18: samples.every: expected 'N epochs', 'N steps', 'N minutes' (N above 0, at "
         "most 1e15, steps whole) or 'never' (when pictures are written: samples, "
         "reconstructions), found '5'; write for example `every: 1 epoch`"},
        {"evaluate:\n  split: vlaid",
         "job.yaml:4:10: evaluate.split: expected a split of the data: train, valid or test, found "
         "'vlaid'; write for example `split: valid`"},
        {"stages: 5", "job.yaml:3:9: stages: " + std::string(stages) + "'5'"},
        {"stages: []", "job.yaml:3:9: stages: " + std::string(stages) + "a list of 0"},
        {"stages: {a: 5}", "job.yaml:3:9: stages: " + std::string(stages) + "1 key"},
        {"stages: {1: {epochs: 2}}",
         "job.yaml:3:22: stages.1.epochs: this job has one stage: write stages.0.epochs"},
        {"stages: {0: 5}", "job.yaml:3:13: stages.0: expected the keys of a stage, found '5'"},
        {"stages: {0: {epochs: 2, steps: 3}}",
         "job.yaml:3:22: stages.0.epochs and job.yaml:3:32: stages.0.steps: only one of them may "
         "stand: take one out"},
        {"stages: [{batch: 1}, 5]",
         "job.yaml:3:22: stages.1: expected the keys of a stage, found '5'"},
        {"stages: [{batch: 3}]\nepochs: 4",
         "job.yaml:4:1: 'epochs' stands beside 'stages' (job.yaml:3:1): move it into the stage "
         "that it belongs to"},
        {"epochs: 3\nsteps: 4", "job.yaml:3:9: epochs and job.yaml:4:8: steps: only one of them "
                                "may stand: take one out"},
        {"shards: 0\naccumulate: 2",
         "job.yaml:3:9: shards and job.yaml:4:13: accumulate: only one of them may stand: take one "
         "out"},
        {"net: dense", "job.yaml:2:8: model and job.yaml:3:6: net: only one of them may stand: "
                       "take one out"},
        {"nets: dense", "job.yaml:3:7: nets: expected " + std::string(nets) + "'dense'" + nets_end},
        {"nets: {}", "job.yaml:3:7: nets: expected " + std::string(nets) + "0 keys" + nets_end},
        {"nets: [a]",
         "job.yaml:3:7: nets: expected " + std::string(nets) + "a list of 1" + nets_end},
        {"nets: {net: }", "job.yaml:3:13: nets.net: expected spec lines, one layer a line, found "
                          "nothing; write for example `net: dense units=10`"},
        {"nets: {net: {a: b}}", "job.yaml:3:13: nets.net: expected spec lines, one layer a line, "
                                "found 1 key; write for example `net: dense units=10`"},
        {"nets: {a b: softmax}", "job.yaml:3:8: 'a b' is no name of a net: use at most 47 letters, "
                                 "digits, '_' and '-'"},
        {"nets: {a: s, b: s, c: s, d: s, e: s}", "job.yaml:3:32: a job has at most 4 nets"},
        {"optimizer: [1, 2]",
         "job.yaml:3:12: optimizer: " + std::string(optimizer) + "a list of 2" + optimizer_end},
        {"optimizer: {}",
         "job.yaml:3:12: optimizer: " + std::string(optimizer) + "0 keys" + optimizer_end},
        {"optimizer: {a: , b: sgd}",
         "job.yaml:3:16: optimizer.a: expected an optimizer, as `lockstep list optimizers` has "
         "them, found nothing; write for example `a: adam rate=0.001`"},
        {"optimizer: {a: s, b: s, c: s, d: s, e: s, f: s, g: s, h: s, i: s}",
         "job.yaml:3:12: optimizer: " + std::string(optimizer) + "9 keys" + optimizer_end},
        {"optimizer: {a.b: sgd}", "job.yaml:3:13: a dot stands in a key: " + std::string(dot)},
        {"optimizer: {'': sgd}", "job.yaml:3:13: '' is no name of a phase"},
        {"\"\": 5\n\"\": 6", "job.yaml:4:1: the key '' is given twice (first in line 3): keep one"},
        {"batch: 5\nbatch: 6",
         "job.yaml:4:1: the key 'batch' is given twice (first in line 3): keep one"},
        {"evaluate: {every: never, every: never}",
         "job.yaml:3:26: the key 'every' is given twice (first in line 3): keep one"},
        {"a: &x {b: *x}", "job.yaml:3:8: an alias (*name): write the value out"},
        {"\tseed: 1", "job.yaml:3:1: a tab indents this line: use spaces"},
        {"# f\xc3\xbcr\n\tseed: 1", "job.yaml:4:1: a tab indents this line: use spaces"},
        {"objective: supervised loss: hinge",
         "job.yaml:3:27: mapping values are not allowed in this context: a value with ': ' inside "
         "must stand in quotes, and a key may not be indented more than its neighbours"},
        {"run: @x", "job.yaml:3:6: found character that cannot start any token: a value that "
                    "begins with @, %, ` or a tab must stand in quotes"},
        {"run: 'x", "job.yaml:4:1: found unexpected end of stream: a quote, list or map is not "
                    "closed"},
        {"evaluate: [[[[[[[[[[[[1]]]]]]]]]]]]",
         "job.yaml:3:18: more than 8 levels of lists and maps: a job has three"},
        {"a: &x 5\nb: *x", "job.yaml:4:1: an alias (*name): write the value out"},
        {"---\nb: 1", "job.yaml:3:1: a second document begins here: a job file holds one: take "
                      "this line out"},
        {"run: \"a\\0b\"", "job.yaml:3:6: a zero byte stands in this text: take it out"},
        {"? [a]\n: b", "job.yaml:3:3: a list or map stands where a key should: each line is "
                       "`key: value`"},
        {"run: \x01", "job.yaml:3:6: control characters are not allowed: a job file is plain text "
                      "in UTF-8"},
        {"run: \xff", "job.yaml:3:6: invalid leading UTF-8 octet: a job file is plain text in "
                      "UTF-8"},
    };
    size_t blocks = ls_memory_blocks();
    for (const auto &c : cases)
        EXPECT_EQ(refusal("data: f.h5\nmodel: lenet\n" + c.text + "\n"), c.message);
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(Job, RefusesFilesThatAreNoJobs)
{
    EXPECT_EQ(refusal(""),
              "job.yaml is empty: expected a job, at least `data: FILE` and `model: NAME`");
    EXPECT_EQ(refusal("# nothing\n"),
              "job.yaml is empty: expected a job, at least `data: FILE` and `model: NAME`");
    EXPECT_EQ(refusal("hello\n"), "job.yaml:1:1: this is no list of keys: expected lines such as "
                                  "`data: FILE` and `model: NAME`");
    EXPECT_EQ(refusal("model: lenet\n"),
              "job.yaml: the key 'data' is missing: expected the path of a data set file; write "
              "for example `data: fashion.h5`");
    EXPECT_EQ(refusal("data: x\n"),
              "job.yaml: neither 'model' nor 'net' nor 'nets' is given: expected a model, as "
              "`lockstep list "
              "models` has them; write for example `model: lenet classes=10`");
    ls_error error = {};
    EXPECT_EQ(ls_job_load("/nowhere/job.yaml", nullptr, 0, &error), nullptr);
    EXPECT_STREQ(error.text,
                 "/nowhere/job.yaml: cannot open the job file: No such file or directory");
    EXPECT_EQ(ls_job_load("/tmp", nullptr, 0, &error), nullptr);
    EXPECT_STREQ(error.text, "/tmp: cannot read the job file: Is a directory");
    EXPECT_EQ(ls_job_load("/dev/zero", nullptr, 0, &error), nullptr);
    EXPECT_STREQ(error.text, "/dev/zero: larger than 1 MiB: this is no job file");
}

TEST(Job, RefusesOverridesInTheseWords)
{
    const struct {
        std::string text, message;
    } cases[] = {
        {"foo", "command line: 'foo' is no key=value: write for example batch=128"},
        {"=3", "command line: '=3' is no key=value: write for example batch=128"},
        {"sede=3", "command line: unknown key 'sede': did you mean 'seed'?" + std::string(known)},
        {"evalute.every=1 epoch",
         "command line: unknown key 'evalute.every': did you mean 'evaluate'?" +
             std::string(known)},
        {"stages.1.bach=3",
         "command line: unknown key 'stages.1.bach': did you mean 'batch'? "
         "Known here: objective optimizer schedule train rows sampling bucket batch epochs steps"},
        {"stages.1.batch=12x", "command line: stages.1.batch: " + std::string(number) +
                                   "'12x'; write for example `stages.1.batch=128`"},
        {"stages.1.batch=", "command line: stages.1.batch: " + std::string(number) +
                                "nothing; write for example `stages.1.batch=128`"},
        {"evaluate.every=2", "command line: evaluate.every: " + std::string(every) +
                                 "'2'; write for example `evaluate.every=\"1 epoch\"`"},
        {"batch=3", "command line: batch: this job's stages have the numbers 0 to 1: write for "
                    "example stages.0.batch"},
        {"stages.2.batch=3", "command line: stages.2.batch: this job's stages have the numbers 0 "
                             "to 1: write for example stages.0.batch"},
        {"stages.1=3", "command line: stages.1: expected the keys of a stage, found '3'"},
        {"seed.x=1",
         "command line: unknown key 'seed.x': did you mean 'seed'?" + std::string(known)},
        {"stages.0.optimizer.generator=sgd",
         "command line: stages.0.optimizer.generator: the job has one optimizer for all phases "
         "(stages.0.optimizer: momentum rate=0.05 momentum=0.9 decay=5e-4): give it one for each "
         "phase, or here stages.0.optimizer= for all"},
        {"checkpoint=3", "command line: checkpoint: expected the keys every, keep, found '3'"},
        {"a..b=2", "command line: unknown key 'a..b'." + std::string(known)},
        {"run=\xff", "command line: run: the value is no text in UTF-8"},
    };
    size_t blocks = ls_memory_blocks();
    JobFile file(whole);
    for (const auto &c : cases)
        EXPECT_EQ(file.message({c.text}), c.message);
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

/* Cut anywhere, or with a byte changed, a job file is read or refused: it never crashes, and
 * nothing of it stays behind. */
TEST(Job, SurvivesDamage)
{
    size_t blocks = ls_memory_blocks();
    const std::string text = whole;
    const char bytes[] = {0x01, '\t', '\n', '"', '\'', '{', '}', '[', ']', ':', '-',       '&',
                          '*',  '|',  '#',  '%', '.',  '!', '?', ',', '0', ' ', (char)0xff};
    for (size_t at = 0; at < text.size(); at++) {
        std::vector<std::string> damaged = {text.substr(0, at)};
        for (size_t k = 0; k < 4; k++) {
            damaged.push_back(text);
            damaged.back()[at] = bytes[(at + 7 * k) % sizeof bytes];
        }
        for (const std::string &broken : damaged) {
            ls_error error = {};
            ls_job *job = ls_job_parse(broken.c_str(), "job.yaml", &error);
            EXPECT_TRUE(job || (error.code == LS_USAGE && error.text[0])) << broken;
            ls_job_destroy(job);
        }
    }
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

} /* namespace */
