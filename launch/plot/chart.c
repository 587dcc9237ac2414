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

/* The quantities against which curves are drawn, each with its units: the first is taken whose
 * `from` the largest number reaches. */
static const struct x_unit {
    ls_axis_id axis;
    double size, from; /* the unit in the numbers of ls_point: seconds of an hour; `from` as well */
    const char *name;
} x_units[] = {{LS_AXIS_STEP, 1, 0, "step"},
               {LS_AXIS_EPOCH, 1, 0, "epoch"},
               {LS_AXIS_TIME, 86400, 2 * 86400, "time (days)"},
               {LS_AXIS_TIME, 3600, 2 * 3600, "time (hours)"},
               {LS_AXIS_TIME, 60, 2 * 60, "time (minutes)"},
               {LS_AXIS_TIME, 1, 0, "time (seconds)"}};

/* The quantities that are no metrics: their panels come last, and their axes begin at 0. */
static const struct {
    const char *name, *title;
} last_panels[] = {{"rate", "learning rate"},
                   {"samples_per_second", "samples/s"},
                   {"waiting", "waiting for data (share)"}};

typedef struct drawn {
    const ls_curve *curve;
    int run;         /* gives the colour and the mark */
    bool evaluated;  /* a curve of evaluations: thick, with marks */
    bool background; /* of training steps, and the quantity was evaluated too: thin, pale, unmarked
                      */
} drawn;

typedef struct chart {
    FILE *out;
    const ls_curves *run;
    int runs, curves, panels;
    drawn *curve; /* of all runs */
    ls_axis_id axis;
    const struct x_unit *unit;
    ls_axis x;
    const char *panel[PANELS]; /* the name of the curves in it */
} chart;

/* A panel, which maps numbers to pixels. */
typedef struct panel {
    const chart *chart;
    double left, top;
    ls_axis y;
    const drawn **curve; /* those of evaluations last, so that they lie on top */
    int curves;
} panel;

static double x_of(const panel *p, double value)
{
    const ls_axis *x = &p->chart->x;
    return p->left + PLOT_WIDTH * (value / p->chart->unit->size - x->low) / (x->high - x->low);
}

/* A value far outside is moved near to the panel: SVG programs compute in float. */
static double y_of(const panel *p, double value)
{
    double down = (p->y.high - value) / (p->y.high - p->y.low);
    return p->top + PLOT_HEIGHT * fmin(fmax(down, -2), 3);
}

/* Adds the curves of a run. */
static void add_curves(chart *c, int run)
{
    const ls_curves *all = &c->run[run];
    c->curve = ls_realloc(c->curve, (size_t)(c->curves + all->count), sizeof *c->curve);
    for (int i = 0; i < all->count; i++) {
        drawn d = {.curve = &all->curve[i], .run = run, .evaluated = *all->curve[i].split};
        for (int k = 0; k < all->count && !d.evaluated; k++)
            d.background |= *all->curve[k].split && !strcmp(all->curve[k].name, d.curve->name);
        c->curve[c->curves++] = d;
    }
}

/* The title of one of last_panels; NULL: the curves are of a loss or a metric. */
static const char *last_title(const char *name)
{
    for (size_t i = 0; i < sizeof last_panels / sizeof last_panels[0]; i++)
        if (strcmp(last_panels[i].name, name) == 0)
            return last_panels[i].title;
    return NULL;
}

static void add_panel(chart *c, const char *name)
{
    for (int i = 0; i < c->panels; i++)
        if (strcmp(c->panel[i], name) == 0)
            return;
    if (c->panels < PANELS)
        c->panel[c->panels++] = name;
}

/* Loss, the other metrics in the order of their first record, last_panels. */
static void choose_panels(chart *c)
{
    for (int group = 0; group < 3; group++)
        for (int i = 0; i < c->curves; i++) {
            const char *name = c->curve[i].curve->name;
            if (group == (last_title(name) ? 2 : strcmp(name, "loss") != 0))
                add_panel(c, name);
        }
}

static void choose_x(chart *c)
{
    double last = 0;
    for (int i = 0; i < c->curves; i++)
        for (long k = 0; k < c->curve[i].curve->count; k++)
            last = fmax(last, c->curve[i].curve->point[k].at[c->axis]);
    c->unit = x_units;
    while (c->unit->axis != c->axis || last < c->unit->from)
        c->unit++;
    c->x = ls_axis_fit(0, last > 0 ? last / c->unit->size : 1, TICKS_X);
    if (last > 0)
        c->x.high = last / c->unit->size; /* leaves no empty space after the last point */
}

/* Widens the range of y to the values of the panel's curves from number `first` on, but for the
 * share `cut` of them at either end. */
static void widen(panel *p, int first, double cut)
{
    size_t count = 0;
    double *value = NULL;
    for (int i = first; i < p->curves; i++) {
        const ls_curve *curve = p->curve[i]->curve;
        value = ls_realloc(value, count + (size_t)curve->count, sizeof *value);
        for (long k = 0; k < curve->count; k++)
            value[count++] = curve->point[k].value;
    }
    if (count) {
        size_t outside = (size_t)(cut * (double)count);
        qsort(value, count, sizeof *value, ls_ascending);
        p->y.low = fmin(p->y.low, value[outside]);
        p->y.high = fmax(p->y.high, value[count - 1 - outside]);
    }
    ls_free(value);
}

/* The large losses of the first steps, and single spikes, would press all other points flat.
 * Therefore 2.5 % of the training steps may leave the panel at either end, evaluations never. The
 * axis begins at 0 where that costs little height, and always for rates and shares. */
static void choose_y(panel *p, bool is_last)
{
    int trained = 0;
    while (trained < p->curves && !p->curve[trained]->evaluated)
        trained++;
    p->y = (ls_axis){.low = INFINITY, .high = -INFINITY};
    widen(p, 0, is_last ? 0 : 0.025);
    widen(p, trained, 0);
    if (p->y.low > 0 && (is_last || p->y.low < 0.4 * p->y.high))
        p->y.low = 0;
    p->y = ls_axis_fit(p->y.low, p->y.high, TICKS_Y);
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
        ls_svg_text(out, p->left - 8, y + 4, LS_SVG_END, "font-size='11' fill='#444'",
                    ls_axis_label(&p->y, value, label, sizeof label));
    }
}

static void put_x_axis(const panel *p)
{
    char label[32];
    const chart *c = p->chart;
    double bottom = p->top + PLOT_HEIGHT;
    int ticks = (int)floor((c->x.high - c->x.low) / c->x.step + 1e-6);
    for (int i = 0; i <= ticks; i++) {
        double value = c->x.low + i * c->x.step, x = x_of(p, value * c->unit->size);
        ls_svg_line(c->out, x, bottom, x, bottom + 4, "stroke='#888'");
        ls_svg_text(c->out, x, bottom + 18, LS_SVG_MIDDLE, "font-size='11' fill='#444'",
                    ls_axis_label(&c->x, value, label, sizeof label));
    }
    ls_svg_text(c->out, p->left + PLOT_WIDTH / 2.0, bottom + 36, LS_SVG_MIDDLE,
                "font-size='11' fill='#666'", c->unit->name);
}

/* In a picture of one run: a vertical line between two stages. */
static void put_stages(const panel *p)
{
    const chart *c = p->chart;
    long stage = 0;
    for (int i = 0; c->runs == 1 && i < c->curves; i++)
        for (long k = 0; k < c->curve[i].curve->count; k++) {
            const ls_point *point = &c->curve[i].curve->point[k];
            if (point->stage <= stage)
                continue;
            stage = point->stage;
            double x = x_of(p, (k ? point - 1 : point)->at[c->axis]);
            ls_svg_line(c->out, x, p->top, x, p->top + PLOT_HEIGHT,
                        "stroke='#999' stroke-dasharray='2 3'");
        }
}

/* The marks of the first four runs are full, of the next four hollow, and so on. */
static void put_mark(FILE *out, int run, double x, double y)
{
    char style[96];
    const char *fill = colours[run % COLOURS], *stroke = "#fff";
    bool hollow = run / LS_SVG_MARKS % 2;
    snprintf(style, sizeof style, "fill='%s' stroke='%s'", hollow ? stroke : fill,
             hollow ? fill : stroke);
    ls_svg_mark(out, run % LS_SVG_MARKS, x, y, style);
}

/* The marks of a curve stand apart, and those of each run begin at another x, so that curves that
 * lie on each other show the marks of all. */
static void put_marks(const panel *p, const drawn *d)
{
    const ls_curve *curve = d->curve;
    double next = p->left + MARK_DISTANCE * (0.5 + d->run) / p->chart->runs;
    for (long k = 0; k < curve->count; k++) {
        double x = x_of(p, curve->point[k].at[p->chart->axis]), value = curve->point[k].value;
        if ((x < next && k + 1 < curve->count) || value < p->y.low || value > p->y.high)
            continue;
        put_mark(p->chart->out, d->run, x, y_of(p, value));
        if (next <= x)
            next += MARK_DISTANCE * (floor((x - next) / MARK_DISTANCE) + 1);
    }
}

/* The path of a curve moves (M) to the first point of each stage and draws lines (L) from there. */
static void put_curve(const panel *p, const drawn *d)
{
    FILE *out = p->chart->out;
    const ls_point *point = d->curve->point;
    fputs("<path d='", out);
    for (long k = 0; k < d->curve->count; k++)
        fprintf(out, "%c%.1f %.1f", k && point[k].stage == point[k - 1].stage ? 'L' : 'M',
                x_of(p, point[k].at[p->chart->axis]), y_of(p, point[k].value));
    fprintf(out,
            "' fill='none' stroke-linejoin='round' stroke='%s' stroke-width='%s' "
            "stroke-opacity='%s'/>\n",
            colours[d->run % COLOURS],
            d->evaluated    ? "2"
            : d->background ? "1"
                            : "1.4",
            d->background ? "0.6" : "1");
}

static void put_panel(const chart *c, const char *name, double left, double top)
{
    panel p = {.chart = c, .left = left, .top = top};
    const char *last = last_title(name);
    p.curve = ls_alloc((size_t)c->curves, sizeof *p.curve);
    for (int evaluated = 0; evaluated < 2; evaluated++)
        for (int i = 0; i < c->curves; i++)
            if (c->curve[i].evaluated == evaluated && strcmp(c->curve[i].curve->name, name) == 0)
                p.curve[p.curves++] = &c->curve[i];
    choose_y(&p, last != NULL);
    ls_svg_text(c->out, left, top - 14, LS_SVG_START, "font-size='14' fill='#222'",
                last ? last : name);
    put_y_axis(&p);
    put_x_axis(&p);
    put_stages(&p);
    ls_svg_clip(c->out, left, top, PLOT_WIDTH, PLOT_HEIGHT);
    for (int i = 0; i < p.curves; i++)
        put_curve(&p, p.curve[i]);
    ls_svg_end(c->out, "g");
    for (int i = 0; i < p.curves; i++)
        if (p.curve[i]->evaluated || (c->runs > 1 && !p.curve[i]->background))
            put_marks(&p, p.curve[i]);
    ls_free(p.curve);
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

/* The legend while it is written. */
typedef struct legend {
    FILE *out; /* NULL: only its lines are counted */
    double x;  /* where the next entry begins */
    int line;
} legend;

/* An entry of the legend: a line that looks as the curves do, with the mark of `run` (none where it
 * is negative), and a text. */
static void put_entry(legend *l, const char *style, int run, const char *text)
{
    static const double sample = 30, gap = 8, size = 12, between = 22;
    double width = sample + gap + ls_svg_text_width(text, size) + between;
    if (l->x > LEFT && l->x + width > WIDTH) {
        l->x = LEFT;
        l->line++;
    }
    double x = l->x, y = LEGEND_LINE * (l->line + 1);
    l->x += width;
    if (!l->out)
        return;
    ls_svg_line(l->out, x, y, x + sample, y, style);
    if (run >= 0)
        put_mark(l->out, run, x + sample / 2, y);
    ls_svg_text(l->out, x + sample + gap, y + 4, LS_SVG_START, "font-size='12' fill='#222'", text);
}

/* Returns the number of lines of the legend. */
static int put_legend(const chart *c, FILE *out)
{
    char style[64];
    legend l = {.out = out, .x = LEFT};
    for (int r = 0; r < c->runs; r++) {
        snprintf(style, sizeof style, "stroke='%s' stroke-width='2'", colours[r % COLOURS]);
        put_entry(&l, style, r, label_of(c, r));
    }
    int i = 0;
    while (i < c->curves && !c->curve[i].evaluated)
        i++;
    if (i < c->curves) {
        put_entry(&l, "stroke='#888' stroke-width='1'", -1, "training steps");
        put_entry(&l, "stroke='#888' stroke-width='2'", -1, c->curve[i].curve->split);
    }
    return l.line + 1;
}

void ls_chart_write(FILE *out, const ls_curves *runs, int count, ls_axis_id axis)
{
    chart c = {.out = out, .run = runs, .runs = count, .axis = axis};
    for (int r = 0; r < count; r++)
        add_curves(&c, r);
    choose_panels(&c);
    choose_x(&c);
    int lines = put_legend(&c, NULL), rows = (c.panels + COLUMNS - 1) / COLUMNS;
    double head = LEGEND_LINE * (lines + 1);
    ls_svg_begin(out, WIDTH, head + rows * CELL_HEIGHT, "lockstep plot");
    put_legend(&c, out);
    for (int i = 0; i < c.panels; i++)
        put_panel(&c, c.panel[i], LEFT + i % COLUMNS * CELL_WIDTH,
                  head + ABOVE + i / COLUMNS * CELL_HEIGHT);
    ls_svg_end(out, "svg");
    ls_free(c.curve);
}
