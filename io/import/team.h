/* team: the processes that make a data set together, as io sees them: it knows no ranks. `launch`
 * makes a team of ranks (launch/import/import.c). Member 0 writes the file. */
#pragma once
#include "core/check.h"

typedef struct ls_team {
    int member, members; /* this process's number, and how many there are */
    void *context;       /* of the functions */
    /* To be called by all members: whether `ok` is true on all of them; else *error becomes, on
     * each, that of the lowest one where it is not. */
    bool (*agree)(void *context, bool ok, ls_error *error);
    /* To be called by all members: bytes of member 0 for all. */
    void (*broadcast)(void *context, void *data, size_t bytes);
    /* To be called by member 0 and by member `from`, another one: bytes of the latter for the
     * former. */
    void (*fetch)(void *context, int from, void *data, size_t bytes);
} ls_team;

/* The same where there is one member: `team` NULL. */
int ls_team_member(const ls_team *team);
int ls_team_members(const ls_team *team);
bool ls_team_agree(const ls_team *team, bool ok, ls_error *error);
void ls_team_broadcast(const ls_team *team, void *data, size_t bytes);
