/* latent: the codes that a generator or a decoder starts from. */
#pragma once
#include "core/random.h"

typedef enum ls_latent_prior { LS_LATENT_NORMAL, LS_LATENT_UNIFORM } ls_latent_prior;
/* The values of an option for it: N(0, 1), or uniform on [-1, 1). NULL-terminated. */
extern const char *const ls_latent_names[];

/* z[n, width] = rows first, first + 1, ... of a stream's draws from the prior. */
void ls_latent_draw(ls_latent_prior prior, ls_random stream, long first, long n, long width,
                    real *z);
/* The same of a square of `rows` codes of two numbers: evenly spaced points of the unit square,
 * each coordinate through the prior's quantile function (Kingma and Welling 2014, appendix A). The
 * first number grows from left to right, the second from top to bottom. */
void ls_latent_plane(ls_latent_prior prior, long rows, long first, long n, real *z);
/* Codes first, first + 1, ... of `rows` evenly spaced ones on the line from one code to another. */
void ls_latent_walk(const real *from, const real *to, long width, long rows, long first, long n,
                    real *z);
