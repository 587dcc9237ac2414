/* generate_text: text that a trained recurrent net writes, token after token.
 *
 * The net is built a second time over rows of one token, whose recurrent lines go on from step to
 * step; its parameters, which do not depend on the number of steps, are those that were loaded.
 *
 *     prime -> tokens --net, one at a time--> logits -> draw -> token -> text
 *                        ^                                        |
 *                        +---------------------------------------+
 */
#include "launch/apply/generate_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/choice.h"
#include "core/memory.h"
#include "core/print.h"
#include "core/safe_text.h"
#include "core/utf8.h"
#include "core/workspace.h"
#include "dist/board.h"
#include "io/import/text_reader.h"

typedef struct writer {
    const ls_forward *forward;
    const ls_vocabulary *vocabulary;
    ls_params *params;
    ls_net *net[LS_MODEL_NETS];
    real *prepared;
    ls_objective *objective;
    ls_workspace *space;
    ls_carried state; /* of the net's lines */
    ls_choice choice;
    const real *logits; /* after the last token that the net has read */
    real *known;        /* [tokens] those of tokens that may be drawn */
    char pending[4];    /* bytes of a character that is not complete */
    size_t waiting;     /* of them */
    bool apart, broken; /* a word may follow without a blank; the last byte is a line break */
} writer;

/* Whether the parameters are of the shapes of those that were loaded. */
static bool same_shapes(const ls_params *own, const ls_params *loaded, ls_error *error)
{
    char here[96], there[96];
    int k = 0;
    while (k < own->count && k < loaded->count &&
           ls_shape_equal(&own->slots[k].shape, &loaded->slots[k].shape))
        k++;
    if (k == own->count && k == loaded->count)
        return true;
    ls_check(k < own->count && k < loaded->count, "%d parameters, loaded were %d", own->count,
             loaded->count);
    return ls_error_set(error, LS_USAGE,
                        "%s depends on the number of steps (it is %s for a row, and %s for one "
                        "token): a line that takes each step alone (each=1), or a recurrent one, "
                        "does not",
                        own->slots[k].name,
                        ls_shape_text(&loaded->slots[k].shape, there, sizeof there),
                        ls_shape_text(&own->slots[k].shape, here, sizeof here));
}

/* Whether no line needs tokens that are not written yet. */
static bool check_lines(const ls_net *net, ls_error *error)
{
    for (int i = 0; i < net->count; i++)
        if (ls_layer_looks_ahead(net->layers[i]))
            return ls_error_set(error, LS_USAGE,
                                "%s/%s (%s) takes several steps together, or later ones first; a "
                                "line must treat each step alone, or carry a state from step to "
                                "step (rnn, gru, lstm)",
                                net->name, net->layers[i]->name, net->layers[i]->type->name);
    return true;
}

/* Builds the nets over rows of one token. */
static bool build_nets(writer *w, ls_error *error)
{
    const ls_session *session = &w->forward->saved.session;
    const ls_shape one = {1, {1}};
    const ls_build build = {.exact_conv = session->job->exact_conv, .carry = true};
    ls_model_nets nets;
    bool ok = ls_session_write_nets(session, &one, &nets, error);
    const int count = ok ? nets.count : 0;
    w->params = ls_params_create();
    for (int i = 0; ok && i < count; i++) {
        if (!(ok = check_lines(session->net[i], error)))
            break;
        w->net[i] = ls_net_build(w->params, &build, nets.name[i], nets.lines[i], &one, error);
        ok = w->net[i] != NULL;
    }
    if (count)
        ls_model_release(&nets);
    return (ok && same_shapes(w->params, session->params, error)) ||
           ls_error_prefix(error, "the net can't be applied to text token after token");
}

/* The objective says which net gives the logits. */
static bool find_net(writer *w, ls_error *error)
{
    const ls_session *session = &w->forward->saved.session;
    for (int i = 0; i < session->task.nets; i++)
        if (w->net[i]->y.rank < 2)
            return ls_error_set(error, LS_USAGE,
                                "'%s' gives one output for all steps (last=1?): text is "
                                "written by a net that predicts the next token at each step",
                                w->net[i]->name);
    const ls_task task = {.params = w->params,
                          .net = w->net,
                          .nets = session->task.nets,
                          .x = {1, {1}},
                          .y = {1, {1}},
                          .has_y = true,
                          .inference = true,
                          .classes = w->vocabulary->count};
    const char *text = session->job->stage[w->forward->stage].objective;
    w->objective = ls_objective_create(text, &task, error);
    if (!w->objective)
        return false;
    const ls_net *net = w->objective->outputs.logits;
    if (!net)
        return ls_error_set(error, LS_USAGE,
                            "the objective %s gives no logits of the next token: text is written "
                            "by a net that was trained to predict it (loss=cross-entropy)",
                            w->objective->type->name);
    return ls_shape_count(&net->y) == w->vocabulary->count ||
           ls_error_set(error, LS_USAGE,
                        "the net has %ld outputs, but its vocabulary has %ld tokens to choose from",
                        ls_shape_count(&net->y), w->vocabulary->count);
}

/* Memory for one row, and the prepared weights. */
static void begin(writer *w)
{
    const ls_net *net = w->objective->outputs.logits;
    const ls_forward_arguments *a = &w->forward->arguments;
    const uint64_t seed = (uint64_t)(a->seed >= 0 ? a->seed : w->forward->saved.job->seed);
    const size_t classes = (size_t)w->vocabulary->count;
    w->prepared = ls_alloc((size_t)w->params->prepared_size, sizeof *w->prepared);
    ls_params_commit(w->params, w->forward->saved.session.params->values, w->prepared);
    ls_net_prepare(net, NULL, 0, 1);
    w->space = ls_workspace_create(net, 1, LS_INFERENCE);
    w->state = (ls_carried){.rows = 1,
                            .data = ls_alloc((size_t)ls_net_carried(net), sizeof *w->state.data)};
    w->known = ls_alloc(classes, sizeof *w->known);
    w->choice = (ls_choice){.temperature = a->text.temperature,
                            .top = a->text.top,
                            .stream = ls_random_stream(seed, LS_RANDOM_NOISE, 0, 0, LS_STREAM_TEXT),
                            .weight = ls_alloc(classes, sizeof(double)),
                            .order = ls_alloc(classes, sizeof(real))};
}

static void end(writer *w)
{
    ls_workspace_destroy(w->space);
    ls_objective_destroy(w->objective);
    for (int i = 0; i < LS_MODEL_NETS; i++)
        ls_net_destroy(w->net[i]);
    ls_params_destroy(w->params);
    ls_free(w->prepared);
    ls_free(w->state.data);
    ls_free(w->known);
    ls_free(w->choice.weight);
    ls_free(w->choice.order);
}

/* The net reads a token. */
static void read_token(writer *w, long token)
{
    const real x = (real)token;
    const ls_pass pass = {.stream = &w->state};
    w->logits = ls_workspace_forward(w->space, &pass, &x, 1);
}

/* Bytes of text to stdout; a terminal gets them made safe, but for what moves on in a text. */
static void put_bytes(const char *bytes, size_t size)
{
    char safe[4 * LS_VOCABULARY_TOKEN + 1];
    const bool plain = size == 1 && (bytes[0] == '\n' || bytes[0] == '\t');
    if (plain || !isatty(STDOUT_FILENO))
        fwrite(bytes, 1, size, stdout);
    else
        fwrite(safe, 1, ls_safe_text(safe, sizeof safe, bytes, size), stdout);
}

/* Bytes come one by one: those of a character go out together. */
static void put_byte(writer *w, char byte)
{
    unsigned long code;
    w->pending[w->waiting++] = byte;
    const size_t wanted = ls_utf8_length(w->pending[0]);
    const bool inside = w->waiting == 1 || ((unsigned char)byte & 0xc0) == 0x80;
    if (w->waiting < wanted && inside)
        return;
    if (!inside && !ls_utf8_decode(w->pending, w->waiting, &code)) {
        put_bytes(w->pending, w->waiting - 1);
        w->waiting = 0;
        put_byte(w, byte);
        return;
    }
    put_bytes(w->pending, w->waiting);
    w->waiting = 0;
}

static void put_token(writer *w, long token)
{
    const ls_token *t = &w->vocabulary->token[token];
    const bool breaks = t->size == 1 && t->bytes[0] == '\n';
    if (w->vocabulary->level == LS_VOCABULARY_WORD && !w->apart && !breaks)
        put_bytes(" ", 1);
    if (w->vocabulary->level == LS_VOCABULARY_BYTE)
        put_byte(w, t->bytes[0]);
    else
        put_bytes(t->bytes, t->size);
    w->apart = w->broken = breaks;
    fflush(stdout);
}

/* The prime, as it was given. */
static void put_prime(writer *w, const char *prime)
{
    const size_t size = strlen(prime);
    const char last = size ? prime[size - 1] : '\n';
    for (size_t i = 0; i < size; i++)
        put_byte(w, prime[i]);
    w->broken = size && last == '\n';
    w->apart = ls_vocabulary_is_space(last);
}

/* The number of a token of the prime. */
static long number_of(const writer *w, const ls_text_reader *reader, ls_token token,
                      ls_error *error)
{
    const long number = ls_vocabulary_find(w->vocabulary, token);
    if (number < 0 && w->vocabulary->unknown < 0)
        ls_error_set(error, LS_USAGE,
                     "--prime: '%.*s' at byte %ld is not in the vocabulary of %s, so the net does "
                     "not know it: leave it out",
                     (int)token.size, token.bytes, reader->place - (long)token.size,
                     w->forward->saved.path);
    return number < 0 ? w->vocabulary->unknown : number;
}

/* The tokens of the prime into tokens[as many as it has bytes]; their number, -1 and an error. */
static long encode_prime(const writer *w, const char *prime, long *tokens, ls_error *error)
{
    ls_text_reader reader;
    ls_token token;
    long count = 0;
    ls_text_reader_open_memory(&reader, "--prime", w->vocabulary->level, prime, strlen(prime));
    while (count >= 0 && ls_text_reader_next(&reader, &token, error) && token.size) {
        const long number = number_of(w, &reader, token, error);
        tokens[count] = number;
        count = number < 0 ? -1 : count + 1;
    }
    const bool all = reader.from == reader.to;
    ls_text_reader_close(&reader);
    return all ? count : -1;
}

/* The net reads the prime, or where there is none a line break, which is not written. */
static bool read_prime(writer *w, ls_error *error)
{
    static const ls_token line_break = {"\n", 1};
    const char *prime = w->forward->arguments.text.prime ? w->forward->arguments.text.prime : "";
    const long first = ls_vocabulary_find(w->vocabulary, line_break);
    long *tokens = ls_alloc(strlen(prime), sizeof *tokens);
    const long count = encode_prime(w, prime, tokens, error);
    long unknown = 0;
    for (long i = 0; i < count; i++) {
        unknown += tokens[i] == w->vocabulary->unknown;
        read_token(w, tokens[i]);
    }
    ls_free(tokens);
    if (unknown)
        ls_print(stderr,
                 "lockstep: --prime: of its %ld tokens %ld are not in the vocabulary: the net "
                 "takes them for the unknown one\n",
                 count, unknown);
    if (count == 0)
        read_token(w, first >= 0                    ? first
                      : w->vocabulary->unknown >= 0 ? w->vocabulary->unknown
                                                    : 0);
    if (count >= 0)
        put_prime(w, prime);
    return count >= 0;
}

/* Any token but the one for unknown ones, which stands for no text. */
static long draw_token(writer *w, uint64_t number)
{
    const long classes = w->vocabulary->count;
    memcpy(w->known, w->logits, (size_t)classes * sizeof *w->known);
    if (w->vocabulary->unknown >= 0)
        w->known[w->vocabulary->unknown] = -INFINITY;
    return ls_choice_draw(&w->choice, w->known, classes, number);
}

static bool write_text(writer *w, ls_error *error)
{
    /* A pager may leave the text unread for hours, which is no halt of this rank (stall.h). */
    ls_board_turn(w->forward->comm->board, LS_ACTIVITY_REPORTING);
    begin(w);
    if (!read_prime(w, error))
        return false;
    for (long i = 0; i < w->forward->arguments.text.length && !ferror(stdout); i++) {
        const long token = draw_token(w, (uint64_t)i);
        if (token < 0)
            return ls_error_set(error, LS_NUMERIC,
                                "token %ld: the logits of the net are not finite: its weights are "
                                "damaged or too large, take an earlier checkpoint",
                                i + 1);
        put_token(w, token);
        read_token(w, token);
    }
    put_bytes(w->pending, w->waiting);
    if (!w->broken)
        put_bytes("\n", 1);
    fflush(stdout); /* process.c tells of what could not be written */
    return true;
}

bool ls_generate_text(ls_forward *f, ls_error *error)
{
    writer w = {.forward = f, .vocabulary = f->saved.vocabulary};
    const bool first = f->comm->rank == 0;
    const bool ok =
        !first || (build_nets(&w, error) && find_net(&w, error) && write_text(&w, error));
    if (first)
        end(&w);
    return ls_comm_agree(f->comm, ok, error);
}
