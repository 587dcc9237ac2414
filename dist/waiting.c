/* waiting: yields the core, or sleeps where others have work for it.
 *
 * Where a rank has a core of its own, sched_yield returns at once, and messages are seen as they
 * come. If a look and sched_yield together took long, another process had the core between. Then
 * this rank sleeps for the next waits: a process that only yields takes turns with those that work,
 * finds nothing, and gets the core late when something has come; one that slept is woken in time.
 */
#include "dist/waiting.h"

#include <sched.h>
#include <time.h>

#include "core/clock.h"

enum { SLEEPS = 1000 }; /* some tenths of a second */

void ls_waiting_pause(ls_waiting *waiting)
{
    static const struct timespec moment = {.tv_nsec = 50000};
    const double long_time = 1e-4; /* seconds */
    if (waiting->sleeps > 0) {
        waiting->sleeps--;
        waiting->looked = 0;
        nanosleep(&moment, NULL);
        return;
    }
    sched_yield();
    const double now = ls_clock_now();
    if (waiting->looked > 0 && now - waiting->looked > long_time)
        waiting->sleeps = SLEEPS;
    waiting->looked = now;
}
