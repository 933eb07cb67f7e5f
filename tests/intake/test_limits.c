/* What is bounded by the contract's cap, by the clock, and by how much of strangers is kept. */
#include "tests/support/world.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

#define HOUR_MS UINT64_C(3600000)

static void a_batch_closes_before_it_passes_its_amount(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[7];
    struct submission s;
    struct err err = { 0 };

    w->config.batch_amount_max = amount_from_u64(6000);
    world_restart(w);
    for (size_t i = 0; i < 7; i++)
        list[i] = world_receipt(w, &w->node, 1000);         /* 2000 each: three a batch */
    world_submission(&s, list, 7);
    world_post(w, &s);
    submission_clear(&s);
    assert_int_equal(world_batch(w, 1).state, BATCH_CLOSED);
    assert_int_equal(world_batch(w, 1).receipts, 3);
    assert_amount_is(world_batch(w, 2).amount, 6000);
    assert_int_equal(world_batch(w, 3).state, BATCH_OPEN);
    assert_int_equal(world_batch(w, 3).receipts, 1);
    assert_int_equal(world_row(w, &list[3]).batch, 2);
    assert_books_balance(w);
    list[0] = world_receipt(w, &w->node, 3001);             /* over the bound alone, and released: a batch of its own */
    world_post_one(w, &list[0]);
    assert_true(release_receipt(w->intake, "op", list[0].receipt.job_id, w->node.address, "fine", &err));
    assert_int_equal(world_row(w, &list[0]).batch, 4);
    assert_books_balance(w);
}

static void one_receipt_over_a_quarter_of_the_cap_blocks_nobody(void **state)
{
    struct world *w = *state;
    struct signed_receipt small = world_receipt(w, &w->node, 1000), large = world_receipt(w, &w->node, 3001);
    struct signed_receipt giant = world_receipt(w, &w->node, 12001);
    struct intake_item item;
    struct err err = { 0 };

    w->config.batch_amount_max = amount_from_u64(6000);
    world_restart(w);
    item = world_post_one(w, &large);
    assert_item(&item, ITEM_QUARANTINED, CODE_OVER_LIMIT);
    assert_non_null(strstr(world_row(w, &large).faults, "6002 in one receipt"));
    assert_non_null(strstr(world_row(w, &large).faults, "a quarter of the contract's cap is 6000"));
    item = world_post_one(w, &giant);
    assert_item(&item, ITEM_QUARANTINED, CODE_OVER_LIMIT);
    item = world_post_one(w, &small);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_true(release_receipt(w->intake, "op", large.receipt.job_id, w->node.address, "one big job", &err));
    assert_int_equal(world_row(w, &large).batch, 2);            /* alone in a batch of its own */
    assert_false(release_receipt(w->intake, "op", giant.receipt.job_id, w->node.address, "no cap allows it", &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_books_balance(w);
}

static void the_bounds_follow_the_contract(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[4];
    struct intake_item item;

    for (size_t i = 0; i < 4; i++)
        list[i] = world_receipt(w, &w->node, 1000);             /* worth 2000 */
    world_post_one(w, &list[0]);
    world_post_one(w, &list[1]);
    intake_set_batch_amount_max(w->intake, amount_from_u64(3000));
    item = world_post_one(w, &list[2]);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_int_equal(world_row(w, &list[2]).batch, 2);
    intake_set_batch_amount_max(w->intake, amount_from_u64(1999));
    item = world_post_one(w, &list[3]);
    assert_item(&item, ITEM_QUARANTINED, CODE_OVER_LIMIT);
    assert_books_balance(w);
}

/* A bundle of `count`, of which only the first is well formed. */
static void post_bundle(struct world *w, const struct party *provider, size_t count, struct submission *s)
{
    struct signed_receipt *list = mem_array(count, sizeof *list);

    for (size_t i = 0; i < count; i++) {
        list[i] = world_receipt(w, provider, 1);
        list[i].receipt.count[METER_CACHED] = i > 0 ? 9 : 0;
    }
    world_submission(s, list, count);
    world_bundle(w, provider, s);
    world_post(w, s);
    free(list);
}

static void a_strangers_bundle_is_charged_whole(void **state)
{
    struct world *w = *state;
    struct submission s;
    struct err err = { 0 };
    struct receipt_row row;

    w->config.quarantine_max = 150;
    world_restart(w);
    post_bundle(w, &w->stranger, 100, &s);
    assert_item(&s.items[0], ITEM_QUARANTINED, CODE_UNKNOWN_PROVIDER);
    row = world_row(w, &s.items[0].signed_);
    submission_clear(&s);
    post_bundle(w, &w->stranger, 100, &s);
    assert_item(&s.items[0], ITEM_REJECTED, CODE_TOO_MANY);
    submission_clear(&s);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM bundles"), 1);
    world_restart(w);                                           /* the same as counted from the store */
    post_bundle(w, &w->stranger, 100, &s);
    assert_item(&s.items[0], ITEM_REJECTED, CODE_TOO_MANY);
    submission_clear(&s);
    assert_true(refuse_receipt(w->intake, "op", row.signed_.receipt.job_id, w->stranger.address, "spam", &err));
    post_bundle(w, &w->stranger, 100, &s);
    assert_item(&s.items[0], ITEM_QUARANTINED, CODE_UNKNOWN_PROVIDER);
    submission_clear(&s);
}

struct evidence { const struct world *w; size_t alone, bundled; };

static bool check_evidence(void *self, const struct receipt_row *other, const struct bundle_proof *proof, struct err *err)
{
    struct evidence *e = self;
    struct address signer;

    if (proof == NULL) {
        e->alone++;
        return secp_recover(&other->signed_.signature, typed_digest(&e->w->config.domain, other->hash), &signer, err);
    }
    e->bundled++;
    assert_true(hash_eq(tree_fold(tree_promise_leaf(other->hash), &proof->path), proof->bundle.root));
    assert_true(secp_recover(&proof->signature, typed_digest(&e->w->config.domain, bundle_struct_hash(&proof->bundle)), &signer, err));
    assert_true(address_eq(signer, other->signed_.receipt.provider));
    return true;
}

static void a_conflict_out_of_a_bundle_proves_itself(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[5], kept[2];
    struct evidence e = { .w = w };
    struct submission s;
    struct err err = { 0 };

    for (size_t i = 0; i < 5; i++)
        list[i] = world_receipt(w, &w->node, 1000);
    memcpy(kept, list + 2, sizeof kept);
    for (size_t i = 0; i < 2; i++) {
        world_post_one(w, &kept[i]);
        list[2 + i].receipt.count[METER_OUTPUT] = 7;
    }
    world_submission(&s, list, 5);
    world_bundle(w, &w->node, &s);
    world_post(w, &s);
    assert_item(&s.items[2], ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
    assert_item(&s.items[3], ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
    submission_clear(&s);
    kept[0].receipt.count[METER_OUTPUT] = 8;
    world_sign(w, &w->node, &kept[0]);
    world_post_one(w, &kept[0]);
    for (size_t i = 0; i < 2; i++)
        assert_true(store_conflicts_of(w->db, kept[i].receipt.job_id, w->node.address, check_evidence, &e, &err));
    assert_int_equal(e.bundled, 2);
    assert_int_equal(e.alone, 1);
}

static void books_that_are_ahead_of_the_clock_judge_by_the_clock(void **state)
{
    struct world *w = *state;
    struct signed_receipt r;
    struct intake_item item;
    struct promise_row promise;
    struct err err = { 0 };
    struct db *db;

    intake_free(w->intake);
    w->intake = NULL;
    writer_close(w->writer);
    /* As a clock leaves it that was once 25 h ahead, and that a person has said to be right now. */
    assert_true(db_open(w->url, DB_WRITE, &db, &err));
    assert_true(db_exec_script(db, "UPDATE meta SET value = value + 25 * 3600 * 1000 WHERE key = 'group_ms'", &err));
    db_close(db);
    assert_true(writer_open(w->url, &w->clock, &w->writer, &err) && writer_start(w->writer, &err));
    world_restart(w);
    r = world_receipt(w, &w->node, 1000);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);           /* not late */
    assert_true(world_row(w, &r).accepted_at_ms > w->now_ms + 24 * HOUR_MS);
    assert_int_equal(world_row(w, &r).received_at_ms, w->now_ms);
    assert_true(store_promise_find(w->db, item.promise, &promise, &err));
    assert_int_equal(promise.promise.settle_by_ms, w->now_ms + w->config.settle_within_ms);
    buf_clear(&promise.leaves);
    assert_int_equal(world_count(w, "SELECT MAX(day) FROM provider_days"), w->now_ms / (24 * HOUR_MS));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

static void a_pause_takes_nothing_and_changes_nothing(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000);
    struct submission s;
    struct intake_item item;
    struct err err = { 0 };

    intake_pause(w->intake, "catching up with settlements 4 to 7");
    assert_true(intake_is_paused(w->intake));
    world_submission(&s, &r, 1);
    assert_false(intake_submit_wait(w->intake, &s, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    assert_string_equal(err.text, "catching up with settlements 4 to 7");
    submission_clear(&s);
    assert_false(expel_provider(w->intake, "op", w->node.address, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    assert_true(intake_resume(w->intake, &err));
    assert_false(intake_is_paused(w->intake));
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_batch_closes_before_it_passes_its_amount),
        TEST(one_receipt_over_a_quarter_of_the_cap_blocks_nobody),
        TEST(the_bounds_follow_the_contract),
        TEST(a_strangers_bundle_is_charged_whole),
        TEST(a_conflict_out_of_a_bundle_proves_itself),
        TEST(a_pause_takes_nothing_and_changes_nothing),
        TEST(books_that_are_ahead_of_the_clock_judge_by_the_clock),
    };

    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
