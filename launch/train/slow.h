/* slow: which machine is slower than the others, by how long its ranks have computed, or waited for
 * their data, in the last steps.
 *
 * A machine is slow when its slowest rank computes a step at least 20 % longer than that of the
 * median machine, in three of four of its last steps: neither a late step nor a burst of other work
 * is called slow. Ranks with more rows take longer, and short shards cost more a row, so it must be
 * so by seconds and by seconds a row; and these steps must lose a hundredth of a second by it,
 * since steps of microseconds are late for any reason. Once slow, it stays so until it is less than
 * 10 % slower, or another is 20 % slower than it. */
#pragma once

enum { LS_SLOW_STEPS = 20 }; /* that are looked at */

/* The computing of a step: the median of the last steps, and what three of four of them take at
 * least. */
typedef struct ls_slow_pace {
    double usual, least;
} ls_slow_pace;
typedef struct ls_slow_rank {
    ls_slow_pace step, row; /* seconds; seconds a row, 0 for a rank without rows */
} ls_slow_rank;

/* Of seconds[LS_SLOW_STEPS], in any order. */
ls_slow_pace ls_slow_pace_of(const double *seconds);

typedef struct ls_slow {
    int machine; /* the slow one; -1: none is */
    double seconds,
        median; /* of a step, as a rule: of its slowest rank, and of the median machine */
} ls_slow;

/* Of ranks numbered machine by machine, of sizes[machines] ranks each. `before`: the machine that
 * was slow when this was last asked, or -1. */
ls_slow ls_slow_find(const ls_slow_rank *ranks, const int *sizes, int machines, int before);
