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

/* Mean and deviation of each channel of some training rows: of each number, where a row is a
 * vector. Free mean and deviation with ls_free. */
typedef struct channels {
    long rows, count;
    double *mean, *deviation;
} channels;

enum { ROWS = 2048 /* of a sample; and that are read at a time */ };

/* By so many rows, spread over all. Means and squares are updated number by number (Welford 1962):
 * what is constant has deviation 0, however many rows there are. */
static bool measure_channels(const ls_session *s, long rows, channels *c, ls_error *error)
{
    const ls_split *train = ls_dataset_split(s->data, LS_TRAIN);
    const long width = ls_shape_count(&train->row), most = ls_min(ROWS, rows);
    int64_t row[ROWS];
    real *x = ls_alloc((size_t)(most * width), sizeof *x);
    bool ok = true;
    *c = (channels){.rows = rows, .count = ls_shape_last(&train->row)};
    c->mean = ls_alloc((size_t)c->count, sizeof *c->mean);
    c->deviation = ls_alloc((size_t)c->count, sizeof *c->deviation);
    for (long first = 0, n; ok && first < rows; first += n) {
        n = ls_min(most, rows - first);
        for (long i = 0; i < n; i++)
            row[i] = (first + i) * train->x.rows / rows;
        ok = ls_dataset_read(s->data, LS_TRAIN, row, n, NULL, x, NULL, error);
        for (long i = 0; ok && i < n * width; i++) {
            const long k = i % c->count, before = (first * width + i) / c->count;
            const double off = (double)x[i] - c->mean[k];
            c->mean[k] += off / (double)(before + 1);
            c->deviation[k] += off * ((double)x[i] - c->mean[k]);
        }
    }
    for (long k = 0; k < c->count; k++)
        c->deviation[k] = sqrt(c->deviation[k] * (double)c->count / (double)(rows * width));
    ls_free(x);
    return ok;
}

/* Rows of a sample: where all of its channels are standard, those of all rows are taken to be. */
static long sample_size(const ls_session *s)
{
    enum { LEAST = 256, NUMBERS = 1 << 20 };
    const ls_split *train = ls_dataset_split(s->data, LS_TRAIN);
    const long width = ls_shape_count(&train->row);
    return ls_min(train->x.rows, ls_max(LEAST, ls_min(ROWS, NUMBERS / width)));
}

static void release_channels(channels *c)
{
    ls_free(c->mean);
    ls_free(c->deviation);
}

/* Whether all numbers of the channel are one, but for rounding. */
static bool is_constant(const channels *c, long k)
{
    return c->deviation[k] <= 1e-9 * fabs(c->mean[k]);
}

/* How far the channel is from mean 0 and deviation 1: more than 1 is too far. */
static double distance(const channels *c, long k)
{
    const double far = 0.5; /* from a mean of 0, and as a share of a deviation of 1 */
    const double mean = fabs(c->mean[k]), deviation = c->deviation[k];
    return isfinite(mean + deviation)
               ? fmax(mean, fmax(far * far / deviation, far * far * deviation)) / far
               : INFINITY;
}

/* The channel that is farthest off, among those that are not constant, if there are any. */
static long find_worst(const channels *c)
{
    long worst = 0;
    for (long k = 1; k < c->count; k++)
        if (is_constant(c, worst) || (!is_constant(c, k) && distance(c, k) > distance(c, worst)))
            worst = k;
    return worst;
}

/* What a channel of the session's rows is called. */
static const char *channel_word(const ls_session *s)
{
    return ls_dataset_split(s->data, LS_TRAIN)->row.rank == 1 ? "column" : "channel";
}

/* The first stage whose objective wants it; -1: none does. */
static int find_standard(const ls_session *s)
{
    for (int i = 0; i < s->job->stages; i++)
        if (s->stage[i].objective->x_rule && s->stage[i].objective->x_rule->standard)
            return i;
    return -1;
}

static bool refuse_channel(const ls_session *s, int stage, const channels *c, long k,
                           ls_error *error)
{
    const char *word = channel_word(s);
    char key[64], place[256], which[64] = "", way[192];
    snprintf(key, sizeof key, "stages.%d.objective", stage);
    snprintf(way, sizeof way,
             "let a line `normalize mean=%.4g deviation=%.4g` in transform: bring them there",
             c->mean[k], c->deviation[k]);
    if (c->count > 1) {
        snprintf(which, sizeof which, "%s %ld of %ld in ", word, k + 1, c->count);
        snprintf(way, sizeof way,
                 c->count > LS_LIST
                     ? "store each %s so, as `lockstep import csv --scale standard` does"
                     : "let a line `normalize mean=... deviation=...`, each with a number for each "
                       "%s, in transform: bring them there",
                 word);
    }
    return ls_error_set(
        error, LS_DATA,
        "%s: %s: expected numbers of mean 0 and deviation 1, but those of %s%ld training rows of "
        "%s have the mean %.4g and the deviation %.4g%s: %s",
        ls_job_where(s->job, key, place, sizeof place), s->stage[stage].objective->x_rule->words,
        which, c->rows, ls_dataset_path(s->data), c->mean[k], c->deviation[k],
        s->job->transform ? " as transformed" : "", way);
}

bool ls_ranges_standard(const ls_session *s, ls_error *error)
{
    const ls_split *train = ls_dataset_split(s->data, LS_TRAIN);
    const int stage = find_standard(s);
    channels c;
    if (stage < 0)
        return true;
    bool ok = measure_channels(s, sample_size(s), &c, error);
    if (ok && distance(&c, find_worst(&c)) > 1 && c.rows < train->x.rows) {
        release_channels(&c); /* a sample can't accuse: rare numbers make a deviation */
        ok = measure_channels(s, train->x.rows, &c, error);
    }
    const long worst = ok ? find_worst(&c) : 0;
    if (ok && distance(&c, worst) > 1)
        ok = refuse_channel(s, stage, &c, worst, error);
    release_channels(&c);
    return ok;
}

bool ls_ranges_constant(const ls_session *s, char *text, size_t size)
{
    long count = 0, first = 0;
    channels c;
    if (find_standard(s) < 0)
        return false;
    if (measure_channels(s, sample_size(s), &c, NULL))
        for (long k = c.count - 1; k >= 0; k--)
            if (is_constant(&c, k)) {
                first = k;
                count++;
            }
    snprintf(text, size,
             "%ld of %ld %ss of the data are the same number in %ld training rows, such as %s %ld, "
             "which is %.4g: there is nothing to learn of them",
             count, c.count, channel_word(s), c.rows, channel_word(s), first + 1, c.mean[first]);
    release_channels(&c);
    return count > 0;
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
