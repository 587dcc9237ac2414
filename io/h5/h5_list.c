/* h5_list: visits each object of a file, and describes it. */
#include "io/h5/h5_list.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "io/h5/h5_list_array.h"

typedef struct walk {
    hid_t file;
    void (*visit)(void *context, const ls_h5_list_object *object);
    void *context;
    ls_error *error;
} walk;

/* Reads the numbers of an attribute, of which the first are shown. */
static void read_numbers(hid_t attribute, bool is_whole, ls_h5_list_attribute *a)
{
    void *values = ls_alloc((size_t)a->count, sizeof *a->at);
    if (H5Aread(attribute, is_whole ? H5T_NATIVE_LONG : H5T_NATIVE_DOUBLE, values) >= 0)
        a->shown = a->count < LS_H5_LIST_NUMBERS ? (int)a->count : LS_H5_LIST_NUMBERS;
    a->is_whole = is_whole;
    memcpy(a->at, values, (size_t)a->shown * sizeof *a->at);
    ls_free(values);
}

static herr_t add_attribute(hid_t from, const char *name, const H5A_info_t *info, void *context)
{
    enum { MOST = 1 << 20 }; /* numbers: no attribute of ours has more */
    ls_h5_list_object *object = context;
    if (object->attributes == LS_H5_LIST_ATTRIBUTES)
        return 0;
    ls_h5_list_attribute *a = &object->attribute[object->attributes++];
    bool present;
    hid_t attribute = H5Aopen(from, name, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    H5T_class_t class = H5Tget_class(type);
    *a = (ls_h5_list_attribute){.name = ls_copy_string(name)};
    a->count = (long)H5Sget_simple_extent_npoints(space);
    if (class == H5T_STRING)
        ls_h5_get_text(from, name, &a->text, &present, NULL);
    else if ((class == H5T_INTEGER || class == H5T_FLOAT) && a->count <= MOST)
        read_numbers(attribute, class == H5T_INTEGER, a);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return 0;
}

/* Finds the range of an array's numbers. */
static bool find_range(const ls_h5_list_array *array, ls_h5_list_object *o, ls_error *error)
{
    double *values = ls_alloc((size_t)(array->block_rows * array->row), sizeof *values), sum = 0;
    long count = 1, finite = 0;
    bool ok = true;
    for (long block = 0; ok && count > 0; block++) {
        ok = ls_h5_list_array_read(array, block, H5T_NATIVE_DOUBLE, values, &count, error);
        for (long i = 0; ok && i < count; i++) {
            if (!isfinite(values[i])) {
                if (o->bad++ == 0)
                    o->bad_row = block * array->block_rows + i / array->row;
                continue;
            }
            o->least = finite ? fmin(o->least, values[i]) : values[i];
            o->largest = finite ? fmax(o->largest, values[i]) : values[i];
            sum += values[i];
            finite++;
        }
    }
    if (finite)
        o->mean = sum / (double)finite;
    ls_free(values);
    return ok;
}

static bool describe_array(hid_t dataset, ls_h5_list_object *object, ls_error *error)
{
    ls_h5_list_array array;
    if (!ls_h5_list_array_open(dataset, object->path, &array, error))
        return false;
    object->type = array.type;
    object->storage = array.storage;
    object->rank = array.rank;
    memcpy(object->at, array.at, sizeof array.at);
    object->numbers = array.numbers;
    object->bad_row = -1;
    object->least = object->largest = object->mean = (double)NAN;
    return !array.numbers || find_range(&array, object, error);
}

/* Describes an object to the visitor. It is open as `id`, or is a link: `id` is -1. */
static bool show(walk *w, hid_t id, const char *path, ls_h5_list_kind kind)
{
    ls_h5_list_object *object = ls_alloc(1, sizeof *object);
    object->kind = kind;
    object->path = path;
    bool ok = id < 0 ||
              H5Aiterate2(id, H5_INDEX_NAME, H5_ITER_INC, NULL, add_attribute, object) >= 0 ||
              ls_h5_fail(w->error, LS_DATA, w->file, "%s%sits attributes can't be read", path,
                         path[0] ? ": " : "");
    ok = ok && (kind != LS_H5_LIST_ARRAY || describe_array(id, object, w->error));
    if (ok)
        w->visit(w->context, object);
    for (int i = 0; i < object->attributes; i++) {
        ls_free(object->attribute[i].name);
        ls_free(object->attribute[i].text);
    }
    ls_free(object);
    return ok;
}

/* HDF5 calls it for each link. 1 ends the visit: the error is set. */
static herr_t visit_link(hid_t file, const char *path, const H5L_info_t *link, void *context)
{
    walk *w = context;
    bool hard = link->type == H5L_TYPE_HARD;
    hid_t id = hard ? H5Oopen(file, path, H5P_DEFAULT) : -1;
    if (hard && id < 0)
        return ls_h5_fail(w->error, LS_DATA, file, "%s can't be opened", path), 1;
    H5I_type_t type = hard ? H5Iget_type(id) : H5I_BADID;
    ls_h5_list_kind kind = !hard                 ? LS_H5_LIST_LINK
                           : type == H5I_GROUP   ? LS_H5_LIST_GROUP
                           : type == H5I_DATASET ? LS_H5_LIST_ARRAY
                                                 : LS_H5_LIST_OTHER;
    bool ok = show(w, id, path, kind);
    ls_h5_close(id);
    return ok ? 0 : 1;
}

bool ls_h5_list_visit(const char *path,
                      void (*visit)(void *context, const ls_h5_list_object *object), void *context,
                      ls_error *error)
{
    walk w = {.file = ls_h5_open(path, error), .visit = visit, .context = context, .error = error};
    if (w.file < 0)
        return false;
    hid_t root = H5Oopen(w.file, "/", H5P_DEFAULT);
    bool ok = root >= 0 && show(&w, root, "", LS_H5_LIST_GROUP);
    herr_t end = ok ? H5Lvisit(w.file, H5_INDEX_NAME, H5_ITER_INC, visit_link, &w) : 1;
    if (end < 0)
        ls_h5_fail(error, LS_DATA, w.file, "can't list its contents");
    H5Fclose(w.file);
    return end == 0;
}
