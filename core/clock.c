/* clock: the monotonic clock, in seconds. */
#include "core/clock.h"

#include <time.h>

double ls_clock_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}
