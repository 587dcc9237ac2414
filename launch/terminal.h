/* terminal: what a terminal can show: its width, and whether it takes UTF-8. */
#pragma once
#include <stdbool.h>

/* Whether the environment's locale writes UTF-8; the locale of the process stays as it is. */
bool ls_terminal_utf8(void);
/* The width that the terminal behind a descriptor tells, in characters; 0: it tells none. */
int ls_terminal_width(int descriptor);
/* The same; where it tells none: what COLUMNS in the environment says, else 80. */
int ls_terminal_columns(int descriptor);
