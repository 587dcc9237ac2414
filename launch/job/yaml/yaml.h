/* yaml: a YAML text into JSON values, and where each of them stood. */
#pragma once
#include <jansson.h>

#include "launch/job/job_origins.h"

enum { LS_YAML_DEPTH = 8, LS_YAML_NODES = 10000 };

/* Reads one YAML document, whose top is a map, into an object; values are texts or null. Adds to
 * `origins` a mark for each key and entry of a list. Refused: what is no YAML, keys given twice,
 * aliases, more than LS_YAML_DEPTH levels or LS_YAML_NODES values, several documents. `where`
 * stands for the file in messages. NULL and an LS_USAGE error with line and column. The caller
 * owns the object: json_decref. */
json_t *ls_yaml_read(const char *text, size_t length, const char *where, ls_job_origins *origins,
                     ls_error *error);
