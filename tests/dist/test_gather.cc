/* gather: numbers of all nodes, in the order of the nodes. */
#include "world.h"

TEST(Gather, EveryNodeGetsTheNumbersOfAll)
{
    const int count = 3;
    ls_gather *gather = world->node_rank == 0 ? ls_gather_create(world, count) : nullptr;
    for (int time = 0; gather && time < 3; time++) {
        double mine[count];
        for (int k = 0; k < count; k++)
            mine[k] = 1000 * time + 100 * world->node_index + k;
        ls_gather_start(gather, mine);
        while (!ls_gather_numbers(gather)) {
            EXPECT_NE(ls_gather_waits_for(gather), LS_BOARD_NOBODY);
            ls_gather_progress(gather);
        }
        EXPECT_EQ(ls_gather_waits_for(gather), LS_BOARD_NOBODY);
        EXPECT_FALSE(ls_gather_progress(gather));
        for (int n = 0; n < world->nodes; n++)
            for (int k = 0; k < count; k++)
                EXPECT_EQ(ls_gather_numbers(gather)[n * count + k], 1000 * time + 100 * n + k);
    }
    ls_gather_destroy(gather);
    ls_comm_barrier(world);
}
