/* watchdog: what ranks publish, and what is concluded from it; tests/launch/test_watchdog.sh halts
 * whole runs. */
#include "world.h"

#include <cstdio>
#include <cstring>
#include <string>
#include <unistd.h>

extern "C" {
#include "dist/stall.h"
#include "dist/watchdog.h"
}

namespace
{
/* The watchdogs' view of one node, as this rank asks for it. */
struct View {
    ls_inquiry *inquiry = ls_inquiry_open(world);
    ls_news news = {};
    ~View()
    {
        ls_inquiry_close(inquiry);
    }
    ls_stall stall() const
    {
        return {inquiry, world->node_index, &news, 1};
    }
    std::string text() const
    {
        char buffer[4096] = "";
        const ls_stall s = stall();
        FILE *out = fmemopen(buffer, sizeof buffer, "w");
        ls_stall_print(&s, out);
        fclose(out);
        return buffer;
    }
};

ls_news_rank rank_that(ls_activity activity, ls_vitals_state vitals)
{
    ls_news_rank rank = {};
    rank.rank = 7;
    rank.still = 62;
    rank.vitals = vitals;
    rank.state.activity = activity;
    rank.state.waits_for = LS_BOARD_NOBODY;
    rank.state.step = 41;
    rank.state.process = 4711;
    strcpy(rank.state.phase, "discriminator");
    return rank;
}
} /* namespace */

TEST(Board, TellsWhatEachRankDoes)
{
    void *memory = ls_alloc(ls_board_bytes(2), 1);
    ls_board *board[] = {ls_board_create(), ls_board_create()};
    for (int r = 0; r < 2; r++)
        ls_board_share(board[r], memory, r);
    const ls_board_state before = ls_board_read(board[0], 1);
    EXPECT_EQ(before.activity, LS_ACTIVITY_OPENING);
    ls_board_note(board[1], LS_ACTIVITY_SUMMING, 12, "a phase with a name that is far too long");
    ls_board_wait(board[1], 5);
    ls_board_look(board[1], true, 100, 200);
    const ls_board_state now = ls_board_read(board[0], 1);
    EXPECT_GT(now.moves, before.moves);
    EXPECT_EQ(now.activity, LS_ACTIVITY_SUMMING);
    EXPECT_EQ(now.step, 12);
    EXPECT_EQ(now.waits_for, 5);
    EXPECT_STREQ(now.phase, "a phase with a name tha");
    EXPECT_EQ(now.work, before.work + 1);
    EXPECT_EQ(now.process, 100);
    EXPECT_EQ(ls_board_read(board[0], 0).waits_for, LS_BOARD_NOBODY);
    ls_board_wait(board[1], 5);
    EXPECT_EQ(ls_board_read(board[0], 1).moves, now.moves) << "to wait is no progress";
    ls_board_go_on(board[1]);
    EXPECT_GT(ls_board_read(board[0], 1).moves, now.moves);
    for (int r = 0; r < 2; r++)
        ls_board_destroy(board[r]);
    ls_free(memory);
}

TEST(Board, EndsOnce)
{
    ls_board *board = ls_board_create();
    EXPECT_TRUE(ls_board_end(board, 1));
    EXPECT_FALSE(ls_board_end(board, 1));
    EXPECT_EQ(ls_board_ending(board), 1);
    EXPECT_TRUE(ls_board_end(board, 2));
    ls_board_destroy(board);
}

TEST(Stall, NamesTheLateRankAndWhoWaitsForIt)
{
    View view;
    view.news.late = view.news.waiting = 1;
    view.news.rank[0] = rank_that(LS_ACTIVITY_COMPUTING, LS_VITALS_STOPPED);
    view.news.waiter = rank_that(LS_ACTIVITY_SUMMING, LS_VITALS_ASLEEP);
    view.news.waiter.rank = 3;
    view.news.waiter.state.waits_for = LS_BOARD_ALL;
    const std::string text = view.text(), host = world->host;
    EXPECT_NE(text.find("rank 7 on " + host +
                        ": step 41, discriminator, computing, for 62 s; stopped by a signal (state "
                        "T): kill -CONT 4711 there lets it go on\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("rank 3 on " + host + " waits for it: step 41, discriminator, summing\n"),
              std::string::npos)
        << text;
}

TEST(Stall, TellsAFileSystemFromAStoppedRank)
{
    View view;
    view.news.late = 1;
    view.news.rank[0] = rank_that(LS_ACTIVITY_READING, LS_VITALS_DISK);
    EXPECT_NE(view.text().find("disk sleep (state D): its file system does not answer"),
              std::string::npos);
    view.news.rank[0].vitals = LS_VITALS_ASLEEP;
    EXPECT_NE(view.text().find("its file system gives no rows"), std::string::npos);
    view.news.rank[0].state.activity = LS_ACTIVITY_SUMMING;
    EXPECT_NE(view.text().find("is asleep (state S)\n"), std::string::npos);
}

TEST(Stall, AHaltedReaderIsNoReasonToEnd)
{
    View view;
    view.news.late = 1;
    view.news.rank[0] = rank_that(LS_ACTIVITY_REPORTING, LS_VITALS_ASLEEP);
    ls_stall stall = view.stall();
    EXPECT_TRUE(ls_stall_judge(&stall).reader_halted);
    view.news.rank[0].vitals = LS_VITALS_DISK;
    EXPECT_FALSE(ls_stall_judge(&stall).reader_halted);
    view.news.late = 0;
    EXPECT_FALSE(ls_stall_judge(&stall).reader_halted);
}

/* A node that was never heard of is neither late nor a reason to end. */
TEST(Stall, WhoCantBeAskedIsUnknown)
{
    View view;
    ls_stall stall = view.stall();
    EXPECT_EQ(ls_stall_judge(&stall).late, 0);
    EXPECT_EQ(ls_stall_judge(&stall).unknown, world->nodes > 1);
}

TEST(Inquiry, EveryNodeAnswersEveryOther)
{
    View view;
    view.news.still = 5 + world->node_index;
    int heard = 0, node;
    ls_inquiry_kind kind;
    for (int n = 0; n < world->nodes; n++)
        if (n != world->node_index && world->node_rank == 0)
            ls_inquiry_send(view.inquiry, n, LS_INQUIRY_ASK, &view.news);
    for (int tries = 0; tries < 1000; tries++) {
        while (ls_inquiry_receive(view.inquiry, &node, &kind))
            if (kind == LS_INQUIRY_ASK)
                ls_inquiry_send(view.inquiry, node, LS_INQUIRY_ANSWER, &view.news);
        heard = 0;
        for (int n = 0; n < world->nodes; n++)
            heard += ls_inquiry_at(view.inquiry, n)->known &&
                     ls_inquiry_at(view.inquiry, n)->news.still == 5 + n;
        if (ls_comm_max(world, world->node_rank == 0 && heard < world->nodes - 1) == 0)
            break;
        usleep(1000);
    }
    if (world->node_rank == 0) {
        EXPECT_EQ(heard, world->nodes - 1);
    }
}

TEST(Watchdog, StartsAndStops)
{
    ls_error error = {};
    const ls_watchdog_plan never = {0, 0}, plan = {60, 600};
    EXPECT_EQ(ls_watchdog_start(world, &never, &error), nullptr);
    EXPECT_EQ(error.code, 0);
    ls_watchdog *watchdog = ls_watchdog_start(world, &plan, &error);
    EXPECT_NE(watchdog, nullptr) << error.text;
    ls_comm_barrier(world);
    ls_watchdog_stop(watchdog);
    ls_comm_barrier(world);
}
