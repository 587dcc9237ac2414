/* export_onnx: writes a net as an ONNX model, behind the job's transforms if these are asked for.
 */
#include "launch/export/export_onnx.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/transform.h"
#include "launch/export/onnx_net.h"
#include "launch/export/onnx_transforms.h"

/* The net that --net names, or the only one. */
static const ls_net *choose(const ls_export *export, ls_error *error)
{
    const ls_task *task = &export->saved->session.task;
    char names[LS_MODEL_NETS * LS_WORD] = "";
    for (int i = 0; i < task->nets; i++) {
        const bool named = export->net && strcmp(export->net, task->net[i]->name) == 0;
        if (named || (!export->net && task->nets == 1))
            return task->net[i];
        ls_format_join(names, sizeof names, task->net[i]->name);
    }
    if (export->net)
        ls_error_set(error, LS_USAGE, "--net %s: there is no such net; there is %s", export->net,
                     names);
    else
        ls_error_set(error, LS_USAGE, "an ONNX file holds one net, here are %s: name one by --net",
                     names);
    return NULL;
}

/* Declares the input, with the job's transforms behind it where these are asked for. */
static bool add_input(const ls_export *export, const ls_net *net, ls_onnx_graph *graph,
                      ls_onnx_value *x, ls_error *error)
{
    const ls_session *session = &export->saved->session;
    const char *lines = session->job->transform;
    *x = (ls_onnx_value){.shape = net->x, .rows = "x"};
    if (export->transforms && lines && net->own_input)
        return ls_error_set(
            error, LS_USAGE,
            "--transforms: %s begins with an input line of its own, so nothing says "
            "whether it takes rows of the data: leave out --transforms, or train "
            "it without that line",
            net->name);
    if (export->transforms && lines) {
        const ls_split *split = NULL;
        for (int i = 0; i < LS_SPLITS && !(split && split->present); i++)
            split = ls_dataset_split(session->data, (ls_split_id)i);
        ls_transform_chain *chain = ls_transform_chain_create(lines, &split->x.shape, error);
        if (!chain)
            return false;
        ls_onnx_graph_input(graph, "x", &chain->x);
        ls_onnx_transforms_add(graph, chain, x);
        ls_transform_chain_destroy(chain);
        return true;
    }
    ls_onnx_graph_input(graph, "x", &net->x);
    return true;
}

bool ls_export_onnx(ls_export *export, ls_error *error)
{
    const ls_net *net = choose(export, error);
    if (!net)
        return false;
    ls_onnx_graph *graph = ls_onnx_graph_create(net->name);
    const bool lengths = ls_dataset_has_lengths(export->saved->session.data) && !net->own_input;
    ls_onnx_value x;
    ls_onnx_graph_metadata(graph, "net", net->lines);
    bool ok = add_input(export, net, graph, &x, error) &&
              ls_onnx_net_add(graph, net, &x, lengths, error) &&
              ls_onnx_graph_write(graph, export->output, error);
    snprintf(export->text, sizeof export->text, "net %s, %ld nodes", net->name,
             ls_onnx_graph_nodes(graph));
    ls_onnx_graph_destroy(graph);
    return ok;
}
