/* gather: numbers of all nodes, in the order of the nodes. */
#include "world.h"

extern "C" {
#include "dist/gather.h"
}

TEST(Gather, EveryNodeGetsTheNumbersOfAll)
{
    const int count = 3;
    ls_waiting waiting = {};
    std::vector<double> mine, all((size_t)(2 * world->nodes * count), -1);
    for (int k = 0; k < count; k++)
        mine.push_back(100 * world->node_index + k);
    if (world->node_rank == 0)
        ls_gather_nodes(world, &waiting, mine.data(), count, all.data());
    for (int n = 0; world->node_rank == 0 && n < world->nodes; n++)
        for (int k = 0; k < count; k++)
            EXPECT_EQ(all[(size_t)(n * count + k)], 100 * n + k);
    ls_comm_barrier(world);
}
