/* board: what each rank does now, published where the watchdogs of its node read it (watchdog.h).
 *
 * A rank that only computes publishes by a few stores into a cache line of its own: no lock, no
 * message, no clock. Until a watchdog shares the board, nobody reads it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ls_activity {
    LS_ACTIVITY_OPENING, /* first of all: the job, the data set, a checkpoint to go on from */
    LS_ACTIVITY_READING, /* rows */
    LS_ACTIVITY_COMPUTING,
    LS_ACTIVITY_SUMMING,
    LS_ACTIVITY_UPDATING,
    LS_ACTIVITY_EVALUATING,
    LS_ACTIVITY_CHECKPOINTING,
    LS_ACTIVITY_PICTURING,
    LS_ACTIVITY_REPORTING /* to stdout and metrics.jsonl */
} ls_activity;

/* Whom a rank waits for, if not for the rank of a number. */
enum { LS_BOARD_NOBODY = -1, LS_BOARD_NODE = -2, LS_BOARD_ALL = -3 };

enum { LS_BOARD_PHASE = 24 }; /* bytes of a phase's name, cut off where it is longer */

typedef struct ls_board ls_board;

/* What rank 0, 1, ... of the node published. */
typedef struct ls_board_state {
    uint64_t moves; /* counts up whenever the rank makes progress */
    long step;
    ls_activity activity;
    int waits_for;
    char phase[LS_BOARD_PHASE]; /* "": the step has one phase only */
    /* By the rank's watchdog: how often it has looked, how often it found that the process had
     * computed or moved bytes since, the process, and the list of processes that it is in. */
    uint64_t looks, work;
    long process, processes;
} ls_board_state;

ls_board *ls_board_create(void);
void ls_board_destroy(ls_board *board);
/* The board of a node of `ranks` ranks in memory that they share, zeroed, which this rank, number
 * `mine` of the node, publishes in from here on; NULL: in memory of its own again. */
size_t ls_board_bytes(int ranks);
void ls_board_share(ls_board *board, void *memory, int mine);

/* From here on the rank does this, in step `step`, which counts from 1; `phase` may be "". */
void ls_board_note(ls_board *board, ls_activity activity, long step, const char *phase);
/* The same within the step and phase as they are; returns the activity before. */
ls_activity ls_board_turn(ls_board *board, ls_activity activity);
/* The rank waits for another, LS_BOARD_NODE or LS_BOARD_ALL; then it does no longer, as what it
 * waited for has come. The first may be called again and again meanwhile. */
void ls_board_wait(ls_board *board, int whom);
void ls_board_go_on(ls_board *board);

/* For watchdogs, on a shared board: what this one saw of its own process; what a rank published. */
void ls_board_look(ls_board *board, bool worked, long process, long processes);
ls_board_state ls_board_read(const ls_board *board, int rank);
/* What the node's speaker concluded: seconds since any rank of the run made progress. */
void ls_board_conclude(ls_board *board, double still);
double ls_board_concluded(const ls_board *board);
/* How far the end of the job has come on this node: 0, then each higher number once. Whether this
 * call raised it to `stage`. */
bool ls_board_end(ls_board *board, int stage);
int ls_board_ending(const ls_board *board);
