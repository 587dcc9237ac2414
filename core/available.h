/* available: how much memory may still be taken. */
#pragma once

/* Bytes of this machine, or of what the control groups of this process leave of it, for all of its
 * processes together. 0 where Linux does not tell. */
double ls_available_machine(void);
/* Bytes that `ulimit -v` leaves to this process; infinite without that limit. */
double ls_available_process(void);
