/* clocks: what two ranks call now is the same moment. */
#include "world.h"

#include <cmath>

extern "C" {
#include "dist/clocks.h"
}

/* All ranks of a test run on one machine, so their clocks are the same, and the offset that is
 * found is its error: half of the fastest message there and back, which a busy machine makes long.
 */
TEST(Clocks, OfOneMachineAreTheSame)
{
    for (int i = 0; i < 3; i++)
        EXPECT_LT(std::fabs(ls_clocks_offset(world)), 0.1);
}
