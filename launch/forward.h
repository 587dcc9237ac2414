/* forward: what predict and extract share: a trained net over the rows of a data set that may have
 * no targets, or others than the net was trained on. */
#pragma once
#include "io/rowfile.h"
#include "launch/saved.h"

typedef struct ls_forward {
    ls_comm *comm;
    ls_saved saved;
    ls_rowfile *file; /* rank 0's output; NULL elsewhere */
} ls_forward;

/* **Collective.** As ls_saved_open, but no objective needs to fit the data. The error is the same
 * on all ranks. Close with ls_forward_close in either case. */
bool ls_forward_open(ls_forward *forward, ls_comm *comm, const char *from, const char *data,
                     ls_error *error);
/* **Collective.** The output is kept where `ok`, and it can be finished; returns whether. */
bool ls_forward_close(ls_forward *forward, bool ok, ls_error *error);
/* Rows of a chunk: a function of the net only. `every_layer`: for runs that keep all outputs. */
long ls_forward_chunk(const ls_net *net, bool every_layer);
/* Attributes of / that say where the output comes from: checkpoint, step, data. Rank 0. */
bool ls_forward_put_origin(ls_forward *forward, ls_error *error);
