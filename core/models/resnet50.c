/* resnet50: the usual name of `resnet depth=50`. */
#include "core/model.h"

const ls_model_type ls_model_resnet50 = {
    .name = "resnet50",
    .help = "resnet depth=50, with the other options of resnet",
    .stands_for = "resnet depth=50",
    .input = "224,224,3",
    .bench = "resnet50",
};
