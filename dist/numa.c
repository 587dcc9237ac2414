/* numa: finds the domain of processors, as Linux lists them in node0/cpulist, node1/cpulist, ... */
#include "dist/numa.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>

/* Whether a list as "0-3,8-11" has a processor of the set. */
static bool has_any(FILE *list, const cpu_set_t *set)
{
    int first, last;
    while (fscanf(list, "%d", &first) == 1) {
        if (fscanf(list, "-%d", &last) != 1)
            last = first;
        for (int i = first; i <= last && i < CPU_SETSIZE; i++)
            if (CPU_ISSET(i, set))
                return true;
        if (fgetc(list) != ',')
            break;
    }
    return false;
}

int ls_numa_domain(const char *folder, const cpu_set_t *set)
{
    int found = 0, domain = 0, number, end;
    DIR *domains = opendir(folder);
    for (const struct dirent *entry; domains && (entry = readdir(domains));) {
        char path[512];
        if (sscanf(entry->d_name, "node%d%n", &number, &end) != 1 || entry->d_name[end])
            continue;
        snprintf(path, sizeof path, "%s/%.32s/cpulist", folder, entry->d_name);
        FILE *list = fopen(path, "r");
        if (list && has_any(list, set)) {
            found++;
            domain = number;
        }
        if (list)
            fclose(list);
    }
    if (domains)
        closedir(domains);
    return found > 1 ? -1 : domain;
}
