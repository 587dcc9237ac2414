/* sparkline: the curves of one run as lines of text, for a terminal over ssh. */
#pragma once
#include <stdio.h>

#include "launch/plot/curves.h"

/* Prints a line for each curve: name, shape, newest value and range, `columns` columns in all.
 * Block characters where the locale
 * is UTF-8, else plain ASCII. Returns the number of lines. */
int ls_sparkline_write(FILE *out, const ls_curves *run, int columns);
