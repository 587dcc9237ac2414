/* states: makes, chooses and clears the arrays of optimizer state. */
#include "launch/train/states.h"

#include <string.h>

bool ls_states_kept(const ls_session_stage *stage, int state)
{
    for (int p = 0; p < stage->objective->phases; p++)
        if (ls_optimizer_state_name(&stage->optimizer[p], state))
            return true;
    return false;
}

static bool any_stage_keeps(const ls_session *session, int state)
{
    int s = 0;
    while (s < session->job->stages && !ls_states_kept(&session->stage[s], state))
        s++;
    return s < session->job->stages;
}

int ls_states_count(const ls_session *session)
{
    int count = 0;
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        count += any_stage_keeps(session, k);
    return count;
}

bool ls_states_create(ls_states *states, const ls_session *session, ls_error *error)
{
    size_t bytes = (size_t)session->params->size * sizeof(real);
    bool ok = true;
    states->every_slot = ls_slots_all(session->params);
    for (int k = 0; ok && k < LS_OPTIMIZER_STATES; k++)
        if (any_stage_keeps(session, k))
            ok = (states->shared[k] = ls_shared_create(session->comm, bytes, error)) != NULL;
    return ls_comm_agree(session->comm, ok, error);
}

void ls_states_release(ls_states *states)
{
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        ls_shared_destroy(states->shared[k]);
}

void ls_states_select(ls_states *states, const ls_session *session, int number)
{
    const ls_session_stage *stage = &session->stage[number];
    states->saved.count = 0;
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++) {
        bool average = k == LS_OPTIMIZER_AVERAGE;
        states->array[k] = NULL;
        for (int p = 0; p < stage->objective->phases; p++) {
            states->trained[p] = stage->objective->phase[p].slots;
            const char *name = ls_optimizer_state_name(&stage->optimizer[p], k);
            if (!name || (average && states->array[k])) /* one average serves all phases */
                continue;
            states->array[k] = ls_shared_data(states->shared[k]);
            states->saved.at[states->saved.count++] =
                (ls_checkpoint_array){.name = name,
                                      .slots = average ? &states->every_slot : &states->trained[p],
                                      .statistics = average,
                                      .array = states->array[k]};
        }
    }
}

void ls_states_clear(ls_states *states, const ls_session *session)
{
    size_t bytes = (size_t)session->params->size * sizeof(real);
    ls_comm_node_barrier(session->comm);
    for (int k = 0; k < LS_OPTIMIZER_STATES && session->comm->node_rank == 0; k++) {
        if (k == LS_OPTIMIZER_AVERAGE && states->array[k])
            memcpy(states->array[k], session->params->values, bytes);
        else if (states->array[k])
            memset(states->array[k], 0, bytes);
    }
    ls_comm_node_barrier(session->comm);
}
