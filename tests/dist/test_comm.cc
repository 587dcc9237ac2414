/* comm: topology, agreement, sums. */
#include "world.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <numeric>
#include <unistd.h>

static std::vector<long> gathered(int mine)
{
    std::vector<long> all((size_t)world->size, 0);
    all[(size_t)world->rank] = mine;
    ls_comm_sum_long(world, all.data(), (long)all.size());
    return all;
}

TEST(Comm, RanksAreNumberedNodeByNode)
{
    std::vector<long> node = gathered((int)node_index());
    std::vector<long> place = gathered(world->node_rank);
    std::vector<long> sizes = node_sizes();
    size_t rank = 0;
    for (size_t n = 0; n < sizes.size(); n++)
        for (long r = 0; r < sizes[n]; r++, rank++) {
            EXPECT_EQ(node[rank], (long)n) << "rank " << rank;
            EXPECT_EQ(place[rank], r) << "rank " << rank;
        }
    EXPECT_EQ(rank, node.size());
}

/* Also where mpirun deals the ranks out to the machines like cards (tests/launch/test_hosts.sh). */
TEST(Comm, RanksAreNumberedMachineByMachine)
{
    std::vector<long> machine = gathered(world->machine_index);
    std::vector<long> size = gathered(world->machine_size);
    for (size_t rank = 0, end; rank < machine.size(); rank = end) {
        end = rank + (size_t)size[rank];
        EXPECT_EQ(machine[rank], rank ? machine[rank - 1] + 1 : 0);
        for (size_t r = rank; r < end; r++)
            EXPECT_EQ(machine[r], machine[rank]) << "rank " << r;
    }
    EXPECT_EQ(machine.back() + 1, world->machines);
}

TEST(Comm, NodesAreCutAsTheEnvironmentSays)
{
    const char *cut = getenv("LOCKSTEP_RANKS_PER_NODE");
    std::vector<long> limits; /* of each node; the last is that of all others */
    for (const char *at = cut ? cut : ""; *at; at += *at == ',')
        limits.push_back(strtol(at, (char **)&at, 10));
    const char *regrouped = getenv("LOCKSTEP_TEST_REGROUP");
    if (regrouped)
        limits = {atoi(regrouped)};
    if (limits.empty())
        limits = {world->size};
    std::vector<long> sizes = node_sizes();
    for (size_t node = 0; node < sizes.size(); node++) {
        long limit = limits[std::min(node, limits.size() - 1)];
        EXPECT_LE(sizes[node], limit);
        EXPECT_EQ(sizes[node], world->node_sizes[node]);
        EXPECT_TRUE(sizes[node] == limit || node + 1 == sizes.size() || world->machines > 1);
    }
    EXPECT_EQ(world->smallest_node, *std::min_element(sizes.begin(), sizes.end()));
    EXPECT_EQ(world->machine_nodes == world->nodes, world->machines == 1);
}

TEST(Comm, AgreementTellsTheLowestFailure)
{
    int rank = world->rank, half = world->size / 2;
    ls_error error = {};
    if (rank >= half)
        ls_error_set(&error, LS_DATA, "rank %d has no data", rank);
    EXPECT_FALSE(ls_comm_agree(world, rank < half, &error));
    EXPECT_EQ(error.code, LS_DATA);
    std::string where = "rank " + std::to_string(half) + " on " + world->host + ": ";
    EXPECT_EQ(error.text, (half ? where : "") + "rank " + std::to_string(half) + " has no data");
}

TEST(Comm, AgreementLeavesTheErrorAloneWhereAllIsWell)
{
    ls_error error = {};
    strcpy(error.text, "as it was");
    EXPECT_TRUE(ls_comm_agree(world, true, &error));
    EXPECT_STREQ(error.text, "as it was");
    EXPECT_TRUE(ls_comm_agree(world, true, nullptr));
    EXPECT_FALSE(ls_comm_agree(world, world->rank > 0, nullptr));
}

/* Whether the ranks, of which the last one holds `last` and the others `most`, are the same. */
static bool same(const std::string &most, const std::string &last, ls_error *error)
{
    const std::string &text = world->rank == world->size - 1 ? last : most;
    const ls_comm_given given = {"thing", text.c_str(), "make it the same", LS_DATA};
    return ls_comm_same(world, &given, error);
}

TEST(Comm, SameNoticesOneByteAndTheLength)
{
    std::string text(2500000, 'x');
    bool alone = world->size == 1;
    EXPECT_TRUE(same(text, text, nullptr));
    EXPECT_TRUE(same("", "", nullptr));
    EXPECT_EQ(same(text, std::string(2499999, 'x') + "y", nullptr), alone);
    EXPECT_EQ(same(text, std::string(2499999, 'x'), nullptr), alone);
    EXPECT_EQ(same("", "x", nullptr), alone);
}

TEST(Comm, SameNamesTheRankItsHostAndTheLine)
{
    bool alone = world->size == 1;
    std::string host = world->host, rank = std::to_string(world->size - 1), begin;
    if (!alone)
        begin = "rank " + rank + " on " + host + " has another thing than rank 0 on " + host + ": ";
    ls_error error = {};
    EXPECT_EQ(same("a: 1\nb: 2\nc: 3\n", "a: 1\nb: 4\nc: 5\n", &error), alone);
    EXPECT_EQ(error.code, alone ? 0 : LS_DATA);
    EXPECT_EQ(error.text, begin + (alone ? "" : "'b: 4' in place of 'b: 2'; make it the same"));
    EXPECT_EQ(same("a: 1\nb: 2\n", "a: 1\n", &error), alone);
    EXPECT_EQ(error.text,
              begin + (alone ? "" : "'(nothing)' in place of 'b: 2'; make it the same"));
}

TEST(Comm, BroadcastReachesAll)
{
    std::vector<long> data(300000, world->rank);
    ls_comm_broadcast(world, data.data(), data.size() * sizeof data[0]);
    EXPECT_EQ(data, std::vector<long>(300000, 0));
}

TEST(Comm, SumIsExactWhereOneRankHoldsTheNumber)
{
    std::vector<double> sum((size_t)world->size, 0);
    auto number = [](size_t rank) { return 0.1 * (double)(rank + 1) + 1e-17; };
    sum[(size_t)world->rank] = number((size_t)world->rank);
    ls_comm_sum(world, sum.data(), (long)sum.size());
    for (size_t r = 0; r < sum.size(); r++)
        EXPECT_EQ(sum[r], number(r));
}

TEST(Comm, OrderedSumIsTheTreeBitForBit)
{
    for (long n : {0L, 1L, 16L, 1000L}) {
        std::vector<double> sum((size_t)n);
        for (long i = 0; i < n; i++)
            sum[(size_t)i] = value(world->rank, i) / 3.0;
        ls_comm_sum_ordered(world, sum.data(), n);
        long wrong = 0;
        for (long i = 0; i < n; i++)
            wrong += sum[(size_t)i] !=
                     tree<double>(0, world->size, [&](int rank) { return value(rank, i) / 3.0; });
        EXPECT_EQ(wrong, 0) << n;
    }
}

/* Counts of MPI end at 2^31: what is longer is cut into calls, of 5 elements here. */
TEST(Comm, LongArraysAreCutIntoSeveralCalls)
{
    const long most = world->most, n = 1003;
    world->most = 5;
    std::vector<long> data((size_t)n, world->rank), sum((size_t)n, 1);
    ls_comm_broadcast(world, data.data(), data.size() * sizeof data[0]);
    EXPECT_EQ(data, std::vector<long>((size_t)n, 0));
    ls_comm_sum_long(world, sum.data(), n);
    EXPECT_EQ(sum, std::vector<long>((size_t)n, world->size));
    std::vector<char> mine(37), all((size_t)world->size * 37);
    for (int i = 0; i < 37; i++)
        mine[(size_t)i] = (char)(world->rank + i);
    ls_comm_gather(world, mine.data(), mine.size(), world->rank ? nullptr : all.data());
    for (int r = 0; r < world->size && world->rank == 0; r++)
        for (int i = 0; i < 37; i++)
            EXPECT_EQ(all[(size_t)(r * 37 + i)], (char)(r + i)) << r << ", " << i;
    std::vector<double> ordered((size_t)n);
    for (long i = 0; i < n; i++)
        ordered[(size_t)i] = value(world->rank, i) / 3.0;
    ls_comm_sum_ordered(world, ordered.data(), n);
    for (long i = 0; i < n; i++)
        EXPECT_EQ(ordered[(size_t)i],
                  tree<double>(0, world->size, [&](int r) { return value(r, i) / 3.0; }))
            << i;
    world->most = most;
}

TEST(Comm, MaximumIsOverAllRanks)
{
    EXPECT_EQ(ls_comm_max(world, -world->rank), 0);
    EXPECT_EQ(ls_comm_max(world, world->rank), world->size - 1);
}

TEST(Comm, KnowsItsCoresAndHost)
{
    EXPECT_GE(world->cores.own, 1);
    EXPECT_LE(world->cores.own, world->cores.all);
    EXPECT_NE(world->host[0], 0);
    EXPECT_NE(ls_comm_version()[0], 0);
    EXPECT_EQ(strpbrk(ls_comm_version(), "\n\t"), nullptr);
}

TEST(Comm, NoticesTasksThatDoNotKnowEachOther)
{
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
    bool alone = world->size == 1 && !getenv("OMPI_COMM_WORLD_LOCAL_RANK");
    bool expected = alone && tasks && atoi(tasks) > 1;
    ls_error error = {};
    EXPECT_EQ(ls_comm_singletons(world, &error), expected);
    if (expected) {
        EXPECT_NE(strstr(error.text, "4 tasks were started"), nullptr) << error.text;
        EXPECT_NE(strstr(error.text, "srun --mpi=pmi"), nullptr) << error.text;
    }
}

TEST(Comm, TheFirstRanksAreARunOfTheirOwn)
{
    for (int ranks = 1; ranks <= world->size; ranks++) {
        ls_comm *part = ls_comm_part(world, ranks);
        EXPECT_EQ(part != nullptr, world->rank < ranks);
        if (part) {
            double ones = 1;
            EXPECT_EQ(part->size, ranks);
            EXPECT_EQ(part->rank, world->rank);
            EXPECT_EQ(part->node_index, world->node_index);
            EXPECT_EQ(part->node_rank, world->node_rank);
            EXPECT_LE(part->node_size, world->node_size);
            EXPECT_EQ(std::accumulate(part->node_sizes, part->node_sizes + part->nodes, 0), ranks);
            ls_comm_sum(part, &ones, 1);
            EXPECT_EQ(ones, ranks);
        }
        ls_comm_leave(part);
        ls_comm_rest(world);
    }
}

/* Those that come early use next to none of the time of a processor. */
TEST(Comm, RanksThatRestLeaveTheProcessorsToTheOthers)
{
    if (world->size == 1)
        GTEST_SKIP();
    ls_comm_barrier(world);
    if (world->rank == 0)
        usleep(400000);
    const std::clock_t before = std::clock();
    ls_comm_rest(world);
    if (world->rank != 0) {
        EXPECT_LT((double)(std::clock() - before) / CLOCKS_PER_SEC, 0.1);
    }
}
