/* ranges: compares what the last line of a net can give with logits, and with the data. */
#include "launch/train/ranges.h"

#include <math.h>
#include <stdio.h>

#include "core/memory.h"
#include "core/minmax.h"

static bool check_logits(const ls_session *s, const ls_objective *objective, ls_error *error)
{
    double low, high;
    char key[2 * LS_WORD], place[256];
    const ls_net *net = objective->outputs.logits;
    if (!net)
        return true;
    ls_net_range(net, net->count - 1, &low, &high);
    if (isinf(low) || isinf(high))
        return true;
    ls_session_net_key(s, net->name, key, sizeof key);
    return ls_error_set(error, LS_USAGE,
                        "%s: the net %s ends in numbers from %g to %g (%s), but %s takes any "
                        "numbers (logits, scores), and makes probabilities of them by itself: "
                        "leave that last line out",
                        ls_job_where(s->job, key, place, sizeof place), net->name, low, high,
                        net->layers[net->count - 1]->name, objective->type->name);
}

bool ls_ranges_check(const ls_session *s, ls_error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < s->job->stages; i++)
        ok = check_logits(s, s->stage[i].objective, error);
    return ok;
}

/* Mean and deviation of the numbers of some training rows, from the first to the last; their number
 * in *rows. */
static bool measure_rows(const ls_session *s, long *rows, double *mean, double *deviation,
                         ls_error *error)
{
    enum { ROWS = 256 };
    const ls_split *train = ls_dataset_split(s->data, LS_TRAIN);
    const long n = ls_min(ROWS, train->x.rows), count = n * ls_shape_count(&train->row);
    int64_t row[ROWS];
    double sum = 0, square = 0;
    real *x = ls_alloc((size_t)count, sizeof *x);
    for (long i = 0; i < n; i++)
        row[i] = i * train->x.rows / n;
    const bool ok = ls_dataset_read(s->data, LS_TRAIN, row, n, NULL, x, NULL, error);
    for (long i = 0; ok && i < count; i++)
        sum += (double)x[i];
    *rows = n;
    *mean = sum / (double)count;
    for (long i = 0; ok && i < count; i++)
        square += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    *deviation = sqrt(square / (double)count);
    ls_free(x);
    return ok;
}

/* The first stage whose objective wants it; -1: none does. */
static int find_standard(const ls_session *s)
{
    for (int i = 0; i < s->job->stages; i++)
        if (s->stage[i].objective->x_rule && s->stage[i].objective->x_rule->standard)
            return i;
    return -1;
}

bool ls_ranges_standard(const ls_session *s, ls_error *error)
{
    const double far = 0.5; /* from a mean of 0, and as a share of a deviation of 1 */
    const int stage = find_standard(s);
    long rows;
    double mean, deviation;
    char key[64], place[256];
    if (stage < 0)
        return true;
    if (!measure_rows(s, &rows, &mean, &deviation, error))
        return false;
    snprintf(key, sizeof key, "stages.%d.objective", stage);
    return (fabs(mean) <= far && deviation >= far && deviation <= 1 / far) ||
           ls_error_set(error, LS_DATA,
                        "%s: %s: expected numbers of mean 0 and deviation 1, but those of %ld "
                        "training rows of %s have the mean %.4g and the deviation %.4g%s: let a "
                        "line `normalize mean=%.4g deviation=%.4g` in transform: bring them there",
                        ls_job_where(s->job, key, place, sizeof place),
                        s->stage[stage].objective->x_rule->words, rows, ls_dataset_path(s->data),
                        mean, deviation, s->job->transform ? " as transformed" : "", mean,
                        deviation);
}

bool ls_ranges_data(const ls_session *s, double *least, double *most)
{
    enum { ROWS = 64 };
    const ls_split *train = ls_dataset_split(s->data, LS_TRAIN);
    const long n = ls_min(ROWS, train->x.rows), width = ls_shape_count(&train->row);
    int64_t rows[ROWS];
    real *x = ls_alloc((size_t)(n * width), sizeof *x);
    for (long i = 0; i < n; i++)
        rows[i] = i;
    const bool ok = ls_dataset_read(s->data, LS_TRAIN, rows, n, NULL, x, NULL, NULL);
    *least = INFINITY;
    *most = -INFINITY;
    for (long i = 0; ok && i < n * width; i++) {
        *least = fmin(*least, (double)x[i]);
        *most = fmax(*most, (double)x[i]);
    }
    ls_free(x);
    return ok;
}

/* "from 0 to 1", "from 0 on". */
static const char *range_text(double low, double high, char *text, size_t size)
{
    if (isinf(high))
        snprintf(text, size, "from %g on", low);
    else if (isinf(low))
        snprintf(text, size, "up to %g", high);
    else
        snprintf(text, size, "from %g to %g", low, high);
    return text;
}

bool ls_ranges_apart(const ls_session *s, long stage, char *text, size_t size)
{
    double low, high, least, most;
    char range[64];
    while (stage < s->job->stages && !s->stage[stage].objective->outputs.rows)
        stage++;
    if (stage == s->job->stages)
        return false;
    const ls_net *net = s->stage[stage].objective->outputs.rows;
    ls_net_range(net, net->count - 1, &low, &high);
    if ((isinf(low) && isinf(high)) || !ls_ranges_data(s, &least, &most))
        return false;
    const double slack = 1e-3 * (most - least), least_share = 0.6;
    const bool beyond = least < low - slack || most > high + slack;
    if (!beyond && !(most - least < least_share * (high - low)) /* false of infinite ones */)
        return false;
    snprintf(text, size,
             "the net %s ends in numbers %s (%s), but those of the first training rows are from "
             "%.4g to %.4g: let a line `normalize` in transform: bring the data there, or let the "
             "net end otherwise (tanh: -1 to 1, logistic: 0 to 1, no such line: any numbers)",
             net->name, range_text(low, high, range, sizeof range),
             net->layers[net->count - 1]->name, least, most);
    return true;
}
