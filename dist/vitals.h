/* vitals: what the system says of a process of this machine, and where a process is in its code. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* What the other threads of this process have done so far. */
typedef struct ls_vitals {
    double computed; /* seconds of processor time */
    double moved;    /* bytes that it has read and written; 0 where the system does not tell */
} ls_vitals;

ls_vitals ls_vitals_others(void);
/* A number that processes share which know each other by the same numbers (a PID namespace). */
long ls_vitals_namespace(void);

typedef enum ls_vitals_state {
    LS_VITALS_UNKNOWN,
    LS_VITALS_RUNNING,
    LS_VITALS_ASLEEP,
    LS_VITALS_DISK,    /* one of its threads is in an uninterruptible sleep (D) */
    LS_VITALS_STOPPED, /* by a signal (T) */
    LS_VITALS_TRACED,  /* by a debugger (t) */
    LS_VITALS_GONE
} ls_vitals_state;
/* Of a process of this namespace. */
ls_vitals_state ls_vitals_of(long process);

/* From here on SIGUSR2 makes this process write "lockstep: WHO is here:" and the backtrace of its
 * main thread to stderr, and go on. */
void ls_vitals_listen(const char *who);
/* Asks a process that listens for its backtrace, and wakes it for that if it is stopped. */
void ls_vitals_trace(long process);
