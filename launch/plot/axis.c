/* axis: chooses round ticks and writes them. */
#include "launch/plot/axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The round number nearest to `width`: 1, 2 or 5 times a power of ten. */
static double round_step(double width)
{
    double power = pow(10, floor(log10(width)));
    double leading = width / power;
    return power * (leading < 1.5 ? 1 : leading < 3.5 ? 2 : leading < 7.5 ? 5 : 10);
}

ls_axis ls_axis_fit(double low, double high, int ticks)
{
    double least =
        1e-9 *
        fmax(fabs(low), fabs(high)); /* where all numbers are equal, the range still has a width */
    if (high - low <= least) {
        double about = fmax(fabs(high) / 2, 1e-9);
        low -= about;
        high += about;
    }
    ls_axis axis = {.step = round_step((high - low) / ticks)};
    axis.low = axis.step * floor(low / axis.step + 1e-6);
    axis.high = axis.step * ceil(high / axis.step - 1e-6);
    return axis;
}

/* Makes "1e-5" of "1e-05". */
static void shorten_exponent(char *text)
{
    char *e = strchr(text, 'e');
    if (!e)
        return;
    char *digits = e + 1 + (e[1] == '-' || e[1] == '+');
    char *first = digits + strspn(digits, "0");
    memmove(digits, first, strlen(first) + 1);
    if (e[1] == '+')
        memmove(e + 1, e + 2, strlen(e + 2) + 1);
}

const char *ls_axis_label(const ls_axis *axis, double value, char *text, size_t size)
{
    static const struct {
        double unit;
        const char *name;
    } units[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
    int u = 0;
    double largest = fmax(fabs(axis->low), fabs(axis->high));
    while (units[u].unit > 1 && largest < 10 * units[u].unit)
        u++;
    double tick = axis->step * round(value / axis->step) / units[u].unit;
    tick = tick == 0 ? 0 : tick; /* not -0 */
    int decimals = -(int)floor(log10(axis->step / units[u].unit) + 1e-9);
    if (decimals <= 4 && largest < 1e4 * units[0].unit)
        snprintf(text, size, "%.*f", tick == 0 || decimals < 0 ? 0 : decimals, tick);
    else
        snprintf(text, size, "%.6g", tick);
    shorten_exponent(text);
    if (tick != 0)
        strncat(text, units[u].name, size - strlen(text) - 1);
    return text;
}
