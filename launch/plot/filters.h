/* filters: the weights of a layer as a picture: a tile for each of its units. */
#pragma once
#include "dist/comm.h"

typedef struct ls_filters {
    const char *from;   /* a run directory or a checkpoint */
    const char *layer;  /* "conv1" or "net/conv1" */
    const char *output; /* the PNG to write */
} ls_filters;

/* **Collective.** Of a convolution the tiles are its kernels, of a dense layer the weights to the
 * picture that it reads (or, of the last layer of a decoder, to the picture that it makes). Weight
 * 0 is grey, the largest of a tile black or white; tiles of 3 channels have their own range. The
 * error is the same on all ranks. */
bool ls_filters_write(ls_comm *comm, const ls_filters *filters, ls_error *error);
