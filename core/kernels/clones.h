/* clones: a function of simple loops, compiled for several instruction sets and chosen at load
 * time. Only gcc on x86-64; sanitizers do not stand the resolver, which runs before they start. */
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(LS_SANITIZE)
#define LS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define LS_CLONED 1
#else
#define LS_CLONES
#define LS_CLONED 0
#endif

/* Bytes of a vector that fits one register, for code written with vector types: wider ones go
 * through memory. With clones it is AVX's, and the default clone (x86-64 before 2013) is slow. */
#if LS_CLONED || defined(__AVX__)
#define LS_VECTOR 32
#else
#define LS_VECTOR 16
#endif

#define LS_INLINE static inline __attribute__((always_inline))
