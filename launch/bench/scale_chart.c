/* scale_chart: draws efficiencies: what was measured as lines with marks, bounds as dashes. */
#include "launch/bench/scale_chart.h"

#include <math.h>
#include <stdio.h>

#include "io/atomic_file.h"
#include "launch/plot/svg.h"

/* In pixels; the vertical axis goes from 0 to 1.2. */
static const double width = 640, height = 400, left = 60, right = 620, top = 70, bottom = 350;
static const double highest = 1.2;

const char *const ls_scale_names[LS_SCALINGS] = {
    [LS_SCALING_WEAK] = "weak: the same rows on each rank",
    [LS_SCALING_STRONG] = "strong: the same rows over all ranks"};
static const char *const colours[LS_SCALINGS] = {
    [LS_SCALING_WEAK] = "#1f77b4", [LS_SCALING_STRONG] = "#d62728"};

/* Ranks stand on a logarithmic axis. */
static double x_of(const ls_scale_chart *c, int ranks)
{
    const double last = log2(c->point[0][c->count - 1].ranks);
    return left + (right - left) * (last > 0 ? log2(ranks) / last : 0.5);
}

static double y_of(double efficiency)
{
    return bottom - (bottom - top) * fmin(efficiency, highest) / highest;
}

static void put_axes(FILE *out, const ls_scale_chart *c)
{
    char label[32];
    for (int tick = 0; tick <= 6; tick++) {
        const double y = y_of(0.2 * tick);
        snprintf(label, sizeof label, "%.1f", 0.2 * tick);
        ls_svg_line(out, left, y, right, y, tick ? "stroke='#e4e4e4'" : "stroke='#888'");
        ls_svg_text(out, left - 8, y + 4, LS_SVG_END, "font-size='11' fill='#444'", label);
    }
    for (int i = 0; i < c->count; i++) {
        const double x = x_of(c, c->point[0][i].ranks);
        snprintf(label, sizeof label, "%d", c->point[0][i].ranks);
        ls_svg_line(out, x, bottom, x, bottom + 4, "stroke='#888'");
        ls_svg_text(out, x, bottom + 18, LS_SVG_MIDDLE, "font-size='11' fill='#444'", label);
    }
    ls_svg_text(out, (left + right) / 2, bottom + 36, LS_SVG_MIDDLE, "font-size='11' fill='#666'",
                "ranks");
}

static void put_scaling(FILE *out, const ls_scale_chart *c, ls_scaling s)
{
    char line[96], dashes[128], mark[96];
    const double y = 38 + 16.0 * s;
    snprintf(line, sizeof line, "stroke='%s' stroke-width='2'", colours[s]);
    snprintf(dashes, sizeof dashes, "stroke='%s' stroke-width='1.4' stroke-dasharray='5 4'",
             colours[s]);
    snprintf(mark, sizeof mark, "fill='%s' stroke='#fff'", colours[s]);
    for (int i = 1; i < c->count; i++) {
        const ls_scale_point *a = &c->point[s][i - 1], *b = &c->point[s][i];
        const double from = x_of(c, a->ranks), to = x_of(c, b->ranks);
        ls_svg_line(out, from, y_of(a->measured), to, y_of(b->measured), line);
        ls_svg_line(out, from, y_of(a->bound), to, y_of(b->bound), dashes);
    }
    for (int i = 0; i < c->count; i++)
        ls_svg_mark(out, (int)s, x_of(c, c->point[s][i].ranks), y_of(c->point[s][i].measured),
                    mark);
    ls_svg_line(out, left, y, left + 30, y, line);
    ls_svg_mark(out, (int)s, left + 15, y, mark);
    ls_svg_text(out, left + 38, y + 4, LS_SVG_START, "font-size='12' fill='#222'",
                ls_scale_names[s]);
    ls_svg_line(out, 400, y, 430, y, dashes);
    ls_svg_text(out, 438, y + 4, LS_SVG_START, "font-size='12' fill='#222'", "bound");
}

bool ls_scale_chart_write(const char *path, const ls_scale_chart *c, ls_error *error)
{
    ls_atomic_file *file = ls_atomic_file_create(path, error);
    if (!file)
        return false;
    FILE *out = ls_atomic_file_stream(file);
    ls_svg_begin(out, width, height, "lockstep bench scale");
    ls_svg_text(out, left, 22, LS_SVG_START, "font-size='14' fill='#222'", c->title);
    put_axes(out, c);
    for (int s = 0; s < LS_SCALINGS; s++)
        put_scaling(out, c, (ls_scaling)s);
    fputs("</svg>\n", out);
    return ls_atomic_file_finish(file, error);
}
