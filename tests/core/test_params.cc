/* Slots, intervals, initial values and storage layouts of the parameter array. */
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

extern "C" {
#include "core/memory.h"
#include "core/params.h"
}

namespace
{

const ls_initializer zero = {};

int claim(ls_params *params, const char *name, long out, long in, ls_initializer initializer = zero,
          const ls_layout *layout = NULL)
{
    ls_shape shape = {2, {out, in}};
    return ls_params_claim(params, name, LS_SLOT_WEIGHT, &shape, &initializer, layout);
}

/* Rows in reverse order, with one row of padding before them. */
long reversed_size(const ls_layout *, const ls_shape *shape)
{
    return ls_shape_count(shape) + shape->at[1];
}
void reversed_load(const ls_layout *, const ls_shape *shape, const real *logical, real *stored)
{
    for (long o = 0; o < shape->at[0]; o++)
        for (long i = 0; i < shape->at[1]; i++)
            stored[(shape->at[0] - o) * shape->at[1] + i] = logical[o * shape->at[1] + i];
}
void reversed_store(const ls_layout *, const ls_shape *shape, const real *stored, ls_interval rows,
                    real *logical)
{
    for (long o = rows.begin; o < rows.end; o++)
        for (long i = 0; i < shape->at[1]; i++)
            *logical++ = stored[(shape->at[0] - o) * shape->at[1] + i];
}
const ls_layout reversed = {reversed_size, reversed_load, reversed_store, 1};

std::vector<real> initial(ls_initializer initializer, uint64_t seed, long out, long in,
                          const ls_layout *layout = NULL)
{
    ls_params *params = ls_params_create();
    int slot = claim(params, "net/layer/weight", out, in, initializer, layout);
    std::vector<real> values(params->size), logical(out * in);
    ls_params_commit(params, values.data(), NULL);
    ls_params_initialize(params, seed, NULL);
    ls_params_store(params, slot, values.data(), logical.data());
    ls_params_destroy(params);
    return logical;
}

} /* namespace */

TEST(Params, SlotsAreAlignedAndDoNotOverlap)
{
    ls_params *params = ls_params_create();
    long end = 0;
    for (int i = 0; i < 20; i++) {
        int slot = claim(params, ("n/l" + std::to_string(i) + "/w").c_str(), i + 1, 7);
        EXPECT_EQ(0, params->slots[slot].offset % LS_SLOT_ALIGN);
        EXPECT_GE(params->slots[slot].offset, end);
        end = params->slots[slot].offset + params->slots[slot].size;
    }
    EXPECT_GE(params->size, end);
    EXPECT_EQ(3, ls_params_find(params, "n/l3/w"));
    EXPECT_EQ(-1, ls_params_find(params, "n/l3/b"));
    EXPECT_EQ(7 * 210, ls_params_trained(params));
    ls_params_destroy(params);
}

TEST(Params, IntervalsStaySortedAndJoined)
{
    ls_slots slots = {};
    ls_slots_add(&slots, 4, 6);
    ls_slots_add(&slots, 0, 2);
    ls_slots_add(&slots, 8, 9);
    ASSERT_EQ(3, slots.count);
    ls_slots_add(&slots, 2, 4); /* closes the gap */
    ASSERT_EQ(2, slots.count);
    EXPECT_EQ(0, slots.at[0].begin);
    EXPECT_EQ(6, slots.at[0].end);
    ls_slots_add(&slots, 3, 20); /* swallows the rest */
    ASSERT_EQ(1, slots.count);
    EXPECT_EQ(20, slots.at[0].end);
    EXPECT_TRUE(ls_slots_contain(&slots, 19));
    EXPECT_FALSE(ls_slots_contain(&slots, 20));
    ls_slots_add(&slots, 30, 30);
    EXPECT_EQ(1, slots.count);
}

TEST(Params, InitialValuesHaveTheTextbooksSpread)
{
    const long out = 300, in = 200;
    struct Case {
        ls_initializer initializer;
        double std;
    } cases[] = {
        {{LS_INIT_HE, 0, in, out, {}}, std::sqrt(2.0 / in)},
        {{LS_INIT_XAVIER, 0, in, out, {}}, std::sqrt(6.0 / (in + out)) / std::sqrt(3.0)},
        {{LS_INIT_NORMAL, 0.02, in, out, {}}, 0.02},
        {{LS_INIT_UNIFORM, 0.3, in, out, {}}, 0.3 / std::sqrt(3.0)},
    };
    for (const Case &c : cases) {
        double sum = 0, squares = 0;
        for (real w : initial(c.initializer, 5, out, in)) {
            sum += w;
            squares += (double)w * w;
        }
        EXPECT_NEAR(0, sum / (out * in), 5 * c.std / std::sqrt(out * in));
        EXPECT_NEAR(c.std, std::sqrt(squares / (out * in)), 0.02 * c.std);
    }
}

TEST(Params, InitialValuesDependOnSeedAndNotOnLayout)
{
    ls_initializer he = {LS_INIT_HE, 0, 8, 8, {}};
    EXPECT_EQ(initial(he, 1, 9, 5), initial(he, 1, 9, 5, &reversed));
    EXPECT_NE(initial(he, 1, 9, 5), initial(he, 2, 9, 5));
}

TEST(Params, LayoutKeepsItsPaddingAtZero)
{
    ls_params *params = ls_params_create();
    int slot = claim(params, "a/b/c", 3, 2, {LS_INIT_NORMAL, 1, 1, 1, {}}, &reversed);
    std::vector<real> values(params->size);
    ls_params_commit(params, values.data(), NULL);
    ls_params_initialize(params, 1, NULL);
    for (long i = 0; i < 2; i++)
        EXPECT_EQ(0, values[params->slots[slot].offset + i]);
    ls_params_destroy(params);
}

TEST(Params, InitializesOnlyTheSlotsAskedFor)
{
    ls_params *params = ls_params_create();
    claim(params, "a/b/c", 2, 2, {LS_INIT_NORMAL, 1, 1, 1, {}});
    claim(params, "a/b/d", 2, 2, {LS_INIT_NORMAL, 1, 1, 1, {}});
    std::vector<real> values(params->size, 7);
    ls_params_commit(params, values.data(), NULL);
    ls_slots second = {};
    ls_slots_add(&second, 1, 2);
    ls_params_initialize(params, 1, &second);
    EXPECT_EQ(7, values[params->slots[0].offset]);
    EXPECT_NE(7, values[params->slots[1].offset]);
    ls_params_destroy(params);
}

TEST(Memory, PlanSharesBytesOnlyBetweenLivesThatDoNotMeet)
{
    ls_block blocks[] = {
        {1000, 0, 3, 0}, {500, 2, 5, 0}, {800, 4, 9, 0}, {300, 1, 9, 0}, {64, 6, 7, 0}};
    size_t whole = ls_memory_plan(blocks, 5);
    size_t sum = 0;
    for (const ls_block &a : blocks) {
        sum += a.size;
        EXPECT_EQ(0u, a.offset % LS_ALIGN);
        EXPECT_LE(a.offset + a.size, whole);
        for (const ls_block &b : blocks) {
            bool together = &a != &b && a.first <= b.last && b.first <= a.last;
            bool meet = a.offset < b.offset + b.size && b.offset < a.offset + a.size;
            EXPECT_FALSE(together && meet);
        }
    }
    EXPECT_LT(whole, sum);
}

TEST(Memory, CountsWhatIsHeld)
{
    size_t held = ls_memory_held(), blocks = ls_memory_blocks();
    char *a = (char *)ls_alloc(3, 1000);
    a = (char *)ls_realloc(a, 7, 1000);
    EXPECT_EQ(held + 7000, ls_memory_held());
    EXPECT_EQ(blocks + 1, ls_memory_blocks());
    EXPECT_EQ(0u, (uintptr_t)a % LS_ALIGN);
    EXPECT_EQ(0, a[6999]);
    ls_free(a);
    EXPECT_EQ(held, ls_memory_held());
    EXPECT_EQ(blocks, ls_memory_blocks());
}
