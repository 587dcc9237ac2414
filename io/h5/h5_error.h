/* h5_error: errors that name the file, the object and HDF5's own reason. */
#pragma once
#include <hdf5.h>

#include "core/check.h"

/* Switches HDF5's printing of errors off. HDF5 keeps this by thread, so every function of io/h5
 * calls it first; any number of times, from any thread. */
void ls_h5_start(void);
/* Closes an object; -1 is allowed, for what could not be opened. */
void ls_h5_close(hid_t object);
/* The errno of the system call that made the last HDF5 call fail; 0 where HDF5 names none. */
int ls_h5_errno(void);
/* The name of the file that `object` lives in, for messages; returns text. */
const char *ls_h5_file(hid_t object, char *text, size_t size);
/* "FILE: message: the system's reason", and the code LS_IO, where a system call had failed; else
 * "FILE: message (HDF5: its innermost reason)" and `code`. Call it right after the HDF5 call that
 * failed, with an object that is still open. Returns false. */
bool ls_h5_fail(ls_error *error, int code, hid_t object, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The error of a failed H5Dread of `path`, from row `row` on: LS_DATA where the stored bytes are
 * damaged, LS_IO where they can't be read. Returns false. */
bool ls_h5_fail_read(ls_error *error, hid_t dataset, const char *path, long row);
/* "PATH: message...", where no object is open. */
bool ls_h5_fail_path(ls_error *error, int code, const char *path, const char *message);

/* Follows the name of a file in memory, for HDF5 refuses the name of a file that exists. ls_h5_file
 * leaves it out. */
#define LS_H5_IN_MEMORY " (in memory)"
