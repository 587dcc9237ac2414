/* streams: the tokens of a split, cut into streams that lie side by side and are gone through
 * window after window, so that a net can carry its state along each of them. Every token that has
 * one before it is the label of exactly one step; the last window of a stream may be short. Chunks
 * of streams are spread over the ranks, as chunks of rows are (chunks.h). Their number follows from
 * that of the tokens alone:
 *
 *   A state is carried      LS_STREAMS; fewer in a short text, so that each has LS_STREAMS_WINDOWS
 *                           windows, and few steps know nothing of what came before; more in a long
 *                           one, of LS_STREAMS_LONG windows each, for more ranks
 *   Nothing is carried      each window is a stream, cut as those of training and of predict are
 *
 * Of N tokens stream s of S that carry a state predicts those from 1 + s (N - 1) / S to
 * (s + 1) (N - 1) / S. */
#pragma once
#include "core/layer.h"
#include "dist/comm.h"
#include "io/dataset.h"

enum {
    LS_STREAMS = 64,
    LS_STREAMS_WINDOWS = 16, /* windows of a stream, at least, unless there are fewer in all */
    LS_STREAMS_LONG = 512,   /* windows of each stream of a long text, at least */
    LS_STREAMS_CHUNK = 16    /* streams of a chunk, at most */
};

typedef struct ls_streams {
    ls_dataset *data;
    ls_split_id split; /* cut by ls_dataset_unroll */
    long size;         /* streams of a chunk, up to LS_STREAMS_CHUNK */
    long reals;        /* that each stream carries; 0: none */
    void *context;
    /* Called for each window of a chunk in turn. `carried` holds what these streams carry, 0 before
     * the first window; NULL: nothing. */
    void (*apply)(void *context, const ls_batch *batch, const ls_carried *carried, long chunk);
} ls_streams;

long ls_streams_chunks(const ls_streams *streams);
/* **Collective.** Reads all windows and calls `apply`. The error is the same on all ranks. */
bool ls_streams_run(const ls_streams *streams, ls_comm *comm, ls_error *error);
