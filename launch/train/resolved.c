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

/* Sets *ours: the file may be replaced, for it is not there, or lockstep wrote it. LS_IO errors. */
static bool find_writer(const char *path, bool *ours, ls_error *error)
{
    size_t size;
    bool there;
    ls_error why = {0};
    if (!ls_folder_look(path, &there, error))
        return false;
    char *text = there ? ls_atomic_file_read(path, LS_RUNDIR_TEXT, &size, &why) : NULL;
    *ours = !there || (text && strncmp(text, mark, sizeof mark - 1) == 0);
    ls_free(text);
    return why.code != LS_IO || ls_error_set(error, LS_IO, "%s", why.text);
}

ls_job ls_resolved_job(const ls_trainer *t)
{
    ls_job job = *t->session.job;
    if (!job.accumulate)
        job.shards = t->position.shards;
    return job;
}

bool ls_resolved_write(const ls_trainer *t, ls_error *error)
{
    const ls_job whole = ls_resolved_job(t), *job = &whole;
    char *path = ls_format("%s/job.yaml", job->run), *keys = ls_job_text(job);
    char *text = ls_format("%s%s", mark, keys);
    bool ours, ok = find_writer(path, &ours, error);
    if (ok && !ours)
        ls_report_notice(&t->options.listener,
                         "%s stays as it is, for lockstep did not write it (its first line would "
                         "say so): the job of this start, with all keys, is %s/resolved.yaml",
                         path, job->run);
    ok = ok && ls_rundir_put(t->run, ours ? "job.yaml" : "resolved.yaml", text, error);
    ls_free(text);
    ls_free(keys);
    ls_free(path);
    return ok;
}

const char *ls_resolved_name(const char *run)
{
    char *path = ls_format("%s/job.yaml", run), *other = ls_format("%s/resolved.yaml", run);
    ls_error error;
    bool ours, there;
    const bool persons =
        find_writer(path, &ours, &error) && !ours && ls_folder_look(other, &there, &error) && there;
    ls_free(other);
    ls_free(path);
    return persons ? "resolved.yaml" : "job.yaml";
}
