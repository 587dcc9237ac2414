/* crew: results come in the order of the items, on any number of members and threads; any member's
 * error is that of all. */
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

extern "C" {
#include "io/import/crew.h"
}

namespace
{

/* Members that are threads of the test; they meet at a barrier. */
class Members
{
  public:
    explicit Members(int count)
        : count(count), oks(size_t(count)), errors(size_t(count)), sent(size_t(count))
    {
    }
    /* Returns when all have come. */
    void meet()
    {
        std::unique_lock<std::mutex> hold(lock);
        long round = rounds;
        if (++here == count) {
            here = 0;
            rounds++;
            changed.notify_all();
        }
        changed.wait(hold, [&] { return rounds > round; });
    }
    int count, here = 0;
    long rounds = 0;
    std::vector<char> oks;
    std::vector<ls_error> errors;
    std::mutex lock;
    std::condition_variable changed;
    std::vector<void *> sent; /* by each member, while it is fetched */
};

struct Member {
    Members *all;
    int number;
};

bool agree(void *context, bool ok, ls_error *error)
{
    auto *m = static_cast<Member *>(context);
    m->all->oks[size_t(m->number)] = ok;
    if (!ok)
        m->all->errors[size_t(m->number)] = *error;
    m->all->meet();
    int lowest = 0;
    while (lowest < m->all->count && m->all->oks[size_t(lowest)])
        lowest++;
    if (lowest < m->all->count)
        *error = m->all->errors[size_t(lowest)];
    m->all->meet();
    return lowest == m->all->count;
}

void broadcast(void *, void *, size_t)
{
    FAIL() << "a crew broadcasts nothing";
}

/* Two members meet here, while others may not: so by a slot of the one that sends. */
void fetch(void *context, int from, void *data, size_t bytes)
{
    auto *m = static_cast<Member *>(context);
    void *&sent = m->all->sent[size_t(from)];
    std::unique_lock<std::mutex> hold(m->all->lock);
    if (m->number > 0) {
        EXPECT_EQ(m->number, from);
        sent = data;
        m->all->changed.notify_all();
        m->all->changed.wait(hold, [&] { return !sent; });
    } else {
        m->all->changed.wait(hold, [&] { return sent; });
        memcpy(data, sent, bytes);
        sent = nullptr;
        m->all->changed.notify_all();
    }
}

/* What the members work at: result i is 7 i in each of its numbers. */
struct Work {
    long items = 0, bad_item = -1, bad_take = -1;
    std::vector<long> taken;
};

enum { NUMBERS = 1 << 16 }; /* of a result: 64 of them are a member's run */

bool work(void *context, int, long item, void *result, ls_error *error)
{
    auto *w = static_cast<Work *>(context);
    auto *numbers = static_cast<long *>(result);
    for (long i = 0; i < NUMBERS; i += NUMBERS / 4)
        numbers[i] = 7 * item;
    numbers[NUMBERS - 1] = 7 * item;
    return item != w->bad_item || ls_error_set(error, LS_DATA, "item %ld is bad", item);
}

bool take(void *context, long first, long n, const void *results, ls_error *error)
{
    auto *w = static_cast<Work *>(context);
    auto *numbers = static_cast<const long *>(results);
    EXPECT_EQ(first, long(w->taken.size()));
    for (long i = 0; i < n; i++) {
        EXPECT_EQ(numbers[i * NUMBERS], numbers[(i + 1) * NUMBERS - 1]);
        w->taken.push_back(numbers[i * NUMBERS] / 7);
        if (first + i == w->bad_take)
            return ls_error_set(error, LS_IO, "item %ld can't be taken", first + i);
    }
    return true;
}

/* Runs it; the words of the error that each member has, "" where it has none. */
std::vector<std::string> run(int members, int threads, Work *w)
{
    Members all(members);
    std::vector<std::string> said(static_cast<size_t>(members));
    std::vector<std::thread> running;
    for (int m = 0; m < members; m++)
        running.emplace_back([&, m] {
            Member member = {&all, m};
            ls_error error = {};
            const ls_team team = {m, members, &member, agree, broadcast, fetch};
            const ls_crew crew = {members > 1 ? &team : nullptr,
                                  threads,
                                  w->items,
                                  NUMBERS * sizeof(long),
                                  w,
                                  work,
                                  take};
            if (!ls_crew_run(&crew, &error))
                said[size_t(m)] = error.text;
        });
    for (std::thread &thread : running)
        thread.join();
    return said;
}

} /* namespace */

TEST(Crew, ResultsComeInTheOrderOfTheItems)
{
    for (int members = 1; members <= 4; members++)
        for (int threads = 1; threads <= 3; threads += 2)
            for (long items : {1L, 3L, 64L, 65L, 300L}) {
                Work w = {items, -1, -1, {}};
                for (const std::string &said : run(members, threads, &w))
                    EXPECT_EQ(said, "");
                ASSERT_EQ(long(w.taken.size()), items);
                for (long i = 0; i < items; i++)
                    EXPECT_EQ(w.taken[size_t(i)], i);
            }
}

TEST(Crew, AnErrorOfWorkIsThatOfAllMembers)
{
    for (int members = 1; members <= 3; members++)
        for (long bad : {0L, 70L, 299L}) {
            Work w = {300, bad, -1, {}};
            for (const std::string &said : run(members, 2, &w))
                EXPECT_EQ(said, "item " + std::to_string(bad) + " is bad");
        }
}

TEST(Crew, AnErrorOfTakingIsThatOfAllMembers)
{
    for (int members = 1; members <= 3; members++)
        for (long bad : {0L, 100L, 299L}) {
            Work w = {300, -1, bad, {}};
            for (const std::string &said : run(members, 2, &w))
                EXPECT_EQ(said, "item " + std::to_string(bad) + " can't be taken");
            EXPECT_EQ(long(w.taken.size()), bad + 1);
        }
}
