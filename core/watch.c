/* watch: reads the clock for those who watch. */
#include "core/watch.h"

#include <stddef.h>

#include "core/clock.h"

double ls_watch_begin(const ls_watch *watch)
{
    return watch ? ls_clock_now() : 0;
}

void ls_watch_end(const ls_watch *watch, ls_span_kind kind, double begin)
{
    ls_watch_end_of(watch, kind, 0, begin);
}

void ls_watch_end_of(const ls_watch *watch, ls_span_kind kind, int index, double begin)
{
    if (watch == NULL)
        return;
    const ls_span span = {.begin = begin, .end = ls_clock_now(), .kind = kind, .index = index};
    watch->note(watch->context, &span);
}
