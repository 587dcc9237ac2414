/* weights: the options that layers with a weight and a bias have in common. Their private struct
 * begins with an ls_weights, their option table ends with LS_WEIGHTS_OPTIONS. */
#pragma once
#include <math.h>

#include "core/layers/spectral.h"

typedef struct ls_weights {
    bool bias;
    int init;     /* ls_initializer_kind */
    double scale; /* of normal and uniform; 0: 1 / sqrt(fan_in) */
    ls_spectral spectral;
} ls_weights;

/* clang-format off */
/* He's initialiser, made for ReLU, is the preset: tanh nets of a few layers learn as well with it. */
#define LS_WEIGHTS_OPTIONS                                                                         \
    {"bias", LS_OPTION_BOOL, offsetof(ls_weights, bias), "1", 0, 1, NULL, "adds a learned bias"},  \
    {"init", LS_OPTION_CHOICE, offsetof(ls_weights, init), "he", 0, 0, ls_initializer_names,       \
     "how the weight starts; the bias starts at 0"},                                               \
    {"scale", LS_OPTION_REAL, offsetof(ls_weights, scale), "0", 0, 1e6, NULL,                      \
     "of init=normal (deviation) and uniform (bound); 0: 1/sqrt(inputs of a unit)"},               \
    {"spectral", LS_OPTION_BOOL, offsetof(ls_weights, spectral.on), "0", 0, 1, NULL,               \
     "divides the weight by its largest singular value, by one power iteration a step"}
/* clang-format on */

/* Claims slot 0, "weight", and with a bias slot 1, "bias" [out]. */
static inline void ls_weights_claim(ls_layer *layer, const ls_shape *weight, long out,
                                    double fan_in, double fan_out, const ls_layout *layout)
{
    const ls_weights *weights = layer->self;
    ls_initializer start = {.kind = (ls_initializer_kind)weights->init,
                            .scale = weights->scale > 0 ? weights->scale : 1 / sqrt(fan_in),
                            .fan_in = fan_in,
                            .fan_out = fan_out};
    ls_initializer zero = {.kind = LS_INIT_ZERO};
    ls_shape bias = {1, {out}};
    ls_layer_claim(layer, "weight", LS_SLOT_WEIGHT, weight, &start, layout);
    if (weights->bias)
        ls_layer_claim(layer, "bias", LS_SLOT_BIAS, &bias, &zero, NULL);
}
