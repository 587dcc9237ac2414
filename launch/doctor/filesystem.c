/* filesystem: the file system of the run directory, tried out. For `doctor`. */
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

/* `path`, or the nearest folder above it that exists. */
static void existing_folder(const char *path, char *folder, size_t size)
{
    char above[PATH_MAX];
    snprintf(above, sizeof above, "%s", path);
    while (above[0] && access(above, F_OK) != 0) {
        char *slash = strrchr(above, '/');
        if (!slash)
            break;
        slash[slash == above] = 0;
    }
    char whole[PATH_MAX] = ".";
    if (!realpath(access(above, F_OK) == 0 ? above : ".", whole))
        snprintf(whole, sizeof whole, ".");
    snprintf(folder, size, "%.*s", (int)size - 1, whole);
}

/* Whether `path` lies in `folder`. */
static bool lies_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    if (length > 0 && folder[length - 1] == '/')
        length--;
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* The type of the last mount whose folder holds `path` most closely. */
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

/* Bytes a second of 16 MiB written and synced; 0 where that failed. */
static double write_speed(int file)
{
    char *bytes = ls_alloc(WRITTEN, 1);
    memset(bytes, 1, WRITTEN); /* pages of their own: zeros may be stored as none */
    double start = ls_clock_now();
    bool ok = write(file, bytes, WRITTEN) == WRITTEN && fsync(file) == 0;
    double elapsed = ls_clock_now() - start;
    ls_free(bytes);
    return ok ? WRITTEN / elapsed : 0;
}

/* Whether another opening of the file meets the lock: as a second job would. */
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

/* Rank 0's file, locked; -1 where it can't be made. */
static int make_file(ls_filesystem *place, char *name)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int file = mkostemp(name, O_CLOEXEC);
    if (file < 0) {
        snprintf(place->why, sizeof place->why, "%s", strerror(errno));
        return -1;
    }
    place->speed = write_speed(file);
    if (place->speed == 0)
        snprintf(place->why, sizeof place->why, "%s", strerror(errno));
    place->lock = fcntl(file, F_OFD_SETLK, &lock) == 0 ? LS_FILESYSTEM_HELD : LS_FILESYSTEM_NO_LOCK;
    return file;
}

double ls_filesystem_room(const char *path)
{
    struct statvfs space;
    return statvfs(path, &space) == 0 ? (double)space.f_bavail * (double)space.f_frsize : 0;
}

void ls_filesystem_read(ls_filesystem *place, ls_comm *comm, const char *path)
{
    bool first = ls_comm_rank(comm) == 0;
    int file = -1;
    *place = (ls_filesystem){.lock = LS_FILESYSTEM_NOT_TRIED};
    existing_folder(path, place->path, sizeof place->path);
    mount_type(place->path, place->type, sizeof place->type);
    place->room = ls_filesystem_room(place->path);
    char name[sizeof place->path + 32];
    snprintf(name, sizeof name, "%s/.lockstep-doctor-XXXXXX", place->path);
    if (first)
        file = make_file(place, name);
    bool made = file >= 0;
    int lock = place->lock;
    ls_comm_broadcast(comm, &made, sizeof made);
    ls_comm_broadcast(comm, &lock, sizeof lock);
    ls_comm_broadcast(comm, name, sizeof name);
    place->lock = made && lock == LS_FILESYSTEM_HELD ? (int)meet_lock(name) : lock;
    ls_comm_barrier(comm);
    if (made && first) {
        close(file);
        unlink(name);
    }
}
