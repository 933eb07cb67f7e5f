/* The end of a group: promises, books, the open batch; and what is left when it fails. */
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/intake/crowd.h"

static void post_list(struct world *w, const struct signed_receipt *list, size_t count, struct submission *s)
{
    world_submission(s, list, count);
    world_post(w, s);
}

static void a_promise_covers_the_group_and_is_signed(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[7];
    struct inclusion_promise *p;
    struct proof proof;
    struct submission s;

    for (size_t i = 0; i < 7; i++)
        list[i] = world_receipt(w, &w->node, 1000 + i);
    post_list(w, list, 7, &s);
    p = &s.promises[0]->row.promise;
    assert_int_equal(p->count, 7);
    assert_int_equal(p->settle_by_ms, p->accepted_at_ms + w->config.settle_within_ms);
    assert_true(fixture_signed_by(&s.promises[0]->row.signature, typed_digest(&w->config.domain, promise_struct_hash(p)),
                                  signer_address(w->signer)));
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(s.items[i].promise, s.promises[0]->row.id);
        tree_prove(s.promises[0]->tree, s.items[i].promise_index, &proof);
        assert_hash_is(tree_fold(tree_promise_leaf(s.items[i].hash), &proof), p->root);
    }
    submission_clear(&s);
}

static void one_promise_is_shared_by_a_group(void **state)
{
    struct world *w = *state;
    struct crowd crowd[3] = { 0 };

    for (size_t i = 0; i < 3; i++) {
        struct signed_receipt r = world_receipt(w, i == 1 ? &w->stranger : &w->node, 1000);

        world_submission(&crowd[i].s, &r, 1);
    }
    post_together(w, crowd, 3);
    assert_ptr_equal(crowd[0].s.promises[0], crowd[2].s.promises[0]);
    assert_null(crowd[1].s.promises[0]);
    assert_int_equal(crowd[0].s.promises[0]->row.promise.count, 2);
    assert_int_equal(crowd[2].s.items[0].promise_index, 1);
    for (size_t i = 0; i < 3; i++)
        submission_clear(&crowd[i].s);
}

/* Bundles' own trees stand in the promise's where all of one was accepted in its order, and it takes no harm from the others. */
static void a_promise_covers_bundles_and_what_lies_between(void **state)
{
    enum { COUNT = 5 };
    static const size_t counts[COUNT] = { 128, 3, 77, 100, 64 };
    struct world *w = *state;
    struct crowd crowd[COUNT] = { 0 };
    const struct group_promise *promise;
    struct proof proof;
    size_t total = 0;

    for (size_t i = 0; i < COUNT; i++) {
        struct signed_receipt *list = mem_array(counts[i], sizeof *list);

        for (size_t k = 0; k < counts[i]; k++)
            list[k] = world_receipt(w, &w->node, 1000 + k);
        if (i == 3)
            list[50].receipt.model = rng_hash(&w->rng);      /* held: the leaves after it have moved up */
        world_submission(&crowd[i].s, list, counts[i]);
        if (counts[i] > 3)
            world_bundle(w, &w->node, &crowd[i].s);
        total += counts[i];
        free(list);
    }
    post_together(w, crowd, COUNT);
    promise = crowd[0].s.promises[0];
    assert_int_equal(promise->row.promise.count, total - 1);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < counts[i]; k++) {
            const struct intake_item *item = &crowd[i].s.items[k];

            if (i == 3 && k == 50)
                continue;
            assert_item(item, ITEM_ACCEPTED, CODE_ACCEPTED);
            tree_prove(promise->tree, item->promise_index, &proof);
            assert_hash_is(tree_fold(tree_promise_leaf(item->hash), &proof), promise->row.promise.root);
        }
    for (size_t i = 0; i < COUNT; i++)
        submission_clear(&crowd[i].s);
}

static void must_have_earned_today(struct world *w, const struct party *provider, uint64_t want)
{
    struct amount got;
    struct err err = { 0 };

    assert_true(store_provider_day(w->db, provider->address, w->now_ms / 86400000, &got, &err));
    assert_amount_is(got, want);
}

/* Where the rows of a group gather (stmt_exec_rows), one that is refused fails all of it once, and each task stands for itself after that. */
static void post_refused(struct world *w, const struct signed_receipt *r)
{
    struct submission s;
    struct err err = { 0 };

    world_submission(&s, r, 1);
    assert_false(intake_submit_wait(w->intake, &s, &err));
    assert_int_equal(err.code, db_is_shared(w->db) ? ERR_AGAIN : ERR_STORE);
    assert_false(world_has_row(w, r));
    submission_clear(&s);
}

static void a_task_that_fails_leaves_nothing_in_its_group(void **state)
{
    struct world *w = *state;
    struct signed_receipt good = world_receipt(w, &w->node, 1000), list[3], last[2];
    struct crowd crowd[3] = { 0 };

    w->config.quarantine_max = 1;
    world_restart(w);
    last[0] = world_receipt(w, &w->node, 300);
    last[1] = world_receipt(w, &w->stranger, 1);
    list[0] = world_receipt(w, &w->node, 7);
    list[1] = world_receipt(w, &w->stranger, 1);
    list[2] = world_receipt(w, &w->other, 66);
    world_refuse(w, "receipts", 132);         /* of 66 tokens */
    post_refused(w, &list[2]);
    world_submission(&crowd[0].s, &good, 1);
    world_submission(&crowd[1].s, list, 3);
    world_submission(&crowd[2].s, last, 2);
    post_together(w, crowd, 3);
    assert_true(crowd[0].ok);
    assert_false(crowd[1].ok);
    assert_int_equal(crowd[1].code, ERR_STORE);
    assert_true(crowd[2].ok);
    assert_null(crowd[1].s.promises[0]);
    assert_int_equal(crowd[0].s.promises[0]->row.promise.count, 2);
    assert_int_equal(crowd[2].s.items[0].promise_index, 1);
    assert_item(&crowd[2].s.items[1], ITEM_QUARANTINED, CODE_UNKNOWN_PROVIDER);
    assert_false(world_has_row(w, &list[0]));
    assert_amount_is(world_batch(w, 1).amount, 2600);
    must_have_earned_today(w, &w->node, 2600);
    must_have_earned_today(w, &w->other, 0);
    assert_books_balance(w);
    for (size_t i = 0; i < 3; i++)
        submission_clear(&crowd[i].s);
    world_take(w, "receipts");
    post_list(w, list, 2, &crowd[1].s);
    assert_item(&crowd[1].s.items[0], ITEM_ACCEPTED, CODE_ACCEPTED);
    submission_clear(&crowd[1].s);
    assert_books_balance(w);
}

static void a_group_that_fails_leaves_nothing_at_all(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[3];
    struct submission s;
    struct err err = { 0 };

    w->config.quarantine_max = 1;
    world_restart(w);
    list[0] = world_receipt(w, &w->node, 1000);
    list[1] = world_receipt(w, &w->other, 1000);
    list[2] = world_receipt(w, &w->stranger, 1000);
    world_refuse(w, "promises", 0);
    world_submission(&s, list, 3);
    assert_false(intake_submit_wait(w->intake, &s, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    assert_null(s.promises[0]);
    submission_clear(&s);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipts"), 0);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM postings"), 0);
    world_take(w, "promises");
    post_list(w, list, 3, &s);
    assert_int_equal(s.promises[0]->row.promise.count, 2);
    assert_item(&s.items[2], ITEM_QUARANTINED, CODE_UNKNOWN_PROVIDER);      /* the bound counts what is kept */
    submission_clear(&s);
    assert_amount_is(world_batch(w, 1).amount, 4000);
    assert_books_balance(w);
}

static void a_full_queue_takes_nothing(void **state)
{
    enum { PILES = 10, PILE = 10000 };
    struct world *w = *state;
    struct crowd *crowd = mem_array(PILES, sizeof *crowd);
    atomic_int left = PILES;
    struct signed_receipt r = world_receipt(w, &w->node, 1000);
    struct submission one;
    struct err err = { 0 };

    world_block(w);
    for (size_t i = 0; i < PILES; i++) {
        crowd[i].left = &left;
        crowd[i].s = (struct submission){ .items = mem_array(PILE, sizeof *crowd[i].s.items), .count = PILE, .done = crowd_done, .owner = &crowd[i] };
        for (size_t k = 0; k < PILE; k++)
            faults_add(&crowd[i].s.items[k].faults, CODE_MALFORMED, "", "not an object");
        assert_true(intake_submit(w->intake, &crowd[i].s, &err));
    }
    world_submission(&one, &r, 1);
    assert_false(intake_submit_wait(w->intake, &one, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    world_unblock(w);
    while (atomic_load(&left) > 0)
        clock_sleep_ms(1);
    for (size_t i = 0; i < PILES; i++)
        submission_clear(&crowd[i].s);
    free(crowd);
    while (!intake_submit_wait(w->intake, &one, &err))      /* done() comes a moment before the room is free */
        clock_sleep_ms(1);
    assert_item(&one.items[0], ITEM_ACCEPTED, CODE_ACCEPTED);
    submission_clear(&one);
}

static void a_batch_closes_at_its_count_but_not_while_all_is_worth_nothing(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[9];
    struct submission s;

    w->config.batch_receipts_max = 2;
    world_restart(w);
    for (size_t i = 0; i < 9; i++)
        list[i] = world_receipt(w, &w->node, i < 4 ? 0 : 1);
    post_list(w, list, 9, &s);
    submission_clear(&s);
    assert_int_equal(world_row(w, &list[4]).batch, 1);      /* the first that is worth something */
    assert_int_equal(world_row(w, &list[5]).batch, 2);
    assert_int_equal(world_row(w, &list[8]).batch, 3);
    assert_int_equal(world_batch(w, 1).receipts, 5);
    assert_int_equal(world_batch(w, 2).receipts, 2);
    assert_books_balance(w);
}

static void a_failed_task_takes_its_new_batch_back(void **state)
{
    struct world *w = *state;
    struct signed_receipt first = world_receipt(w, &w->node, 1000), list[2], last = world_receipt(w, &w->node, 500);
    struct crowd crowd[3] = { 0 };

    w->config.batch_amount_max = amount_from_u64(3000);
    world_restart(w);
    world_refuse(w, "receipts", 132);         /* of 66 tokens */
    list[0] = world_receipt(w, &w->node, 1000);             /* begins batch 2 */
    list[1] = world_receipt(w, &w->node, 66);
    post_refused(w, &list[1]);
    world_submission(&crowd[0].s, &first, 1);
    world_submission(&crowd[1].s, list, 2);
    world_submission(&crowd[2].s, &last, 1);
    post_together(w, crowd, 3);
    assert_false(crowd[1].ok);
    assert_true(crowd[2].ok);
    assert_int_equal(world_row(w, &last).batch, 1);
    assert_int_equal(world_batch(w, 1).state, BATCH_OPEN);
    assert_amount_is(world_batch(w, 1).amount, 3000);
    assert_books_balance(w);
    for (size_t i = 0; i < 3; i++)
        submission_clear(&crowd[i].s);
}

static void the_protocol_account_is_fixed_once_a_batch_holds_something(void **state)
{
    struct world *w = *state;
    struct address first = w->config.protocol_account, second = world_party(97).address;
    struct signed_receipt list[2] = { world_receipt(w, &w->node, 1000), world_receipt(w, &w->node, 1000) };

    world_post_one(w, &list[0]);
    assert_address_is(world_batch(w, 1).protocol_account, first);
    w->config.protocol_account = second;
    world_restart(w);
    world_post_one(w, &list[1]);
    assert_address_is(world_batch(w, 1).protocol_account, first);
    assert_amount_is(world_posted(w, 1, first, ROLE_PROTOCOL), 200);
    assert_amount_is(world_posted(w, 1, second, ROLE_PROTOCOL), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_promise_covers_the_group_and_is_signed),
        TEST(one_promise_is_shared_by_a_group),
        TEST(a_promise_covers_bundles_and_what_lies_between),
        TEST(a_task_that_fails_leaves_nothing_in_its_group),
        TEST(a_group_that_fails_leaves_nothing_at_all),
        TEST(a_full_queue_takes_nothing),
        TEST(a_batch_closes_at_its_count_but_not_while_all_is_worth_nothing),
        TEST(a_failed_task_takes_its_new_batch_back),
        TEST(the_protocol_account_is_fixed_once_a_batch_holds_something),
    };

    return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
