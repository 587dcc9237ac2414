/* pace: times a dense layer, as it is computed in training. */
#include "launch/train/pace.h"

#include "core/clock.h"
#include "core/memory.h"
#include "core/workspace.h"

enum { ROWS = 128, WIDTH = 512 };

/* Operations a second of forward passes through the net. */
static double time_passes(const ls_net *net)
{
    const ls_pass pass = {.seed = 1};
    ls_workspace *space = ls_workspace_create(net, ROWS, LS_INFERENCE);
    real *x = ls_alloc((size_t)ROWS * WIDTH, sizeof *x);
    double start = 0, elapsed = 0;
    long count = -1; /* the first pass warms the caches */
    while (elapsed < 0.1) {
        ls_workspace_forward(space, &pass, x, ROWS);
        if (count++ < 0)
            start = ls_clock_now();
        elapsed = ls_clock_now() - start;
    }
    ls_free(x);
    ls_workspace_destroy(space);
    return (double)count * ROWS * ls_net_flops(net, ls_net_all(net), NULL, false) / elapsed;
}

double ls_pace_measure(ls_comm *comm, int threads)
{
    char line[32];
    const ls_build build = {.threads = threads};
    const ls_shape input = {1, {WIDTH}};
    ls_params *params = ls_params_create();
    snprintf(line, sizeof line, "dense units=%d", WIDTH);
    ls_net *net = ls_net_build(params, &build, "pace", line, &input, NULL);
    real *values = ls_alloc((size_t)params->size, sizeof *values);
    real *prepared = ls_alloc((size_t)params->prepared_size, sizeof *prepared);
    ls_params_commit(params, values, prepared);
    ls_params_initialize(params, 1, NULL);
    ls_net_prepare(net, NULL, 0, 1);
    ls_comm_barrier(comm);
    const double seconds = 1 / time_passes(net);
    ls_net_destroy(net);
    ls_params_destroy(params);
    ls_free(prepared);
    ls_free(values);
    return 1 / ls_comm_max(comm, seconds);
}
