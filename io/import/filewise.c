/* filewise: has the files of a list read by a crew, and their rows written. */
#include "io/import/filewise.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/atomic_file.h"
#include "io/import/crew.h"
#include "io/import/filewise_rows.h"

typedef struct reading {
    const ls_filewise_format *format;
    ls_filewise *all;
    int threads;
    char *scratch; /* [threads][format->scratch] */
    ls_filewise_rows rows;
} reading;

static void *scratch_of(const reading *m, int thread)
{
    return m->scratch + (size_t)thread * m->format->scratch;
}

/* A crew for the files, without its work. */
static ls_crew crew_of(reading *m, size_t bytes)
{
    return (ls_crew){.team = m->all->import->team,
                     .threads = m->threads,
                     .items = m->all->files.count,
                     .bytes = bytes,
                     .context = m};
}

static bool measure_file(void *context, int thread, long item, void *result, ls_error *error)
{
    reading *m = context;
    long *length = result;
    char *path = ls_listing_path(&m->all->files, item);
    bool ok = m->format->measure(m->all, scratch_of(m, thread), path, length, error);
    if (!ok && error->code == LS_DATA) {
        *length = 0; /* `read` will say what is wrong */
        ok = true;
    }
    ls_free(path);
    return ok;
}

static bool take_lengths(void *context, long first, long n, const void *results, ls_error *error)
{
    reading *m = context;
    const long *length = results;
    for (long i = 0; i < n; i++) {
        m->all->longest_file = length[i] > m->all->longest ? first + i : m->all->longest_file;
        m->all->longest = ls_max(m->all->longest, length[i]);
        m->all->length += length[i];
        m->all->measured += length[i] > 0;
    }
    return true;
}

static bool measure_all(reading *m, ls_error *error)
{
    ls_crew crew = crew_of(m, sizeof(long));
    crew.work = measure_file;
    crew.take = take_lengths;
    if (!ls_crew_run(&crew, error))
        return false;
    ls_team_broadcast(crew.team, &m->all->longest, sizeof m->all->longest);
    return true;
}

static bool read_file(void *context, int thread, long item, void *to, ls_error *error)
{
    reading *m = context;
    ls_filewise_result *r = to;
    const ls_filewise_rows *rows = &m->rows;
    void *row[LS_FILEWISE_ARRAYS];
    for (int a = 0; a < rows->arrays; a++)
        row[a] = memset((char *)to + rows->at[a], 0, rows->bytes[a]);
    char *path = ls_listing_path(&m->all->files, item);
    bool ok = m->format->read(m->all, scratch_of(m, thread), path, row, error);
    r->reason[0] = 0;
    if (!ok && error->code == LS_DATA && !m->all->import->strict) {
        snprintf(r->reason, sizeof r->reason, "%.*s", (int)sizeof r->reason - 1, error->text);
        ok = true;
    }
    ls_free(path);
    return ok;
}

static bool take_rows(void *context, long first, long n, const void *results, ls_error *error)
{
    reading *m = context;
    return ls_filewise_rows_add(&m->rows, first, n, results, error);
}

/* Reads all files and writes the data set. */
static bool make_file(reading *m, ls_error *error)
{
    const ls_team *team = m->all->import->team;
    bool first = ls_team_member(team) == 0;
    bool begun = first && ls_filewise_rows_begin(&m->rows, error);
    bool ok = ls_team_agree(team, begun || !first, error);
    if (ok) {
        ls_crew crew = crew_of(m, m->rows.result_bytes);
        crew.work = read_file;
        crew.take = take_rows;
        ok = ls_crew_run(&crew, error);
    }
    if (begun)
        ok = ls_filewise_rows_end(&m->rows, ok, error);
    return ls_team_agree(team, ok, error);
}

static bool check_options(const ls_import *import, ls_error *error)
{
    double share = import->valid_share + import->test_share;
    if (import->valid > 0 || import->test > 0)
        return ls_error_set(error, LS_USAGE,
                            "--valid and --test are shares of the files here, such as 0.1");
    if (import->file[1] && import->test_share > 0)
        return ls_error_set(error, LS_USAGE,
                            "%s is the test part already; expected no --test beside it",
                            import->file[1]);
    if (share >= 1)
        return ls_error_set(error, LS_USAGE,
                            "--valid and --test take %g of the files; expected less than 1", share);
    return ls_team_member(import->team) != 0 || import->force ||
           ls_atomic_file_absent(import->output, error);
}

/* Whether the output, which --force may replace, is none of the files. */
static bool check_apart(const ls_filewise *all, ls_error *error)
{
    const bool there = access(all->import->output, F_OK) == 0;
    bool ok = true;
    for (long i = 0; ok && there && i < all->files.count; i++) {
        char *path = ls_listing_path(&all->files, i);
        ok = ls_atomic_file_apart(all->import->output, (const char *const[]){path}, 1, error);
        ls_free(path);
    }
    return ok;
}

/* Whether a few files are as long on every member as on member 0: else the members have other files
 * under these names, or none. */
static bool check_same(const ls_filewise *all, ls_error *error)
{
    enum { FEW = 16 };
    const ls_team *team = all->import->team;
    bool ok = true;
    for (int k = 0; k < FEW && ls_team_members(team) > 1; k++) {
        char *path = ls_listing_path(&all->files, (all->files.count - 1) * k / (FEW - 1));
        struct stat here;
        const long own = stat(path, &here) == 0 ? (long)here.st_size : 0;
        long first = own;
        ls_team_broadcast(team, &first, sizeof first);
        if (ok && own != first)
            ok = ls_error_set(error, LS_DATA,
                              "%s: %ld bytes are here, but %ld on rank 0; give paths that mean the "
                              "same files on every host",
                              path, own, first);
        ls_free(path);
    }
    return ls_team_agree(team, ok, error);
}

bool ls_filewise_run(const ls_filewise_format *format, const ls_import *options, FILE *report,
                     ls_error *error)
{
    const ls_team *team = options->team;
    if (!ls_team_agree(team, check_options(options, error), error))
        return false;
    ls_filewise all = {.import = options, .report = ls_team_member(team) == 0 ? report : NULL};
    reading m = {.format = format,
                 .all = &all,
                 .threads = options->threads > 0 ? (int)options->threads : 1,
                 .rows = {.format = format, .all = &all}};
    m.scratch = ls_alloc((size_t)m.threads, format->scratch);
    bool ok = ls_listing_make(&all.files, options, all.report, error) &&
              ls_team_agree(team, ls_team_member(team) != 0 || check_apart(&all, error), error) &&
              check_same(&all, error);
    if (ok) {
        ok = (!format->measure || measure_all(&m, error)) &&
             ls_team_agree(team, format->setup(&all, error), error);
        ls_filewise_rows_lay_out(&m.rows);
        ok = ok && make_file(&m, error);
        if (format->release)
            format->release(&all);
    }
    for (int t = 0; format->release_scratch && t < m.threads; t++)
        format->release_scratch(scratch_of(&m, t));
    ls_filewise_rows_release(&m.rows);
    ls_free(m.scratch);
    ls_listing_release(&all.files);
    return ok;
}
