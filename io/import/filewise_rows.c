/* filewise_rows: writes rows to where those before them end, and drops the room of broken files. */
#include "io/import/filewise_rows.h"

#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "io/dataset_check.h"
#include "io/import/classes.h"

enum { BLOCK_BYTES = 1 << 20, NAMED = 8 /* classes in a report */ };

void ls_filewise_rows_lay_out(ls_filewise_rows *m)
{
    size_t end = sizeof(ls_filewise_result);
    for (m->arrays = 0; m->arrays < LS_FILEWISE_ARRAYS && m->all->array[m->arrays].name;
         m->arrays++) {
        const ls_filewise_array *array = &m->all->array[m->arrays];
        m->at[m->arrays] = (end + LS_ALIGN - 1) / LS_ALIGN * LS_ALIGN;
        m->bytes[m->arrays] = ls_dtype_size(array->type) * (size_t)ls_shape_count(&array->shape);
        end = m->at[m->arrays] + m->bytes[m->arrays];
    }
    m->result_bytes = (end + LS_ALIGN - 1) / LS_ALIGN * LS_ALIGN;
}

/* Writes the rows of one array that go to one split. */
static bool write_rows(ls_filewise_rows *m, ls_split_id split, int a, long first, long n,
                       const char *results, ls_error *error)
{
    ls_filewise_part *p = &m->part[split];
    hid_t type = ls_dataset_check_memory_type(m->all->array[a].type);
    long room = ls_max(1, BLOCK_BYTES / (long)m->bytes[a]), held = 0, row = p->rows;
    bool ok = true;
    for (long i = 0; ok && i < n; i++) {
        const char *from = results + (size_t)i * m->result_bytes;
        if (m->all->files.file[first + i].split == split &&
            ((const ls_filewise_result *)from)->reason[0] == 0)
            memcpy(m->block + (size_t)held++ * m->bytes[a], from + m->at[a], m->bytes[a]);
        if (held == room || (i + 1 == n && held > 0)) {
            ok = ls_h5_write_rows(p->dataset[a], type, row, held, m->block, error);
            row += held;
            held = 0;
        }
    }
    return ok;
}

static void skip(ls_filewise_rows *m, const ls_filewise_result *r)
{
    const ls_import_watch *watch = m->all->import->watch;
    m->skipped++;
    if (!m->all->report)
        return;
    if (watch)
        watch->line(watch->context);
    ls_print(m->all->report, "skipped: %s\n", r->reason);
}

bool ls_filewise_rows_add(ls_filewise_rows *m, long first, long n, const void *results,
                          ls_error *error)
{
    size_t bytes = m->result_bytes;
    for (int s = 0; s < LS_SPLITS; s++)
        for (int a = 0; a < m->arrays; a++)
            if (!write_rows(m, (ls_split_id)s, a, first, n, results, error))
                return false;
    for (long i = 0; i < n; i++) {
        const ls_filewise_result *r = (const void *)((const char *)results + (size_t)i * bytes);
        ls_filewise_part *p = &m->part[m->all->files.file[first + i].split];
        if (r->reason[0])
            skip(m, r);
        else
            p->file[p->rows++] = first + i;
    }
    if (m->all->import->watch)
        m->all->import->watch->moved(m->all->import->watch->context, first + n,
                                     m->all->files.count);
    return true;
}

/* Makes the arrays of all splits in `file`, for rows[split] rows each, and has HDF5 give them their
 * places in this order. */
static bool make_arrays(ls_filewise_rows *m, hid_t file, const long *rows, ls_error *error)
{
    char path[64];
    bool ok = true;
    memset(m->block, 0, m->block_bytes);
    for (int s = 0; ok && s < LS_SPLITS; s++)
        for (int a = 0; ok && a < m->arrays; a++) {
            const ls_filewise_array *array = &m->all->array[a];
            hid_t type = ls_dataset_check_memory_type(array->type);
            hsize_t dims[LS_MAX_RANK + 1] = {(hsize_t)rows[s]};
            for (int d = 0; d < array->shape.rank; d++)
                dims[d + 1] = (hsize_t)array->shape.at[d];
            if (rows[s] == 0)
                continue;
            snprintf(path, sizeof path, "%s/%s", ls_split_names[s], array->name);
            hid_t to = ls_h5_create_dataset(file, path, type, array->shape.rank + 1, dims, error);
            m->part[s].dataset[a] = to;
            ok = to >= 0 && m->format->attributes(m->all, a, to, error) &&
                 ls_h5_write_rows(to, type, 0, 1, m->block, error);
        }
    return ok;
}

static void close_arrays(ls_filewise_rows *m)
{
    for (int s = 0; s < LS_SPLITS; s++)
        for (int a = 0; a < m->arrays; a++) {
            ls_h5_close(m->part[s].dataset[a]);
            m->part[s].dataset[a] = -1;
        }
}

/* Copies the rows that were written to the arrays of another file, which has no room for more. */
static bool copy_rows(ls_filewise_rows *m, hid_t (*from)[LS_FILEWISE_ARRAYS], ls_error *error)
{
    bool ok = true;
    for (int s = 0; ok && s < LS_SPLITS; s++)
        for (int a = 0; ok && a < m->arrays; a++) {
            hid_t type = ls_dataset_check_memory_type(m->all->array[a].type);
            long room = ls_max(1, BLOCK_BYTES / (long)m->bytes[a]);
            for (long row = 0, n; ok && row < m->part[s].rows; row += n) {
                n = ls_min(room, m->part[s].rows - row);
                ok = (ls_h5_read_rows(from[s][a], type, row, n, m->block) ||
                      ls_h5_fail(error, LS_IO, from[s][a], "can't read rows from %ld", row)) &&
                     ls_h5_write_rows(m->part[s].dataset[a], type, row, n, m->block, error);
            }
        }
    return ok;
}

/* Where files were skipped, the output becomes a file without room for them. */
static bool shrink(ls_filewise_rows *m, ls_error *error)
{
    ls_output whole = m->output, tight;
    long rows[LS_SPLITS];
    hid_t from[LS_SPLITS][LS_FILEWISE_ARRAYS];
    if (m->skipped == 0)
        return true;
    if (!ls_output_open(&tight, m->all->import->output, error))
        return false;
    for (int s = 0; s < LS_SPLITS; s++) {
        rows[s] = m->part[s].rows;
        memcpy(from[s], m->part[s].dataset, sizeof from[s]);
        for (int a = 0; a < m->arrays; a++)
            m->part[s].dataset[a] = -1;
    }
    bool ok = make_arrays(m, tight.file, rows, error) && copy_rows(m, from, error);
    for (int s = 0; s < LS_SPLITS; s++)
        for (int a = 0; a < m->arrays; a++)
            ls_h5_close(from[s][a]);
    if (!ok)
        close_arrays(m);
    m->output = ok ? tight : whole;
    ls_output_discard(ok ? &whole : &tight);
    return ok;
}

static const ls_listing_file *file_of(const ls_filewise_rows *m, int split, long row)
{
    return &m->all->files.file[m->part[split].file[row]];
}

/* The name of each row's file, as the list has it, by which rows can be traced back. */
static bool put_names(ls_filewise_rows *m, int split, hid_t file, ls_error *error)
{
    char path[16];
    const char *names = m->all->files.names;
    const long rows = m->part[split].rows;
    const hsize_t dims[] = {(hsize_t)rows};
    size_t size = 1;
    for (long r = 0; r < rows; r++)
        size = ls_max(size, strlen(names + file_of(m, split, r)->name));
    char *all = ls_alloc((size_t)rows, size);
    for (long r = 0; r < rows; r++)
        memcpy(all + (size_t)r * size, names + file_of(m, split, r)->name,
               strlen(names + file_of(m, split, r)->name));
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, size);
    H5Tset_strpad(text, H5T_STR_NULLPAD);
    snprintf(path, sizeof path, "%s/name", ls_split_names[split]);
    const bool ok = rows == 0 || ls_h5_write(file, path, text, text, 1, dims, all, error);
    H5Tclose(text);
    ls_free(all);
    return ok;
}

static bool put_labels(ls_filewise_rows *m, hid_t file, ls_error *error)
{
    const ls_listing *files = &m->all->files;
    bool ok = true;
    for (int s = 0; ok && s < LS_SPLITS; s++) {
        char path[16];
        hsize_t rows = (hsize_t)m->part[s].rows;
        int32_t *label = ls_alloc((size_t)rows, sizeof *label);
        for (long r = 0; r < (long)rows; r++)
            label[r] = file_of(m, s, r)->label;
        snprintf(path, sizeof path, "%s/y", ls_split_names[s]);
        hid_t y = rows ? ls_h5_create_dataset(file, path, H5T_STD_I32LE, 1, &rows, error) : -1;
        ok = !rows ||
             (y >= 0 && ls_h5_write_rows(y, H5T_NATIVE_INT32, 0, (long)rows, label, error) &&
              ls_h5_put_long(y, "classes", files->classes, error) &&
              (!files->class_name ||
               ls_classes_put_names(files->class_name, files->classes, y, error)));
        ls_h5_close(y);
        ls_free(label);
    }
    return ok;
}

/* "train  x uint8 [60, 32, 32, 3]  y int32 [60]  10 classes: a, b, ..." */
static void report_split(const ls_filewise_rows *m, int s, FILE *report)
{
    const ls_listing *files = &m->all->files;
    ls_print(report, "%-5s", ls_split_names[s]);
    for (int a = 0; a < m->arrays; a++) {
        const ls_filewise_array *array = &m->all->array[a];
        ls_print(report, "  %s %s [%ld", array->name, ls_dtype_name(array->type), m->part[s].rows);
        for (int d = 0; d < array->shape.rank; d++)
            ls_print(report, ", %ld", array->shape.at[d]);
        ls_print(report, "]");
    }
    if (files->classes > 0)
        ls_print(report, "  y int32 [%ld]  %ld classes", m->part[s].rows, files->classes);
    for (long i = 0; files->class_name && i < ls_min(files->classes, NAMED); i++)
        ls_print(report, "%s%s", i ? ", " : ": ", files->class_name[i]);
    ls_print(report, files->class_name && files->classes > NAMED ? ", ...\n" : "\n");
}

/* Says which classes have no row in a split that has others: names fall into splits by chance. */
static void note_absent(const ls_filewise_rows *m, int s, FILE *report)
{
    const ls_listing *files = &m->all->files;
    long *count = ls_alloc((size_t)files->classes, sizeof *count), absent = 0;
    char list[256] = "";
    for (long i = 0; i < m->part[s].rows; i++)
        count[file_of(m, s, i)->label]++;
    for (long c = 0; c < files->classes; c++)
        if (count[c] == 0 && absent++ < NAMED)
            ls_format_join(list, sizeof list, files->class_name[c]);
    if (absent > 0)
        ls_print(report,
                 "note: %s has no row of %ld of the %ld classes: %s%s; take more files, or another "
                 "--seed\n",
                 ls_split_names[s], absent, files->classes, list, absent > NAMED ? ", ..." : "");
    ls_free(count);
}

/* Counts the rows of each class, and says what was made. */
static bool judge(ls_filewise_rows *m, ls_error *error)
{
    const ls_listing *files = &m->all->files;
    FILE *report = m->all->report;
    ls_classes classes = {.first = m->all->import->labels_from, .given = files->class_name};
    if (report && m->skipped > 0)
        ls_print(report, "skipped %ld of %ld files\n", m->skipped, files->count);
    if (m->part[LS_TRAIN].rows == 0)
        return ls_error_set(error, LS_DATA, "%s: none of the %ld files became a row of train",
                            m->all->import->file[0], files->count);
    if (files->class_name) {
        classes.classes = classes.room = files->classes;
        classes.count = ls_alloc((size_t)files->classes, sizeof *classes.count);
    }
    for (long i = 0; files->classes > 0 && i < m->part[LS_TRAIN].rows; i++)
        ls_classes_add(&classes, file_of(m, LS_TRAIN, i)->label);
    bool ok = files->classes == 0 || ls_classes_check(&classes, m->all->import->file[0],
                                                      files->class_name, NULL, report, error);
    for (int s = LS_VALID; ok && report && files->class_name && s < LS_SPLITS; s++)
        if (m->part[s].rows > 0)
            note_absent(m, s, report);
    for (int s = 0; ok && report && s < LS_SPLITS; s++)
        if (m->part[s].rows > 0)
            report_split(m, s, report);
    ls_free(classes.count);
    return ok;
}

bool ls_filewise_rows_begin(ls_filewise_rows *m, ls_error *error)
{
    const ls_listing *files = &m->all->files;
    long rows[LS_SPLITS] = {0};
    m->block_bytes = BLOCK_BYTES;
    for (long i = 0; i < files->count; i++)
        rows[files->file[i].split]++;
    for (int a = 0; a < m->arrays; a++)
        m->block_bytes = m->bytes[a] > m->block_bytes ? m->bytes[a] : m->block_bytes;
    m->block = ls_alloc(m->block_bytes, 1);
    for (int s = 0; s < LS_SPLITS; s++) {
        m->part[s].file = ls_alloc((size_t)rows[s], sizeof *m->part[s].file);
        for (int a = 0; a < LS_FILEWISE_ARRAYS; a++)
            m->part[s].dataset[a] = -1;
    }
    if (!ls_output_open(&m->output, m->all->import->output, error))
        return false;
    if (make_arrays(m, m->output.file, rows, error))
        return true;
    close_arrays(m);
    ls_output_discard(&m->output);
    return false;
}

bool ls_filewise_rows_end(ls_filewise_rows *m, bool ok, ls_error *error)
{
    ok = ok && judge(m, error) && shrink(m, error) &&
         (m->all->files.classes == 0 || put_labels(m, m->output.file, error));
    for (int s = 0; ok && s < LS_SPLITS; s++)
        ok = put_names(m, s, m->output.file, error);
    close_arrays(m);
    if (ok)
        return ls_output_close(&m->output, error);
    ls_output_discard(&m->output);
    return false;
}

void ls_filewise_rows_release(ls_filewise_rows *m)
{
    for (int s = 0; s < LS_SPLITS; s++)
        ls_free(m->part[s].file);
    ls_free(m->block);
}
