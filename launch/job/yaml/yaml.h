/* yaml: a YAML text into a list of entries, with the place of each. */
#pragma once
#include "launch/job/job_entries.h"

enum { LS_YAML_DEPTH = 8, LS_YAML_VALUES = 10000 };

/* Reads one YAML document, whose top is a map, into the list; empty values, ~ and null are entries
 * without a text. Refused: what is no YAML, keys given twice, aliases, more than LS_YAML_DEPTH
 * levels or LS_YAML_VALUES values, several documents. `where` stands for the file in messages.
 * LS_USAGE errors with line and column. */
bool ls_yaml_read(const char *text, size_t length, const char *where, ls_job_entries *list,
                  ls_error *error);
