/* memory: zeroing of any size and place, and nothing beside it. */
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

extern "C" {
#include "core/memory.h"
}

TEST(Memory, ZeroesWhatItIsToldAndNothingBeside)
{
    const size_t sizes[] = {0, 1, 64, 4096 + 3, (16u << 20) - 64, 16u << 20, (17u << 20) + 64};
    std::vector<char> room((18u << 20) + 256);
    char *aligned = room.data() + (64 - (size_t)room.data() % 64);
    for (size_t size : sizes)
        for (size_t shift : {0, 4}) {
            std::fill(room.begin(), room.end(), 7);
            char *at = aligned + shift;
            ls_memory_zero(at, size);
            EXPECT_EQ(std::count(at, at + size, 0), (long)size) << size;
            EXPECT_EQ(std::count(room.begin(), room.end(), 0), (long)size) << size;
        }
}
