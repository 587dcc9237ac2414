/* exchange: sums over the nodes, exchanged between pairs of them; several parts at a time, while
 * the caller does other things. */
#pragma once
#include "core/slots.h"
#include "core/tensor.h"
#include "dist/comm.h"

typedef struct ls_exchange ls_exchange;

/* For parts of up to `most` reals of `array`, which is borrowed, as `comm` is. Free with
 * ls_exchange_destroy. No function but _progress calls MPI, and none is collective; but the ranks
 * of all nodes that have this node_rank must start the same parts in the same order. */
ls_exchange *ls_exchange_create(const ls_comm *comm, real *array, long most);
void ls_exchange_destroy(ls_exchange *x); /* after all parts that were started are taken */
/* Bytes of the buffers of such an exchange. */
size_t ls_exchange_bytes(const ls_comm *comm, long most);
/* Makes room for parts of up to so many runs. */
void ls_exchange_reserve(ls_exchange *x, long runs);
/* Whether as many parts are on their way as can be. */
bool ls_exchange_full(const ls_exchange *x);
/* Begins to add a part of the ranks' arrays in the order of sum_order.h; in the end each of them
 * holds the sum. `part` must stay until it is taken, and is not to be touched. */
void ls_exchange_start(ls_exchange *x, const ls_runs *part);
/* Moves all parts on as far as it goes without waiting; whether anything has moved. */
bool ls_exchange_progress(ls_exchange *x);
/* The rank whose messages the part that was started first waits for, or LS_BOARD_NOBODY. */
int ls_exchange_waits_for(const ls_exchange *x);
/* The part that was started first, if it is done: it is out then. Else NULL. */
const ls_runs *ls_exchange_take(ls_exchange *x);
