/* tests/intake/kept_rows.h - what tests of pages share: each accepted item of a submission against what the store says of it. */
#ifndef QUITTANCE_TESTS_INTAKE_KEPT_ROWS_H
#define QUITTANCE_TESTS_INTAKE_KEPT_ROWS_H

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/support/world.h"

#define COUNT 300                             /* receipts of a submission: more than a frame */

/* Asserts that row is what the item at index must be kept as. */
typedef void check_row_fn(struct world *w, const struct submission *s, size_t index, const struct receipt_row *row);

static inline void check_common(struct world *w, const struct intake_item *item, const struct receipt_row *row)
{
    assert_int_equal(row->state, RECEIPT_ACCEPTED);
    assert_int_equal(row->code, CODE_ACCEPTED);
    assert_hash_is(row->hash, item->hash);
    assert_hash_is(receipt_struct_hash(&row->signed_.receipt), item->hash);
    assert_int_equal(amount_cmp(row->amount, item->amount), 0);
    assert_int_equal(row->batch, 1);
    assert_true(row->received_at_ms >= w->now_ms && row->accepted_at_ms > 0);
    assert_int_equal(row->promise_index, item->promise_index);
}

static inline uint64_t whole_rows(struct world *w)
{
    return world_count(w, "SELECT COUNT(*) FROM receipts WHERE page IS NULL");
}

struct listed { struct receipt_row *list; size_t count; };

static inline bool add_listed(void *self, const struct receipt_row *row, struct err *err)
{
    struct listed *l = self;

    (void)err;
    l->list[l->count++] = *row;
    return true;
}

/* s->count: it is of another submission. */
static inline size_t index_of(const struct submission *s, const struct receipt_row *row)
{
    size_t i = 0;

    while (i < s->count && !hash_eq(s->items[i].hash, row->hash))
        i++;
    return i;
}

/* Each accepted item is found by its key, and once in the batch, in order, together with so many others. */
static inline void check_all_rows(struct world *w, const struct submission *s, size_t others, check_row_fn *check)
{
    struct listed l = { mem_array(3 * COUNT, sizeof *l.list), 0 };
    struct err err = { 0 };
    size_t accepted = 0, seen = 0;

    for (size_t i = 0; i < s->count; i++) {
        struct receipt_row row;

        if (s->items[i].status != ITEM_ACCEPTED)
            continue;
        row = world_row(w, &s->items[i].signed_);
        check(w, s, i, &row);
        accepted++;
    }
    assert_true(store_receipts_of_batch(w->db, 1, add_listed, &l, &err));
    assert_int_equal(l.count, accepted + others);
    for (size_t i = 0; i < l.count; i++) {
        size_t index = index_of(s, &l.list[i]);

        if (i > 0)
            assert_true(memcmp(l.list[i - 1].signed_.receipt.job_id.b, l.list[i].signed_.receipt.job_id.b, 16) < 0);
        if (index < s->count) {
            check(w, s, index, &l.list[i]);
            seen++;
        }
    }
    assert_int_equal(seen, accepted);
    free(l.list);
    assert_books_balance(w);
}

#endif
