/* vitals: reads /proc; a handler of SIGUSR2 writes the backtrace. */
#include "dist/vitals.h"

#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES = 64 };

static char announcement[384]; /* of the handler, which has no other argument */

/* The beginning of a file of /proc, into text[size]; "" where it can't be read. */
static void read_text(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, size - 1);
    text[length < 0 ? 0 : length] = 0;
    if (file >= 0)
        close(file);
}

static double number_after(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? atof(at + strlen(name)) : 0;
}

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double bytes_of(const char *path)
{
    char text[512];
    read_text(path, text, sizeof text);
    return number_after(text, "rchar: ") + number_after(text, "wchar: ");
}

ls_vitals ls_vitals_others(void)
{
    return (ls_vitals){.computed = seconds_of(CLOCK_PROCESS_CPUTIME_ID) -
                                   seconds_of(CLOCK_THREAD_CPUTIME_ID),
                       .moved = bytes_of("/proc/self/io") - bytes_of("/proc/thread-self/io")};
}

long ls_vitals_namespace(void)
{
    struct stat space;
    return stat("/proc/self/ns/pid", &space) == 0 ? (long)space.st_ino : 0;
}

/* The letter that the system gives a thread's state; 0: there is no such thread. */
static char letter_of(const char *path)
{
    char text[512];
    read_text(path, text, sizeof text);
    const char *name_end = strrchr(text, ')'); /* "PID (NAME) LETTER ..." */
    return name_end && name_end[1] ? name_end[2] : 0;
}

/* Whether a thread of the process is in state D. */
static bool waits_for_disk(long process)
{
    char path[320];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%ld/task", process);
    DIR *threads = opendir(path);
    for (struct dirent *entry; threads && !found && (entry = readdir(threads));) {
        snprintf(path, sizeof path, "/proc/%ld/task/%s/stat", process, entry->d_name);
        found = entry->d_name[0] != '.' && letter_of(path) == 'D';
    }
    if (threads)
        closedir(threads);
    return found;
}

ls_vitals_state ls_vitals_of(long process)
{
    static const struct {
        char letter;
        ls_vitals_state state;
    } states[] = {{0, LS_VITALS_GONE},      {'X', LS_VITALS_GONE},   {'Z', LS_VITALS_GONE},
                  {'T', LS_VITALS_STOPPED}, {'t', LS_VITALS_TRACED}, {'R', LS_VITALS_RUNNING},
                  {'D', LS_VITALS_DISK}};
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    const char letter = letter_of(path);
    ls_vitals_state state = LS_VITALS_ASLEEP;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (states[i].letter == letter)
            state = states[i].state;
    return state == LS_VITALS_ASLEEP && waits_for_disk(process) ? LS_VITALS_DISK : state;
}

static void write_backtrace(int number)
{
    const int before = errno;
    void *frames[FRAMES];
    ssize_t written = write(STDERR_FILENO, announcement, strlen(announcement));
    if (written > 0)
        backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDERR_FILENO);
    errno = before;
}

void ls_vitals_listen(const char *who)
{
    void *frame;
    struct sigaction action = {.sa_handler = write_backtrace, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    snprintf(announcement, sizeof announcement, "lockstep: %s is here:\n", who);
    backtrace(&frame, 1); /* the first call loads a library, which a handler may not */
    sigaction(SIGUSR2, &action, NULL);
}

void ls_vitals_trace(long process)
{
    if (syscall(SYS_tgkill, process, process, SIGUSR2) == 0)
        kill((pid_t)process, SIGCONT);
}
