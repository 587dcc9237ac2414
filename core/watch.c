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
    ls_watch_end_layer(watch, kind, -1, begin);
}

void ls_watch_end_layer(const ls_watch *watch, ls_span_kind kind, int layer, double begin)
{
    if (watch == NULL)
        return;
    const ls_span span = {.begin = begin, .end = ls_clock_now(), .kind = kind, .layer = layer};
    watch->note(watch->context, &span);
}
