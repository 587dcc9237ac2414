/* bench: the command line of `lockstep bench`, as each kind of measurement reads it. */
#pragma once
#include "launch/command.h"

typedef struct ls_bench_arguments {
    ls_words words;     /* "reduce", "kernels", "feed", a model, or "scale" and a model */
    long batch;         /* 0: not given */
    long steps, floats; /* timed steps; length of the array of `bench reduce` */
    int threads, shapes;
    int share; /* ls_comm_sharing */
    bool profile;
    const char *input;            /* shape of a row of the model; NULL: its usual one */
    const char *output;           /* of `bench scale`; NULL: no picture */
    bool force;                   /* overwrite it */
    const char *data, *transform; /* of `bench feed`: a data set, lines as in a job; or NULL */
    const char **shape; /* [shapes] of `bench kernels`: "h,w,c | conv2d ...", "n | dense ..." */
} ls_bench_arguments;
