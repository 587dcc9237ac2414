/* squares: sums by slot against plain sums; cut anywhere, the same bits; what is not finite shows.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

extern "C" {
#include "core/squares.h"
}

namespace
{

/* Slots of these sizes, some many blocks long, some many to a block, statistics among them. */
struct Array {
    explicit Array(std::vector<long> sizes)
    {
        for (size_t s = 0; s < sizes.size(); s++) {
            ls_shape shape = {1, {sizes[s]}};
            ls_initializer zero = {};
            ls_params_claim(params, ("net/" + std::to_string(s)).c_str(),
                            s % 5 == 3 ? LS_SLOT_STATE : LS_SLOT_WEIGHT, &shape, &zero, nullptr);
        }
        all = ls_slots_all(params);
        values.resize((size_t)params->size);
        for (int s = 0; s < params->count; s++)
            for (long i = 0; i < params->slots[s].size; i++)
                values[(size_t)(params->slots[s].offset + i)] =
                    (real)std::sin(0.37 * (double)i + s);
        pieces.assign((size_t)ls_squares_room(params), std::nan(""));
    }
    ~Array()
    {
        ls_params_destroy(params);
    }
    void measure(long begin, long end)
    {
        ls_squares_measure(params, values.data(), begin, end, pieces.data());
    }
    std::vector<double> add(const ls_slots &slots)
    {
        std::vector<double> norm2((size_t)params->count, -1);
        ls_squares_add(params, &slots, pieces.data(), norm2.data());
        return norm2;
    }
    ls_params *params = ls_params_create();
    ls_slots all;
    std::vector<real> values;
    std::vector<double> pieces;
};

const std::vector<long> SIZES = {40, 1, 4096, 16, 9000, 4064, 32, 7, 100003, 64, 3, 12288};

} /* namespace */

TEST(Squares, EachSlotHasItsOwnSum)
{
    Array array(SIZES);
    array.measure(0, array.params->size);
    std::vector<double> norm2 = array.add(array.all);
    for (int s = 0; s < array.params->count; s++) {
        long double sum = 0;
        for (long i = 0; i < array.params->slots[s].size; i++) {
            long double x = array.values[(size_t)(array.params->slots[s].offset + i)];
            sum += x * x;
        }
        EXPECT_NEAR(norm2[(size_t)s], (double)sum, 1e-13 * (double)sum) << s;
    }
}

TEST(Squares, SlicesGiveTheBitsOfTheWhole)
{
    Array whole(SIZES), cut(SIZES);
    whole.measure(0, whole.params->size);
    for (long end = cut.params->size, begin; end > 0; end = begin) {
        begin = (end - 1) / LS_SLICE_ALIGN * LS_SLICE_ALIGN;
        cut.measure(begin, end);
    }
    EXPECT_EQ(whole.add(whole.all), cut.add(cut.all));
}

TEST(Squares, SlotsNotAskedForAreZeroAndNeedNoMeasure)
{
    Array array(SIZES);
    ls_slots some = {};
    ls_slots_add(&some, 2, 5);
    ls_slots_add(&some, 8, 9);
    for (int i = 0; i < some.count; i++) {
        ls_interval reals = ls_slots_reals(array.params, &some.at[i]);
        array.measure(reals.begin, reals.end);
    }
    std::vector<double> norm2 = array.add(some);
    for (int s = 0; s < array.params->count; s++)
        EXPECT_EQ(norm2[(size_t)s] > 0, ls_slots_contain(&some, s)) << s;
}

TEST(Squares, TheTotalLeavesStatisticsOutButNotWhatIsNotFinite)
{
    Array array(SIZES);
    array.measure(0, array.params->size);
    std::vector<double> norm2 = array.add(array.all);
    double sum = 0;
    for (int s = 0; s < array.params->count; s++)
        sum += array.params->slots[s].kind == LS_SLOT_STATE ? 0 : norm2[(size_t)s];
    EXPECT_EQ(ls_squares_total(array.params, norm2.data()), sum);
    for (int s = 0; s < array.params->count; s++)
        for (real bad :
             {std::numeric_limits<real>::quiet_NaN(), -std::numeric_limits<real>::infinity()}) {
            const ls_slot *slot = &array.params->slots[s];
            real *last = &array.values[(size_t)(slot->offset + slot->size - 1)];
            const real good = *last;
            *last = bad;
            array.measure(0, array.params->size);
            norm2 = array.add(array.all);
            EXPECT_FALSE(std::isfinite(ls_squares_total(array.params, norm2.data()))) << s;
            *last = good;
        }
}
