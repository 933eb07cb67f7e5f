#include "gateway/intake/tally.h"

#include "gateway/base/mem.h"

#include <stdlib.h>

static int key_cmp(const struct tally_key *a, const struct tally_key *b)
{
    int order;

    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    order = address_cmp(&a->account, &b->account);
    if (order == 0)
        order = a->role - b->role;
    return order != 0 ? order : memcmp(a->model.b, b->model.b, sizeof a->model.b);
}

static bool same_key(const struct tally_key *a, const struct tally_key *b)
{
    return a->number == b->number && a->role == b->role && address_eq(a->account, b->account) && hash_eq(a->model, b->model);
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 32;
}

/* Eight bytes at a time, as a key is hashed several times a receipt; field by field, as the struct has padding. */
static uint64_t key_hash(const struct tally_key *key)
{
    uint64_t account[3] = { 0 }, model[4], h = key->number;

    memcpy(account, key->account.b, sizeof key->account.b);
    memcpy(model, key->model.b, sizeof model);
    for (size_t i = 0; i < ARRAY_LEN(account); i++)
        h = mix(h, account[i]);
    h ^= (uint64_t)key->role;
    for (size_t i = 0; i < ARRAY_LEN(model); i++)
        h = mix(h, model[i]);
    return h;
}

/* The slot that holds the key, or the empty one where it belongs. */
static size_t slot_of(const struct tally *s, const struct tally_key *key)
{
    size_t slot = (size_t)key_hash(key) & (s->slot_count - 1);

    while (s->slots[slot] != 0 && !same_key(&s->list[s->slots[slot] - 1].key, key))
        slot = (slot + 1) & (s->slot_count - 1);
    return slot;
}

/* Keeps the slots at most half full, and their number a power of two. */
static void make_room(struct tally *s)
{
    if (s->count == s->capacity) {
        s->capacity = s->capacity == 0 ? 64 : s->capacity * 2;
        s->list = mem_grow(s->list, s->capacity, sizeof *s->list);
    }
    if (s->slot_count >= 2 * s->capacity)
        return;
    free(s->slots);
    s->slot_count = 2 * s->capacity;
    s->slots = mem_array(s->slot_count, sizeof *s->slots);
    for (size_t i = 0; i < s->count; i++)
        s->slots[slot_of(s, &s->list[i].key)] = i + 1;
}

static void remember(struct tally *s, size_t row, struct amount amount)
{
    if (s->step_count == s->step_capacity) {
        s->step_capacity = s->step_capacity == 0 ? 64 : s->step_capacity * 2;
        s->steps = mem_grow(s->steps, s->step_capacity, sizeof *s->steps);
    }
    s->steps[s->step_count++] = (struct tally_step){ row, amount };
}

/* What one receipt adds to made its rows one after the other, and the next receipt mostly adds to the same: the row after the last
 * one, round and round, needs no search. */
static bool is_next(const struct tally *s, const struct tally_key *key)
{
    return s->next < s->count && same_key(&s->list[s->next].key, key);
}

static size_t row_for(struct tally *s, const struct tally_key *key)
{
    size_t slot;

    if (is_next(s, key))
        return s->next;
    make_room(s);
    slot = slot_of(s, key);
    if (s->slots[slot] == 0) {
        s->list[s->count++] = (struct tally_row){ *key, AMOUNT_ZERO, 0 };
        s->slots[slot] = s->count;
    }
    return s->slots[slot] - 1;
}

bool tally_add(struct tally *s, const struct tally_key *key, struct amount amount, struct err *err)
{
    size_t row = row_for(s, key);

    if (!amount_add(s->list[row].amount, amount, &s->list[row].amount))
        return err_set(err, ERR_OVERFLOW, "a sum of amounts over 256 bits");
    s->list[row].count++;
    s->next = row + 1 < s->count ? row + 1 : 0;
    remember(s, row, amount);
    return true;
}

const struct tally_row *tally_find(const struct tally *s, const struct tally_key *key)
{
    size_t row;

    if (s->count == 0)
        return NULL;
    row = is_next(s, key) ? s->next + 1 : s->slots[slot_of(s, key)];
    return row != 0 && s->list[row - 1].count != 0 ? &s->list[row - 1] : NULL;
}

void tally_mark(struct tally *s)
{
    s->step_count = 0;
}

void tally_undo(struct tally *s)
{
    while (s->step_count > 0) {
        const struct tally_step *step = &s->steps[--s->step_count];
        struct tally_row *row = &s->list[step->row];

        if (!amount_sub(row->amount, step->amount, &row->amount))
            bug("a sum is less than what was added to it");
        row->count--;
    }
}

static int row_cmp(const void *a, const void *b)
{
    return key_cmp(&((const struct tally_row *)a)->key, &((const struct tally_row *)b)->key);
}

void tally_sort(struct tally *s)
{
    if (s->count > 1)
        qsort(s->list, s->count, sizeof *s->list, row_cmp);
}

void tally_reset(struct tally *s)
{
    s->count = 0;
    s->next = 0;
    s->step_count = 0;
    if (s->slots != NULL)
        memset(s->slots, 0, s->slot_count * sizeof *s->slots);
}

void tally_clear(struct tally *s)
{
    free(s->list);
    free(s->slots);
    free(s->steps);
    *s = (struct tally){ 0 };
}
