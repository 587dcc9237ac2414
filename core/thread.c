/* thread: a thread beside the one that trains. */
#include "core/thread.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

int ls_thread_start(pthread_t *thread, void *(*run)(void *context), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* a new thread inherits the mask */
    int status = pthread_create(thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

void ls_thread_give_way(void)
{
    enum { NICE = 10 }; /* a tenth of the share of a thread of 0 */
    const struct sched_param none = {0};
    sched_setscheduler(0, SCHED_BATCH, &none); /* it interrupts nobody when it wakes up */
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}
