/* Many receipts in one submission: each is judged alone, and the answers are in order. */
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/intake/crowd.h"

#define MANY 1000

/* What one of the bad ones among a thousand is. */
static const enum receipt_code bad_codes[] = {
    CODE_MALFORMED, CODE_FINISHED_BEFORE_STARTED, CODE_FINISHED_IN_FUTURE, CODE_INVALID_SIGNATURE,
    CODE_INVALID_CONSUMER_SIGNATURE, CODE_UNKNOWN_PROVIDER, CODE_UNKNOWN_MODEL, CODE_QUOTE_MISMATCH,
};

static const struct party *spoil(struct world *w, enum receipt_code code, struct signed_receipt *r)
{
    const struct party *signer = &w->node;

    if (code == CODE_MALFORMED)
        r->receipt.count[METER_CACHED] = RECEIPT_COUNT_MAX;
    if (code == CODE_FINISHED_BEFORE_STARTED)
        r->receipt.started_at_ms = r->receipt.finished_at_ms + 1;
    if (code == CODE_FINISHED_IN_FUTURE)
        r->receipt.finished_at_ms = w->now_ms + 600000;
    if (code == CODE_INVALID_SIGNATURE)
        signer = &w->other;
    if (code == CODE_UNKNOWN_PROVIDER) {
        r->receipt.provider = w->stranger.address;
        signer = &w->stranger;
    }
    if (code == CODE_UNKNOWN_MODEL)
        r->receipt.model = (struct hash){ { 9 } };
    if (code == CODE_QUOTE_MISMATCH)
        r->receipt.quote = (struct hash){ { 9 } };
    if (code == CODE_INVALID_CONSUMER_SIGNATURE)
        world_countersign(w, &w->other, r);
    return signer;
}

static void one_bad_receipt_sinks_no_other(void **state)
{
    struct world *w = *state;
    struct signed_receipt *list = mem_array(MANY, sizeof *list);
    enum receipt_code want[MANY] = { CODE_ACCEPTED };
    struct intake_counters counters;
    struct submission s;
    size_t accepted = 0;

    for (size_t i = 0; i < MANY; i++) {
        list[i] = world_receipt(w, &w->node, 1000);
        if (i % 25 == 13) {
            want[i] = bad_codes[i / 25 % ARRAY_LEN(bad_codes)];
            world_sign(w, spoil(w, want[i], &list[i]), &list[i]);
        }
    }
    world_submission(&s, list, MANY);
    world_post(w, &s);
    for (size_t i = 0; i < MANY; i++) {
        assert_item(&s.items[i], receipt_codes[want[i]].status, want[i]);
        assert_int_equal(s.items[i].faults.count > 0, want[i] != CODE_ACCEPTED);
        if (want[i] == CODE_ACCEPTED)
            assert_int_equal(s.items[i].promise_index, accepted++);
    }
    assert_int_equal(accepted, MANY - 40);
    assert_int_equal(s.promises[0]->row.promise.count, MANY - 40);
    intake_count(w->intake, &counters);
    assert_int_equal(counters.accepted, MANY - 40);
    assert_int_equal(counters.quarantined, 15);
    assert_int_equal(counters.rejected, 25);
    assert_books_balance(w);
    submission_clear(&s);
    free(list);
}

/* In the tree that was signed, where its answer says. */
static void assert_in_tree(const struct submission *s, const struct intake_item *item)
{
    size_t width;
    const struct hash *leaves = tree_level(s->promises[0]->tree, 0, &width);

    assert_true(item->promise_index < width);
    assert_hash_is(leaves[item->promise_index], tree_promise_leaf(item->hash));
}

static struct signed_receipt nth_of_crowd(struct world *w, size_t i, enum receipt_code *want)
{
    struct signed_receipt r = world_receipt(w, &w->node, 1000);

    *want = i % 3 == 1 ? bad_codes[i / 3 % ARRAY_LEN(bad_codes)] : CODE_ACCEPTED;
    if (*want != CODE_ACCEPTED)
        world_sign(w, spoil(w, *want, &r), &r);
    return r;
}

/* They wait behind an array that holds the one thread, which then takes many of them at a time. */
static void short_submissions_are_judged_each_alone_in_their_order(void **state)
{
    enum { CROWD = 60, AHEAD = 256 };
    struct world *w = *state;
    struct signed_receipt *ahead = mem_array(AHEAD, sizeof *ahead);
    struct crowd *crowd = mem_array(1 + CROWD, sizeof *crowd);
    enum receipt_code want[CROWD];

    w->config.verify_threads = 1;
    world_restart(w);
    for (size_t i = 0; i < AHEAD; i++)
        ahead[i] = world_receipt(w, &w->node, 1000);
    world_submission(&crowd[0].s, ahead, AHEAD);
    for (size_t i = 0; i < CROWD; i++) {
        struct signed_receipt list[2] = { nth_of_crowd(w, i, &want[i]) };
        bool repeats = i % 4 == 3;            /* the third one before it */

        if (repeats)
            list[1] = crowd[1 + i - 3].s.items[0].signed_;
        world_submission(&crowd[1 + i].s, list, repeats ? 2 : 1);
    }
    post_at_once(w, crowd, 1 + CROWD);
    for (size_t i = 0; i < CROWD; i++) {
        const struct submission *s = &crowd[1 + i].s;

        assert_item(&s->items[0], receipt_codes[want[i]].status, want[i]);
        if (want[i] == CODE_ACCEPTED)
            assert_in_tree(s, &s->items[0]);
        if (s->count == 2 && want[i - 3] == CODE_ACCEPTED)
            assert_item(&s->items[1], ITEM_DUPLICATE, CODE_DUPLICATE);
    }
    assert_books_balance(w);
    for (size_t i = 0; i <= CROWD; i++)
        submission_clear(&crowd[i].s);
    free(crowd);
    free(ahead);
}

static void duplicates_in_one_array_are_seen(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[4];
    struct submission s;

    list[0] = list[1] = list[2] = list[3] = world_receipt(w, &w->node, 1000);
    list[2].receipt.count[METER_INPUT] = 5;
    world_sign(w, &w->node, &list[2]);
    world_submission(&s, list, 4);
    world_post(w, &s);
    assert_item(&s.items[0], ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_item(&s.items[1], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_item(&s.items[2], ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
    assert_item(&s.items[3], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_true(s.items[1].has_promise);
    assert_int_equal(s.items[1].promise, s.items[0].promise);
    assert_int_equal(s.items[1].existing_state, RECEIPT_ACCEPTED);
    submission_clear(&s);
    assert_int_equal(world_batch(w, 1).receipts, 1);
}

static void a_duplicate_keeps_its_first_promise(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000), next = world_receipt(w, &w->node, 1000);
    struct intake_item first = world_post_one(w, &r), again;

    world_post_one(w, &next);
    w->now_ms += UINT64_C(48) * 3600 * 1000;     /* however old */
    again = world_post_one(w, &r);
    assert_item(&again, ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_int_equal(again.promise, first.promise);
    assert_int_equal(again.promise_index, first.promise_index);
    assert_amount_is(again.amount, 2000);
}

static void eight_conflicting_receipts_are_kept(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000);

    world_post_one(w, &r);
    for (uint64_t i = 1; i <= 12; i++) {
        struct intake_item item;

        r.receipt.count[METER_OUTPUT] = i;
        world_sign(w, &w->node, &r);
        item = world_post_one(w, &r);
        assert_item(&item, ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
        item = world_post_one(w, &r);            /* the same evidence twice is one */
        assert_item(&item, ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
    }
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM conflicts"), 8);
}

static void an_empty_array_is_answered(void **state)
{
    struct world *w = *state;
    struct submission s = { 0 };

    world_post(w, &s);
    assert_null(s.promises[0]);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM promises"), 0);
}

static void an_item_that_is_no_object_has_one_fault(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = { 0 };
    struct submission s;

    world_submission(&s, &r, 1);
    s.items[0].has_job_id = false;
    faults_add(&s.items[0].faults, CODE_MALFORMED, "", "not a JSON object");
    world_post(w, &s);
    assert_item(&s.items[0], ITEM_REJECTED, CODE_MALFORMED);
    assert_int_equal(s.items[0].faults.count, 1);
    assert_false(s.items[0].has_hash);
    submission_clear(&s);
}

static void strangers_are_held_up_to_the_bound(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[6];
    struct submission s;

    w->config.quarantine_max = 4;
    world_restart(w);
    for (size_t i = 0; i < 6; i++)
        list[i] = world_receipt(w, &w->stranger, 1000);
    world_submission(&s, list, 6);
    world_post(w, &s);
    for (size_t i = 0; i < 6; i++) {
        assert_item(&s.items[i], i < 4 ? ITEM_QUARANTINED : ITEM_REJECTED, i < 4 ? CODE_UNKNOWN_PROVIDER : CODE_TOO_MANY);
        assert_true(s.items[i].has_amount);
    }
    assert_null(s.promises[0]);
    submission_clear(&s);
    world_restart(w);                            /* counted anew from the store */
    assert_item(&(struct intake_item[]){ world_post_one(w, &list[5]) }[0], ITEM_REJECTED, CODE_TOO_MANY);
    world_admit(w, &w->stranger);
    assert_item(&(struct intake_item[]){ world_post_one(w, &list[5]) }[0], ITEM_ACCEPTED, CODE_ACCEPTED);
}

static void the_daily_limit_counts_what_was_accepted(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[4];
    struct submission s;

    w->config.limits.daily_limit = amount_from_u64(5000);
    world_restart(w);
    for (size_t i = 0; i < 4; i++)
        list[i] = world_receipt(w, &w->node, i == 3 ? 500 : 1000);     /* 2000, 2000, 2000 and 1000 base units */
    world_submission(&s, list, 4);
    world_post(w, &s);
    assert_item(&s.items[1], ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_item(&s.items[2], ITEM_QUARANTINED, CODE_OVER_LIMIT);
    assert_item(&s.items[3], ITEM_ACCEPTED, CODE_ACCEPTED);            /* exactly the limit */
    submission_clear(&s);
    list[0] = world_receipt(w, &w->node, 1);
    assert_item(&(struct intake_item[]){ world_post_one(w, &list[0]) }[0], ITEM_QUARANTINED, CODE_OVER_LIMIT);
    w->now_ms += UINT64_C(24) * 3600 * 1000;
    list[0] = world_receipt(w, &w->node, 1000);
    assert_item(&(struct intake_item[]){ world_post_one(w, &list[0]) }[0], ITEM_ACCEPTED, CODE_ACCEPTED);
}

static void a_countersigned_job_is_charged_to_its_consumer(void **state)
{
    struct world *w = *state;
    struct signed_receipt own = world_receipt(w, &w->node, 1000), treasury = world_receipt(w, &w->node, 500);

    world_countersign(w, &w->consumer, &own);
    world_post_one(w, &own);
    world_post_one(w, &treasury);
    assert_true(world_row(w, &own).has_charged);
    assert_false(world_row(w, &treasury).has_charged);
    assert_amount_is(world_posted(w, 1, w->consumer.address, ROLE_CONSUMER), 2000);
    assert_amount_is(world_posted(w, 1, (struct address){ { 0 } }, ROLE_TREASURY), 1000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_bad_receipt_sinks_no_other),
        TEST(short_submissions_are_judged_each_alone_in_their_order),
        TEST(duplicates_in_one_array_are_seen),
        TEST(a_duplicate_keeps_its_first_promise),
        TEST(eight_conflicting_receipts_are_kept),
        TEST(an_empty_array_is_answered),
        TEST(an_item_that_is_no_object_has_one_fault),
        TEST(strangers_are_held_up_to_the_bound),
        TEST(the_daily_limit_counts_what_was_accepted),
        TEST(a_countersigned_job_is_charged_to_its_consumer),
    };

    return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
