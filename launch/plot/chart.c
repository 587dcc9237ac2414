/* chart: draws panels, axes, legend and curves. */
#include "launch/plot/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "launch/plot/axis.h"
#include "launch/plot/svg.h"

/* Lengths in pixels. The corner of a panel is the corner of its plot area; the cell around it has
 * room for title, tick labels and the name of the axis. */
enum { COLUMNS = 2, PANELS = 16, PLOT_WIDTH = 380, PLOT_HEIGHT = 210 };
enum { LEFT = 64, RIGHT = 24, ABOVE = 40, BELOW = 50, LEGEND_LINE = 22 };
enum { CELL_WIDTH = LEFT + PLOT_WIDTH + RIGHT, CELL_HEIGHT = ABOVE + PLOT_HEIGHT + BELOW };
enum { WIDTH = COLUMNS * CELL_WIDTH, TICKS_X = 6, TICKS_Y = 5 };
enum { MARK_DISTANCE = 46 }; /* between the marks on a curve */

/* Colours that colour-blind people can tell apart (Okabe and Ito 2008). Light and dark ones
 * alternate, for printing in grey. */
static const char *const colours[] = {"#0072b2", "#e69f00", "#111111", "#56b4e9",
                                      "#d55e00", "#009e73", "#cc79a7"};
enum { COLOURS = sizeof colours / sizeof colours[0] };

/* The units of the time axis: seconds of one, and the shortest time that is drawn in it. */
static const struct time_unit {
    double seconds, from;
    const char *name;
} time_units[] = {{86400, 2 * 86400.0, "time (days)"},
                  {3600, 2 * 3600.0, "time (hours)"},
                  {60, 2 * 60.0, "time (minutes)"},
                  {1, 0, "time (seconds)"}};

/* A curve, and the number of its run, which has a colour and a mark. */
typedef struct drawn {
    int run;
    const ls_curve *curve;
} drawn;

typedef struct chart {
    FILE *out;
    const ls_curves *run;
    int runs;
    drawn *curve; /* of all runs */
    int curves;
    ls_axis_id axis;
    ls_axis x;
    double x_unit; /* a number on the axis times this is the number in a point */
    const char *x_name;
    int panels;
    const char *panel[PANELS]; /* the name of the curves in it */
} chart;

/* A panel, which maps numbers to pixels. */
typedef struct panel {
    const chart *chart;
    double left, top;
    ls_axis y;
} panel;

static double x_of(const panel *p, double value)
{
    const ls_axis *x = &p->chart->x;
    return p->left + PLOT_WIDTH * (value / p->chart->x_unit - x->low) / (x->high - x->low);
}

/* A value far outside is moved near to the panel: SVG programs compute in float. */
static double y_of(const panel *p, double value)
{
    double down = (p->y.high - value) / (p->y.high - p->y.low);
    return p->top + PLOT_HEIGHT * fmin(fmax(down, -2), 3);
}

static void add_panel(chart *c, const char *name)
{
    for (int i = 0; i < c->panels; i++)
        if (strcmp(c->panel[i], name) == 0)
            return;
    if (c->panels < PANELS)
        c->panel[c->panels++] = name;
}

static bool comes_last(const char *name)
{
    return !strcmp(name, "rate") || !strcmp(name, "samples_per_second") || !strcmp(name, "waiting");
}

/* Loss, the other metrics in the order of their first record, then rate, samples/s and waiting. */
static void choose_panels(chart *c)
{
    for (int i = 0; i < c->curves; i++)
        if (strcmp(c->curve[i].curve->name, "loss") == 0)
            add_panel(c, "loss");
    for (int last = 0; last < 2; last++)
        for (int i = 0; i < c->curves; i++)
            if (comes_last(c->curve[i].curve->name) == last)
                add_panel(c, c->curve[i].curve->name);
}

static void choose_x(chart *c)
{
    static const char *const names[] = {[LS_AXIS_STEP] = "step", [LS_AXIS_EPOCH] = "epoch"};
    double last = 0;
    for (int i = 0; i < c->curves; i++)
        for (long k = 0; k < c->curve[i].curve->count; k++)
            last = fmax(last, c->curve[i].curve->point[k].at[c->axis]);
    c->x_unit = 1;
    c->x_name = c->axis == LS_AXIS_TIME ? NULL : names[c->axis];
    for (const struct time_unit *unit = time_units; !c->x_name; unit++)
        if (last >= unit->from) {
            c->x_unit = unit->seconds;
            c->x_name = unit->name;
        }
    c->x = ls_axis_fit(0, last > 0 ? last / c->x_unit : 1, TICKS_X);
    if (last > 0)
        c->x.high = last / c->x_unit; /* leaves no empty space after the last point */
}

/* The values of all curves of that name, in one array; the caller frees with ls_free. `evaluated`:
 * only those of evaluations. */
static double *values_of(const chart *c, const char *name, bool evaluated, size_t *count)
{
    double *value = NULL;
    *count = 0;
    for (int i = 0; i < c->curves; i++) {
        const ls_curve *curve = c->curve[i].curve;
        if (strcmp(curve->name, name) != 0 || (evaluated && !*curve->split))
            continue;
        value = ls_realloc(value, *count + (size_t)curve->count, sizeof *value);
        for (long k = 0; k < curve->count; k++)
            value[(*count)++] = curve->point[k].value;
    }
    return value;
}

/* Widens [*low, *high] to hold the values, but for the share `cut` of them at either end. */
static void widen(const chart *c, const char *name, bool evaluated, double cut, double *low,
                  double *high)
{
    size_t count;
    double *value = values_of(c, name, evaluated, &count);
    if (count) {
        size_t outside = (size_t)(cut * (double)count);
        qsort(value, count, sizeof *value, ls_ascending);
        *low = fmin(*low, value[outside]);
        *high = fmax(*high, value[count - 1 - outside]);
    }
    ls_free(value);
}

/* The large losses of the first steps, and single spikes, would press all other points flat.
 * Therefore 2.5 % of the training steps may leave the panel at either end, evaluations never. The
 * axis begins at 0 where that costs little height, and always for rates and shares. */
static ls_axis choose_y(const chart *c, const char *name)
{
    static const double spikes = 0.025;
    double low = INFINITY, high = -INFINITY;
    widen(c, name, false, comes_last(name) ? 0 : spikes, &low, &high);
    widen(c, name, true, 0, &low, &high);
    if (low > 0 && (comes_last(name) || low < 0.4 * high))
        low = 0;
    return ls_axis_fit(low, high, TICKS_Y);
}

static void put_y_axis(const panel *p)
{
    char label[32];
    FILE *out = p->chart->out;
    int ticks = (int)lround((p->y.high - p->y.low) / p->y.step);
    for (int i = 0; i <= ticks; i++) {
        double value = p->y.low + i * p->y.step, y = y_of(p, value);
        ls_svg_line(out, p->left, y, p->left + PLOT_WIDTH, y,
                    i ? "stroke='#e4e4e4'" : "stroke='#888'");
        ls_axis_label(&p->y, value, label, sizeof label);
        ls_svg_text(out, p->left - 8, y + 4, LS_SVG_END, "font-size='11' fill='#444'", label);
    }
}

static void put_x_axis(const panel *p)
{
    char label[32];
    const chart *c = p->chart;
    double bottom = p->top + PLOT_HEIGHT;
    int ticks = (int)floor((c->x.high - c->x.low) / c->x.step + 1e-6);
    for (int i = 0; i <= ticks; i++) {
        double value = c->x.low + i * c->x.step, x = x_of(p, value * c->x_unit);
        ls_svg_line(c->out, x, bottom, x, bottom + 4, "stroke='#888'");
        ls_axis_label(&c->x, value, label, sizeof label);
        ls_svg_text(c->out, x, bottom + 18, LS_SVG_MIDDLE, "font-size='11' fill='#444'", label);
    }
    ls_svg_text(c->out, p->left + PLOT_WIDTH / 2.0, bottom + 36, LS_SVG_MIDDLE,
                "font-size='11' fill='#666'", c->x_name);
}

/* A vertical line between two stages, in a picture of one run. */
static void put_stages(const panel *p)
{
    const ls_curves *run = p->chart->run;
    long stage = 0;
    if (p->chart->runs > 1)
        return;
    for (int i = 0; i < run->count; i++)
        for (long k = 0; k < run->curve[i].count; k++) {
            const ls_point *point = &run->curve[i].point[k];
            if (point->stage <= stage)
                continue;
            stage = point->stage;
            double x = x_of(p, (k ? point - 1 : point)->at[p->chart->axis]);
            ls_svg_line(p->chart->out, x, p->top, x, p->top + PLOT_HEIGHT,
                        "stroke='#999' stroke-dasharray='2 3'");
        }
}

/* The marks of the first four runs are full, of the next four hollow, and so on. */
static void put_one_mark(FILE *out, int run, double x, double y)
{
    char look[96];
    bool hollow = run / LS_SVG_MARKS % 2;
    const char *colour = colours[run % COLOURS];
    snprintf(look, sizeof look, "fill='%s' stroke='%s'", hollow ? "#fff" : colour,
             hollow ? colour : "#fff");
    ls_svg_put_mark(out, (ls_svg_mark)(run % LS_SVG_MARKS), x, y, look);
}

/* The marks of a curve stand apart, and those of each run begin at another x, so that curves that
 * lie on each other show the marks of all. */
static void put_marks(const panel *p, const drawn *d)
{
    int run = d->run;
    const ls_curve *curve = d->curve;
    double next = p->left + MARK_DISTANCE * (0.5 + run) / p->chart->runs;
    for (long k = 0; k < curve->count; k++) {
        double x = x_of(p, curve->point[k].at[p->chart->axis]), value = curve->point[k].value;
        if ((x < next && k + 1 < curve->count) || value < p->y.low || value > p->y.high)
            continue;
        put_one_mark(p->chart->out, run, x, y_of(p, value));
        if (next <= x)
            next += MARK_DISTANCE * (floor((x - next) / MARK_DISTANCE) + 1);
    }
}

static void put_line(const panel *p, const ls_curve *curve, const char *look)
{
    ls_svg_path_begin(p->chart->out);
    for (long k = 0; k < curve->count; k++) {
        const ls_point *point = &curve->point[k];
        double x = x_of(p, point->at[p->chart->axis]), y = y_of(p, point->value);
        if (k == 0 || point->stage != point[-1].stage)
            ls_svg_path_move(p->chart->out, x, y);
        else
            ls_svg_path_line(p->chart->out, x, y);
    }
    ls_svg_path_end(p->chart->out, look);
}

/* Whether the curve is of training steps, and of a quantity that was evaluated too: then it is thin
 * and pale, and has no marks. */
static bool is_background(const panel *p, const drawn *d)
{
    const ls_curves *all = &p->chart->run[d->run];
    if (*d->curve->split)
        return false;
    for (int i = 0; i < all->count; i++)
        if (*all->curve[i].split && strcmp(all->curve[i].name, d->curve->name) == 0)
            return true;
    return false;
}

static void put_curve(const panel *p, const drawn *d)
{
    char look[96];
    bool background = is_background(p, d);
    const char *width = *d->curve->split ? "2" : background ? "1" : "1.4";
    snprintf(look, sizeof look, "stroke='%s' stroke-width='%s' stroke-opacity='%s'",
             colours[d->run % COLOURS], width, background ? "0.6" : "1");
    put_line(p, d->curve, look);
}

static void put_curve_marks(const panel *p, const drawn *d)
{
    if (*d->curve->split || (p->chart->runs > 1 && !is_background(p, d)))
        put_marks(p, d);
}

/* Draws all curves of that name, those of evaluations last, so that they lie on top. */
static void put_curves(const panel *p, const char *name,
                       void (*put)(const panel *p, const drawn *d))
{
    for (int evaluated = 0; evaluated < 2; evaluated++)
        for (int i = 0; i < p->chart->curves; i++) {
            const drawn *d = &p->chart->curve[i];
            if (strcmp(d->curve->name, name) == 0 && (*d->curve->split != 0) == evaluated)
                put(p, d);
        }
}

static void put_panel(const chart *c, const char *name, double left, double top)
{
    panel p = {.chart = c, .left = left, .top = top, .y = choose_y(c, name)};
    const char *title = !strcmp(name, "rate")                 ? "learning rate"
                        : !strcmp(name, "samples_per_second") ? "samples/s"
                        : !strcmp(name, "waiting")            ? "waiting for data (share)"
                                                              : name;
    ls_svg_text(c->out, left, top - 14, LS_SVG_START, "font-size='14' fill='#222'", title);
    put_y_axis(&p);
    put_x_axis(&p);
    put_stages(&p);
    ls_svg_clip_begin(c->out, left, top, PLOT_WIDTH, PLOT_HEIGHT);
    put_curves(&p, name, put_curve);
    ls_svg_clip_end(c->out);
    put_curves(&p, name, put_curve_marks);
}

static const char *last_word(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* The last part of a run's path, or the whole path where two runs share that part. */
static const char *label_of(const chart *c, int run)
{
    const char *word = last_word(c->run[run].run);
    for (int r = 0; r < c->runs; r++)
        if (r != run && strcmp(last_word(c->run[r].run), word) == 0)
            return c->run[run].run;
    return word;
}

/* Where the next entry of the legend begins. */
typedef struct pen {
    double x;
    int line;
} pen;

/* An entry of the legend: a line that looks as the curves do, with the mark of `run` (none where it
 * is negative), and a text. Only moves the pen where `out` is NULL. */
static void put_entry(FILE *out, pen *pen, const char *look, int run, const char *text)
{
    static const double sample = 30, gap = 8, size = 12, between = 22;
    double width = sample + gap + ls_svg_text_width(text, size) + between;
    if (pen->x > LEFT && pen->x + width > WIDTH) {
        pen->x = LEFT;
        pen->line++;
    }
    double x = pen->x, y = LEGEND_LINE * (pen->line + 1);
    pen->x += width;
    if (!out)
        return;
    ls_svg_line(out, x, y, x + sample, y, look);
    if (run >= 0)
        put_one_mark(out, run, x + sample / 2, y);
    ls_svg_text(out, x + sample + gap, y + 4, LS_SVG_START, "font-size='12' fill='#222'", text);
}

/* Returns the number of lines of the legend. */
static int put_legend(const chart *c, FILE *out)
{
    char look[64];
    const char *split = NULL;
    pen pen = {.x = LEFT};
    for (int r = 0; r < c->runs; r++) {
        snprintf(look, sizeof look, "stroke='%s' stroke-width='2'", colours[r % COLOURS]);
        put_entry(out, &pen, look, r, label_of(c, r));
    }
    for (int i = c->curves - 1; i >= 0; i--)
        if (*c->curve[i].curve->split)
            split = c->curve[i].curve->split;
    if (split) {
        put_entry(out, &pen, "stroke='#888' stroke-width='1'", -1, "training steps");
        put_entry(out, &pen, "stroke='#888' stroke-width='2'", -1, split);
    }
    return pen.line + 1;
}

static void collect_curves(chart *c)
{
    for (int r = 0; r < c->runs; r++) {
        c->curve = ls_realloc(c->curve, (size_t)(c->curves + c->run[r].count), sizeof *c->curve);
        for (int i = 0; i < c->run[r].count; i++)
            c->curve[c->curves++] = (drawn){.run = r, .curve = &c->run[r].curve[i]};
    }
}

void ls_chart_write(FILE *out, const ls_curves *runs, int count, ls_axis_id axis)
{
    chart c = {.out = out, .run = runs, .runs = count, .axis = axis};
    collect_curves(&c);
    choose_panels(&c);
    choose_x(&c);
    int lines = put_legend(&c, NULL), rows = (c.panels + COLUMNS - 1) / COLUMNS;
    double head = LEGEND_LINE * (lines + 1), height = head + rows * CELL_HEIGHT;
    ls_svg_begin(out, WIDTH, height, "lockstep plot");
    ls_svg_box(out, 0, 0, WIDTH, height, "fill='#fff'");
    put_legend(&c, out);
    for (int i = 0; i < c.panels; i++)
        put_panel(&c, c.panel[i], LEFT + i % COLUMNS * CELL_WIDTH,
                  head + ABOVE + i / COLUMNS * CELL_HEIGHT);
    ls_svg_end(out);
    ls_free(c.curve);
}
