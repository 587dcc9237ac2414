/* signals: the handler notes a request to stop, which is read between steps. */
#include "launch/signals.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t asked, interrupts;

static void handler(int number)
{
    asked = number;
    if (number == SIGINT && ++interrupts > 1)
        _exit(128 + SIGINT);
}

void ls_signals_start(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
}

const char *ls_signals_asked(void)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGUSR1, "SIGUSR1"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == asked)
            return names[i].name;
    return NULL;
}
