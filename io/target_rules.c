/* target_rules: shows each number of targets to all rules, of a row of x the smallest and the
 * largest. */
#include "io/target_rules.h"

#include "io/range.h"

void ls_target_rules_add(ls_target_rules *rules, const ls_target_rule *rule)
{
    int i = 0;
    while (i < LS_TARGET_RULES && rules->at[i] && rules->at[i] != rule)
        i++;
    ls_check(i < LS_TARGET_RULES, "more than %d rules for the numbers of a data set",
             (int)LS_TARGET_RULES);
    rules->at[i] = rule;
}

bool ls_target_rules_check(const ls_target_rules *rules, const char *file, const ls_array *array,
                           const int64_t *rows, long n, const real *y, ls_error *error)
{
    const long width = ls_shape_count(&array->shape);
    for (int k = 0; k < LS_TARGET_RULES && rules->at[k]; k++)
        for (long i = 0; i < n * width; i++)
            if (!rules->at[k]->takes((double)y[i]))
                return ls_error_set(error, LS_DATA, "%s: %s holds %g at row %ld, but the loss %s",
                                    file, array->path, (double)y[i], (long)rows[i / width],
                                    rules->at[k]->words);
    return true;
}

bool ls_target_rules_check_x(const ls_target_rules *rules, const char *file, const ls_split *split,
                             bool transformed, const int64_t *rows, long n, const real *x,
                             ls_error *error)
{
    const long width = ls_shape_count(&split->row);
    for (long r = 0; rules->at[0] && r < n; r++) {
        real ends[2];
        ls_range_find(width, x + r * width, &ends[0], &ends[1]);
        for (int k = 0; k < 2 * LS_TARGET_RULES; k++) {
            const ls_target_rule *rule = rules->at[k / 2];
            if (rule && !rule->takes((double)ends[k % 2]))
                return ls_error_set(error, LS_DATA, "%s: %s holds %g at row %ld%s, but %s", file,
                                    split->x.path, (double)ends[k % 2], (long)rows[r],
                                    transformed ? " as transformed" : "", rule->words);
        }
    }
    return true;
}
