/* main: `lockstep COMMAND ...`. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "core/blas.h"
#include "core/kernels/tile.h"
#include "core/print.h"
#include "core/spec.h"
#include "dist/comm.h"
#include "dist/factoring.h"
#include "launch/command.h"
#include "launch/process.h"

static const char intro[] = "Trains neural networks on CPU clusters.\n"
                            "\n"
                            "Usage: lockstep COMMAND [ARGUMENT ...]\n"
                            "       lockstep COMMAND --help\n"
                            "\n"
                            "Commands:\n";
static const char examples[] =
    "\n"
    "Examples:\n"
    "  mpirun -n 4 lockstep train lenet.yaml                 train; goes on where it stopped\n"
    "  mpirun -n 4 lockstep train lenet.yaml batch=64        with another value of a key\n"
    "  lockstep train lenet.yaml --dry-run                   check the job, show its layers\n"
    "  lockstep evaluate runs/lenet                          loss and accuracy on the test split\n"
    "  lockstep list --model 'lenet classes=10'              the layers of a model\n"
    "\n"
    "LOCKSTEP_INSTRUCTIONS=avx512|avx2|blas|plain in the environment chooses the micro-kernel.\n"
    "\n"
    "Exit codes:\n";

static int print_help(FILE *out)
{
    fputs(intro, out);
    for (const ls_command *command = ls_commands; command->name; command++)
        ls_print(out, "  %-10s %s\n", command->name, command->help);
    fputs(examples, out);
    for (const ls_command_code *code = ls_command_codes; code->meaning; code++)
        ls_print(out, "  %-3d %s\n", code->code, code->meaning);
    return 0;
}

static int print_version(FILE *out)
{
    ls_blas blas;
    ls_error error;
    ls_print(out, "lockstep %s (%s)\n", LS_VERSION, LS_REAL_NAME);
    ls_print(out, "BLAS  %s\n", ls_blas_open(&blas, &error) ? blas.description : error.text);
    ls_print(out, "MPI   %s\n", ls_comm_version());
    return 0;
}

/* 0 where this process is to print what no command has to do with. */
static int speaker(void)
{
    return ls_command_spare() ? ls_command_rank() : 0;
}

static int fail_unknown(const char *name, int commands)
{
    const char *near = ls_nearest(name, ls_commands, commands, sizeof ls_commands[0]);
    ls_error error;
    ls_error_set(&error, LS_USAGE, "there is no command '%s'%s%s%s (`lockstep --help` lists all)",
                 name, near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
    return ls_command_fail(speaker(), &error);
}

static int run(const ls_command *command, int argc, char **argv)
{
    char name[LS_WORD];
    const char *instructions = getenv(LS_TILE_VARIABLE);
    ls_error error;
    if (!ls_tile_find(instructions)) {
        ls_error_set(&error, LS_USAGE, LS_TILE_EXPECTED, instructions);
        return ls_command_fail(speaker(), &error);
    }
    if (!ls_comm_check_environment(&error) || !ls_factoring_check_environment(&error))
        return ls_command_fail(speaker(), &error);
    snprintf(name, sizeof name, "lockstep %s", command->name);
    argv[1] = name;
    return command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*print)(FILE *out);
    } words[] = {{"--help", print_help},
                 {"-h", print_help},
                 {"help", print_help},
                 {"--version", print_version},
                 {"-V", print_version}};
    ls_process_begin();
    mallopt(M_MMAP_THRESHOLD, 1 << 21); /* freed blocks of this size go back to the system */
    if (argc < 2) {
        if (speaker() == 0)
            print_help(stderr);
        return LS_USAGE;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(argv[1], words[i].word) == 0)
            return speaker() == 0 ? words[i].print(stdout) : 0;
    int i = 0;
    while (ls_commands[i].name && strcmp(ls_commands[i].name, argv[1]) != 0)
        i++;
    return ls_commands[i].name ? run(&ls_commands[i], argc, argv) : fail_unknown(argv[1], i);
}
