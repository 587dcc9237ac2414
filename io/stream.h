/* stream: a split whose x are tokens one after the other, [tokens], seen as windows of as many
 * steps each, row after row; y is the same array one token later, so that the label of each step is
 * the token that follows. Nothing is copied. Of N tokens the last one has none that follows, and
 * those beyond the last whole window are in no row.
 *
 *     tokens   a b c d e f g h i j k        N = 11
 *     x        [a b c] [d e f] [g h i]      3 rows of 3 steps
 *     y        [b c d] [e f g] [h i j] */
#pragma once
#include "io/column.h"

/* Makes a label of each token: split->y becomes x, one label a row. LS_USAGE and LS_DATA errors
 * where the split is no stream, or has fewer tokens than a window of `steps` needs. */
bool ls_stream_label(ls_split *split, const ls_column *x, ls_column *y, long steps,
                     ls_error *error);
/* Cuts the labelled stream into windows; split->tokens becomes N. */
void ls_stream_cut(ls_split *split, ls_column *x, ls_column *y, long steps);
