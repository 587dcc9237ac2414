/* dataset: a data file, opened and checked: its splits, their shapes and types, and their rows.
 *
 * A data file holds groups train, valid and test, each with x [rows, ...] and, where there are
 * targets, y, and where rows are sequences of unequal length, length; or x_train, y_train, ... at
 * the root. Attributes of x: scale and offset (x = scale * stored + offset), which are the same in
 * all splits of one stored type, layout; of y: classes.
 *
 * y of shape [rows] or [rows, 1] holds labels where its numbers are whole or where it has the
 * attribute `classes`; the shape of a row is then {}. y of another shape, [rows, steps], holds a
 * label for each step of a row where it has that attribute. The attribute `ignore` of labels is a
 * number that stands for none: ls_dataset_read gives -1 for it, and losses do not count it. Other y
 * are targets of regression. x and targets of shape [rows] count as [rows, 1].
 *
 * A file without y whose x are whole numbers of shape [tokens] holds a stream of tokens, which
 * ls_dataset_unroll cuts into rows; x may then have the attribute `classes`, as y.
 *
 * length [rows] says how many steps of each row of x count, 1 to all, where the first dimension of
 * a row is time. What x holds behind them is never looked at, be it NaN, and reads as 0; so do
 * labels of steps there, and targets [rows, steps] or [rows, steps, ...] of as many steps. */
#pragma once
#include "core/check.h"
#include "core/loss.h"
#include "core/tensor.h"
#include "io/vocabulary.h"

/* One HDF5 data set. */
typedef struct ls_array {
    ls_dtype type;
    long rows;
    ls_shape shape;       /* of a row; {} for one label */
    double scale, offset; /* value = scale * stored + offset; 1, 0 */
    /* The byte of the file where the rows begin, to be read by pread; -1: they are in chunks or not
     * in native byte order, and are read through HDF5. */
    long start;
    long chunk_rows;              /* rows of a chunk; 0: they are not in chunks */
    double chunk_bytes, unpacked; /* bytes of a chunk, and of all chunks, unpacked */
    double kept;                  /* of these, how many are kept unpacked: a row of others unpacks
                                   * its chunk */
    char path[64];                /* "train/x" */
} ls_array;

typedef struct ls_split {
    char name[16];
    bool present, has_y;
    bool labelled; /* y holds labels: one a row, or one a step */
    bool ignores;  /* ... of which those that are `ignore` stand for none */
    long ignore;
    ls_array x, y;
    const int32_t *length; /* [rows of x] steps that count; NULL: all */
    ls_shape row;          /* of a row of x as ls_dataset_read gives it: transformed */
    /* Of labels: the attribute, of any split; else the largest label of all splits + 1. 0: there
     * are no labels. */
    long classes;
    uint64_t labels; /* a digest of all labels; 0: there are none */
    long tokens;     /* of the stream that the rows are windows of; 0: they are not */
} ls_split;

typedef enum { LS_TRAIN, LS_VALID, LS_TEST, LS_SPLITS } ls_split_id;
extern const char *const ls_split_names[LS_SPLITS]; /* "train", "valid", "test" */

typedef struct ls_dataset ls_dataset;
/* Opens a data file and checks its structure, types and sizes, and that labels are in range. NULL
 * and an LS_DATA error that names file, data set, what was found and what was expected. Every rank
 * opens the file for itself. */
ls_dataset *ls_dataset_open(const char *path, ls_error *error);
void ls_dataset_close(ls_dataset *data); /* NULL is allowed */
/* Rows of one split that a program holds in memory. */
typedef struct ls_dataset_rows {
    long rows;              /* 0: there is no such split */
    const real *x, *y;      /* borrowed; y NULL: there are no targets */
    ls_shape x_shape;       /* of a row */
    ls_shape y_shape;       /* of a row; rank 0, or with classes: y holds labels */
    long classes;           /* of labels; 0: the largest label + 1 */
    const uint8_t *x_bytes; /* in place of x, which is then byte / 255; NULL: there is x */
    const int32_t *length;  /* [rows]; borrowed; NULL: all steps of all rows count */
} ls_dataset_rows;
/* A data set of such rows, splits[LS_SPLITS]; `name` stands for the path in messages. Checked as a
 * file is. Close with ls_dataset_close. */
ls_dataset *ls_dataset_open_rows(const char *name, const ls_dataset_rows *splits, ls_error *error);
/* Says on stderr that the file is read without a lock (h5/h5_lock.h), if it is. For one rank. */
void ls_dataset_lock_notice(const ls_dataset *data);
bool ls_dataset_in_memory(const ls_dataset *data); /* made by ls_dataset_open_rows */
const char *ls_dataset_path(const ls_dataset *data);
/* Names at the root of the file that are not used, with what they may mean: "val (the name for such
 * rows is valid)"; "" where all are. */
const char *ls_dataset_unused(const ls_dataset *data);
/* From now on up to `bytes` of the chunks of a split are kept unpacked, but not less than before.
 * Not while other threads read. An error where an array can't be opened again. */
bool ls_dataset_keep(ls_dataset *data, ls_split_id split, double bytes, ls_error *error);
/* Whether chunks of a split's x are not kept, so that most rows of a random order unpack one; then
 * text[size] says so, and what helps. */
bool ls_dataset_unpacks(const ls_dataset *data, ls_split_id split, char *text, size_t size);
double ls_dataset_kept(const ls_dataset *data); /* bytes of all splits, at most */
/* If the targets of a split look like class labels, writes how they become labels into text[size];
 * else "". Reads all of them. */
void ls_dataset_advise(ls_dataset *data, ls_split_id split, char *text, size_t size);
/* Whether rows of any split are sequences of unequal length. */
bool ls_dataset_has_lengths(const ls_dataset *data);
const ls_split *ls_dataset_split(const ls_dataset *data, ls_split_id split);
/* "train" -> LS_TRAIN; LS_SPLITS where the name is unknown or NULL. */
ls_split_id ls_split_find(const char *name);
/* Cuts the streams of tokens of all splits into windows of so many steps, each labelled with the
 * token that follows (stream.h). If they are so cut already, does nothing. LS_USAGE and LS_DATA
 * errors where a split is no stream, or has fewer than two tokens. Not while other threads read. */
bool ls_dataset_unroll(ls_dataset *data, long steps, ls_error *error);
/* Of splits cut by ls_dataset_unroll: from now on the tokens beyond the last whole window are a row
 * of their own. As soon as one split has such a row, all have lengths. Not while other threads
 * read. */
void ls_dataset_add_tails(ls_dataset *data);
/* What the random part of the transforms depends on, besides the row of the data set, or in place
 * of it: a row that comes many times in an epoch gets other draws each time. */
typedef struct ls_augment {
    uint64_t seed;
    uint32_t stage;
    long epoch;
    const int64_t *place; /* of each of the rows in the epoch, in place of the row; NULL: the row */
} ls_augment;
/* From now on ls_dataset_read applies these spec lines (io/transform.h; NULL: none), and `row` of
 * each split is the shape that they make of x. LS_USAGE errors that name the line; then all is as
 * it was. Not while other threads read. */
bool ls_dataset_transform(ls_dataset *data, const char *lines, ls_error *error);
/* The first of these lines after which numbers lie elsewhere in the row; NULL: none is. */
const char *ls_dataset_mover(const ls_dataset *data);
/* Takes back, in place, what the transforms made of the values of n rows, as a net rebuilds or
 * makes them: so in a data set of such rows the same transforms give these values again. */
void ls_dataset_untransform(const ls_dataset *data, long n, real *x);
/* From now on ls_dataset_read refuses targets that do not fit the rule, as well as those before.
 * Not while other threads read. */
void ls_dataset_add_rule(ls_dataset *data, const ls_target_rule *rule);
/* The same for the numbers of x, as they are after the transforms. The rule must take all numbers
 * between two that it takes: of a row only the smallest and the largest are shown to it. */
void ls_dataset_add_x_rule(ls_dataset *data, const ls_target_rule *rule);
/* From now on x, as transformed, must be tokens: whole numbers from 0 to vocabulary - 1, and below
 * the vocabularies of calls before. Not while other threads read. */
void ls_dataset_add_vocabulary(ls_dataset *data, long vocabulary);
/* What the tokens of x stand for, borrowed; NULL: the file does not say. */
const ls_vocabulary *ls_dataset_vocabulary(const ls_dataset *data);
/* The data set gets a copy of it, for a data set in memory. Not while other threads read. */
void ls_dataset_set_vocabulary(ls_dataset *data, const ls_vocabulary *v);
/* Reads rows[0..n) of a split, converted to real: x [n, row], transformed (`augment` NULL: without
 * the random part), and y [n, shape of y], labels as whole numbers, -1 where there is none. x or y
 * may be NULL: not wanted. A row outside the split is a bug. Several threads may read at a time.
 * LS_IO errors; LS_DATA, naming the row, for a NaN or infinity in x or y, and for numbers that do
 * not fit a rule or are no tokens. What lies behind the end of a row is 0. */
bool ls_dataset_read(ls_dataset *data, ls_split_id split, const int64_t *rows, long n,
                     const ls_augment *augment, real *x, real *y, ls_error *error);
/* Of a split cut by ls_dataset_unroll: reads n tokens from `first` on, as they lie in the stream.
 * Errors as in ls_dataset_read. */
bool ls_dataset_read_tokens(ls_dataset *data, ls_split_id split, long first, long n, real *tokens,
                            ls_error *error);
/* What tells this data set from others, in lines "train/x rows: 60 of 6, float32" of each array,
 * each followed by one with a digest of all its labels, or of a few of its rows, as stored; and one
 * of all lengths, and of the weights of train. What imports say of x and of the classes follows, as
 * "made: --features mfcc ..." and "class 0: cat". Equal data give equal texts, whatever the file's
 * path and layout. The caller frees it with ls_free. NULL and an error where rows can't be read. */
char *ls_dataset_describe(ls_dataset *data, ls_error *error);
/* A digest of names, shapes and types, not of contents: by it a resumed run refuses data of another
 * shape. */
uint64_t ls_dataset_shape_digest(const ls_dataset *data);
