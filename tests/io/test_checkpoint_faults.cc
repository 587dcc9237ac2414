/* checkpoint faults: every call that writes fails once, or the system stops there; after each, the
 * newest checkpoint or the one before still loads. */
#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "folder.h"
#include "small_state.h"
extern "C" {
#include "io/file.h"
}

namespace
{
/* Which calls of io/file.h fail: call `at` (from 1), and where `stopped` all after it too. */
struct Plan {
    long at = 0, calls = 0;
    int reason = 0;
    bool stopped = false;
    std::string trace;
} plan;

bool fails(const char *name)
{
    plan.calls++;
    plan.trace += std::string(name) + " ";
    if (plan.at == 0 || plan.calls < plan.at || (plan.calls > plan.at && !plan.stopped))
        return false;
    errno = plan.reason;
    return true;
}

int plan_open(const char *path, int flags, mode_t mode)
{
    bool reads = (flags & O_ACCMODE) == O_RDONLY && !(flags & O_DIRECTORY);
    return !reads && fails("open") ? -1 : open(path, flags, mode);
}
/* Half of the bytes arrive before the disk is full. */
ssize_t plan_write(int file, const void *bytes, size_t size)
{
    if (!fails("write"))
        return write(file, bytes, size);
    int reason = errno;
    ssize_t half = write(file, bytes, size / 2);
    errno = reason;
    return half < 0 ? half : -1;
}
int plan_fsync(int file)
{
    return fails("fsync") ? -1 : fsync(file);
}
int plan_close(int file)
{
    bool failed = fails("close");
    int reason = errno, result = close(file);
    errno = reason;
    return failed ? -1 : result;
}
int plan_rename(const char *from, const char *to)
{
    return fails("rename") ? -1 : rename(from, to);
}
const ls_file_calls planned = {plan_open, plan_write, plan_fsync, plan_close, plan_rename};

/* Fails call `at` for as long as it lives. */
class Fault
{
  public:
    Fault(long at, int reason, bool stopped)
    {
        plan = {};
        plan.at = at;
        plan.reason = reason;
        plan.stopped = stopped;
        ls_file_set_calls(&planned);
    }
    ~Fault()
    {
        ls_file_set_calls(nullptr);
    }
};

/* One write into `run`, with or without a fault; false with the error where it failed. */
bool write_step(const Folder &run, SmallState &state, long step, bool best, ls_error *error)
{
    ls_checkpoint_writer *writer = ls_checkpoint_writer_open(run.root.c_str(), 1);
    state.fill(step);
    state.write(writer, best ? LS_CHECKPOINT_WEIGHTS : LS_CHECKPOINT_ALL);
    return ls_checkpoint_writer_close(writer, error);
}

/* The file loads, and its numbers are those of the step it says, which is `older` or `newer`. */
void expect_loads(const std::string &path, bool weights, long older, long newer)
{
    ls_error error = {};
    ls_checkpoint *file = ls_checkpoint_open(path.c_str(), &error);
    ASSERT_TRUE(file) << error.text;
    long step = file->position.step;
    EXPECT_TRUE(step == older || step == newer) << step;
    SmallState want, found;
    want.fill(step);
    found.contents();
    bool ok = weights ? ls_checkpoint_load_weights(file, found.params, &error)
                      : ls_checkpoint_load(file, found.params, &found.arrays, &error);
    ls_checkpoint_close(file);
    ASSERT_TRUE(ok) << error.text;
    EXPECT_TRUE(weights ? found.values_equal(want) : found == want);
}

/* Whether an error names the errno's text and the run. */
bool says(const ls_error &error, int reason, const Folder &run)
{
    std::string text = error.text;
    return error.code == LS_IO && text.find(strerror(reason)) != std::string::npos &&
           text.find(run.root) != std::string::npos;
}

/* What a resumed run, or an evaluation, would take. */
std::string newest(const Folder &run, bool best)
{
    ls_error error = {};
    ls_checkpoint *found;
    if (best)
        return run / "checkpoints/best.h5";
    if (ls_checkpoint_find(run.root.c_str(), &found, nullptr, nullptr, &error) !=
        LS_CHECKPOINT_FOUND) {
        ADD_FAILURE() << error.text;
        return "";
    }
    std::string path = found->path;
    ls_checkpoint_close(found);
    return path;
}

/* Writes step 1, then `second` with call `at` failing; false where there is no such call. */
bool fault_at(long at, int reason, bool stopped, bool best, long second)
{
    Folder run;
    SmallState state;
    ls_error error = {};
    EXPECT_TRUE(write_step(run, state, 1, best, &error)) << error.text;
    state.job = "model: mlp\n"; /* other bytes, also where the step is the same */
    bool ok;
    {
        Fault fault(at, reason, stopped);
        ok = write_step(run, state, second, best, &error);
    }
    SCOPED_TRACE("call " + std::to_string(at) + " of " + plan.trace);
    bool injected = plan.calls >= at;
    EXPECT_TRUE(ok || (injected && says(error, reason, run))) << error.text;
    expect_loads(newest(run, best), best, ok ? second : 1, second);
    EXPECT_TRUE(write_step(run, state, second + 1, best, &error)) << error.text;
    expect_loads(newest(run, best), best, second + 1, second + 1);
    return injected;
}

/* Fails the first call, then the second, ..., until a write goes through. */
void sweep(int reason, bool stopped, bool best, long second)
{
    long at = 1;
    while (fault_at(at, reason, stopped, best, second))
        at++;
    EXPECT_GT(at, 16); /* two files: open, write, sync, close, rename, and 3 for the folder */
}
} /* namespace */

TEST(CheckpointFaults, NoSpaceAtAnyCall)
{
    sweep(ENOSPC, false, false, 2);
}

TEST(CheckpointFaults, ABrokenDiskAtAnyCall)
{
    sweep(EIO, true, false, 2);
}

TEST(CheckpointFaults, TheSystemStopsWhileTheBestIsReplaced)
{
    sweep(EIO, true, true, 2);
    sweep(ENOSPC, false, true, 2);
}

TEST(CheckpointFaults, TheSystemStopsWhileTheSameStepIsWrittenAgain)
{
    sweep(EROFS, true, false, 1);
}

TEST(CheckpointFaults, TheOkIsWrittenAfterTheFileIsDurable)
{
    Folder run;
    SmallState state;
    Fault none(0, 0, false);
    EXPECT_TRUE(write_step(run, state, 1, false, nullptr));
    std::string one = "open write fsync rename open fsync close close ";
    EXPECT_EQ(plan.trace, "close " + one + one + "close "); /* and the frame, in memory */
}

TEST(CheckpointFaults, AnErrorIsToldOnceByTheNextCall)
{
    Folder run;
    SmallState state;
    state.fill(1);
    ls_checkpoint_writer *writer = ls_checkpoint_writer_open(run.root.c_str(), 1);
    ls_error error = {};
    {
        Fault fault(2, ENOSPC, false);
        state.write(writer);
        ls_checkpoint_writer_settle(writer);
        EXPECT_TRUE(ls_checkpoint_writer_failed(writer));
        EXPECT_FALSE(ls_checkpoint_writer_wait(writer, &error));
    }
    EXPECT_TRUE(says(error, ENOSPC, run)) << error.text;
    EXPECT_FALSE(ls_checkpoint_writer_failed(writer));
    state.write(writer);
    EXPECT_TRUE(ls_checkpoint_writer_close(writer, &error));
}

TEST(CheckpointFaults, ATemporaryFileOfAFailedWriteIsGone)
{
    Folder run;
    SmallState state;
    {
        Fault fault(2, ENOSPC, false);
        EXPECT_FALSE(write_step(run, state, 1, false, nullptr));
    }
    EXPECT_TRUE(std::filesystem::is_empty(run / "checkpoints"));
}

TEST(CheckpointFaults, AFolderThatCannotBeMadeIsTold)
{
    Folder run;
    write_file(run / "checkpoints", "a file");
    SmallState state;
    state.fill(1);
    ls_checkpoint_writer *writer = ls_checkpoint_writer_open(run.root.c_str(), 1);
    ls_error error = {};
    EXPECT_TRUE(ls_checkpoint_writer_failed(writer));
    state.write(writer);
    EXPECT_FALSE(ls_checkpoint_writer_wait(writer, &error));
    EXPECT_NE(std::string(error.text).find("expected a folder"), std::string::npos) << error.text;
    EXPECT_TRUE(ls_checkpoint_writer_close(writer, &error)) << "told twice: " << error.text;
}

TEST(CheckpointFaults, AStepIsNotWrittenAfterABestThatFailed)
{
    Folder run;
    SmallState state;
    state.fill(1);
    ls_error error = {};
    ls_checkpoint_writer *writer = ls_checkpoint_writer_open(run.root.c_str(), 1);
    {
        Fault fault(2, ENOSPC, false);
        state.write(writer, LS_CHECKPOINT_WEIGHTS);
        state.write(writer);
        EXPECT_FALSE(ls_checkpoint_writer_close(writer, &error));
    }
    EXPECT_TRUE(says(error, ENOSPC, run)) << error.text;
    EXPECT_TRUE(std::filesystem::is_empty(run / "checkpoints"));
}
