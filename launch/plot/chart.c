/* chart: panels, axes, legend and curves of a picture. */
#include "launch/plot/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "launch/plot/axis.h"
#include "launch/plot/svg.h"

/* Pixels. A panel's own corner is that of its plot area. */
enum {
    COLUMNS = 2,
    PLOT_WIDTH = 380,
    PLOT_HEIGHT = 210,
    LEFT = 64,  /* of a plot area: room for tick labels */
    ABOVE = 40, /* room for the title */
    BELOW = 50, /* room for tick labels and the axis' name */
    RIGHT = 24,
    CELL_WIDTH = LEFT + PLOT_WIDTH + RIGHT,
    CELL_HEIGHT = ABOVE + PLOT_HEIGHT + BELOW,
    WIDTH = COLUMNS * CELL_WIDTH,
    LEGEND_LINE = 22,
    MARK_DISTANCE = 46, /* between the marks on a curve */
    TICKS_X = 6,
    TICKS_Y = 5,
    PANELS = 16
};

/* Colours that people with any kind of sight tell apart (Okabe and Ito 2008), in an order of
 * alternating lightness, for printing in grey. */
static const char *const colours[] = {"#0072b2", "#e69f00", "#111111", "#56b4e9",
                                      "#d55e00", "#009e73", "#cc79a7"};
enum { COLOURS = sizeof colours / sizeof colours[0] };

/* How wide a unit of the time axis is, and from how many seconds on it is used. */
static const struct time_unit {
    double seconds, from;
    const char *name;
} time_units[] = {{86400, 2 * 86400.0, "time (days)"},
                  {3600, 2 * 3600.0, "time (hours)"},
                  {60, 2 * 60.0, "time (minutes)"},
                  {1, 0, "time (seconds)"}};

typedef struct chart {
    FILE *out;
    const ls_curves *run;
    int runs;
    ls_axis_id axis;
    ls_axis x;
    double x_unit; /* what stands on the axis times this is what a point holds */
    const char *x_name;
    int panels;
    const char *panel[PANELS]; /* names of curves */
} chart;

/* Where one panel maps its numbers. */
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

/* What is far out of the panel stands near it: SVG programs compute in float. */
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

static bool has(const chart *c, const char *name)
{
    for (int r = 0; r < c->runs; r++)
        for (int i = 0; i < c->run[r].count; i++)
            if (strcmp(c->run[r].curve[i].name, name) == 0)
                return true;
    return false;
}

/* Loss, the other metrics as they appear, rate, samples/s, waiting. */
static void choose_panels(chart *c)
{
    if (has(c, "loss"))
        add_panel(c, "loss");
    for (int last = 0; last < 2; last++)
        for (int r = 0; r < c->runs; r++)
            for (int i = 0; i < c->run[r].count; i++)
                if (comes_last(c->run[r].curve[i].name) == last)
                    add_panel(c, c->run[r].curve[i].name);
}

static void choose_x(chart *c)
{
    static const char *const names[] = {[LS_AXIS_STEP] = "step", [LS_AXIS_EPOCH] = "epoch"};
    double last = 0;
    for (int r = 0; r < c->runs; r++)
        for (int i = 0; i < c->run[r].count; i++)
            for (long k = 0; k < c->run[r].curve[i].count; k++)
                last = fmax(last, c->run[r].curve[i].point[k].at[c->axis]);
    c->x_unit = 1;
    c->x_name = c->axis == LS_AXIS_TIME ? NULL : names[c->axis];
    for (const struct time_unit *unit = time_units; !c->x_name; unit++)
        if (last >= unit->from) {
            c->x_unit = unit->seconds;
            c->x_name = unit->name;
        }
    c->x = ls_axis_fit(0, last > 0 ? last / c->x_unit : 1, TICKS_X);
    c->x.high = last > 0 ? last / c->x_unit : c->x.high; /* no empty space after the last point */
}

/* The values of all curves of that name, in one array; the caller frees with ls_free. `evaluated`:
 * only those of evaluations. */
static double *values_of(const chart *c, const char *name, bool evaluated, size_t *count)
{
    double *value = NULL;
    *count = 0;
    for (int r = 0; r < c->runs; r++)
        for (int i = 0; i < c->run[r].count; i++) {
            const ls_curve *curve = &c->run[r].curve[i];
            if (strcmp(curve->name, name) != 0 || (evaluated && !*curve->split))
                continue;
            value = ls_realloc(value, *count + (size_t)curve->count, sizeof *value);
            for (long k = 0; k < curve->count; k++)
                value[(*count)++] = curve->point[k].value;
        }
    return value;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The range of the values without the share `cut` at either end; widens [*low, *high]. */
static void widen(const chart *c, const char *name, bool evaluated, double cut, double *low,
                  double *high)
{
    size_t count;
    double *value = values_of(c, name, evaluated, &count);
    if (count) {
        size_t outside = (size_t)(cut * (double)count);
        qsort(value, count, sizeof *value, compare);
        *low = fmin(*low, value[outside]);
        *high = fmax(*high, value[count - 1 - outside]);
    }
    ls_free(value);
}

/* The first steps of a training, and single spikes, would press all that follows flat: a few in a
 * hundred training steps may leave the panel, evaluations never. From 0 where that costs little of
 * the height, or is what the quantity is about. */
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

/* Where a run went from one stage to the next: shown for a run that is alone in its picture. */
static void put_stages(const panel *p)
{
    const ls_curves *run = p->chart->run;
    long stage = 0;
    for (int i = 0; p->chart->runs == 1 && i < run->count; i++)
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

/* Full and hollow marks take turns: 8 different ones. */
static void put_one_mark(FILE *out, int run, double x, double y)
{
    char look[96];
    bool hollow = run / LS_SVG_MARKS % 2;
    const char *colour = colours[run % COLOURS];
    snprintf(look, sizeof look, "fill='%s' stroke='%s'", hollow ? "#fff" : colour,
             hollow ? colour : "#fff");
    ls_svg_put_mark(out, (ls_svg_mark)(run % LS_SVG_MARKS), x, y, look);
}

/* Marks at a distance that stays readable; runs begin at different places, so that curves that lie
 * on each other show all of their marks. */
static void put_marks(const panel *p, int run, const ls_curve *curve)
{
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
        ls_svg_path_point(p->chart->out, k == 0 || point->stage != point[-1].stage,
                          x_of(p, point->at[p->chart->axis]), y_of(p, point->value));
    }
    ls_svg_path_end(p->chart->out, look);
}

/* Training steps where there are evaluations too: thin and paler, without marks. */
static bool is_background(const panel *p, int run, const ls_curve *curve)
{
    const ls_curves *all = &p->chart->run[run];
    for (int i = 0; !*curve->split && i < all->count; i++)
        if (*all->curve[i].split && strcmp(all->curve[i].name, curve->name) == 0)
            return true;
    return false;
}

static void put_curve(const panel *p, int run, const ls_curve *curve)
{
    char look[96];
    bool background = is_background(p, run, curve);
    snprintf(look, sizeof look, "stroke='%s' stroke-width='%s' stroke-opacity='%s'",
             colours[run % COLOURS],
             *curve->split ? "2"
             : background  ? "1"
                           : "1.4",
             background ? "0.6" : "1");
    put_line(p, curve, look);
}

static void put_curve_marks(const panel *p, int run, const ls_curve *curve)
{
    if (*curve->split || (p->chart->runs > 1 && !is_background(p, run, curve)))
        put_marks(p, run, curve);
}

/* All curves of that name; evaluations lie on top. */
static void put_curves(const panel *p, const char *name,
                       void (*put)(const panel *p, int run, const ls_curve *curve))
{
    for (int splits = 0; splits < 2; splits++)
        for (int r = 0; r < p->chart->runs; r++)
            for (int i = 0; i < p->chart->run[r].count; i++) {
                const ls_curve *curve = &p->chart->run[r].curve[i];
                if (!strcmp(curve->name, name) && (*curve->split != 0) == splits)
                    put(p, r, curve);
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

/* The last word of a run's path, or all of it where two runs share that word. */
static const char *label_of(const chart *c, int run)
{
    const char *word = last_word(c->run[run].run);
    for (int r = 0; r < c->runs; r++)
        if (r != run && strcmp(last_word(c->run[r].run), word) == 0)
            return c->run[run].run;
    return word;
}

/* Where the next entry of the legend goes. */
typedef struct pen {
    double x;
    int line;
} pen;

/* One entry: a line as the curves have it, with its mark (run >= 0), and a text. `out` NULL only
 * moves the pen. */
static void put_entry(FILE *out, pen *at, const char *look, int run, const char *text)
{
    static const double sample = 30, gap = 8, size = 12, between = 22;
    double width = sample + gap + ls_svg_text_width(text, size) + between;
    if (at->x > LEFT && at->x + width > WIDTH) {
        at->x = LEFT;
        at->line++;
    }
    double y = LEGEND_LINE * (at->line + 1);
    if (out) {
        ls_svg_line(out, at->x, y, at->x + sample, y, look);
        if (run >= 0)
            put_one_mark(out, run, at->x + sample / 2, y);
        ls_svg_text(out, at->x + sample + gap, y + 4, LS_SVG_START, "font-size='12' fill='#222'",
                    text);
    }
    at->x += width;
}

/* Returns how many lines it takes. */
static int put_legend(const chart *c, FILE *out)
{
    char look[64];
    const char *split = NULL;
    pen at = {.x = LEFT};
    for (int r = 0; r < c->runs; r++) {
        snprintf(look, sizeof look, "stroke='%s' stroke-width='2'", colours[r % COLOURS]);
        put_entry(out, &at, look, r, label_of(c, r));
        for (int i = 0; !split && i < c->run[r].count; i++)
            split = *c->run[r].curve[i].split ? c->run[r].curve[i].split : NULL;
    }
    if (split) {
        put_entry(out, &at, "stroke='#888' stroke-width='1'", -1, "training steps");
        put_entry(out, &at, "stroke='#888' stroke-width='2'", -1, split);
    }
    return at.line + 1;
}

void ls_chart_write(FILE *out, const ls_curves *runs, int count, ls_axis_id axis)
{
    chart c = {.out = out, .run = runs, .runs = count, .axis = axis};
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
}
