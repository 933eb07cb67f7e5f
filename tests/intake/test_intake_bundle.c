/* Bundles: one signature over many receipts, good whole or bad whole (design 3); published vectors of both forms. */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/support/world.h"

#define COUNT 100

static void make_bundle(struct world *w, struct submission *s)
{
    struct signed_receipt list[COUNT];

    for (size_t i = 0; i < COUNT; i++)
        list[i] = world_receipt(w, &w->node, 1000);
    world_submission(s, list, COUNT);
    world_bundle(w, &w->node, s);
}

static void a_good_bundle_is_accepted_and_kept_once(void **state)
{
    struct world *w = *state;
    struct bundle_row bundle;
    struct receipt_row row;
    struct submission s;
    struct err err = { 0 };
    struct hash leaf;

    make_bundle(w, &s);
    world_post(w, &s);
    for (size_t i = 0; i < COUNT; i++)
        assert_item(&s.items[i], ITEM_ACCEPTED, CODE_ACCEPTED);
    row = world_row(w, &s.items[7].signed_);
    assert_true(row.has_bundle);
    assert_false(row.signed_.has_signature);
    assert_int_equal(row.bundle_index, 7);
    assert_true(store_bundle_find(w->db, row.bundle, &bundle, &err));
    assert_hash_is(bundle.bundle.root, s.bundle.root);
    assert_int_equal(bundle.leaves.len, COUNT * 32);
    leaf = tree_promise_leaf(row.hash);
    assert_memory_equal(bundle.leaves.data + 7 * 32, leaf.b, 32);
    buf_clear(&bundle.leaves);
    submission_clear(&s);
    assert_books_balance(w);
}

static void a_bundle_sent_twice_is_all_duplicates(void **state)
{
    struct world *w = *state;
    struct submission s, again;

    make_bundle(w, &s);
    world_submission(&again, &s.items[0].signed_, 1);
    world_bundle(w, &w->node, &again);
    world_post(w, &s);
    world_post(w, &again);
    assert_item(&again.items[0], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM bundles"), 1);
    submission_clear(&s);
    submission_clear(&again);
}

static void in_a_good_bundle_each_item_is_judged_alone(void **state)
{
    struct world *w = *state;
    struct submission s;

    make_bundle(w, &s);
    s.items[3].signed_.receipt.count[METER_CACHED] = 5000;      /* of 1000 */
    s.items[4].signed_.receipt.model = (struct hash){ { 9 } };
    s.items[5].signed_.receipt.finished_at_ms = w->now_ms + 600000;
    world_bundle(w, &w->node, &s);
    s.items[6].signed_.has_consumer_signature = true;           /* zeros */
    world_post(w, &s);
    assert_item(&s.items[2], ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_item(&s.items[3], ITEM_REJECTED, CODE_MALFORMED);
    assert_item(&s.items[4], ITEM_QUARANTINED, CODE_UNKNOWN_MODEL);
    assert_item(&s.items[5], ITEM_REJECTED, CODE_FINISHED_IN_FUTURE);
    assert_item(&s.items[6], ITEM_REJECTED, CODE_INVALID_CONSUMER_SIGNATURE);
    assert_item(&s.items[7], ITEM_ACCEPTED, CODE_ACCEPTED);
    submission_clear(&s);
}

/* What is known of its jobs decides, whoever has them: one this node sent before, one with other content, one that another billed, one
 * that another is held for. */
static void in_a_large_bundle_what_is_known_is_found(void **state)
{
    struct world *w = *state;
    struct signed_receipt known[4];
    struct submission s;

    make_bundle(w, &s);
    for (size_t i = 0; i < 4; i++) {
        known[i] = s.items[10 + i].signed_;
        known[i].receipt.provider = i < 2 ? w->node.address : i == 2 ? w->other.address : w->stranger.address;
        known[i].receipt.count[METER_INPUT] += i == 1;
        world_sign(w, i < 2 ? &w->node : i == 2 ? &w->other : &w->stranger, &known[i]);
        assert_int_equal(world_post_one(w, &known[i]).status, i < 3 ? ITEM_ACCEPTED : ITEM_QUARANTINED);
    }
    world_post(w, &s);
    for (size_t i = 0; i < COUNT; i++)
        if (i < 10 || i > 12)
            assert_item(&s.items[i], ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_item(&s.items[10], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_item(&s.items[11], ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
    assert_item(&s.items[12], ITEM_QUARANTINED, CODE_DUPLICATE_JOB);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipts"), COUNT + 2);
    submission_clear(&s);
    assert_books_balance(w);
}

static void wrong_root(struct world *w, struct submission *s)
{
    (void)w;
    s->bundle.root.b[0] ^= 1;
}

static void wrong_count(struct world *w, struct submission *s)
{
    (void)w;
    s->bundle.count--;
}

static void signed_by_other(struct world *w, struct submission *s)
{
    s->bundle_signature = world_sign_hash(w, &w->other, bundle_struct_hash(&s->bundle));
}

static void a_strangers_receipt(struct world *w, struct submission *s)
{
    s->items[1].signed_.receipt.provider = w->other.address;
    world_bundle(w, &w->node, s);
}

static void a_changed_receipt(struct world *w, struct submission *s)
{
    (void)w;
    s->items[1].signed_.receipt.count[METER_INPUT]++;
}

static const struct bad_bundle { const char *name; void (*spoil)(struct world *w, struct submission *s); } bad_bundles[] = {
    { "a wrong root sinks the bundle",               wrong_root },
    { "a wrong count sinks the bundle",              wrong_count },
    { "another's signature sinks the bundle",        signed_by_other },
    { "another provider's receipt sinks the bundle", a_strangers_receipt },
    { "a changed receipt sinks the bundle",          a_changed_receipt },
};
static const struct bad_bundle *running;

static int bad_setup(void **state)
{
    running = *state;
    return world_setup(state);
}

static void bundle_is_refused(void **state)
{
    struct world *w = *state;
    struct submission s;

    make_bundle(w, &s);
    running->spoil(w, &s);
    world_post(w, &s);
    for (size_t i = 0; i < COUNT; i++) {
        assert_item(&s.items[i], ITEM_REJECTED, CODE_INVALID_SIGNATURE);
        assert_true(s.items[i].faults.count > 0);
    }
    submission_clear(&s);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipts"), 0);
}

/* The decoding here is what api does with the bodies. */
static bool decode_binary(const struct buf *body, struct submission *s)
{
    if (body->len < 65 + RECEIPT_WORDS || (body->len - 65) % RECEIPT_WORDS != 0)
        return false;
    s->is_bundle = true;
    s->count = (body->len - 65) / RECEIPT_WORDS;
    s->items = mem_array(s->count, sizeof *s->items);
    memcpy(s->bundle_signature.b, body->data, 65);
    for (size_t i = 0; i < s->count; i++) {
        struct intake_item *item = &s->items[i];
        const uint8_t *words = body->data + 65 + i * RECEIPT_WORDS;

        receipt_from_words(words, &item->signed_.receipt, &item->faults);
        item->has_job_id = true;
        item->hash = receipt_words_hash(words);
        item->has_hash = true;
    }
    s->bundle.provider = s->items[0].signed_.receipt.provider;
    s->bundle.count = s->count;
    return true;
}

static void decode_json(const char *text, struct submission *s)
{
    const json *bundle, *receipts;
    struct err err = { 0 };
    json *body;

    assert_true(json_read(text, strlen(text), &body, &err));
    bundle = vector_member(body, "bundle");
    receipts = vector_member(body, "receipts");
    s->is_bundle = s->bundle_root_given = true;
    s->bundle = (struct receipt_bundle){ vector_address(bundle, "provider"), vector_hash(bundle, "root"), vector_u64(bundle, "count") };
    s->bundle_signature = vector_signature(bundle, "signature");
    s->count = json_count(receipts);
    s->items = mem_array(s->count, sizeof *s->items);
    for (size_t i = 0; i < s->count; i++)
        receipt_from_json(json_at(receipts, i), RECEIPT_BUNDLED, &s->items[i].signed_, &s->items[i].has_job_id, &s->items[i].faults);
    json_free(body);
}

static void check_items(const json *row, const struct submission *s)
{
    const json *items = vector_member(row, "items");
    const char *pointer;
    size_t len;

    assert_int_equal(json_count(items), s->count);
    for (size_t i = 0; i < s->count; i++) {
        const json *want = json_at(items, i);
        enum receipt_code code = CODE_UNKNOWN_PROVIDER;      /* without a code: good up to the signature */

        if (vector_has(want, "code"))
            assert_true(receipt_code_from_name(vector_text(want, "code"), &code));
        assert_item(&s->items[i], receipt_codes[code].status, code);
        if (!vector_has(want, "pointers"))
            continue;
        assert_true(json_get_text(json_at(vector_member(want, "pointers"), 0), &pointer, &len));
        assert_string_equal(s->items[i].faults.list[0].pointer, pointer);
    }
}

static void vector_matches(void **state)
{
    const json *row = *state;
    bool binary = strcmp(vector_text(row, "form"), "binary") == 0, taken = true;
    struct submission s = { 0 };
    struct world *w;
    void *made;

    if (binary) {
        struct buf body = vector_bytes(row, "body");

        taken = decode_binary(&body, &s);
        buf_clear(&body);
    } else {
        decode_json(vector_text(row, "text"), &s);
    }
    assert_int_equal(taken ? 200 : 400, vector_u64(row, "http"));
    if (!taken)
        return;
    world_setup_empty(&made);
    w = made;
    w->config.domain = fixture_domain(row);
    w->now_ms = vector_u64(row, "now");
    world_restart(w);
    world_post(w, &s);
    check_items(row, &s);
    submission_clear(&s);
    world_teardown(&made);
}

#define TEST(f) { #f, f, world_setup, world_teardown, NULL }

int main(void)
{
    struct CMUnitTest tests[3 + ARRAY_LEN(bad_bundles)] = {
        TEST(a_good_bundle_is_accepted_and_kept_once),
        TEST(a_bundle_sent_twice_is_all_duplicates),
        TEST(in_a_good_bundle_each_item_is_judged_alone),
        TEST(in_a_large_bundle_what_is_known_is_found),
    };
    int failed;

    for (size_t i = 0; i < ARRAY_LEN(bad_bundles); i++)
        tests[3 + i] = (struct CMUnitTest){ bad_bundles[i].name, bundle_is_refused, bad_setup, world_teardown, fixture_state(&bad_bundles[i]) };
    failed = cmocka_run_group_tests_name("intake bundles", tests, NULL, NULL);
    return failed + fixture_run("bundleRejects", vector_matches, NULL, NULL);
}
