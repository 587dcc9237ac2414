/* buckets: what a phase trains is cut so that every rank has its share of each bucket. */
#include "world.h"

#include <algorithm>

namespace
{
struct Slots {
    explicit Slots(const std::vector<long> &sizes)
    {
        for (size_t s = 0; s < sizes.size(); s++) {
            ls_shape shape = {1, {sizes[s]}};
            ls_initializer zero = {};
            ls_params_claim(params, std::to_string(s).c_str(), LS_SLOT_WEIGHT, &shape, &zero,
                            nullptr);
        }
    }
    ~Slots()
    {
        ls_params_destroy(params);
    }
    ls_buckets *cut(const ls_slots &slots, const std::vector<int> &order, ls_buckets_cut cut) const
    {
        return ls_buckets_create(params, &slots, order.data(), (int)order.size(), &cut);
    }
    /* The slot that a real lies in. */
    int slot_at(long real) const
    {
        int s = 0;
        while (s + 1 < params->count && params->slots[s + 1].offset <= real)
            s++;
        return s;
    }
    ls_params *params = ls_params_create();
};

long length(const ls_runs &runs)
{
    long sum = 0;
    for (long i = 0; i < runs.count; i++)
        sum += runs.at[i].end - runs.at[i].begin;
    return sum;
}
} /* namespace */

TEST(Buckets, EveryRankHasItsShareOfEachBucketAndNoPieceIsCut)
{
    const Slots all({300000, 64, 16, 128, 2000000, 64, 0, 48, 32, 9008, 150000, 16});
    ls_slots some = {};
    ls_slots_add(&some, 0, 8);
    ls_slots_add(&some, 9, 11);
    const std::vector<int> order = {10, 7, 5, 4, 3, 9};
    for (int ranks : {1, 2, 3, 8}) {
        std::vector<int> owners((size_t)all.params->size, 0);
        std::vector<long> most, least;
        for (int rank = 0; rank <= ranks; rank++) {
            ls_buckets *buckets = all.cut(some, order, {ranks, rank, false, nullptr});
            most.resize((size_t)buckets->count, 0);
            least.resize((size_t)buckets->count, buckets->own.count ? 1L << 40 : 0);
            EXPECT_EQ(buckets->own.count > 0, rank < ranks);
            for (long b = 0; b < buckets->count; b++) {
                const ls_runs &own = buckets->at[b].own;
                const size_t at = (size_t)b;
                EXPECT_LE(length(own), ls_buckets_share(all.params, ranks));
                if (rank < ranks) {
                    most[at] = std::max(most[at], length(own));
                    least[at] = std::min(least[at], length(own));
                }
                for (long i = 0; i < own.count; i++) {
                    for (long begin : {own.at[i].begin, own.at[i].end})
                        EXPECT_TRUE(begin % LS_SLICE_ALIGN == 0 || begin == all.params->size ||
                                    begin == all.params->slots[all.slot_at(begin)].offset)
                            << begin;
                    for (long k = own.at[i].begin; k < own.at[i].end; k++) {
                        const ls_interval of = buckets->of[all.slot_at(k)];
                        owners[(size_t)k] += of.begin <= b && b < of.end ? 1 : 100;
                    }
                }
            }
            long joined = 0;
            for (long i = 0; i < buckets->own.count; i++) {
                joined += buckets->own.at[i].end - buckets->own.at[i].begin;
                EXPECT_TRUE(i == 0 || buckets->own.at[i - 1].end < buckets->own.at[i].begin);
            }
            for (long b = 0; b < buckets->count; b++)
                joined -= length(buckets->at[b].own);
            EXPECT_EQ(joined, 0);
            ls_buckets_destroy(buckets);
        }
        for (size_t b = 0; b + 1 < most.size(); b++) /* the last may be less than a block each */
            EXPECT_LE(most[b] - least[b], 2 * LS_SLICE_ALIGN) << ranks << " ranks, bucket " << b;
        long wrong = 0;
        for (long i = 0; i < all.params->size; i++)
            wrong += owners[(size_t)i] != ls_slots_contain(&some, all.slot_at(i));
        EXPECT_EQ(wrong, 0) << ranks << " ranks";
    }
}

TEST(Buckets, AreSmallerTheLessIsStillToCome)
{
    const Slots all({900000, 3000000, 20000, 30000000, 5000, 40000});
    const ls_slots slots = ls_slots_all(all.params);
    ls_buckets *buckets = all.cut(slots, {}, {1, 0, false, nullptr});
    long left = all.params->size;
    for (long b = 0; b < buckets->count; b++) {
        const long own = length(buckets->at[b].own), part = left / LS_BUCKET_PARTS;
        const long wanted = std::min(std::max(part, long{LS_BUCKET_LEAST}), long{LS_BUCKET_MOST});
        EXPECT_LE(own, wanted) << b;
        EXPECT_TRUE(own > wanted - LS_SLICE_ALIGN || b + 1 == buckets->count) << b;
        left -= own;
    }
    EXPECT_EQ(left, 0);
    ls_buckets_destroy(buckets);
}

TEST(Buckets, AreInTheOrderThatIsKnownAndThenFromTheLastSlot)
{
    const Slots all({70000, 70000, 70000, 70000, 70000, 16, 16});
    const ls_slots slots = ls_slots_all(all.params);
    ls_buckets *buckets = all.cut(slots, {2, 5, 4}, {1, 0, false, nullptr});
    EXPECT_EQ(buckets->of[2].begin, 0);
    EXPECT_LE(buckets->of[2].begin, buckets->of[5].begin);
    int before = 2;
    for (int s : {5, 4, 6, 3, 1, 0}) {
        EXPECT_GE(buckets->of[s].begin, buckets->of[before].end - 1) << s;
        before = s;
    }
    EXPECT_EQ(buckets->count, buckets->of[0].end);
    int lie = 0;
    for (long b = 0; b < buckets->count; b++)
        lie += buckets->at[b].slots;
    for (int s = 0; s < all.params->count; s++)
        lie -= (int)(buckets->of[s].end - buckets->of[s].begin);
    EXPECT_EQ(lie, 0);
    ls_buckets_destroy(buckets);
    buckets = all.cut({}, {}, {2, 1, false, nullptr});
    EXPECT_EQ(buckets->count, 0);
    EXPECT_EQ(buckets->own.count, 0);
    ls_buckets_destroy(buckets);
    buckets = all.cut(slots, {}, {4, 1, true, nullptr}); /* as one bucket: the second quarter */
    EXPECT_EQ(buckets->count, 1);
    EXPECT_EQ(buckets->own.count, 1);
    const long quarter = all.params->size / 4;
    EXPECT_LT(buckets->own.at[0].begin - quarter, LS_SLICE_ALIGN);
    EXPECT_LT(buckets->own.at[0].end - 2 * quarter, LS_SLICE_ALIGN);
    ls_buckets_destroy(buckets);
}

TEST(Buckets, HoldASlotThatStandsAloneWhateverItsSize)
{
    const Slots all({70000, 16, 9000000, 16, 16});
    const ls_slots slots = ls_slots_all(all.params);
    const bool alone[] = {false, true, true, false, false};
    ls_buckets *buckets = all.cut(slots, {}, {2, 1, false, alone});
    std::vector<int> found;
    for (long b = 0; b < buckets->count; b++)
        found.push_back(buckets->at[b].alone);
    ASSERT_GE(found.size(), 3u);
    EXPECT_EQ(std::vector<int>(found.begin(), found.begin() + 3), (std::vector<int>{-1, 2, 1}));
    for (int s : {1, 2}) {
        EXPECT_EQ(buckets->of[s].end, buckets->of[s].begin + 1);
        EXPECT_EQ(buckets->at[buckets->of[s].begin].slots, 1);
    }
    EXPECT_NEAR((double)length(buckets->at[1].own), 4500000, LS_SLICE_ALIGN);
    EXPECT_EQ(buckets->at[0].slots, 2);
    for (size_t b = 3; b < found.size(); b++)
        EXPECT_EQ(found[b], -1);
    ls_buckets_destroy(buckets);
}
