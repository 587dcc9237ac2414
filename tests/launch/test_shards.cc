/* shards: every shard falls to one rank, for all counts of ranks and shards; how gradients are
 * added. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

extern "C" {
#include "dist/sum_order.h"
#include "launch/train/shards.h"
}

namespace
{

using Nodes = std::vector<int>; /* ranks of each */

ls_comm comm_of(Nodes &nodes, int rank)
{
    ls_comm comm = {};
    comm.rank = rank;
    comm.nodes = (int)nodes.size();
    comm.node_sizes = nodes.data();
    comm.smallest_node = *std::min_element(nodes.begin(), nodes.end());
    comm.size = std::accumulate(nodes.begin(), nodes.end(), 0);
    return comm;
}

ls_shards cut(int count, int rank, Nodes nodes, ls_shards_way way = LS_SHARDS_BY_TREE)
{
    ls_shards shards = {};
    ls_comm comm = comm_of(nodes, rank);
    ls_shards_cut(&shards, count, way, &comm);
    return shards;
}

int node_size(int count, Nodes nodes, ls_shards_way way = LS_SHARDS_BY_TREE)
{
    ls_comm comm = comm_of(nodes, 0);
    return ls_shards_node_size(count, way, &comm);
}

/* The shards of each rank. */
std::vector<int> shares(int count, Nodes nodes, ls_shards_way way = LS_SHARDS_BY_TREE)
{
    std::vector<int> all;
    for (int rank = 0; rank < std::accumulate(nodes.begin(), nodes.end(), 0); rank++) {
        ls_shards shards = cut(count, rank, nodes, way);
        all.push_back(shards.end - shards.begin);
    }
    return all;
}

/* An objective whose gradient of shard i is i + 1 in every number, over rows [4 i, 4 i + 4). */
struct Counting {
    Counting()
    {
        ls_shape shape = {1, {40}};
        ls_initializer zero = {};
        ls_params_claim(params, "net/w", LS_SLOT_WEIGHT, &shape, &zero, nullptr);
        type.gradient = [](ls_objective *, int, const ls_batch *shard, const ls_pass *pass,
                           ls_sums *sums) {
            EXPECT_EQ(pass->row, shard->first);
            const ls_carried *own = pass->carried;
            for (long r = 0; own && r < own->rows; r++)
                own->data[2 * r] = own->data[2 * r + 1] = (real)(own->first + r + 1);
            *sums = {};
            sums->at[LS_SUM_WEIGHT] = (double)shard->rows;
            for (int i = 0; i < 40; i++)
                pass->gradient[i] = (real)(shard->first / 4 + 1);
        };
        objective.type = &type;
        objective.task.params = params;
        objective.phases = 1;
        objective.phase[0].slots = ls_slots_all(params);
    }
    ~Counting()
    {
        ls_params_destroy(params);
    }
    ls_params *params = ls_params_create();
    ls_objective_type type = {};
    ls_objective objective = {};
};

} /* namespace */

TEST(Shards, EachFallsToOneRankAndNoRankIsLeftOut)
{
    for (ls_shards_way way : {LS_SHARDS_BY_TREE, LS_SHARDS_EVENLY})
        for (int count = 1; count <= 40; count++)
            for (int ranks = 1; ranks <= count; ranks++) {
                int next = 0, most = 0;
                for (int rank = 0; rank < ranks; rank++) {
                    ls_shards shards = cut(count, rank, {ranks}, way);
                    ASSERT_EQ(shards.begin, next) << count << " shards, " << ranks << " ranks";
                    ASSERT_GT(shards.end, shards.begin);
                    ASSERT_EQ(shards.most, ls_shards_most(count, way, ranks));
                    most = std::max(most, shards.end - shards.begin);
                    next = shards.end;
                }
                ASSERT_EQ(next, count);
                ASSERT_EQ(most, ls_shards_most(count, way, ranks));
                if (way == LS_SHARDS_EVENLY) {
                    ASSERT_EQ(most, (count + ranks - 1) / ranks);
                }
            }
}

TEST(Shards, AreHalvedAlongTheNodes)
{
    EXPECT_EQ(shares(16, {3}), (std::vector<int>{8, 4, 4}));
    EXPECT_EQ(shares(16, {3, 1}), (std::vector<int>{4, 2, 2, 8}));
    EXPECT_EQ(shares(16, {1, 3, 2}), (std::vector<int>{8, 2, 1, 1, 2, 2}));
    EXPECT_EQ(shares(16, {3, 1}, LS_SHARDS_EVENLY), (std::vector<int>{4, 4, 4, 4}));
    EXPECT_EQ(shares(16, {2, 1}, LS_SHARDS_EVENLY), (std::vector<int>{5, 5, 6}));
}

TEST(Shards, EvenlyIsByTreeOnPowersOfTwoOfRanks)
{
    for (int count = 1; count <= 64; count++)
        for (int ranks = 1; ranks <= count; ranks *= 2)
            EXPECT_EQ(shares(count, {ranks}), shares(count, {ranks}, LS_SHARDS_EVENLY));
}

TEST(Shards, NodesAreCutWhereTheirRanksWouldHaveUnfairShares)
{
    EXPECT_EQ(node_size(4, {3, 1}), 1); /* 1 + 1 + 0 and 2 */
    EXPECT_EQ(node_size(3, {2, 1}), 1);
    EXPECT_EQ(node_size(6, {1, 3, 2}), 1);
    EXPECT_EQ(node_size(6, {2, 2, 2}), 1);
    EXPECT_EQ(node_size(64, {24, 24, 16}), 8);
    EXPECT_EQ(node_size(16, {3}), 0); /* no cut makes it better */
    EXPECT_EQ(node_size(16, {2, 2, 2}), 0);
    EXPECT_EQ(node_size(12, {3, 3, 3, 3}), 0);
    EXPECT_EQ(node_size(4, {3, 1}, LS_SHARDS_EVENLY), 0);
}

TEST(Shards, NoRankOfCutNodesIsLeftOut)
{
    for (Nodes nodes : {Nodes{3, 1}, {2, 1}, {1, 3, 2}, {4, 4, 4}, {6, 2}, {5, 1, 1, 1}})
        for (int count = std::accumulate(nodes.begin(), nodes.end(), 0); count < 40; count++) {
            Nodes cut = nodes;
            if (int size = node_size(count, nodes))
                cut.assign((size_t)(std::accumulate(nodes.begin(), nodes.end(), 0) / size), size);
            std::vector<int> all = shares(count, cut);
            EXPECT_GT(*std::min_element(all.begin(), all.end()), 0)
                << count << " shards on " << nodes.size() << " nodes";
        }
}

TEST(Shards, PartialsAreTheDepthOfTheTree)
{
    EXPECT_EQ(ls_sum_order_levels(1), 0);
    EXPECT_EQ(ls_sum_order_levels(2), 1);
    EXPECT_EQ(ls_sum_order_levels(3), 2);
    EXPECT_EQ(ls_sum_order_levels(8), 3);
    EXPECT_EQ(ls_sum_order_levels(9), 4);
}

TEST(Shards, GradientsOfOwnShardsAreAdded)
{
    for (int count : {1, 2, 3, 7, 16})
        for (int ranks = 1; ranks <= count; ranks++) {
            Counting counting;
            double sum = 0, weight = 0;
            for (int rank = 0; rank < ranks; rank++) {
                ls_shards shards = cut(count, rank, {ranks});
                std::vector<real> gradient((size_t)counting.params->size);
                ls_shards_allocate(&shards, counting.params, gradient.data());
                std::vector<real> x((size_t)(4 * count));
                ls_batch batch = {};
                batch.first = 4L * shards.begin;
                batch.rows = 4L * (shards.end - shards.begin);
                batch.total = 4L * count;
                batch.x_shape = {1, {1}};
                batch.x = x.data();
                ls_pass pass = {};
                ls_sums sums = {};
                ls_shards_gradient(&shards, &counting.objective, 0, &batch, &pass, &sums);
                sum += gradient[39];
                weight += sums.at[LS_SUM_WEIGHT];
                ls_shards_release(&shards);
            }
            EXPECT_EQ(sum, count * (count + 1) / 2);
            EXPECT_EQ(weight, 4 * count);
        }
}

/* Slot 1 is told by every shard, slot 0 by none. What is heard comes once, after the last shard,
 * and then the sum of slot 1 is the tree over all shards, to the last bit. */
TEST(Shards, TellASlotWhenItsSumIsComplete)
{
    struct Heard {
        std::vector<real> gradient, seen;
        int calls = 0;
    };
    static const auto number = [](int shard) { return (real)std::sin(1e3 * shard + 1); };
    std::function<real(int, int)> tree = [&](int begin, int end) -> real {
        const int middle = begin + (end - begin) / 2;
        return end - begin == 1 ? number(begin) : tree(begin, middle) + tree(middle, end);
    };
    for (int count = 1; count <= 20; count++) {
        Counting counting;
        ls_shape shape = {1, {24}};
        ls_initializer zero = {};
        ls_params_claim(counting.params, "net/b", LS_SLOT_BIAS, &shape, &zero, nullptr);
        counting.objective.phase[0].slots = ls_slots_all(counting.params);
        counting.type.gradient = [](ls_objective *objective, int, const ls_batch *shard,
                                    const ls_pass *pass, ls_sums *sums) {
            const int last = 1;
            *sums = {};
            std::fill_n(pass->gradient, objective->task.params->size, number((int)shard->first));
            if (pass->finished)
                pass->finished(pass->listener, &last, 1);
        };
        Heard heard;
        heard.gradient.resize((size_t)counting.params->size);
        ls_shards shards = cut(count, 0, {1});
        ls_shards_allocate(&shards, counting.params, heard.gradient.data());
        ls_batch batch = {};
        batch.rows = batch.total = count;
        ls_pass pass = {};
        ls_sums sums = {};
        pass.listener = &heard;
        pass.finished = [](void *listener, const int *slots, int told) {
            Heard *heard = (Heard *)listener;
            EXPECT_TRUE(told == 1 && slots[0] == 1);
            heard->calls++;
            heard->seen = heard->gradient;
        };
        ls_shards_gradient(&shards, &counting.objective, 0, &batch, &pass, &sums);
        EXPECT_EQ(heard.calls, 1);
        for (int i = 0; i < 24; i++)
            EXPECT_EQ(heard.seen[(size_t)counting.params->slots[1].offset + i], tree(0, count));
        EXPECT_EQ(heard.gradient, std::vector<real>(heard.gradient.size(), tree(0, count)))
            << count << " shards";
        ls_shards_release(&shards);
    }
}

/* 5 carried rows do not divide into 1 to 16 shards; each shard writes its rows' numbers into them,
 * and what it has no share in stays. */
TEST(Shards, GetTheirOwnOfTheCarriedRows)
{
    const long rows = 5;
    for (int count : {1, 2, 3, 4, 16})
        for (int ranks = 1; ranks <= count; ranks++)
            for (int rank = 0; rank < ranks; rank++) {
                Counting counting;
                counting.objective.row_states = {1, {{"chains", rows, 2, false}}};
                ls_shards shards = cut(count, rank, {ranks});
                std::vector<real> gradient((size_t)counting.params->size);
                ls_shards_allocate(&shards, counting.params, gradient.data());
                const long first = rows * shards.begin / count, end = rows * shards.end / count;
                std::vector<real> data(2 * (size_t)(end - first) + 1, -1);
                const ls_carried own = {first, end - first, data.data()};
                ls_batch batch = {};
                ls_pass pass = {};
                ls_sums sums = {};
                pass.carried = &own;
                ls_shards_gradient(&shards, &counting.objective, 0, &batch, &pass, &sums);
                for (long r = first; r < end; r++)
                    EXPECT_EQ(data[2 * (size_t)(r - first)], r + 1) << count << ", rank " << rank;
                EXPECT_EQ(data.back(), -1);
                ls_shards_release(&shards);
            }
}
