/* net: a function x -> y, dy -> dx, written as spec lines. Inside it is a graph of coarse layers;
 * an input can only be an earlier line, so build order is execution order. A net is immutable once
 * built; a run holds the memory of one application, and a net may have several runs. */
#pragma once
#include <stdio.h>

#include "core/layer.h"

typedef struct ls_net {
    char name[48];
    ls_params *params; /* borrowed */
    ls_shape x, y;     /* of a row */
    int count;
    ls_layer **layers;
    ls_interval slots; /* all of the net's slots: [begin, end) */
    char *lines;       /* the spec lines it was built from */
} ls_net;

/* Builds from spec lines and claims slots of `params` (borrowed, not yet committed). NULL and an
 * LS_USAGE error that names line, key and the nearest known word. Free with ls_net_destroy. */
ls_net *ls_net_build(ls_params *params, const char *name, const char *lines, const ls_shape *input,
                     ls_error *error);
void ls_net_destroy(ls_net *net);
/* Runs `prepare` of every `parts`-th layer from `part`: the ranks of a node share the work. */
void ls_net_prepare(const ls_net *net, int part, int parts);
/* The layer named `name`, or -1. */
int ls_net_find(const ls_net *net, const char *name);
/* The layer table: name, type, output shape, parameters. */
void ls_net_print(const ls_net *net, FILE *out);

typedef struct ls_run ls_run;
/* Memory for up to `rows` rows. `training`: keeps what backward needs. Free with ls_run_destroy. */
ls_run *ls_run_create(const ls_net *net, long rows, bool training);
/* Of layers 0 to `last` only, as if the net ended there, for forward passes without training: y of
 * ls_run_forward is the output of `last`. */
ls_run *ls_run_create_until(const ls_net *net, long rows, int last);
void ls_run_destroy(ls_run *run);
/* The bytes that ls_run_create would take with one thread, without taking them: chunks are cut by
 * them, and must not depend on the threads. */
size_t ls_run_bytes(const ls_net *net, long rows, bool training);
/* And what the params' other threads take beside. */
size_t ls_run_bytes_threads(const ls_net *net, long rows);
/* y [rows, net->y], owned by the run, good until its next forward. x [rows, net->x] must stay until
 * backward is done. */
const real *ls_run_forward(ls_run *run, const ls_pass *pass, const real *x, long rows);
/* Of the last forward (training runs only). dy [rows, net->y]; dx [rows, net->x] is overwritten,
 * NULL: not wanted. Adds to pass->gradient. */
void ls_run_backward(ls_run *run, const ls_pass *pass, const real *dy, real *dx);
/* A buffer [rows, net->y] of the run for the loss to write dy into. */
real *ls_run_dy(ls_run *run);
/* For dumps and features: a layer's output, and its draws or NULL, after forward of a training run
 * and before its backward, which reuses the memory. */
const real *ls_run_output(const ls_run *run, int layer);
const real *ls_run_draws(const ls_run *run, int layer);
/* For `bench --profile`: seconds spent in each layer, forward and backward ([2 * net->count],
 * borrowed by the run, added to); NULL stops it. */
void ls_run_profile(ls_run *run, double *seconds);
