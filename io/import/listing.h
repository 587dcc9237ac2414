/* listing: the files of an import, of which each becomes a row: their order, classes and splits.
 *
 * They are those of a folder or of a list.
 *
 *   DIR    If DIR holds folders, these are the classes, and all files below a folder are of its
 *          class; files beside the folders are left out, with a note. Else the files have no
 *          labels. Names that begin with a dot, and with --segments ENDING those that end so, are
 *          passed over. Rows are in the order of the names' bytes, so that the order of the file
 *          system does not matter.
 *   LIST   A text file. If its first line is the name of a file, each line is one, whatever letters
 *          the name has. Else each line is a name and a label, with a tab between them, or where
 *          there is none the last space. Names are relative to the folder of LIST. Rows are in the
 *          order of the lines.
 *
 * If the labels of a LIST are all whole numbers, they are the classes, counted from labels_from.
 * Else, and for folders, classes are numbered in the order of their names: numbers by value before
 * words by their bytes.
 *
 * A file goes to the split that a hash of its name (as it stands below DIR, or in LIST) and of the
 * seed says: so a file that comes or goes moves no other, each class is split in the same
 * proportion but for chance, and where DIR lies does not matter. The hash is a number u in [0, 1);
 * valid has u < valid_share, test u >= 1 - test_share. A second DIR or LIST is all test. */
#pragma once
#include <stdint.h>
#include <stdio.h>

#include "io/dataset.h"
#include "io/import/import.h"

enum { LS_LISTING_NONE = -1 }; /* the label of a file without one */

typedef struct ls_listing_file {
    size_t name;   /* where its name begins in `names`; it ends with a 0 */
    int32_t label; /* its class, or LS_LISTING_NONE */
    uint8_t root;  /* which DIR or LIST it is of: 0 or 1 */
    uint8_t split; /* an ls_split_id */
} ls_listing_file;

typedef struct ls_listing {
    char *names; /* relative to their root's folder, or absolute */
    size_t bytes;
    ls_listing_file *file; /* [count] */
    long count;
    char *folder[2]; /* of each root */
    long classes;    /* 0: the files have no labels */
    /* On member 0 only: the names of classes, [classes]; NULL: they are numbers. */
    char **class_name;
    char *labels; /* their text */
} ls_listing;

/* To be called by all members of import->team: lists import->file on member 0 and tells the others.
 * `report` hears of what is left out. LS_USAGE, LS_DATA and LS_IO errors. Release with
 * ls_listing_release, whether this succeeds or not. */
bool ls_listing_make(ls_listing *files, const ls_import *import, FILE *report, ls_error *error);
void ls_listing_release(ls_listing *files);
/* The path by which a file is opened; the caller frees it with ls_free. */
char *ls_listing_path(const ls_listing *files, long index);
