/* import_bar: draws how many of the files are done, how many a second, and how long it will take.
 */
#include "launch/import/import_bar.h"

#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/print.h"
#include "launch/terminal.h"

enum { TEXT = 256, CELLS = 24 };
static const double redraw_seconds = 0.1;

struct ls_import_bar {
    FILE *out;
    int window; /* a descriptor of the terminal */
    bool utf8, drawn;
    double start, time; /* when it was opened, and drawn last */
};

ls_import_bar *ls_import_bar_open(FILE *out)
{
    int window = ls_terminal_find(out);
    if (window < 0)
        return NULL;
    ls_import_bar *bar = ls_alloc(1, sizeof *bar);
    *bar = (ls_import_bar){out, window, ls_terminal_utf8(), .start = ls_clock_now()};
    return bar;
}

void ls_import_bar_clear(void *context)
{
    ls_import_bar *bar = context;
    if (bar->drawn)
        fputs("\r\033[K", bar->out);
    bar->drawn = false;
}

void ls_import_bar_close(ls_import_bar *bar)
{
    if (!bar)
        return;
    ls_import_bar_clear(bar);
    fflush(bar->out);
    close(bar->window);
    ls_free(bar);
}

void ls_import_bar_move(void *context, long done, long total)
{
    ls_import_bar *bar = context;
    char text[TEXT], left[32];
    double now = ls_clock_now(), seconds = now - bar->start;
    if (bar->drawn && now - bar->time < redraw_seconds)
        return;
    ls_terminal_bar(text, sizeof text, bar->utf8, (double)done / (double)total, CELLS);
    ls_terminal_duration(left, sizeof left, seconds * (double)(total - done) / (double)done);
    char *line = ls_format("%ld of %ld files  %s  %.3g/s  %s left", done, total, text,
                           (double)done / seconds, left);
    int width = ls_terminal_columns(bar->window);
    fputs("\r\033[K", bar->out);
    /* The bar's letters are of three bytes each: a narrow terminal gets the numbers alone. */
    if (width > 80)
        fputs(line, bar->out);
    else
        ls_print(bar->out, "%ld/%ld  %s left", done, total, left);
    fflush(bar->out);
    bar->drawn = true;
    bar->time = now;
    ls_free(line);
}
