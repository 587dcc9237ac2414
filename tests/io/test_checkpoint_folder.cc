/* checkpoint folder: a listing that fails or leaves names out, files that were never finished, and
 * what is removed when. */
#include <dirent.h>
#include <dlfcn.h>
#include <functional>
#include <gtest/gtest.h>
#include <utility>

#include "folder.h"
#include "small_state.h"
extern "C" {
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checkpoint_prune.h"
#include "io/checkpoint/checksum.h"
#include "io/folder.h"
}

namespace
{
/* What readdir does from now on in this thread. */
struct Listing {
    long fails_at = 0;  /* the call, from 1, that fails with EIO; 0: none does */
    const char *hidden; /* names with this ending are left out; NULL: none are */
    long calls;
    std::function<void()> then; /* called once, when a listing has come to its end */
};
thread_local Listing listing;

/* As long as it lives, listings fail or leave names out. */
class BadListing
{
  public:
    BadListing(long fails_at, const char *hidden)
    {
        listing = {fails_at, hidden, 0, nullptr};
    }
    explicit BadListing(const std::function<void()> &then)
    {
        listing = {0, nullptr, 0, then};
    }
    ~BadListing()
    {
        listing = {};
    }
};

bool ends_with(const std::string &name, const std::string &ending)
{
    return name.size() >= ending.size() &&
           name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

bool exists(const std::string &path)
{
    return std::filesystem::exists(path);
}

/* Writes the states after these steps; all of them stay. */
void write_steps(const Folder &run, std::vector<long> steps)
{
    SmallState state;
    ls_error error = {};
    ls_checkpoint_writer *writer = ls_checkpoint_writer_open(run.root.c_str(), 100);
    for (long step : steps) {
        state.fill(step);
        state.write(writer);
        ls_checkpoint_writer_settle(writer);
    }
    EXPECT_TRUE(ls_checkpoint_writer_close(writer, &error)) << error.text;
}

struct Found {
    ls_checkpoint_search answer;
    long step = -1;
    std::string notices;
    ls_error error = {};
};

Found find(const Folder &run)
{
    Found found;
    ls_checkpoint *checkpoint;
    found.answer = ls_checkpoint_find(
        run.root.c_str(), &checkpoint,
        [](void *notices, const char *text) {
            *static_cast<std::string *>(notices) += std::string(text) + "\n";
        },
        &found.notices, &found.error);
    found.step = checkpoint ? checkpoint->position.step : -1;
    ls_checkpoint_close(checkpoint);
    return found;
}

/* The steps whose .h5 and .ok are there. */
std::vector<long> whole_steps(const Folder &run)
{
    std::vector<long> steps;
    int count;
    ls_checkpoint_entry *list = ls_checkpoint_list((run / "checkpoints").c_str(), &count, nullptr);
    for (int i = count - 1; i >= 0; i--)
        if (list[i].has_file && list[i].has_ok)
            steps.push_back(list[i].step);
    ls_free(list);
    return steps;
}

bool prune(const Folder &run, long step, int keep, ls_error *error)
{
    return ls_checkpoint_prune((run / "checkpoints").c_str(), step, keep, error);
}

using Steps = std::vector<long>;
} /* namespace */

/* In place of the C library's, which it calls. */
extern "C" struct dirent *readdir(DIR *folder)
{
    static const auto next = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");
    if (listing.fails_at && ++listing.calls >= listing.fails_at) {
        errno = EIO;
        return nullptr;
    }
    struct dirent *entry = next(folder);
    while (entry && listing.hidden && ends_with(entry->d_name, listing.hidden))
        entry = next(folder);
    if (!entry && listing.then)
        std::exchange(listing.then, nullptr)();
    return entry;
}

TEST(CheckpointFolder, ACheckpointThatIsPrunedMeanwhileGivesWayToTheNext)
{
    Folder run, later;
    write_steps(run, {1});
    write_steps(later, {2});
    BadListing goes_on([&] {
        for (const char *ending : {".h5", ".ok"}) {
            const std::string folder = run / "checkpoints/step-0000000";
            std::filesystem::rename(later / ("checkpoints/step-00000002" + std::string(ending)),
                                    folder + "2" + ending);
            std::filesystem::remove(folder + "1" + ending);
        }
    });
    Found found = find(run);
    EXPECT_EQ(found.answer, LS_CHECKPOINT_FOUND) << found.error.text;
    EXPECT_EQ(found.step, 2);
    EXPECT_EQ(found.notices, "");
}

TEST(CheckpointFolder, AListingThatFailsIsNoEmptyFolder)
{
    Folder run;
    write_steps(run, {1, 2});
    for (long at = 1; at <= 5; at++) {
        BadListing fails(at, nullptr);
        Found found = find(run);
        EXPECT_EQ(found.answer, LS_CHECKPOINT_BROKEN) << at;
        EXPECT_EQ(found.error.code, LS_IO);
        EXPECT_TRUE(has(found.error.text, "checkpoints: can't list")) << found.error.text;
        EXPECT_TRUE(has(found.error.text, strerror(EIO))) << found.error.text;
        EXPECT_FALSE(has(found.error.text, "--overwrite")) << found.error.text;
    }
}

TEST(CheckpointFolder, WhatAListingLeavesOutIsAskedFor)
{
    Folder run;
    write_steps(run, {1, 2});
    for (const char *hidden : {".ok", ".h5"}) {
        BadListing hides(0, hidden);
        Found found = find(run);
        EXPECT_EQ(found.answer, LS_CHECKPOINT_FOUND) << found.error.text;
        EXPECT_EQ(found.step, 2);
        EXPECT_EQ(found.notices, "");
    }
}

TEST(CheckpointFolder, NothingIsRemovedByAListingThatFails)
{
    Folder run;
    write_steps(run, {1, 2, 3});
    for (long at = 1; at <= 7; at++) {
        BadListing fails(at, nullptr);
        ls_error error = {};
        EXPECT_FALSE(prune(run, 2, 1, &error));
        EXPECT_EQ(error.code, LS_IO);
        ls_checkpoint_prune_unfinished((run / "checkpoints").c_str());
    }
    EXPECT_EQ(whole_steps(run), (Steps{1, 2, 3}));
}

TEST(CheckpointFolder, AnOkThatWasNotListedKeepsItsFile)
{
    Folder run;
    write_steps(run, {1, 2, 3});
    {
        BadListing hides(0, ".ok");
        EXPECT_TRUE(prune(run, 3, 2, nullptr));
        ls_checkpoint_prune_unfinished((run / "checkpoints").c_str());
    }
    EXPECT_EQ(whole_steps(run), (Steps{2, 3}));
}

TEST(CheckpointFolder, LaterCheckpointsStayUnlessTheyAreDamaged)
{
    Folder run;
    write_steps(run, {1, 20, 30, 40});
    write_file(step_path(run, 30), "damaged");
    ls_error error = {};
    EXPECT_FALSE(prune(run, 1, 1, &error));
    EXPECT_TRUE(has(error.text, "of step 40")) << error.text;
    EXPECT_EQ(whole_steps(run), (Steps{1, 20, 40}));
    EXPECT_FALSE(exists(step_path(run, 30)) || exists(step_path(run, 30, ".ok")));
    EXPECT_TRUE(ls_checkpoint_prune_later((run / "checkpoints").c_str(), 1, &error)) << error.text;
    EXPECT_EQ(whole_steps(run), Steps{1});
}

/* Newer checkpoints do not take the place of what a stage left; a run that goes back drops it,
 * unless the stage had ended by then. */
TEST(CheckpointFolder, WhatAStageLeftStaysUntilTheRunGoesBack)
{
    Folder run;
    SmallState state;
    ls_error error = {};
    ls_checkpoint_writer *writer = ls_checkpoint_writer_open(run.root.c_str(), 1);
    for (long stage : {0, 1, 2}) {
        state.fill(10 * stage + 10);
        ls_checkpoint_contents contents = *state.contents();
        contents.position.stage = stage;
        ls_checkpoint_writer_write(writer, &contents, LS_CHECKPOINT_STAGE, nullptr, 0);
        ls_checkpoint_writer_settle(writer);
        state.fill(10 * stage + 11);
        state.write(writer);
    }
    EXPECT_TRUE(ls_checkpoint_writer_close(writer, &error)) << error.text;
    const std::string folder = (run / "checkpoints").c_str();
    EXPECT_EQ(whole_steps(run), Steps{31});
    for (long stage : {0, 1, 2}) {
        const std::string path = folder + "/stage-" + std::to_string(stage) + ".h5";
        ls_checkpoint *left = ls_checkpoint_open(path.c_str(), &error);
        ASSERT_NE(left, nullptr) << error.text;
        EXPECT_TRUE(left->weights_only);
        EXPECT_EQ(left->position.stage, stage);
        EXPECT_EQ(left->position.step, 10 * stage + 10);
        ls_checkpoint_close(left);
    }
    write_file(folder + "/stage-1.h5", "damaged");
    EXPECT_EQ(ls_checkpoint_list_stages(folder.c_str(), &error), 3);
    EXPECT_TRUE(ls_checkpoint_prune_later(folder.c_str(), 20, &error)) << error.text;
    EXPECT_TRUE(exists(folder + "/stage-0.h5") && exists(folder + "/stage-0.ok"));
    for (const char *gone : {"/stage-1.h5", "/stage-1.ok", "/stage-2.h5", "/stage-2.ok"})
        EXPECT_FALSE(exists(folder + gone)) << gone;
    EXPECT_EQ(ls_checkpoint_list_stages(folder.c_str(), &error), 1);
    write_file(folder + "/stage-1.h5", "never finished");
    ls_checkpoint_prune_unfinished(folder.c_str());
    EXPECT_TRUE(exists(folder + "/stage-0.h5") && !exists(folder + "/stage-1.h5"));
    EXPECT_TRUE(ls_checkpoint_prune_stages(folder.c_str(), 10, &error)) << error.text;
    EXPECT_TRUE(exists(folder + "/stage-0.h5") && exists(folder + "/stage-0.ok"));
    EXPECT_TRUE(ls_checkpoint_prune_stages(folder.c_str(), 9, &error)) << error.text;
    EXPECT_FALSE(exists(folder + "/stage-0.h5") || exists(folder + "/stage-0.ok"));
    EXPECT_EQ(ls_checkpoint_list_stages((folder + "/none").c_str(), &error), 0);
}

TEST(CheckpointFolder, AFirstCheckpointThatWasNeverFinishedIsNone)
{
    Folder run;
    std::filesystem::create_directory(run / "checkpoints");
    write_file(step_path(run, 2), "");
    Found found = find(run);
    EXPECT_EQ(found.answer, LS_CHECKPOINT_NONE) << found.error.text;
    EXPECT_TRUE(has(found.notices, "step-00000002.h5")) << found.notices;
    EXPECT_TRUE(has(found.notices, "never finished")) << found.notices;
    EXPECT_TRUE(has(found.notices, "begins anew")) << found.notices;
    write_steps(run, {1}); /* the run's next start removes it */
    EXPECT_FALSE(exists(step_path(run, 2)));
    EXPECT_EQ(find(run).step, 1);
}

TEST(CheckpointFolder, ALaterOneThatWasNeverFinishedIsPassedOver)
{
    Folder run;
    write_steps(run, {1, 2});
    std::filesystem::remove(step_path(run, 2, ".ok"));
    Found found = find(run);
    EXPECT_EQ(found.step, 1);
    EXPECT_TRUE(has(found.notices, "never finished")) << found.notices;
}

TEST(CheckpointFolder, OnlyExactNamesCount)
{
    Folder run;
    write_steps(run, {1});
    for (const char *name : {"step-1", "step-2", "step-000000003", "step-+0000004", "step-0000005x",
                             "step-99999999999999999999"})
        for (const char *ending : {".h5", ".ok"})
            write_file(run / (std::string("checkpoints/") + name + ending), "x");
    Found found = find(run);
    EXPECT_EQ(found.step, 1);
    EXPECT_EQ(found.notices, "");
    EXPECT_EQ(whole_steps(run), Steps{1});
}

TEST(CheckpointFolder, WhatCannotBeRemovedIsAWarning)
{
    Folder run;
    write_steps(run, {1, 2});
    std::filesystem::remove(step_path(run, 1));
    std::filesystem::create_directories(step_path(run, 1) + "/held"); /* unlink says EISDIR */
    SmallState state;
    ls_error error = {};
    ls_checkpoint_writer *writer = ls_checkpoint_writer_open(run.root.c_str(), 1);
    for (long step : {3, 4}) {
        state.fill(step);
        state.write(writer);
        EXPECT_TRUE(ls_checkpoint_writer_wait(writer, &error)) << error.text;
        EXPECT_EQ(whole_steps(run), Steps{step}); /* all others that can be removed are gone */
        const char *warning = ls_checkpoint_writer_warning(writer);
        EXPECT_EQ(warning != nullptr, step == 3); /* it is told once */
        EXPECT_TRUE(step == 4 || has(warning ? warning : "", "step-00000001.h5: can't remove"));
    }
    EXPECT_TRUE(ls_checkpoint_writer_close(writer, &error)) << error.text;
}

TEST(CheckpointFolder, AFileThatCannotBeReadIsNotPassedOver)
{
    Folder run;
    write_steps(run, {1, 2});
    std::filesystem::remove(step_path(run, 2));
    std::filesystem::create_symlink(step_path(run, 2), step_path(run, 2)); /* ELOOP */
    Found found = find(run);
    EXPECT_EQ(found.answer, LS_CHECKPOINT_BROKEN);
    EXPECT_EQ(found.error.code, LS_IO) << found.error.text;
    EXPECT_TRUE(has(found.error.text, "step 2 may hold")) << found.error.text;
    EXPECT_FALSE(has(found.error.text, "--overwrite")) << found.error.text;
}

TEST(CheckpointFolder, SizesAreLookedAtBeforeBytes)
{
    const off_t huge = off_t(1) << 40;
    for (const char *ending : {".h5", ".ok"}) {
        Folder run;
        write_steps(run, {1, 2});
        if (truncate(step_path(run, 2, ending).c_str(), huge) != 0)
            GTEST_SKIP() << "no sparse files of 1 TiB here";
        Found found = find(run);
        EXPECT_EQ(found.step, 1) << found.error.text;
        EXPECT_TRUE(has(found.notices, "has 1099511627776 bytes")) << found.notices;
    }
}

TEST(CheckpointFolder, TheFormatOfAnOkIsLookedAt)
{
    Folder run;
    write_steps(run, {1, 2});
    std::string ok = read_file(step_path(run, 2, ".ok"));
    ok.replace(ok.find("\"format\": 1"), 11, "\"format\": 7");
    write_file(step_path(run, 2, ".ok"), ok);
    Found found = find(run);
    EXPECT_EQ(found.step, 1);
    EXPECT_TRUE(has(found.notices, "step-00000002.ok: is of format 7")) << found.notices;
}
