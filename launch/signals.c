/* signals: the handler notes a request to stop, which is read between steps. */
#include "launch/signals.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "dist/comm.h"

static const struct {
    int number;
    const char *name;
} names[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGUSR1, "SIGUSR1"}, {SIGHUP, "SIGHUP"}};

static volatile sig_atomic_t asked, interrupts, heeded, silent;

static void handler(int number)
{
    static const char words[] = "lockstep: stopped by a signal before the first step; nothing is "
                                "lost, the same command begins again\n";
    asked = number;
    if (!heeded) {
        ssize_t written = silent ? 0 : write(STDERR_FILENO, words, sizeof words - 1);
        (void)written; /* there is nobody else to tell */
        _exit(128 + number);
    }
    if (number == SIGINT && ++interrupts > 1)
        _exit(128 + SIGINT);
}

void ls_signals_start(void)
{
    struct sigaction before, action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    silent = ls_comm_task() != 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number != SIGHUP || sigaction(SIGHUP, NULL, &before) != 0 ||
            before.sa_handler != SIG_IGN)
            sigaction(names[i].number, &action, NULL);
}

void ls_signals_heed(void)
{
    heeded = 1;
}

const char *ls_signals_asked(void)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == asked)
            return names[i].name;
    return NULL;
}
