/* sparkline: curves as text. */
#include "launch/plot/sparkline.h"

#include <math.h>
#include <string.h>

#include "launch/terminal.h"

enum { LEVELS = 8, NUMBERS = 40, SHAPE_MIN = 10, SHAPE_MAX = 100 };

static const char *const blocks[2][LEVELS] = {
    {"_", ".", "-", "=", "+", "*", "#", "@"},
    {"\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"}};

/* The points are spread evenly over the columns by their number: the mean of those in one column.
 */
static double column_mean(const ls_curve *curve, int column, int columns)
{
    long begin = curve->count * column / columns, end = curve->count * (column + 1) / columns;
    double sum = 0;
    for (long k = begin; k < end; k++)
        sum += curve->point[k].value;
    return sum / (double)(end - begin);
}

static void put_shape(FILE *out, const ls_curve *curve, int width, bool utf8)
{
    int columns = curve->count < width ? (int)curve->count : width;
    double low = INFINITY, high = -INFINITY;
    for (int c = 0; c < columns; c++) {
        low = fmin(low, column_mean(curve, c, columns));
        high = fmax(high, column_mean(curve, c, columns));
    }
    for (int c = 0; c < columns; c++) {
        double share = high > low ? (column_mean(curve, c, columns) - low) / (high - low) : 0.5;
        fputs(blocks[utf8][(int)fmin(LEVELS * share, LEVELS - 1)], out);
    }
    fprintf(out, "%*s", width - columns, "");
}

static void put_range(FILE *out, const ls_curve *curve)
{
    double low = INFINITY, high = -INFINITY;
    for (long k = 0; k < curve->count; k++) {
        low = fmin(low, curve->point[k].value);
        high = fmax(high, curve->point[k].value);
    }
    fprintf(out, "  %-9.4g  %.4g to %.4g\n", curve->point[curve->count - 1].value, low, high);
}

int ls_sparkline_write(FILE *out, const ls_curves *run, int columns)
{
    bool utf8 = ls_terminal_utf8();
    char name[2 * LS_CURVE_NAME];
    int names = 0;
    for (int i = 0; i < run->count; i++) {
        int length = (int)strlen(ls_curves_name(&run->curve[i], name, sizeof name));
        names = length > names ? length : names;
    }
    int width = columns - names - NUMBERS;
    width = width < SHAPE_MIN ? SHAPE_MIN : width > SHAPE_MAX ? SHAPE_MAX : width;
    for (int i = 0; i < run->count; i++) {
        ls_curves_name(&run->curve[i], name, sizeof name);
        fprintf(out, "%-*s  ", names, name);
        put_shape(out, &run->curve[i], width, utf8);
        put_range(out, &run->curve[i]);
    }
    return run->count;
}
