/* shared: one array a node, and the space for it. */
#include "world.h"

#include <cstdlib>
#include <cstring>

namespace
{
/* Pretends that a node has `bytes` for shared memory while it lives. */
struct Limit {
    explicit Limit(const char *bytes)
    {
        setenv("LOCKSTEP_SHARED_LIMIT", bytes, 1);
    }
    ~Limit()
    {
        unsetenv("LOCKSTEP_SHARED_LIMIT");
    }
};

/* Whether any rank shares memory with another. **Collective.** */
bool sharing()
{
    return ls_comm_max(world, world->node_size) > 1;
}
} /* namespace */

TEST(Shared, ArrayIsOneForTheNode)
{
    const long n = 100003;
    ls_error error = {};
    ls_shared *shared = ls_shared_create(world, n * sizeof(int), &error);
    EXPECT_NE(shared, nullptr) << error.text;
    int *data = (int *)ls_shared_data(shared);
    EXPECT_EQ((uintptr_t)data % LS_ALIGN, 0u);
    long not_zero = 0;
    for (long i = 0; i < n; i++)
        not_zero += data[i] != 0;
    EXPECT_EQ(not_zero, 0);
    ls_comm_node_barrier(world);
    int size = world->node_size;
    for (long i = world->node_rank; i < n; i += size)
        data[i] = (int)(i % size) + 1;
    ls_comm_node_barrier(world);
    long wrong = 0;
    for (long i = 0; i < n; i++)
        wrong += data[i] != (int)(i % size) + 1;
    EXPECT_EQ(wrong, 0);
    ls_comm_node_barrier(world);
    ls_shared_destroy(shared);
}

TEST(Shared, ArraysComeAndGo)
{
    size_t before = ls_memory_blocks();
    for (int i = 0; i < 20; i++) {
        ls_shared *one = ls_shared_create(world, (size_t)i, nullptr);
        ls_shared *two = ls_shared_create(world, 4096, nullptr);
        EXPECT_NE(ls_shared_data(one), ls_shared_data(two));
        ls_shared_destroy(one);
        ls_shared_destroy(two);
    }
    EXPECT_EQ(ls_memory_blocks(), before);
}

TEST(Shared, RoomIsAskedForBeforeUse)
{
    ls_error error = {};
    EXPECT_TRUE(ls_shared_room(world, 1000, &error)) << error.text;
    bool shares = sharing();
    EXPECT_EQ(ls_shared_room(world, (size_t)1 << 50, &error), !shares);
    EXPECT_EQ(strstr(error.text, "shared memory in /") != nullptr, shares) << error.text;
}

TEST(Shared, TooLittleRoomIsAnErrorOnEveryRank)
{
    Limit limit("100000");
    ls_error error = {};
    bool shares = sharing();
    EXPECT_TRUE(ls_shared_room(world, 10000, &error)) << error.text;
    EXPECT_EQ(ls_shared_room(world, 200000, &error), !shares);
    size_t before = ls_memory_blocks();
    error = {};
    ls_params *params = ls_params_create();
    ls_shape shape = {1, {50000}};
    ls_initializer zero = {};
    ls_params_claim(params, "net/w", LS_SLOT_WEIGHT, &shape, &zero, nullptr);
    ls_reduce *reduce = ls_reduce_create(world, params, &error);
    EXPECT_EQ(reduce == nullptr, shares);
    if (shares) {
        EXPECT_EQ(error.code, LS_IO);
        EXPECT_NE(strstr(error.text, "0.1 MB are free"), nullptr) << error.text;
    }
    ls_reduce_destroy(reduce);
    ls_params_destroy(params);
    EXPECT_EQ(ls_memory_blocks(), before);
}
