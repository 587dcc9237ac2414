// checkpoint kill: a process that writes checkpoints is killed at random times; what it had
// reported as durable, or something newer, always loads. LOCKSTEP_KILLS=200 gives more than the 20
// rounds.
#include <gtest/gtest.h>
#include <random>

#include "child.h"
#include "folder.h"
#include "small_state.h"

namespace
{
// Enough numbers that a write takes a while: about 3 MB a checkpoint.
constexpr long width = 100000;

// The step of a file that loads and holds that step's numbers; 0: it does not.
long loaded_step(const std::string &path, bool weights)
{
    ls_snapshot fields;
    ls_error error = {};
    EXPECT_TRUE(ls_checkpoint_open(path.c_str(), &fields, &error)) << error.text;
    ls_snapshot_release(&fields);
    SmallState want(true, width), found(true, width);
    want.fill(fields.step);
    ls_snapshot snapshot = found.snapshot();
    bool ok = weights ? ls_checkpoint_load_weights(path.c_str(), found.params, &error)
                      : ls_checkpoint_load(path.c_str(), &snapshot, &error);
    EXPECT_TRUE(ok) << error.text;
    EXPECT_TRUE(weights ? found.values_equal(want) : found == want) << path;
    return ok ? fields.step : 0;
}

// Goes on from the newest checkpoint. Tells each step once it is durable: step-N.h5 at odd steps,
// then best.h5.
void write_forever(const std::string &run)
{
    char path[4096];
    ls_error error = {};
    long step = 0;
    if (ls_checkpoint_find(run.c_str(), path, sizeof path, nullptr, nullptr, &error))
        step = loaded_step(path, false);
    SmallState state(true, width);
    ls_checkpoint_writer *writer = ls_checkpoint_writer_open(run.c_str(), 2);
    for (;;) {
        state.fill(++step);
        ls_snapshot snapshot = state.snapshot();
        bool ok = ls_checkpoint_write(writer, &snapshot, false, &error) &&
                  ls_checkpoint_write(writer, &snapshot, true, &error) &&
                  ls_checkpoint_wait(writer, &error);
        if (!ok)
            exit(1);
        tell(step);
    }
}

int rounds()
{
    const char *asked = getenv("LOCKSTEP_KILLS");
    return asked ? atoi(asked) : 20;
}
} // namespace

TEST(CheckpointKill, DISABLED_Writer)
{
    write_forever(getenv("LOCKSTEP_TEST_FOLDER"));
}

TEST(CheckpointKill, TheNewestOrTheOneBeforeAlwaysLoads)
{
    Folder run;
    std::mt19937 random{unsigned(getpid())};
    long durable = 0, notices = 0;
    for (int round = 0; round < rounds(); round++) {
        Child child("CheckpointKill.DISABLED_Writer", run.root);
        long first = child.next();
        ASSERT_GT(first, 0) << "the writer ended by itself";
        usleep(random() % 30000);
        child.stop();
        for (long step = first; step > 0; step = child.next())
            durable = step;
        char path[4096];
        ls_error error = {};
        ASSERT_TRUE(ls_checkpoint_find(
            run.root.c_str(), path, sizeof path,
            [](void *context, const char *) { ++*static_cast<long *>(context); }, &notices, &error))
            << error.text;
        long found = loaded_step(path, false);
        EXPECT_GE(found, durable);
        EXPECT_LE(found, durable + 1);
        long best = loaded_step(run / "checkpoints/best.h5", true);
        EXPECT_GE(best, durable);
        EXPECT_LE(best, durable + 1);
        durable = found;
    }
    RecordProperty("passed_over", int(notices));
}
