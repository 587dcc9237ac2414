/* token_table: the different tokens of a text, with how often each comes: a hash table. */
#pragma once
#include "io/vocabulary.h"

typedef struct ls_token_table ls_token_table;

ls_token_table *ls_token_table_create(void);
void ls_token_table_destroy(ls_token_table *table); /* NULL is allowed */
/* Counts a token, which is copied. False where it would be one too many (LS_LAYER_TOKENS). */
bool ls_token_table_count(ls_token_table *table, ls_token token);
/* How many different tokens there are. */
long ls_token_table_size(const ls_token_table *table);
/* Numbers those of the vocabulary; all others get -1. */
void ls_token_table_number(ls_token_table *table, const ls_vocabulary *v);
/* The number of a token; -1: it has none. */
long ls_token_table_find(const ls_token_table *table, ls_token token);
/* The vocabulary of the `most` tokens that come most often, or of all where most is 0; in this
 * order, those that come equally often in that of their bytes. Where some are left out, <unk>
 * stands for them, the last token unless it is one of the text. To be destroyed. */
ls_vocabulary *ls_token_table_choose(const ls_token_table *table, ls_vocabulary_level level,
                                     long most);
