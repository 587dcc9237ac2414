/* numa: the NUMA domain that processors belong to: the part of a machine's memory near to them. */
#pragma once
#include <sched.h>

#define LS_NUMA_FOLDER "/sys/devices/system/node" /* where Linux tells the domains */

/* The number of the domain that has all processors of `set`; -1: they are of several. 0 where Linux
 * tells no domains in `folder`: then the machine is one. */
int ls_numa_domain(const char *folder, const cpu_set_t *set);
