/* Receipts of a bundle lie in pages (store/pages.h); whoever reads the store finds whole receipts all the same. */
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/tree_parts.h"
#include "tests/intake/kept_rows.h"

static void make_bundle(struct world *w, struct submission *s)
{
    struct signed_receipt *list = mem_array(COUNT, sizeof *list);

    for (size_t i = 0; i < COUNT; i++)
        list[i] = world_receipt(w, &w->node, 1000 + i);
    world_submission(s, list, COUNT);
    world_bundle(w, &w->node, s);
    free(list);
}

/* The paths of a kept receipt lead to the roots of its bundle and its promise. */
static void check_paths(struct world *w, const struct receipt_row *row, struct hash leaf)
{
    struct bundle_row bundle;
    struct promise_row promise;
    struct proof path;
    struct err err = { 0 };
    bool found;

    assert_true(store_bundle_path(w->db, row->bundle, row->bundle_index, &bundle, &path, &found, &err) && found);
    assert_hash_is(tree_fold(leaf, &path), bundle.bundle.root);
    assert_true(store_promise_path(w->db, row->promise, row->promise_index, &promise, &path, &found, &err) && found);
    assert_hash_is(tree_fold(leaf, &path), promise.promise.root);
    assert_true(store_bundle_path(w->db, row->bundle, bundle.bundle.count, &bundle, &path, &found, &err) && !found);
}

/* What the store says of this accepted item: its content, its price, its place in the bundle and under the promise. */
static void check_row(struct world *w, const struct submission *s, size_t index, const struct receipt_row *row)
{
    const struct intake_item *item = &s->items[index];
    struct bundle_row bundle;
    struct promise_row promise;
    struct hash leaf = tree_promise_leaf(item->hash);
    struct err err = { 0 };

    check_common(w, item, row);
    assert_true(!row->signed_.has_signature && row->has_bundle);
    assert_true(store_bundle_find(w->db, row->bundle, &bundle, &err));
    assert_int_equal(row->bundle_index, index);
    assert_memory_equal(bundle.leaves.data + 32 * index, leaf.b, 32);
    assert_true(store_promise_find(w->db, row->promise, &promise, &err));
    assert_memory_equal(promise.leaves.data + 32 * row->promise_index, item->hash.b, 32);
    buf_clear(&bundle.leaves);
    buf_clear(&promise.leaves);
    check_paths(w, row, leaf);
}

static void check_all(struct world *w, const struct submission *s, size_t others)
{
    check_all_rows(w, s, others, check_row);
}

static uint64_t pages(struct world *w)
{
    return world_count(w, "SELECT COUNT(*) FROM receipt_pages");
}

static void a_bundle_is_one_page_of_whole_receipts(void **state)
{
    struct world *w = *state;
    struct signed_receipt alone = world_receipt(w, &w->other, 5);
    struct submission s;

    make_bundle(w, &s);
    world_post_one(w, &alone);
    world_post(w, &s);
    assert_int_equal(pages(w), 1);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipt_frames"), 2);
    check_all(w, &s, 1);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM bundle_nodes"), 1);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM promise_nodes"), 1);
    world_script(w, "DELETE FROM bundle_nodes; DELETE FROM promise_nodes");      /* a store of before, or a rebuilt one */
    check_all(w, &s, 1);
    submission_clear(&s);
}

static void receipts_of_two_prices_are_two_pages_and_what_is_held_is_in_none(void **state)
{
    struct world *w = *state;
    struct submission s;

    world_price(w, &w->parent, 7000000);
    make_bundle(w, &s);
    for (size_t i = 0; i < COUNT; i += 3)
        s.items[i].signed_.receipt.model = w->parent;
    s.items[5].signed_.receipt.model = (struct hash){ { 9 } };
    s.items[6].signed_.receipt.count[METER_CACHED] = 50000;
    world_bundle(w, &w->node, &s);
    for (size_t i = 0; i < COUNT; i++)
        s.items[i].has_hash = false;
    world_post(w, &s);
    assert_item(&s.items[5], ITEM_QUARANTINED, CODE_UNKNOWN_MODEL);
    assert_item(&s.items[6], ITEM_REJECTED, CODE_MALFORMED);
    assert_int_equal(pages(w), 2);
    check_all(w, &s, 0);
    submission_clear(&s);
}

static void a_few_of_one_price_are_rows(void **state)
{
    struct world *w = *state;
    struct submission s;

    world_price(w, &w->parent, 7000000);
    make_bundle(w, &s);
    for (size_t i = 0; i < 7; i++)
        s.items[i * 7].signed_.receipt.model = w->parent;
    world_bundle(w, &w->node, &s);
    world_post(w, &s);
    assert_int_equal(pages(w), 1);
    assert_int_equal(whole_rows(w), 7);
    check_all(w, &s, 0);
    submission_clear(&s);
}

static void a_second_bundle_knows_the_jobs_of_the_first(void **state)
{
    struct world *w = *state;
    struct submission first, again;

    make_bundle(w, &first);
    make_bundle(w, &again);
    world_post(w, &first);
    for (size_t i = 0; i < COUNT / 2; i++)
        again.items[i].signed_ = first.items[i].signed_;
    again.items[3].signed_.receipt.count[METER_INPUT]++;
    world_bundle(w, &w->node, &again);
    world_post(w, &again);
    for (size_t i = 0; i < COUNT; i++)
        if (i == 3)
            assert_item(&again.items[i], ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
        else if (i < COUNT / 2) {
            assert_item(&again.items[i], ITEM_DUPLICATE, CODE_DUPLICATE);
            assert_int_equal(again.items[i].promise_index, first.items[i].promise_index);
        } else
            assert_item(&again.items[i], ITEM_ACCEPTED, CODE_ACCEPTED);
    check_all(w, &first, COUNT / 2);
    submission_clear(&first);
    submission_clear(&again);
}

static void a_job_of_another_provider_is_seen_in_its_page(void **state)
{
    struct world *w = *state;
    struct submission s, theirs;

    make_bundle(w, &s);
    make_bundle(w, &theirs);
    world_post(w, &s);
    for (size_t i = 0; i < COUNT; i++)
        theirs.items[i].signed_.receipt.provider = w->other.address;
    theirs.items[9].signed_.receipt.job_id = s.items[200].signed_.receipt.job_id;
    world_bundle(w, &w->other, &theirs);
    world_post(w, &theirs);
    assert_item(&theirs.items[8], ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_item(&theirs.items[9], ITEM_QUARANTINED, CODE_DUPLICATE_JOB);
    submission_clear(&s);
    submission_clear(&theirs);
    assert_books_balance(w);
}

static void a_job_twice_in_a_bundle_is_judged_row_by_row(void **state)
{
    struct world *w = *state;
    struct submission s;

    make_bundle(w, &s);
    s.items[20].signed_ = s.items[10].signed_;
    s.items[30].signed_ = s.items[10].signed_;
    s.items[30].signed_.receipt.count[METER_INPUT]++;
    world_bundle(w, &w->node, &s);
    world_post(w, &s);
    assert_item(&s.items[10], ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_item(&s.items[20], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_item(&s.items[30], ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
    assert_int_equal(pages(w), 0);
    submission_clear(&s);
    assert_books_balance(w);
}

static void one_that_is_countersigned_later_leaves_its_page(void **state)
{
    struct world *w = *state;
    struct signed_receipt r;
    struct receipt_row row;
    struct intake_item item;
    struct submission s;

    make_bundle(w, &s);
    world_post(w, &s);
    r = s.items[260].signed_;
    world_countersign(w, &w->consumer, &r);
    world_sign(w, &w->node, &r);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
    row = world_row(w, &r);
    assert_int_equal(row.page, 0);
    assert_true(row.signed_.has_consumer_signature && row.has_charged);
    check_row(w, &s, 260, &row);
    check_all(w, &s, 0);
    submission_clear(&s);
}

static void countersign(struct world *w, const struct submission *s, size_t index)
{
    struct signed_receipt r = s->items[index].signed_;
    struct intake_item item;

    world_countersign(w, &w->consumer, &r);
    world_sign(w, &w->node, &r);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
}

/* The list of older versions is read, and goes on as bits. */
static void many_may_leave_a_page_one_by_one(void **state)
{
    struct world *w = *state;
    struct submission s;

    make_bundle(w, &s);
    world_post(w, &s);
    countersign(w, &s, 2);
    world_script(w, "UPDATE receipt_pages SET gone = x'00000002'");
    check_all(w, &s, 0);
    for (size_t i = 250; i < 266; i++)
        countersign(w, &s, i);
    assert_int_equal(whole_rows(w), 17);
    assert_int_equal(world_count(w, "SELECT LENGTH(gone) FROM receipt_pages"), 1 + (COUNT + 7) / 8);
    check_all(w, &s, 0);
    submission_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_bundle_is_one_page_of_whole_receipts, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(receipts_of_two_prices_are_two_pages_and_what_is_held_is_in_none, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_few_of_one_price_are_rows, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_second_bundle_knows_the_jobs_of_the_first, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_job_of_another_provider_is_seen_in_its_page, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_job_twice_in_a_bundle_is_judged_row_by_row, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(one_that_is_countersigned_later_leaves_its_page, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(many_may_leave_a_page_one_by_one, world_setup, world_teardown),
    };

    return cmocka_run_group_tests_name("paging", tests, NULL, NULL);
}
