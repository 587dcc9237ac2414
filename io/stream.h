/* stream: a split whose x are tokens one after the other, [tokens], seen as windows of as many
 * steps each, row after row; y is the same array one token later, so that the label of each step is
 * the token that follows. Nothing is copied. Of N tokens the last one has none that follows, and
 * those beyond the last whole window are in no row, or in a short one (ls_stream_add_tail): a split
 * of fewer tokens than a window has no rows else, and can only be evaluated
 * (launch/session/streams).
 *
 *     tokens   a b c d e f g h i j k        N = 11
 *     x        [a b c] [d e f] [g h i]      3 rows of 3 steps
 *     y        [b c d] [e f g] [h i j] */
#pragma once
#include "io/column.h"

/* Makes a label of each token: split->y becomes x, one label a row. LS_USAGE and LS_DATA errors
 * where the split is no stream, or has fewer than two tokens. */
bool ls_stream_label(ls_split *split, const ls_column *x, ls_column *y, long steps,
                     ls_error *error);
/* Cuts the labelled stream into windows; split->tokens becomes N. */
void ls_stream_cut(ls_split *split, ls_column *x, ls_column *y, long steps);
/* How many tokens of the labelled stream lie beyond the last whole window. */
long ls_stream_tail(const ls_split *split);
/* Makes a row of these tokens, where there are any, which reads as 0 behind its end. Returns the
 * lengths [rows] of all rows, for the caller to free with ls_free. */
int32_t *ls_stream_add_tail(ls_split *split, ls_column *x, ls_column *y);
