/* Keys that a wallet lends, and where its pay goes, as the books take it. */
#include "store/catalog.h"
#include "tests/support/world.h"

static struct delegation lend(struct world *w, const struct party *provider, struct address key, uint64_t from_ms, uint64_t until_ms)
{
    struct delegation d = { .provider = provider->address, .key = key, .valid_from_ms = from_ms, .valid_until_ms = until_ms };

    d.signature = world_sign_hash(w, provider, delegation_struct_hash(d.provider, key, from_ms, until_ms));
    return d;
}

static void must_lend(struct world *w, const struct party *key)
{
    struct delegation d = lend(w, &w->node, key->address, w->now_ms - DAY_MS, w->now_ms + DAY_MS);
    enum admit_result result;
    struct err err = { 0 };

    assert_true(delegate_key(w->intake, &d, &result, &err));
    assert_int_equal(result, ADMIT_CREATED);
}

/* Of the node, signed by the key. */
static struct signed_receipt by_key(struct world *w, const struct party *key)
{
    struct signed_receipt r = world_receipt(w, &w->node, 10);

    r.signature = world_sign_hash(w, key, receipt_struct_hash(&r.receipt));
    return r;
}

static void a_lent_key_signs_until_it_is_taken_back(void **state)
{
    struct world *w = *state;
    struct revocation r = { .provider = w->node.address, .key = w->stranger.address };
    struct signed_receipt list[4];
    struct intake_item item;
    enum admit_result result;
    struct err err = { 0 };

    for (size_t i = 0; i < 4; i++)
        list[i] = by_key(w, &w->stranger);
    item = world_post_one(w, &list[0]);
    assert_item(&item, ITEM_REJECTED, CODE_INVALID_SIGNATURE);
    must_lend(w, &w->stranger);
    item = world_post_one(w, &list[1]);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_true(revoke_key(w->intake, "op", &r, &result, &err));
    assert_int_equal(result, ADMIT_CREATED);
    item = world_post_one(w, &list[2]);
    assert_item(&item, ITEM_REJECTED, CODE_INVALID_SIGNATURE);
    item = world_post_one(w, &list[1]);                   /* what it signed before stays known */
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
    world_restart(w);
    item = world_post_one(w, &list[3]);
    assert_item(&item, ITEM_REJECTED, CODE_INVALID_SIGNATURE);
    assert_books_balance(w);
}

/* A revocation that lies before the post in the queue counts, whatever the threads that verified knew. */
static void a_revocation_in_the_queue_counts(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = by_key(w, &w->stranger);
    struct revocation back = { .provider = w->node.address, .key = w->stranger.address };
    struct submission s;
    enum admit_result result;
    struct err err = { 0 };

    must_lend(w, &w->stranger);
    assert_true(revoke_key(w->intake, "op", &back, &result, &err));
    world_submission(&s, &r, 1);
    world_bundle(w, &w->stranger, &s);
    s.bundle.provider = w->node.address;
    s.bundle_signature = world_sign_hash(w, &w->stranger, bundle_struct_hash(&s.bundle));
    world_post(w, &s);
    assert_item(&s.items[0], ITEM_REJECTED, CODE_INVALID_SIGNATURE);
    submission_clear(&s);
}

static void who_may_lend_what(void **state)
{
    struct world *w = *state;
    const struct address key = { { 7 } };
    uint64_t now = w->now_ms;
    struct delegation d;
    enum admit_result result;
    struct err err = { 0 };

    d = lend(w, &w->stranger, key, now, now + 1);
    assert_false(delegate_key(w->intake, &d, &result, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    d = lend(w, &w->node, key, now, now + 1);
    d.valid_until_ms++;
    assert_false(delegate_key(w->intake, &d, &result, &err));
    assert_int_equal(err.code, ERR_AUTH);
    d = lend(w, &w->node, key, now - 10, now - 1);
    assert_false(delegate_key(w->intake, &d, &result, &err));
    assert_int_equal(err.code, ERR_INVALID);
    for (uint8_t i = 0; i < KEYS_MAX; i++) {
        d = lend(w, &w->node, (struct address){ { 8, i } }, now, now + 1000);
        assert_true(delegate_key(w->intake, &d, &result, &err));
    }
    assert_true(delegate_key(w->intake, &d, &result, &err));
    assert_int_equal(result, ADMIT_SAME);
    d = lend(w, &w->node, key, now, now + 1000);
    assert_false(delegate_key(w->intake, &d, &result, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    w->now_ms += DAY_MS + 2000;
    d = lend(w, &w->node, key, now, w->now_ms + 1000);
    assert_true(delegate_key(w->intake, &d, &result, &err));
}

static struct signature say(struct world *w, const struct party *who, const struct payout *p)
{
    return world_sign_hash(w, who, payout_struct_hash(p));
}

static void pay_goes_where_the_wallet_says(void **state)
{
    struct world *w = *state;
    struct payout p = { w->node.address, { { 5 } }, w->now_ms };
    struct provider now, patch = { .address = w->node.address, .name = "node", .payout = { { 6 } } };
    struct signature signature = say(w, &w->other, &p);
    struct signed_receipt r;
    enum admit_result result;
    struct err err = { 0 };

    assert_false(change_payout(w->intake, &p, &signature, &now, &result, &err));
    assert_int_equal(err.code, ERR_AUTH);
    assert_false(admit_provider(w->intake, "op", &patch, true, &result, &err));
    assert_int_equal(err.code, ERR_AUTH);
    signature = say(w, &w->node, &p);
    assert_true(change_payout(w->intake, &p, &signature, &now, &result, &err));
    assert_int_equal(result, ADMIT_CHANGED);
    r = world_receipt(w, &w->node, 1000);
    world_post_one(w, &r);
    assert_amount_is(world_posted(w, 1, p.payout, ROLE_PROVIDER), 1400);
    patch.payout = p.payout;                              /* a change of something else keeps the account and its word */
    patch.has_daily_limit = true;
    patch.daily_limit = amount_from_u64(5000);
    assert_true(admit_provider(w->intake, "op", &patch, true, &result, &err));
    assert_int_equal(result, ADMIT_CHANGED);
    assert_int_equal(patch.payout_word.at_ms, p.at_ms);
    patch.payout = w->node.address;                       /* nor may the operator send it home */
    patch.payout_word.given = false;
    assert_false(admit_provider(w->intake, "op", &patch, true, &result, &err));
    assert_int_equal(err.code, ERR_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lent_key_signs_until_it_is_taken_back, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_revocation_in_the_queue_counts, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(who_may_lend_what, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(pay_goes_where_the_wallet_says, world_setup, world_teardown),
    };

    return cmocka_run_group_tests_name("admit_keys", tests, NULL, NULL);
}
