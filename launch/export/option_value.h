/* option_value: what options were filled with, by their keys in the table that filled them. */
#pragma once
#include "core/layer.h"

/* Where the option `key` of a table stands in the struct `self` that it filled. A key that the
 * table does not have, or of another kind, is a bug. */
const void *ls_option_value(const ls_option *options, const void *self, const char *key,
                            ls_option_kind kind);

/* Of a line of a net: a whole number; a bool; a choice, its place among the choices; a number; a
 * list. */
long ls_option_value_long(const ls_layer *layer, const char *key);
bool ls_option_value_bool(const ls_layer *layer, const char *key);
int ls_option_value_choice(const ls_layer *layer, const char *key);
double ls_option_value_real(const ls_layer *layer, const char *key);
const ls_list *ls_option_value_list(const ls_layer *layer, const char *key);
