/* transform: what a job does to each row of x between the file and the net.
 *
 * A job's spec lines are applied in their order, after the file's scale and offset; each takes the
 * shape that the line before it makes. The random part is a function of (seed, epoch, stage, line,
 * row of the data set, or its place in the epoch where rows are drawn with replacement), so it
 * depends neither on ranks nor on restarts; outside of training (`augment` NULL) it is left out. */
#pragma once
#include "core/spec.h"
#include "io/dataset.h"

/* A row as an image: of shape {height, width, channels}, or {height, width} with one channel. */
typedef struct ls_image {
    long height, width, channels;
} ls_image;

typedef struct ls_transform ls_transform;
typedef struct ls_transform_type {
    const char *name, *help;
    size_t size;              /* of the struct that the options fill */
    const ls_option *options; /* NULL-key terminated */
    bool images; /* a row must be an image: ls_transform_image can take t->x and t->y */
    bool moves;  /* numbers lie elsewhere in the row after it */
    long draws;  /* random numbers that it needs for a row */
    /* Checks the options against t->x; sets t->y where it is not t->x, and t->scratch. LS_USAGE
     * errors. NULL: there is nothing to do. */
    bool (*setup)(ls_transform *t, ls_error *error);
    /* Makes a row y of a row x, which do not overlap. draws: [type->draws] uniform 32-bit numbers;
     * NULL: leave the random part out. */
    void (*apply)(const ls_transform *t, const uint32_t *draws, const real *x, real *y,
                  void *scratch);
    /* Takes back what apply makes of each of n numbers, which are whole pixels of y, in place.
     * NULL: it moves numbers, but does not change them. */
    void (*undo)(const ls_transform *t, long n, real *y);
} ls_transform_type;
extern const ls_transform_type *const ls_transform_types[]; /* NULL-terminated */

struct ls_transform {
    const ls_transform_type *type;
    void *self;     /* the type's own struct, which the options filled */
    ls_shape x, y;  /* of a row */
    size_t scratch; /* bytes that apply may use */
};

ls_image ls_transform_image(const ls_shape *shape);
/* For setup: t->y becomes t->x in another size: {n} is n by n, else {height, width}; 0 leaves a
 * side as it was. LS_USAGE errors. */
bool ls_transform_resize(ls_transform *t, const ls_list *size, ls_error *error);
/* Turns a draw into a decision: true with probability `rate`. */
bool ls_transform_chance(uint32_t draw, double rate);
/* Turns a draw into a whole number of [0, n), all equally likely. */
long ls_transform_pick(uint32_t draw, long n);

enum { LS_TRANSFORMS = 16, LS_TRANSFORM_DRAWS = 64 };
typedef struct ls_transform_chain {
    int count;
    ls_transform line[LS_TRANSFORMS];
    ls_shape x, y;     /* of a row, before the first and after the last line */
    long between;      /* numbers of the largest row that a line makes */
    size_t line_bytes; /* of scratch that one line takes, at most */
} ls_transform_chain;
/* NULL and an LS_USAGE error that names the line. Free with ls_transform_chain_destroy. */
ls_transform_chain *ls_transform_chain_create(const char *lines, const ls_shape *x,
                                              ls_error *error);
void ls_transform_chain_destroy(ls_transform_chain *chain); /* NULL is allowed */
/* Bytes of scratch for ls_transform_chain_apply. */
size_t ls_transform_chain_scratch(const ls_transform_chain *chain);
/* Transforms n rows: x [n, chain->x] to y [n, chain->y]; row[i] is the row of the data set that
 * x[i, :] is, or its place in the epoch. Several threads may do so at a time, each with its own
 * scratch. */
void ls_transform_chain_apply(const ls_transform_chain *chain, const ls_augment *augment,
                              const int64_t *row, long n, const real *x, real *y, void *scratch);
/* Takes back, in place, what the lines make of each of n numbers: whole rows of chain->y. Numbers
 * stay where the lines moved them. */
void ls_transform_chain_undo(const ls_transform_chain *chain, long n, real *y);
