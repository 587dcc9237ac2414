/* terminal: what a terminal can show, and bars for it. */
#include "launch/terminal.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool ls_terminal_utf8(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (!locale)
        return false;
    bool utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return utf8;
}

int ls_terminal_width(int descriptor)
{
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int ls_terminal_columns(int descriptor)
{
    const char *columns = getenv("COLUMNS");
    int width = ls_terminal_width(descriptor);
    if (width <= 0 && columns)
        width = atoi(columns);
    return width > 0 ? width : 80;
}

/* Open MPI gives each rank a terminal of its own, without a width, even where mpirun writes into a
 * file: there, what mpirun itself writes to decides. */
int ls_terminal_find(FILE *out)
{
    const char *kind = getenv("TERM");
    if (!isatty(fileno(out)) || (kind && strcmp(kind, "dumb") == 0))
        return -1;
    if (ls_terminal_width(fileno(out)) > 0)
        return dup(fileno(out));
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/fd/1", (long)getppid());
    int window = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (window >= 0 && isatty(window))
        return window;
    if (window >= 0)
        close(window);
    return -1;
}

void ls_terminal_bar(char *text, size_t size, bool utf8, double share, int cells)
{
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    static const char *const whole[] = {".", "#"};
    const char *const *levels = utf8 ? eighths : whole;
    int full = utf8 ? 8 : 1, filled = (int)(share * cells * full);
    int used = snprintf(text, size, utf8 ? "▕" : "[");
    for (int i = 0; i < cells; i++, filled -= full)
        used += snprintf(text + used, size - (size_t)used, "%s",
                         levels[filled < 0      ? 0
                                : filled < full ? filled
                                                : full]);
    snprintf(text + used, size - (size_t)used, utf8 ? "▏" : "]");
}

void ls_terminal_duration(char *text, size_t size, double seconds)
{
    long s = seconds < 3.6e8 ? lround(seconds) : 360000000;
    if (s >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
}
