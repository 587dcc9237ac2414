/* listing_labels: numbers the classes of listed files, by the rules of listing.h. */
#pragma once
#include "io/import/listing.h"

/* Files whose labels are texts yet. */
typedef struct ls_listing_labels {
    ls_listing *files; /* without classes */
    const ls_import *import;
    const size_t *label; /* [files->count] where the label of each begins in text */
    char *text;          /* belongs to files from here on: class_name points into it */
    FILE *report;        /* hears of labels that could be meant as numbers; NULL: nobody */
} ls_listing_labels;

/* Sets classes, class_name and the label of each file. LS_DATA and LS_USAGE errors. */
bool ls_listing_labels_number(const ls_listing_labels *labels, ls_error *error);
