/* import_bar: a bar on the terminal while many files are imported. */
#pragma once
#include <stdio.h>

typedef struct ls_import_bar ls_import_bar;

/* A bar on the last line of the terminal behind `out`; NULL where there is no terminal. */
ls_import_bar *ls_import_bar_open(FILE *out);
void ls_import_bar_close(ls_import_bar *bar); /* takes it away; NULL is allowed */
/* For ls_import_watch, with the bar as the context: redraws it, at most ten times a second; takes
 * it away before a line is printed. */
void ls_import_bar_move(void *bar, long done, long total);
void ls_import_bar_clear(void *bar);
