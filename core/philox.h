/* philox: the ten rounds of Philox4x32 (random.h) on many counters side by side, in vectors. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { LS_PHILOX_LANES = 64 };

/* Blocks of four words: word k of block i is word[k][i]. */
typedef struct ls_philox {
    uint32_t word[4][LS_PHILOX_LANES];
} ls_philox;

/* The first `count` blocks are counters, and become random words. Words of other blocks are lost.
 */
void ls_philox_run(const uint32_t key[2], long count, ls_philox *blocks);

/* The same on an instruction set. */
typedef struct ls_philox_way {
    const char *name;
    bool (*can)(void); /* whether this processor has the instructions */
    void (*run)(const uint32_t key[2], long count, ls_philox *blocks);
} ls_philox_way;
/* All that were compiled, the best first; the last one, "plain", runs everywhere. */
extern const ls_philox_way ls_philox_ways[];
