/* waiting: how a rank waits for messages between nodes, while others may need its core. */
#pragma once

/* What a rank knows of its core; starts as 0. */
typedef struct ls_waiting {
    double looked; /* when it looked last in vain; 0: something came since, or the wait is new */
    int sleeps;    /* so often it sleeps before it tries again whether it has the core alone */
} ls_waiting;

/* To be called after a look that found nothing: gives the core away for a moment. */
void ls_waiting_pause(ls_waiting *waiting);
