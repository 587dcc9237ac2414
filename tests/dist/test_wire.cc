/* wire: what each rank sends to the next node has a speed, and none where there is one node. */
#include "world.h"

extern "C" {
#include "dist/wire.h"
}

TEST(Wire, IsMeasuredBetweenNodes)
{
    const double speed = ls_wire_measure(world);
    EXPECT_EQ(speed > 0, world->nodes > 1);
    EXPECT_LT(speed, 1e12);
    EXPECT_EQ(speed, ls_comm_max(world, speed)); /* the same on all ranks */
}
