/* curves: what RUN/metrics.jsonl holds, as a list of points for each quantity. */
#pragma once
#include "core/check.h"

enum { LS_CURVE_NAME = 64 };

/* The quantities against which curves can be drawn. */
typedef enum { LS_AXIS_STEP, LS_AXIS_EPOCH, LS_AXIS_TIME, LS_AXES } ls_axis_id;

typedef struct ls_point {
    long stage;
    double
        x[LS_AXES]; /* steps, epochs, and seconds of all starts; NaN: the record has no seconds */
    double value;
} ls_point;

typedef struct ls_curve {
    char name[LS_CURVE_NAME];  /* "loss", "accuracy", "rate", "samples_per_second" */
    char split[LS_CURVE_NAME]; /* "valid"; "": training steps */
    long count;                /* at least 1 */
    ls_point *point;
} ls_curve;

typedef struct ls_curves {
    char *run; /* the run directory */
    int count;
    ls_curve *curve;     /* in the order of their first records */
    ls_point last;       /* the position of the newest record; its value is not used */
    bool timed;          /* all seconds are numbers */
    char final[32];      /* how the stage of the newest record ended: "done", ...; "": it goes on */
    double epoch_offset; /* epochs of the stages before the last one */
    double time_offset;  /* seconds of the starts before the last one */
    long cut, cut_line;  /* how many records were cut off and left out, and the first one's line */
} ls_curves;

/* Reads the records of a run; a last line without a newline is still being written, and is left
 * out, and so is a record that was cut off by a full disk or a crash. LS_DATA errors: no such run,
 * a line that is no record. A run without points is no error. Free with ls_curves_release, also
 * after an error. */
bool ls_curves_read(const char *run, ls_curves *curves, ls_error *error);
void ls_curves_release(ls_curves *curves);
