/* clones: functions of simple loops that are compiled for several instruction sets; the loader
 * picks the best one that the processor has. Only with gcc on x86-64, and not under sanitizers,
 * because the function that picks runs before they are ready. */
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(LS_SANITIZE)
/* LEVEL(level of x86-64, name of its vector instructions), the best first. */
#define LS_CLONES_LEVELS(LEVEL) LEVEL("x86-64-v4", "AVX-512") LEVEL("x86-64-v3", "AVX2")
#define LS_CLONES_ARCH(level, name) "arch=" level,
#define LS_CLONES __attribute__((target_clones(LS_CLONES_LEVELS(LS_CLONES_ARCH) "default")))
#define LS_CLONED 1
#else
#define LS_CLONES
#define LS_CLONED 0
#endif

#define LS_INLINE inline __attribute__((always_inline))

/* "AVX-512": the instruction set of the clones that run here. */
const char *ls_clones_set(void);
