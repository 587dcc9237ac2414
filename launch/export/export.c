/* export: `lockstep export`: a trained net as a file of another format, which its ending names. */
#include "launch/export/export_onnx.h"
#include "launch/export/export_safetensors.h"

#include <string.h>

#include "core/print.h"
#include "io/atomic_file.h"
#include "launch/command.h"
#include "launch/job/yaml/job_file.h"
#include "launch/ranks.h"

static const struct format {
    const char *ending;
    bool names; /* takes --names, else --net and --transforms */
    /* On rank 0: writes the file, whole or not at all, and fills export->text. */
    bool (*write)(ls_export *export, ls_error *error);
} formats[] = {{".safetensors", true, ls_export_safetensors}, {".onnx", false, ls_export_onnx}};
enum { FORMATS = sizeof formats / sizeof *formats };
#define ENDINGS ".safetensors or .onnx"

typedef struct arguments {
    ls_words words; /* the run directory, checkpoint or job file */
    const char *output, *weights, *data, *net;
    int names; /* an ls_naming; -1: not given */
    bool average, force, transforms;
    long stage; /* -1: not given */
} arguments;

/* The format that the output's name asks for; NULL: none. */
static const struct format *format_of(const char *output)
{
    for (int i = 0; i < FORMATS; i++) {
        const size_t length = strlen(output), ending = strlen(formats[i].ending);
        if (length > ending && strcmp(output + length - ending, formats[i].ending) == 0)
            return &formats[i];
    }
    return NULL;
}

static void check_arguments(const void *context, const struct argp_state *state)
{
    const arguments *a = context;
    const struct format *format = a->output ? format_of(a->output) : NULL;
    if (!a->output)
        argp_error(state, "name the output: -o FILE.safetensors or -o FILE.onnx");
    else if (!format)
        argp_error(state, "%s: expected an output that ends in " ENDINGS, a->output);
    else if (a->names >= 0 && !format->names)
        argp_error(state, "--names goes with an output that ends in .safetensors");
    else if ((a->net || a->transforms) && format->names)
        argp_error(state, "--%s goes with an output that ends in .onnx",
                   a->net ? "net" : "transforms");
    if (a->weights && (a->average || a->stage >= 0))
        argp_error(state,
                   "--%s takes parameters of a run, and --weights those of a file: give one "
                   "of them",
                   a->average ? "average" : "stage");
}

#define AT(member) .offset = offsetof(arguments, member)
static const ls_command_option options[] = {
    {"output", 'o', "FILE", "the file to write, by its ending: " ENDINGS, LS_COMMAND_TEXT,
     AT(output)},
    {"names", 0, "lockstep|torchvision",
     "of tensors: those of lockstep's parameters (default), or those that PyTorch's torchvision "
     "has for alexnet, vgg and resnet, with its order of numbers",
     LS_COMMAND_CHOICE, AT(names)},
    {"net", 0, "NAME", "of several nets the one that an ONNX file gets: generator", LS_COMMAND_TEXT,
     AT(net)},
    {"transforms", 0, NULL,
     "begin an ONNX file with the job's transforms, without what is random in them: its input are "
     "rows of the data set, stored numbers times its scale plus its offset (pictures: 0 to 1)",
     AT(transforms)},
    {"weights", 0, "FILE",
     "take the parameters in FILE, a checkpoint or .safetensors, in place of the run's",
     LS_COMMAND_TEXT, AT(weights)},
    {"average", 0, NULL, "use the moving average of the weights in the checkpoint (ema=)",
     AT(average)},
    {"stage", 0, "N", "of a run directory take the parameters as this stage left them, from 0",
     LS_COMMAND_LONG, AT(stage), .low = 0, .high = 1000000},
    {"data", 0, "FILE", "data set in place of the job's, where only it tells the shape of a row",
     LS_COMMAND_TEXT, AT(data)},
    {"force", 0, NULL, "overwrite the output", AT(force)},
    {.name = NULL}};

const ls_usage ls_usage_export = {
    .options = options,
    .check = check_arguments,
    .arguments = "RUN|CHECKPOINT|JOB.yaml",
    .about =
        "Writes a trained net for other programs: its parameters as .safetensors, which "
        "PyTorch and others read, and --weights of train, evaluate, predict and extract takes; "
        "or a whole net as .onnx, for ONNX Runtime, OpenCV and others: input x [batch, row], "
        "images with their channels last, output y of the last line. Given a run directory, it "
        "takes the parameters of best.h5; where there is no best.h5, or with --average, those "
        "of the newest checkpoint. With --weights FILE it takes those of FILE, and JOB.yaml "
        "will do in place of a run.",
    .more = "Examples:\n"
            "  lockstep export runs/resnet50 -o resnet50.safetensors --names torchvision\n"
            "  lockstep export runs/lenet -o lenet.onnx\n"
            "  lockstep export runs/dcgan -o generator.onnx --net generator",
    .arguments_min = 1,
    .arguments_max = 1,
};

static void print_notice(void *context, const char *text)
{
    ls_print(stderr, "lockstep: %s\n", text);
}

/* **Collective.** */
static bool open(const arguments *a, ls_comm *comm, ls_saved *saved, ls_error *error)
{
    const ls_saved_request request = {.from = a->words.at[0],
                                      .file = a->weights,
                                      .data = a->data,
                                      .weights = a->average ? LS_SAVED_AVERAGE : LS_SAVED_BEST,
                                      .without_data = !a->data,
                                      .stage_follows = a->stage >= 0,
                                      .read_job = ls_job_parse,
                                      .notice = print_notice};
    if (!ls_saved_open(saved, comm, &request, error))
        return false;
    if (a->stage >= saved->job->stages)
        return ls_error_set(error, LS_USAGE, "--stage=%ld, but the job has stages 0 to %d",
                            a->stage, saved->job->stages - 1);
    return a->stage < 0 || ls_saved_take_stage(saved, &request, (int)a->stage, error);
}

static bool write(const arguments *a, ls_saved *saved, ls_error *error)
{
    ls_export export = {.saved = saved,
                        .output = a->output,
                        .net = a->net,
                        .transforms = a->transforms,
                        .names = a->names < 0 ? LS_NAMING_LOCKSTEP : (ls_naming)a->names};
    const char *const read[] = {saved->job->data, saved->path, a->words.at[0]};
    if (!ls_atomic_file_apart(a->output, read, 3, error) ||
        (!a->force && !ls_atomic_file_absent(a->output, error)))
        return false;
    if (!format_of(a->output)->write(&export, error))
        return false;
    ls_print(stdout, "%s: %s, of %s (step %ld)\n", a->output, export.text, saved->path,
             saved->step);
    return true;
}

int ls_command_export(int argc, char **argv)
{
    arguments a = {.names = -1, .stage = -1};
    ls_saved saved = {0};
    ls_error error = {0};
    ls_command_parse(&ls_usage_export, argc, argv, &a.words);
    ls_comm *comm = ls_ranks_start(&argc, &argv);
    bool ok = open(&a, comm, &saved, &error) &&
              ls_comm_agree(comm, comm->rank != 0 || write(&a, &saved, &error), &error);
    int code = ok ? 0 : ls_command_fail(comm->rank, &error);
    ls_saved_close(&saved);
    ls_comm_close(comm);
    return code;
}
