/* checkpoint kill: a process that writes checkpoints is killed at random times; what it had
 * reported as durable, or something newer, always loads. LOCKSTEP_KILLS=200 gives more than the 20
 * rounds. */
#include <gtest/gtest.h>
#include <random>

#include "child.h"
#include "folder.h"
#include "small_state.h"

namespace
{
/* Enough numbers that a write takes a while: about 3 MB a checkpoint. */
constexpr long width = 100000;

/* The step of a file that loads and holds that step's numbers; 0: it does not. Closes the file. */
long loaded_step(ls_checkpoint *file, bool weights)
{
    if (!file)
        return 0;
    ls_error error = {};
    SmallState want(true, width), found(true, width);
    long step = file->position.step;
    want.fill(step);
    found.contents();
    bool ok = weights ? ls_checkpoint_load_weights(file, found.params, &error)
                      : ls_checkpoint_load(file, found.params, &found.arrays, &error);
    EXPECT_TRUE(ok) << error.text;
    EXPECT_TRUE(weights ? found.values_equal(want) : found == want) << file->path;
    ls_checkpoint_close(file);
    return ok ? step : 0;
}

/* Goes on from the newest checkpoint. Tells each step once it is durable: step-N.h5 at odd steps,
 * then best.h5. */
void write_forever(const std::string &run)
{
    ls_error error = {};
    ls_checkpoint *newest;
    ls_checkpoint_find(run.c_str(), &newest, nullptr, nullptr, &error);
    long step = loaded_step(newest, false);
    SmallState state(true, width);
    ls_checkpoint_writer *writer = ls_checkpoint_writer_open(run.c_str(), 2);
    for (;;) {
        state.fill(++step);
        state.write(writer);
        state.write(writer, LS_CHECKPOINT_WEIGHTS);
        if (!ls_checkpoint_writer_wait(writer, &error))
            exit(1);
        tell(step);
    }
}

int rounds()
{
    const char *asked = getenv("LOCKSTEP_KILLS");
    return asked ? atoi(asked) : 20;
}
} /* namespace */

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
        ls_error error = {};
        ls_checkpoint *newest;
        ls_checkpoint_find(
            run.root.c_str(), &newest,
            [](void *context, const char *) { ++*static_cast<long *>(context); }, &notices, &error);
        ASSERT_TRUE(newest) << error.text;
        long found = loaded_step(newest, false);
        EXPECT_GE(found, durable);
        EXPECT_LE(found, durable + 1);
        std::string path = run / "checkpoints/best.h5";
        long best = loaded_step(ls_checkpoint_open(path.c_str(), &error), true);
        EXPECT_GE(best, durable);
        EXPECT_LE(best, durable + 1);
        durable = found;
    }
    RecordProperty("passed_over", int(notices));
}
