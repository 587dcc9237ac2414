/* fuzz_safetensors: libFuzzer gives bytes to the reader of safetensors files: first as the header
 * of a file, then as a whole file, of which every tensor that opens is read.
 *
 *     tests/launch/test_libfuzzer.sh builds it with clang and runs it for a fixed count */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/safetensors/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_all(const ls_safetensors *file)
{
    for (int i = 0; i < file->table.count; i++) {
        const ls_safetensor *tensor = &file->table.at[i];
        ls_error error;
        real *numbers = ls_alloc((size_t)ls_shape_count(&tensor->shape), sizeof *numbers);
        if (tensor->type->read && !ls_safetensors_read(file, tensor, numbers, &error) &&
            !error.text[0])
            abort();
        ls_free(numbers);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char path[64];
    ls_error error = {0};
    ls_safetensors_table table;
    const size_t held = ls_memory_blocks();
    if (!ls_safetensors_table_read("fuzz", (const char *)bytes, size, size, &table, &error) &&
        error.code != LS_DATA)
        abort();
    ls_safetensors_table_release(&table);
    if (!path[0])
        snprintf(path, sizeof path, "fuzz-%ld.safetensors", (long)getpid());
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(bytes, 1, size, out) != size || fclose(out) != 0)
        abort();
    ls_safetensors *file = ls_safetensors_open(path, &error);
    if (file)
        read_all(file);
    ls_safetensors_close(file);
    unlink(path);
    if (ls_memory_blocks() != held)
        abort();
    return 0;
}
