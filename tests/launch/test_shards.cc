/* shards: every shard falls to one rank, for all counts of ranks and shards; how gradients are
 * added. */
#include <gtest/gtest.h>

#include <vector>

extern "C" {
#include "dist/sum_order.h"
#include "launch/train/shards.h"
}

namespace
{

ls_shards cut(int count, int rank, int ranks)
{
    ls_shards shards = {};
    ls_shards_cut(&shards, count, rank, ranks);
    return shards;
}

/* Whether halving [first, last) again and again gives [begin, end). */
bool is_node(int first, int last, int begin, int end)
{
    int middle = first + (last - first) / 2;
    if (first == begin && last == end)
        return true;
    return last - first > 1 &&
           (end <= middle ? is_node(first, middle, begin, end) : is_node(middle, last, begin, end));
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

TEST(Shards, EachFallsToOneRank)
{
    for (int count = 1; count <= 40; count++)
        for (int ranks = 1; ranks <= count; ranks++) {
            int next = 0, most = ls_shards_most(count, ranks);
            for (int rank = 0; rank < ranks; rank++) {
                ls_shards shards = cut(count, rank, ranks);
                ASSERT_EQ(shards.begin, next) << count << " shards, " << ranks << " ranks";
                ASSERT_GT(shards.end, shards.begin);
                ASSERT_LE(shards.end - shards.begin, most);
                next = shards.end;
            }
            ASSERT_EQ(next, count);
        }
}

TEST(Shards, PowersOfTwoOfRanksHoldNodesOfTheTree)
{
    for (int count = 1; count <= 64; count++)
        for (int ranks = 1; ranks <= count; ranks *= 2)
            for (int rank = 0; rank < ranks; rank++) {
                ls_shards shards = cut(count, rank, ranks);
                ASSERT_TRUE(is_node(0, count, shards.begin, shards.end))
                    << rank << " of " << ranks << " ranks, " << count << " shards";
            }
}

TEST(Shards, PartialsAreTheDepthOfTheTree)
{
    EXPECT_EQ(ls_shards_partials(1), 0);
    EXPECT_EQ(ls_shards_partials(2), 1);
    EXPECT_EQ(ls_shards_partials(3), 2);
    EXPECT_EQ(ls_shards_partials(8), 3);
    EXPECT_EQ(ls_shards_partials(9), 4);
}

TEST(Shards, GradientsOfOwnShardsAreAdded)
{
    for (int count : {1, 2, 3, 7, 16})
        for (int ranks = 1; ranks <= count; ranks++) {
            Counting counting;
            double sum = 0, weight = 0;
            for (int rank = 0; rank < ranks; rank++) {
                ls_shards shards = cut(count, rank, ranks);
                std::vector<real> gradient((size_t)counting.params->size);
                ls_shards_allocate(&shards, counting.params, ranks, gradient.data());
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
