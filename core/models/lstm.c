/* lstm: layers of long short-term memory (layers/lstm.c). */
#include "core/models/sequence.h"

typedef struct lstm {
    ls_sequence sequence;
    bool peephole, norm;
} lstm;

static const ls_option options[] = {LS_SEQUENCE_OPTIONS,
                                    {"peephole", LS_OPTION_BOOL, offsetof(lstm, peephole), "0", 0,
                                     1, NULL, "the gates see the memory cell of their own unit"},
                                    {"norm", LS_OPTION_BOOL, offsetof(lstm, norm), "0", 0, 1, NULL,
                                     "normalizes the sums of each gate and the cell over the units "
                                     "(Ba et al. 2016)"},
                                    {0}};

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    static const char *const more[2][2] = {{"", "norm=1"}, {"peephole=1", "peephole=1 norm=1"}};
    const lstm *m = self;
    return ls_sequence_write(&m->sequence, "lstm", more[m->peephole][m->norm], input, nets, error);
}

const ls_model_type ls_model_lstm = {
    .name = "lstm",
    .help = "layers of long short-term memory over tokens or features",
    .input = LS_SEQUENCE_INPUT,
    .bench = "lstm classes=98 embed=512",
    .size = sizeof(lstm),
    .options = options,
    .recipe = LS_SEQUENCE_RECIPE,
    .write = write,
};
