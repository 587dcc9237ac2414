/* filesystem: tests the file system of a run directory: space, speed, locks, and whether all hosts
 * see the same files. */
#pragma once
#include "dist/comm.h"

typedef enum {
    LS_FILESYSTEM_HELD,    /* this rank sees the lock of rank 0, which so keeps a second job out */
    LS_FILESYSTEM_NO_FILE, /* this rank does not see rank 0's file: the file system is not shared */
    LS_FILESYSTEM_NO_LOCK, /* the file system refuses locks */
    LS_FILESYSTEM_NOT_HELD,  /* rank 0 got a lock, but this rank does not see it */
    LS_FILESYSTEM_NOT_TRIED, /* rank 0 could not write a file */
} ls_filesystem_lock;

/* What one rank finds. */
typedef struct ls_filesystem {
    char path[512]; /* the run directory, or the nearest folder above it that exists */
    char type[32];  /* "ext4", "nfs4", "lustre"; "?" */
    double room;    /* bytes free */
    double speed;   /* on rank 0: bytes a second when 16 MiB are written and synced to the disk */
    int lock;       /* ls_filesystem_lock */
    char why[160];  /* the system's reason why nothing could be written; else "" */
} ls_filesystem;

/* **Collective.** Rank 0 writes a temporary file in `path`, locks it, and at the end removes it. */
void ls_filesystem_read(ls_filesystem *found, ls_comm *comm, const char *path);
/* Bytes free in the file system of `path`; 0 where there is no such path. */
double ls_filesystem_room(const char *path);
