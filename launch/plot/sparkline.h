/* sparkline: the curves of one run as lines of text, for a terminal over ssh. */
#pragma once
#include <stdio.h>

#include "launch/plot/curves.h"

/* A line for each curve: name, shape over `columns` columns in all, the newest value, the range.
 * Block characters where the locale
 * is UTF-8, else plain ASCII. Returns the number of lines. */
int ls_sparkline_write(FILE *out, const ls_curves *run, int columns);
