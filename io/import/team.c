/* team: what the functions of a team do where a process is alone. */
#include "io/import/team.h"

int ls_team_member(const ls_team *team)
{
    return team ? team->member : 0;
}

int ls_team_members(const ls_team *team)
{
    return team ? team->members : 1;
}

bool ls_team_agree(const ls_team *team, bool ok, ls_error *error)
{
    return team ? team->agree(team->context, ok, error) : ok;
}

void ls_team_broadcast(const ls_team *team, void *data, size_t bytes)
{
    if (team)
        team->broadcast(team->context, data, bytes);
}
