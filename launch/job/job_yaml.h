/* job_yaml: JSON values as YAML for a person to read; needs no library of YAML. */
#pragma once
#include <jansson.h>

/* An object as YAML, in blocks; lists inside it hold objects. Free with ls_free. */
char *ls_job_yaml(const json_t *object);
