/* carry: makes, gathers and deals out the rows that an objective carries from step to step. */
#include "launch/train/carry.h"

#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"

enum { PIECE_BYTES = 4 << 20 }; /* that rank 0 gathers or deals out at a time */

/* Rows of a state that come before shard `shard`. */
static long rows_before(const ls_row_state *state, const ls_shards *shards, int shard)
{
    return state->rows * shard / shards->count;
}

/* Rows that any rank has at most. */
static long most_rows(const ls_row_state *state, const ls_shards *shards)
{
    return (state->rows * shards->most + shards->count - 1) / shards->count;
}

static void begin_rows(const ls_carry *carry, const ls_session *session, long stage, int k)
{
    ls_objective *objective = session->stage[stage].objective;
    const ls_carried *own = &carry->own[k];
    objective->type->begin_rows(objective, k, (uint64_t)session->job->seed, own->first, own->rows,
                                own->data);
}

void ls_carry_begin(ls_carry *carry, const ls_session *session, const ls_shards *shards, long stage)
{
    const ls_objective *objective = session->stage[stage].objective;
    ls_carry_release(carry);
    carry->states = objective->row_states;
    for (int k = 0; k < carry->states.count; k++) {
        const ls_row_state *state = &carry->states.at[k];
        ls_carried *own = &carry->own[k];
        carry->most[k] = most_rows(state, shards);
        own->first = rows_before(state, shards, shards->begin);
        own->rows = rows_before(state, shards, shards->end) - own->first;
        own->data = ls_alloc((size_t)(carry->most[k] * state->reals), sizeof(real));
        begin_rows(carry, session, stage, k);
    }
}

void ls_carry_begin_epoch(const ls_carry *carry, const ls_session *session, long stage)
{
    for (int k = 0; k < carry->states.count; k++)
        if (carry->states.at[k].streams)
            begin_rows(carry, session, stage, k);
}

void ls_carry_release(ls_carry *carry)
{
    for (int k = 0; k < carry->states.count; k++)
        ls_free(carry->own[k].data);
    *carry = (ls_carry){.states = {.count = 0}};
}

/* Rows of a piece, of which rank 0 has `parts` at once. */
static long piece_rows(const ls_row_state *state, int parts)
{
    return ls_max(1, PIECE_BYTES / (long)sizeof(real) / state->reals / parts);
}

/* **Collective.** Piece after piece of every rank's rows at once; what a rank sends beyond its last
 * row is padding. firsts[size + 1]: the first row of each rank. */
static void gather_state(const ls_carry *carry, int k, ls_comm *comm, const long *firsts, real *all)
{
    const long reals = carry->states.at[k].reals, most = carry->most[k];
    const long piece = ls_min(piece_rows(&carry->states.at[k], comm->size), most);
    real *parts = NULL;
    if (comm->rank == 0)
        parts = ls_alloc((size_t)(comm->size * piece * reals), sizeof *parts);
    for (long at = 0, n; at < most; at += n) {
        n = ls_min(piece, most - at);
        ls_comm_gather(comm, carry->own[k].data + at * reals, (size_t)(n * reals) * sizeof *parts,
                       parts);
        for (int r = 0; parts && r < comm->size; r++) {
            const long first = firsts[r] + at, rows = ls_min(n, firsts[r + 1] - first);
            if (rows > 0)
                memcpy(all + first * reals, parts + r * n * reals,
                       (size_t)(rows * reals) * sizeof *parts);
        }
    }
    ls_free(parts);
}

void ls_carry_gather(const ls_carry *carry, ls_comm *comm, real *all, ls_checkpoint_rows *rows)
{
    long *firsts = ls_alloc((size_t)comm->size + 1, sizeof *firsts);
    rows->states = carry->states;
    for (int k = 0; k < carry->states.count; k++) {
        const ls_row_state *state = &carry->states.at[k];
        ls_comm_gather(comm, &carry->own[k].first, sizeof *firsts, firsts);
        firsts[comm->size] = state->rows;
        rows->data[k] = all;
        gather_state(carry, k, comm, firsts, all);
        all = comm->rank == 0 ? all + state->rows * state->reals : NULL;
    }
    ls_free(firsts);
}

/* **Collective.** Each rank takes its own rows of each piece. */
static void deal_state(ls_carry *carry, int k, ls_comm *comm, const real *all)
{
    const ls_row_state *state = &carry->states.at[k];
    const ls_carried *own = &carry->own[k];
    const long piece = ls_min(piece_rows(state, 1), state->rows), reals = state->reals;
    real *part = ls_alloc((size_t)(piece * reals), sizeof *part);
    for (long at = 0; at < state->rows; at += piece) {
        const long end = ls_min(at + piece, state->rows);
        if (comm->rank == 0)
            memcpy(part, all + at * reals, (size_t)((end - at) * reals) * sizeof *part);
        ls_comm_broadcast(comm, part, (size_t)((end - at) * reals) * sizeof *part);
        const long first = ls_max(at, own->first), last = ls_min(end, own->first + own->rows);
        if (first < last)
            memcpy(own->data + (first - own->first) * reals, part + (first - at) * reals,
                   (size_t)((last - first) * reals) * sizeof *part);
    }
    ls_free(part);
}

void ls_carry_deal(ls_carry *carry, ls_comm *comm, const ls_checkpoint_rows *rows)
{
    for (int k = 0; k < carry->states.count; k++) {
        int there = comm->rank == 0 && rows->data[k];
        ls_comm_broadcast(comm, &there, sizeof there);
        if (there)
            deal_state(carry, k, comm, rows->data[k]);
    }
}

long ls_carry_reals(const ls_objective *objective)
{
    long reals = 0;
    for (int k = 0; k < objective->row_states.count; k++)
        reals += objective->row_states.at[k].rows * objective->row_states.at[k].reals;
    return reals;
}

long ls_carry_most(const ls_session *session)
{
    long most = 0;
    for (int s = 0; s < session->job->stages; s++)
        most = ls_max(most, ls_carry_reals(session->stage[s].objective));
    return most;
}

size_t ls_carry_bytes(const ls_objective *objective, const ls_shards *shards)
{
    size_t reals = 0;
    for (int k = 0; k < objective->row_states.count; k++) {
        const ls_row_state *state = &objective->row_states.at[k];
        reals += (size_t)(most_rows(state, shards) * state->reals);
    }
    return reals * sizeof(real);
}
