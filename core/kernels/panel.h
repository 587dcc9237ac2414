/* panel: matrices of weights in panels, and what is brought into their form.
 *
 * weight[out, in] is stored as [ceil(out / 32)][in][32]: for each input the weights of 32 outputs
 * lie together, as the micro-kernel (tile.h) reads them; outputs beyond `out` are 0. A
 * convolution's [out, in, h, w] is stored as [ceil(out / 32)][h][w][in][32]: the same with h * w *
 * in inputs. With groups, each has panels of its own, one after the other: few
 * outputs a group are stored as 32. */
#pragma once
#include "core/kernels/tile.h"
#include "core/params.h"

/* The layout of a slot [out, in] or [out, in, h, w], of one group. */
extern const ls_layout ls_panel_layout;
/* Panels that hold so many columns. */
long ls_panel_count(long columns);
/* `columns` of a last panel to whole vectors: those beyond are 0. */
long ls_panel_round(long columns);
/* Reals of the panels. */
long ls_panel_size(long out, long in);

/* turned[ceil(count / 32)][out][32] = `count` inputs from `first` of [out, in] panels; 0 beyond.
 * Its panels begin `panel` reals apart. */
void ls_panel_transpose(const real *weight, long out, long in, long first, long count, real *turned,
                        long panel);
/* panels[ceil(columns / 32)][rows][32] = from[rows, columns], whose rows begin `row` reals apart; 0
 * beyond. */
void ls_panel_pack(const real *from, long row, long rows, long columns, real *panels);
/* to[columns][32] = the transpose of from[rows <= 32, columns]; 0 beyond. */
void ls_panel_turn(const real *from, long row, long rows, long columns, real *to);
/* The way back: to[rows <= 32, columns] = or += from[columns][32]. */
void ls_panel_turn_back(const real *from, long rows, long columns, bool add, real *to, long row);

/* dx[rows, in] = or (add) += dy[rows, out] weight[out, in], a product that turns dy and dx round
 * instead of the weight, which passes by once in 256 rows:
 *
 *     dx^T = weight^T dy^T      dy^T, dx^T: panels of 32 rows */
void ls_panel_backward(const real *weight, long out, long in, long rows, const real *dy, bool add,
                       real *dx, real *scratch);
long ls_panel_scratch(long out, long in); /* reals */
