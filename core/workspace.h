/* workspace: the memory of one application of a net, and its forward and backward passes. A net may
 * have several: for training, for evaluation, for real and for generated rows. */
#pragma once
#include "core/net.h"
#include "core/watch.h"

/* Inference is forward alone; training keeps what backward needs. */
typedef enum { LS_INFERENCE, LS_TRAINING } ls_workspace_use;
typedef struct ls_workspace ls_workspace;
/* For up to `rows` rows. Free with ls_workspace_destroy. */
ls_workspace *ls_workspace_create(const ls_net *net, long rows, ls_workspace_use use);
/* For layers [begin, end) only, as if they were the net: what reads the layer before `begin` reads
 * x. No layer of them may read an earlier one. */
ls_workspace *ls_workspace_create_part(const ls_net *net, ls_interval layers, long rows,
                                       ls_workspace_use use);
void ls_workspace_destroy(ls_workspace *space);
/* The bytes that ls_workspace_create takes with one thread. Evaluation cuts its chunks by them, and
 * these must not depend on the number of threads. */
size_t ls_workspace_bytes(const ls_net *net, long rows, ls_workspace_use use);
size_t ls_workspace_bytes_part(const ls_net *net, ls_interval layers, long rows,
                               ls_workspace_use use);
/* The bytes that the net's other threads take in addition. */
size_t ls_workspace_bytes_threads(const ls_net *net, long rows);
/* y [rows, net->y], owned by the workspace, good until its next forward. x [rows, net->x] must stay
 * until backward is done. */
const real *ls_workspace_forward(ls_workspace *space, const ls_pass *pass, const real *x,
                                 long rows);
/* Sets x and rows as forward does, for a backward alone: of layers that go by x and dy, such as
 * dense. */
void ls_workspace_enter(ls_workspace *space, const real *x, long rows);
/* Backward of the last forward, for workspaces made for training. dy [rows, net->y]; dx [rows,
 * net->x] is overwritten; NULL: not wanted. Adds to pass->gradient. No time is spent on
 * gradients of frozen slots, nor on layers below the lowest one that trains, unless dx is wanted.
 */
void ls_workspace_backward(ls_workspace *space, const ls_pass *pass, const real *dy, real *dx);
/* The rows of the last forward, the net that is applied, and which of its layers are run. */
long ls_workspace_rows(const ls_workspace *space);
const ls_net *ls_workspace_net(const ls_workspace *space);
ls_interval ls_workspace_layers(const ls_workspace *space);
/* Room for dy [rows, net->y], for a loss to write into. */
real *ls_workspace_dy(ls_workspace *space);
/* For dumps and features: a layer's output. In training only between forward and backward, which
 * reuses the memory. */
const real *ls_workspace_output(const ls_workspace *space, int layer);
/* What a layer drew in the last forward, into draws[rows, at most as many as its y has]. Returns
 * the shape of a row's; of rank 0: it drew nothing. */
ls_shape ls_workspace_draws(const ls_workspace *space, int layer, real *draws);
/* From now on `watch` (borrowed; NULL: nobody) hears of each layer's pass for all rows: forward,
 * and backward with the gradients of the layer's parameters. */
void ls_workspace_watch(ls_workspace *space, const ls_watch *watch);
