/* crew: many equal pieces of work, shared by the threads of all members of a team, and their
 * results in order.
 *
 * The items 0, 1, 2, ... are worked on in rounds. A round is one run of items for each member, in
 * the order of the members; the threads of a member take the items of its run one by one, so that a
 * costly one holds up one thread only. While the threads work on a round, the main thread, which
 * alone may talk to other members, brings in the round before: member 0 takes its own results, then
 * those of members 1, 2, ..., which is the order of the items.
 *
 *     member 0   | items 0-2  | items 9-11  | items 18-20 ...
 *     member 1   | items 3-5  | items 12-14 |
 *     member 2   | items 6-8  | items 15-17 |
 *     main thread of 0        | takes 0-8   | takes 9-17 ...
 *
 * So the results come one by one in the order of the items on any number of members and threads,
 * and what is made of them is the same to the byte. An item's result must be a function of the item
 * alone.
 *
 * Memory: two rounds of results on each member, a third on member 0 where there are others. A
 * member's run has so many items that its results fill LS_CREW_BYTES (one item, if that is larger),
 * but no more than a fair share of all items. What all items need together is never held. */
#pragma once
#include "io/import/team.h"

enum { LS_CREW_BYTES = 1 << 25 };

typedef struct ls_crew {
    const ls_team *team; /* NULL: this process alone */
    int threads;         /* of this member, beside its main thread: 1 or more */
    long items;
    size_t bytes; /* of a result */
    void *context;
    /* Fills the result of an item; called by several threads at a time, `thread` says by which. An
     * error ends the work. */
    bool (*work)(void *context, int thread, long item, void *result, ls_error *error);
    /* Gets the results of items [first, first + n), on member 0 only, in the order of the items. */
    bool (*take)(void *context, long first, long n, const void *results, ls_error *error);
} ls_crew;

/* To be called by all members of the team, which all return the same: whether all items are done,
 * else the error of the lowest member that has one. */
bool ls_crew_run(const ls_crew *crew, ls_error *error);
