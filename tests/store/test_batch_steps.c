/* The receipts of a closed batch, read in steps: the same, in the same order, as one snapshot gives, and held by none afterwards. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "store/pages.h"
#include "tests/support/store_fixture.h"

#define RECEIPTS 12000u                       /* a third of them whole rows: several steps of both kinds */
#define PAGE_OF 20u
#define GONE_EACH 401u                        /* every so many of a page become whole rows */

struct world { struct store_fixture *f; struct db *reader; uint64_t bundle; };

/* In an order that is not that in which they come in. */
static struct receipt_row receipt_of(unsigned n)
{
    struct receipt_row row = some_receipt(1);
    unsigned mixed = n * 7919u % RECEIPTS;

    row.signed_.receipt.job_id.b[14] = (uint8_t)(mixed >> 8);
    row.signed_.receipt.job_id.b[15] = (uint8_t)mixed;
    row.signed_.receipt.count[METER_OUTPUT] = n;
    row.amount = some_amount(n);
    row.signed_.has_consumer_signature = n % 2 == 0;
    row.reason[0] = '\0';
    return row;
}

/* Every second page is of a bundle. */
static void add_page(struct world *w, const struct receipt_row *rows, size_t count, uint64_t batch, bool in_bundle)
{
    struct page page = { .batch = batch, .bundle = in_bundle ? w->bundle : 0, .count = count, .received_at_ms = 5, .accepted_at_ms = 6,
                         .price_version = 3, .promise = 9 };
    struct paged_key keys[PAGE_OF];
    struct amount amounts[PAGE_OF];
    struct signature signatures[PAGE_OF];
    uint8_t fields[PAGE_OF * RECEIPT_PACKED];
    struct page_content content;
    struct err err;

    for (size_t i = 0; i < count; i++) {
        keys[i] = (struct paged_key){ rows[i].signed_.receipt.job_id, rows[i].signed_.receipt.provider };
        amounts[i] = rows[i].amount;
        signatures[i] = some_signature((unsigned)i);
        receipt_pack(&rows[i].signed_.receipt, fields + i * RECEIPT_PACKED);
    }
    page_content_init(&content, count);
    page_pack_frame(&content, 0, fields, count);
    buf_init(&page.indexes);
    store_ok(store_page_insert(w->f->db, &page, &content, amounts, signatures, &err)
             && store_receipts_insert_paged(w->f->db, page.id, 0, keys, count, true, &err));
    page_content_clear(&content);
}

static void add_receipts(struct world *w)
{
    struct receipt_row *paged = mem_array(PAGE_OF, sizeof *paged);
    size_t count = 0, pages = 0;
    struct err err;

    for (unsigned n = 0; n < RECEIPTS; n++) {
        struct receipt_row row = receipt_of(n);

        if (n % 3 == 0) {
            store_ok(store_receipt_insert(w->f->db, &row, &err));
            continue;
        }
        paged[count++] = row;
        if (count == PAGE_OF) {
            add_page(w, paged, count, 1, pages++ % 2 == 0);
            count = 0;
        }
    }
    assert_int_equal(count, 0);
    free(paged);
}

static void take_some_out_of_their_pages(struct world *w)
{
    struct receipt_row row;
    struct err err;
    bool found;

    for (unsigned n = 0; n < RECEIPTS; n += GONE_EACH) {
        struct receipt_row was = receipt_of(n);

        store_ok(store_receipt_find(w->f->db, was.signed_.receipt.job_id, was.signed_.receipt.provider, &row, &found, &err));
        assert_true(found);
        if (row.page != 0)
            store_ok(store_page_leave(w->f->db, &row, &err));
    }
}

static int setup(void **state)
{
    struct world *w = mem_new(sizeof *w);
    struct bundle_row bundle = { .bundle = { .provider = some_address(1), .root = some_hash(7), .count = PAGE_OF } };
    void *fixture = NULL;
    struct err err;

    if (store_db_setup(&fixture) != 0)
        return -1;
    w->f = fixture;
    buf_init(&bundle.leaves);
    store_ok(db_begin(w->f->db, &err) && store_bundle_insert(w->f->db, &bundle, &err));
    w->bundle = bundle.id;
    add_receipts(w);
    take_some_out_of_their_pages(w);
    store_ok(db_commit(w->f->db, &err) && db_open(w->f->url, DB_READ, &w->reader, &err));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    void *fixture = w->f;

    db_close(w->reader);
    free(w);
    return store_teardown(&fixture);
}

struct listed { struct receipt_row *list; size_t count; struct db *free_to_begin; };

static bool add_listed(void *self, const struct receipt_row *row, struct err *err)
{
    struct listed *l = self;

    assert_true(l->count < RECEIPTS);
    l->list[l->count++] = *row;
    if (l->free_to_begin == NULL)
        return true;
    if (!db_begin(l->free_to_begin, err))
        return false;
    db_rollback(l->free_to_begin);
    return true;
}

static void assert_same(const struct listed *a, const struct listed *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        assert_memory_equal(&a->list[i], &b->list[i], offsetof(struct receipt_row, reason));
}

static struct listed listed_new(struct db *free_to_begin)
{
    return (struct listed){ mem_array(RECEIPTS, sizeof(struct receipt_row)), 0, free_to_begin };
}

static void in_one_snapshot(struct world *w, struct listed *l)
{
    struct err err;

    store_ok(db_begin(w->reader, &err) && store_receipts_of_batch(w->reader, 1, add_listed, l, &err));
    db_rollback(w->reader);
    assert_int_equal(l->count, RECEIPTS);
    for (size_t i = 1; i < l->count; i++)
        assert_true(memcmp(l->list[i - 1].signed_.receipt.job_id.b, l->list[i].signed_.receipt.job_id.b, sizeof(struct job_id)) < 0);
}

static void steps_give_what_one_snapshot_gives(void **state)
{
    struct world *w = *state;
    struct listed whole = listed_new(NULL), steps = listed_new(w->reader);
    struct batch_receipts *receipts;
    struct err err;

    in_one_snapshot(w, &whole);
    store_ok(batch_receipts_open(w->reader, 1, &receipts, &err));
    for (int pass = 0; pass < 2; pass++) {    /* no transaction is open meanwhile: each visit begins one */
        steps.count = 0;
        store_ok(batch_receipts_each(receipts, add_listed, &steps, &err));
        assert_same(&whole, &steps);
    }
    batch_receipts_close(receipts);
    free(whole.list);
    free(steps.list);
}

static void what_happens_afterwards_is_not_seen(void **state)
{
    struct world *w = *state;
    struct listed whole = listed_new(NULL), steps = listed_new(NULL);
    struct receipt_row more = some_receipt(2);
    struct batch_receipts *receipts;
    struct err err;

    in_one_snapshot(w, &whole);
    store_ok(batch_receipts_open(w->reader, 1, &receipts, &err));
    more.batch = 2;
    more.signed_.receipt.job_id = some_job(RECEIPTS);
    store_ok(db_begin(w->f->db, &err) && store_receipt_insert(w->f->db, &more, &err));
    more.signed_.receipt.job_id = some_job(RECEIPTS + 1);
    add_page(w, &more, 1, 2, false);
    store_ok(db_commit(w->f->db, &err));
    store_sql(w->f->db, "UPDATE receipts SET amount = NULL WHERE page IS NULL; UPDATE receipt_frames SET packed = amounts");
    store_ok(batch_receipts_each(receipts, add_listed, &steps, &err));
    assert_same(&whole, &steps);
    batch_receipts_close(receipts);
    free(whole.list);
    free(steps.list);
}

static void nothing_is_read_within_a_transaction(void **state)
{
    struct world *w = *state;
    struct batch_receipts *receipts;
    struct err err;

    store_ok(db_begin(w->reader, &err));
    store_fails(ERR_BUG, batch_receipts_open(w->reader, 1, &receipts, &err));
    db_rollback(w->reader);
}

static void a_frame_that_is_gone_is_noticed(void **state)
{
    struct world *w = *state;
    struct batch_receipts *receipts;
    struct err err;

    store_sql(w->f->db, "DELETE FROM receipt_frames WHERE page = 200");
    store_fails(ERR_STORE, batch_receipts_open(w->reader, 1, &receipts, &err));
    assert_string_equal(err.text, "there is no frame 0 of page 200");
}

static void nor_is_a_damaged_one_taken(void **state)
{
    struct world *w = *state;
    struct batch_receipts *receipts;
    struct err err;

    store_sql(w->f->db, "UPDATE receipt_frames SET amounts = packed WHERE page = 201");
    store_fails(ERR_STORE, batch_receipts_open(w->reader, 1, &receipts, &err));
    assert_string_equal(err.text, "frame 0 of page 201 is damaged");
}

static void a_batch_without_receipts_has_none(void **state)
{
    struct world *w = *state;
    struct listed none = listed_new(NULL);
    struct batch_receipts *receipts;
    struct err err;

    store_ok(batch_receipts_open(w->reader, 7, &receipts, &err));
    store_ok(batch_receipts_each(receipts, add_listed, &none, &err));
    assert_int_equal(none.count, 0);
    batch_receipts_close(receipts);
    free(none.list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steps_give_what_one_snapshot_gives, setup, teardown),
        cmocka_unit_test_setup_teardown(what_happens_afterwards_is_not_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_read_within_a_transaction, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_that_is_gone_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(nor_is_a_damaged_one_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_batch_without_receipts_has_none, setup, teardown),
    };

    return cmocka_run_group_tests_name("batch_steps", tests, NULL, NULL);
}
