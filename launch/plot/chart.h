/* chart: the curves of runs as one SVG picture, a panel for each quantity. */
#pragma once
#include <stdio.h>

#include "launch/plot/curves.h"

/* Draws panels of loss, the other metrics, rate, samples/s and the waiting for data. Each run has a
 * colour and a mark, so that the picture can be read in grey too; training steps are thin lines,
 * evaluations thick ones. Runs without points have no curves. */
void ls_chart_write(FILE *out, const ls_curves *runs, int count, ls_axis_id axis);
