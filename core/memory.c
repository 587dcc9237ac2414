/* memory: the one place that allocates. */
#include "core/memory.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/check.h"

enum { HUGE_PAGE = 2 << 20 };

static atomic_size_t held, blocks;

/* The size of a block is kept in the LS_ALIGN bytes before it. */
static size_t *size_of(void *block)
{
    return (size_t *)((char *)block - LS_ALIGN);
}

void *ls_alloc(size_t count, size_t size)
{
    size_t bytes;
    ls_check(!__builtin_mul_overflow(count, size, &bytes) && bytes < SIZE_MAX / 2,
             "%zu elements of %zu bytes are more than memory can hold", count, size);
    bool huge = bytes >= HUGE_PAGE;
    size_t align = huge ? HUGE_PAGE : LS_ALIGN;
    size_t whole = (LS_ALIGN + bytes + align - 1) / align * align;
    char *start = aligned_alloc(align, whole);
    ls_check(start, "out of memory: %zu bytes more than the %zu that are held", bytes,
             ls_memory_held());
    if (huge)
        madvise(start, (LS_ALIGN + bytes) / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    memset(start, 0, LS_ALIGN + bytes);
    *size_of(start + LS_ALIGN) = bytes;
    held += bytes;
    blocks += 1;
    return start + LS_ALIGN;
}

void ls_free(void *pointer)
{
    if (!pointer)
        return;
    held -= *size_of(pointer);
    blocks -= 1;
    free(size_of(pointer));
}

void *ls_memory_room(void *block, size_t *room, size_t bytes)
{
    if (*room >= bytes)
        return block;
    ls_free(block);
    *room = bytes + bytes / 4;
    return ls_alloc(*room, 1);
}

void *ls_memory_malloc(size_t bytes)
{
    void *start = malloc(bytes ? bytes : 1);
    ls_check(start, "out of memory: %zu bytes more than the %zu that are held", bytes,
             ls_memory_held());
    return start;
}

void *ls_realloc(void *pointer, size_t count, size_t size)
{
    void *grown = ls_alloc(count, size);
    if (pointer) {
        size_t before = *size_of(pointer), after = count * size;
        memcpy(grown, pointer, before < after ? before : after);
        ls_free(pointer);
    }
    return grown;
}

#ifdef __SSE2__
enum { LARGE = 16 << 20 }; /* bytes: more than the caches of a core hold */
#endif

void ls_memory_copy(void *to, const void *from, size_t bytes)
{
#ifdef __SSE2__
    if (bytes >= LARGE && ((uintptr_t)to | (uintptr_t)from | bytes) % LS_ALIGN == 0) {
        const __m128i *read = from, *end = read + bytes / sizeof *read;
        for (__m128i *write = to; read < end; read++, write++)
            _mm_stream_si128(write, _mm_load_si128(read));
        _mm_sfence();
        return;
    }
#endif
    memcpy(to, from, bytes);
}

void ls_memory_zero(void *block, size_t bytes)
{
#ifdef __SSE2__
    if (bytes >= LARGE && (uintptr_t)block % LS_ALIGN == 0 && bytes % LS_ALIGN == 0) {
        for (char *to = block, *end = to + bytes; to < end; to += sizeof(__m128i))
            _mm_stream_si128((__m128i *)(void *)to, _mm_setzero_si128());
        _mm_sfence();
        return;
    }
#endif
    memset(block, 0, bytes);
}

char *ls_format(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    ls_check(length >= 0, "cannot format \"%s\"", format);
    char *text = ls_alloc((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *ls_copy_string(const char *text)
{
    return text ? ls_format("%s", text) : NULL;
}

void ls_format_join(char *list, size_t size, const char *word)
{
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used ? ", " : "", word);
}

size_t ls_memory_held(void)
{
    return held;
}

size_t ls_memory_blocks(void)
{
    return blocks;
}

double ls_memory_process(void)
{
    char line[256];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Pss: %lf kB", &kilobytes) == 1)
            break;
    if (file)
        fclose(file);
    return 1024 * kilobytes;
}

/* The lowest offset at which `block` overlaps no placed block that lives at the same time. */
static size_t lowest_offset(const ls_block *placed, int count, const ls_block *block)
{
    size_t offset = 0;
    bool moved = true;
    while (moved) {
        moved = false;
        for (int i = 0; i < count; i++) {
            const ls_block *other = &placed[i];
            bool together = other->first <= block->last && block->first <= other->last;
            bool meet =
                offset < other->offset + other->size && other->offset < offset + block->size;
            if (together && meet) {
                offset = other->offset + other->size;
                moved = true;
            }
        }
    }
    return offset;
}

size_t ls_memory_plan(ls_block *list, int count)
{
    size_t whole = 0;
    for (int i = 0; i < count; i++) {
        ls_block *block = &list[i];
        block->size = (block->size + LS_ALIGN - 1) / LS_ALIGN * LS_ALIGN;
        block->offset = lowest_offset(list, i, block);
        if (block->offset + block->size > whole)
            whole = block->offset + block->size;
    }
    return whole;
}
