/* sequence: the spec lines of recurrent nets. */
#include "core/models/sequence.h"

/* How many different tokens there are: where each step has an output, they are taken to be as many
 * as its classes. 0 and an error. */
static long count_tokens(const ls_sequence *s, const char *type, const ls_model_nets *nets,
                         ls_error *error)
{
    const long vocabulary = s->vocabulary      ? s->vocabulary
                            : nets->vocabulary ? nets->vocabulary
                            : s->last          ? 0
                                               : s->classes;
    if (!vocabulary)
        ls_error_set(error, LS_USAGE,
                     "%s: the option vocabulary is missing: a row of the data is of tokens, how "
                     "many different ones are there? (with last=1 classes= does not tell)",
                     type);
    return vocabulary;
}

static void add_tokens(const ls_sequence *s, long vocabulary, ls_model_nets *nets)
{
    if (s->embed)
        ls_model_add(nets, "net", "tokens: embedding vocabulary=%ld width=%ld\n", vocabulary,
                     s->embed);
    else
        ls_model_add(nets, "net", "tokens: onehot vocabulary=%ld\n", vocabulary);
}

/* The outputs of a step; 0 and an error. */
static long count_classes(const ls_sequence *s, const char *type, const ls_model_nets *nets,
                          ls_error *error)
{
    const long classes = s->classes || s->last ? s->classes : nets->vocabulary;
    if (!classes)
        ls_error_set(error, LS_USAGE,
                     "%s: the option classes is missing: how many are there to tell apart? (Only "
                     "for the next token of text that `lockstep import text` has imported it is "
                     "known)",
                     type);
    return classes;
}

static bool check_input(const ls_sequence *s, const char *type, const ls_shape *input,
                        ls_error *error)
{
    char text[96];
    const bool features = input->rank == 2;
    if (input->rank != 1 && !features)
        return ls_error_set(error, LS_USAGE,
                            "%s: takes sequences, a row of tokens [time] or of features [time, "
                            "features], but a row of the data is %s",
                            type, ls_shape_text(input, text, sizeof text));
    return !features || (!s->embed && !s->vocabulary) ||
           ls_error_set(error, LS_USAGE,
                        "%s: %s= is for tokens, but a row of the data is %s, which are features; "
                        "leave it out",
                        type, s->embed ? "embed" : "vocabulary",
                        ls_shape_text(input, text, sizeof text));
}

static bool check_skip(const ls_sequence *s, const char *type, ls_error *error)
{
    if (s->skip && s->last)
        return ls_error_set(error, LS_USAGE,
                            "%s: skip=1 leads the outputs of all layers to those of each step, "
                            "which last=1 has none of: leave one of them out",
                            type);
    return !s->skip || s->layers <= LS_SPEC_INPUTS ||
           ls_error_set(error, LS_USAGE, "%s: skip=1 is for at most %d layers, found layers=%ld",
                        type, LS_SPEC_INPUTS, s->layers);
}

/* With skip=1: what the layers give, side by side. */
static void add_all(const ls_sequence *s, ls_model_nets *nets)
{
    for (long i = 1; i <= s->layers; i++)
        ls_model_add(nets, "net", "%s%s%ld", i == 1 ? "all: concat @" : ",",
                     s->dropout > 0 ? "dropped" : "layer", i);
    ls_model_add(nets, "net", "\n");
}

/* One layer of the stack, over the line `below`, which becomes the name of this layer's, and with
 * skip=1 over the line `first` too. `line` is a recurrent line without its input. */
static void add_layer(const ls_sequence *s, const char *line, long number, const char *first,
                      char below[LS_WORD], ls_model_nets *nets)
{
    if (s->skip && number > 1) {
        ls_model_add(nets, "net", "below%ld: concat @%s,%s\n", number, first, below);
        snprintf(below, LS_WORD, "below%ld", number);
    }
    const char *last = s->last && number == s->layers ? " last=1" : "";
    if (s->bidirectional) {
        ls_model_add(nets, "net", "forward%ld: %s%s @%s\n", number, line, last, below);
        ls_model_add(nets, "net", "backward%ld: %s%s reverse=1 @%s\n", number, line, last, below);
        ls_model_add(nets, "net", "layer%ld: concat @forward%ld,backward%ld\n", number, number,
                     number);
    } else {
        ls_model_add(nets, "net", "layer%ld: %s%s @%s\n", number, line, last, below);
    }
    snprintf(below, LS_WORD, "layer%ld", number);
    if (s->dropout > 0) {
        ls_model_add(nets, "net", "dropped%ld: dropout rate=%g\n", number, s->dropout);
        snprintf(below, LS_WORD, "dropped%ld", number);
    }
}

bool ls_sequence_write(const ls_sequence *s, const char *type, const char *more,
                       const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    char below[LS_WORD], line[4 * LS_WORD], dropped[LS_WORD] = "";
    const char *const first = input->rank == 1 ? "tokens" : "input";
    const long classes = count_classes(s, type, nets, error);
    if (!classes || !check_input(s, type, input, error) || !check_skip(s, type, error))
        return false;
    if (s->carry && s->bidirectional)
        return ls_error_set(error, LS_USAGE,
                            "%s: bidirectional=1 reads a row from its end too, which carry=1 can't "
                            "go on from: leave one of them out",
                            type);
    if (s->recurrent_dropout > 0)
        snprintf(dropped, sizeof dropped, " recurrent_dropout=%g", s->recurrent_dropout);
    snprintf(line, sizeof line, "%s units=%ld%s%s%s%s", type, s->units, *more ? " " : "", more,
             s->carry ? " carry=1" : "", dropped);
    if (input->rank == 1) {
        const long vocabulary = count_tokens(s, type, nets, error);
        if (!vocabulary)
            return false;
        add_tokens(s, vocabulary, nets);
    }
    snprintf(below, sizeof below, "%s", first);
    for (long i = 1; i <= s->layers; i++)
        add_layer(s, line, i, first, below, nets);
    if (s->skip && s->layers > 1)
        add_all(s, nets);
    ls_model_add(nets, "net", "output: dense units=%ld%s init=xavier\n", classes,
                 s->last ? "" : " each=1");
    return true;
}
