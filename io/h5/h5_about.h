/* h5_about: which HDF5 library this is, for `doctor`. */
#pragma once
#include <stdbool.h>

typedef struct ls_h5_about {
    char version[32];  /* of the library that runs */
    bool as_built;     /* it is the version that the program was built with */
    bool thread_safe;  /* calls from several threads are allowed */
    bool parallel;     /* a build with MPI, which has no thread safety */
    bool reads_zipped; /* gzip data sets can be read */
} ls_h5_about;
void ls_h5_about_read(ls_h5_about *about);
