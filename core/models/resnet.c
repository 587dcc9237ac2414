/* resnet: the residual nets of He, Zhang, Ren and Sun 2016, for large images (table 1) and for
 * small ones (section 4.2).
 *
 * A block adds its input to what its convolutions make of it; where the two differ in shape, the
 * input goes through a 1x1 convolution (option B of the paper, for small images too). In blocks of
 * three convolutions the 3x3 one has the stride, as in torchvision; so have the names, with _ for
 * its dots. ResNet-50 has 25,557,032 parameters at 3 channels and 1000 classes. */
#include <stddef.h>

#include "core/model.h"

typedef struct resnet {
    int depth, stem; /* indices into depths and plans; into stems */
    long classes;
    double width;
    bool zero_init;
} resnet;

enum { IMAGENET, CIFAR };
static const char *const stems[] = {"imagenet", "cifar", NULL};

/* The convolutions of a block: kernel, whether it takes the block's stride, factor on channels. */
typedef struct part {
    long kernel;
    bool strided;
    long factor;
} part;
static const part basic[] = {{3, true, 1}, {3, false, 1}, {0}};
static const part bottleneck[] = {{1, false, 1}, {3, true, 1}, {1, false, 4}, {0}};

enum { GROUPS = 4 };
static const char *const depths[] = {"18", "34", "50", "101", "152", "20", "32", "44", "56", NULL};
static const struct plan {
    int stem;
    const part *parts;
    int blocks[GROUPS];
} plans[] = {
    {IMAGENET, basic, {2, 2, 2, 2}},       {IMAGENET, basic, {3, 4, 6, 3}},
    {IMAGENET, bottleneck, {3, 4, 6, 3}},  {IMAGENET, bottleneck, {3, 4, 23, 3}},
    {IMAGENET, bottleneck, {3, 8, 36, 3}}, {CIFAR, basic, {3, 3, 3, 0}},
    {CIFAR, basic, {5, 5, 5, 0}},          {CIFAR, basic, {7, 7, 7, 0}},
    {CIFAR, basic, {9, 9, 9, 0}},
};

static const ls_option options[] = {
    {"depth", LS_OPTION_CHOICE, offsetof(resnet, depth), "50", 0, 0, depths,
     "layers with weights: up to 152 with stem=imagenet, 20, 32, 44 and 56 with stem=cifar"},
    {"stem", LS_OPTION_CHOICE, offsetof(resnet, stem), "imagenet", 0, 0, stems,
     "imagenet: 7x7 stride 2 and a pool, four groups of 64 channels and more; cifar: 3x3, three "
     "groups of 16, 32 and 64 channels"},
    {"classes", LS_OPTION_INT, offsetof(resnet, classes), "1000", 2, 1e9, NULL, "output classes"},
    {"width", LS_OPTION_REAL, offsetof(resnet, width), "1", 1e-3, 100, NULL,
     "factor on the channels"},
    {"zero_init", LS_OPTION_BOOL, offsetof(resnet, zero_init), "0", 0, 1, NULL,
     "each block begins as the identity: the scale of its last norm starts at 0"},
    {0}};

/* The last line written so far, and the channels of its output. */
typedef struct last {
    char line[LS_WORD];
    long channels;
} last;

/* maps: channels of the block before the last factor. */
static void add_block(ls_model_nets *nets, const resnet *r, const char *block, long maps,
                      long stride, last *input)
{
    const part *p = plans[r->depth].parts;
    char shortcut[LS_WORD];
    snprintf(shortcut, sizeof shortcut, "%s", input->line);
    int k = 0;
    long out = 0;
    for (; p[k].kernel; k++) {
        out = maps * p[k].factor;
        if (k)
            ls_model_add(nets, "net", "%s_bn%d: batchnorm relu=1\n", block, k);
        ls_model_add(nets, "net",
                     "%s_conv%d: conv2d out=%ld kernel=%ld stride=%ld pad=%ld bias=0\n", block,
                     k + 1, out, p[k].kernel, p[k].strided ? stride : 1, p[k].kernel / 2);
    }
    if (stride > 1 || out != input->channels) {
        ls_model_add(nets, "net",
                     "%s_downsample_0: conv2d @%s out=%ld kernel=1 stride=%ld bias=0\n"
                     "%s_downsample_1: batchnorm\n",
                     block, input->line, out, stride, block);
        snprintf(shortcut, sizeof shortcut, "%s_downsample_1", block);
    }
    snprintf(input->line, sizeof input->line, "%s_bn%d", block, k);
    input->channels = out;
    ls_model_add(nets, "net", "%s: batchnorm @%s_conv%d,%s relu=1%s\n", input->line, block, k,
                 shortcut, r->zero_init ? " scale=0" : "");
}

static void stages(const void *self, ls_recipe_list *list)
{
    ls_recipe recipe = {"supervised loss=cross-entropy",
                        "momentum rate=0.1 momentum=0.9 decay=1e-4", "step every=30 gamma=0.1", 256,
                        90};
    if (((const resnet *)self)->stem == CIFAR) { /* section 4.2 */
        recipe.schedule = "multistep at=82,123 gamma=0.1";
        recipe.batch = 128;
        recipe.epochs = 164;
    }
    ls_model_add_stage(list, &recipe);
}

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const resnet *r = self;
    const struct plan *plan = &plans[r->depth];
    if (!ls_model_takes("resnet", input, 1, error))
        return false;
    if (plan->stem != r->stem)
        return ls_error_set(error, LS_USAGE,
                            "resnet: depth=%s goes with stem=%s, but here is stem=%s",
                            depths[r->depth], stems[plan->stem], stems[r->stem]);
    long maps = ls_model_units(r->width, plan->stem == CIFAR ? 16 : 64);
    last line = {"bn1", maps};
    ls_model_add(nets, "net", "conv1: conv2d out=%ld %s bias=0\nbn1: batchnorm relu=1\n", maps,
                 plan->stem == CIFAR ? "kernel=3 pad=1" : "kernel=7 stride=2 pad=3");
    if (plan->stem == IMAGENET) {
        ls_model_add(nets, "net", "maxpool: maxpool kernel=3 stride=2 pad=1\n");
        line = (last){"maxpool", maps};
    }
    for (int g = 0; g < GROUPS; g++, maps *= 2)
        for (int b = 0; b < plan->blocks[g]; b++) {
            char block[32];
            snprintf(block, sizeof block, "layer%d_%d", g + 1, b);
            add_block(nets, r, block, maps, g > 0 && b == 0 ? 2 : 1, &line);
        }
    ls_model_add(nets, "net", "avgpool: avgpool global=1\nfc: dense units=%ld\n", r->classes);
    return true;
}

const ls_model_type ls_model_resnet = {
    .name = "resnet",
    .help = "residual net",
    .input = "224,224,3",
    .bench = "resnet depth=50",
    .size = sizeof(resnet),
    .options = options,
    .stages = stages,
    .write = write,
};
