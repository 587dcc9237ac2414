/* vgg16: the usual name of `vgg depth=16`. */
#include "core/model.h"

const ls_model_type ls_model_vgg16 = {
    .name = "vgg16",
    .help = "vgg depth=16, with the other options of vgg",
    .stands_for = "vgg depth=16",
    .input = "224,224,3",
    .bench = "vgg16",
};
