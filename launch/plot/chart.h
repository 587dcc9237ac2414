/* chart: the curves of runs as one SVG picture, a panel for each quantity. */
#pragma once
#include <stdio.h>

#include "launch/plot/curves.h"

/* Panels: loss, the other metrics, rate, samples/s. A run keeps its colour and its mark in all of
 * them, so that the picture can be read in grey too; training steps are thin lines, evaluations
 * thick ones. Runs without points are left out. */
void ls_chart_write(FILE *out, const ls_curves *runs, int count, ls_axis_id axis);
