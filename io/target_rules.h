/* target_rules: whether the numbers of a data set fit the losses and objectives that take them. */
#pragma once
#include "io/dataset.h"

enum { LS_TARGET_RULES = 4 }; /* more than there are in the table of losses */

typedef struct ls_target_rules {
    const ls_target_rule *at[LS_TARGET_RULES]; /* the first NULL ends them */
} ls_target_rules;

/* Adds a rule, unless it is there. */
void ls_target_rules_add(ls_target_rules *rules, const ls_target_rule *rule);
/* Whether the targets y[n, width] of these rows of `file` fit all rules. LS_DATA errors name row
 * and number. */
bool ls_target_rules_check(const ls_target_rules *rules, const char *file, const ls_array *array,
                           const int64_t *rows, long n, const real *y, ls_error *error);
/* The same for x[n, row] as read, `transformed` or not. */
bool ls_target_rules_check_x(const ls_target_rules *rules, const char *file, const ls_split *split,
                             bool transformed, const int64_t *rows, long n, const real *x,
                             ls_error *error);
