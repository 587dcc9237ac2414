/* sequence: the nets that the models rnn, gru and lstm write: layers of recurrent lines over tokens
 * [time] or features [time, features], then a dense line, whose outputs stand for classes: of each
 * step, such as the next token, or with last=1 of the whole sequence. */
#pragma once
#include <stddef.h>

#include "core/model.h"

typedef struct ls_sequence {
    long units, layers, embed, classes, vocabulary;
    bool bidirectional, last, carry, skip;
    double dropout, recurrent_dropout;
} ls_sequence;

/* clang-format off */
/* The options of a model whose private struct begins with an ls_sequence. */
#define LS_SEQUENCE_OPTIONS                                                                        \
    {"classes", LS_OPTION_INT, offsetof(ls_sequence, classes), "0", 0, 1 << 24, NULL,              \
     "outputs of a step, or with last=1 of the sequence; 0: as many as the data's vocabulary has "  \
     "tokens"},                                                                                    \
    {"units", LS_OPTION_INT, offsetof(ls_sequence, units), "512", 1, 1e6, NULL,                    \
     "numbers of a layer's state"},                                                                \
    {"layers", LS_OPTION_INT, offsetof(ls_sequence, layers), "2", 1, 99, NULL,                     \
     "each reads the one below"},                                                                  \
    {"bidirectional", LS_OPTION_BOOL, offsetof(ls_sequence, bidirectional), "0", 0, 1, NULL,       \
     "each layer is two lines, one from either end, side by side"},                                \
    {"last", LS_OPTION_BOOL, offsetof(ls_sequence, last), "0", 0, 1, NULL,                         \
     "1: a class of the whole sequence, from the last state; 0: one of each step"},                \
    {"carry", LS_OPTION_BOOL, offsetof(ls_sequence, carry), "0", 0, 1, NULL,                       \
     "1: the windows of a stream (`unroll` in the job) go on from the states that those before "   \
     "them have left"},                                                                            \
    {"skip", LS_OPTION_BOOL, offsetof(ls_sequence, skip), "0", 0, 1, NULL,                         \
     "1: each layer reads the tokens or features too, and the outputs of a step see all layers "   \
     "(Graves 2013)"},                                                                             \
    {"dropout", LS_OPTION_REAL, offsetof(ls_sequence, dropout), "0", 0, 0.99, NULL,                \
     "share of each layer's outputs dropped in training (Zaremba et al. 2014)"},                   \
    {"recurrent_dropout", LS_OPTION_REAL, offsetof(ls_sequence, recurrent_dropout), "0", 0, 0.99,  \
     NULL,                                                                                         \
     "share of the state that the recurrent products do not see in training, the same units at "   \
     "all steps of a row (Gal and Ghahramani 2016)"},                                              \
    {"embed", LS_OPTION_INT, offsetof(ls_sequence, embed), "0", 0, 1e6, NULL,                      \
     "numbers of a token's learned vector; 0: tokens are one-hot vectors"},                        \
    {"vocabulary", LS_OPTION_INT, offsetof(ls_sequence, vocabulary), "0", 0, 1 << 24, NULL,        \
     "tokens that x may hold; 0: those of the data's vocabulary, else as many as classes"}
/* clang-format on */

/* Writes the net; its recurrent lines are of this type, which the model is called too, and have
 * these options, such as "peephole=1"; "": none. */
bool ls_sequence_write(const ls_sequence *s, const char *type, const char *more,
                       const ls_shape *input, ls_model_nets *nets, ls_error *error);

/* The usual input, and the usual stage: Adam, with the norm of the gradient clipped (Pascanu et al.
 * 2013). */
#define LS_SEQUENCE_INPUT "64"
#define LS_SEQUENCE_RECIPE                                                                         \
    {                                                                                              \
        "supervised loss=cross-entropy", "adam rate=0.002 clip=1", "cosine warmup=0.1", 64, 20     \
    }
