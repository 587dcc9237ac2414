/* conv_narrow: convolutions with few channels and stride 1, with the rows of the batch innermost.
 *
 * Matrix products over a few channels leave most of a vector empty. Here ROWS rows of the batch
 * are repacked to [h, w, c, ROWS], a vector holds one place of LANES images, and every channel
 * count fills it:
 *
 *     x [rows, h, w, c]  ->  [h + 2 pad_h, w + 2 pad_w, c, ROWS]     zeros around
 *     weight             ->  panels of BLOCK outputs: [out / BLOCK][kernel_h][kernel_w * c][BLOCK]
 *
 * In this order a line of a patch, kernel_w * c places, is contiguous. The innermost loop keeps
 * BLOCK outputs of ROWS images in 12 registers and reads one place and BLOCK weights a turn. The
 * data gradient is the same loop over dy, with the kernel turned by 180 degrees, in and out
 * exchanged, and pad = kernel - 1 - pad. Missing rows of the last pack are computed as zeros. */
#include <string.h>

#include "core/kernels/clones.h"
#include "core/kernels/conv.h"

/* One register, or half an AVX-512 one (Zen 4 does both at the same rate). */
typedef real lanes __attribute__((vector_size(LS_VECTOR), may_alias));
enum { LANES = LS_VECTOR / sizeof(real), ROWS = 2 * LANES, BLOCK = 6, TILE = 8 };
/* What suits, as measured: more channels, and 1x1 kernels, do better as matrix products. */
enum { IN = 16, OUT = 32, PACKED_REALS = 1 << 20 };

/* A pack: [h, w, c, ROWS]. */
typedef struct pack {
    long h, w, c;
    real *at;
} pack;

static long pack_size(const pack *p)
{
    return p->h * p->w * p->c * ROWS;
}

/* The packs of a call, one after another in scratch: x with its padding; then y, or dy with what
 * the data gradient needs around it. */
static pack pack_x(const ls_conv *conv, real *scratch)
{
    const ls_window *w = &conv->window;
    return (pack){w->h + 2 * w->pad_h, w->w + 2 * w->pad_w, w->c, scratch};
}

static pack pack_y(const ls_conv *conv, real *scratch)
{
    const ls_window *w = &conv->window;
    pack x = pack_x(conv, scratch);
    return (pack){w->out_h, w->out_w, conv->out, scratch + pack_size(&x)};
}

static pack pack_dy(const ls_conv *conv, real *scratch)
{
    const ls_window *w = &conv->window;
    pack x = pack_x(conv, scratch);
    return (pack){w->out_h + 2 * (w->kernel_h - 1 - w->pad_h),
                  w->out_w + 2 * (w->kernel_w - 1 - w->pad_w), conv->out, scratch + pack_size(&x)};
}

/* to[n, ROWS] = the transpose of from[rows, n], whose rows are `stride` apart. Four rows at a time
 * become vector code. */
LS_CLONES static void transpose_in(const real *restrict from, long stride, long rows, long n,
                                   real *restrict to)
{
    long r = 0;
    for (; r + 4 <= rows; r += 4, from += 4 * stride)
        for (long i = 0; i < n; i++) {
            real a = from[i], b = from[stride + i];
            real c = from[2 * stride + i], d = from[3 * stride + i];
            real *at = to + i * ROWS + r;
            at[0] = a;
            at[1] = b;
            at[2] = c;
            at[3] = d;
        }
    for (; r < rows; r++, from += stride)
        for (long i = 0; i < n; i++)
            to[i * ROWS + r] = from[i];
}

/* One tile of transpose_out, by way of an array that the compiler keeps in registers. */
LS_INLINE void transpose_tile(const real *restrict from, long stride, long rows, long width,
                              bool add, real *restrict to)
{
    real tile[ROWS][TILE];
    for (long i = 0; i < width; i++)
        for (long r = 0; r < ROWS; r++)
            tile[r][i] = from[i * ROWS + r];
    for (long r = 0; r < rows; r++, to += stride)
        for (long i = 0; i < width; i++)
            to[i] = tile[r][i] + (add ? to[i] : 0);
}

/* to[rows, n], rows `stride` apart, = or += the transpose of from[n, ROWS]. */
LS_CLONES static void transpose_out(const real *from, long stride, long rows, long n, bool add,
                                    real *to)
{
    long i = 0;
    for (; i + TILE <= n; i += TILE)
        transpose_tile(from + i * ROWS, stride, rows, TILE, add, to + i);
    transpose_tile(from + i * ROWS, stride, rows, n - i, add, to + i);
}

/* Packs `rows` images of h x w into the middle of `to`. */
static void pack_in(const real *images, long h, long w, long rows, pack to)
{
    long line = w * to.c, top = (to.h - h) / 2, side = (to.w - w) / 2;
    memset(to.at, 0, (size_t)pack_size(&to) * sizeof *to.at);
    for (long i = 0; i < h; i++)
        transpose_in(images + i * line, h * line, rows, line,
                     to.at + ((top + i) * to.w + side) * to.c * ROWS);
}

/* y [h, w, c] = bias + the correlation of x with panels; x is kernel - 1 larger than y. */
typedef struct correlation {
    pack x, y;
    long kernel_h, kernel_w;
    const real *panels;
    const real *bias; /* [y.c] or NULL */
} correlation;

/* One place of y, `valid` channels of it from `panel` and `bias`. */
LS_INLINE void correlate_place(const correlation *task, const real *x, const real *panel,
                               const real *bias, long valid, real *y)
{
    lanes sum[BLOCK][2];
    long patch = task->kernel_w * task->x.c, line = task->x.w * task->x.c * ROWS;
#pragma GCC unroll 6
    for (int j = 0; j < BLOCK; j++)
        sum[j][0] = sum[j][1] = (lanes){0} + (bias && j < valid ? bias[j] : 0);
    for (long kh = 0; kh < task->kernel_h; kh++) {
        const lanes *at = (const lanes *)(x + kh * line);
        for (long i = 0; i < patch; i++, at += 2, panel += BLOCK) {
#pragma GCC unroll 6
            for (int j = 0; j < BLOCK; j++) {
                sum[j][0] += panel[j] * at[0];
                sum[j][1] += panel[j] * at[1];
            }
        }
    }
    lanes *to = (lanes *)y;
#pragma GCC unroll 6
    for (int j = 0; j < BLOCK; j++)
        if (j < valid) {
            to[2 * j] = sum[j][0];
            to[2 * j + 1] = sum[j][1];
        }
}

LS_CLONES static void correlate(const correlation *task)
{
    const pack *x = &task->x, *y = &task->y;
    long panel = task->kernel_h * task->kernel_w * x->c * BLOCK;
    for (long i = 0; i < y->h; i++)
        for (long first = 0; first < y->c; first += BLOCK)
            for (long j = 0; j < y->w; j++)
                correlate_place(task, x->at + (i * x->w + j) * x->c * ROWS,
                                task->panels + first / BLOCK * panel,
                                task->bias ? task->bias + first : NULL, y->c - first,
                                y->at + ((i * y->w + j) * y->c + first) * ROWS);
}

/* dweight += x correlated with dy: task.h x task.w places of dy, beginning at `dy`. */
typedef struct weight_task {
    pack x, dy;
    long h, w, kernel_h, kernel_w;
    const real *first; /* of dy, within its margin */
    real *dweight;
    ls_interval own; /* channels of dy */
} weight_task;

static real sum_of(const lanes *v)
{
    real sum = 0;
    for (int l = 0; l < LANES; l++)
        sum += (*v)[l];
    return sum;
}

/* BLOCK outputs from `out` against places `i` and `i + 1` (or `i` again, at the end) of line `kh`
 * of the patch. */
LS_INLINE void weight_pair(const weight_task *task, long out, long kh, long i)
{
    lanes sum[BLOCK][2];
    long outs = task->dy.c, patch = task->kernel_w * task->x.c, channel[BLOCK];
    long next = i + 1 < patch ? 2 : 0; /* vectors to the second place */
#pragma GCC unroll 6
    for (int j = 0; j < BLOCK; j++) {
        sum[j][0] = sum[j][1] = (lanes){0};
        channel[j] = 2 * (out + j < outs ? out + j : outs - 1);
    }
    for (long h = 0; h < task->h; h++) {
        const lanes *x =
            (const lanes *)(task->x.at + ((h + kh) * task->x.w * task->x.c + i) * ROWS);
        const lanes *dy = (const lanes *)(task->first + h * task->dy.w * outs * ROWS);
        for (long w = 0; w < task->w; w++, x += 2 * task->x.c, dy += 2 * outs) {
#pragma GCC unroll 2
            for (int half = 0; half < 2; half++) {
#pragma GCC unroll 6
                for (int j = 0; j < BLOCK; j++) {
                    sum[j][0] += dy[channel[j] + half] * x[half];
                    sum[j][1] += dy[channel[j] + half] * x[next + half];
                }
            }
        }
    }
    for (int j = 0; j < BLOCK && out + j < outs; j++) {
        real *to = task->dweight + ((out + j) * task->kernel_h + kh) * patch + i;
        to[0] += sum_of(&sum[j][0]);
        if (next)
            to[1] += sum_of(&sum[j][1]);
    }
}

LS_CLONES static void gather_weight(const weight_task *task)
{
    for (long out = task->own.begin; out < task->own.end; out += BLOCK)
        for (long kh = 0; kh < task->kernel_h; kh++)
            for (long i = 0; i < task->kernel_w * task->x.c; i += 2)
                weight_pair(task, out, kh, i);
}

static long blocks(long channels)
{
    return (channels + BLOCK - 1) / BLOCK;
}

static long forward_panels(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    return blocks(conv->out) * BLOCK * w->kernel_h * w->kernel_w * w->c;
}

static long prepared(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    return forward_panels(conv) + blocks(w->c) * BLOCK * w->kernel_h * w->kernel_w * conv->out;
}

/* The panels of forward, then those of the data gradient; channels that are not there are zero. */
static void prepare(const ls_conv *conv, const real *weight, real *panels)
{
    const ls_window *w = &conv->window;
    long taps = w->kernel_h * w->kernel_w, in = w->c, out = conv->out;
    real *turned = panels + forward_panels(conv);
    memset(panels, 0, (size_t)prepared(conv) * sizeof *panels);
    for (long o = 0; o < out; o++)
        for (long tap = 0; tap < taps; tap++)
            for (long c = 0; c < in; c++) {
                real value = weight[(o * taps + tap) * in + c];
                long back = taps - 1 - tap;
                panels[((o / BLOCK * taps + tap) * in + c) * BLOCK + o % BLOCK] = value;
                turned[((c / BLOCK * taps + back) * out + o) * BLOCK + c % BLOCK] = value;
            }
}

static long scratch(const ls_conv *conv)
{
    pack x = pack_x(conv, NULL), dy = pack_dy(conv, NULL);
    return pack_size(&x) + pack_size(&dy);
}

static bool suits(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    return conv->groups == 1 && w->dilation_h * w->dilation_w == 1 && w->stride_h == 1 &&
           w->stride_w == 1 && w->kernel_h * w->kernel_w > 1 && w->pad_h < w->kernel_h &&
           w->pad_w < w->kernel_w && w->c <= IN && conv->out <= OUT &&
           scratch(conv) <= PACKED_REALS;
}

static void forward(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    long x_row = w->h * w->w * w->c, y_row = w->out_h * w->out_w * conv->out;
    correlation task = {.x = pack_x(conv, data->scratch),
                        .y = pack_y(conv, data->scratch),
                        .kernel_h = w->kernel_h,
                        .kernel_w = w->kernel_w,
                        .panels = data->prepared,
                        .bias = data->bias};
    for (long row = 0; row < data->rows; row += ROWS) {
        long rows = data->rows - row < ROWS ? data->rows - row : ROWS;
        pack_in(data->x + row * x_row, w->h, w->w, rows, task.x);
        correlate(&task);
        transpose_out(task.y.at, y_row, rows, y_row, data->add, data->y + row * y_row);
    }
}

static void backward(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    long x_row = w->h * w->w * w->c, y_row = w->out_h * w->out_w * conv->out;
    correlation task = {.x = pack_dy(conv, data->scratch),
                        .y = {w->h, w->w, w->c, data->scratch}, /* where x would be packed */
                        .kernel_h = w->kernel_h,
                        .kernel_w = w->kernel_w,
                        .panels = data->prepared + forward_panels(conv)};
    for (long row = 0; row < data->rows; row += ROWS) {
        long rows = data->rows - row < ROWS ? data->rows - row : ROWS;
        pack_in(data->dy + row * y_row, w->out_h, w->out_w, rows, task.x);
        correlate(&task);
        transpose_out(task.y.at, x_row, rows, x_row, data->add, data->dx + row * x_row);
    }
}

static void gradient(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    long x_row = w->h * w->w * w->c, y_row = w->out_h * w->out_w * conv->out;
    weight_task task = {.x = pack_x(conv, data->scratch),
                        .dy = pack_dy(conv, data->scratch),
                        .h = w->out_h,
                        .w = w->out_w,
                        .kernel_h = w->kernel_h,
                        .kernel_w = w->kernel_w,
                        .dweight = data->dweight,
                        .own = data->own};
    long top = w->kernel_h - 1 - w->pad_h, side = w->kernel_w - 1 - w->pad_w;
    task.first = task.dy.at + (top * task.dy.w + side) * task.dy.c * ROWS;
    for (long row = 0; row < data->rows; row += ROWS) {
        long rows = data->rows - row < ROWS ? data->rows - row : ROWS;
        pack_in(data->dy + row * y_row, w->out_h, w->out_w, rows, task.dy);
        pack_in(data->x + row * x_row, w->h, w->w, rows, task.x);
        gather_weight(&task);
    }
}

const ls_conv_kernel ls_conv_narrow = {
    .name = "narrow",
    .unit = BLOCK,
    .layout = &ls_conv_taps,
    .suits = suits,
    .scratch = scratch,
    .prepared = prepared,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
