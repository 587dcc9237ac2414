/* main: the tests of dist on all ranks of one mpirun; rank 0 speaks, the others only of failures.
 * LOCKSTEP_TEST_REGROUP=2 cuts the nodes into nodes of 2 ranks first; LOCKSTEP_TEST_FATAL=1 runs
 * none: the last rank fails a check while the others wait for it. */
#include "world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

ls_comm *world;

real value(int owner, long i)
{
    uint64_t x = ((uint64_t)owner << 40) + (uint64_t)i + 1;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    double scale[] = {1e-3, 1, 1, 30, 1e3};
    return (real)(((double)(x >> 40) / (1 << 23) - 1) * scale[x % 5]);
}

long node_index()
{
    std::vector<long> first((size_t)world->size, 0); /* of each node */
    first[(size_t)world->rank] = world->node_rank == 0;
    ls_comm_sum_long(world, first.data(), (long)first.size());
    return std::count(first.begin(), first.begin() + world->rank + 1, 1) - 1;
}

std::vector<long> node_sizes()
{
    std::vector<long> sizes((size_t)world->nodes, 0);
    long index = node_index();
    if (world->node_rank == 0)
        sizes[(size_t)index] = world->node_size;
    ls_comm_sum_long(world, sizes.data(), (long)sizes.size());
    return sizes;
}

std::vector<int> node_starts()
{
    std::vector<int> starts(1, 0);
    for (long size : node_sizes())
        starts.push_back(starts.back() + (int)size);
    return starts;
}

namespace
{
class Failures : public testing::EmptyTestEventListener
{
    void OnTestPartResult(const testing::TestPartResult &result) override
    {
        if (result.failed())
            fprintf(stderr, "rank %d: %s:%d: %s\n", world->rank,
                    result.file_name() ? result.file_name() : "?", result.line_number(),
                    result.message());
    }
};
} /* namespace */

int main(int argc, char **argv)
{
    world = ls_comm_open(&argc, &argv);
    testing::InitGoogleTest(&argc, argv);
    if (const char *size = getenv("LOCKSTEP_TEST_REGROUP"))
        ls_comm_regroup(world, atoi(size));
    if (getenv("LOCKSTEP_TEST_FATAL")) {
        ls_check(world->rank < world->size - 1, "failed on purpose");
        ls_comm_barrier(world);
    }
    if (world->rank > 0) {
        auto &listeners = testing::UnitTest::GetInstance()->listeners();
        delete listeners.Release(listeners.default_result_printer());
        listeners.Append(new Failures);
    }
    bool passed = RUN_ALL_TESTS() == 0;
    passed = ls_comm_agree(world, passed, nullptr);
    ls_comm_close(world);
    return passed ? 0 : 1;
}
