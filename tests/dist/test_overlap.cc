/* overlap: sums that begin while gradients are being computed, in any order and at any time. */
#include "world.h"

#include <unistd.h>

#include <algorithm>
#include <random>

namespace
{
/* Two phases over slots of several buckets, whose ranks finish them in turn with pauses. */
struct Steps {
    Steps() : chance((unsigned)world->rank)
    {
        const long sizes[] = {150000, 64, 16, 128, 70000, 64, 320000, 48, 32, 9008, 90000, 16};
        for (long size : sizes) {
            ls_shape shape = {1, {size}};
            ls_initializer zero = {};
            ls_params_claim(params, std::to_string(params->count).c_str(), LS_SLOT_WEIGHT, &shape,
                            &zero, nullptr);
        }
        for (int s = 0; s < params->count; s++)
            ls_slots_add(&trained[s % 5 == 1 || s == 4], s, s + 1);
        ls_error error = {};
        reduce = ls_reduce_create(world, params, &error);
        shared = ls_shared_create(world, (size_t)params->size * sizeof(real), &error);
        EXPECT_TRUE(reduce && shared) << error.text;
        for (int phase = 0; phase < 2; phase++)
            ls_reduce_set_phase(reduce, phase, &trained[phase], nullptr);
        norm2.resize((size_t)params->count);
    }
    ~Steps()
    {
        ls_comm_node_barrier(world);
        ls_shared_destroy(shared);
        ls_reduce_destroy(reduce);
        ls_params_destroy(params);
    }
    int random(int below)
    {
        return (int)(chance() % (unsigned)below);
    }
    void pause()
    {
        usleep(random(4) ? 0 : (useconds_t)random(1500));
    }
    ls_interval reals(int slot) const
    {
        ls_interval one = {slot, slot + 1};
        return ls_slots_reals(params, &one);
    }
    /* The slots as a backward pass finishes them: from the last to the first, or shuffled. */
    std::vector<int> order(bool shuffled)
    {
        std::vector<int> slots;
        for (int s = params->count - 1; s >= 0; s--)
            slots.push_back(s);
        if (shuffled)
            std::shuffle(slots.begin(), slots.end(), chance);
        return slots;
    }
    /* The gradient of a phase. Slots of the other are told as well: they are not its concern. */
    void compute(int phase, int step, bool shuffled)
    {
        for (int s = 0; s < params->count; s++)
            if (ls_slots_contain(&trained[phase], s))
                std::fill(reduce->gradient + reals(s).begin, reduce->gradient + reals(s).end, -7);
        for (int s : order(shuffled)) {
            if (ls_slots_contain(&trained[phase], s))
                for (long i = reals(s).begin; i < reals(s).end; i++)
                    reduce->gradient[i] = value(world->rank + 100 * step, i);
            pause();
            if (random(5)) /* else it is left to the end */
                ls_reduce_ready(reduce, &s, 1);
            if (random(3) == 0)
                ls_reduce_ready(reduce, nullptr, 0);
        }
    }
    real expected(int step, long i) const
    {
        return tree_of_nodes<real>(starts, [&](int rank) { return value(rank + 100 * step, i); });
    }
    /* Sums and updates: the parameters become the sum. */
    void take(int phase, int step, bool shuffled)
    {
        real *values = (real *)ls_shared_data(shared);
        ls_step_sums sums = {};
        sums.stop = step;
        ls_reduce_begin(reduce, phase);
        compute(phase, step, shuffled);
        ls_reduce_finish(reduce, &sums, norm2.data());
        EXPECT_EQ(sums.stop, step * world->size);
        pause();
        for (long r = 0; r < reduce->own.count; r++)
            for (long i = reduce->own.at[r].begin; i < reduce->own.at[r].end; i++)
                values[i] = reduce->gradient[i];
        ls_reduce_end(reduce);
        long wrong = 0;
        for (int s = 0; s < params->count; s++)
            for (long i = reals(s).begin + random(16); i < reals(s).end; i += 1 + random(60))
                if (ls_slots_contain(&trained[phase], s))
                    wrong += values[i] != expected(step, i);
        EXPECT_EQ(wrong, 0) << "step " << step;
    }
    std::mt19937 chance;
    ls_params *params = ls_params_create();
    ls_slots trained[2] = {};
    ls_reduce *reduce;
    ls_shared *shared;
    std::vector<double> norm2;
    std::vector<int> starts = node_starts();
};
} /* namespace */

TEST(Overlap, AnyOrderAndTimeOfReadyGivesTheTree)
{
    Steps steps;
    for (int step = 0; step < 5; step++) {
        steps.take(0, 2 * step, step == 3);
        steps.take(1, 2 * step + 1, step % 2);
    }
}

/* Some ranks have no rows in the first step, from which the order is learned, and later ones. */
TEST(Overlap, RanksThatTellNothingAreWaitedFor)
{
    Steps steps;
    ls_step_sums sums = {};
    for (int step = 0; step < 3; step++) {
        ls_reduce_begin(steps.reduce, 0);
        const bool rows = (world->rank + step) % 2;
        if (rows)
            steps.compute(0, step, false);
        else
            std::fill_n(steps.reduce->gradient, steps.params->size, (real)0);
        ls_reduce_finish(steps.reduce, &sums, steps.norm2.data());
        long wrong = 0;
        for (long r = 0; r < steps.reduce->own.count; r++)
            for (long i = steps.reduce->own.at[r].begin; i < steps.reduce->own.at[r].end; i += 7)
                wrong +=
                    steps.reduce->gradient[i] != tree_of_nodes<real>(steps.starts, [&](int rank) {
                        return (rank + step) % 2 ? value(rank + 100 * step, i) : (real)0;
                    });
        EXPECT_EQ(wrong, 0) << "step " << step;
        /* Without ls_reduce_end: nothing was updated. */
    }
}
