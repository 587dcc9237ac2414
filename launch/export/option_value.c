/* option_value: reads options out of the struct that their table filled. */
#include "launch/export/option_value.h"

#include <string.h>

const void *ls_option_value(const ls_option *options, const void *self, const char *key,
                            ls_option_kind kind)
{
    while (options && options->key && strcmp(options->key, key) != 0)
        options++;
    ls_check(options && options->key && options->kind == kind, "there is no such option: %s", key);
    return (const char *)self + options->offset;
}

static const void *find(const ls_layer *layer, const char *key, ls_option_kind kind)
{
    return ls_option_value(layer->type->options, layer->self, key, kind);
}

long ls_option_value_long(const ls_layer *layer, const char *key)
{
    return *(const long *)find(layer, key, LS_OPTION_INT);
}

bool ls_option_value_bool(const ls_layer *layer, const char *key)
{
    return *(const bool *)find(layer, key, LS_OPTION_BOOL);
}

int ls_option_value_choice(const ls_layer *layer, const char *key)
{
    return *(const int *)find(layer, key, LS_OPTION_CHOICE);
}

double ls_option_value_real(const ls_layer *layer, const char *key)
{
    return *(const double *)find(layer, key, LS_OPTION_REAL);
}

const ls_list *ls_option_value_list(const ls_layer *layer, const char *key)
{
    return find(layer, key, LS_OPTION_LIST);
}
