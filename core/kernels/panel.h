/* panel: matrices of weights stored in panels, and other operands brought into that form.
 *
 * weight[out, in] is stored as [ceil(out / 32)][in][32]: for each input the weights of 32 outputs
 * are neighbours, as the micro-kernel (tile.h) reads them; outputs beyond `out` are 0. A
 * convolution's [out, in, h, w] is stored as [ceil(out / 32)][h][w][in][32], that is, as a matrix
 * with h * w * in inputs. Each group has panels of its own, one group after the other, so that a
 * group of few outputs still takes 32. */
#pragma once
#include "core/kernels/tile.h"
#include "core/params.h"

/* The layout of a slot [out, in] or [out, in, h, w], of one group. */
extern const ls_layout ls_panel_layout;
/* Panels needed for so many columns. */
long ls_panel_count(long columns);
/* `columns` rounded up to whole vectors (columns beyond them are 0, so computing them is safe). */
long ls_panel_round(long columns);
/* Reals of a matrix in panels. */
long ls_panel_size(long out, long in);

/* Transposes `count` inputs, from `first` on, of a weight [out, in] in panels:
 * transposed[ceil(count / 32)][out][32], 0 beyond; its panels begin `panel` reals apart. */
void ls_panel_transpose_weight(const real *weight, long out, long in, long first, long count,
                               real *transposed, long panel);
/* Packs from[rows, columns], whose rows begin `row` reals apart, into
 * panels[ceil(columns / 32)][rows][32]; 0 beyond. */
void ls_panel_pack(const real *from, long row, long rows, long columns, real *panels);
/* to[columns][32] = the transpose of from[rows, columns], at most 32 rows; 0 beyond. */
void ls_panel_transpose_rows(const real *from, long row, long rows, long columns, real *to);
/* The way back: to[rows, columns] = (add: +=) the transpose of from[columns][32]. */
void ls_panel_transpose_back(const real *from, long rows, long columns, bool add, real *to,
                             long row);
