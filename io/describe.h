/* describe: what tells one data set from another, in words and digests. */
#pragma once
#include "io/column.h"

/* Appends to text[size] the two lines of an array of the split that ls_dataset_describe has. */
bool ls_describe_array(const ls_split *split, const ls_column *column, char *text, size_t size,
                       ls_error *error);
/* Appends the line of the split's weights, by which its rows can be drawn, if it has any. */
void ls_describe_weights(const ls_split *split, hid_t file, char *text, size_t size);
/* The lines of ls_dataset_describe that attributes give: how x was made, and what the classes of y
 * are called; y negative: it holds no labels. The caller frees them with ls_free. */
char *ls_describe_attributes(hid_t x, hid_t y);
/* ls_dataset_shape_digest of these splits. */
uint64_t ls_describe_shapes(const ls_split splits[LS_SPLITS]);
