/* A consumer's signature that comes after its receipt (design 3 and 5): who is billed by it. */
#include "tests/support/world.h"

static void must_be(struct world *w, const struct signed_receipt *r, enum receipt_state state, enum receipt_code code)
{
    struct receipt_row row = world_row(w, r);

    assert_string_equal(receipt_state_name(row.state), receipt_state_name(state));
    assert_string_equal(receipt_codes[row.code].name, receipt_codes[code].name);
    assert_books_balance(w);
}

static void a_countersignature_completes_and_releases(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000), forged;
    struct intake_item item;

    w->config.limits.require_countersignature = true;
    world_restart(w);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_QUARANTINED, CODE_COUNTERSIGNATURE_MISSING);
    forged = r;
    world_countersign(w, &w->other, &forged);
    item = world_post_one(w, &forged);
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
    must_be(w, &r, RECEIPT_QUARANTINED, CODE_COUNTERSIGNATURE_MISSING);
    world_countersign(w, &w->consumer, &r);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_int_equal(item.existing_state, RECEIPT_ACCEPTED);
    assert_true(item.has_promise);
    must_be(w, &r, RECEIPT_ACCEPTED, CODE_ACCEPTED);
    assert_amount_is(world_posted(w, 1, w->consumer.address, ROLE_CONSUMER), 2000);
}

static void a_late_countersignature_bills_the_consumer_while_the_batch_is_open(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000), other = world_receipt(w, &w->node, 10);

    world_post_one(w, &r);
    world_post_one(w, &other);
    assert_amount_is(world_posted(w, 1, (struct address){ { 0 } }, ROLE_TREASURY), 2020);
    world_countersign(w, &w->consumer, &r);
    world_post_one(w, &r);
    assert_true(world_row(w, &r).signed_.has_consumer_signature);
    assert_true(world_row(w, &r).has_charged && address_eq(world_row(w, &r).charged, w->consumer.address));
    assert_amount_is(world_posted(w, 1, w->consumer.address, ROLE_CONSUMER), 2000);
    assert_amount_is(world_posted(w, 1, (struct address){ { 0 } }, ROLE_TREASURY), 20);
    world_post_one(w, &r);
    assert_amount_is(world_posted(w, 1, w->consumer.address, ROLE_CONSUMER), 2000);
    must_be(w, &r, RECEIPT_ACCEPTED, CODE_ACCEPTED);
    world_countersign(w, &w->consumer, &other);
    world_post_one(w, &other);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM postings WHERE role = 6"), 0);     /* nothing is left of it */
    assert_books_balance(w);
}

static struct intake_item post_countersigned(struct world *w, uint64_t tokens, struct signed_receipt *r)
{
    *r = world_receipt(w, &w->node, tokens);
    r->receipt.consumer = w->consumer.address;
    world_sign(w, &w->node, r);
    world_countersign(w, &w->consumer, r);
    return world_post_one(w, r);
}

static void limit(struct world *w, uint64_t credit)
{
    struct consumer c = { .address = w->consumer.address, .name = "limited", .has_credit_limit = true,
                          .credit_limit = amount_from_u64(credit), .enrolled = true };
    enum admit_result result;
    struct err err = { 0 };

    assert_true(admit_consumer(w->intake, "test", &c, true, &result, &err));
}

/* 2 base units a token; days count from 1970, periods are of 30. */
static void a_consumer_is_billed_up_to_its_credit_limit_a_period(void **state)
{
    struct world *w = *state;
    const uint64_t day = UINT64_C(24) * 3600 * 1000, period = 30 * day;
    struct signed_receipt r, held;
    struct intake_item item;
    struct err err = { 0 };

    atomic_store(&w->now_ms, w->now_ms - w->now_ms % period + period + 2 * day);
    limit(w, 5000);
    item = post_countersigned(w, 1000, &r);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    atomic_fetch_add(&w->now_ms, 27 * day);             /* the last day of the period */
    item = post_countersigned(w, 1501, &held);
    assert_item(&item, ITEM_QUARANTINED, CODE_OVER_LIMIT);
    assert_non_null(strstr(world_row(w, &held).faults, "3002 on top of 2000 billed this period, the credit limit is 5000"));
    item = post_countersigned(w, 1500, &r);             /* exactly as much as is left */
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    item = post_countersigned(w, 1, &r);
    assert_item(&item, ITEM_QUARANTINED, CODE_OVER_LIMIT);
    r = world_receipt(w, &w->node, 10);                 /* the treasury's own jobs have no such limit */
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_true(release_receipt(w->intake, "test", held.receipt.job_id, held.receipt.provider, "paid in advance", &err));
    assert_amount_is(world_posted(w, 1, w->consumer.address, ROLE_CONSUMER), 5000 + 3002);
    world_restart(w);                                   /* what is kept says the same */
    item = post_countersigned(w, 1, &r);
    assert_item(&item, ITEM_QUARANTINED, CODE_OVER_LIMIT);
    atomic_fetch_add(&w->now_ms, day);                  /* a new period */
    item = post_countersigned(w, 2500, &r);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_books_balance(w);
}

/* Behind it, in the same submission, stands a job that its consumer may not have any more. */
static void a_late_countersignature_counts_against_the_limit_at_once(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[3] = { world_receipt(w, &w->node, 1000), world_receipt(w, &w->node, 1501), world_receipt(w, &w->node, 1500) };
    struct submission s;

    limit(w, 5000);
    world_post_one(w, &list[0]);
    for (size_t i = 0; i < ARRAY_LEN(list); i++)
        world_countersign(w, &w->consumer, &list[i]);
    world_submission(&s, list, ARRAY_LEN(list));
    world_post(w, &s);
    assert_item(&s.items[0], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_item(&s.items[1], ITEM_QUARANTINED, CODE_OVER_LIMIT);
    assert_item(&s.items[2], ITEM_ACCEPTED, CODE_ACCEPTED);
    submission_clear(&s);
    assert_amount_is(world_posted(w, 1, w->consumer.address, ROLE_CONSUMER), 5000);
    assert_books_balance(w);
}

/* Whoever would be held for passing the limit passes it no more by signing second; with more room the same signature counts. */
static void a_late_countersignature_does_not_pass_the_limit(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000), more = world_receipt(w, &w->node, 1);
    struct intake_item item;
    struct submission s;

    limit(w, 2001);
    world_post_one(w, &r);
    world_post_one(w, &more);
    world_countersign(w, &w->consumer, &r);
    world_countersign(w, &w->consumer, &more);
    world_post_one(w, &r);
    world_submission(&s, &more, 1);
    world_post(w, &s);
    assert_item(&s.items[0], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_int_equal(s.items[0].faults.count, 1);
    assert_int_equal(s.items[0].faults.list[0].code, CODE_OVER_LIMIT);
    assert_string_equal(s.items[0].faults.list[0].detail, "2 on top of 2000 billed this period, the credit limit is 2001");
    submission_clear(&s);
    must_be(w, &more, RECEIPT_ACCEPTED, CODE_ACCEPTED);
    assert_false(world_row(w, &more).signed_.has_consumer_signature);
    assert_amount_is(world_posted(w, 1, w->consumer.address, ROLE_CONSUMER), 2000);
    assert_amount_is(world_posted(w, 1, (struct address){ { 0 } }, ROLE_TREASURY), 2);
    limit(w, 2002);
    item = world_post_one(w, &more);
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_amount_is(world_posted(w, 1, w->consumer.address, ROLE_CONSUMER), 2002);
    assert_books_balance(w);
}

static uint64_t billed_on(struct world *w, uint64_t day)
{
    struct amount sum;
    struct err err = { 0 };
    uint64_t billed;

    assert_true(store_consumer_day(w->db, w->consumer.address, day, &sum, &err));
    assert_true(u256_to_u64(sum.base_units, &billed));
    return billed;
}

/* That is what the archive tells, and the statement of charges. */
static void a_late_countersignature_is_billed_on_the_day_of_acceptance(void **state)
{
    struct world *w = *state;
    const uint64_t day = UINT64_C(24) * 3600 * 1000, period = 30 * day;
    struct signed_receipt list[2] = { world_receipt(w, &w->node, 1000) }, next;
    struct submission s;
    struct intake_item item;
    uint64_t today;

    atomic_store(&w->now_ms, w->now_ms - w->now_ms % period + period - 3600 * 1000);       /* the last hour of a period */
    today = w->now_ms / day;
    list[0] = world_receipt(w, &w->node, 1000);
    world_post_one(w, &list[0]);
    limit(w, 2500);
    atomic_fetch_add(&w->now_ms, 2 * 3600 * 1000);
    world_countersign(w, &w->consumer, &list[0]);
    list[1] = world_receipt(w, &w->node, 1250);         /* of one group: the new period has room for all of it */
    world_countersign(w, &w->consumer, &list[1]);
    world_submission(&s, list, 2);
    world_post(w, &s);
    assert_item(&s.items[0], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_item(&s.items[1], ITEM_ACCEPTED, CODE_ACCEPTED);
    submission_clear(&s);
    assert_int_equal(billed_on(w, today), 2000);
    assert_int_equal(billed_on(w, today + 1), 2500);
    next = world_receipt(w, &w->node, 1);
    world_countersign(w, &w->consumer, &next);
    item = world_post_one(w, &next);
    assert_item(&item, ITEM_QUARANTINED, CODE_OVER_LIMIT);
    assert_books_balance(w);
}

static void receipt_and_countersignature_in_one_group_bill_the_consumer(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[2] = { world_receipt(w, &w->node, 1000) };
    struct submission s;

    list[1] = list[0];
    world_countersign(w, &w->consumer, &list[1]);
    world_submission(&s, list, 2);
    world_post(w, &s);
    assert_item(&s.items[1], ITEM_DUPLICATE, CODE_DUPLICATE);
    submission_clear(&s);
    assert_amount_is(world_posted(w, 1, w->consumer.address, ROLE_CONSUMER), 2000);
    assert_books_balance(w);
}

static void a_countersignature_after_the_batch_is_closed_changes_nothing(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000), next = world_receipt(w, &w->node, 1000);
    struct intake_item item;

    world_post_one(w, &r);
    intake_set_batch_amount_max(w->intake, amount_from_u64(2000));
    world_post_one(w, &next);
    assert_int_equal(world_batch(w, 1).state, BATCH_CLOSED);
    world_countersign(w, &w->consumer, &r);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_false(world_row(w, &r).signed_.has_consumer_signature);
    assert_false(world_row(w, &r).has_charged);
    assert_amount_is(world_posted(w, 1, w->consumer.address, ROLE_CONSUMER), 0);
    assert_books_balance(w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_countersignature_completes_and_releases),
        TEST(a_consumer_is_billed_up_to_its_credit_limit_a_period),
        TEST(a_late_countersignature_counts_against_the_limit_at_once),
        TEST(a_late_countersignature_does_not_pass_the_limit),
        TEST(a_late_countersignature_is_billed_on_the_day_of_acceptance),
        TEST(a_late_countersignature_bills_the_consumer_while_the_batch_is_open),
        TEST(receipt_and_countersignature_in_one_group_bill_the_consumer),
        TEST(a_countersignature_after_the_batch_is_closed_changes_nothing),
    };

    return cmocka_run_group_tests_name("countersignatures", tests, NULL, NULL);
}
