/* conv: the choice among the ways to compute a convolution. */
#include "core/kernels/conv.h"

const ls_conv_kernel *ls_conv_choose(const ls_conv *conv)
{
    static const ls_conv_kernel *const kernels[] = {
        &ls_conv_winograd, &ls_conv_narrow, &ls_conv_depthwise, &ls_conv_direct, &ls_conv_gemm};
    int choice = 0;
    while (!kernels[choice]->suits(conv))
        choice++;
    return kernels[choice];
}
