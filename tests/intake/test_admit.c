/* Changes to what receipts are judged by: created, the same again, contradicted, changed, withdrawn. */
#include <stdio.h>

#include "tests/support/world.h"

static bool put(struct world *w, struct address who, const char *name, uint64_t limit, bool patch, enum admit_result *result, struct err *err)
{
    struct provider p = { .address = who, .has_daily_limit = limit != 0, .daily_limit = amount_from_u64(limit) };

    snprintf(p.name, sizeof p.name, "%s", name);
    return admit_provider(w->intake, "test", &p, patch, result, err);
}

static void a_provider_is_created_once(void **state)
{
    struct world *w = *state;
    enum admit_result result;
    struct err err = { 0 };

    assert_true(put(w, w->stranger.address, "a", 5, false, &result, &err));
    assert_int_equal(result, ADMIT_CREATED);
    assert_true(put(w, w->stranger.address, "a", 5, false, &result, &err));
    assert_int_equal(result, ADMIT_SAME);
    assert_false(put(w, w->stranger.address, "a", 6, false, &result, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_true(put(w, w->stranger.address, "a", 6, true, &result, &err));
    assert_int_equal(result, ADMIT_CHANGED);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM audit_log WHERE action LIKE 'provider-%'"), 4);
}

static void an_expelled_provider_is_a_stranger_and_may_come_back(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000);
    enum admit_result result;
    struct err err = { 0 };

    assert_true(expel_provider(w->intake, "test", w->node.address, &err));
    assert_item(&(struct intake_item[]){ world_post_one(w, &r) }[0], ITEM_QUARANTINED, CODE_UNKNOWN_PROVIDER);
    assert_false(expel_provider(w->intake, "test", w->node.address, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(put(w, w->node.address, "a", 0, true, &result, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_true(put(w, w->node.address, "a", 0, false, &result, &err));
    assert_int_equal(result, ADMIT_CREATED);
    assert_int_equal(world_row(w, &r).state, RECEIPT_ACCEPTED);
}

static void a_daily_limit_of_its_own_counts(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000);
    enum admit_result result;
    struct err err = { 0 };

    assert_true(put(w, w->node.address, "node", 1999, true, &result, &err));
    assert_item(&(struct intake_item[]){ world_post_one(w, &r) }[0], ITEM_QUARANTINED, CODE_OVER_LIMIT);
}

static void a_name_is_plain_text_and_nobody_is_no_provider(void **state)
{
    struct world *w = *state;
    enum admit_result result;
    struct err err = { 0 };

    assert_false(put(w, w->stranger.address, "", 0, false, &result, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(put(w, w->stranger.address, "a\nb", 0, false, &result, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(put(w, (struct address){ { 0 } }, "a", 0, false, &result, &err));
    assert_int_equal(err.code, ERR_INVALID);
}

static void a_withdrawn_consumer_is_not_charged(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000);
    struct err err = { 0 };

    assert_true(expel_consumer(w->intake, "test", w->consumer.address, &err));
    world_countersign(w, &w->consumer, &r);
    world_post_one(w, &r);
    assert_false(world_row(w, &r).has_charged);
    assert_false(expel_consumer(w->intake, "test", w->consumer.address, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void a_creator_registers_one_content(void **state)
{
    struct world *w = *state;
    struct model m = world_claim(w, &w->creator, (struct hash){ { 7 } }, w->model, 100);
    enum admit_result result;
    struct err err = { 0 };

    assert_true(register_model(w->intake, &m, &result, &err));
    assert_int_equal(result, ADMIT_SAME);
    m.parents[0].share_bps = 200;
    assert_false(register_model(w->intake, &m, &result, &err));
    assert_int_equal(err.code, ERR_AUTH);
    m.signature = world_sign_hash(w, &w->creator, model_struct_hash(&m));
    assert_false(register_model(w->intake, &m, &result, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    m.model = (struct hash){ { 8 } };
    m.parents[0].model = (struct hash){ { 77 } };
    m.signature = world_sign_hash(w, &w->creator, model_struct_hash(&m));
    assert_false(register_model(w->intake, &m, &result, &err));
    assert_int_equal(err.code, ERR_INVALID);
}

static void one_claim_is_verified_after_its_parents(void **state)
{
    struct world *w = *state;
    struct hash base = { { 7 } }, derived = { { 8 } };
    struct model m;
    struct err err = { 0 };

    world_claim(w, &w->creator, base, base, 0);
    world_claim(w, &w->creator, derived, base, 100);
    world_claim(w, &w->other, base, base, 0);
    assert_false(verify_model(w->intake, "test", derived, w->creator.address, &m, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_true(verify_model(w->intake, "test", base, w->creator.address, &m, &err));
    assert_true(m.verified_at_ms > 0);
    assert_true(verify_model(w->intake, "test", base, w->creator.address, &m, &err));
    assert_false(verify_model(w->intake, "test", base, w->other.address, &m, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_false(verify_model(w->intake, "test", base, w->node.address, &m, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_true(verify_model(w->intake, "test", derived, w->creator.address, &m, &err));
}

static void a_circle_may_be_claimed_and_is_never_verified(void **state)
{
    struct world *w = *state;
    struct hash a = { { 0xa1 } }, b = { { 0xb1 } };
    struct model verified;
    struct err err = { 0 };

    world_claim(w, &w->creator, a, a, 0);
    world_claim(w, &w->creator, b, a, 1000);
    world_claim(w, &w->stranger, a, b, 1000);         /* a's other claim descends from its child */
    assert_false(verify_model(w->intake, "test", a, w->stranger.address, &verified, &err));
    assert_false(verify_model(w->intake, "test", b, w->creator.address, &verified, &err));
    world_verify(w, &w->creator, a);
    world_verify(w, &w->creator, b);
    assert_false(verify_model(w->intake, "test", a, w->stranger.address, &verified, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
}

static void only_a_first_price_reaches_far_back(void **state)
{
    struct world *w = *state;
    struct price_version p = { .any_model = true, .split_bps = { 10000, 0, 0 }, .effective_from_ms = w->now_ms - 3600000 };
    struct err err = { 0 };

    assert_false(add_price(w->intake, "test", &p, &err));
    assert_int_equal(err.code, ERR_INVALID);
    p.effective_from_ms = w->now_ms - 50000;
    assert_true(add_price(w->intake, "test", &p, &err));
    assert_int_equal(p.version, 2);
    assert_true(p.recorded_at_ms > w->now_ms);
    p.any_model = false;
    p.model = w->model;
    p.effective_from_ms = 1;
    assert_true(add_price(w->intake, "test", &p, &err));
    assert_int_equal(p.version, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_provider_is_created_once),
        TEST(an_expelled_provider_is_a_stranger_and_may_come_back),
        TEST(a_daily_limit_of_its_own_counts),
        TEST(a_name_is_plain_text_and_nobody_is_no_provider),
        TEST(a_withdrawn_consumer_is_not_charged),
        TEST(a_creator_registers_one_content),
        TEST(one_claim_is_verified_after_its_parents),
        TEST(a_circle_may_be_claimed_and_is_never_verified),
        TEST(only_a_first_price_reaches_far_back),
    };

    return cmocka_run_group_tests_name("admit", tests, NULL, NULL);
}
