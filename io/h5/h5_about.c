/* h5_about: which HDF5 library this is, for `doctor`. */
#include "io/h5/h5_about.h"

#include <stdio.h>

#include "io/h5/h5.h"

void ls_h5_about_read(ls_h5_about *about)
{
    unsigned major = 0, minor = 0, release = 0;
    hbool_t safe = false;
    ls_h5_start();
    H5get_libversion(&major, &minor, &release);
    H5is_library_threadsafe(&safe);
    *about = (ls_h5_about){
#ifdef H5_HAVE_PARALLEL
        .parallel = true,
#endif
        .as_built = major == H5_VERS_MAJOR && minor == H5_VERS_MINOR && release == H5_VERS_RELEASE,
        .thread_safe = safe,
        .reads_zipped = H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0};
    snprintf(about->version, sizeof about->version, "%u.%u.%u", major, minor, release);
}
