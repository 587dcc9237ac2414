/* carry: what rows of the objective's own carry from step to step (ls_row_state): persistent
 * chains, the states of streams. Each rank holds the rows of its own shards, one row after the
 * other, for the stage that runs. Their first values are a function of seed and row, and each shard
 * moves on its own rows: so they do not depend on the number of ranks. Checkpoints hold all rows in
 * their order, from where they are dealt out again to any ranks and shards. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "launch/session/session.h"
#include "launch/train/shards.h"

typedef struct ls_carry {
    ls_row_states states;          /* of the stage that runs; none, before one has begun */
    ls_carried own[LS_ROW_STATES]; /* this rank's rows */
    long most[LS_ROW_STATES];      /* rows that any rank has at most: own.data has room for them */
} ls_carry;

/* Makes the rows of a stage, with their first values, in the place of those that were. */
void ls_carry_begin(ls_carry *carry, const ls_session *session, const ls_shards *shards,
                    long stage);
/* At the beginning of an epoch: those that begin anew with each get their first values. */
void ls_carry_begin_epoch(const ls_carry *carry, const ls_session *session, long stage);
void ls_carry_release(ls_carry *carry);
/* **Collective.** On rank 0, `all` [ls_carry_reals] gets the rows of all ranks in their order, and
 * *rows says where each state lies in it. */
void ls_carry_gather(const ls_carry *carry, ls_comm *comm, real *all, ls_checkpoint_rows *rows);
/* **Collective.** Deals out rows that rank 0 has: those of each state whose data is not NULL there.
 */
void ls_carry_deal(ls_carry *carry, ls_comm *comm, const ls_checkpoint_rows *rows);
/* Reals of all rows of an objective, and of the stage that has most. */
long ls_carry_reals(const ls_objective *objective);
long ls_carry_most(const ls_session *session);
/* Bytes that a rank takes for its own, in a stage with this objective. */
size_t ls_carry_bytes(const ls_objective *objective, const ls_shards *shards);
