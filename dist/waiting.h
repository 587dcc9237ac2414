/* waiting: how a rank waits for messages between nodes, while others may need its core. */
#pragma once
#include "core/tensor.h"

/* One wait; starts as {.shared = comm->crowded}. */
typedef struct ls_waiting {
    bool shared;   /* other processes have work for this core */
    double looked; /* when this rank looked last in vain; 0: something came since */
} ls_waiting;

/* To be called after a look that found nothing: gives the core away for a moment. */
void ls_waiting_pause(ls_waiting *waiting);
