/* thread: a thread beside the one that trains. */
#pragma once
#include <pthread.h>

/* Starts run(context) in a thread that blocks all signals, for they are the training thread's.
 * Returns 0, or the errno of why there is no thread. */
int ls_thread_start(pthread_t *thread, void *(*run)(void *context), void *context);
/* Lowers the priority of this thread alone: where a core is idle it runs, and where others compute
 * it has a tenth of their share. It can't be raised again without privileges. */
void ls_thread_give_way(void);
