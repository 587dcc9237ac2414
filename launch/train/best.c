/* best: is best.h5 the one that the position speaks of? */
#include "launch/train/best.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checksum.h"
#include "io/folder.h"
#include "launch/train/judge.h"

/* Writes best.h5 as it was written after the best step, whose checkpoint is loaded. */
static bool save_best(const ls_trainer *t, const ls_checkpoint *of_best, const char *path,
                      ls_error *error)
{
    ls_position position = of_best->position;
    position.best = t->position.best;
    position.best_step = t->position.best_step;
    position.stale = position.evaluation_due = 0;
    position.gap = 0;
    const ls_checkpoint_contents contents = {.job = t->job_text,
                                             .position = position,
                                             .params = t->session.params,
                                             .values = t->session.params->values,
                                             .data = t->session.data_text,
                                             .vocabulary = ls_dataset_vocabulary(t->session.data)};
    return ls_weights_write(path, &contents, error);
}

/* Writes best.h5 again from the checkpoint of the best step, which lies in `folder`; without it the
 * best is forgotten. `why` says what is wrong with the best.h5 that is there. */
static bool renew(ls_trainer *t, const char *folder, const char *path, const char *why,
                  ls_error *error)
{
    const ls_listener *listener = &t->options.listener;
    char *of_step = ls_checkpoint_list_path(folder, t->position.best_step, ".h5");
    ls_checkpoint *checkpoint = ls_checkpoint_open(of_step, NULL);
    bool loaded = checkpoint && (t->session.job->evaluate.average ? ls_checkpoint_load_average
                                                                  : ls_checkpoint_load_weights)(
                                    checkpoint, t->session.params, NULL);
    bool ok = !loaded || save_best(t, checkpoint, path, error);
    if (loaded)
        ls_report_notice(listener, "%s; it is written again from %s", why, of_step);
    else
        ls_report_notice(listener,
                         "%s, and there is no checkpoint of step %ld any more to write "
                         "it from: the best is sought anew",
                         why, t->position.best_step);
    if (!loaded)
        ls_judge_forget(&t->position);
    ls_checkpoint_close(checkpoint);
    ls_free(of_step);
    return ok;
}

/* Settles RUN/checkpoints/best.h5, `path`, by the best.h5 in the folder of the checkpoint. A run's
 * own may be of a later step: of an evaluation that the run comes to again. */
static bool settle(ls_trainer *t, const char *folder, const char *path, bool own, ls_error *error)
{
    const ls_position *position = &t->position;
    size_t size;
    ls_checksum checksum;
    ls_error why = {0};
    char *from = ls_format("%s/best.h5", folder);
    void *bytes = ls_checksum_read(from, LS_CHECKSUM_REQUIRED, &size, &checksum, &why);
    bool ok = true, stays = own && !t->options.overwrite;
    if (bytes && checksum.step == position->best_step) {
        ok = own || ls_checksum_write(path, bytes, size, checksum.step, error);
    } else if (stays && why.code == LS_IO) {
        ls_report_notice(&t->options.listener, "%s: it stays as it is", why.text);
    } else if (!stays || !bytes || checksum.step <= position->step) {
        if (bytes)
            ls_error_set(&why, LS_DATA, "%s: is of step %ld, but step %ld was the best", from,
                         checksum.step, position->best_step);
        ok = renew(t, folder, path, why.text, error);
    }
    ls_free(bytes);
    ls_free(from);
    return ok;
}

bool ls_best_settle(ls_trainer *t, ls_error *error)
{
    const char *of = t->checkpoint->path, *slash = strrchr(of, '/');
    if (isnan(t->position.best))
        return true;
    char *folder = slash ? ls_format("%.*s", (int)(slash - of), of) : ls_copy_string(".");
    char *own = ls_format("%s/checkpoints", t->session.job->run);
    char *path = ls_format("%s/best.h5", own);
    bool ok = settle(t, folder, path, ls_folder_same(folder, own), error);
    ls_free(path);
    ls_free(own);
    ls_free(folder);
    return ok;
}
