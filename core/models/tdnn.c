/* tdnn: layers of time delays, then the evidence for each class summed over time. The defaults are
 * the net of Waibel et al. (1989) for 15 frames of 16 coefficients: 8 hidden units that see 3
 * frames, a unit for each class that sees 5 steps of these, the sum over the 9 steps that are left.
 */
#include <stddef.h>

#include "core/model.h"

typedef struct tdnn {
    long classes;
    ls_list widths, contexts, dilations;
    char activation[LS_WORD];
    int pool;
    bool batchnorm;
} tdnn;

enum { SUM, MEAN, MAX, STAT, NONE };
static const char *const pools[] = {"sum", "mean", "max", "stat", "none", NULL};

static const ls_option options[] = {
    {"classes", LS_OPTION_INT, offsetof(tdnn, classes), "3", 1, 1e9, NULL, "outputs"},
    {"widths", LS_OPTION_LIST, offsetof(tdnn, widths), "8", 1, 1e6, NULL,
     "units of each hidden layer"},
    {"contexts", LS_OPTION_LIST, offsetof(tdnn, contexts), "3,5", 1, 1e4, NULL,
     "steps that a unit of each layer sees, the output last, but for pool=stat; where it is left "
     "out, 1"},
    {"dilations", LS_OPTION_LIST, offsetof(tdnn, dilations), "1", 1, 1e4, NULL,
     "steps from one of these to the next, for each layer; where they are left out, 1"},
    {"activation", LS_OPTION_WORD, offsetof(tdnn, activation), "tanh", 0, 0, NULL,
     "after each hidden layer: see `lockstep list activations`"},
    {"pool", LS_OPTION_CHOICE, offsetof(tdnn, pool), "sum", 0, 0, pools,
     "over time: of the outputs of each step; stat: mean and deviation of the last hidden layer, "
     "then a dense layer; none: each step keeps its outputs, with zeros around the row"},
    {"batchnorm", LS_OPTION_BOOL, offsetof(tdnn, batchnorm), "0", 0, 1, NULL,
     "1: batch norm before each activation"},
    {0}};

static long number(const ls_list *list, int i)
{
    return i < list->count ? list->at[i] : 1;
}

/* A line of time delays, of layer i. */
static void add_delays(const tdnn *m, const char *name, int i, long units, ls_model_nets *nets)
{
    const long kernel = number(&m->contexts, i), dilation = number(&m->dilations, i);
    const long pad = m->pool == NONE ? (kernel - 1) / 2 * dilation : 0;
    ls_model_add(nets, "net", "%s: tdnn units=%ld kernel=%ld dilation=%ld pad=%ld\n", name, units,
                 kernel, dilation, pad);
}

/* No list has more numbers than there are layers, the output among them. */
static bool check_count(const tdnn *m, const char *key, const ls_list *list, ls_error *error)
{
    return list->count <= m->widths.count + 1 ||
           ls_error_set(error, LS_USAGE,
                        "tdnn: %s= has %d numbers, but widths= has %d: expected a number for each "
                        "of these, and one for the output",
                        key, list->count, m->widths.count);
}

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const tdnn *m = self;
    char text[96], name[LS_WORD];
    if (input->rank != 2)
        return ls_error_set(error, LS_USAGE,
                            "tdnn: takes sequences, a row of features [time, features], but a row "
                            "of the data is %s",
                            ls_shape_text(input, text, sizeof text));
    if (!check_count(m, "contexts", &m->contexts, error) ||
        !check_count(m, "dilations", &m->dilations, error))
        return false;
    for (int i = 0; m->pool == NONE && i < m->contexts.count; i++)
        if (m->contexts.at[i] % 2 == 0)
            return ls_error_set(error, LS_USAGE,
                                "tdnn: pool=none keeps the steps, so that contexts= must be odd; "
                                "found %ld",
                                m->contexts.at[i]);
    for (int i = 0; i < m->widths.count; i++) {
        snprintf(name, sizeof name, "layer%d", i + 1);
        add_delays(m, name, i, m->widths.at[i], nets);
        if (m->batchnorm)
            ls_model_add(nets, "net", "batchnorm\n");
        ls_model_add(nets, "net", "activation function=%s\n", m->activation);
    }
    if (m->pool == STAT)
        ls_model_add(nets, "net", "pool: timepool type=stat\noutput: dense units=%ld\n",
                     m->classes);
    else
        add_delays(m, "output", m->widths.count, m->classes, nets);
    if (m->pool < STAT)
        ls_model_add(nets, "net", "pool: timepool type=%s\n", pools[m->pool]);
    return true;
}

const ls_model_type ls_model_tdnn = {
    .name = "tdnn",
    .help = "time delays over sequences of features, the evidence for a class summed over time",
    .input = "200,40",
    .bench = "tdnn classes=10 widths=512,512,512,512,512 contexts=5,3,3,1,1 dilations=1,2,3 "
             "activation=relu pool=stat",
    .size = sizeof(tdnn),
    .options = options,
    .recipe = {"supervised loss=cross-entropy", "adam rate=0.002", "cosine", 64, 30},
    .write = write,
};
