/* sampler: draws rows with replacement, each by its weight.
 *
 *     p(row) = w(row) / sum of w        weights: the data set `weight` [rows] of the split
 *                                       balanced: w = 1 / rows of the row's class, so that every
 *                                       class is drawn as often, and in it every row
 *
 * S(i) = w(0) + ... + w(i) is held, 8 bytes a row; a draw is a number u in [0, 1) of 53 bits, a
 * function of (stream, position), and gives the first row with S(row) > u S(last). All ranks add up
 * the same numbers in the same order: so a draw is the same on all of them, and what a run that
 * resumes would have drawn. */
#pragma once
#include "core/random.h"
#include "io/dataset.h"

typedef enum ls_sampling { LS_SAMPLING_BALANCED, LS_SAMPLING_WEIGHTS } ls_sampling;

typedef struct ls_sampler ls_sampler;
/* Draws from the first `rows` rows of a split. NULL and an error: LS_DATA where there are no
 * weights, or one is negative or not finite, or all are 0, or rows have no class; LS_IO. Close with
 * ls_sampler_close. */
ls_sampler *ls_sampler_open(ls_dataset *data, ls_split_id split, long rows, ls_sampling how,
                            ls_error *error);
void ls_sampler_close(ls_sampler *sampler); /* NULL is allowed */
/* The row that is drawn at a position of the stream. */
int64_t ls_sampler_draw(const ls_sampler *sampler, ls_random stream, uint64_t position);
