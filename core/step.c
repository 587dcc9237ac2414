/* step: norms, clipping, direction, ratio and update in their order. */
#include "core/step.h"

#include "core/squares.h"

void ls_step_update(const ls_step *step, double rate, double weight, long count)
{
    const ls_optimizer *optimizer = step->optimizer;
    const ls_params *params = step->params;
    double norm2 = ls_squares_total(params, step->gradient2) / (weight * weight);
    const ls_update update = {.params = params,
                              .slots = step->slots,
                              .part = step->part,
                              .gradient = step->gradient,
                              .state = step->state,
                              .rate = rate,
                              .scale = ls_optimizer_clip(optimizer, norm2) / weight,
                              .mean = 1 / weight,
                              .decay = optimizer->decay,
                              .count = count,
                              .value2 = step->value2,
                              .gradient2 = step->gradient2};
    if (ls_optimizer_direct(optimizer, &update))
        step->measure(step->context, step->gradient, step->slots, step->gradient2);
    if (optimizer->type->ratio)
        step->measure(step->context, params->values, step->slots, step->value2);
    ls_optimizer_update(optimizer, &update);
}
