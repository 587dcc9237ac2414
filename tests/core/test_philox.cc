/* Philox on every instruction set that this processor has: the known answers of Random123
 * (kat_vectors), and the same words as the plain loop for any number of blocks. */
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include "core/philox.h"
}

namespace
{

using Words = std::vector<uint32_t>;

std::vector<const ls_philox_way *> ways()
{
    std::vector<const ls_philox_way *> found;
    for (const ls_philox_way *way = ls_philox_ways;; way++) {
        if (way->can())
            found.push_back(way);
        if (std::string(way->name) == "plain")
            return found;
    }
}

TEST(Philox, GivesTheKnownAnswers)
{
    const struct {
        Words counter, key, answer;
    } known[] = {{{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                 {Words(4, 0xffffffff),
                  Words(2, 0xffffffff),
                  {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                 {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                  {0xa4093822, 0x299f31d0},
                  {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
    for (const ls_philox_way *way : ways())
        for (const auto &k : known)
            for (int lane : {0, 1, 17, LS_PHILOX_LANES - 1}) {
                ls_philox blocks = {};
                for (int i = 0; i < 4; i++)
                    blocks.word[i][lane] = k.counter[i];
                way->run(k.key.data(), LS_PHILOX_LANES, &blocks);
                for (int i = 0; i < 4; i++)
                    EXPECT_EQ(blocks.word[i][lane], k.answer[i]) << way->name << lane;
            }
}

TEST(Philox, GivesTheSameWordsOnEveryInstructionSet)
{
    ls_philox counters;
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < LS_PHILOX_LANES; i++)
            counters.word[k][i] = 2654435761u * (uint32_t)(k * LS_PHILOX_LANES + i);
    const uint32_t key[2] = {0xdeadbeef, 0x01234567};
    for (long count = 0; count <= LS_PHILOX_LANES; count++) {
        ls_philox expected = counters;
        ways().back()->run(key, count, &expected);
        for (const ls_philox_way *way : ways()) {
            ls_philox found = counters;
            way->run(key, count, &found);
            for (int k = 0; k < 4; k++)
                for (long i = 0; i < count; i++)
                    ASSERT_EQ(found.word[k][i], expected.word[k][i]) << way->name << count;
        }
        ls_philox found = counters;
        ls_philox_run(key, count, &found);
        for (int k = 0; k < 4; k++)
            EXPECT_EQ(std::memcmp(found.word[k], expected.word[k], (size_t)count * 4), 0);
    }
}

} /* namespace */
