/* axis: a range of numbers with round ticks. */
#pragma once
#include "core/check.h"

typedef struct ls_axis {
    double low, high; /* ticks themselves */
    double step;      /* between ticks: 1, 2 or 5 times a power of ten */
} ls_axis;

/* A range that holds [low, high] and begins and ends at ticks, of which there are about `ticks`. */
ls_axis ls_axis_fit(double low, double high, int ticks);
/* The number of a tick near `value`, short: "0.05", "1e-5", "20k". Into text[size]; returns text.
 */
const char *ls_axis_label(const ls_axis *axis, double value, char *text, size_t size);
