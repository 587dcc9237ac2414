/* gather: a few numbers of every node, on all nodes, while the caller does other things. */
#pragma once
#include "dist/comm.h"

typedef struct ls_gather ls_gather;

/* For `count` numbers, which are gathered over the ranks of all nodes that have this node_rank:
 * every node must have one. `comm` is borrowed. Free with ls_gather_destroy. */
ls_gather *ls_gather_create(const ls_comm *comm, int count);
void ls_gather_destroy(ls_gather *gather); /* after what was started is complete */
/* Begins to gather; what was gathered before is lost. All of these ranks must do so. */
void ls_gather_start(ls_gather *gather, const double *mine);
/* Moves it on without waiting; whether anything has moved. */
bool ls_gather_progress(ls_gather *gather);
/* [nodes, count] in the order of the nodes, until the next start; NULL: they are not complete. */
const double *ls_gather_numbers(const ls_gather *gather);
/* The rank whose message this one waits for, or LS_BOARD_NOBODY. */
int ls_gather_waits_for(const ls_gather *gather);
