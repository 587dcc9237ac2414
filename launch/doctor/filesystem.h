/* filesystem: the file system of the run directory, tried out: space, speed, locks, and whether all
 * hosts see the same. For `doctor`. */
#pragma once
#include "dist/comm.h"

typedef enum {
    LS_FILESYSTEM_HELD,      /* the lock that rank 0 holds is seen: it keeps a second job out */
    LS_FILESYSTEM_NO_FILE,   /* rank 0's file is not there: not a shared file system */
    LS_FILESYSTEM_NO_LOCK,   /* locks are refused */
    LS_FILESYSTEM_NOT_HELD,  /* locks are given, but hold on one host only */
    LS_FILESYSTEM_NOT_TRIED, /* nothing could be written there */
} ls_filesystem_lock;

/* As one rank sees it. */
typedef struct ls_filesystem {
    char path[512]; /* the folder, or the nearest above it that exists */
    char type[32];  /* "ext4", "nfs4", "lustre"; "?" */
    double room;    /* bytes free */
    double speed;   /* bytes/s of writing 16 MiB down to the disk; rank 0 only */
    int lock;       /* ls_filesystem_lock */
    char why[160];  /* the system's reason, where nothing could be written */
} ls_filesystem;

/* **Collective.** Rank 0 writes a temporary file in `path`, locks it, and removes it in the end. */
void ls_filesystem_read(ls_filesystem *place, ls_comm *comm, const char *path);
/* Bytes free in the file system of `path`; 0 where it is not there. */
double ls_filesystem_room(const char *path);
