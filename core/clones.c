/* clones: which of the clones this processor runs. */
#include "core/clones.h"

#if LS_CLONED
#define FIRST_OF(level, name) __builtin_cpu_supports(level) ? name:
const char *ls_clones_set(void)
{
    return LS_CLONES_LEVELS(FIRST_OF) "SSE2";
}
#else
const char *ls_clones_set(void)
{
#if defined(__AVX512F__)
    return "AVX-512";
#elif defined(__AVX2__)
    return "AVX2";
#elif defined(__SSE2__)
    return "SSE2";
#else
    return "the compiler's";
#endif
}
#endif
