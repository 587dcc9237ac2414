/* class_names: what the classes of data are called, by the text of ls_dataset_describe. */
#pragma once
#include "core/check.h"

/* The names, a line each, and how many; NULL where the text (NULL too) has none. The caller frees
 * them with ls_free. */
char *ls_class_names(const char *text, long *count);
/* Whether no class of the data set at `path`, which `now` describes, is called otherwise than in
 * the data that `net`, a file, was trained on, which `then` describes. Data without names fit all.
 * LS_DATA errors. */
bool ls_class_names_same(const char *net, const char *then, const char *path, const char *now,
                         ls_error *error);
