/* What was held and what lets it go (design 3, 4 and 5). */
#include "store/keys.h"
#include <string.h>

#include "tests/support/world.h"

static void held_as(struct world *w, const struct signed_receipt *r, enum receipt_code code)
{
    struct intake_item item = world_post_one(w, r);

    assert_item(&item, ITEM_QUARANTINED, code);
}

static void must_be(struct world *w, const struct signed_receipt *r, enum receipt_state state, enum receipt_code code)
{
    struct receipt_row row = world_row(w, r);

    assert_string_equal(receipt_state_name(row.state), receipt_state_name(state));
    assert_string_equal(receipt_codes[row.code].name, receipt_codes[code].name);
    assert_books_balance(w);
}

/* The promise that the store has for this receipt covers it and is the gateway's. */
static void must_be_promised(struct world *w, const struct signed_receipt *r)
{
    struct receipt_row row = world_row(w, r);
    struct promise_row promise;
    struct err err = { 0 };

    assert_true(store_promise_find(w->db, row.promise, &promise, &err));
    assert_true(promise.promise.count > row.promise_index);
    assert_memory_equal(promise.leaves.data + 32 * row.promise_index, row.hash.b, 32);
    assert_true(fixture_signed_by(&promise.signature, typed_digest(&w->config.domain, promise_struct_hash(&promise.promise)),
                                  signer_address(w->signer)));
    assert_int_equal(promise.promise.accepted_at_ms, row.accepted_at_ms);
    buf_clear(&promise.leaves);
}

static void admission_releases_what_a_provider_sent_before(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->stranger, 1000);

    held_as(w, &r, CODE_UNKNOWN_PROVIDER);
    w->now_ms += UINT64_C(48) * 3600 * 1000;      /* kept waiting is not late */
    world_admit(w, &w->stranger);
    must_be(w, &r, RECEIPT_ACCEPTED, CODE_ACCEPTED);
    must_be_promised(w, &r);
    assert_amount_is(world_row(w, &r).amount, 2000);
    assert_amount_is(world_posted(w, 1, w->stranger.address, ROLE_PROVIDER), 1400);
}

static void verification_releases_a_claimed_model(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000);

    r.receipt.model = (struct hash){ { 5 } };
    world_sign(w, &w->node, &r);
    held_as(w, &r, CODE_UNKNOWN_MODEL);
    world_claim(w, &w->creator, r.receipt.model, w->parent, 500);
    must_be(w, &r, RECEIPT_QUARANTINED, CODE_UNKNOWN_MODEL);
    world_verify(w, &w->creator, r.receipt.model);
    must_be(w, &r, RECEIPT_ACCEPTED, CODE_ACCEPTED);
    must_be_promised(w, &r);
}

static void a_price_releases_what_was_unpriced(void **state)
{
    struct world *w = *state;
    struct signed_receipt r;

    world_admit(w, &w->node);
    world_claim(w, &w->creator, w->model, w->parent, 0);
    r = world_receipt(w, &w->node, 1000);
    held_as(w, &r, CODE_UNVERIFIED_CREATOR);
    world_verify(w, &w->creator, w->model);
    must_be(w, &r, RECEIPT_QUARANTINED, CODE_UNPRICED);
    world_price(w, &w->model, 3000000);
    must_be(w, &r, RECEIPT_ACCEPTED, CODE_ACCEPTED);
    assert_amount_is(world_row(w, &r).amount, 3000);
}

static void a_release_is_priced_as_of_its_own_time(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->stranger, 1000);
    struct price_version p = { .model = w->model, .split_bps = { 10000, 0, 0 }, .effective_from_ms = w->now_ms - 3600000 };
    struct err err = { 0 };

    held_as(w, &r, CODE_UNKNOWN_PROVIDER);
    p.per_million[METER_INPUT] = amount_from_u64(5000000);
    assert_true(add_price(w->intake, "test", &p, &err));      /* the model's first version may reach back */
    must_be(w, &r, RECEIPT_QUARANTINED, CODE_UNKNOWN_PROVIDER);
    world_admit(w, &w->stranger);
    assert_amount_is(world_row(w, &r).amount, 5000);
}

static void more_than_one_step_of_held_receipts_is_released(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[100];
    struct submission s;

    w->config.quarantine_max = 3000;
    world_restart(w);
    for (size_t n = 0; n < 21; n++) {
        for (size_t i = 0; i < 100; i++)
            list[i] = world_receipt(w, &w->stranger, 1);
        world_submission(&s, list, 100);
        world_bundle(w, &w->stranger, &s);
        world_post(w, &s);
        submission_clear(&s);
    }
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipts WHERE state = 2"), 2100);
    world_admit(w, &w->stranger);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipts WHERE state = 1"), 2100);
    assert_books_balance(w);
}

static bool last_audit(void *self, const struct audit_entry *entry, struct err *err)
{
    (void)err;
    *(struct audit_entry *)self = *entry;
    return false;
}

static void an_operator_releases_and_the_log_says_why(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000);
    struct audit_entry entry = { 0 };
    struct err err = { 0 };

    w->config.limits.daily_limit = amount_from_u64(1);
    world_restart(w);
    held_as(w, &r, CODE_OVER_LIMIT);
    assert_true(release_receipt(w->intake, "op1", r.receipt.job_id, w->node.address, "checked by hand", &err));
    must_be(w, &r, RECEIPT_ACCEPTED, CODE_ACCEPTED);
    must_be_promised(w, &r);
    assert_string_equal(world_row(w, &r).reason, "checked by hand");
    assert_true(store_audit_list(w->db, 0, 1, last_audit, &entry, &err));
    assert_string_equal(entry.who, "op1");
    assert_string_equal(entry.action, "release");
    assert_non_null(strstr(entry.detail, "checked by hand"));
    assert_false(release_receipt(w->intake, "op1", r.receipt.job_id, w->node.address, "again", &err));
    assert_int_equal(err.code, ERR_CONFLICT);
}

static void an_operator_cannot_release_what_has_no_provider(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->stranger, 1000), unseen = world_receipt(w, &w->node, 1);
    struct err err = { 0 };

    held_as(w, &r, CODE_UNKNOWN_PROVIDER);
    assert_false(release_receipt(w->intake, "op1", r.receipt.job_id, w->stranger.address, "please", &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    must_be(w, &r, RECEIPT_QUARANTINED, CODE_UNKNOWN_PROVIDER);
    assert_false(release_receipt(w->intake, "op1", unseen.receipt.job_id, w->node.address, "please", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void a_refused_receipt_stays_refused(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->stranger, 1000);
    struct intake_item again;
    struct err err = { 0 };

    w->config.quarantine_max = 1;
    world_restart(w);
    held_as(w, &r, CODE_UNKNOWN_PROVIDER);
    assert_true(refuse_receipt(w->intake, "op1", r.receipt.job_id, w->stranger.address, "spam", &err));
    must_be(w, &r, RECEIPT_REFUSED, CODE_UNKNOWN_PROVIDER);
    again = world_post_one(w, &r);
    assert_item(&again, ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_int_equal(again.existing_state, RECEIPT_REFUSED);
    world_admit(w, &w->stranger);
    must_be(w, &r, RECEIPT_REFUSED, CODE_UNKNOWN_PROVIDER);
    assert_false(refuse_receipt(w->intake, "op1", r.receipt.job_id, w->stranger.address, "spam", &err));
    assert_int_equal(err.code, ERR_CONFLICT);
}

static void a_refusal_makes_room_for_the_next_stranger(void **state)
{
    struct world *w = *state;
    struct signed_receipt a = world_receipt(w, &w->stranger, 1), b = world_receipt(w, &w->stranger, 1);
    struct err err = { 0 };

    w->config.quarantine_max = 1;
    world_restart(w);
    held_as(w, &a, CODE_UNKNOWN_PROVIDER);
    assert_item(&(struct intake_item[]){ world_post_one(w, &b) }[0], ITEM_REJECTED, CODE_TOO_MANY);
    assert_true(refuse_receipt(w->intake, "op1", a.receipt.job_id, w->stranger.address, "spam", &err));
    held_as(w, &b, CODE_UNKNOWN_PROVIDER);
}

static void a_later_price_tells_what_a_release_would_add(void **state)
{
    struct world *w = *state;
    struct signed_receipt unknown = world_receipt(w, &w->stranger, 1000), over = world_receipt(w, &w->node, 1000);

    w->config.limits.daily_limit = amount_from_u64(1);
    world_restart(w);
    held_as(w, &unknown, CODE_UNKNOWN_PROVIDER);
    held_as(w, &over, CODE_OVER_LIMIT);
    assert_amount_is(world_row(w, &over).amount, 2000);
    world_price(w, &w->model, 5000000);
    must_be(w, &unknown, RECEIPT_QUARANTINED, CODE_UNKNOWN_PROVIDER);
    must_be(w, &over, RECEIPT_QUARANTINED, CODE_OVER_LIMIT);
    assert_amount_is(world_row(w, &unknown).amount, 5000);
    assert_amount_is(world_row(w, &over).amount, 5000);
    assert_int_equal(world_row(w, &over).price_version, 2);
    assert_non_null(strstr(world_row(w, &over).faults, "2000 on top of 0"));        /* the figures that it failed by */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(admission_releases_what_a_provider_sent_before),
        TEST(verification_releases_a_claimed_model),
        cmocka_unit_test_setup_teardown(a_price_releases_what_was_unpriced, world_setup_empty, world_teardown),
        TEST(a_release_is_priced_as_of_its_own_time),
        TEST(more_than_one_step_of_held_receipts_is_released),
        TEST(an_operator_releases_and_the_log_says_why),
        TEST(an_operator_cannot_release_what_has_no_provider),
        TEST(a_refused_receipt_stays_refused),
        TEST(a_refusal_makes_room_for_the_next_stranger),
        TEST(a_later_price_tells_what_a_release_would_add),
    };

    return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
