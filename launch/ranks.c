/* ranks: how a subcommand that runs on several ranks starts them. */
#include "launch/ranks.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "core/tensor.h"
#include "launch/command.h"

/* The number of tasks, where srun started several without the variables by which MPI joins them;
 * else 0. Open MPI would end each with a page about how it was built. */
static int unjoined_tasks(void)
{
    static const char *const joined[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};
    for (size_t i = 0; i < sizeof joined / sizeof *joined; i++)
        if (getenv(joined[i]))
            return 0;
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
    return tasks && atoi(tasks) > 1 ? atoi(tasks) : 0;
}

/* Program and command line, a word a line, but for --threads: machines may have other cores. The
 * caller frees it. */
static char *describe_command(int argc, char **argv)
{
    char *text = ls_format("lockstep " LS_VERSION " (%s)\n", LS_REAL_NAME);
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--threads", 9) == 0) {
            i += argv[i][9] == 0; /* the number is the next word */
            continue;
        }
        char *longer = ls_format("%s%s\n", text, argv[i]);
        ls_free(text);
        text = longer;
    }
    return text;
}

ls_comm *ls_ranks_start(int *argc, char ***argv)
{
    ls_error error;
    int rank = ls_command_rank(); /* read before MPI starts, which may change the environment */
    int tasks = unjoined_tasks();
    if (tasks > 0) {
        ls_error_set(&error, LS_USAGE,
                     "srun started %d tasks without PMI, so that MPI can't join them: each would "
                     "work alone. Start them with `srun --mpi=%s` (`srun --mpi=list` must name "
                     "%s), or with mpirun inside the allocation (`LOCKSTEP_START=mpirun sbatch "
                     "cluster/train.sbatch ...`)",
                     tasks, ls_comm_pmi(), ls_comm_pmi());
        exit(ls_command_fail(rank, &error));
    }
    ls_comm *comm = ls_comm_open(argc, argv);
    char *command = describe_command(*argc, *argv);
    const ls_comm_given given = {"command", command,
                                 "start the same program with the same arguments on every rank",
                                 LS_USAGE};
    bool ok = !ls_comm_singletons(comm, &error) && ls_comm_same(comm, &given, &error);
    ls_free(command);
    if (!ok) {
        int code = ls_command_fail(rank, &error); /* before any rank ends */
        ls_comm_close(comm);
        exit(code);
    }
    return comm;
}

const ls_watchdog_plan ls_stall_usual = {.warn = 60, .abort = 600};

ls_watchdog *ls_ranks_watch(ls_comm *comm, const ls_watchdog_plan *plan)
{
    ls_error error;
    ls_watchdog *watchdog = ls_watchdog_start(comm, plan, &error);
    if (error.code && comm->rank == 0)
        ls_print(stderr, "lockstep: no watchdog: %s\n", error.text);
    return watchdog;
}
