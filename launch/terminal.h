/* terminal: what a terminal can show: its width, and whether it takes UTF-8. */
#pragma once
#include <stdbool.h>

/* Whether the environment's locale writes UTF-8; the locale of the process stays as it is. */
bool ls_terminal_utf8(void);
/* The width of the terminal behind a descriptor, in characters; 0: unknown, or no terminal. */
int ls_terminal_width(int descriptor);
/* The same; where it is 0, COLUMNS in the environment, else 80. */
int ls_terminal_columns(int descriptor);
