/* job_json: a job as a text, and back. */
#include "launch/job/job_json.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "launch/job/job_values.h"

char *ls_job_json(const ls_job *job)
{
    json_t *json = ls_job_write(job);
    char *dump = json_dumps(json, JSON_INDENT(1)), *text = ls_copy_string(dump);
    free(dump); /* jansson's */
    json_decref(json);
    return text;
}

/* A job from an object, which is released. */
static ls_job *read_json(json_t *json, const char *where, ls_error *error)
{
    bool ok = ls_job_form_stages(json, NULL, where, error);
    ls_job *job = ok ? ls_job_read(json, NULL, where, error) : NULL;
    json_decref(json);
    return job;
}

ls_job *ls_job_from_json(const char *text, const char *where, ls_error *error)
{
    json_error_t problem;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    if (json_is_object(json))
        return read_json(json, where, error);
    if (json)
        snprintf(problem.text, sizeof problem.text, "this is no object");
    json_decref(json);
    ls_error_set(
        error, LS_USAGE,
        "%s: expected a job in JSON, line %d: %s (older checkpoints hold it in YAML, which "
        "only the program reads: resume once with `lockstep train`)",
        where, problem.line, problem.text);
    return NULL;
}

ls_job *ls_job_create(const ls_job *plain, ls_error *error)
{
    return read_json(ls_job_write(plain), plain->path ? plain->path : "job", error);
}
