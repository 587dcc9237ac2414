/* axis: a range of numbers with round ticks. */
#pragma once
#include "core/check.h"

typedef struct ls_axis {
    double low, high; /* both are ticks */
    double step;      /* between ticks: 1, 2 or 5 times a power of ten */
} ls_axis;

/* The smallest range from tick to tick that holds [low, high], with about `ticks` ticks. */
ls_axis ls_axis_fit(double low, double high, int ticks);
/* Writes the tick nearest to `value` into text[size], short: "0.05", "1e-5", "20k"; returns text.
 */
const char *ls_axis_label(const ls_axis *axis, double value, char *text, size_t size);
