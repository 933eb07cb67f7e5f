/* Receipts that were signed one by one and came in an array lie in pages too (store/pages.h), each with its own signature. */
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/pages.h"
#include "store/tree_parts.h"
#include "tests/intake/kept_rows.h"

/* Every third is the other provider's. */
static void make_array(struct world *w, struct submission *s)
{
    struct signed_receipt *list = mem_array(COUNT, sizeof *list);

    for (size_t i = 0; i < COUNT; i++)
        list[i] = world_receipt(w, i % 3 == 0 ? &w->other : &w->node, 1000 + i);
    world_submission(s, list, COUNT);
    free(list);
}

static uint64_t pages(struct world *w)
{
    return world_count(w, "SELECT COUNT(*) FROM receipt_pages WHERE bundle IS NULL");
}

/* What the store says of this accepted item: all that came, its price, its place under the promise. */
static void check_row(struct world *w, const struct submission *s, size_t index, const struct receipt_row *row)
{
    const struct intake_item *item = &s->items[index];
    struct promise_row promise;
    struct proof path;
    struct err err = { 0 };
    bool found;

    check_common(w, item, row);
    assert_true(row->signed_.has_signature && !row->has_bundle);
    assert_memory_equal(row->signed_.signature.b, item->signed_.signature.b, sizeof row->signed_.signature);
    assert_int_equal(row->bundle, 0);
    assert_int_equal(row->bundle_index, 0);
    assert_true(store_promise_path(w->db, row->promise, row->promise_index, &promise, &path, &found, &err) && found);
    assert_hash_is(tree_fold(tree_promise_leaf(item->hash), &path), promise.promise.root);
}

static void check_all(struct world *w, const struct submission *s, size_t others)
{
    check_all_rows(w, s, others, check_row);
}

static void an_array_is_one_page_of_whole_receipts(void **state)
{
    struct world *w = *state;
    struct signed_receipt alone = world_receipt(w, &w->other, 5);
    struct submission s;

    make_array(w, &s);
    world_post_one(w, &alone);
    world_post(w, &s);
    assert_int_equal(pages(w), 1);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipt_frames"), 2);
    assert_int_equal(whole_rows(w), 1);
    check_all(w, &s, 1);
    submission_clear(&s);
}

static void a_batch_may_have_pages_of_both_kinds(void **state)
{
    struct world *w = *state;
    struct submission s, bundle;

    make_array(w, &s);
    make_array(w, &bundle);
    for (size_t i = 0; i < COUNT; i++)
        bundle.items[i].signed_.receipt.provider = w->node.address;
    world_bundle(w, &w->node, &bundle);
    world_post(w, &bundle);
    world_post(w, &s);
    assert_int_equal(pages(w), 1);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipt_pages WHERE bundle IS NOT NULL"), 1);
    check_all(w, &s, COUNT);
    submission_clear(&s);
    submission_clear(&bundle);
}

static void a_few_are_rows(void **state)
{
    struct world *w = *state;
    struct submission s;

    make_array(w, &s);
    s.count = 7;
    world_post(w, &s);
    assert_int_equal(pages(w), 0);
    check_all(w, &s, 0);
    s.count = COUNT;
    submission_clear(&s);
}

/* Held, rejected, countersigned, and of another price: what is left is a page all the same. */
static void what_is_not_like_the_others_lies_elsewhere(void **state)
{
    struct world *w = *state;
    struct submission s;

    world_price(w, &w->parent, 7000000);
    make_array(w, &s);
    for (size_t i = 1; i < COUNT; i += 2)
        s.items[i].signed_.receipt.model = w->parent;
    s.items[4].signed_.receipt.model = (struct hash){ { 9 } };
    world_countersign(w, &w->consumer, &s.items[8].signed_);
    for (size_t i = 0; i < COUNT; i++)
        world_sign(w, i % 3 == 0 ? &w->other : &w->node, &s.items[i].signed_);
    s.items[6].signed_.signature.b[3] ^= 1;
    world_post(w, &s);
    assert_item(&s.items[4], ITEM_QUARANTINED, CODE_UNKNOWN_MODEL);
    assert_item(&s.items[6], ITEM_REJECTED, CODE_INVALID_SIGNATURE);
    assert_item(&s.items[8], ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_int_equal(pages(w), 2);
    assert_int_equal(whole_rows(w), 2);
    assert_true(world_row(w, &s.items[8].signed_).has_charged);
    check_all(w, &s, 0);
    submission_clear(&s);
}

static void the_same_array_again_is_known(void **state)
{
    struct world *w = *state;
    struct submission s, again;

    make_array(w, &s);
    make_array(w, &again);
    world_post(w, &s);
    for (size_t i = 0; i < COUNT / 2; i++)
        again.items[i].signed_ = s.items[i].signed_;
    again.items[3].signed_.receipt.count[METER_INPUT]++;
    world_sign(w, &w->other, &again.items[3].signed_);
    world_post(w, &again);
    for (size_t i = 0; i < COUNT; i++)
        if (i == 3)
            assert_item(&again.items[i], ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
        else if (i < COUNT / 2) {
            assert_item(&again.items[i], ITEM_DUPLICATE, CODE_DUPLICATE);
            assert_int_equal(again.items[i].promise_index, s.items[i].promise_index);
        } else
            assert_item(&again.items[i], ITEM_ACCEPTED, CODE_ACCEPTED);
    check_all(w, &s, COUNT / 2);
    submission_clear(&s);
    submission_clear(&again);
}

static void a_job_twice_in_an_array_is_judged_row_by_row(void **state)
{
    struct world *w = *state;
    struct submission s;

    make_array(w, &s);
    s.items[20].signed_ = s.items[10].signed_;
    world_post(w, &s);
    assert_item(&s.items[10], ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_item(&s.items[20], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_int_equal(pages(w), 0);
    check_all(w, &s, 0);
    submission_clear(&s);
}

static void one_that_is_countersigned_later_leaves_its_page_with_its_signature(void **state)
{
    struct world *w = *state;
    struct signed_receipt r;
    struct receipt_row row;
    struct intake_item item;
    struct submission s;

    make_array(w, &s);
    world_post(w, &s);
    r = s.items[260].signed_;
    world_countersign(w, &w->consumer, &r);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
    row = world_row(w, &r);
    assert_int_equal(row.page, 0);
    assert_true(row.signed_.has_consumer_signature && row.has_charged);
    assert_int_equal(whole_rows(w), 1);
    check_all(w, &s, 0);
    submission_clear(&s);
}

/* Signatures that are missing, or not as many as receipts, are not made up. */
static void a_frame_without_its_signatures_is_damaged(void **state)
{
    struct world *w = *state;
    struct receipt_row row;
    struct submission s;
    const struct receipt *r;
    bool found;

    make_array(w, &s);
    world_post(w, &s);
    r = &s.items[0].signed_.receipt;
    world_script(w, "UPDATE receipt_frames SET signatures = NULL WHERE frame = 0");
    for (unsigned i = 0; i < 2; i++) {
        struct err err = { 0 };

        page_cache_forget(w->db);
        assert_false(store_receipt_find(w->db, r->job_id, r->provider, &row, &found, &err));
        assert_int_equal(err.code, ERR_STORE);
        assert_non_null(strstr(err.text, "damaged"));
        world_script(w, "UPDATE receipt_frames SET signatures = x'00' WHERE frame = 0");
    }
    submission_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_array_is_one_page_of_whole_receipts, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_batch_may_have_pages_of_both_kinds, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_few_are_rows, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_is_not_like_the_others_lies_elsewhere, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(the_same_array_again_is_known, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_job_twice_in_an_array_is_judged_row_by_row, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(one_that_is_countersigned_later_leaves_its_page_with_its_signature, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_frame_without_its_signatures_is_damaged, world_setup, world_teardown),
    };

    return cmocka_run_group_tests_name("paging_array", tests, NULL, NULL);
}
