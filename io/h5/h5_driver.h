/* h5_driver: lets HDF5 read and write a file through a descriptor that is open already.
 *
 * HDF5's own driver opens files by their names, so that what it opens may be another file than the
 * one that was checked, or a link that somebody put there; it takes a signal for a failure, asks
 * for locks that some file systems do not give, and crashes at exit over a file that could not be
 * closed, as on a full disk. Here the caller opens and locks; reads and writes go on after signals
 * (io/file.h); and a close never fails: what could not be written is told by ls_h5_driver_close. */
#pragma once
#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

/* Sets in a file access list that the file which is opened or created by it, whatever name is
 * given, is the one that is open as `file`. The driver doubles the descriptor, which keeps its
 * lock, so the caller may close its own. A file that is created must be open for reading too, and
 * empty. `lacking` is kept for ls_h5_driver_lacking. */
void ls_h5_driver_use(hid_t access, int file, int lacking);
/* Why a file that was opened so has no lock: an errno, 0 where it has one. */
int ls_h5_driver_lacking(hid_t file);

/* Closes a file that was created so. False where not all of it could be written; then *reason is
 * the errno (0: HDF5's error stack says why), and *size the bytes of the write that failed. */
bool ls_h5_driver_close(hid_t file, int *reason, size_t *size);
