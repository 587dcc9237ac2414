/* trainer: a run within this process, over rows in memory: 2 N steps are N, a resume and N more;
 * what a listener hears; which checkpoint a run goes on from; what changes between two starts. */
#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <fcntl.h>
#include <functional>
#include <map>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "../io/folder.h"

extern "C" {
#include "core/memory.h"
#include "io/checkpoint/checkpoint_find.h"
#include "io/checkpoint/checksum.h"
#include "io/file.h"
#include "io/h5/h5.h"
#include "launch/job/yaml/job_file.h"
#include "launch/session/evaluation.h"
#include "launch/train/changes.h"
#include "launch/train/judge.h"
#include "launch/train/trainer_run.h"
}

namespace
{

/* MPI starts once a process. */
class World : public ::testing::Environment
{
  public:
    ls_comm *comm()
    {
        static int count = 0;
        static char **words = nullptr;
        return opened ? opened : opened = ls_comm_open(&count, &words);
    }
    void TearDown() override
    {
        if (opened)
            ls_comm_close(opened);
    }

  private:
    ls_comm *opened = nullptr;
};
World *const world = (World *)::testing::AddGlobalTestEnvironment(new World);

const long ROWS = 50, VALID = 20, WIDTH = 6;

/* Rows of two classes, with the class in the sign of the first number. */
struct Data {
    explicit Data(long rows = ROWS) : x(2 * (size_t)(ROWS * WIDTH)), y(2 * (size_t)ROWS)
    {
        for (size_t i = 0; i < x.size(); i++)
            x[i] = (real)std::sin(1.7 * (double)i);
        for (size_t r = 0; r < y.size(); r++)
            y[r] = x[r * WIDTH] > 0;
        ls_error error = {};
        ls_dataset_rows splits[LS_SPLITS] = {};
        splits[LS_TRAIN] = {ROWS, x.data(), y.data(), {1, {WIDTH}}, {}, 2, nullptr, nullptr};
        splits[LS_VALID] = splits[LS_TRAIN];
        splits[LS_TRAIN].rows = rows;
        splits[LS_VALID].rows = VALID;
        splits[LS_VALID].x += ROWS * WIDTH;
        splits[LS_VALID].y += ROWS;
        set = ls_dataset_open_rows("rows", splits, &error);
        EXPECT_NE(set, nullptr) << error.text;
    }
    ~Data()
    {
        ls_dataset_close(set);
    }
    std::vector<real> x, y;
    ls_dataset *set;
};

/* A run in a folder of its own. Each start is a new trainer. */
struct Training {
    explicit Training(const std::string &keys = "", long rows = ROWS) : data(rows), keys(keys)
    {
    }
    ls_job *job(const std::string &more = "")
    {
        std::string text = "data: rows\nnet: |\n" + net + "shards: 4\nrun: " + (folder / "run") +
                           "\n" + keys + more;
        ls_job *job = ls_job_parse(text.c_str(), "test.yaml", &error);
        EXPECT_NE(job, nullptr) << error.text;
        return job;
    }
    /* Trains until the end, or for `steps` steps; the parameters that it leaves are in `values`. */
    ls_outcome train(long steps = 1000, const std::string &more = "")
    {
        ls_job *given = job(more);
        ls_trainer trainer;
        ls_outcome outcome = LS_OUTCOME_FAILED;
        options.data = data.set;
        options.listener.context = this;
        options.listener.notice = [](void *run, const char *text) {
            ((Training *)run)->notices += std::string(text) + "\n";
        };
        options.listener.step = [](void *run, const ls_figures *figures) {
            Training *it = (Training *)run;
            it->steps.push_back(*figures);
            it->metric = figures->objective->metric[1].name; /* the objective goes with the stage */
            if (it->on_step)
                it->on_step(figures->run_step);
        };
        options.listener.evaluation = [](void *run, const ls_figures *figures, const char *,
                                         bool best) {
            ((Training *)run)->evaluations.push_back(*figures);
            ((Training *)run)->bests.push_back(best);
        };
        options.listener.stage_end = [](void *run, const ls_figures *, const char *how) {
            ((Training *)run)->ends.push_back(how);
        };
        options.listener.stop = [](void *run) {
            Training *it = (Training *)run;
            return (long)it->steps.size() + 1 >= it->limit ? "enough" : nullptr;
        };
        limit = steps;
        this->steps.clear();
        error = {};
        notices.clear();
        if (ls_trainer_open(&trainer, world->comm(), given, &options, &error)) {
            began = trainer.position;
            outcome = ls_trainer_run(&trainer, &error);
            values.assign(trainer.session.params->values,
                          trainer.session.params->values + trainer.session.params->size);
            position = trainer.position;
            for (int i = 0; i < trainer.session.params->count; i++) {
                const ls_slot &slot = trainer.session.params->slots[i];
                const real *begin = trainer.session.params->values + slot.offset;
                slots[slot.name].assign(begin, begin + slot.size);
            }
        }
        ls_trainer_close(&trainer);
        ls_job_destroy(given);
        return outcome;
    }
    Folder folder;
    Data data;
    std::string keys, notices;
    std::string net = "  dense units=5\n  activation function=tanh\n  dropout\n  dense units=2\n";
    std::function<void(long)> on_step; /* gets the steps done since the run began */
    ls_train_options options = {};
    long limit = 0;
    ls_error error = {};
    ls_position began, position;
    std::vector<real> values;
    std::map<std::string, std::vector<real>> slots; /* what each of them holds */
    std::vector<ls_figures> steps, evaluations;
    std::string metric;
    std::vector<bool> bests;
    std::vector<std::string> ends;
};

const std::string ADAM = "optimizer: adam rate=0.01 clip=0.5 ema=0.9\nschedule: cosine warmup=1\n"
                         "batch: 16\nepochs: 4\n"; /* 4 steps an epoch */

} /* namespace */

TEST(Trainer, StepsAndAResumeAreTheWholeRun)
{
    for (const std::string &keys :
         {ADAM, std::string("stages:\n- {optimizer: lars rate=0.1, batch: 16, epochs: 2}\n"
                            "- {optimizer: momentum rate=0.1, batch: 20, steps: 8}\n")}) {
        Training whole(keys);
        ASSERT_EQ(whole.train(), LS_OUTCOME_COMPLETE) << whole.error.text;
        for (long stop : {1, 7, 9, 15}) {
            Training parts(keys);
            ASSERT_EQ(parts.train(stop), LS_OUTCOME_STOPPED) << parts.error.text;
            EXPECT_EQ(parts.position.step, stop);
            ASSERT_EQ(parts.train(), LS_OUTCOME_COMPLETE) << parts.error.text;
            EXPECT_EQ(parts.began.step, stop);
            EXPECT_EQ(parts.values, whole.values) << "stopped after " << stop;
            EXPECT_EQ(parts.position.best, whole.position.best);
            EXPECT_EQ(parts.position.best_step, whole.position.best_step);
        }
    }
}

TEST(Trainer, TheFirstRowsAreADataSetOfTheseRows)
{
    Training first(ADAM + "rows: 23\n"), only(ADAM, 23), all(ADAM + "rows: 0\n"), plain(ADAM);
    for (Training *run : {&first, &only, &all, &plain})
        ASSERT_EQ(run->train(), LS_OUTCOME_COMPLETE) << run->error.text;
    EXPECT_EQ(first.steps.size(), 8u); /* 4 epochs of 16 and 7 rows */
    EXPECT_EQ(first.values, only.values);
    EXPECT_EQ(first.position.best, only.position.best);
    EXPECT_NE(first.values, all.values);
    EXPECT_EQ(all.values, plain.values);

    Training parts(ADAM + "rows: 23\n");
    ASSERT_EQ(parts.train(3), LS_OUTCOME_STOPPED) << parts.error.text;
    ASSERT_EQ(parts.train(), LS_OUTCOME_COMPLETE) << parts.error.text;
    EXPECT_EQ(parts.values, first.values);
}

TEST(Trainer, TrainsWhatThePatternsNameAndFreezesTheRest)
{
    const std::string first = "stages:\n- {optimizer: momentum rate=0.1, batch: 16, epochs: 2, "
                              "train: net/dense2}\n",
                      second = "- {optimizer: momentum rate=0.1, batch: 16, epochs: 2, train: "
                               "'net/*/bias'}\n";
    Training start(first), one(first), both(first + second), parts(first + second);
    ASSERT_EQ(start.train(1), LS_OUTCOME_STOPPED) << start.error.text;
    ASSERT_EQ(one.train(), LS_OUTCOME_COMPLETE) << one.error.text;
    ASSERT_EQ(both.train(), LS_OUTCOME_COMPLETE) << both.error.text;
    for (const char *name : {"net/dense1/weight", "net/dense1/bias"})
        EXPECT_EQ(one.slots[name], start.slots[name]) << name;
    for (const char *name : {"net/dense2/weight", "net/dense2/bias"})
        EXPECT_NE(one.slots[name], start.slots[name]) << name;
    for (const char *name : {"net/dense1/weight", "net/dense2/weight"})
        EXPECT_EQ(both.slots[name], one.slots[name]) << name;
    for (const char *name : {"net/dense1/bias", "net/dense2/bias"})
        EXPECT_NE(both.slots[name], one.slots[name]) << name;
    ASSERT_EQ(parts.train(11), LS_OUTCOME_STOPPED) << parts.error.text;
    ASSERT_EQ(parts.train(), LS_OUTCOME_COMPLETE) << parts.error.text;
    EXPECT_EQ(parts.values, both.values);
}

/* A frozen batch norm normalises by its running statistics, 0 and 1 at first: it changes nothing.
 */
TEST(Trainer, TellsThePassesWhatIsFrozen)
{
    const std::string keys = "batch: 16\nepochs: 2\noptimizer: sgd rate=0.1\ntrain: net/dense2\n";
    Training frozen(keys), without(keys);
    without.net = "  dense units=5\n  activation function=tanh\n  dense units=2\n";
    frozen.net = without.net + "  batchnorm\n";
    ASSERT_EQ(frozen.train(), LS_OUTCOME_COMPLETE) << frozen.error.text;
    ASSERT_EQ(without.train(), LS_OUTCOME_COMPLETE) << without.error.text;
    const std::vector<real> a = frozen.slots["net/dense2/weight"],
                            b = without.slots["net/dense2/weight"];
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); i++)
        EXPECT_NEAR(a[i], b[i], 1e-4) << i;
}

TEST(Trainer, RefusesMoreRowsThanThereAre)
{
    Training run(ADAM + "rows: 51\n");
    EXPECT_EQ(run.train(), LS_OUTCOME_FAILED);
    EXPECT_EQ(run.error.code, LS_USAGE);
    EXPECT_STREQ(
        run.error.text,
        "test.yaml:13:7: rows: 51 rows are more than there are: rows has 50 training rows");
}

TEST(Trainer, OtherRowsOnResumeAreNoticed)
{
    Training run(ADAM);
    ASSERT_EQ(run.train(6), LS_OUTCOME_STOPPED) << run.error.text;
    run.keys += "rows: 32\n";
    ASSERT_EQ(run.train(1), LS_OUTCOME_STOPPED) << run.error.text;
    EXPECT_EQ(run.began.stage_step, 2 + 2 * 2 / 4); /* 2 steps an epoch instead of 4 */
    for (const char *text : {"stages.0.rows changed from", "cut anew"})
        EXPECT_NE(run.notices.find(text), std::string::npos) << text << " in " << run.notices;
}

/* As many batches as before, but of other rows. */
TEST(Trainer, OtherRowsOfAsManyBatchesAreNoticed)
{
    Training run(ADAM);
    ASSERT_EQ(run.train(6), LS_OUTCOME_STOPPED) << run.error.text;
    run.keys += "rows: 49\n";
    ASSERT_EQ(run.train(1), LS_OUTCOME_STOPPED) << run.error.text;
    EXPECT_EQ(run.began.stage_step, 6);
    EXPECT_NE(run.notices.find("cut anew"), std::string::npos) << run.notices;
}

TEST(Trainer, WithoutFilesTheSameNumbersAndNothingIsWritten)
{
    Training files(ADAM), none(ADAM);
    none.options.no_files = true;
    ASSERT_EQ(files.train(), LS_OUTCOME_COMPLETE) << files.error.text;
    ASSERT_EQ(none.train(), LS_OUTCOME_COMPLETE) << none.error.text;
    EXPECT_EQ(none.values, files.values);
    EXPECT_TRUE(std::filesystem::exists(files.folder / "run/job.yaml"));
    EXPECT_FALSE(std::filesystem::exists(none.folder / "run"));
}

TEST(Trainer, ListenerHearsStepsEvaluationsAndTheEnd)
{
    Training run(ADAM);
    ASSERT_EQ(run.train(), LS_OUTCOME_COMPLETE) << run.error.text;
    ASSERT_EQ(run.steps.size(), 16u);
    for (size_t i = 0; i < run.steps.size(); i++) {
        const ls_figures &f = run.steps[i];
        EXPECT_EQ(f.step, (long)i + 1);
        EXPECT_EQ(f.run_step, (long)i + 1);
        EXPECT_EQ(f.epoch, (long)i / 4);
        EXPECT_EQ(f.epochs, 4);
        EXPECT_EQ(f.steps_per_epoch, 4);
        EXPECT_EQ(f.epoch_end, i % 4 == 3);
        EXPECT_EQ(f.stages, 1);
        EXPECT_GT(f.value[0], 0);
        EXPECT_EQ(run.metric, "accuracy");
        EXPECT_GE(f.value[1], 0);
        EXPECT_LE(f.value[1], 1);
        EXPECT_GT(f.samples_per_second, 0);
        EXPECT_EQ(f.work.ranks, 1);
        for (const ls_spread &spent : f.work.spent) {
            EXPECT_EQ(spent.least, spent.most);
            EXPECT_EQ(spent.median, spent.most);
        }
        EXPECT_GT(f.work.flops, 0);
        EXPECT_EQ(f.work.pace, 0);                        /* the program measures it */
        EXPECT_GT(f.work.spent[LS_TIME_COMPUTE].most, 0); /* every step of so few has a record */
    }
    ASSERT_EQ(run.evaluations.size(), 4u);
    EXPECT_EQ(run.evaluations[1].step, 8);
    EXPECT_TRUE(run.bests[0]);
    EXPECT_EQ(run.ends, std::vector<std::string>{"done"});
    std::string records = read_file(run.folder / "run/metrics.jsonl");
    EXPECT_EQ(std::count(records.begin(), records.end(), '\n'), 16 + 4 + 1);
    EXPECT_NE(records.find("\"final\":\"done\""), std::string::npos);
}

TEST(Trainer, ResumeOptionsAreHeeded)
{
    Training run(ADAM);
    run.options.resume = "required";
    EXPECT_EQ(run.train(3), LS_OUTCOME_FAILED);
    EXPECT_EQ(run.error.code, LS_DATA);
    run.options.resume = "never";
    EXPECT_EQ(run.train(3), LS_OUTCOME_STOPPED) << run.error.text;
    EXPECT_EQ(run.train(3), LS_OUTCOME_FAILED);
    EXPECT_EQ(run.error.code, LS_USAGE);
    run.options.overwrite = true;
    EXPECT_EQ(run.train(2), LS_OUTCOME_STOPPED) << run.error.text;
    EXPECT_EQ(run.began.step, 0);
    EXPECT_EQ(run.position.step, 2);
    run.options.overwrite = false;
    run.options.resume = "nowhere.h5";
    EXPECT_EQ(run.train(3), LS_OUTCOME_FAILED);
    EXPECT_NE(std::string(run.error.text).find("no such file"), std::string::npos);
}

TEST(Trainer, AnotherRunBeginsFromACheckpointAndGoesOnFromItsOwn)
{
    Training first(ADAM), second(ADAM);
    ASSERT_EQ(first.train(6), LS_OUTCOME_STOPPED) << first.error.text;
    std::string from = first.folder / "run";
    second.options.resume = from.c_str();
    ASSERT_EQ(second.train(2), LS_OUTCOME_STOPPED) << second.error.text;
    EXPECT_EQ(second.began.step, 6);
    ASSERT_EQ(second.train(1), LS_OUTCOME_STOPPED) << second.error.text;
    EXPECT_EQ(second.began.step, 8);
    EXPECT_NE(second.notices.find("is where the run began"), std::string::npos) << second.notices;
}

namespace
{
/* The records of evaluations in metrics.jsonl. */
long evaluations_recorded(const Training &run)
{
    std::string records = read_file(run.folder / "run/metrics.jsonl");
    long count = 0;
    for (size_t at = 0; (at = records.find("\"valid\":", at)) != std::string::npos; at++)
        count++;
    return count;
}

/* The bytes of best.h5, without the run's folder, whose name is random, and of the same length. */
std::string best_file(const Training &run)
{
    std::string bytes = read_file(run.folder / "run/checkpoints/best.h5");
    size_t at = bytes.find(run.folder.root);
    return at == std::string::npos ? bytes : bytes.erase(at, run.folder.root.size());
}

void expect_same_end(const Training &run, const Training &whole)
{
    EXPECT_EQ(run.values, whole.values);
    EXPECT_EQ(run.position.best, whole.position.best);
    EXPECT_EQ(run.position.best_step, whole.position.best_step);
    EXPECT_EQ(run.position.stale, whole.position.stale);
    EXPECT_TRUE(best_file(run) == best_file(whole));
}

/* The calls that write files: call `at` (from 1) fails with EIO; 0: none does. Nothing is synced:
 * that would take most of the time. */
struct Fault {
    long at, calls;
} fault;
bool fails()
{
    errno = EIO;
    return ++fault.calls == fault.at;
}
const ls_file_calls faulty = {
    [](const char *path, int flags, mode_t mode) { return fails() ? -1 : open(path, flags, mode); },
    [](int file, const void *bytes, size_t size) -> ssize_t {
        return fails() ? -1 : write(file, bytes, size);
    },
    [](int) { return fails() ? -1 : 0; },
    [](int file) {
        int result = close(file);
        return fails() ? -1 : result;
    },
    [](const char *from, const char *to) { return fails() ? -1 : rename(from, to); }};
} /* namespace */

TEST(Trainer, AnEvaluationThatFailsLosesNoStep)
{
    for (const char *every : {"1 epoch", "never"}) {
        const std::string keys = ADAM + "checkpoint: {every: " + every + "}\n";
        Training whole(keys), run(keys);
        ASSERT_EQ(whole.train(), LS_OUTCOME_COMPLETE) << whole.error.text;
        for (long bad : {8, 16}) { /* the second is the run's last evaluation */
            real &number = run.data.x[(size_t)((ROWS + 7) * WIDTH)], good = number;
            run.on_step = [&](long step) { number = step == bad ? (real)NAN : number; };
            EXPECT_EQ(run.train(), LS_OUTCOME_FAILED);
            EXPECT_EQ(run.error.code, LS_DATA) << run.error.text;
            EXPECT_EQ(run.train(), LS_OUTCOME_FAILED); /* no step is done again */
            EXPECT_EQ(run.steps.size(), 0u);
            number = good;
        }
        run.on_step = nullptr;
        ASSERT_EQ(run.train(), LS_OUTCOME_COMPLETE) << run.error.text;
        EXPECT_EQ(run.began.step, 16);
        expect_same_end(run, whole);
        EXPECT_EQ(evaluations_recorded(run), 4);
    }
}

TEST(Trainer, AStopComesBeforeTheEvaluationThatIsDue)
{
    Training whole(ADAM), run(ADAM);
    ASSERT_EQ(whole.train(), LS_OUTCOME_COMPLETE) << whole.error.text;
    ASSERT_EQ(run.train(8), LS_OUTCOME_STOPPED) << run.error.text;
    EXPECT_EQ(evaluations_recorded(run), 1);
    ASSERT_EQ(run.train(1), LS_OUTCOME_STOPPED) << run.error.text;
    EXPECT_EQ(evaluations_recorded(run), 2);
    ASSERT_EQ(run.train(), LS_OUTCOME_COMPLETE) << run.error.text;
    expect_same_end(run, whole);
    EXPECT_EQ(evaluations_recorded(run), 4);
}

TEST(Trainer, AJobThatEvaluatesNoMoreDropsTheEvaluationThatIsDue)
{
    Training run(ADAM);
    ASSERT_EQ(run.train(8), LS_OUTCOME_STOPPED) << run.error.text;
    ASSERT_EQ(run.train(1000, "evaluate: {every: never}\n"), LS_OUTCOME_COMPLETE);
    EXPECT_EQ(evaluations_recorded(run), 1);
}

TEST(Trainer, AfterAnyFailedCallTheSameCommandGoesOnAndTheBestIsRight)
{
    const std::string keys = "optimizer: momentum rate=0.1\nbatch: 25\nepochs: 3\n"
                             "evaluate: {metric: loss}\ncheckpoint: {every: 3 steps, keep: 1}\n";
    Training whole(keys);
    ASSERT_EQ(whole.train(), LS_OUTCOME_COMPLETE) << whole.error.text;
    long failed = 0;
    ls_file_set_calls(&faulty);
    for (fault = {1, 0};; fault.at++) {
        SCOPED_TRACE(fault.at);
        Training run(keys);
        fault.calls = 0;
        failed += run.train() != LS_OUTCOME_COMPLETE;
        EXPECT_TRUE(run.error.code == 0 || run.error.code == LS_IO) << run.error.text;
        if (fault.calls < fault.at)
            break; /* no call was left to fail */
        long at = std::exchange(fault.at, 0);
        EXPECT_EQ(run.train(), LS_OUTCOME_COMPLETE) << run.error.text;
        expect_same_end(run, whole);
        fault.at = at;
    }
    ls_file_set_calls(nullptr);
    EXPECT_GT(failed, 50);
}

TEST(Trainer, ABestThatIsDamagedIsWrittenAgain)
{
    const std::string keys = ADAM + "evaluate: {metric: loss}\n";
    Training whole(keys), early(keys);
    ASSERT_EQ(whole.train(), LS_OUTCOME_COMPLETE) << whole.error.text;
    ASSERT_EQ(early.train(5), LS_OUTCOME_STOPPED) << early.error.text;
    enum { DAMAGED, MISSING, OLDER, WITHOUT_STEP };
    for (int fault : {DAMAGED, MISSING, OLDER, WITHOUT_STEP}) {
        SCOPED_TRACE(fault);
        Training run(keys);
        ASSERT_EQ(run.train(9), LS_OUTCOME_STOPPED) << run.error.text;
        ASSERT_EQ(run.position.best_step, 8); /* the loss falls with every step */
        std::string folder = run.folder / "run/checkpoints/";
        std::filesystem::resize_file(folder + "best.h5", 1000);
        if (fault == MISSING)
            std::filesystem::remove(folder + "best.h5");
        for (const char *file : {"best.h5", "best.ok"})
            if (fault == OLDER)
                write_file(folder + file,
                           read_file(early.folder / (std::string("run/checkpoints/") + file)));
        bool lost = fault == WITHOUT_STEP;
        if (lost)
            std::filesystem::remove(folder + "step-00000008.h5");
        ASSERT_EQ(run.train(1), LS_OUTCOME_STOPPED) << run.error.text;
        EXPECT_NE(run.notices.find("best.h5"), std::string::npos) << run.notices;
        EXPECT_EQ(run.notices.find("written again from") == std::string::npos, lost);
        EXPECT_EQ(run.notices.find("the best is sought anew") == std::string::npos, !lost);
        ls_checkpoint *best = ls_checkpoint_open((folder + "best.h5").c_str(), &run.error);
        EXPECT_EQ(best != nullptr, !lost) << run.error.text;
        EXPECT_EQ(best ? best->position.best_step : 8, 8);
        ls_checkpoint_close(best);
        ASSERT_EQ(run.train(), LS_OUTCOME_COMPLETE) << run.error.text;
        EXPECT_EQ(run.notices.find("best.h5"), std::string::npos) << run.notices;
        expect_same_end(run, whole);
    }
}

TEST(Trainer, AJobFileOfAPersonInTheRunDirectoryStays)
{
    Training run(ADAM);
    std::filesystem::create_directory(run.folder / "run");
    write_file(run.folder / "run/job.yaml", "# mine\n");
    ASSERT_EQ(run.train(1), LS_OUTCOME_STOPPED) << run.error.text;
    EXPECT_EQ(read_file(run.folder / "run/job.yaml"), "# mine\n");
    EXPECT_NE(run.notices.find("run/job.yaml stays as it is"), std::string::npos) << run.notices;
    std::string resolved = read_file(run.folder / "run/resolved.yaml");
    EXPECT_NE(resolved.find("epochs: 4"), std::string::npos) << resolved;
    std::filesystem::remove(run.folder / "run/job.yaml");
    for (int start = 0; start < 2; start++) { /* written, then written again */
        ASSERT_EQ(run.train(1), LS_OUTCOME_STOPPED) << run.error.text;
        EXPECT_EQ(run.notices.find("stays as it is"), std::string::npos) << run.notices;
        EXPECT_EQ(read_file(run.folder / "run/job.yaml"), resolved);
    }
}

TEST(Trainer, AStageThatTheCheckpointsJobDoesNotHaveIsRefused)
{
    Training run(ADAM);
    ASSERT_EQ(run.train(2), LS_OUTCOME_STOPPED) << run.error.text;
    std::string path = run.folder / "run/checkpoints/step-00000002.h5";
    hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    EXPECT_TRUE(ls_h5_put_long(file, "stage", 3, &run.error)) << run.error.text;
    H5Fclose(file);
    std::string bytes = read_file(path);
    EXPECT_TRUE(ls_checksum_write(path.c_str(), bytes.data(), bytes.size(), 2, &run.error));
    EXPECT_EQ(run.train(1), LS_OUTCOME_FAILED);
    EXPECT_EQ(run.error.code, LS_DATA);
    EXPECT_NE(std::string(run.error.text).find("stage 4 of 1"), std::string::npos)
        << run.error.text;
}

TEST(Trainer, GoingBackGoesBackToTheBestOfThen)
{
    Training run(
        ADAM + "evaluate: {metric: loss, every: 1 steps}\ncheckpoint: {every: 1 steps, keep: 9}\n");
    ASSERT_EQ(run.train(6), LS_OUTCOME_STOPPED) << run.error.text;
    ASSERT_EQ(run.position.best_step, 5); /* the loss falls with every step; that of 6 is due */
    std::string back = run.folder / "run/checkpoints/step-00000003.h5";
    run.options.resume = back.c_str();
    EXPECT_EQ(run.train(1), LS_OUTCOME_FAILED);
    EXPECT_NE(std::string(run.error.text).find("goes back"), std::string::npos) << run.error.text;
    run.options.overwrite = true;
    ASSERT_EQ(run.train(1), LS_OUTCOME_STOPPED) << run.error.text;
    EXPECT_EQ(run.began.step, 3);
    EXPECT_EQ(run.began.best_step, 2); /* best.h5 was of step 5 */
    EXPECT_EQ(run.position.best_step, 3);
}

TEST(Trainer, WhatChangedIsNoticed)
{
    Training run(ADAM);
    ASSERT_EQ(run.train(6), LS_OUTCOME_STOPPED) << run.error.text;
    run.keys = "optimizer: adam rate=0.01 clip=0.5 ema=0.9\nschedule: cosine warmup=1\nbatch: 8\n"
               "epochs: 5\n";
    ASSERT_EQ(run.train(1, "evaluate: {metric: loss}\n"), LS_OUTCOME_STOPPED) << run.error.text;
    EXPECT_EQ(run.began.stage_step, 7 + 7 * 2 / 4); /* the same part of the same epoch */
    EXPECT_TRUE(std::isnan(run.began.best));
    for (const char *text : {"cut anew", "another number of steps", "sought anew"})
        EXPECT_NE(run.notices.find(text), std::string::npos) << text << " in " << run.notices;
}

TEST(Trainer, DryRunWritesNothing)
{
    Training run(ADAM);
    ls_job *job = run.job();
    ls_trainer trainer;
    run.options.dry_run = true;
    run.options.data = run.data.set;
    EXPECT_TRUE(ls_trainer_open(&trainer, world->comm(), job, &run.options, &run.error))
        << run.error.text;
    EXPECT_EQ(trainer.session.stage[0].steps, 16);
    EXPECT_FALSE(std::filesystem::exists(run.folder / "run"));
    ls_trainer_close(&trainer);
    ls_job_destroy(job);
}

static ls_objective judged_by_accuracy()
{
    ls_objective objective = {};
    objective.metrics = 3;
    objective.metric[0] = {"loss", 0, LS_SUM_LOSS, true, nullptr, false, false, nullptr};
    objective.metric[1] = {"accuracy", 1, 2, false, nullptr, false, false, nullptr};
    objective.metric[2] = {"perplexity", 1, LS_SUM_LOSS, true, std::exp, false, false, nullptr};
    objective.judged = 1;
    return objective;
}

TEST(Judge, LargerMetricsAndSmallerLossesAreBetter)
{
    ls_job job = {};
    ls_objective objective = judged_by_accuracy();
    job.evaluate.stop_after = 2;
    EXPECT_EQ(ls_judge_metric(&job, &objective), 1);
    job.evaluate.metric = "other";
    EXPECT_EQ(ls_judge_metric(&job, &objective), 1) << "of another stage: the objective's own";
    for (const char *name : {"loss", (const char *)nullptr, "perplexity"}) {
        job.evaluate.metric = name;
        bool larger = !name, through = name && std::string(name) == "perplexity";
        ls_position position = {};
        ls_judge_forget(&position);
        auto note = [&](double value) {
            double values[LS_METRICS] = {};
            ls_evaluation evaluation = {};
            const ls_metric *metric = &objective.metric[ls_judge_metric(&job, &objective)];
            evaluation.sums[0].at[LS_SUM_WEIGHT] = evaluation.sums[1].at[LS_SUM_WEIGHT] = 2;
            evaluation.sums[metric->phase].at[metric->sum] =
                2 * (through ? std::log(value) : value);
            position.step++;
            ls_evaluation_values(&evaluation, &objective, values);
            return ls_judge_note(&job, &objective, values, &position);
        };
        EXPECT_FALSE(note(std::nan("")));
        EXPECT_TRUE(note(0.5));
        EXPECT_EQ(note(0.6), larger);
        EXPECT_EQ(note(0.4), !larger);
        EXPECT_DOUBLE_EQ(position.best, larger ? 0.6 : 0.4);
        EXPECT_FALSE(ls_judge_ends(&job, &position));
        EXPECT_FALSE(note(0.5));
        EXPECT_FALSE(note(0.5));
        EXPECT_TRUE(ls_judge_ends(&job, &position));
    }
}

TEST(Judge, WithoutAFiniteLossNothingIsBest)
{
    ls_job job = {};
    const ls_objective objective = judged_by_accuracy();
    ls_position position = {};
    ls_judge_forget(&position);
    const double broken[] = {std::nan(""), 0.9, 1}, sound[] = {1, 0.1, 1};
    EXPECT_FALSE(ls_judge_note(&job, &objective, broken, &position));
    EXPECT_TRUE(ls_judge_note(&job, &objective, sound, &position));
    EXPECT_FALSE(ls_judge_note(&job, &objective, broken, &position));
    EXPECT_EQ(position.best, 0.1);
}

TEST(Judge, AGapAboveTheLimitEndsTheStage)
{
    ls_job job = {};
    ls_objective objective = {};
    objective.metrics = 2;
    objective.metric[0] = {"loss", 0, LS_SUM_LOSS, true, nullptr, false, false, nullptr};
    objective.metric[1] = {"gap", 0, 2, true, nullptr, true, true, nullptr};
    objective.judged = -1; /* nothing is best: the gap counts all the same */
    ls_position position = {};
    auto ends = [&](double gap) {
        const double value[] = {1, gap};
        EXPECT_FALSE(ls_judge_note(&job, &objective, value, &position));
        EXPECT_EQ(ls_judge_ends(&job, &position), ls_judge_gap_exceeded(&job, &position));
        return ls_judge_ends(&job, &position);
    };
    EXPECT_FALSE(ends(1e6)); /* there is no limit */
    job.evaluate.gap = 2.5;
    EXPECT_TRUE(ls_judge_ends(&job, &position)); /* by the evaluation before */
    EXPECT_FALSE(ends(2.5));
    EXPECT_TRUE(ends(2.75));
    EXPECT_FALSE(ends(-7));
    EXPECT_FALSE(ends(std::nan("")));
    EXPECT_TRUE(ends(INFINITY));
    objective.metric[1].gap = false;
    EXPECT_FALSE(ends(3));
}
