/* h5_lock: the lock of an HDF5 file that is read, which keeps writers out (flock, as HDF5 does it).
 *
 * It is an aid: where the file system has no locks the file is read without one, with a notice.
 * HDF5's variable HDF5_USE_FILE_LOCKING decides as in HDF5: FALSE (or 0) asks for none; TRUE (or 1)
 * refuses a file that can't be locked; BEST_EFFORT, and what holds where the variable is not set,
 * locks where that can be done. */
#pragma once
#include <hdf5.h>

#include "core/check.h"

/* Locks the file `path`, open as `file`, for as long as that descriptor or a double of it is open.
 * *lacking is 0, or why there is no lock (an errno). Errors: LS_DATA where another program is
 * writing the file, LS_IO where the lock failed. */
bool ls_h5_lock(const char *path, int file, int *lacking, ls_error *error);
/* Says on stderr that a file (of ls_h5_open) is read without a lock, if it is. For one rank. */
void ls_h5_lock_notice(hid_t file);
