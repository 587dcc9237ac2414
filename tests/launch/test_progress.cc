/* Progress: what is left on a terminal, and in a file. */
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <pty.h>
#include <string>
#include <unistd.h>
#include <vector>

extern "C" {
#include "core/memory.h"
#include "launch/run/progress.h"
}

namespace
{

ls_figures state_of(long step)
{
    static ls_objective objective;
    objective.metrics = 2;
    objective.metric[0].name = "loss";
    objective.metric[1].name = "accuracy";
    ls_figures state = {};
    state.stages = 1;
    state.epochs = 2;
    state.epoch = (step - 1) / 10;
    state.step = step;
    state.steps = 20;
    state.steps_per_epoch = 10;
    state.epoch_end = step % 10 == 0;
    state.objective = &objective;
    state.value[0] = 0.25;
    state.value[1] = 0.9;
    state.samples_per_second = 12345;
    state.seconds_left = 3725;
    return state;
}

/* A terminal of so many columns. */
class Terminal
{
  public:
    explicit Terminal(unsigned short columns)
    {
        setenv("TERM", "xterm", 1);
        struct winsize size = {24, columns, 0, 0};
        int slave;
        EXPECT_EQ(openpty(&master, &slave, nullptr, nullptr, &size), 0);
        out = fdopen(slave, "w");
    }
    ~Terminal()
    {
        fclose(out);
        close(master);
    }
    /* All that was written since: up to a mark, as what is written arrives a little later. */
    std::string take()
    {
        static const char mark[] = "<mark>";
        std::string text;
        fputs(mark, out);
        fflush(out);
        while (text.find(mark) == std::string::npos) {
            char part[4096];
            ssize_t length = read(master, part, sizeof part);
            if (length <= 0)
                break;
            text.append(part, (size_t)length);
        }
        return text.substr(0, text.find(mark));
    }
    int master;
    FILE *out;
};

std::vector<std::string> split(const std::string &text, const std::string &by)
{
    std::vector<std::string> parts = {""};
    for (size_t at = 0; at < text.size();)
        if (text.compare(at, by.size(), by) == 0) {
            parts.push_back("");
            at += by.size();
        } else {
            parts.back() += text[at++];
        }
    return parts;
}

/* Columns of UTF-8 text whose characters are all one wide. */
size_t columns_of(const std::string &text)
{
    size_t count = 0;
    for (char c : text)
        count += ((unsigned char)c & 0xC0) != 0x80;
    return count;
}

const char clear[] = "\r\033[K";

TEST(Progress, BarFitsIntoTheTerminal)
{
    for (const char *locale : {"C", "C.UTF-8"})
        for (unsigned short columns : {1, 5, 20, 40, 60, 79, 80, 81, 100, 120, 200}) {
            setenv("LC_ALL", locale, 1);
            Terminal terminal(columns);
            ls_progress *progress = ls_progress_open(terminal.out);
            ls_figures state = state_of(15);
            state.stages = 3;
            state.waiting = 0.5;
            ls_progress_step(progress, &state);
            std::string bar = split(terminal.take(), clear).at(1);
            EXPECT_LT(columns_of(bar), columns);
            EXPECT_EQ(bar.find_first_of("\r\n"), std::string::npos);
            ls_progress_close(progress);
        }
}

TEST(Progress, ShowsNoNumberWhereNoLabelCounted)
{
    setenv("LC_ALL", "C", 1);
    Terminal terminal(300);
    ls_progress *progress = ls_progress_open(terminal.out);
    ls_figures state = state_of(15);
    state.value[0] = state.value[1] = std::nan("");
    ls_progress_step(progress, &state);
    EXPECT_NE(split(terminal.take(), clear).at(1).find("  loss -  accuracy -  "),
              std::string::npos);
    ls_progress_close(progress);
}

TEST(Progress, ShowsAllThereIsWhereThereIsRoom)
{
    setenv("LC_ALL", "C", 1);
    Terminal terminal(300);
    ls_progress *progress = ls_progress_open(terminal.out);
    ls_figures state = state_of(15);
    state.stages = 3;
    state.stage = 1;
    state.waiting = 0.034;
    state.held = 0.0312;
    state.written = 0.421;
    state.work.ranks = 2;
    state.work.spent[LS_TIME_COMPUTE] = {0.2, 0.21, 0.4};
    state.work.spent[LS_TIME_WAIT] = {0.001, 0.19, 0.2};
    state.work.spent[LS_TIME_SUM] = {0.0051234, 0.006, 0.007};
    state.work.spent[LS_TIME_DATA] = {0, 0, 0.0001}; /* too short to be told */
    state.work.flops = 43.21e9;
    state.work.pace = 100e9;
    ls_progress_step(progress, &state);
    EXPECT_EQ(split(terminal.take(), clear).at(1),
              "stage 2/3, epoch 2/2  [########################........]  step 15/20  loss 0.2500  "
              "accuracy 0.9000  12.3k samples/s  1:02:05 left  3% waiting for data  "
              "checkpoint 0.031 s, written in 0.42 s  "
              "ms: compute 200/210/400  wait 1/190/200  sum 5.12/6/7  43.2 Gflop/s a rank (43%)");
    ls_progress_close(progress);
}

TEST(Progress, DropsTheLeastWantedFirst)
{
    setenv("LC_ALL", "C", 1);
    const struct {
        unsigned short columns;
        const char *bar;
    } cases[] = {{90, "epoch 2/2  [############....]  15/20  loss 0.2500  accuracy 0.9000  12.3k/s "
                      " 1:02:05 left"},
                 {50, "epoch 2/2  loss 0.2500  1:02:05 left"},
                 {30, "epoch 2/2  loss 0.2500"},
                 {6, "epoch"}};
    for (const auto &c : cases) {
        Terminal terminal(c.columns);
        ls_progress *progress = ls_progress_open(terminal.out);
        ls_figures state = state_of(15);
        ls_progress_step(progress, &state);
        EXPECT_EQ(split(terminal.take(), clear).at(1), c.bar);
        ls_progress_close(progress);
    }
}

TEST(Progress, LeavesALineOfAFinishedEpochAndTheLinesAbove)
{
    setenv("LC_ALL", "C", 1);
    Terminal terminal(100);
    ls_progress *progress = ls_progress_open(terminal.out);
    for (long step = 1; step <= 20; step++) {
        ls_figures state = state_of(step);
        ls_progress_step(progress, &state);
        if (step % 10 == 0)
            ls_progress_line(progress, "epoch %ld/2: valid accuracy 0.9", step / 10);
    }
    ls_progress_close(progress);
    std::string left; /* what each \r\033[K leaves of the line before it */
    for (const std::string &part : split(terminal.take(), clear))
        left = left.substr(0, left.rfind('\n') + 1) + part;
    const std::string numbers = "loss 0.2500  accuracy 0.9000  12.3k samples/s  1:02:05 left\r\n";
    EXPECT_EQ(left, "epoch 1/2  step 10/20  " + numbers + "epoch 1/2: valid accuracy 0.9\r\n" +
                        "epoch 2/2  step 20/20  " + numbers + "epoch 2/2: valid accuracy 0.9\r\n");
}

TEST(Progress, RedrawsAtMostTenTimesASecond)
{
    Terminal terminal(100);
    ls_progress *progress = ls_progress_open(terminal.out);
    auto begin = std::chrono::steady_clock::now();
    for (long i = 0; i < 30; i++) {
        ls_figures state = state_of(5);
        ls_progress_step(progress, &state);
    }
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    size_t drawn = split(terminal.take(), clear).size() - 1;
    EXPECT_GE(drawn, 1u);
    EXPECT_LE(drawn, 2 + took.count() / 0.1);
    ls_progress_close(progress);
}

TEST(Progress, WritesPlainLinesAtEpochEndsIntoAFile)
{
    size_t blocks = ls_memory_blocks();
    FILE *out = tmpfile();
    ls_progress *progress = ls_progress_open(out);
    for (long step = 1; step <= 20; step++) {
        ls_figures state = state_of(step);
        ls_progress_step(progress, &state);
    }
    ls_progress_line(progress, "done");
    ls_progress_close(progress);
    rewind(out);
    char text[1000] = "";
    ASSERT_GT(fread(text, 1, sizeof text - 1, out), 0u);
    fclose(out);
    EXPECT_STREQ(text, "epoch 1/2  step 10/20  loss 0.2500  accuracy 0.9000  12.3k samples/s  "
                       "1:02:05 left\n"
                       "epoch 2/2  step 20/20  loss 0.2500  accuracy 0.9000  12.3k samples/s  "
                       "1:02:05 left\n"
                       "done\n");
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

} /* namespace */
