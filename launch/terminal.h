/* terminal: what a terminal can show, and bars for it. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

/* Whether the environment's locale writes UTF-8; the locale of the process stays as it is. */
bool ls_terminal_utf8(void);
/* The width of the terminal behind a descriptor, in characters; 0: unknown, or no terminal. */
int ls_terminal_width(int descriptor);
/* The same; where it is 0, COLUMNS in the environment, else 80. */
int ls_terminal_columns(int descriptor);
/* A descriptor of the terminal behind `out` that a person sees, which the caller closes; -1: there
 * is none. */
int ls_terminal_find(FILE *out);
/* Writes a bar of so many cells between two ends into text[size]; in UTF-8 it is filled in eighths
 * of a cell. */
void ls_terminal_bar(char *text, size_t size, bool utf8, double share, int cells);
/* "1:02:03", "12:34", "0:07" into text[size]. */
void ls_terminal_duration(char *text, size_t size, double seconds);
