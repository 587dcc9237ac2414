/* descent: one machine after the other, downwards. */
#include "core/descent.h"

#include <string.h>

#include "core/layers/activation.h"
#include "core/memory.h"
#include "core/minmax.h"

static bool is_logistic(const ls_layer *layer)
{
    const ls_activation *function = ls_activation_of(layer);
    return function && strcmp(function->name, "logistic") == 0;
}

/* The line that makes what this one reads where nothing trains (dropout passes its input on); -1:
 * the net's input. */
static int line_below(const ls_net *net, int layer)
{
    int i = net->layers[layer]->input[0];
    while (i >= 0 && net->layers[i]->type->passes_on)
        i = net->layers[i]->input[0];
    return i;
}

/* The machine below the machine `layer`, whose hidden units' means this one reads; -1: there is
 * none. */
static int machine_below(const ls_net *net, int layer)
{
    const int means = line_below(net, layer);
    const int machine = means >= 0 && is_logistic(net->layers[means]) ? line_below(net, means) : -1;
    return machine >= 0 && ls_boltzmann_check(net->layers[machine], NULL) ? machine : -1;
}

bool ls_descent_leads_down(const ls_net *net, int layer)
{
    int lowest = layer;
    for (int i = layer; i >= 0; i = machine_below(net, i))
        lowest = i;
    return line_below(net, lowest) < 0;
}

/* The most visible units of a machine below. */
static long widest(const ls_net *net, int layer)
{
    long most = 0;
    for (int i = machine_below(net, layer); i >= 0; i = machine_below(net, i))
        most = ls_max(most, ls_shape_count(&net->layers[i]->x[0]));
    return most;
}

ls_descent ls_descent_create(const ls_net *net, int layer, ls_boltzmann_units lowest, long rows)
{
    ls_descent d = {.count = 0};
    const size_t numbers = (size_t)(rows * widest(net, layer));
    const size_t upper = (size_t)(rows * ls_shape_count(&net->layers[layer]->x[0]));
    d.machine = ls_alloc((size_t)layer, sizeof *d.machine);
    for (int i = machine_below(net, layer), next; i >= 0; i = next) {
        next = machine_below(net, i);
        d.machine[d.count++] =
            ls_boltzmann_create(net->layers[i], next < 0 ? lowest : LS_BOLTZMANN_BERNOULLI,
                                LS_BOLTZMANN_BERNOULLI, rows);
    }
    d.top = ls_alloc(upper, sizeof(real));
    d.states = ls_alloc(numbers, sizeof(real));
    d.inputs = ls_alloc(numbers, sizeof(real));
    return d;
}

void ls_descent_destroy(ls_descent *d)
{
    for (int k = 0; k < d->count; k++)
        ls_boltzmann_destroy(&d->machine[k]);
    ls_free(d->machine);
    ls_free(d->top);
    ls_free(d->states);
    ls_free(d->inputs);
}

size_t ls_descent_bytes(const ls_net *net, int layer, long rows)
{
    const long numbers = 2 * widest(net, layer) + ls_shape_count(&net->layers[layer]->x[0]);
    size_t sum = (size_t)(rows * numbers) * sizeof(real);
    for (int i = machine_below(net, layer); i >= 0; i = machine_below(net, i))
        sum += ls_boltzmann_bytes(net->layers[i], rows);
    return sum;
}

void ls_descent_run(const ls_descent *d, const ls_pass *pass, long rows, const real *h, real *x)
{
    for (int k = 0; k < d->count; k++) {
        const ls_boltzmann *machine = &d->machine[k];
        const ls_boltzmann_units units = machine->visible_units;
        const bool last = k == d->count - 1;
        real *means = last ? x : d->inputs;
        ls_boltzmann_visible_inputs(machine, rows, h, means);
        ls_boltzmann_means(units, rows * machine->visible, means, means);
        if (last)
            return;
        ls_boltzmann_samples(units,
                             ls_random_stream(pass->seed, LS_RANDOM_NOISE, pass->step, pass->draw,
                                              LS_STREAM_DESCENT + (uint32_t)k),
                             pass->row, rows, machine->visible, NULL, means, d->states);
        h = d->states;
    }
}
