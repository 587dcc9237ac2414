/* net: a function x -> y, dy -> dx, written as spec lines. Inside it is a graph of coarse layers;
 * an input can only be an earlier line, so build order is execution order. A net is immutable once
 * built; a workspace (workspace.h) holds the memory of one application. */
#pragma once
#include <stdio.h>

#include "core/layer.h"

typedef struct ls_net {
    char name[48];
    ls_params *params; /* borrowed */
    ls_build build;    /* its threads may be changed until a workspace is made */
    ls_shape x, y;     /* of a row */
    bool own_input;    /* x is what the first line says */
    int count;
    ls_layer **layers;
    ls_interval slots; /* that its lines claimed: [begin, end) */
    char *lines;       /* the spec lines it was built from */
} ls_net;

/* Builds from spec lines and claims slots of `params` (borrowed, not yet committed). The net's
 * input has the shape `input`, or that of the first line, `input 7,7,64`. NULL and an LS_USAGE
 * error that names line, key and the nearest known word. Free with ls_net_destroy. */
ls_net *ls_net_build(ls_params *params, const ls_build *build, const char *name, const char *lines,
                     const ls_shape *input, ls_error *error);
void ls_net_destroy(ls_net *net);
/* A copy of spec lines in which each type has its name and no alias, to be freed with ls_free. What
 * a net is built from, and what of a job is saved, is such a copy. */
char *ls_net_canonical(const char *lines);
/* Runs `prepare` of the layers that use one of `slots` (NULL: all), which have changed: of every
 * `parts`-th of them from `part` on, since the ranks of a node share the work. */
void ls_net_prepare(const ls_net *net, const ls_slots *slots, int part, int parts);
/* All of its lines. */
ls_interval ls_net_all(const ls_net *net);
/* Adds the slots that the passes of these lines use, those that they share included: all but those
 * of LS_SLOT_ASIDE. */
void ls_net_add_slots(const ls_net *net, ls_interval lines, ls_slots *slots);
/* Operations of these lines for a row, of which a multiply-add counts 2: forward, and unless
 * `trained` is NULL backward: the gradients of lines with such slots, and dx down to the lowest of
 * these; with `dx` down to the input of the first line. */
double ls_net_flops(const ls_net *net, ls_interval lines, const ls_slots *trained, bool dx);
/* Whether lines of both nets use the same slot. */
bool ls_net_share(const ls_net *a, const ls_net *b);
/* The layer named `name`, or -1. */
int ls_net_find(const ls_net *net, const char *name);
/* The last of the first `count` layers that reads the output of layer i; i if none does. */
int ls_net_last_reader(const ls_net *net, int count, int i);
/* Where rows have `length` steps: how many steps of each line's output count, steps[lines][rows],
 * of the first lines of the net; 0: its output has no time axis. */
void ls_net_steps(const ls_net *net, int lines, long rows, const int32_t *length, int32_t *steps);
/* Whether one of these lines uses a slot that is trained. */
bool ls_net_learns(const ls_net *net, ls_interval lines, const ls_slots *trained);
/* The steps that count of the output of this layer, of a row of `length` steps; 0: it has no time
 * axis. */
long ls_net_steps_after(const ls_net *net, int layer, long length);
/* The range that no output of line `layer` leaves where the net does not train. */
void ls_net_range(const ls_net *net, int layer, double *low, double *high);
/* If lines of the net read tokens: its input must be whole numbers below this one. 0: any numbers.
 */
long ls_net_vocabulary(const ls_net *net);
/* The numbers of a row that its lines carry from one row of a stream to the next; 0: rows stand by
 * themselves. */
long ls_net_carried(const ls_net *net);
/* Where those of this line of a net lie, of row 0 of the pass; *apart: reals to the next row's.
 * NULL: it carries none, or pass->stream is NULL. */
real *ls_net_stream(const ls_layer *layer, const ls_pass *pass, long *apart);
/* The layer table: name, type, output shape, parameters. */
void ls_net_print(const ls_net *net, FILE *out);
