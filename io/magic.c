/* magic: the table of what files begin with. */
#include "io/magic.h"

#include <string.h>
#include <strings.h>

/* The bytes at a place of the file, how many they are, the place, and what the file then is. */
#define BYTES(text) text, sizeof text - 1
static const struct magic {
    const char *bytes;
    size_t size, at;
    const char *name;
} magics[] = {
    {BYTES("\211HDF\r\n\032\n"), 0, "an HDF5 file (a data set already, or one for import h5)"},
    {BYTES("\037\213"), 0, "packed by gzip (gunzip it)"},
    {BYTES("PK\003\004"), 0,
     "a zip archive, or a spreadsheet, .npz or .pt file (unzip or export it)"},
    {BYTES("PK\005\006"), 0, "an empty zip archive"},
    {BYTES("1AY&SY"), 4, "packed by bzip2 (bunzip2 it)"},
    {BYTES("\3757zXZ"), 0, "packed by xz (unxz it)"},
    {BYTES("\050\265\057\375"), 0, "packed by zstd (unzstd it)"},
    {BYTES("\004\042\115\030"), 0, "packed by lz4 (unlz4 it)"},
    {BYTES("7z\274\257\047\034"), 0, "a 7z archive (unpack it)"},
    {BYTES("Rar!\032\007"), 0, "a RAR archive (unpack it)"},
    {BYTES("ustar"), 257, "a tar archive (tar -xf unpacks it)"},
    {BYTES("\200\002"), 0, "a Python pickle (write its arrays by h5py)"},
    {BYTES("\200\003"), 0, "a Python pickle (write its arrays by h5py)"},
    {BYTES("\200\004"), 0, "a Python pickle (write its arrays by h5py)"},
    {BYTES("\200\005"), 0, "a Python pickle (write its arrays by h5py)"},
    {BYTES("\223NUMPY"), 0, "a .npy file of numpy (write its array by h5py)"},
    {BYTES("PAR1\025"), 0, "a Parquet file (export it as CSV)"},
    {BYTES("ARROW1\000\000"), 0, "an Arrow file (export it as CSV)"},
    {BYTES("SQLite format 3\000"), 0, "an SQLite database (export a table as CSV)"},
    {BYTES("MATLAB 5.0 MAT-file"), 0, "a .mat file before version 7.3 (save it with -v7.3)"},
    {BYTES("CDF\001"), 0, "a netCDF-3 file (nccopy -k nc4 makes HDF5 of it)"},
    {BYTES("CDF\002"), 0, "a netCDF-3 file (nccopy -k nc4 makes HDF5 of it)"},
    {BYTES("\320\317\021\340"), 0, "an old spreadsheet or Office document (export it as CSV)"},
    {BYTES("%PDF-"), 0, "a PDF document"},
    {BYTES("\211PNG"), 0, "a PNG picture"},
    {BYTES("\377\330\377"), 0, "a JPEG picture"},
    {BYTES("GIF8"), 0, "a GIF picture"},
    {BYTES("WEBPVP8"), 8, "a WebP picture"},
    {BYTES("ftypheic"), 4, "a HEIF picture"},
    {BYTES("ftypavif"), 4, "an AVIF picture"},
    {BYTES("II*\000"), 0, "a TIFF picture"},
    {BYTES("MM\000*"), 0, "a TIFF picture"},
    {BYTES("\177ELF"), 0, "a program"},
    {BYTES("version https://git-lfs"), 0,
     "a pointer of Git LFS, not the data (git lfs pull gets it)"},
    {BYTES("\377\376"), 0, "UTF-16 text (save it as UTF-8)"},
    {BYTES("\376\377"), 0, "UTF-16 text (save it as UTF-8)"},
    {BYTES("\000\000\010\001"), 0, "an IDX file of labels (for import idx)"},
    {BYTES("\000\000\010\003"), 0, "an IDX file of images (for import idx)"},
};

/* How pages of the web begin, after blanks, in large or small letters. */
static const char *const pages[] = {"<!doctype", "<html", "<head", "<body", "<script", "<?xml"};

const char *ls_magic_name(const void *bytes, size_t size)
{
    const char *text = bytes;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const struct magic *m = &magics[i];
        if (size >= m->at + m->size && memcmp(text + m->at, m->bytes, m->size) == 0)
            return m->name;
    }
    for (; size > 0 && memchr("\xef\xbb\xbf \t\r\n", *text, 7); text++)
        size--;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (size >= strlen(pages[i]) && strncasecmp(text, pages[i], strlen(pages[i])) == 0)
            return "an HTML or XML page (was the download refused?)";
    return NULL;
}
