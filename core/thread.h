/* thread: a thread beside the one that trains. */
#pragma once
#include <pthread.h>

/* Starts run(context) in a thread that blocks all signals, for they are the training thread's.
 * Returns 0, or the errno of why there is no thread. */
int ls_thread_start(pthread_t *thread, void *(*run)(void *context), void *context);
