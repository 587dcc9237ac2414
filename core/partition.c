/* partition: the number of a state is cut into three fields of bits.
 *
 *     part (8 bits)  |  middle  |  low (4 bits)
 *
 * A part walks over the states of its middle units as over the leaves of a binary tree: each node
 * has the inputs z of the other units, made from its parent's by adding one unit's weights. At a
 * leaf, the 16 states of the low units are computed side by side in vectors, from a table of what
 * they add to z.
 *
 * No exponential is computed on the way. ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|), and since the
 * exponential of a sum is a product, e^z and e^-z are carried along as products of e^w and of e^-w;
 * the smaller one is e^-|z|. A sum of logarithms is the logarithm of a product, here of numbers
 * from 1 to 2. */
#include "core/partition.h"

#include <math.h>

#include "core/clones.h"
#include "core/memory.h"
#include "core/minmax.h"

enum { LOW = 4, LANES = 1 << LOW, PART = 8 };
enum { BLOCK = 512 }; /* numbers up to 2 whose product is surely finite */

/* What some units add to the inputs of the others: z, e^z, e^-z. */
typedef struct inputs {
    double *z, *up, *down;
} inputs;

/* Adds to sum[LANES] the logarithms of the products over the other units. */
typedef void add_others(long others, const inputs *row, const inputs *table, double *sum);

typedef struct walk {
    const ls_partition *of;
    long low, middle; /* units of these fields */
    add_others *add;
    double constant; /* of the logarithm of every state */
    inputs unit;     /* [units, others] */
    inputs row;      /* [middle + 1, others]: the part's, then one of each level of the tree */
    inputs table;    /* [others, LANES] */
    double low_bias[LANES];
    double most, sum; /* of the states visited: the sum is `sum` e^most */
} walk;

static inputs create(long count)
{
    const size_t n = (size_t)count;
    return (inputs){ls_alloc(n, sizeof(double)), ls_alloc(n, sizeof(double)),
                    ls_alloc(n, sizeof(double))};
}

static void destroy(const inputs *x)
{
    ls_free(x->z);
    ls_free(x->up);
    ls_free(x->down);
}

static inputs at(const inputs *x, long offset)
{
    return (inputs){x->z + offset, x->up + offset, x->down + offset};
}

static void set(const inputs *x, long count, const double *z)
{
    for (long i = 0; i < count; i++) {
        x->z[i] = z[i];
        x->up[i] = exp(z[i]);
        x->down[i] = exp(-z[i]);
    }
}

/* sum = x and y together. */
static LS_CLONES void join(long count, const inputs *x, const inputs *y, const inputs *sum)
{
    for (long i = 0; i < count; i++)
        sum->z[i] = x->z[i] + y->z[i];
    for (long i = 0; i < count; i++)
        sum->up[i] = x->up[i] * y->up[i];
    for (long i = 0; i < count; i++)
        sum->down[i] = x->down[i] * y->down[i];
}

static LS_CLONES void add_logistic(long others, const inputs *row, const inputs *table, double *sum)
{
    for (long begin = 0; begin < others; begin += BLOCK) {
        double line[LANES] = {0}, product[LANES];
        for (int k = 0; k < LANES; k++)
            product[k] = 1;
        const long end = ls_min(begin + BLOCK, others);
        for (long i = begin; i < end; i++) {
            const double z = row->z[i], up = row->up[i], down = row->down[i];
            const long first = i * LANES;
            for (int k = 0; k < LANES; k++) {
                const double input = z + table->z[first + k];
                const double rising = up * table->up[first + k];
                const double falling = down * table->down[first + k];
                line[k] += input > 0 ? input : 0;
                product[k] += product[k] * (rising < falling ? rising : falling);
            }
        }
        for (int k = 0; k < LANES; k++)
            sum[k] += line[k] + log(product[k]);
    }
}

/* The same where e^z or e^-z can leave the range of a double. */
static void add_steep(long others, const inputs *row, const inputs *table, double *sum)
{
    for (long i = 0; i < others; i++)
        for (int k = 0; k < LANES; k++) {
            const double z = row->z[i] + table->z[i * LANES + k];
            sum[k] += fmax(z, 0) + log1p(exp(-fabs(z)));
        }
}

static LS_CLONES void add_normal(long others, const inputs *row, const inputs *table, double *sum)
{
    double squares[LANES] = {0};
    for (long i = 0; i < others; i++)
        for (int k = 0; k < LANES; k++) {
            const double z = row->z[i] + table->z[i * LANES + k];
            squares[k] += z * z;
        }
    for (int k = 0; k < LANES; k++)
        sum[k] += squares[k] / 2;
}

/* The largest |z| of any state. */
static double reach(const ls_partition *p)
{
    double most = 0;
    for (long i = 0; i < p->others; i++) {
        double sum = fabs(p->bias[i]);
        for (long j = 0; j < p->units; j++)
            sum += fabs(p->weight[j * p->others + i]);
        most = fmax(most, sum);
    }
    return most;
}

static void choose(walk *w)
{
    const double range = 700; /* e^709 is the largest double */
    const double pi = 3.14159265358979323846;
    const ls_partition *p = w->of;
    w->add = p->normal ? add_normal : reach(p) < range ? add_logistic : add_steep;
    for (long i = 0; p->normal && i < p->others; i++)
        w->constant += (log(2 * pi) - p->bias[i] * p->bias[i]) / 2;
}

/* Fills `table` and `low_bias`. */
static void tabulate(walk *w)
{
    const long others = w->of->others;
    for (long i = 0; i < others; i++) {
        double z[LANES] = {0};
        for (long k = 0; k < LANES; k++)
            for (long j = 0; j < w->low; j++)
                z[k] += k >> j & 1 ? w->of->weight[j * others + i] : 0;
        const inputs lanes = at(&w->table, i * LANES);
        set(&lanes, LANES, z);
    }
    for (long k = 0; k < LANES; k++)
        for (long j = 0; j < w->low; j++)
            w->low_bias[k] += k >> j & 1 ? w->of->unit_bias[j] : 0;
}

/* Adds the states of the low units, given the inputs and the bias by all other units. */
static void visit_leaf(walk *w, const inputs *row, double bias)
{
    const long states = 1L << w->low;
    double x[LANES], most = w->most;
    for (long k = 0; k < LANES; k++)
        x[k] = bias + w->low_bias[k];
    w->add(w->of->others, row, &w->table, x);
    for (long k = 0; k < states; k++)
        most = fmax(most, x[k]);
    if (most > w->most) {
        w->sum *= exp(w->most - most);
        w->most = most;
    }
    for (long k = 0; k < states; k++)
        w->sum += exp(x[k] - most);
}

/* Visits the states of the middle units below a node, of which the first `level` are set. */
static void visit(walk *w, long level, const inputs *row, double bias)
{
    const long others = w->of->others, unit = w->low + level;
    if (level == w->middle) {
        visit_leaf(w, row, bias);
        return;
    }
    visit(w, level + 1, row, bias);
    const inputs weights = at(&w->unit, unit * others), next = at(&w->row, (level + 1) * others);
    join(others, row, &weights, &next);
    visit(w, level + 1, &next, bias + w->of->unit_bias[unit]);
}

static long low_bits(long units)
{
    return ls_min(units, LOW);
}

static long part_bits(long units)
{
    return ls_min(units - low_bits(units), PART);
}

long ls_partition_parts(long units)
{
    return 1L << part_bits(units);
}

double ls_partition_part(const ls_partition *p, long part)
{
    walk w = {.of = p, .low = low_bits(p->units), .most = -INFINITY};
    const long first = p->units - part_bits(p->units); /* unit of the part's lowest bit */
    double bias = 0;
    w.middle = first - w.low;
    w.unit = create(p->units * p->others);
    w.row = create((w.middle + 1) * p->others);
    w.table = create(p->others * LANES);
    choose(&w);
    set(&w.unit, p->units * p->others, p->weight);
    set(&w.row, p->others, p->bias);
    tabulate(&w);
    for (long j = first; j < p->units; j++)
        if (part >> (j - first) & 1) {
            const inputs weights = at(&w.unit, j * p->others);
            join(p->others, &w.row, &weights, &w.row);
            bias += p->unit_bias[j];
        }
    visit(&w, 0, &w.row, bias);
    destroy(&w.unit);
    destroy(&w.row);
    destroy(&w.table);
    return w.constant + w.most + log(w.sum);
}

double ls_partition_add(long n, const double *x)
{
    double most = -INFINITY, sum = 0;
    for (long i = 0; i < n; i++)
        most = fmax(most, x[i]);
    for (long i = 0; i < n && most > -INFINITY; i++)
        sum += exp(x[i] - most);
    return most + log(sum);
}
