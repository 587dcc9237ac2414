/* fuzz_idx: clang's fuzzer on import idx. Two bytes say how many of the rest are the file of
 * images; the others are the labels. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/import/import.h"

/* What import.c has for idx: it would bring all formats with it. */
bool ls_import_check_valid(const ls_import *import, const char *path, long rows, ls_error *error)
{
    return import->valid < rows || ls_error_set(error, LS_USAGE, "%s: too few rows", path);
}

bool ls_import_in_valid(const ls_import *import, long rows, long row)
{
    return row < import->valid;
}

void ls_import_report(FILE *report, const char *split, long rows, const long size[2], long classes)
{
}

/* A file in memory; its path goes into path[32]. */
static int file_of(const uint8_t *data, size_t size, char *path)
{
    int file = memfd_create("fuzz", 0);
    if (file < 0 || write(file, data, size) != (ssize_t)size)
        abort();
    snprintf(path, 32, "/proc/self/fd/%d", file);
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char images[32], labels[32];
    ls_error error;
    if (size < 3)
        return 0;
    size_t first = ((size_t)data[0] << 8 | data[1]) % (size - 2);
    int a = file_of(data + 2, first, images);
    int b = file_of(data + 2 + first, size - 2 - first, labels);
    const ls_import import = {
        .file = {images, labels}, .output = "fuzzed.h5", .force = true, .valid = 1};
    ls_import_idx(&import, NULL, &error);
    close(a);
    close(b);
    return 0;
}
