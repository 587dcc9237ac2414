/* h5_driver: a driver of HDF5's virtual file layer, over pread and pwrite. */
#include "io/h5/h5_driver.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/check.h"
#include "core/memory.h"
#include "io/file.h"

#define MOST ((haddr_t)INT64_MAX) /* bytes of a file */

/* What became of a file that is closed. */
typedef struct outcome {
    int reason;  /* errno of the first call that failed; 0: none did */
    size_t size; /* its bytes */
} outcome;

/* What the access list keeps. */
typedef struct given_file {
    int file, lacking;
    hid_t driver;
} given_file;

typedef struct driver_file {
    H5FD_t hdf5;  /* HDF5's own part */
    hid_t driver; /* held until the file is closed */
    int file, lacking;
    haddr_t eoa, eof; /* the end of what HDF5 has allocated, and of the file */
    outcome first;    /* the first failure */
    outcome *told;    /* where the closer wants to read it; NULL: the file is in use */
} driver_file;

/* Puts the system's reason onto HDF5's error stack, where ls_h5_errno finds it. */
static herr_t fail(hid_t minor, const char *doing, size_t size)
{
    H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_IO, minor,
             "%s: errno = %d, bytes = %zu", doing, errno, size);
    return -1;
}

static H5FD_t *open_file(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    const given_file *given = H5Pget_driver_info(access);
    struct stat status;
    int file = given ? ls_file_double(given->file) : -1;
    if (file < 0 || fstat(file, &status) != 0) {
        fail(H5E_CANTOPENFILE, "open", 0);
        if (file >= 0)
            ls_file_close(file);
        return NULL;
    }
    driver_file *f = ls_alloc(1, sizeof *f);
    f->file = file;
    f->lacking = given->lacking;
    f->driver = given->driver;
    H5Iinc_ref(f->driver);
    f->eof = (haddr_t)status.st_size;
    return &f->hdf5;
}

/* HDF5 gives up its hold on the driver before it calls this, through the driver's table: so each
 * file holds the driver too. A file that can't be opened is closed while HDF5 collects the reasons,
 * which any call of its interface would clear. */
static herr_t close_file(H5FD_t *file)
{
    driver_file *f = (driver_file *)file;
    hid_t held = f->driver;
    if (f->told)
        *f->told = f->first;
    ls_file_close(f->file);
    ls_free(f);
    hid_t reasons = H5Eget_current_stack();
    H5Idec_ref(held);
    H5Eset_current_stack(reasons);
    return 0;
}

/* What HDF5's own driver answers, so that files are laid out alike. */
static herr_t query(const H5FD_t *file, unsigned long *flags)
{
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    return ((const driver_file *)file)->eoa;
}

static herr_t set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t address)
{
    ((driver_file *)file)->eoa = address;
    return 0;
}

static haddr_t get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    return ((const driver_file *)file)->eof;
}

static herr_t get_handle(H5FD_t *file, hid_t access, void **handle)
{
    *handle = &((driver_file *)file)->file; /* as HDF5's own driver gives it */
    return 0;
}

/* Notes a failure; while the file is being closed HDF5 is not told, for it could not go on. */
static herr_t note(driver_file *f, hid_t minor, const char *doing, size_t size)
{
    if (!f->first.reason)
        f->first = (outcome){errno, size};
    return f->told ? 0 : fail(minor, doing, size);
}

/* What HDF5 has allocated behind the end of the file reads as zeros. */
static herr_t read_file(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size,
                        void *bytes)
{
    driver_file *f = (driver_file *)file;
    ssize_t done = ls_file_read_at(f->file, bytes, size, (off_t)address);
    size_t filled = done < 0 ? 0 : (size_t)done;
    memset((char *)bytes + filled, 0, size - filled);
    return done < 0 ? note(f, H5E_READERROR, "read", size) : 0;
}

static herr_t write_file(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address,
                         size_t size, const void *bytes)
{
    driver_file *f = (driver_file *)file;
    if (f->told && f->first.reason)
        return 0; /* the file is given up */
    if (!ls_file_write_at(f->file, bytes, size, (off_t)address))
        return note(f, H5E_WRITEERROR, "write", size);
    if (address + size > f->eof)
        f->eof = address + size;
    return 0;
}

static herr_t truncate_file(H5FD_t *file, hid_t transfer, hbool_t closing)
{
    driver_file *f = (driver_file *)file;
    if (f->eoa == f->eof || (f->told && f->first.reason))
        return 0;
    if (!ls_file_truncate(f->file, (off_t)f->eoa))
        return note(f, H5E_WRITEERROR, "truncate", f->eoa);
    f->eof = f->eoa;
    return 0;
}

/* The caller has locked the file. HDF5 looks whether a file was left open by its writer only where
 * the driver has these two. */
static herr_t lock(H5FD_t *file, hbool_t writes)
{
    return 0;
}

static herr_t unlock(H5FD_t *file)
{
    return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 2)
    .version = H5FD_CLASS_VERSION,
    .value = 512, /* from here on numbers are free for all */
#endif
    .name = "lockstep",
    .maxaddr = MOST,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(given_file),
    .open = open_file,
    .close = close_file,
    .query = query,
    .get_eoa = get_eoa,
    .set_eoa = set_eoa,
    .get_eof = get_eof,
    .get_handle = get_handle,
    .read = read_file,
    .write = write_file,
    .truncate = truncate_file,
    .lock = lock,
    .unlock = unlock,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* HDF5 counts who uses a driver: the access list does, and each file that is opened by it. */
void ls_h5_driver_use(hid_t access, int file, int lacking)
{
    hid_t id = H5FDregister(&driver);
    const given_file given = {file, lacking, id};
    ls_check(id >= 0 && H5Pset_driver(access, id, &given) >= 0, "HDF5 takes no driver");
    H5FDunregister(id);
}

static driver_file *driver_file_of(hid_t file)
{
    void *handle = NULL;
    ls_check(H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 && handle,
             "a file that h5_driver does not know");
    return (driver_file *)(void *)((char *)handle - offsetof(driver_file, file));
}

int ls_h5_driver_lacking(hid_t file)
{
    return driver_file_of(file)->lacking;
}

bool ls_h5_driver_close(hid_t file, int *reason, size_t *size)
{
    outcome told = {0};
    driver_file_of(file)->told = &told;
    bool closed = H5Fclose(file) >= 0;
    *reason = told.reason;
    *size = told.size;
    return closed && !told.reason;
}
