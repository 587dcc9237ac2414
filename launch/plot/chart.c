/* chart: draws panels, axes, legend and curves. */
#include "launch/plot/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "launch/plot/svg.h"

/* Lengths in pixels. The corner of a panel is the corner of its plot area; the cell around it has
 * room for title, tick labels and the name of the axis. */
enum { COLUMNS = 2, PLOT_WIDTH = 380, PLOT_HEIGHT = 210 };
enum { LEFT = 64, RIGHT = 24, ABOVE = 40, BELOW = 50, LEGEND_LINE = 22 };
enum { CELL_WIDTH = LEFT + PLOT_WIDTH + RIGHT, CELL_HEIGHT = ABOVE + PLOT_HEIGHT + BELOW };
enum { WIDTH = COLUMNS * CELL_WIDTH, TICKS_X = 6, TICKS_Y = 5 };
enum { MARK_DISTANCE = 46 }; /* between the marks on a curve */

/* Colours that colour-blind people can tell apart (Okabe and Ito 2008). Light and dark ones
 * alternate, for printing in grey. */
static const char *const colours[] = {"#0072b2", "#e69f00", "#111111", "#56b4e9",
                                      "#d55e00", "#009e73", "#cc79a7"};
enum { COLOURS = sizeof colours / sizeof colours[0] };

/* The units of each x axis: of these, the first whose `from` the last point of all curves reaches.
 */
static const struct x_unit {
    ls_axis_id axis;
    double size, from; /* in steps, epochs or seconds */
    const char *name;
} x_units[] = {{LS_AXIS_STEP, 1, 0, "step"},
               {LS_AXIS_EPOCH, 1, 0, "epoch"},
               {LS_AXIS_TIME, 86400, 2 * 86400, "time (days)"},
               {LS_AXIS_TIME, 3600, 2 * 3600, "time (hours)"},
               {LS_AXIS_TIME, 60, 2 * 60, "time (minutes)"},
               {LS_AXIS_TIME, 1, 0, "time (seconds)"}};

/* The quantities that are no loss and no metric: their panels come last, their axes begin at 0. */
static const struct {
    const char *name, *title;
} last_panels[] = {{"rate", "learning rate"},
                   {"samples_per_second", "samples/s"},
                   {"waiting", "waiting for data (share)"}};

/* A range of numbers with round ticks. */
typedef struct axis {
    double low, high; /* both are ticks, but for the end of the x axis */
    double step;      /* between ticks: 1, 2 or 5 times a power of ten */
} axis;

typedef struct drawn {
    const ls_curve *curve;
    int run;         /* gives the colour and the mark */
    bool evaluated;  /* a curve of evaluations: thick, with marks */
    bool background; /* of training steps, where evaluations have a curve too: thin and pale */
} drawn;

typedef struct chart {
    FILE *out;
    const ls_curves *run;
    int runs, curves, panels;
    drawn *curve; /* of all runs */
    ls_axis_id x_axis;
    const struct x_unit *unit;
    axis x;
    const char **panel; /* the name of the curves in each */
} chart;

/* A panel, which maps numbers to pixels. */
typedef struct panel {
    const chart *chart;
    double left, top;
    axis y;
    const drawn **curve; /* those of evaluations last, so that they lie on top */
    int curves;
} panel;

/* The number of the form 1, 2 or 5 times a power of ten that is nearest to `width`. */
static double round_step(double width)
{
    double power = pow(10, floor(log10(width)));
    double leading = width / power;
    return power * (leading < 1.5 ? 1 : leading < 3.5 ? 2 : leading < 7.5 ? 5 : 10);
}

/* The smallest range from tick to tick that holds [low, high], with about `ticks` ticks. */
static axis fit_axis(double low, double high, int ticks)
{
    if (high - low <= 1e-9 * fmax(fabs(low), fabs(high))) { /* all numbers are equal, or nearly */
        double half = fmax(fabs(high) / 2, 1e-9);
        low -= half;
        high += half;
    }
    double step = round_step((high - low) / ticks);
    return (axis){.low = step * floor(low / step + 1e-6),
                  .high = step * ceil(high / step - 1e-6),
                  .step = step};
}

/* Writes the tick nearest to `value`, short: "0.05", "1e-5", "20k". Returns text. */
static const char *label_tick(const axis *a, double value, char *text, size_t size)
{
    static const struct {
        double size;
        const char *name;
    } units[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
    double largest = fmax(fabs(a->low), fabs(a->high));
    int u = 0;
    while (units[u].size > 1 && largest < 10 * units[u].size)
        u++;
    double tick = a->step * round(value / a->step) / units[u].size;
    int decimals = -(int)floor(log10(a->step / units[u].size) + 1e-9);
    /* As many digits as tell it from the next tick, 6 or more. */
    int digits = ls_max(6, (int)ceil(log10(largest / a->step)) + 1);
    int exponent = tick == 0 ? 0 : (int)floor(log10(fabs(tick)) + 1e-9);
    if (tick == 0)
        snprintf(text, size, "0");
    else if (decimals <= 4 && largest < 1e13)
        snprintf(text, size, "%.*f%s", decimals < 0 ? 0 : decimals, tick, units[u].name);
    else if (exponent >= -4 && exponent < 6)
        snprintf(text, size, "%.*g%s", digits, tick, units[u].name);
    else
        snprintf(text, size, "%.*ge%d%s", digits, tick / pow(10, exponent), exponent,
                 units[u].name);
    return text;
}

static double x_of(const panel *p, double value)
{
    const axis *x = &p->chart->x;
    return p->left + PLOT_WIDTH * (value / p->chart->unit->size - x->low) / (x->high - x->low);
}

/* A value far outside is moved near to the panel: SVG programs compute in float. */
static double y_of(const panel *p, double value)
{
    double down = (p->y.high - value) / (p->y.high - p->y.low);
    return p->top + PLOT_HEIGHT * fmin(fmax(down, -2), 3);
}

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

/* Of a rate that one phase of a step has, rate_NAME: that name; of others NULL. */
static const char *phase_of(const char *name)
{
    static const char start[] = "rate_";
    return strncmp(name, start, sizeof start - 1) == 0 ? name + sizeof start - 1 : NULL;
}

/* The title of a quantity in last_panels; of others NULL. */
static const char *last_title(const char *name)
{
    for (size_t i = 0; i < sizeof last_panels / sizeof last_panels[0]; i++)
        if (strcmp(last_panels[i].name, phase_of(name) ? "rate" : name) == 0)
            return last_panels[i].title;
    return NULL;
}

/* Loss, the other metrics in the order of their first record, last_panels. */
static void choose_panels(chart *c)
{
    c->panel = ls_alloc((size_t)c->curves, sizeof *c->panel);
    for (int group = 0; group < 3; group++)
        for (int i = 0; i < c->curves; i++) {
            const char *name = c->curve[i].curve->name;
            int k = 0;
            while (k < c->panels && strcmp(c->panel[k], name) != 0)
                k++;
            if (k == c->panels && group == (last_title(name) ? 2 : strcmp(name, "loss") != 0))
                c->panel[c->panels++] = name;
        }
}

static void choose_x(chart *c)
{
    double last = 0;
    for (int i = 0; i < c->curves; i++)
        for (long k = 0; k < c->curve[i].curve->count; k++)
            last = fmax(last, c->curve[i].curve->point[k].x[c->x_axis]);
    c->unit = x_units;
    while (c->unit->axis != c->x_axis || last < c->unit->from)
        c->unit++;
    c->x = fit_axis(0, last > 0 ? last / c->unit->size : 1, TICKS_X);
    if (last > 0)
        c->x.high = last / c->unit->size; /* leaves no empty space after the last point */
}

/* The large losses of the first steps, and single spikes, would press all other points flat.
 * Therefore 2.5 % of all points may leave the panel at either end, but no evaluation. The axis
 * begins at 0 where that costs little height, and always for rates and shares. */
static axis choose_y(const panel *p, bool is_last)
{
    size_t count = 0;
    double *value = NULL, low = INFINITY, high = -INFINITY;
    for (int i = 0; i < p->curves; i++) {
        const ls_curve *curve = p->curve[i]->curve;
        value = ls_realloc(value, count + (size_t)curve->count, sizeof *value);
        for (long k = 0; k < curve->count; k++) {
            value[count++] = curve->point[k].value;
            if (p->curve[i]->evaluated) {
                low = fmin(low, curve->point[k].value);
                high = fmax(high, curve->point[k].value);
            }
        }
    }
    qsort(value, count, sizeof *value, ls_ascending);
    size_t outside = is_last ? 0 : (size_t)(0.025 * (double)count);
    low = fmin(low, value[outside]);
    high = fmax(high, value[count - 1 - outside]);
    ls_free(value);
    return fit_axis(low > 0 && (is_last || low < 0.4 * high) ? 0 : low, high, TICKS_Y);
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
                    label_tick(&p->y, value, label, sizeof label));
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
                    label_tick(&c->x, value, label, sizeof label));
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
            double x = x_of(p, (k ? point - 1 : point)->x[c->x_axis]);
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
        double x = x_of(p, curve->point[k].x[p->chart->x_axis]), value = curve->point[k].value;
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
    const char *width = d->evaluated ? "2" : d->background ? "1" : "1.4";
    fputs("<path d='", out);
    for (long k = 0; k < d->curve->count; k++)
        fprintf(out, "%c%.1f %.1f", k && point[k].stage == point[k - 1].stage ? 'L' : 'M',
                x_of(p, point[k].x[p->chart->x_axis]), y_of(p, point[k].value));
    fprintf(out,
            "' fill='none' stroke-linejoin='round' stroke='%s' stroke-width='%s' "
            "stroke-opacity='%s'/>\n",
            colours[d->run % COLOURS], width, d->background ? "0.6" : "1");
}

static void put_panel(const chart *c, const char *name, double left, double top)
{
    panel p = {.chart = c, .left = left, .top = top};
    const char *last = last_title(name), *phase = phase_of(name);
    char *title = phase ? ls_format("%s (%s)", last, phase) : ls_copy_string(last ? last : name);
    p.curve = ls_alloc((size_t)c->curves, sizeof *p.curve);
    for (int evaluated = 0; evaluated < 2; evaluated++)
        for (int i = 0; i < c->curves; i++)
            if (c->curve[i].evaluated == evaluated && strcmp(c->curve[i].curve->name, name) == 0)
                p.curve[p.curves++] = &c->curve[i];
    p.y = choose_y(&p, last != NULL);
    ls_svg_text(c->out, left, top - 14, LS_SVG_START, "font-size='14' fill='#222'", title);
    ls_free(title);
    put_y_axis(&p);
    put_x_axis(&p);
    put_stages(&p);
    ls_svg_clip(c->out, left, top, PLOT_WIDTH, PLOT_HEIGHT);
    for (int i = 0; i < p.curves; i++)
        put_curve(&p, p.curve[i]);
    fputs("</g>\n", c->out);
    for (int i = 0; i < p.curves; i++)
        if (p.curve[i]->evaluated || (c->runs > 1 && !p.curve[i]->background))
            put_marks(&p, p.curve[i]);
    ls_free(p.curve);
}

/* The last part of a run's path, or the whole path where two runs share that part. */
static const char *label_of(const chart *c, int run)
{
    const char *path = c->run[run].run, *word = basename(path);
    for (int r = 0; r < c->runs; r++)
        if (r != run && strcmp(basename(c->run[r].run), word) == 0)
            return path;
    return word;
}

/* An entry of the legend: a line that looks as the curves do, with the mark of `run` (none where it
 * is negative), and a text. Moves (*x, *line) to where the next entry begins; does only this where
 * `out` is NULL. */
static void put_entry(FILE *out, double *x, int *line, const char *style, int run, const char *text)
{
    static const double sample = 30, gap = 8, size = 12, between = 22;
    double width = sample + gap + ls_svg_text_width(text, size) + between;
    if (*x > LEFT && *x + width > WIDTH) {
        *x = LEFT;
        ++*line;
    }
    double left = *x, y = LEGEND_LINE * (*line + 1);
    *x += width;
    if (!out)
        return;
    ls_svg_line(out, left, y, left + sample, y, style);
    if (run >= 0)
        put_mark(out, run, left + sample / 2, y);
    ls_svg_text(out, left + sample + gap, y + 4, LS_SVG_START, "font-size='12' fill='#222'", text);
}

/* Writes the splits of all evaluations, each once: "valid, test". */
static void list_splits(const chart *c, char *list, size_t size)
{
    list[0] = 0;
    for (int i = 0; i < c->curves; i++) {
        int before = 0;
        while (before < i && strcmp(c->curve[before].curve->split, c->curve[i].curve->split) != 0)
            before++;
        if (before == i && c->curve[i].evaluated)
            ls_format_join(list, size, c->curve[i].curve->split);
    }
}

/* Draws the legend, or nothing where `out` is NULL. Returns the number of its lines. */
static int put_legend(const chart *c, FILE *out)
{
    char style[64], splits[2 * LS_CURVE_NAME];
    double x = LEFT;
    int line = 0;
    for (int r = 0; r < c->runs; r++) {
        snprintf(style, sizeof style, "stroke='%s' stroke-width='2'", colours[r % COLOURS]);
        put_entry(out, &x, &line, style, r, label_of(c, r));
    }
    list_splits(c, splits, sizeof splits);
    if (splits[0]) {
        put_entry(out, &x, &line, "stroke='#888' stroke-width='1'", -1, "training steps");
        put_entry(out, &x, &line, "stroke='#888' stroke-width='2'", -1, splits);
    }
    return line + 1;
}

void ls_chart_write(FILE *out, const ls_curves *runs, int count, ls_axis_id axis)
{
    chart c = {.out = out, .run = runs, .runs = count, .x_axis = axis};
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
    fputs("</svg>\n", out);
    ls_free(c.panel);
    ls_free(c.curve);
}
