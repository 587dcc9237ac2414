/* csv_scale: how the inputs of tables are scaled, and whether float32 keeps them apart. Numbers
 * stay doubles until they are scaled: 1609459200 and 1609459201 are one number in float32. */
#pragma once
#include "io/h5/h5.h"
#include "io/import/csv_table.h"

typedef struct ls_csv_scale {
    double factor;            /* attribute of x: 1 unless the option is a number */
    bool standard;            /* x is brought to mean 0 and deviation 1 by the training rows */
    const char *like;         /* or by the mean and deviation of this file; NULL */
    double *mean, *deviation; /* [width of x]; NULL: x stays as it is */
} ls_csv_scale;

/* Reads the option --scale: a factor, `standard`, or FILE.h5. LS_USAGE errors. */
bool ls_csv_scale_parse(ls_csv_scale *scale, const char *text, ls_error *error);
/* Reads mean and deviation from x of the data set scale->like, whose columns must be as many as
 * those of the table, of the same names where both have names. LS_DATA errors. */
bool ls_csv_scale_read(ls_csv_scale *scale, hid_t x, const ls_csv_table *table, ls_error *error);
/* Writes the attributes of x that say how it is scaled: scale and offset; and column_mean,
 * column_deviation and, where the table has names, column_names, a line each. LS_IO errors. */
bool ls_csv_scale_put(const ls_csv_scale *scale, hid_t x, const ls_csv_table *table,
                      ls_error *error);
/* Measures mean and deviation of each column of x; a constant column keeps deviation 1. */
void ls_csv_scale_measure(ls_csv_scale *scale, const ls_csv_table *table);
/* Writes to `report` (NULL: nobody) a line for each column whose numbers float32 can't keep apart,
 * of those not yet in named[width + targets]. */
void ls_csv_scale_report(const ls_csv_scale *scale, const ls_csv_table *table, bool *named,
                         FILE *report);
/* Writes x and y of a table as float32 numbers to the open data sets, scaled; y < 0: none. */
bool ls_csv_scale_write(const ls_csv_scale *scale, const ls_csv_table *table, hid_t x, hid_t y,
                        ls_error *error);
