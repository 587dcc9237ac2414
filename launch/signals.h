/* signals: INT, TERM and USR1 ask for an end at the next step; a second INT ends at once. */
#pragma once
#include <stdbool.h>

void ls_signals_start(void);
/* The name of the signal that asked this rank to stop, or NULL. */
const char *ls_signals_asked(void);
