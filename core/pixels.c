/* pixels: sums in 16 lanes, which become vectors of any instruction set. */
#include "core/pixels.h"

#include "core/minmax.h"
#include "core/vector_math.h"

/* A block is summed in reals, lane by lane; lanes and blocks are added in double. */
enum { LANES = 16, HALF = LANES / 2, BLOCK = 64 * LANES };

/* The sum over lanes; of eight products the product, below 2^520, fits a double. */
static double add_lanes(const real *sum, const real *product)
{
    double total = 0, products[2] = {1, 1};
    for (int k = 0; k < LANES; k++) {
        total += (double)sum[k];
        products[k / HALF] *= (double)product[k];
    }
    return total + log(products[0]) + log(products[1]);
}

/* s(y) from e = e^-|y|. */
static LS_INLINE real logistic(real y, real e)
{
    return (y < 0 ? e : 1) / (1 + e);
}

/* Adds max(y, 0) - x y + ln(1 + e), e = e^-|y|, of n outputs up to a block's to the lanes. A sum of
 * logarithms is the logarithm of a product, here of numbers up to 2: 64 of a lane are below 2^65.
 */
static LS_CLONES void add_bernoulli(long n, const real *restrict y, const real *restrict x,
                                    real *restrict dy, real *restrict sum, real *restrict product)
{
    const long whole = n - n % LANES;
    for (long j = 0; j < whole; j += LANES) {
        real e[LANES];
        for (int k = 0; k < LANES; k++)
            e[k] = ls_math_exp(y[j + k] < 0 ? y[j + k] : -y[j + k]);
        for (int k = 0; k < LANES; k++) {
            sum[k] += (y[j + k] < 0 ? 0 : y[j + k]) - x[j + k] * y[j + k];
            product[k] *= 1 + e[k];
        }
        for (int k = 0; dy && k < LANES; k++)
            dy[j + k] = logistic(y[j + k], e[k]) - x[j + k];
    }
    for (long j = whole, k = 0; j < n; j++, k++) {
        const real e = ls_math_exp(y[j] < 0 ? y[j] : -y[j]);
        sum[k] += (y[j] < 0 ? 0 : y[j]) - x[j] * y[j];
        product[k] *= 1 + e;
        if (dy)
            dy[j] = logistic(y[j], e) - x[j];
    }
}

double ls_pixels_bernoulli(long n, const real *y, const real *x, real *dy)
{
    double total = 0;
    for (long begin = 0; begin < n; begin += BLOCK) {
        real sum[LANES] = {0}, product[LANES];
        for (int k = 0; k < LANES; k++)
            product[k] = 1;
        add_bernoulli(ls_min(n - begin, BLOCK), y + begin, x + begin, dy ? dy + begin : NULL, sum,
                      product);
        total += add_lanes(sum, product);
    }
    return total;
}

LS_CLONES double ls_pixels_squared(long n, const real *restrict y, const real *restrict x,
                                   real *restrict dy)
{
    double lane[LANES] = {0}, total = 0;
    const long whole = n - n % LANES;
    for (long j = 0; j < whole; j += LANES)
        for (int k = 0; k < LANES; k++) {
            const real off = y[j + k] - x[j + k];
            lane[k] += (double)off * (double)off;
        }
    for (long j = whole; j < n; j++)
        lane[j - whole] += (double)(y[j] - x[j]) * (double)(y[j] - x[j]);
    for (long j = 0; dy && j < n; j++)
        dy[j] = y[j] - x[j];
    for (int k = 0; k < LANES; k++)
        total += lane[k];
    return total / 2;
}

LS_CLONES void ls_pixels_draw(long n, const real *restrict p, real *restrict x)
{
    for (long j = 0; j < n; j++)
        x[j] = x[j] < p[j];
}

void ls_pixels_binarize(ls_random stream, const ls_batch *batch, long first, long width,
                        real *pixels)
{
    for (long r = 0; r < batch->rows; r++) {
        const long row = batch->row ? (long)batch->row[r] : first + r;
        ls_random_uniform(stream, (uint64_t)row, pixels + r * width, width);
        ls_pixels_draw(width, batch->x + r * width, pixels + r * width);
    }
}

const ls_target_rule ls_pixels_rule = {
    .takes = ls_loss_is_probability,
    .words =
        "an output of probabilities takes numbers from 0 to 1: give x the attribute scale, such as "
        "1/255 for bytes, or take output=gaussian (vae), loss=squared-error (autoencoder), "
        "units=gaussian (rbm)"};
