/* clones: a function of simple loops, compiled for several instruction sets and chosen at load time.
 * Only gcc on x86-64; sanitizers do not stand the resolver, which runs before they start. */
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(LS_SANITIZE)
#define LS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LS_CLONES
#endif
