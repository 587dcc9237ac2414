/* process: what every command needs from its process: descriptors 0 to 2, failed writes that end no
 * process, and output that is not lost in silence. */
#include "launch/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/check.h"
#include "core/print.h"

/* Some file systems tell only at close that they could not keep what was written. */
static void close_output(int code, void *context)
{
    bool failed = ferror(stdout);
    errno = 0;
    if (fclose(stdout) == 0 && !failed)
        return;
    ls_print(stderr, "lockstep: stdout: can't write all of it: %s\n",
             errno ? strerror(errno) : "an earlier write failed");
    fflush(stderr);
    _exit(code ? code : LS_IO);
}

void ls_process_begin(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != file)
            _exit(LS_IO); /* nothing can be said: descriptors are missing */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    on_exit(close_output, NULL);
}
