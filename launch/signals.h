/* signals: INT, TERM and USR1 ask the training to stop at the next step; a second INT ends the
 * program at once. */
#pragma once
#include <stdbool.h>

/* Sets the handlers. */
void ls_signals_start(void);
/* The name of the signal that asked this rank to stop, or NULL. */
const char *ls_signals_asked(void);
