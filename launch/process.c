/* process: what every command needs from its process: descriptors 0 to 2, failed writes that end no
 * process, memory, and output that is not lost in silence. */
#include "launch/process.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/check.h"
#include "core/memory.h"
#include "core/print.h"

/* Some file systems tell only at close that they could not keep what was written. A reader that has
 * gone away (`| head`) wanted no more: the exit code alone tells of it. */
static void close_output(int code, void *context)
{
    bool failed = ferror(stdout);
    if (failed)
        putchar('\n'); /* fclose tries this write again: its error says why one failed */
    errno = 0;
    if (fclose(stdout) == 0 && !failed)
        return;
    if (errno != EPIPE)
        ls_print(stderr, "lockstep: stdout: can't write all of it: %s\n",
                 errno ? strerror(errno) : "an earlier write failed");
    fflush(stderr);
    _exit(code ? code : LS_IO);
}

/* A stack that is too small would end the process without a word. */
static void check_stack(void)
{
    const rlim_t least = 512 << 10; /* convolutions take most of it */
    struct rlimit stack;
    if (getrlimit(RLIMIT_STACK, &stack) != 0 || stack.rlim_cur >= least)
        return;
    ls_print(stderr, "lockstep: the stack may have %llu kB (ulimit -s); expected %llu or more\n",
             (unsigned long long)stack.rlim_cur >> 10, (unsigned long long)least >> 10);
    exit(LS_NUMERIC);
}

void ls_process_begin(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != file)
            _exit(LS_IO); /* nothing can be said: descriptors are missing */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    on_exit(close_output, NULL);
    check_stack();
    json_set_alloc_funcs(ls_memory_malloc, free); /* else it tells a lack of memory as damage */
}
