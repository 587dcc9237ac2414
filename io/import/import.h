/* import: other formats to data set files; the formats and their options are in io/imports.def. */
#pragma once
#include <stdio.h>

#include "io/import/team.h"

enum { LS_IMPORT_FILES = 1024 };

/* Hears how far an import from many files has come. */
typedef struct ls_import_watch {
    void *context;
    void (*moved)(void *context, long done, long total); /* files */
    void (*line)(void *context);                         /* a line of the report follows */
} ls_import_watch;

typedef struct ls_import {
    const char *file[LS_IMPORT_FILES]; /* in the order of the format's help; NULL after the last */
    const char *output;                /* the data set file to make */
    bool force;                        /* overwrite it */
    /* idx, csv, cifar, h5: rows split off train, of a text the last tokens; synthetic: further
     * rows; text: tokens */
    long valid;
    long test; /* synthetic: rows, text: tokens; -1: not given */
    /* text: shares of the tokens in place of numbers; formats of filewise.h: shares of the files,
     * chosen by their names; 0: none. */
    double valid_share, test_share;
    long seed;        /* of the choice of rows or files; synthetic: of the glyphs */
    long labels_from; /* the number in the files that becomes class 0 */
    /* Of pictures: synthetic: the side (0: 28). images: height of a row (0: that of the first
     * picture) and width (0: the same). */
    long size, width;
    /* Of formats of filewise.h: whether a broken file ends the import; the threads of this process,
     * 0 or 1: one; who shares the work, NULL: nobody; who hears of the progress, NULL: nobody. */
    bool strict;
    long threads;
    const ls_team *team;
    const ls_import_watch *watch;
/* The options of the formats. */
#define LS_IMPORT_LONG(format, name, ...) long name;
#define LS_IMPORT_TEXT(format, name, ...) const char *name;
#define LS_IMPORT_FLAG(format, name, ...) bool name;
#include "io/imports.def"
} ls_import;

/* Makes the data set file, which appears whole or not at all. `report` gets a line a split; NULL:
 * none. LS_USAGE (the output exists, an option does not fit), LS_DATA and LS_IO errors. */
typedef bool ls_import_run(const ls_import *import, FILE *report, ls_error *error);

/* idx: images [rows, h, w, 1] uint8 with scale 1/255; labels uint8 with classes, the largest label
 * of all files + 1. Rows keep the order of their file.
 *
 * csv: x float32 [rows, columns]; y int32 [rows] with classes, or float32 [rows, targets]. Labels
 * that are whole numbers from 0 stay as they are; others are names, numbers by value before words
 * by their bytes, kept in the attribute class_names, a line each (csv_labels.h). Scaled by
 * `standard` or by a file, x has the attributes column_mean and column_deviation, and column_names
 * where the tables have them. The tables are held in memory.
 *
 * h5: x and targets as they are stored, contiguous; labels int32 with classes (h5_targets.h).
 * Attributes are kept. The files are read block by block.
 *
 * synthetic: pictures of glyphs [rows, size, size, 1] uint8 with scale 1/255, and their classes.
 * Every row is a function of (seed, split, row): more rows leave the first ones as they are.
 *
 * text: x [tokens], with classes, of the smallest of uint8, uint16 and int32 that holds the
 * numbers, no y; and /vocabulary (io/vocabulary.h). The files are one text, in their order: train,
 * then valid, then test. They are read twice, token by token; memory grows with the vocabulary
 * alone. */
#define LS_IMPORT(name, ...) extern ls_import_run *const ls_import_##name;
#include "io/imports.def"

/* Whether the format of this name is one of filewise.h, which ranks and threads share. */
bool ls_import_filewise(const char *format);
/* For idx, csv, cifar and h5: whether the option valid leaves rows for train; else an LS_USAGE
 * error. */
bool ls_import_check_valid(const ls_import *import, const char *path, long rows, ls_error *error);
/* For idx, csv, cifar and h5: whether a row of `rows` is one of those that go to the split valid.
 */
bool ls_import_in_valid(const ls_import *import, long rows, long row);
/* Writes the line of a split of pictures, size[2] = {height, width}, unless it has no rows.
 * `report` may be NULL. */
void ls_import_report(FILE *report, const char *split, long rows, const long size[2], long classes);
/* What the options are unless they are given. */
extern const ls_import ls_import_presets;
/* The format of that name, which takes as many files as *import has. NULL and an LS_USAGE error. */
ls_import_run *ls_import_find(const char *format, const ls_import *import, ls_error *error);
