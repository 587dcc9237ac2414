/* layer_name: finds a layer by what a person calls it. */
#include "launch/session/layer_name.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/model.h"

bool ls_layer_name_find(const ls_task *task, const char *asked, ls_named_layer *found,
                        ls_error *error)
{
    const char *nearest = NULL;
    char list[1024] = "", places[LS_MODEL_NETS * 2 * LS_WORD] = "";
    int count = 0; /* of the places where the name stands */
    *found = (ls_named_layer){.number = -1};
    for (int n = 0; n < task->nets; n++) {
        const ls_net *net = task->net[n];
        const char **names = ls_alloc((size_t)net->count, sizeof *names);
        for (int i = 0; i < net->count; i++) {
            char full[2 * LS_WORD];
            names[i] = net->layers[i]->name;
            snprintf(full, sizeof full, "%s/%s", net->name, names[i]);
            ls_format_join(list, sizeof list, task->nets > 1 ? full : names[i]);
            if (strcmp(asked, full) != 0 && strcmp(asked, names[i]) != 0)
                continue;
            *found = (ls_named_layer){net, i, net->layers[i]};
            ls_format_join(places, sizeof places, full);
            count++;
        }
        nearest = nearest ? nearest : ls_nearest(asked, names, net->count, sizeof *names);
        ls_free(names);
    }
    if (count > 1)
        return ls_error_set(error, LS_USAGE, "%s is a layer of several nets: name one of %s", asked,
                            places);
    return found->layer ||
           ls_error_set(error, LS_USAGE, "there is no layer %s%s%s%s The layers are %s%s", asked,
                        nearest ? ": did you mean " : "", nearest ? nearest : "",
                        nearest ? "?" : ".", list,
                        strlen(list) + 1 < sizeof list ? "" : " ... (`inspect` has them all)");
}
