/* filesystem: tries out a file system by a file that it writes, locks and removes. */
#include "launch/doctor/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"

enum { WRITTEN = 16 << 20 };

/* Writes `path`, or the nearest folder above it that exists, into folder[size]. */
static void existing_folder(const char *path, char *folder, size_t size)
{
    char above[PATH_MAX], full[PATH_MAX];
    snprintf(above, sizeof above, "%s", path);
    while (!realpath(above, full)) {
        char *slash = strrchr(above, '/');
        snprintf(full, sizeof full, ".");
        if (strcmp(above, ".") == 0)
            break;
        if (slash)
            slash[slash == above] = 0;
        else
            snprintf(above, sizeof above, ".");
    }
    snprintf(folder, size, "%.*s", (int)size - 1, full);
}

/* Whether `path` lies in `folder`. */
static bool lies_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    if (length > 0 && folder[length - 1] == '/')
        length--;
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* The type of the mount that holds `path`: the one with the longest folder, the last of equals. */
static void mount_type(const char *path, char *type, size_t size)
{
    size_t longest = 0;
    snprintf(type, size, "?");
    FILE *mounts = setmntent("/proc/self/mounts", "r");
    for (struct mntent *mount; mounts && (mount = getmntent(mounts));)
        if (strlen(mount->mnt_dir) >= longest && lies_in(path, mount->mnt_dir)) {
            longest = strlen(mount->mnt_dir);
            snprintf(type, size, "%s", mount->mnt_type);
        }
    if (mounts)
        endmntent(mounts);
}

/* Bytes a second when 16 MiB are written and synced; 0 where that failed. */
static double write_speed(int file)
{
    char *bytes = ls_alloc(WRITTEN, 1);
    memset(bytes, 1, WRITTEN); /* not zeros, which some file systems do not store */
    double start = ls_clock_now();
    bool ok = write(file, bytes, WRITTEN) == WRITTEN && fsync(file) == 0;
    double elapsed = ls_clock_now() - start;
    ls_free(bytes);
    return ok ? WRITTEN / elapsed : 0;
}

/* Opens the file as a second job would: is it kept out by the lock? */
static ls_filesystem_lock meet_lock(const char *name)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int file = open(name, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return LS_FILESYSTEM_NO_FILE;
    bool asked = fcntl(file, F_OFD_GETLK, &lock) == 0;
    close(file);
    return !asked                   ? LS_FILESYSTEM_NO_LOCK
           : lock.l_type == F_UNLCK ? LS_FILESYSTEM_NOT_HELD
                                    : LS_FILESYSTEM_HELD;
}

/* On rank 0: makes the file, measures it and locks it; -1 where it can't be made. */
static int make_file(ls_filesystem *found, char *name)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int file = mkostemp(name, O_CLOEXEC);
    if (file < 0 || (found->speed = write_speed(file)) == 0)
        snprintf(found->why, sizeof found->why, "%s", strerror(errno));
    if (file >= 0)
        found->lock =
            fcntl(file, F_OFD_SETLK, &lock) == 0 ? LS_FILESYSTEM_HELD : LS_FILESYSTEM_NO_LOCK;
    return file;
}

double ls_filesystem_room(const char *path)
{
    struct statvfs space;
    return statvfs(path, &space) == 0 ? (double)space.f_bavail * (double)space.f_frsize : 0;
}

void ls_filesystem_read(ls_filesystem *found, ls_comm *comm, const char *path)
{
    int file = -1;
    *found = (ls_filesystem){.lock = LS_FILESYSTEM_NOT_TRIED};
    existing_folder(path, found->path, sizeof found->path);
    mount_type(found->path, found->type, sizeof found->type);
    found->room = ls_filesystem_room(found->path);
    char name[sizeof found->path + 32];
    snprintf(name, sizeof name, "%s/.lockstep-doctor-XXXXXX", found->path);
    if (comm->rank == 0)
        file = make_file(found, name);
    int lock = found->lock;
    ls_comm_broadcast(comm, &lock, sizeof lock);
    ls_comm_broadcast(comm, name, sizeof name);
    found->lock = lock == LS_FILESYSTEM_HELD ? (int)meet_lock(name) : lock;
    ls_comm_barrier(comm);
    if (file >= 0) {
        close(file);
        unlink(name);
    }
}
