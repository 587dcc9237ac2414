/* random: randomness is a function of (seed, purpose, step, draw, layer, row); there is no state.
 *
 * Philox4x32-10 from Random123 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as
 * 1, 2, 3, SC'11). The stream's key comes from (seed, purpose, step, draw, layer) by one more
 * Philox call; the counter is (row, block). The same numbers in the float and the double build. */
#pragma once
#include "core/tensor.h"

typedef enum ls_purpose {
    LS_RANDOM_INITIALIZE, /* row: logical index / 4 */
    LS_RANDOM_SHUFFLE,
    LS_RANDOM_SPLIT,
    LS_RANDOM_DROPOUT,
    LS_RANDOM_NOISE, /* latent and sampling noise */
    LS_RANDOM_AUGMENT,
    LS_RANDOM_SYNTHETIC,
    LS_RANDOM_SAMPLE /* rows drawn by weights */
} ls_purpose;

/* The `layer` of streams that are of no layer, whose own are small numbers. Those of one purpose
 * that draw the same things have the same number: objectives that draw pixels see the same rows. */
enum {
    LS_STREAM_CODES = 1 << 24,             /* vae: noise of the codes, */
    LS_STREAM_PIXELS,                      /* pixels drawn by their probabilities, */
    LS_STREAM_DRAWS,                       /* draws of an estimated likelihood, */
    LS_STREAM_PRIOR,                       /* codes of what is generated */
    LS_STREAM_HIDDEN = 1 << 24 | 16,       /* rbm: samples of hidden units, */
    LS_STREAM_VISIBLE,                     /* and of visible units, */
    LS_STREAM_CHAINS,                      /* where persistent chains begin, */
    LS_STREAM_BEGINNINGS,                  /* and those of generation, */
    LS_STREAM_FLIPPED,                     /* visible units that the pseudo-likelihood flips */
    LS_STREAM_TEXT = 1 << 24 | 32,         /* tokens of a text that is generated */
    LS_STREAM_DESCENT = 1 << 24 | 1 << 16, /* + k: samples of the k-th machine on the way down */
    LS_STREAM_ANNEALING = 1 << 25
};

typedef struct ls_random {
    uint32_t key[2];
} ls_random;

ls_random ls_random_stream(uint64_t seed, ls_purpose purpose, uint64_t step, uint32_t draw,
                           uint32_t layer);
/* n numbers of row `row`; the first k of a longer request are the same. */
void ls_random_bits(ls_random stream, uint64_t row, uint32_t *out, long n);
void ls_random_uniform(ls_random stream, uint64_t row, real *out, long n); /* [0, 1), 24 bits */
/* The mask of inverted dropout: 0 with probability `rate` [0, 1), else 1 / (1 - rate). */
void ls_random_mask(ls_random stream, uint64_t row, double rate, real *out, long n);
void ls_random_normal(ls_random stream, uint64_t row, real *out, long n); /* Box-Muller, by libm */
/* Noise for a batch: out[rows, n] gets n normal numbers of each of the rows row, row + 1, ... By
 * Box-Muller in vectors of floats, several times as fast as ls_random_normal, whose numbers differ
 * in the last digits. */
void ls_random_normals(ls_random stream, uint64_t row, long rows, long n, real *out);

/* The image of `index` under a pseudo-random permutation of [0, n): a Feistel network with cycle
 * walking, so that any rank can compute any row's without a list. */
uint64_t ls_random_permute(ls_random stream, uint64_t n, uint64_t index);
