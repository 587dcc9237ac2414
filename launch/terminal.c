/* terminal: what a terminal can show: its width, and whether it takes UTF-8. */
#include "launch/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

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
