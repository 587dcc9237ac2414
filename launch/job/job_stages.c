/* job_stages: how many stages a job has, and what they take from its model. */
#include "launch/job/job_stages.h"

#include <string.h>

#include "core/memory.h"
#include "launch/job/job_entries.h"

static const ls_recipe usual = {.objective = "supervised loss=cross-entropy",
                                .optimizer = "momentum rate=0.01 momentum=0.9",
                                .schedule = "constant",
                                .batch = 128,
                                .epochs = 10};

bool ls_job_stages_default(const ls_job *job, ls_recipe_list *list, ls_error *error)
{
    char where[LS_JOB_PATH];
    *list = (ls_recipe_list){0};
    if (!job->model)
        ls_model_add_stage(list, &usual);
    return !job->model || ls_model_stages(job->model, list, error) ||
           ls_error_prefix(error, "%s", ls_job_where(job, "model", where, sizeof where));
}

int ls_job_stages_count(const ls_job *job, const ls_recipe_list *list)
{
    const ls_job_entry *own = ls_job_entries_find(job->entries, "stages");
    if (own && own->type == LS_ENTRY_LIST)
        return own->size;
    return ls_job_entries_find(job->entries, "objective") ? 1 : list->count;
}

/* Whether two objectives are of one type: their first words are the same. */
static bool same_type(const char *a, const char *b)
{
    size_t length = strcspn(a, " \t\n");
    return length == strcspn(b, " \t\n") && strncmp(a, b, length) == 0;
}

static const ls_recipe *recipe_of(const ls_job *job, int stage, const ls_recipe_list *list)
{
    const char *objective = job->stage[stage].objective;
    if (list->count == job->stages || (!objective && stage < list->count))
        return &list->at[stage];
    for (int i = 0; objective && i < list->count; i++)
        if (same_type(objective, list->at[i].objective))
            return &list->at[i];
    return &list->at[0];
}

static bool has_phase(const ls_job_stage *stage, const char *phase, size_t length)
{
    for (int i = 0; i < stage->optimizers; i++)
        if (!stage->optimizer[i].phase || (strncmp(stage->optimizer[i].phase, phase, length) == 0 &&
                                           !stage->optimizer[i].phase[length]))
            return true;
    return false;
}

/* Adds the optimizers of a recipe, "adam rate=1e-3" or a line "phase: adam rate=1e-3" for each
 * phase, for the phases that the stage gives none for. */
static void fill_optimizers(ls_job_stage *stage, const char *lines)
{
    for (size_t length; *lines; lines += length + (lines[length] == '\n')) {
        length = strcspn(lines, "\n");
        size_t word = strcspn(lines, " \n"), phase = word && lines[word - 1] == ':' ? word - 1 : 0;
        const char *spec = lines + (phase ? word + strspn(lines + word, " ") : 0);
        bool given = phase ? has_phase(stage, lines, phase) : stage->optimizers > 0;
        if (given || stage->optimizers == LS_PHASES)
            continue;
        stage->optimizer[stage->optimizers++] =
            (ls_job_optimizer){.phase = phase ? ls_format("%.*s", (int)phase, lines) : NULL,
                               .spec = ls_format("%.*s", (int)(lines + length - spec), spec)};
    }
}

static void preset(const char **text, const char *value)
{
    if (!*text)
        *text = ls_copy_string(value);
}

void ls_job_stages_fill(ls_job *job, const ls_recipe_list *list)
{
    for (int i = 0; i < job->stages; i++) {
        ls_job_stage *stage = &job->stage[i];
        const ls_recipe *from = recipe_of(job, i, list);
        preset(&stage->objective, from->objective);
        preset(&stage->schedule, from->schedule);
        bool fits = !strchr(from->optimizer, ':') || same_type(stage->objective, from->objective);
        fill_optimizers(stage,
                        fits ? from->optimizer : usual.optimizer); /* phases are the type's */
        if (!stage->batch)
            stage->batch = from->batch;
        if (!stage->epochs && !stage->steps)
            stage->epochs = from->epochs;
    }
}
