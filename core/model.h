/* model: named nets with default stages. `lenet classes=10` writes spec lines; a line in
 * models.def, a file in core/models. */
#pragma once
#include <stdio.h>

#include "core/spec.h"
#include "core/tensor.h"

enum { LS_MODEL_NETS = 4, LS_MODEL_OPTION = 5 * LS_WORD };

/* A default stage: the keys that a job's stage leaves out take these. */
typedef struct ls_recipe {
    const char *objective;
    const char *optimizer; /* of all phases, or a line for each: "generator: adam rate=2e-4" */
    const char *schedule;
    long batch, epochs;
} ls_recipe;

/* The default stages of a model, in order. The texts are owned by the list:
 * ls_model_release_stages. */
typedef struct ls_recipe_list {
    int count;
    ls_recipe *at;
} ls_recipe_list;

/* The spec lines of each net of a model. The texts are owned by the caller: ls_model_release. */
typedef struct ls_model_nets {
    int count;
    long vocabulary; /* given to `write`: the tokens of the data's vocabulary; 0: it has none */
    char name[LS_MODEL_NETS][LS_WORD];
    char *lines[LS_MODEL_NETS];
} ls_model_nets;

typedef struct ls_model_type {
    const char *name, *help;
    const char *stands_for; /* the spec that a short name is for: "vgg depth=16"; then there are no
                               options, stages and write; NULL: a model of its own */
    const char *input;      /* the usual input, for `list --model` and `bench`: "28,28,1" */
    const char *bench;      /* the options that `bench` measures: "widths=784,1024,1024,10" */
    const char *nets;       /* the names of its nets: "encoder decoder"; NULL: "net" */
    const char *fills;      /* of the options, those that only its default stages hear of: "loss
                               noise"; NULL: none */
    size_t size;
    const ls_option *options;
    ls_recipe recipe; /* its only stage, unless it has `stages` */
    /* Appends its default stages by ls_model_add_stage. They depend on the options only, so that
     * they are known before the data. */
    void (*stages)(const void *options, ls_recipe_list *list);
    /* Writes the spec lines of its nets by ls_model_add. `input` is the shape of the data's row. */
    bool (*write)(const void *options, const ls_shape *input, ls_model_nets *nets, ls_error *error);
} ls_model_type;

extern const ls_model_type *const ls_model_types[]; /* NULL-terminated */
const ls_model_type *ls_model_find(const char *name);
/* `text` is a spec: "mlp widths=784,256,10 activation=relu". LS_USAGE errors. */
bool ls_model_write(const char *text, const ls_shape *input, ls_model_nets *nets, ls_error *error);
/* The same where there is no data set: for rows of the shape `input`, as "28,28,1", or of the
 * model's usual one (NULL), which *shape becomes. LS_USAGE errors; those about usual rows say so.
 */
bool ls_model_write_rows(const char *text, const char *input, ls_shape *shape, ls_model_nets *nets,
                         ls_error *error);
/* The same for nets of which some are there already (ls_model_put): adds the model's others. If all
 * nets of the model are there, it writes none, and any input will do. A name that the model does
 * not have is an LS_USAGE error too. On errors, nets is released. */
bool ls_model_complete(const char *text, const ls_shape *input, ls_model_nets *nets,
                       ls_error *error);
void ls_model_release(ls_model_nets *nets);
/* Puts these lines in place of those of the net `name`, or appends the net. */
void ls_model_put(ls_model_nets *nets, const char *name, const char *lines);
/* The model `text` without the k-th of its options that only its default stages hear of, to be
 * freed; `option` gets that one as "noise=0.3". NULL: it has not so many. */
char *ls_model_drop(const char *text, int k, char option[LS_MODEL_OPTION]);
/* The default stages of the model `text`, at least one. LS_USAGE errors. */
bool ls_model_stages(const char *text, ls_recipe_list *list, ls_error *error);
void ls_model_release_stages(ls_recipe_list *list);
/* For `stages`: appends a copy, texts included. */
void ls_model_add_stage(ls_recipe_list *list, const ls_recipe *recipe);
/* For `write`: appends spec lines, each with its \n, to net `name`; the first call makes it. */
void ls_model_add(ls_model_nets *nets, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* For `write`: the net's own input, where it is not a row of the data. Writes the first line of the
 * net: `input 7,7,64`. */
void ls_model_input(ls_model_nets *nets, const char *name, const ls_shape *shape);
/* For models of images: whether a row is height x width x channels with sides of at least `least`;
 * else an LS_USAGE error. */
bool ls_model_takes(const char *model, const ls_shape *input, long least, ls_error *error);
/* For models with width=: that share of `units` channels or units, at least 1. */
long ls_model_units(double width, long units);
