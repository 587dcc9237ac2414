/* fuzz_onnx: libFuzzer's bytes choose lines of a net and their numbers; what is written of it as an
 * ONNX file must be read again by protobuf-c, with as many nodes.
 *
 *     tests/launch/test_libfuzzer.sh builds it with clang and runs it for a fixed count */
#include <onnx.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "launch/export/onnx_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Lines of which each %d becomes a number from 0 to 4, from the next bytes. */
static const char *const lines[] = {"dense units=%d",
                                    "dense units=%d each=1 bias=0",
                                    "dense units=3 spectral=1",
                                    "conv2d out=%d kernel=%d pad=%d",
                                    "conv2d out=4 kernel=%d stride=%d dilation=%d groups=2",
                                    "deconv2d out=%d kernel=%d stride=%d pad=%d output_pad=%d",
                                    "maxpool kernel=%d stride=%d ceil=1",
                                    "avgpool kernel=%d stride=%d pad=%d ceil=1",
                                    "tdnn units=%d kernel=%d pad=%d",
                                    "timepool type=stat",
                                    "timepool type=max",
                                    "maxpool global=1",
                                    "avgpool global=1",
                                    "lrn size=3",
                                    "sum @input,input relu=1",
                                    "concat @input,input",
                                    "dropout",
                                    "activation function=prelu",
                                    "activation function=unit-step surrogate=ste",
                                    "activation function=elu",
                                    "activation function=piecewise-linear",
                                    "activation function=softplus",
                                    "softmax",
                                    "batchnorm",
                                    "batchnorm relu=1",
                                    "glu",
                                    "reshape shape=%d,%d",
                                    "reshape shape=2,%d,%d",
                                    "rnn units=%d",
                                    "gru units=%d reverse=1",
                                    "gru units=%d reset=after last=1",
                                    "lstm units=%d peephole=1 bias=0",
                                    "lstm units=%d last=1",
                                    "lstm units=%d carry=1",
                                    "embedding vocabulary=5 width=%d",
                                    "onehot vocabulary=%d",
                                    "dense share=dense1 transpose=1",
                                    "conv2d out=2 kernel=3 share=deconv2d1"};
enum { LINES = sizeof lines / sizeof *lines, MOST = 6 };
static const ls_shape shapes[] = {
    {3, {4, 5, 2}}, {3, {1, 1, 3}}, {2, {4, 5}}, {1, {6}}, {4, {2, 2, 2, 2}}};

/* Appends a line to text[size]. */
static size_t put_line(const char *line, const uint8_t **bytes, const uint8_t *end, char *text)
{
    size_t used = 0;
    for (; *line; line++) {
        if (line[0] == '%' && line[1] == 'd') {
            text[used++] = (char)('0' + (*bytes < end ? *(*bytes)++ % 5 : 1));
            line++;
        } else {
            text[used++] = *line;
        }
    }
    text[used++] = '\n';
    text[used] = 0;
    return used;
}

static void read_again(const char *path, const ls_onnx_graph *graph)
{
    size_t size;
    ls_error error;
    uint8_t *bytes = ls_atomic_file_read(path, 1 << 24, &size, &error);
    Onnx__ModelProto *model = bytes ? onnx__model_proto__unpack(NULL, size, bytes) : NULL;
    if (!model || (long)model->graph->n_node != ls_onnx_graph_nodes(graph) ||
        model->graph->n_input < 1 || model->graph->n_output != model->graph->n_input)
        abort();
    onnx__model_proto__free_unpacked(model, NULL);
    ls_free(bytes);
    unlink(path);
}

static void export(const ls_net *net)
{
    static char path[64];
    ls_error error;
    snprintf(path, sizeof path, "fuzz-%ld.onnx", (long)getpid());
    ls_onnx_graph *graph = ls_onnx_graph_create(net->name);
    ls_onnx_graph_input(graph, "x", &net->x);
    if (!ls_onnx_net_add(graph, net, &(ls_onnx_value){.shape = net->x, .rows = "x"}, false,
                         &error) ||
        !ls_onnx_graph_write(graph, path, &error))
        abort();
    read_again(path, graph);
    ls_onnx_graph_destroy(graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char text[MOST * 128] = "";
    const uint8_t *end = bytes + size;
    const size_t held = ls_memory_blocks();
    const ls_shape *x = &shapes[size ? *bytes++ % 5 : 0];
    for (size_t used = 0, n = 0; bytes < end && n < MOST; n++) {
        const char *line = lines[*bytes++ % LINES];
        used += put_line(line, &bytes, end, text + used);
    }
    ls_error error;
    ls_params *params = ls_params_create();
    ls_net *net = ls_net_build(params, NULL, "net", text, x, &error);
    if (net) {
        real *values = ls_alloc((size_t)params->size, sizeof *values);
        real *prepared = ls_alloc((size_t)params->prepared_size, sizeof *prepared);
        ls_params_commit(params, values, prepared);
        ls_params_initialize(params, 1, NULL);
        ls_net_prepare(net, NULL, 0, 1);
        export(net);
        ls_free(prepared);
        ls_free(values);
    }
    ls_net_destroy(net);
    ls_params_destroy(params);
    if (ls_memory_blocks() != held)
        abort();
    return 0;
}
