/* token_table: the different tokens of a text, with how often each comes. */
#include "io/import/token_table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "core/layer.h"
#include "core/memory.h"
#include "core/minmax.h"

/* Entries stand where their hash says, or in the first free place behind (linear probing); at most
 * half of the places are taken, and their number is a power of two. A token's bytes stand in one
 * block. */
typedef struct entry {
    size_t offset; /* of its bytes in the block */
    long count;
    uint32_t hash, size; /* size 0: the place is free */
    int32_t number;
} entry;

struct ls_token_table {
    entry *entries; /* [places] */
    size_t places, taken;
    char *block;
    size_t used, room; /* bytes of the block */
};

enum { FIRST_PLACES = 1 << 10, FIRST_ROOM = 1 << 12 };

ls_token_table *ls_token_table_create(void)
{
    ls_token_table *t = ls_alloc(1, sizeof *t);
    *t = (ls_token_table){.places = FIRST_PLACES, .room = FIRST_ROOM};
    t->entries = ls_alloc(t->places, sizeof *t->entries);
    t->block = ls_alloc(t->room, 1);
    return t;
}

void ls_token_table_destroy(ls_token_table *t)
{
    if (!t)
        return;
    ls_free(t->entries);
    ls_free(t->block);
    ls_free(t);
}

/* The token's place, or the free one that it would get. */
static entry *place_of(const ls_token_table *t, ls_token token, uint32_t hash)
{
    size_t i = hash & (t->places - 1);
    for (;; i = (i + 1) & (t->places - 1)) {
        const entry *e = &t->entries[i];
        if (!e->size || (e->hash == hash && e->size == token.size &&
                         memcmp(t->block + e->offset, token.bytes, token.size) == 0))
            return &t->entries[i];
    }
}

static uint32_t hash_of(ls_token token)
{
    return (uint32_t)XXH3_64bits(token.bytes, token.size);
}

static void grow(ls_token_table *t)
{
    entry *old = t->entries;
    const size_t places = t->places;
    t->places = 2 * places;
    t->entries = ls_alloc(t->places, sizeof *t->entries);
    for (size_t i = 0; i < places; i++)
        if (old[i].size)
            *place_of(t, (ls_token){t->block + old[i].offset, old[i].size}, old[i].hash) = old[i];
    ls_free(old);
}

bool ls_token_table_count(ls_token_table *t, ls_token token)
{
    const uint32_t hash = hash_of(token);
    entry *e = place_of(t, token, hash);
    if (e->size) {
        e->count++;
        return true;
    }
    if (t->taken == LS_LAYER_TOKENS)
        return false;
    while (t->room - t->used < token.size)
        t->block = ls_realloc(t->block, t->room *= 2, 1);
    memcpy(t->block + t->used, token.bytes, token.size);
    *e = (entry){t->used, 1, hash, (uint32_t)token.size, -1};
    t->used += token.size;
    if (2 * ++t->taken >= t->places)
        grow(t);
    return true;
}

long ls_token_table_size(const ls_token_table *t)
{
    return (long)t->taken;
}

void ls_token_table_number(ls_token_table *t, const ls_vocabulary *v)
{
    for (size_t i = 0; i < t->places; i++)
        t->entries[i].number = -1;
    for (long i = 0; i < v->count; i++) {
        entry *e = place_of(t, v->token[i], hash_of(v->token[i]));
        if (e->size)
            e->number = (int32_t)i;
    }
}

long ls_token_table_find(const ls_token_table *t, ls_token token)
{
    const entry *e = place_of(t, token, hash_of(token));
    return e->size ? e->number : -1;
}

/* A token and how often it comes, for the order. */
typedef struct ranked {
    ls_token token;
    long count;
} ranked;

static int by_count(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    const int order = (a->count < b->count) - (a->count > b->count);
    return order ? order : ls_vocabulary_compare(&a->token, &b->token);
}

ls_vocabulary *ls_token_table_choose(const ls_token_table *t, ls_vocabulary_level level, long most)
{
    static const ls_token unknown = {LS_VOCABULARY_UNKNOWN, sizeof LS_VOCABULARY_UNKNOWN - 1};
    ranked *all = ls_alloc(t->taken, sizeof *all);
    size_t used = 0;
    for (size_t i = 0; i < t->places; i++) {
        const entry *e = &t->entries[i];
        if (e->size)
            all[used++] = (ranked){{t->block + e->offset, e->size}, e->count};
    }
    qsort(all, used, sizeof *all, by_count);
    long count = most ? ls_min(most, (long)used) : (long)used, number = -1;
    ls_token *tokens = ls_alloc((size_t)count + 1, sizeof *tokens);
    const bool cut = count < (long)used;
    for (long i = 0; i < count; i++) {
        tokens[i] = all[i].token;
        if ((cut || level == LS_VOCABULARY_WORD) && tokens[i].size == unknown.size &&
            memcmp(tokens[i].bytes, unknown.bytes, unknown.size) == 0)
            number = i;
    }
    if (cut && number < 0) {
        number = count;
        tokens[count++] = unknown;
    }
    ls_vocabulary *v = ls_vocabulary_create(level, tokens, count, number);
    ls_free(tokens);
    ls_free(all);
    return v;
}
