/* signals: INT, TERM, USR1 and HUP ask the training to stop at the next step; a second INT ends the
 * program at once. */
#pragma once

/* Sets the handlers; HUP stays ignored where it is (nohup). Until ls_signals_heed there is no step
 * to wait for, and perhaps a file that never opens: signal N ends the program at once, with code
 * 128 + N, which says that there is no new checkpoint. */
void ls_signals_start(void);
/* From now on a signal is only noted: the training asks ls_signals_asked between its steps. */
void ls_signals_heed(void);
/* The name of the signal that asked this rank to stop, or NULL. */
const char *ls_signals_asked(void);
