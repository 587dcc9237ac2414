/* resolved: the job of a run with the values of all keys, as a file in the run directory. */
#include "launch/train/resolved.h"

#include <string.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/folder.h"
#include "launch/job/job_text.h"

/* The first line, by which a file of lockstep's is known from one of a person's. */
static const char mark[] = "# Written by lockstep at each start of this run: its job, with the "
                           "values of all keys.\n";

/* Whether the file may be replaced: it is not there, or lockstep wrote it. What can't be read is
 * somebody's. */
static bool is_ours(const char *path)
{
    size_t size;
    bool there;
    char *text = ls_atomic_file_read(path, LS_RUNDIR_TEXT, &size, NULL);
    bool ours = text ? strncmp(text, mark, sizeof mark - 1) == 0
                     : ls_folder_look(path, &there, NULL) && !there;
    ls_free(text);
    return ours;
}

bool ls_resolved_write(const ls_trainer *t, ls_error *error)
{
    const ls_job *job = t->session.job;
    char *path = ls_format("%s/job.yaml", job->run), *keys = ls_job_text(job);
    char *text = ls_format("%s%s", mark, keys);
    bool ours = is_ours(path);
    if (!ours)
        ls_report_notice(&t->options.listener,
                         "%s stays as it is, for lockstep did not write it (its first line would "
                         "say so): the job of this start, with all keys, is %s/resolved.yaml",
                         path, job->run);
    bool ok = ls_rundir_put(t->run, ours ? "job.yaml" : "resolved.yaml", text, error);
    ls_free(text);
    ls_free(keys);
    ls_free(path);
    return ok;
}
