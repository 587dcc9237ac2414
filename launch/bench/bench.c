/* bench: `lockstep bench`: what is measured, by the first word: the steps of a model, how they
 * scale, the sum over the ranks, or single layers. */
#include "launch/bench/bench.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "launch/bench/bench_feed.h"
#include "launch/bench/bench_kernels.h"
#include "launch/bench/bench_model.h"
#include "launch/bench/bench_reduce.h"
#include "launch/bench/bench_scale.h"
#include "launch/ranks.h"
#include "launch/threads.h"

static void read_shape(void *context, const char *text, const struct argp_state *state)
{
    ls_bench_arguments *a = context;
    a->shape[a->shapes++] = text;
}

static const ls_command_option options[] = {
    {"batch", 0, "B", "rows over all ranks (default 128); with kernels: of each rank (default 8)",
     LS_COMMAND_LONG, offsetof(ls_bench_arguments, batch), .low = 1, .high = 1 << 24},
    {"steps", 0, "N", "timed steps (default 20), after one to warm up, or of several ranks nine",
     LS_COMMAND_LONG, offsetof(ls_bench_arguments, steps), .low = 1, .high = 1 << 24},
    LS_THREADS_OPTION(ls_bench_arguments, threads),
    LS_SHARE_OPTION(ls_bench_arguments, share),
    {"profile", 0, NULL, "also print time, Gflop/s and GB/s of each layer and pass on rank 0",
     .offset = offsetof(ls_bench_arguments, profile)},
    {"input", 'i', "SHAPE",
     "shape of a row of the model, as 28,28,1 (default: the model's usual one)", LS_COMMAND_TEXT,
     .offset = offsetof(ls_bench_arguments, input)},
    {"floats", 0, "N", "length of the array (default 25557032)", LS_COMMAND_LONG,
     offsetof(ls_bench_arguments, floats), .low = 1, .high = 1L << 40, .with = "reduce"},
    {"shape", 0, "INPUT|LAYER",
     "measure this layer (the option may be repeated) and not those of known nets", LS_COMMAND_OWN,
     .with = "kernels", .read = read_shape},
    {"output", 'o', "FILE.svg", "also draw the table", LS_COMMAND_TEXT,
     .offset = offsetof(ls_bench_arguments, output), .with = "scale"},
    {"force", 0, NULL, "overwrite the picture", .offset = offsetof(ls_bench_arguments, force),
     .with = "scale"},
    {"data", 0, "FILE", "the data set to read", LS_COMMAND_TEXT,
     .offset = offsetof(ls_bench_arguments, data), .with = "feed"},
    {"transform", 0, "LINES", "what is done to each row, as the key transform of a job has it",
     LS_COMMAND_TEXT, .offset = offsetof(ls_bench_arguments, transform), .with = "feed"},
    {.name = NULL}};

/* What is measured; the last is a model. */
static const struct {
    const char *word;
    long batch; /* where the command line gives none */
    bool (*run)(ls_comm *comm, const ls_bench_arguments *arguments, ls_error *error);
} kinds[] = {{"reduce", 0, ls_bench_reduce},
             {"kernels", 8, ls_bench_kernels},
             {"feed", 128, ls_bench_feed},
             {"scale", 128, ls_bench_scale},
             {NULL, 128, ls_bench_model}};

static int kind_of(const char *word)
{
    int kind = 0;
    while (kinds[kind].word && strcmp(kinds[kind].word, word) != 0)
        kind++;
    return kind;
}

static void check_words(const void *context, const struct argp_state *state)
{
    const ls_bench_arguments *a = context;
    const bool scale = strcmp(a->words.at[0], "scale") == 0;
    if (scale && a->words.count == 1)
        argp_error(state, "scale: the model is missing: bench scale MODEL");
    if (strcmp(a->words.at[0], "feed") == 0 && !a->data)
        argp_error(state, "feed: the data set is missing: bench feed --data FILE");
    if (a->input && !scale && kinds[kind_of(a->words.at[0])].word)
        argp_error(state, "--input is of the rows of a model: %s has none", a->words.at[0]);
    if (!scale && a->words.count > 1)
        argp_error(state, "%s: nothing is expected after %s", a->words.at[1], a->words.at[0]);
}

const ls_usage ls_usage_bench = {
    .options = options,
    .check = check_words,
    .arguments = "MODEL|scale MODEL|reduce|kernels|feed",
    .about =
        "Measures the steps of a training run (loading, forward, backward, sum over the ranks, "
        "momentum update) on random rows in memory, on all ranks or on more and more of them, or "
        "compares the sum over the ranks with MPI_Allreduce, or single layers with OpenBLAS, or "
        "reads "
        "batches of a data set as a training does.",
    .more =
        "MODEL is a name of `lockstep list models`, measured with its usual options, or a whole "
        "spec: 'mlp widths=784,256,10'. The line has seconds, samples/s, memory, and gflops: what "
        "the products of a step reach on each rank; product_gflops is what a product of matrices "
        "reaches on all ranks at once afterwards. With --profile, GB/s count the bytes that must "
        "move at least: in forward the input, the output and the parameters; in backward the "
        "input, the parameters, and the gradients of input, output and parameters, each once.\n\n"
        "`bench scale MODEL` trains on 1, 2, 4, ... and all of its ranks while the others sleep. "
        "It prints samples/s and efficiency, which is the speed of n ranks over n times that of "
        "one: weak, with the same rows on each rank (--batch is those of all ranks), and strong, "
        "with the same rows over all. The bound beside it is that of a step that takes what "
        "one rank takes for the rows, and on top the bytes of the sum within a node, at the speed "
        "at which all ranks add arrays in memory; or, where that is longer, the bytes between "
        "nodes, at the speed at which all ranks send to the next node.\n\n"
        "`bench feed` reads shuffled batches, each rank its own rows, transforms them, and prints "
        "rows/s and MB/s of stored bytes: what the data set gives at most.\n\n"
        "`bench kernels` takes about a minute for the layers of ResNet-50, VGG-16, AlexNet, LeNet "
        "and tdnn, and prints for each pass Gflop/s, their share of what the micro-kernel reaches "
        "in the first-level cache, and the error against double. The passes are forward (it "
        "prepares the weights), the gradient of the input (data), and that of the weights. "
        "Examples:\n"
        "  lockstep bench kernels --shape '56,56,64 | conv2d out=64 kernel=3 pad=1'\n"
        "  lockstep bench kernels --batch=32 --shape '9216 | dense units=4096'",
    .arguments_min = 1,
    .arguments_max = 2,
};

int ls_command_bench(int argc, char **argv)
{
    ls_bench_arguments a = {.steps = 20,
                            .threads = 1,
                            .floats = 25557032,
                            .shape = ls_alloc((size_t)argc, sizeof(char *))};
    ls_error error = {0};
    ls_command_parse(&ls_usage_bench, argc, argv, &a.words);
    ls_comm *comm = ls_ranks_start(&argc, &argv);
    const int kind = kind_of(a.words.at[0]);
    if (a.batch == 0)
        a.batch = kinds[kind].batch;
    bool ok =
        ls_comm_share(comm, (ls_comm_sharing)a.share, &error) && kinds[kind].run(comm, &a, &error);
    int code = ok ? 0 : ls_command_fail(comm->rank, &error);
    ls_free(a.shape);
    ls_comm_close(comm);
    return code;
}
