/* fault: runs a command and lets chosen system calls of it fail, come short, or be its last (Linux
 * on x86-64, by ptrace).
 *
 *   fault [--under FOLDER] [--log FILE] [--fail CALL[@GLOB]:N[+]:WHAT] -- COMMAND ...
 *
 * Only calls count whose path, or whose descriptor's, lies under FOLDER (the current one), in all
 * processes and threads of the command, those inside libraries too. `N` counts the calls of the
 * name CALL whose path fits GLOB, from 1; `N+` means that one and all later ones. CALL is one of
 * the names in the table below. WHAT is
 *
 *   EIO, ENOSPC, ...   the call is not done, and gives this error (a close is done all the same, as
 * Linux does it) late-EIO, ...      the call is done, and gives this error: a network file system
 * that lost the answer short              a read or a write of half as many bytes zero gives 0: a
 * file that ends early, a folder that lists nothing more kill               the call is done, and
 * then all processes of the command are ended by kill -9
 *
 * The log has a line for each call: its name, its number among those of that name, its path, and
 * WHAT where it was hit, with tabs between. The exit code is the command's, 128 + signal if a
 * signal ended it, 137 after `kill`. If the point was not reached, nothing was hit, and the log
 * shows it. 125: fault itself could not work, as where ptrace is forbidden. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NONE = -1, BROKEN = 125, PATH = 4096, TASKS = 1024, KINDS = 32 };

/* A system call: the name under which it counts, and which of its arguments are a path, the folder
 * that the path is relative to, a descriptor, and the number of bytes to read or write. */
typedef struct call {
    const char *name;
    int number;
    int folder, path, file, length;
} call;

#define BY_PATH(name, number, path)                                                                \
    {                                                                                              \
        name, number, NONE, path, NONE, NONE                                                       \
    }
#define BY_FOLDER(name, number, folder)                                                            \
    {                                                                                              \
        name, number, folder, (folder) + 1, NONE, NONE                                             \
    }
#define BY_FILE(name, number, file)                                                                \
    {                                                                                              \
        name, number, NONE, NONE, file, NONE                                                       \
    }
#define BYTES(name, number)                                                                        \
    {                                                                                              \
        name, number, NONE, NONE, 0, 2                                                             \
    }

static const call calls[] = {
    BY_PATH("open", SYS_open, 0),
    BY_PATH("open", SYS_creat, 0),
    BY_FOLDER("open", SYS_openat, 0),
    BY_FOLDER("open", SYS_openat2, 0),
    BYTES("read", SYS_read),
    BYTES("pread", SYS_pread64),
    BY_FILE("read", SYS_readv, 0),
    BY_FILE("pread", SYS_preadv, 0),
    BYTES("write", SYS_write),
    BYTES("pwrite", SYS_pwrite64),
    BY_FILE("write", SYS_writev, 0),
    BY_FILE("pwrite", SYS_pwritev, 0),
    BY_FILE("close", SYS_close, 0),
    BY_FILE("fsync", SYS_fsync, 0),
    BY_FILE("fsync", SYS_fdatasync, 0),
    BY_PATH("rename", SYS_rename, 1),
    BY_FOLDER("rename", SYS_renameat, 2),
    BY_FOLDER("rename", SYS_renameat2, 2),
    BY_PATH("link", SYS_link, 1),
    BY_FOLDER("link", SYS_linkat, 2),
    BY_PATH("unlink", SYS_unlink, 0),
    BY_PATH("unlink", SYS_rmdir, 0),
    BY_FOLDER("unlink", SYS_unlinkat, 0),
    BY_PATH("mkdir", SYS_mkdir, 0),
    BY_FOLDER("mkdir", SYS_mkdirat, 0),
    BY_FILE("getdents", SYS_getdents64, 0),
    BY_FILE("fcntl", SYS_fcntl, 0),
    BY_FILE("flock", SYS_flock, 0),
    BY_PATH("stat", SYS_stat, 0),
    BY_PATH("stat", SYS_lstat, 0),
    BY_FILE("stat", SYS_fstat, 0),
    BY_FOLDER("stat", SYS_newfstatat, 0),
    BY_FOLDER("stat", SYS_statx, 0),
    BY_PATH("access", SYS_access, 0),
    BY_FOLDER("access", SYS_faccessat, 0),
    BY_FOLDER("access", SYS_faccessat2, 0),
    BY_PATH("statfs", SYS_statfs, 0),
    BY_FILE("statfs", SYS_fstatfs, 0),
    BY_PATH("readlink", SYS_readlink, 0),
    BY_FOLDER("readlink", SYS_readlinkat, 0),
    BY_FILE("seek", SYS_lseek, 0),
    BY_FILE("truncate", SYS_ftruncate, 0),
    BY_FILE("truncate", SYS_fallocate, 0),
    BY_FILE("mmap", SYS_mmap, 4),
};
enum { CALLS = sizeof calls / sizeof *calls };

static const struct {
    const char *name;
    int number;
} errors[] = {
    {"EIO", EIO},       {"ENOSPC", ENOSPC},         {"EINTR", EINTR},         {"EDQUOT", EDQUOT},
    {"EMFILE", EMFILE}, {"ENFILE", ENFILE},         {"ESTALE", ESTALE},       {"EACCES", EACCES},
    {"EPERM", EPERM},   {"EROFS", EROFS},           {"ENOMEM", ENOMEM},       {"ENOLCK", ENOLCK},
    {"ENOSYS", ENOSYS}, {"EOPNOTSUPP", EOPNOTSUPP}, {"EINVAL", EINVAL},       {"EAGAIN", EAGAIN},
    {"EFBIG", EFBIG},   {"ENOENT", ENOENT},         {"ETIMEDOUT", ETIMEDOUT}, {"EEXIST", EEXIST},
};
enum { ERRORS = sizeof errors / sizeof *errors };

typedef enum deed { FAIL, FAIL_LATE, SHORT, KILL } deed;

/* What --fail says. */
typedef struct point {
    char name[16], glob[PATH], what[32];
    long number;
    bool and_later;
    deed deed;
    int error; /* the errno that FAIL and FAIL_LATE give; 0: the call gives 0 */
} point;

/* A thread of the command, and what is to be done when its system call has ended. */
typedef struct task {
    pid_t id;
    bool waits;
    unsigned long long length; /* SHORT: what the register held */
} task;

static struct {
    char folder[PATH];
    FILE *log;
    point point;
    bool fails; /* there is a point */
    long seen;  /* calls that fit it, so far */
    struct {
        const char *name;
        long count;
    } kinds[KINDS];
    task tasks[TASKS];
    int task_count;
} state;

static _Noreturn void broken(const char *what)
{
    fprintf(stderr, "fault: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(BROKEN);
}

static task *task_of(pid_t id)
{
    for (int i = 0; i < state.task_count; i++)
        if (state.tasks[i].id == id)
            return &state.tasks[i];
    errno = 0;
    if (state.task_count == TASKS)
        broken("too many threads");
    state.tasks[state.task_count] = (task){.id = id};
    return &state.tasks[state.task_count++];
}

static void forget(pid_t id)
{
    *task_of(id) = state.tasks[state.task_count - 1];
    state.task_count--;
}

static unsigned long long *argument(struct user_regs_struct *registers, int index)
{
    unsigned long long *all[] = {&registers->rdi, &registers->rsi, &registers->rdx,
                                 &registers->r10, &registers->r8,  &registers->r9};
    return all[index];
}

/* Reads a text of the other process, of at most PATH bytes with its end. */
static bool read_text(pid_t id, unsigned long long address, char text[PATH])
{
    size_t done = 0;
    while (done < PATH) {
        size_t step = 256 - (address + done) % 256; /* never across a page that is not there */
        if (step > PATH - done)
            step = PATH - done;
        struct iovec here = {text + done, step}, there = {(void *)(address + done), step};
        if (process_vm_readv(id, &here, 1, &there, 1, 0) != (ssize_t)step)
            return false;
        if (memchr(text + done, 0, step))
            return true;
        done += step;
    }
    return false;
}

/* Where /proc/ID/cwd points, or where descriptor `file` of the process does. */
static bool read_link(pid_t id, int file, char text[PATH])
{
    char name[64];
    if (file == AT_FDCWD)
        snprintf(name, sizeof name, "/proc/%d/cwd", id);
    else
        snprintf(name, sizeof name, "/proc/%d/fd/%d", id, file);
    ssize_t length = readlink(name, text, PATH - 1);
    text[length > 0 ? length : 0] = 0;
    return length > 0;
}

/* Takes "//", "/./" and "/x/../" out of an absolute path. */
static void simplify(char *path)
{
    char *end = path;
    for (char *part = path; *part;) {
        size_t length = strcspn(part + 1, "/");
        if (length == 2 && part[1] == '.' && part[2] == '.') {
            while (end > path && *--end != '/')
                ;
        } else if (length > 0 && !(length == 1 && part[1] == '.')) {
            memmove(end, part, length + 1);
            end += length + 1;
        }
        part += length + 1;
    }
    *end = 0;
}

/* The absolute path that a call is about; false: it is about none. */
static bool find_path(pid_t id, const call *c, struct user_regs_struct *registers, char path[PATH])
{
    char text[PATH] = "", folder[PATH] = "";
    if (c->file != NONE)
        return read_link(id, (int)*argument(registers, c->file), path);
    int relative_to = c->folder == NONE ? AT_FDCWD : (int)*argument(registers, c->folder);
    if (!read_text(id, *argument(registers, c->path), text) ||
        (text[0] != '/' && !read_link(id, relative_to, folder)))
        return false;
    int length = snprintf(path, PATH, "%s/%s", folder, text);
    simplify(path);
    return length < PATH;
}

static bool is_under(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static long count(const char *name)
{
    int i = 0;
    while (state.kinds[i].name && strcmp(state.kinds[i].name, name) != 0)
        i++;
    state.kinds[i].name = name;
    return ++state.kinds[i].count;
}

/* Whether the point of --fail is this call. */
static bool is_hit(const call *c, const char *path)
{
    const point *p = &state.point;
    if (!state.fails || strcmp(p->name, c->name) != 0 || fnmatch(p->glob, path, 0) != 0)
        return false;
    state.seen++;
    return state.seen == p->number || (p->and_later && state.seen > p->number);
}

static void set_registers(pid_t id, struct user_regs_struct *registers)
{
    if (ptrace(PTRACE_SETREGS, id, 0, registers) != 0 &&
        errno != ESRCH) /* it was killed meanwhile */
        broken("can't set registers");
}

/* Lets the call at whose beginning the task stands go wrong. Returns how to go on. */
static enum __ptrace_request begin_fault(task *t, const call *c, struct user_regs_struct *registers)
{
    const point *p = &state.point;
    if (p->deed == FAIL && c->number != SYS_close) {
        registers->orig_rax = (unsigned long long)-1; /* no call is done */
        registers->rax = (unsigned long long)-p->error;
        set_registers(t->id, registers);
        return PTRACE_CONT;
    }
    if (p->deed == SHORT) {
        if (c->length == NONE)
            return PTRACE_CONT;
        unsigned long long *length = argument(registers, c->length);
        t->length = *length;
        *length = (*length + 1) / 2;
        set_registers(t->id, registers);
    }
    t->waits = true;
    return PTRACE_SYSCALL; /* to its end */
}

static void end_fault(task *t)
{
    struct user_regs_struct registers;
    t->waits = false;
    if (ptrace(PTRACE_GETREGS, t->id, 0, &registers) != 0)
        return;
    if (state.point.deed == SHORT)
        registers.rdx = t->length; /* the program relies on it that a call changes no argument */
    else
        registers.rax = (unsigned long long)-state.point.error;
    set_registers(t->id, &registers);
}

/* A task is about to make a call of the table. */
static enum __ptrace_request at_call(task *t)
{
    struct user_regs_struct registers;
    char path[PATH];
    if (ptrace(PTRACE_GETREGS, t->id, 0, &registers) != 0)
        return PTRACE_CONT;
    for (int i = 0; i < CALLS; i++) {
        const call *c = &calls[i];
        if (c->number != (int)registers.orig_rax)
            continue;
        if (!find_path(t->id, c, &registers, path) || !is_under(path, state.folder))
            return PTRACE_CONT;
        long number = count(c->name);
        bool hit = is_hit(c, path);
        if (state.log)
            fprintf(state.log, "%s\t%ld\t%s\t%s\n", c->name, number, path,
                    hit ? state.point.what : "");
        return hit ? begin_fault(t, c, &registers) : PTRACE_CONT;
    }
    return PTRACE_CONT;
}

/* Kills all tasks, and waits until the last is gone. */
static _Noreturn void kill_all(void)
{
    int status;
    for (int i = 0; i < state.task_count; i++)
        kill(state.tasks[i].id, SIGKILL);
    for (pid_t id; (id = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR;)
        if (id > 0 && WIFSTOPPED(status))
            kill(id, SIGKILL);
    exit(128 + SIGKILL);
}

static void stopped(pid_t id, int status)
{
    task *t = task_of(id);
    int signal = WSTOPSIG(status), event = status >> 16;
    enum __ptrace_request how = PTRACE_CONT;
    if (event == PTRACE_EVENT_SECCOMP) {
        how = at_call(t);
        signal = 0;
    } else if (event == PTRACE_EVENT_STOP) {
        if (signal != SIGTRAP) /* the task is stopped as by ^Z, and goes on by SIGCONT */
            how = PTRACE_LISTEN;
        signal = 0;
    } else if (event) {
        signal = 0;
    } else if (signal == (SIGTRAP | 0x80)) {
        if (t->waits && state.point.deed == KILL)
            kill_all();
        if (t->waits)
            end_fault(t);
        signal = 0;
    }
    ptrace(how, id, 0, signal); /* an error: the task was killed meanwhile */
}

/* Runs until all tasks are gone; returns the exit code. */
static int trace(pid_t first)
{
    int status, code = BROKEN;
    for (;;) {
        pid_t id = waitpid(-1, &status, __WALL);
        if (id < 0 && errno == EINTR)
            continue;
        if (id < 0)
            return code;
        if (WIFSTOPPED(status)) {
            stopped(id, status);
            continue;
        }
        forget(id);
        if (id == first)
            code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

/* Lets the kernel stop this process and its children at the calls of the table, and nowhere else.
 */
static void filter_calls(void)
{
    struct sock_filter program[CALLS + 3];
    unsigned short length = 0;
    program[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < CALLS; i++)
        program[length++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, (unsigned char)(CALLS - i), 0);
    program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    struct sock_fprog filter = {length, program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        broken("can't filter system calls");
}

static pid_t start(char **command)
{
    int ready[2];
    char byte;
    if (pipe(ready) != 0)
        broken("can't make a pipe");
    pid_t child = fork();
    if (child < 0)
        broken("can't start a process");
    if (child == 0) {
        close(ready[1]);
        if (read(ready[0], &byte, 1) != 1) /* until it is traced */
            exit(BROKEN);
        close(ready[0]);
        filter_calls();
        execvp(command[0], command);
        broken(command[0]);
    }
    if (ptrace(PTRACE_SEIZE, child, 0,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
                   PTRACE_O_EXITKILL) != 0) {
        close(ready[1]);
        broken("can't trace");
    }
    if (write(ready[1], "", 1) != 1)
        broken("can't start the command");
    close(ready[0]);
    close(ready[1]);
    return child;
}

static int error_number(const char *name)
{
    for (int i = 0; i < ERRORS; i++)
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].number;
    errno = 0;
    fprintf(stderr, "fault: %s: ", name);
    broken("neither an error, late- and an error, short, zero nor kill");
}

static bool is_name(const char *name)
{
    for (int i = 0; i < CALLS; i++)
        if (strcmp(calls[i].name, name) == 0)
            return true;
    return false;
}

/* CALL[@GLOB]:N[+]:WHAT */
static void parse_point(point *p, const char *text)
{
    char after = 0;
    errno = 0;
    const char *number = NULL, *what = strrchr(text, ':');
    for (const char *at = text; what && at < what; at++)
        if (*at == ':')
            number = at;
    size_t name = strcspn(text, "@:");
    if (!number || name >= sizeof p->name || strlen(what + 1) >= sizeof p->what ||
        sscanf(number + 1, "%ld%c", &p->number, &after) < 1)
        broken("expected --fail CALL[@GLOB]:N[+]:WHAT");
    memcpy(p->name, text, name);
    if (!is_name(p->name))
        broken("expected the name of a call: open, read, pread, write, fsync, ...");
    p->and_later = after == '+';
    snprintf(p->what, sizeof p->what, "%s", what + 1);
    snprintf(p->glob, sizeof p->glob, "*");
    if (text[name] == '@')
        snprintf(p->glob, sizeof p->glob, "%.*s", (int)(number - text - (ptrdiff_t)name - 1),
                 text + name + 1);
    if (strcmp(p->what, "kill") == 0)
        p->deed = KILL;
    else if (strcmp(p->what, "short") == 0)
        p->deed = SHORT;
    else if (strncmp(p->what, "late-", 5) == 0)
        p->deed = FAIL_LATE;
    if (p->deed == FAIL_LATE)
        p->error = error_number(p->what + 5);
    else if (p->deed == FAIL && strcmp(p->what, "zero") != 0)
        p->error = error_number(p->what);
}

int main(int argc, char **argv)
{
    const char *folder = ".";
    int at = 1;
    for (; at + 1 < argc && strcmp(argv[at], "--") != 0; at += 2) {
        if (strcmp(argv[at], "--under") == 0) {
            folder = argv[at + 1];
        } else if (strcmp(argv[at], "--fail") == 0) {
            parse_point(&state.point, argv[at + 1]);
            state.fails = true;
        } else if (strcmp(argv[at], "--log") == 0) {
            state.log = fopen(argv[at + 1], "we");
            if (!state.log)
                broken(argv[at + 1]);
            setvbuf(state.log, NULL, _IOLBF, 0);
        } else {
            break;
        }
    }
    errno = 0;
    if (at + 1 >= argc || strcmp(argv[at], "--") != 0)
        broken(
            "expected [--under FOLDER] [--log FILE] [--fail CALL[@GLOB]:N[+]:WHAT] -- COMMAND ...");
    char *real = realpath(folder, NULL);
    if (!real || strlen(real) >= PATH)
        broken(folder);
    snprintf(state.folder, sizeof state.folder, "%s", real);
    free(real);
    return trace(start(argv + at + 1));
}
