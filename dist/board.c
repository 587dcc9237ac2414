/* board: two cache lines a rank: one that it writes itself, and one that its watchdog writes. Each
 * number is stored and read whole; numbers of one line may be of two moments. */
#include "dist/board.h"

#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"

enum { LINE = 64, WORDS = LS_BOARD_PHASE / 8 };

typedef struct line {
    uint64_t moves;
    int64_t step;
    int32_t activity, waits_for;
    uint64_t phase[WORDS];
    uint8_t fill[LINE - 24 - LS_BOARD_PHASE];
} line;

typedef struct watch_line {
    uint64_t looks, work;
    int64_t process, processes;
    uint8_t fill[LINE - 32];
} watch_line;

typedef struct head {
    int64_t still; /* milliseconds */
    int32_t ending;
    uint8_t fill[LINE - 12];
} head;

struct ls_board {
    void *own; /* memory of a board of this rank alone */
    head *head;
    line *lines;         /* [ranks] */
    watch_line *watches; /* [ranks], beside the lines */
    line *mine;
    watch_line *my_watch;
};

#define LOAD(of) __atomic_load_n(&(of), __ATOMIC_RELAXED)
#define STORE(to, value) __atomic_store_n(&(to), value, __ATOMIC_RELAXED)

size_t ls_board_bytes(int ranks)
{
    _Static_assert(sizeof(line) == LINE && sizeof(watch_line) == LINE && sizeof(head) == LINE,
                   "no line is written by two threads");
    return LINE * (1 + 2 * (size_t)ranks);
}

static void publish(ls_board *board, const line *now)
{
    STORE(board->mine->step, now->step);
    STORE(board->mine->activity, now->activity);
    STORE(board->mine->waits_for, now->waits_for);
    for (int i = 0; i < WORDS; i++)
        STORE(board->mine->phase[i], now->phase[i]);
    STORE(board->mine->moves, board->mine->moves + 1);
}

/* Rank `rank` has lines 1 + 2 rank and 2 + 2 rank, after the head. */
void ls_board_share(ls_board *board, void *memory, int mine)
{
    const line before = *board->mine;
    board->head = memory ? memory : board->own;
    board->lines = (line *)board->head + 1;
    board->watches = (watch_line *)board->head + 2;
    board->mine = board->lines + 2L * (memory ? mine : 0);
    board->my_watch = board->watches + 2L * (memory ? mine : 0);
    publish(board, &before);
}

ls_board *ls_board_create(void)
{
    const line nothing = {.activity = LS_ACTIVITY_OPENING, .waits_for = LS_BOARD_NOBODY};
    ls_board *board = ls_alloc(1, sizeof *board);
    board->own = ls_alloc(ls_board_bytes(1), 1);
    board->mine = (line *)board->own + 1;
    *board->mine = nothing;
    ls_board_share(board, NULL, 0);
    return board;
}

void ls_board_destroy(ls_board *board)
{
    ls_free(board->own);
    ls_free(board);
}

void ls_board_note(ls_board *board, ls_activity activity, long step, const char *phase)
{
    line now = {.step = step, .activity = activity, .waits_for = LS_BOARD_NOBODY};
    memcpy(now.phase, phase, (size_t)ls_min((long)strlen(phase), LS_BOARD_PHASE - 1));
    publish(board, &now);
}

ls_activity ls_board_turn(ls_board *board, ls_activity activity)
{
    ls_activity before = (ls_activity)board->mine->activity;
    STORE(board->mine->activity, activity);
    STORE(board->mine->moves, board->mine->moves + 1);
    return before;
}

void ls_board_wait(ls_board *board, int whom)
{
    STORE(board->mine->waits_for, whom);
}

void ls_board_go_on(ls_board *board)
{
    STORE(board->mine->waits_for, LS_BOARD_NOBODY);
    STORE(board->mine->moves, board->mine->moves + 1);
}

void ls_board_look(ls_board *board, bool worked, long process, long processes)
{
    watch_line *watch = board->my_watch;
    STORE(watch->process, process);
    STORE(watch->processes, processes);
    STORE(watch->work, watch->work + worked);
    STORE(watch->looks, watch->looks + 1);
}

ls_board_state ls_board_read(const ls_board *board, int rank)
{
    const line *l = board->lines + 2L * rank;
    const watch_line *watch = board->watches + 2L * rank;
    uint64_t phase[WORDS];
    for (int i = 0; i < WORDS; i++)
        phase[i] = LOAD(l->phase[i]);
    ls_board_state state = {.moves = LOAD(l->moves),
                            .step = LOAD(l->step),
                            .activity = (ls_activity)LOAD(l->activity),
                            .waits_for = LOAD(l->waits_for),
                            .looks = LOAD(watch->looks),
                            .work = LOAD(watch->work),
                            .process = LOAD(watch->process),
                            .processes = LOAD(watch->processes)};
    memcpy(state.phase, phase, LS_BOARD_PHASE - 1);
    return state;
}

void ls_board_conclude(ls_board *board, double still)
{
    STORE(board->head->still, (int64_t)(1000 * still));
}

double ls_board_concluded(const ls_board *board)
{
    return 1e-3 * (double)LOAD(board->head->still);
}

bool ls_board_end(ls_board *board, int stage)
{
    int32_t before = stage - 1;
    return __atomic_compare_exchange_n(&board->head->ending, &before, stage, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

int ls_board_ending(const ls_board *board)
{
    return __atomic_load_n(&board->head->ending, __ATOMIC_ACQUIRE);
}
