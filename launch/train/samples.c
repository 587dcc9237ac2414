/* samples: chunks of rows on all ranks, gathered on rank 0, whose thread writes the pictures.
 *
 *     rank 0    step n  | rows of its chunks, gathered |  step n+1 ...
 *     rank 1    step n  | rows of its chunks           |  step n+1 ...
 *     thread                                           | pixels, packing, disk |
 *
 * The thread calls neither MPI nor HDF5. It works on numbers that are its own. */
#include "launch/train/samples.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/thread.h"
#include "io/atomic_file.h"
#include "io/histogram.h"
#include "io/picture.h"
#include "launch/session/generation.h"
#include "launch/train/report.h"

/* One picture: rows in the order in which they are made. */
typedef struct picture {
    const char *name; /* step-00001234-NAME.png; NULL: there is none */
    real *x;          /* [rows, width] */
    long rows, width;
    ls_picture tiles;       /* tiles.row.rank 0: a histogram */
    ls_histogram histogram; /* its data is borrowed from ls_samples */
} picture;

enum { PRIOR, REBUILT, PICTURES };

struct ls_samples_files {
    pthread_t thread;
    bool in_thread; /* else they are written already */
    char *folder;
    long step;
    picture picture[PICTURES];
    ls_error error; /* code 0: none */
};

static bool write_picture(const struct ls_samples_files *f, const picture *p, ls_error *error)
{
    char *path = ls_format("%s/step-%08ld-%s.png", f->folder, f->step, p->name);
    bool ok = p->tiles.row.rank ? ls_picture_write(path, &p->tiles, p->x, p->rows, error)
                                : ls_histogram_write(path, &p->histogram, error);
    ls_free(path);
    return ok;
}

static void *write_all(void *context)
{
    struct ls_samples_files *f = context;
    bool ok = ls_atomic_file_folder(f->folder, &f->error);
    for (int k = 0; ok && k < PICTURES; k++)
        ok = !f->picture[k].name || write_picture(f, &f->picture[k], &f->error);
    return NULL;
}

static void *write_in_thread(void *context)
{
    ls_thread_give_way();
    return write_all(context);
}

void ls_samples_wait(ls_samples *samples)
{
    struct ls_samples_files *f = samples->files;
    if (!f)
        return;
    if (f->in_thread)
        pthread_join(f->thread, NULL);
    if (f->error.code)
        ls_report_notice(samples->listener, "no pictures of step %ld: %s", f->step, f->error.text);
    for (int k = 0; k < PICTURES; k++)
        ls_free(f->picture[k].x);
    ls_free(f->folder);
    ls_free(f);
    samples->files = NULL;
}

void ls_samples_close(ls_samples *samples)
{
    ls_samples_wait(samples);
    ls_free(samples->data);
}

/* What of a stage can be drawn. */
static bool makes_samples(const ls_objective *objective)
{
    return (objective->generates & LS_GENERATE_PRIOR) != 0;
}

/* Pairs of numbers are no picture. */
static bool makes_pairs(const ls_objective *objective)
{
    return objective->outputs.rebuilds && ls_shape_count(&objective->task.x) > 1;
}

static bool makes_pictures(const ls_objective *objective)
{
    return makes_samples(objective) || makes_pairs(objective);
}

long ls_samples_chunk(const ls_session *session, long stage)
{
    const ls_job_samples *job = &session->job->samples;
    const ls_objective *objective = session->stage[stage].objective;
    return job->every.unit == LS_EVERY_NEVER || !makes_pictures(objective)
               ? 0
               : ls_generation_chunk(objective, job->rows);
}

/* The rows that stand for the data. */
static long data_rows(const ls_session *session)
{
    const ls_split *split =
        ls_dataset_split(session->data, ls_generation_split(session->job, session->data));
    return ls_min(session->job->samples.rows, split->x.rows);
}

double ls_samples_bytes(const ls_session *session, long stage)
{
    enum { PACKED = 2 }; /* bytes of a number as a pixel, and in the file */
    const ls_objective *objective = session->stage[stage].objective;
    const double width = (double)ls_shape_count(&session->task.x);
    const long chunk = ls_samples_chunk(session, stage);
    long rows = makes_samples(objective) ? session->job->samples.rows : 0;
    if (makes_pairs(objective))
        rows += 2 * data_rows(session);
    /* Rank 0 gathers a chunk of each rank. */
    long gathered = 2 * chunk * session->comm->size;
    return chunk ? width * (double)(rows * (long)(sizeof(real) + PACKED) +
                                    gathered * (long)sizeof(real))
                 : 0;
}

/* On rank 0: the range of the data. */
static bool read_data(ls_samples *s, ls_error *error)
{
    enum { GROUP = 64 }; /* rows that are read at a time */
    const long width = ls_shape_count(&s->session->task.x), rows = data_rows(s->session);
    int64_t row[GROUP];
    real *x = ls_alloc((size_t)(GROUP * width), sizeof *x);
    bool ok = true;
    s->data = width == 1 ? ls_alloc((size_t)rows, sizeof *x) : NULL;
    for (long first = 0; ok && first < rows; first += GROUP) {
        long n = ls_min(GROUP, rows - first);
        double least, most;
        for (long i = 0; i < n; i++)
            row[i] = first + i;
        ok = ls_dataset_read(s->session->data, s->split, row, n, NULL, x, NULL, error);
        if (ok)
            ls_dataset_untransform(s->session->data, n, x);
        ls_picture_range(x, ok ? n * width : 0, &least, &most);
        s->least = fmin(s->least, least);
        s->most = fmax(s->most, most);
        if (s->data)
            memcpy(s->data + first, x, (size_t)n * sizeof *x);
    }
    ls_free(x);
    if (!ok) {
        ls_free(s->data);
        s->data = NULL;
    }
    return ok;
}

/* Why the job gets no pictures, though it asks for them, into text[size]; false: it gets some. */
static bool has_none(const ls_session *session, char *text, size_t size)
{
    ls_shape shape;
    char x[96];
    bool makes = false;
    for (int i = 0; i < session->job->stages; i++)
        makes = makes || makes_pictures(session->stage[i].objective);
    if (!makes)
        snprintf(text, size, "no objective of this job makes rows of its own, or rebuilds them");
    else if (ls_shape_count(&session->task.x) > 1 && !ls_picture_shape(&session->task.x, &shape))
        snprintf(text, size,
                 "rows of x have the shape %s; expected height x width, a vector whose length is a "
                 "square, or "
                 "one number",
                 ls_shape_text(&session->task.x, x, sizeof x));
    else
        return false;
    return true;
}

void ls_samples_open(ls_samples *s)
{
    char why[256];
    ls_error error;
    const ls_job *job = s->session->job;
    bool asked = job->samples.every.unit != LS_EVERY_NEVER;
    bool none = asked && has_none(s->session, why, sizeof why);
    s->wanted = asked && !none;
    s->split = ls_generation_split(job, s->session->data);
    if (none && s->run)
        ls_report_notice(s->listener, "no pictures are written (samples.every=): %s", why);
    if (!asked && s->run && ls_job_origin(job, "samples.rows") != LS_FROM_DEFAULT)
        ls_report_notice(s->listener, "samples.rows= writes no pictures without samples.every=, "
                                      "such as samples.every='1 epoch'");
    if (s->wanted && s->run && !read_data(s, &error))
        ls_report_notice(s->listener, "pictures are drawn without the range of the data: %s",
                         error.text);
}

static bool collect(void *context, long rows, const real *x, ls_error *error)
{
    picture *p = context;
    memcpy(p->x + p->rows * p->width, x, (size_t)(rows * p->width) * sizeof *x);
    p->rows += rows;
    return true;
}

/* Room for the rows, on rank 0, and how they are drawn. */
static picture plan_picture(const ls_samples *s, const char *name, long rows, long width)
{
    picture p = {.name = name, .width = width, .tiles = {.least = s->least, .most = s->most}};
    if (!ls_picture_shape(&s->session->task.x, &p.tiles.row))
        p.tiles.row.rank = 0;
    if (s->run)
        p.x = ls_alloc((size_t)(rows * width), sizeof(real));
    p.histogram = (ls_histogram){.data = s->data,
                                 .data_count = s->data ? data_rows(s->session) : 0,
                                 .made = p.x,
                                 .made_count = rows};
    return p;
}

/* **Collective.** Fills in the rows of a picture. */
static bool make_rows(const ls_samples *s, int which, picture *p, ls_error *error)
{
    const ls_session *session = s->session;
    const long width = ls_shape_count(&session->task.x), data = data_rows(session);
    const ls_generation what = {.kind = LS_GENERATE_PRIOR, .rows = session->job->samples.rows};
    const ls_generation_plan plan = {.comm = session->comm,
                                     .objective = session->stage[s->position->stage].objective,
                                     .data = session->data,
                                     .seed = (uint64_t)session->job->seed,
                                     .collect = collect,
                                     .context = p};
    if (which == PRIOR) {
        *p = plan_picture(s, "prior", what.rows, width);
        return ls_generation_run(&plan, &what, error);
    }
    /* Row after row, each beside its reconstruction. */
    *p = plan_picture(s, "rebuilt", data, 2 * width);
    bool ok = ls_generation_rebuild(&plan, session->data, s->split, data, error);
    p->tiles.columns = 2 * lround(ceil(sqrt((double)data)));
    p->rows *= 2;
    return ok;
}

/* On rank 0: how far samples of one number lie from the data. */
static void tell_divergence(const ls_samples *s, const picture *p)
{
    if (s->run && p->tiles.row.rank == 0 && p->histogram.data_count > 0)
        ls_report_notice(s->listener,
                         "step %ld: the histogram of %ld samples is %.4f nats from that of the "
                         "data (Jensen-Shannon)",
                         s->position->step, p->rows, ls_histogram_divergence(&p->histogram));
}

/* On rank 0: hands the pictures to a thread; where there is none, writes them at once. */
static void write_files(ls_samples *s, struct ls_samples_files *f, bool made)
{
    bool write = made && ls_rundir_check(s->run, &f->error);
    s->files = f;
    f->in_thread = write && ls_thread_start(&f->thread, write_in_thread, f) == 0;
    if (write && !f->in_thread)
        write_all(f);
}

void ls_samples_take(ls_samples *s)
{
    const ls_session *session = s->session;
    const ls_objective *objective = session->stage[s->position->stage].objective;
    if (!makes_pictures(objective))
        return;
    ls_samples_wait(s);
    struct ls_samples_files *f = ls_alloc(1, sizeof *f);
    f->folder = ls_format("%s/samples", session->job->run);
    f->step = s->position->step;
    bool ok = true;
    if (makes_samples(objective))
        ok = make_rows(s, PRIOR, &f->picture[PRIOR], &f->error);
    if (ok && makes_samples(objective))
        tell_divergence(s, &f->picture[PRIOR]);
    if (ok && makes_pairs(objective))
        ok = make_rows(s, REBUILT, &f->picture[REBUILT], &f->error);
    s->taken = ls_clock_now();
    s->files = f;
    if (s->run)
        write_files(s, f, ok);
    else
        ls_samples_wait(s);
}
