/* Receipts that come one by one, and in small arrays, share the page of their group (store/pages.h).  Where many gateways share a database they
 * are rows. */
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/pages.h"
#include "store/tree_parts.h"
#include "tests/intake/crowd.h"

#define MANY 40u

static uint64_t pages(struct world *w)
{
    return world_count(w, "SELECT COUNT(*) FROM receipt_pages");
}

static uint64_t whole_rows(struct world *w)
{
    return world_count(w, "SELECT COUNT(*) FROM receipts WHERE page IS NULL");
}

static void assert_kept_as(struct world *w, size_t want_pages, size_t want_rows)
{
    bool shared = db_is_shared(w->db);

    assert_int_equal(pages(w), shared ? 0 : want_pages);
    if (!shared)
        assert_int_equal(whole_rows(w), want_rows);
}

static struct crowd *make_crowd(struct world *w, size_t count)
{
    struct crowd *crowd = mem_array(count, sizeof *crowd);

    for (size_t i = 0; i < count; i++) {
        struct signed_receipt r = world_receipt(w, i % 3 == 0 ? &w->other : &w->node, 1000 + i);

        world_submission(&crowd[i].s, &r, 1);
    }
    return crowd;
}

static void free_crowd(struct crowd *crowd, size_t count)
{
    for (size_t i = 0; i < count; i++)
        submission_clear(&crowd[i].s);
    free(crowd);
}

static void sign_as(const struct world *w, const struct crowd *c)
{
    struct signed_receipt *r = &c->s.items[0].signed_;

    world_sign(w, address_eq(r->receipt.provider, w->other.address) ? &w->other : &w->node, r);
}

/* What the answer says and what the store says of an accepted item are one, and its path leads to the root that was signed. */
static void check_item(struct world *w, const struct submission *s, const struct intake_item *item)
{
    const struct group_promise *promise = s->promises[0];
    struct receipt_row row = world_row(w, &item->signed_);
    struct promise_row kept;
    struct proof path;
    struct err err = { 0 };
    bool found;

    assert_item(item, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_true(item->has_amount && item->has_promise);
    assert_int_equal(item->promise, promise->row.id);
    tree_prove(promise->tree, item->promise_index, &path);
    assert_hash_is(tree_fold(tree_promise_leaf(item->hash), &path), promise->row.promise.root);
    assert_int_equal(row.state, RECEIPT_ACCEPTED);
    assert_hash_is(row.hash, item->hash);
    assert_int_equal(amount_cmp(row.amount, item->amount), 0);
    assert_memory_equal(row.signed_.signature.b, item->signed_.signature.b, sizeof row.signed_.signature);
    assert_int_equal(row.received_at_ms, promise->row.promise.accepted_at_ms);
    assert_int_equal(row.accepted_at_ms, promise->row.promise.accepted_at_ms);
    assert_int_equal(row.promise, item->promise);
    assert_int_equal(row.promise_index, item->promise_index);
    assert_true(store_promise_path(w->db, row.promise, row.promise_index, &kept, &path, &found, &err) && found);
    assert_hash_is(tree_fold(tree_promise_leaf(item->hash), &path), promise->row.promise.root);
}

static void check_crowd(struct world *w, const struct crowd *crowd, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(crowd[i].ok);
        for (size_t k = 0; k < crowd[i].s.count; k++)
            if (crowd[i].s.items[k].status == ITEM_ACCEPTED)
                check_item(w, &crowd[i].s, &crowd[i].s.items[k]);
    }
    assert_books_balance(w);
}

static void the_singles_of_a_group_are_one_page(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd(w, MANY);

    post_together(w, crowd, MANY);
    assert_kept_as(w, 1, 0);
    assert_int_equal(crowd[0].s.promises[0]->row.promise.count, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(crowd[i].s.items[0].promise_index, i);
    check_crowd(w, crowd, MANY);
    free_crowd(crowd, MANY);
}

static void a_few_are_rows(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd(w, 7);

    post_together(w, crowd, 7);
    assert_kept_as(w, 0, 7);
    check_crowd(w, crowd, 7);
    free_crowd(crowd, 7);
}

/* A larger array has a page of its own, and a bundle. */
static void small_arrays_share_the_page_of_singles(void **state)
{
    enum { COUNT = 5 };
    static const size_t counts[COUNT] = { 1, 24, 25, 2, 30 };
    struct world *w = *state;
    struct crowd crowd[COUNT] = { 0 };

    for (size_t i = 0; i < COUNT; i++) {
        struct signed_receipt *list = mem_array(counts[i], sizeof *list);

        for (size_t k = 0; k < counts[i]; k++)
            list[k] = world_receipt(w, &w->node, 1000 + k);
        world_submission(&crowd[i].s, list, counts[i]);
        free(list);
    }
    world_bundle(w, &w->node, &crowd[4].s);
    post_together(w, crowd, COUNT);
    if (!db_is_shared(w->db)) {
        assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipt_pages WHERE count = 27 AND bundle IS NULL"), 1);
        assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipt_pages WHERE count = 25 AND bundle IS NULL"), 1);
        assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipt_pages WHERE count = 30 AND bundle IS NOT NULL"), 1);
    }
    for (size_t k = 0; k < 30; k++)
        assert_item(&crowd[4].s.items[k], ITEM_ACCEPTED, CODE_ACCEPTED);
    check_crowd(w, crowd, 4);
    for (size_t i = 0; i < COUNT; i++)
        submission_clear(&crowd[i].s);
}

static void each_price_has_a_page_and_what_is_not_like_the_others_lies_elsewhere(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd(w, MANY);

    world_price(w, &w->parent, 7000000);
    for (size_t i = 0; i < MANY; i += 2)
        crowd[i].s.items[0].signed_.receipt.model = w->parent;
    crowd[5].s.items[0].signed_.receipt.model = (struct hash){ { 9 } };
    world_countersign(w, &w->consumer, &crowd[9].s.items[0].signed_);
    for (size_t i = 0; i < MANY; i++)
        sign_as(w, &crowd[i]);
    crowd[6].s.items[0].signed_.signature.b[3] ^= 1;
    post_together(w, crowd, MANY);
    assert_item(&crowd[5].s.items[0], ITEM_QUARANTINED, CODE_UNKNOWN_MODEL);
    assert_item(&crowd[6].s.items[0], ITEM_REJECTED, CODE_INVALID_SIGNATURE);
    assert_item(&crowd[9].s.items[0], ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_null(crowd[5].s.promises[0]);
    assert_kept_as(w, 2, 2);
    assert_true(world_row(w, &crowd[9].s.items[0].signed_).has_charged);
    check_crowd(w, crowd, MANY);
    free_crowd(crowd, MANY);
}

static void each_batch_has_a_page(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd(w, MANY);

    w->config.batch_receipts_max = 15;
    world_restart(w);
    post_together(w, crowd, MANY);
    assert_kept_as(w, 3, 0);
    assert_int_equal(world_row(w, &crowd[14].s.items[0].signed_).batch, 1);
    assert_int_equal(world_row(w, &crowd[15].s.items[0].signed_).batch, 2);
    assert_int_equal(world_batch(w, 3).receipts, 10);
    check_crowd(w, crowd, MANY);
    free_crowd(crowd, MANY);
}

/* The same again, another content for the job, and another provider's receipt for it. */
static void what_waits_is_found_by_the_next_of_its_group(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd(w, MANY);

    crowd[20].s.items[0].signed_ = crowd[10].s.items[0].signed_;
    crowd[30].s.items[0].signed_ = crowd[11].s.items[0].signed_;
    crowd[30].s.items[0].signed_.receipt.count[METER_INPUT]++;
    crowd[35].s.items[0].signed_.receipt.job_id = crowd[33].s.items[0].signed_.receipt.job_id;
    for (size_t i = 30; i < MANY; i += 5)
        sign_as(w, &crowd[i]);
    post_together(w, crowd, MANY);
    assert_item(&crowd[20].s.items[0], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_true(crowd[20].s.items[0].has_promise);
    assert_int_equal(crowd[20].s.items[0].promise_index, crowd[10].s.items[0].promise_index);
    assert_item(&crowd[30].s.items[0], ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM conflicts"), 1);
    assert_item(&crowd[35].s.items[0], ITEM_QUARANTINED, CODE_DUPLICATE_JOB);
    assert_int_equal(crowd[0].s.promises[0]->row.promise.count, MANY - 3);
    assert_kept_as(w, 2, 1 + 4);              /* the held one, and four that were too few when the third was asked for */
    check_crowd(w, crowd, MANY);
    free_crowd(crowd, MANY);
}

/* An array asks for all its jobs at once. */
static void what_waits_is_found_by_an_array(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd(w, MANY);
    struct signed_receipt list[30];

    for (size_t i = 0; i < ARRAY_LEN(list); i++)
        list[i] = world_receipt(w, &w->node, 10 + i);
    list[17] = crowd[3].s.items[0].signed_;
    submission_clear(&crowd[25].s);
    world_submission(&crowd[25].s, list, ARRAY_LEN(list));
    post_together(w, crowd, MANY);
    assert_item(&crowd[25].s.items[17], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_int_equal(crowd[25].s.items[17].promise_index, crowd[3].s.items[0].promise_index);
    assert_kept_as(w, 3, 0);                  /* those before the array, the array, those after it */
    check_crowd(w, crowd, MANY);
    free_crowd(crowd, MANY);
}

static void a_countersignature_in_its_group_takes_one_out_of_its_page(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd(w, MANY);
    struct receipt_row row;

    crowd[30].s.items[0].signed_ = crowd[10].s.items[0].signed_;
    world_countersign(w, &w->consumer, &crowd[30].s.items[0].signed_);
    post_together(w, crowd, MANY);
    assert_item(&crowd[30].s.items[0], ITEM_DUPLICATE, CODE_DUPLICATE);
    row = world_row(w, &crowd[10].s.items[0].signed_);
    assert_true(row.signed_.has_consumer_signature && row.has_charged);
    assert_int_equal(row.page, 0);
    assert_kept_as(w, 2, 1);
    check_crowd(w, crowd, MANY);
    free_crowd(crowd, MANY);
}

/* The countersigned one is a row, which the store refuses: the group is run again, and each stands for itself. */
static void beside_one_that_fails_the_others_are_rows(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd(w, MANY);

    crowd[30].s.items[0].signed_ = world_receipt(w, &w->node, 66);
    world_countersign(w, &w->consumer, &crowd[30].s.items[0].signed_);
    world_refuse(w, "receipts", 132);         /* of 66 tokens */
    post_together(w, crowd, MANY);
    if (!db_is_shared(w->db)) {
        assert_false(crowd[30].ok);
        assert_int_equal(crowd[30].code, ERR_STORE);
        assert_false(world_has_row(w, &crowd[30].s.items[0].signed_));
        assert_kept_as(w, 0, MANY - 1);
        assert_int_equal(crowd[0].s.promises[0]->row.promise.count, MANY - 1);
        check_crowd(w, crowd, 30);
        check_crowd(w, crowd + 31, MANY - 31);
    }
    free_crowd(crowd, MANY);
}

static void where_the_page_is_refused_they_are_rows(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd(w, MANY);

    world_refuse(w, "receipt_frames", 0);
    post_together(w, crowd, MANY);
    assert_kept_as(w, 0, MANY);
    check_crowd(w, crowd, MANY);
    free_crowd(crowd, MANY);
}

static void a_group_that_is_not_kept_leaves_nothing_that_waits(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd(w, MANY), *again = make_crowd(w, MANY);

    world_refuse(w, "promises", 0);
    post_together(w, crowd, MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_false(crowd[i].ok);
        assert_int_equal(crowd[i].code, ERR_AGAIN);
        assert_null(crowd[i].s.promises[0]);
        again[i].s.items[0].signed_ = crowd[i].s.items[0].signed_;
    }
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipts"), 0);
    world_take(w, "promises");
    post_together(w, again, MANY);
    assert_kept_as(w, 1, 0);
    check_crowd(w, again, MANY);
    free_crowd(crowd, MANY);
    free_crowd(again, MANY);
}

/* A new process knows them, and completes one. */
static void they_are_known_later(void **state)
{
    struct world *w = *state;
    struct crowd *crowd = make_crowd(w, MANY);
    struct signed_receipt r = crowd[12].s.items[0].signed_;
    struct intake_item item;

    post_together(w, crowd, MANY);
    world_reopen(w);
    item = world_post_one(w, &crowd[33].s.items[0].signed_);
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_int_equal(item.promise_index, crowd[33].s.items[0].promise_index);
    world_countersign(w, &w->consumer, &r);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_true(world_row(w, &r).has_charged);
    assert_kept_as(w, 1, 1);
    check_crowd(w, crowd, MANY);
    free_crowd(crowd, MANY);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_singles_of_a_group_are_one_page),
        TEST(a_few_are_rows),
        TEST(small_arrays_share_the_page_of_singles),
        TEST(each_price_has_a_page_and_what_is_not_like_the_others_lies_elsewhere),
        TEST(each_batch_has_a_page),
        TEST(what_waits_is_found_by_the_next_of_its_group),
        TEST(what_waits_is_found_by_an_array),
        TEST(a_countersignature_in_its_group_takes_one_out_of_its_page),
        TEST(beside_one_that_fails_the_others_are_rows),
        TEST(where_the_page_is_refused_they_are_rows),
        TEST(a_group_that_is_not_kept_leaves_nothing_that_waits),
        TEST(they_are_known_later),
    };

    return cmocka_run_group_tests_name("paging_group", tests, NULL, NULL);
}
