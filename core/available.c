/* available: reads what Linux, control groups and limits tell of free memory. */
#include "core/available.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LINE = 512, PATH_SIZE = 4096 };

/* The number behind `key` in a file of lines "KEY NUMBER"; key "": the first of the file. NaN: the
 * file has none. */
static double number_in(const char *folder, const char *name, const char *key)
{
    char path[PATH_SIZE], line[LINE], *end;
    double number = (double)NAN;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    while (file && isnan(number) && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0) {
            number = strtod(line + strlen(key), &end);
            number = end > line + strlen(key) ? number : (double)NAN;
        }
    if (file)
        fclose(file);
    return number;
}

/* What a control group and those around it leave: the limit less what is used, where pages of files
 * that were read once do not count. Infinite without a limit. */
static double left_in_groups(char *folder, const char *root)
{
    double left = HUGE_VAL;
    for (char *slash = folder; slash && strlen(folder) >= strlen(root);
         slash = strrchr(folder, '/')) {
        if (slash > folder)
            *slash = 0;
        double limit = number_in(folder, "memory.max", "");
        double used = number_in(folder, "memory.current", "");
        double pages = number_in(folder, "memory.stat", "inactive_file ");
        left = fmin(left, limit - used + (isnan(pages) ? 0 : pages)); /* fmin passes over NaN */
        limit = number_in(folder, "memory.limit_in_bytes", "");       /* version 1 */
        used = number_in(folder, "memory.usage_in_bytes", "");
        pages = number_in(folder, "memory.stat", "total_inactive_file ");
        left = fmin(left, limit - used + (isnan(pages) ? 0 : pages));
    }
    return left;
}

double ls_available_machine(void)
{
    static const char version1[] = "/sys/fs/cgroup/memory", version2[] = "/sys/fs/cgroup";
    char line[LINE], folder[PATH_SIZE];
    double left = 1024 * number_in("/proc", "meminfo", "MemAvailable:");
    FILE *groups = fopen("/proc/self/cgroup", "re");
    while (groups && fgets(line, sizeof line, groups)) {
        const char *path =
            strchr(line, ':'); /* NUMBER:CONTROLLERS:PATH, whose path may have colons */
        path = path ? strchr(path + 1, ':') : NULL;
        bool unified = strncmp(line, "0::", 3) == 0, memory = strstr(line, ":memory:") != NULL;
        line[strcspn(line, "\n")] = 0;
        if (!path || (!unified && !memory))
            continue;
        const char *root = unified ? version2 : version1;
        snprintf(folder, sizeof folder, "%s%s/", root, path + 1);
        left = fmin(left, left_in_groups(folder, root));
    }
    if (groups)
        fclose(groups);
    return isnan(left) ? 0 : left;
}

double ls_available_process(void)
{
    struct rlimit limit;
    double pages = number_in("/proc/self", "statm", "");
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || isnan(pages))
        return HUGE_VAL;
    return (double)limit.rlim_cur - pages * (double)sysconf(_SC_PAGESIZE);
}
