/* workspace: the memory of one application of a net, and the passes through it: forward, backward.
 * A net may have several workspaces (training, evaluation, a discriminator on real and on generated
 * rows). */
#pragma once
#include "core/net.h"

typedef struct ls_workspace ls_workspace;
/* Memory for up to `rows` rows. `training`: keeps what backward needs. Free with
 * ls_workspace_destroy. */
ls_workspace *ls_workspace_create(const ls_net *net, long rows, bool training);
/* Of layers 0 to `last` only, as if the net ended there, for forward passes without training: y of
 * ls_workspace_forward is the output of `last`. */
ls_workspace *ls_workspace_create_until(const ls_net *net, long rows, int last);
void ls_workspace_destroy(ls_workspace *run);
/* The bytes that ls_workspace_create would take with one thread, without taking them: chunks are
 * cut by them, and must not depend on the threads. */
size_t ls_workspace_bytes(const ls_net *net, long rows, bool training);
/* And what the params' other threads take beside. */
size_t ls_workspace_bytes_threads(const ls_net *net, long rows);
/* y [rows, net->y], owned by the run, good until its next forward. x [rows, net->x] must stay until
 * backward is done. */
const real *ls_workspace_forward(ls_workspace *run, const ls_pass *pass, const real *x, long rows);
/* Of the last forward (training runs only). dy [rows, net->y]; dx [rows, net->x] is overwritten,
 * NULL: not wanted. Adds to pass->gradient. */
void ls_workspace_backward(ls_workspace *run, const ls_pass *pass, const real *dy, real *dx);
/* A buffer [rows, net->y] of the run for the loss to write dy into. */
real *ls_workspace_dy(ls_workspace *run);
/* For dumps and features: a layer's output, and its draws or NULL, after forward of a training run
 * and before its backward, which reuses the memory. */
const real *ls_workspace_output(const ls_workspace *run, int layer);
const real *ls_workspace_draws(const ls_workspace *run, int layer);
/* For `bench --profile`: seconds spent in each layer, forward and backward ([2 * net->count],
 * borrowed by the run, added to); NULL stops it. */
void ls_workspace_profile(ls_workspace *run, double *seconds);
