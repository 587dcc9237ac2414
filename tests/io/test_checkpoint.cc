/* checkpoint: what is written comes back; what is broken is noticed, named and passed over. */
#include <atomic>
#include <climits>
#include <gtest/gtest.h>
#include <random>
#include <thread>
#include <unistd.h>

#include "folder.h"
#include "small_state.h"
extern "C" {
#include "io/checkpoint/checkpoint_prune.h"
#include "io/checkpoint/checkpoint_rows.h"
#include "io/checkpoint/checkpoint_size.h"
#include "io/checkpoint/checksum.h"
#include "io/h5/h5.h"
}

namespace
{
/* Writes the states after these steps, one after the other, and waits. */
void write_steps(const Folder &run, SmallState &state, std::vector<long> steps, int keep = 10,
                 bool best = false)
{
    ls_error error = {};
    ls_checkpoint_writer *writer = ls_checkpoint_writer_open(run.root.c_str(), keep);
    for (long step : steps) {
        state.fill(step);
        state.write(writer, best ? LS_CHECKPOINT_WEIGHTS : LS_CHECKPOINT_ALL);
        EXPECT_TRUE(ls_checkpoint_writer_wait(writer, &error)) << error.text;
    }
    EXPECT_TRUE(ls_checkpoint_writer_close(writer, &error)) << error.text;
}

struct Found {
    ls_checkpoint_search answer;
    std::string path, notices;
    ls_error error;
};

Found find(const Folder &run)
{
    Found found = {};
    ls_checkpoint *checkpoint;
    found.answer = ls_checkpoint_find(
        run.root.c_str(), &checkpoint,
        [](void *context, const char *text) {
            *static_cast<std::string *>(context) += std::string(text) + "\n";
        },
        &found.notices, &found.error);
    EXPECT_EQ(checkpoint != nullptr, found.answer == LS_CHECKPOINT_FOUND);
    found.path = checkpoint ? checkpoint->path : "";
    ls_checkpoint_close(checkpoint);
    return found;
}

/* The state loaded from a file equals the one after `step`. */
void expect_state(const std::string &path, long step)
{
    SmallState want, state;
    want.fill(step);
    ls_error error = {};
    ASSERT_TRUE(state.load(path, &error)) << error.text;
    EXPECT_TRUE(state == want) << path;
}

std::string load_error(const std::string &path, SmallState &state)
{
    ls_error error = {};
    EXPECT_FALSE(state.load(path, &error));
    EXPECT_EQ(error.code, LS_DATA);
    return error.text;
}

/* Writes a new .ok beside a file that a test made or changed. */
void renew_ok(const std::string &path, long step)
{
    std::string bytes = read_file(path);
    ls_error error = {};
    EXPECT_TRUE(ls_checksum_write(path.c_str(), bytes.data(), bytes.size(), step, &error))
        << error.text;
}

/* Changes a checkpoint with HDF5 and writes a new .ok. */
template <typename Change> void change_file(const std::string &path, long step, Change change)
{
    hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    ASSERT_GE(file, 0);
    change(file);
    H5Fclose(file);
    renew_ok(path, step);
}
} /* namespace */

TEST(Checkpoint, EveryBitComesBack)
{
    Folder run;
    SmallState state;
    size_t blocks = ls_memory_blocks();
    write_steps(run, state, {7});
    expect_state(step_path(run, 7), 7);
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(Checkpoint, EveryBitOfALargeOneComesBack)
{
    const long width = 400000; /* pieces and chunks end in the middle of data sets */
    Folder run;
    SmallState state(true, width), found(true, width);
    write_steps(run, state, {7});
    ls_error error = {};
    ASSERT_TRUE(found.load(step_path(run, 7), &error)) << error.text;
    EXPECT_TRUE(found == state);
}

TEST(Checkpoint, IsWrittenWhenAllPartsOfTheArraysAreFilled)
{
    Folder run;
    SmallState state;
    ls_error error = {};
    ls_checkpoint_handover handover = {};
    ls_checkpoint_writer *writer = ls_checkpoint_writer_open(run.root.c_str(), 3);
    for (long round = 1; round <= 3; round++) {
        state.fill(100); /* what must not be written */
        ls_checkpoint_contents contents = *state.contents();
        contents.position.step = contents.position.stage_step = round;
        ls_checkpoint_writer_write(writer, &contents, LS_CHECKPOINT_ALL, &handover, 2 * round);
        std::thread other([&] {
            __atomic_add_fetch(&handover.filled, 1, __ATOMIC_RELEASE);
            usleep(5000);
            state.fill(round);
            EXPECT_EQ(handover.written, round - 1);
            __atomic_add_fetch(&handover.filled, 1, __ATOMIC_RELEASE);
        });
        if (round == 2) /* who waits for the write waits for the parts, too */
            ls_checkpoint_writer_settle(writer);
        other.join();
        EXPECT_TRUE(ls_checkpoint_writer_wait(writer, &error)) << error.text;
        EXPECT_EQ(handover.written, round);
        EXPECT_GE(ls_checkpoint_writer_seconds(writer), 0.005);
    }
    EXPECT_TRUE(ls_checkpoint_writer_close(writer, &error));
    for (long round = 1; round <= 3; round++) {
        SmallState want, found;
        want.fill(round);
        ASSERT_TRUE(found.load(step_path(run, round), &error)) << error.text;
        EXPECT_TRUE(found == want) << round;
    }
}

TEST(Checkpoint, EveryFieldComesBack)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {7});
    const ls_checkpoint_contents *want = state.contents();
    ls_error error = {};
    ls_checkpoint *file = ls_checkpoint_open(step_path(run, 7).c_str(), &error);
    ASSERT_TRUE(file) << error.text;
    EXPECT_STREQ(file->job, want->job);
    EXPECT_STREQ(file->data, want->data);
    EXPECT_EQ(file->path, step_path(run, 7));
    EXPECT_FALSE(file->weights_only);
    const ls_position *found = &file->position;
    EXPECT_EQ(found->stage, want->position.stage);
    EXPECT_EQ(found->stage_step, want->position.stage_step);
    EXPECT_EQ(found->step, want->position.step);
    EXPECT_EQ(found->samples, want->position.samples);
    EXPECT_EQ(found->shards, want->position.shards);
    for (int p = 0; p < LS_PHASES; p++)
        EXPECT_EQ(found->updates[p], want->position.updates[p]);
    EXPECT_TRUE(std::isnan(found->best));
    EXPECT_EQ(found->best_step, want->position.best_step);
    EXPECT_EQ(found->stale, want->position.stale);
    EXPECT_EQ(found->gap, 0.1);
    EXPECT_EQ(found->evaluation_due, want->position.evaluation_due);
    EXPECT_EQ(found->data_digest, want->position.data_digest);
    ls_checkpoint_close(file);
}

TEST(Checkpoint, WhatWasOpenedIsLoadedThoughTheFileIsReplaced)
{
    Folder run;
    SmallState state, found, want;
    write_steps(run, state, {7});
    size_t blocks = ls_memory_blocks();
    ls_error error = {};
    ls_checkpoint *file = ls_checkpoint_open(step_path(run, 7).c_str(), &error);
    ASSERT_TRUE(file) << error.text;
    std::filesystem::remove(step_path(run, 7, ".ok"));
    write_file(step_path(run, 7), "something else");
    found.contents();
    EXPECT_TRUE(ls_checkpoint_load(file, found.params, &found.arrays, &error)) << error.text;
    ls_checkpoint_close(file);
    EXPECT_EQ(ls_memory_blocks(), blocks);
    want.fill(7);
    EXPECT_TRUE(found == want);
    EXPECT_FALSE(opens(step_path(run, 7), &error));
}

TEST(Checkpoint, TheFileDoesNotDependOnTheStorageLayout)
{
    Folder run, other;
    SmallState panels(true), plain(false);
    write_steps(run, panels, {7});
    write_steps(other, plain, {7});
    EXPECT_EQ(read_file(step_path(run, 7)), read_file(step_path(other, 7)));
    SmallState state(false);
    ls_error error = {};
    ASSERT_TRUE(state.load(step_path(run, 7), &error)) << error.text;
    EXPECT_TRUE(state == plain);
}

TEST(Checkpoint, ArraysStandUnderTheirNamesInLogicalShape)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {7});
    ls_error error = {};
    hid_t file = ls_h5_open(step_path(run, 7).c_str(), &error);
    ASSERT_GE(file, 0) << error.text;
    double weight[15], mean[3], moment[2];
    const hsize_t w[] = {3, 5}, m[] = {3}, b[] = {2};
    EXPECT_TRUE(ls_h5_read(file, "model/net/conv/weight", H5T_NATIVE_DOUBLE, 2, w, weight, &error));
    for (int i = 0; i < 15; i++)
        EXPECT_EQ(weight[i], real(7 + std::sin(double(i))));
    EXPECT_TRUE(ls_h5_read(file, "state/net/norm/mean", H5T_NATIVE_DOUBLE, 1, m, mean, &error));
    EXPECT_TRUE(ls_h5_read(file, "optimizer/momentum/net/fc/bias", H5T_NATIVE_DOUBLE, 1, b, moment,
                           &error));
    EXPECT_EQ(moment[0], -7.375);
    EXPECT_LE(H5Lexists(file, "optimizer/momentum/net/norm", H5P_DEFAULT), 0);
    H5Fclose(file);
}

TEST(Checkpoint, OnlySlotsInTrainingHaveOptimizerState)
{
    Folder run;
    SmallState state;
    state.trained = {};
    ls_slots_add(&state.trained, 2, 3);
    write_steps(run, state, {7});
    SmallState want, found;
    found.trained = state.trained;
    ls_error error = {};
    ASSERT_TRUE(found.load(step_path(run, 7), &error)) << error.text;
    EXPECT_EQ(found.momentum[size_t(state.params->slots[2].offset)], real(-7.25));
    EXPECT_EQ(found.momentum[0], 0);
    SmallState all;
    EXPECT_TRUE(has(load_error(step_path(run, 7), all), "has no optimizer/momentum/net/conv"));
}

TEST(Checkpoint, TheNewestIsFoundAndOldOnesAreRemoved)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {1, 2, 10, 100}, 2);
    Found found = find(run);
    EXPECT_EQ(found.answer, LS_CHECKPOINT_FOUND) << found.error.text;
    EXPECT_EQ(found.path, step_path(run, 100));
    EXPECT_EQ(found.notices, "");
    expect_state(step_path(run, 10), 10);
    for (const char *ending : {".h5", ".ok"})
        EXPECT_FALSE(std::filesystem::exists(step_path(run, 2, ending)));
}

TEST(Checkpoint, TheBestOutlivesTheOldOnes)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {1}, 1, true);
    write_steps(run, state, {1, 2, 3}, 1);
    ls_error error = {};
    SmallState want, weights;
    want.fill(1);
    EXPECT_TRUE(weights.load_weights(run / "checkpoints/best.h5", &error)) << error.text;
    EXPECT_TRUE(weights.values_equal(want));
    ls_checkpoint *best = ls_checkpoint_open((run / "checkpoints/best.h5").c_str(), &error);
    ASSERT_TRUE(best) << error.text;
    EXPECT_TRUE(best->weights_only);
    EXPECT_EQ(best->position.step, 1);
    ls_checkpoint_close(best);
    EXPECT_EQ(find(run).path, step_path(run, 3));
}

TEST(Checkpoint, TheBestCanBeReadWhileItIsReplaced)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {1}, 1, true);
    std::atomic<bool> done = false;
    std::thread writer([&] {
        write_steps(run, state, {2, 3, 4, 5, 6, 7, 8, 9, 10}, 1, true);
        done = true;
    });
    long reads = 0;
    for (; !done; reads++) {
        ls_error error = {};
        EXPECT_TRUE(opens(run / "checkpoints/best.h5", &error)) << error.text;
    }
    writer.join();
    EXPECT_GT(reads, 0);
}

TEST(Checkpoint, ARunResumedFromAnOlderOneDropsTheFutureItLeft)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {10, 20, 30}, 3);
    EXPECT_TRUE(ls_checkpoint_prune_later((run / "checkpoints").c_str(), 10, nullptr));
    write_steps(run, state, {15}, 3);
    EXPECT_EQ(find(run).path, step_path(run, 15));
    EXPECT_FALSE(std::filesystem::exists(step_path(run, 20)));
    expect_state(step_path(run, 10), 10);
}

TEST(Checkpoint, NoCheckpointsAtAllIsNoError)
{
    Folder run;
    EXPECT_EQ(find(run).answer, LS_CHECKPOINT_NONE);
    std::filesystem::create_directory(run / "checkpoints");
    write_file(run / "checkpoints/step-00000001.h5.0123456789abcdef.tmp", "half");
    write_file(run / "checkpoints/step-1x.h5", "");
    EXPECT_EQ(find(run).answer, LS_CHECKPOINT_NONE);
}

TEST(Checkpoint, SomeButNoneValidIsAnErrorThatSaysWhatToDo)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {1, 2});
    for (long step : {1, 2})
        std::filesystem::remove(step_path(run, step, ".ok"));
    Found found = find(run);
    EXPECT_EQ(found.answer, LS_CHECKPOINT_BROKEN);
    EXPECT_EQ(found.error.code, LS_DATA);
    EXPECT_TRUE(has(found.error.text, "none of the 2")) << found.error.text;
    EXPECT_TRUE(has(found.error.text, "--overwrite")) << found.error.text;
}

TEST(Checkpoint, LeftoversOfAKilledWriterAreSweptAway)
{
    Folder run;
    std::filesystem::create_directory(run / "checkpoints");
    write_file(run / "checkpoints/step-00000001.h5.0123456789abcdef.tmp", "half");
    SmallState state;
    write_steps(run, state, {2});
    EXPECT_FALSE(
        std::filesystem::exists(run / "checkpoints/step-00000001.h5.0123456789abcdef.tmp"));
}

/* Breaks the newer of two checkpoints; the older one is found, and the notice says why. */
template <typename Break> void expect_passed_over(Break break_it, const char *reason)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {1, 2});
    break_it(run);
    Found found = find(run);
    EXPECT_EQ(found.answer, LS_CHECKPOINT_FOUND) << found.error.text;
    EXPECT_EQ(found.path, step_path(run, 1));
    EXPECT_TRUE(has(found.notices, "checkpoint of step 2 passed over")) << found.notices;
    EXPECT_TRUE(has(found.notices, "step-00000002")) << found.notices;
    EXPECT_TRUE(has(found.notices, reason)) << found.notices;
    expect_state(found.path, 1);
}

TEST(BrokenCheckpoint, WithoutItsOk)
{
    expect_passed_over([](const Folder &run) { std::filesystem::remove(step_path(run, 2, ".ok")); },
                       "its writing was never finished, or it is no checkpoint");
}

TEST(BrokenCheckpoint, WithoutItsFile)
{
    expect_passed_over([](const Folder &run) { std::filesystem::remove(step_path(run, 2)); },
                       "No such file");
}

TEST(BrokenCheckpoint, Truncated)
{
    for (double part : {0.0, 0.5, 0.999})
        expect_passed_over(
            [part](const Folder &run) {
                auto size = std::filesystem::file_size(step_path(run, 2));
                std::filesystem::resize_file(step_path(run, 2), size_t(double(size) * part));
            },
            "cut short");
}

TEST(BrokenCheckpoint, GrownLonger)
{
    expect_passed_over(
        [](const Folder &run) {
            write_file(step_path(run, 2), read_file(step_path(run, 2)) + "more");
        },
        "not the file that was written");
}

TEST(BrokenCheckpoint, ADirectoryInItsPlace)
{
    expect_passed_over(
        [](const Folder &run) {
            std::filesystem::remove(step_path(run, 2));
            std::filesystem::create_directory(step_path(run, 2));
        },
        "directory");
}

TEST(BrokenCheckpoint, ADamagedOk)
{
    for (const char *text : {"", "{", "[]", "{\"format\":1,\"step\":2,\"size\":\"x\"}"})
        expect_passed_over(
            [text](const Folder &run) { write_file(step_path(run, 2, ".ok"), text); },
            "is damaged");
}

TEST(BrokenCheckpoint, ExchangedWithAnother)
{
    expect_passed_over(
        [](const Folder &run) {
            std::string one = read_file(step_path(run, 1));
            write_file(step_path(run, 2), one);
        },
        "digest");
}

TEST(BrokenCheckpoint, ExchangedTogetherWithItsOk)
{
    expect_passed_over(
        [](const Folder &run) {
            write_file(step_path(run, 2), read_file(step_path(run, 1)));
            write_file(step_path(run, 2, ".ok"), read_file(step_path(run, 1, ".ok")));
        },
        "is the checkpoint of step 1 under a wrong name");
}

TEST(BrokenCheckpoint, OfALaterFormat)
{
    expect_passed_over(
        [](const Folder &run) {
            change_file(step_path(run, 2), 2, [](hid_t file) {
                EXPECT_TRUE(ls_h5_put_long(file, "format", 99, nullptr));
            });
        },
        "is a checkpoint of format 99");
}

TEST(BrokenCheckpoint, OfAPositionThatNoRunCanHave)
{
    for (const char *name :
         {"stage", "stage_step", "step", "shards", "stale", "best_step", "evaluation_due"})
        for (long value : {-1L, LONG_MIN, LONG_MAX})
            expect_passed_over(
                [=](const Folder &run) {
                    change_file(step_path(run, 2), 2, [=](hid_t file) {
                        EXPECT_TRUE(ls_h5_put_long(file, name, value, nullptr));
                    });
                },
                "which no run can");
}

TEST(Checkpoint, OfBeforeHasNoEvaluationThatIsDueAndNoGap)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {2});
    change_file(step_path(run, 2), 2, [](hid_t file) {
        H5Adelete(file, "evaluation_due");
        H5Adelete(file, "gap");
    });
    ls_error error = {};
    ls_checkpoint *file = ls_checkpoint_open(step_path(run, 2).c_str(), &error);
    ASSERT_TRUE(file) << error.text;
    EXPECT_EQ(file->position.evaluation_due, 0);
    EXPECT_EQ(file->position.gap, 0);
    ls_checkpoint_close(file);
}

TEST(BrokenCheckpoint, WithoutOneOfItsFields)
{
    expect_passed_over(
        [](const Folder &run) {
            change_file(step_path(run, 2), 2, [](hid_t file) { H5Adelete(file, "shards"); });
        },
        "has no attribute shards");
}

TEST(BrokenCheckpoint, ABitFlippedAnywhere)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {1, 2});
    std::string whole = read_file(step_path(run, 2));
    std::mt19937_64 random(1);
    for (int round = 0; round < 200; round++) {
        std::string broken = whole;
        size_t bit = random() % (8 * whole.size());
        broken[bit / 8] = char(broken[bit / 8] ^ (1 << bit % 8));
        write_file(step_path(run, 2), broken);
        Found found = find(run);
        ASSERT_EQ(found.path, step_path(run, 1)) << "bit " << bit;
        ASSERT_TRUE(has(found.notices, "digest")) << found.notices;
    }
    write_file(step_path(run, 2), whole);
    EXPECT_EQ(find(run).path, step_path(run, 2));
}

TEST(BrokenCheckpoint, ABitFlippedInTheOkNeverLoadsOtherNumbers)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {1, 2});
    std::string whole = read_file(step_path(run, 2, ".ok"));
    for (size_t bit = 0; bit < 8 * whole.size(); bit += 3) {
        std::string broken = whole;
        broken[bit / 8] = char(broken[bit / 8] ^ (1 << bit % 8));
        write_file(step_path(run, 2, ".ok"), broken);
        Found found = find(run);
        ASSERT_EQ(found.answer, LS_CHECKPOINT_FOUND);
        ASSERT_EQ(found.notices.empty(), found.path == step_path(run, 2)) << broken;
    }
}

TEST(CheckpointLoad, NamesTheParameterWhoseShapeDiffers)
{
    Folder run;
    SmallState state, wider(true, 6);
    write_steps(run, state, {1});
    std::vector<real> before = wider.values;
    std::string text = load_error(step_path(run, 1), wider);
    EXPECT_TRUE(has(text, "model/net/conv/weight has shape [3, 5]; expected [3, 6]")) << text;
    EXPECT_EQ(wider.values, before);
}

TEST(CheckpointLoad, NamesTheParameterThatIsMissing)
{
    Folder run;
    SmallState state, other(true, 5, "net/fc/slope");
    write_steps(run, state, {1});
    std::vector<real> before = other.values;
    std::string text = load_error(step_path(run, 1), other);
    EXPECT_TRUE(has(text, "has no model/net/fc/slope")) << text;
    EXPECT_EQ(other.values, before) << "filled before all was checked";
}

TEST(CheckpointLoad, NamesTheParameterThatTheModelDoesNotHave)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {1});
    const real one = 1;
    change_file(step_path(run, 1), 1, [&](hid_t file) {
        EXPECT_TRUE(ls_h5_write(file, "model/net/extra/gain", ls_h5_real(), ls_h5_real(), 0,
                                nullptr, &one, nullptr));
    });
    SmallState found;
    std::string text = load_error(step_path(run, 1), found);
    EXPECT_TRUE(has(text, "holds 1 array(s)") && has(text, "model/net/extra/gain")) << text;
}

TEST(CheckpointLoad, RefusesWeightsOnlyAndSaysHowToUseThem)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {1}, 1, true);
    std::string text = load_error(run / "checkpoints/best.h5", state);
    EXPECT_TRUE(has(text, "weights only") && has(text, "--weights")) << text;
}

TEST(CheckpointLoad, WeightsComeFromAWholeCheckpointToo)
{
    Folder run;
    SmallState state, weights, want;
    write_steps(run, state, {4});
    want.fill(4);
    ls_error error = {};
    EXPECT_TRUE(weights.load_weights(step_path(run, 4), &error)) << error.text;
    EXPECT_TRUE(weights.values_equal(want));
}

TEST(CheckpointLoad, WeightsOfAnotherProgramNeedNoOkButABrokenOneIsRefused)
{
    Folder run;
    SmallState state, weights;
    write_steps(run, state, {4}, 1, true);
    std::string best = run / "checkpoints/best.h5", ok = run / "checkpoints/best.ok";
    std::string bytes = read_file(best);
    bytes[bytes.size() - 1] = char(bytes[bytes.size() - 1] ^ 1);
    write_file(best, bytes);
    ls_error error = {};
    EXPECT_FALSE(weights.load_weights(best, &error));
    std::filesystem::remove(ok);
    EXPECT_TRUE(weights.load_weights(best, &error)) << error.text;
}

/* A file with one parameter replaced by numbers of another type. */
std::string with_type(const Folder &run, hid_t type)
{
    SmallState state;
    write_steps(run, state, {1});
    const double bias[] = {1.5, 1.0 / 3};
    const hsize_t two[] = {2};
    change_file(step_path(run, 1), 1, [&](hid_t file) {
        H5Ldelete(file, "model/net/fc/bias", H5P_DEFAULT);
        EXPECT_TRUE(
            ls_h5_write(file, "model/net/fc/bias", type, H5T_NATIVE_DOUBLE, 1, two, bias, nullptr));
    });
    return step_path(run, 1);
}

TEST(CheckpointLoad, RefusesNumbersThatAreNotReals)
{
    Folder run;
    SmallState state;
    std::string text = load_error(with_type(run, H5T_STD_I32LE), state);
    EXPECT_TRUE(has(text, "model/net/fc/bias does not hold floating-point numbers")) << text;
}

TEST(CheckpointLoad, Float32LoadsExactlyIntoEitherBuild)
{
    Folder run;
    SmallState state;
    std::string path = with_type(run, H5T_IEEE_F32LE);
    ls_error error = {};
    ASSERT_TRUE(state.load(path, &error)) << error.text;
    EXPECT_EQ(state.values[size_t(state.params->slots[3].offset) + 1], real(float(1.0 / 3)));
}

#ifndef LS_DOUBLE
TEST(CheckpointLoad, Float64IsTakenAsWeightsButNotToGoOnFrom)
{
    Folder run;
    SmallState state;
    std::string path = with_type(run, H5T_IEEE_F64LE), text = load_error(path, state);
    EXPECT_TRUE(has(text, "float64") && has(text, "--weights")) << text;
    ls_error error = {};
    EXPECT_TRUE(state.load_weights(path, &error)) << error.text;
    EXPECT_EQ(state.values[size_t(state.params->slots[3].offset) + 1], float(1.0 / 3));
}
#endif

/* Two row states: one that is larger than a piece of a write, one of single numbers. */
struct RowStates {
    explicit RowStates(long chains = 700) : chains((size_t)(chains * 301)), streams(3)
    {
        for (size_t i = 0; i < this->chains.size(); i++)
            this->chains[i] = real(std::sin(double(i)));
        streams = {-0.0, 2, 1e-30f};
        rows.states = {2, {{"chains", chains, 301, false}, {"streams", 3, 1, true}}};
        rows.data[0] = this->chains.data();
        rows.data[1] = streams.data();
    }
    /* Writes a checkpoint of step 1 with them. */
    std::string write(const Folder &run, SmallState &state)
    {
        state.all.rows = rows;
        write_steps(run, state, {1});
        return step_path(run, 1);
    }
    std::vector<real> chains, streams;
    ls_checkpoint_rows rows = {};
};

/* What a file holds of these states. */
struct FoundRows {
    FoundRows(const std::string &path, const ls_row_states &wanted)
    {
        ls_checkpoint *file = ls_checkpoint_open(path.c_str(), &error);
        ok = file && ls_checkpoint_rows_load(file, &wanted, &rows, &error);
        ls_checkpoint_close(file);
    }
    ~FoundRows()
    {
        ls_checkpoint_rows_release(&rows);
    }
    FoundRows(const FoundRows &) = delete;
    ls_error error = {};
    ls_checkpoint_rows rows = {};
    bool ok;
};

TEST(CheckpointRows, EveryBitComesBack)
{
    Folder run;
    SmallState state;
    RowStates all;
    FoundRows found(all.write(run, state), all.rows.states);
    ASSERT_TRUE(found.ok) << found.error.text;
    for (int k = 0; k < 2; k++) {
        const ls_row_state *s = &all.rows.states.at[k];
        ASSERT_NE(found.rows.data[k], nullptr) << s->name;
        EXPECT_EQ(found.rows.states.at[k].rows, s->rows);
        EXPECT_EQ(0, memcmp(found.rows.data[k], all.rows.data[k],
                            size_t(s->rows * s->reals) * sizeof(real)))
            << s->name;
    }
    expect_state(step_path(run, 1), 1);
}

TEST(CheckpointRows, AreNotInTheBest)
{
    Folder run;
    SmallState state;
    RowStates all;
    state.all.rows = all.rows;
    write_steps(run, state, {1}, 1, true);
    hid_t file = H5Fopen((run / "checkpoints/best.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    ASSERT_GE(file, 0);
    EXPECT_EQ(0, H5Lexists(file, "rows", H5P_DEFAULT));
    H5Fclose(file);
}

TEST(CheckpointRows, OfAnotherSizeAreToldButNotRead)
{
    Folder run;
    SmallState state;
    RowStates all, fewer(64);
    FoundRows found(all.write(run, state), fewer.rows.states);
    ASSERT_TRUE(found.ok) << found.error.text;
    EXPECT_EQ(found.rows.data[0], nullptr);
    EXPECT_EQ(found.rows.states.at[0].rows, 700);
    EXPECT_EQ(found.rows.states.at[0].reals, 301);
    EXPECT_NE(found.rows.data[1], nullptr);
}

TEST(CheckpointRows, OfBeforeThereAreNone)
{
    Folder run;
    SmallState state;
    RowStates all, none(0);
    write_steps(run, state, {1});
    FoundRows found(step_path(run, 1), all.rows.states);
    ASSERT_TRUE(found.ok) << found.error.text;
    EXPECT_EQ(found.rows.data[0], nullptr);
    EXPECT_EQ(found.rows.states.at[0].rows, 0);
    FoundRows fewer(none.write(run, state), all.rows.states); /* no rows are no data set */
    ASSERT_TRUE(fewer.ok) << fewer.error.text;
    EXPECT_EQ(fewer.rows.states.at[0].rows, 0);
    EXPECT_NE(fewer.rows.data[1], nullptr);
}

TEST(CheckpointRows, OfAnotherObjectiveAreRefused)
{
    Folder run;
    SmallState state;
    RowStates all;
    FoundRows found(all.write(run, state), {1, {{"chains", 700, 301, false}}});
    EXPECT_FALSE(found.ok);
    EXPECT_EQ(found.error.code, LS_DATA);
    EXPECT_TRUE(has(found.error.text, "1 state(s)") && has(found.error.text, "/rows/streams"))
        << found.error.text;
}

/* The error where /rows/streams is replaced by these numbers. */
std::string changed_rows(hid_t type, std::vector<hsize_t> dims, std::vector<double> numbers)
{
    Folder run;
    SmallState state;
    RowStates all;
    std::string path = all.write(run, state);
    change_file(path, 1, [&](hid_t file) {
        H5Ldelete(file, "rows/streams", H5P_DEFAULT);
        EXPECT_TRUE(ls_h5_write(file, "rows/streams", type, H5T_NATIVE_DOUBLE, (int)dims.size(),
                                dims.data(), numbers.data(), nullptr));
    });
    FoundRows found(path, all.rows.states);
    EXPECT_FALSE(found.ok);
    EXPECT_EQ(found.error.code, LS_DATA);
    return found.error.text;
}

TEST(CheckpointRows, ThatAreNoRowsOfRealsAreRefused)
{
    std::string text = changed_rows(H5T_IEEE_F32LE, {3}, {1, 2, 3});
    EXPECT_TRUE(has(text, "rows/streams has 1 dimensions; expected [rows")) << text;
    text = changed_rows(H5T_STD_I32LE, {3, 1}, {1, 2, 3});
    EXPECT_TRUE(has(text, "rows/streams does not hold floating-point numbers")) << text;
    text = changed_rows(H5T_IEEE_F32LE, {3, 1}, {1, std::nan(""), 3});
    EXPECT_TRUE(has(text, "rows/streams holds nan in row 1; expected finite numbers")) << text;
}

TEST(CheckpointRows, NoGroupOfThemIsRefused)
{
    Folder run;
    SmallState state;
    RowStates all;
    const real one = 1;
    write_steps(run, state, {1});
    change_file(step_path(run, 1), 1, [&](hid_t file) {
        EXPECT_TRUE(
            ls_h5_write(file, "rows", ls_h5_real(), ls_h5_real(), 0, nullptr, &one, nullptr));
    });
    FoundRows found(step_path(run, 1), all.rows.states);
    EXPECT_FALSE(found.ok);
    EXPECT_TRUE(has(found.error.text, "/rows is no group")) << found.error.text;
}

TEST(CheckpointDigest, IsXxh3)
{
    char text[33];
    ls_digest_text(XXH3_128bits("", 0), text);
    EXPECT_STREQ(text, "99aa06d3014798d86001c324468d497f"); /* xxhsum -H128 of an empty file */
}

TEST(CheckpointSize, IsAboutWhatIsForetold)
{
    Folder run;
    SmallState state;
    write_steps(run, state, {1});
    size_t size = std::filesystem::file_size(step_path(run, 1));
    EXPECT_LE(size, ls_checkpoint_bytes(state.params, 1));
    EXPECT_GE(size + (100 << 10), ls_checkpoint_bytes(state.params, 1));
}
