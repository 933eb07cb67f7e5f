/* A history whose receipts only parties may read: with all keys it is audited as a public one, without by what is public. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/audit/audit.h"
#include "gateway/audit/replay.h"
#include "gateway/base/hex.h"
#include "gateway/core/seal.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/file.h"
#include "tests/support/fixture.h"
#include "tests/support/history.h"
#include "tests/support/libraries.h"

struct outcome { bool ok; struct audit_report report; struct err err; };

static struct outcome audit(const struct history *h, struct audit_keys *keys)
{
    struct audit_config config = { 0 };
    struct outcome o = { 0 };
    struct chain_view view = h->view;
    struct source *source;
    struct replay replay;

    assert_true(source_open(h->dir, &source, &o.err));
    replay_init(&replay, &view);
    replay.keys = keys;
    o.ok = audit_files(&config, &view, source, &replay, &o.report, &o.err)
        && audit_payments(&config, &h->payments, &replay, &o.report, &o.err);
    replay_clear(&replay);
    source_free(source);
    return o;
}

static void assert_stands(const struct history *h, struct audit_keys *keys, uint64_t sealed)
{
    struct outcome o = audit(h, keys);

    if (!o.ok)
        fail_msg("%s", o.err.text);
    assert_int_equal(o.report.settlements, 3);
    assert_int_equal(o.report.receipts, 10);
    assert_int_equal(o.report.accounts, 5);
    assert_int_equal(o.report.sealed, sealed);
    assert_true(amount_cmp(o.report.paid, h->payments.total_claimed) == 0);
    assert_true(sealed > 0 || amount_cmp(o.report.charged, amount_from_u64(1014 * 7 + 335 * 21)) == 0);
}

static void with_the_secret_all_of_it_is_audited(void **state)
{
    struct audit_keys *keys = audit_keys_of_secret(history_secret);
    struct history h;

    (void)state;
    history_make_sealed(&h, LIE_NONE);
    assert_stands(&h, keys, 0);
    audit_keys_free(keys);
    history_clear(&h);
}

static void without_keys_sums_roots_and_payments_are(void **state)
{
    struct history h;

    (void)state;
    history_make_sealed(&h, LIE_NONE);
    assert_stands(&h, NULL, 10);
    history_clear(&h);
}

struct collecting { struct audit_keys *keys; uint64_t sequence; struct buf *text; size_t count; };

/* The key of each receipt, as the nodes were told them. */
static bool collect(void *self, const char *text, size_t len, struct err *err)
{
    struct collecting *c = self;
    struct archive_line line = { 0 };
    char job[JOB_ID_TEXT], provider[ADDRESS_TEXT], key[HASH_TEXT];
    const struct receipt *r = &line.of.receipt.receipt.receipt;

    assert_true(archive_read_line(text, len, &line, err) && audit_keys_open(c->keys, c->sequence, &line, err));
    if (line.type == ARCHIVE_RECEIPT) {
        job_id_to_text(r->job_id, job);
        address_to_text(r->provider, provider);
        hash_to_text(seal_line_key(history_secret, r->job_id, r->provider), key);
        buf_printf(c->text, "{\"jobId\":\"%s\",\"provider\":\"%s\",\"key\":\"%s\"}\n", job, provider, key);
        c->count++;
    }
    archive_line_clear(&line);
    return true;
}

static void settlement_key_line(uint64_t sequence, struct buf *text)
{
    char key[HASH_TEXT];

    hash_to_text(seal_settlement_key(history_secret, sequence), key);
    buf_printf(text, "{\"sequence\":%u,\"key\":\"%s\"}\n", (unsigned)sequence, key);
}

static void line_keys(const struct history *h, uint64_t sequence, struct buf *text)
{
    struct collecting c = { .keys = audit_keys_of_secret(history_secret), .sequence = sequence, .text = text };
    struct source *source;
    struct hash digest;
    struct err err = { 0 };

    assert_true(source_open(h->dir, &source, &err) && source_archive(source, sequence, collect, &c, &digest, &err));
    audit_keys_free(c.keys);
    source_free(source);
}

static struct audit_keys *keys_of_text(const struct history *h, struct buf *text)
{
    struct audit_keys *keys;
    struct err err = { 0 };
    char path[128];

    snprintf(path, sizeof path, "%s/keys", h->dir);
    assert_true(file_write(path, text->data, text->len, 0600, &err));
    if (!audit_keys_read(path, &keys, &err))
        fail_msg("%s", err.text);
    assert_int_equal(remove(path), 0);
    buf_clear(text);
    return keys;
}

static void a_key_a_settlement_is_enough(void **state)
{
    struct audit_keys *keys;
    struct history h;
    struct buf text;

    (void)state;
    history_make_sealed(&h, LIE_NONE);
    buf_init(&text);
    for (uint64_t sequence = 1; sequence <= 4; sequence++)
        settlement_key_line(sequence, &text);
    keys = keys_of_text(&h, &text);
    assert_stands(&h, keys, 0);
    audit_keys_free(keys);
    history_clear(&h);
}

/* Line keys open receipts; their bundle stays closed, so those that came in it count as sealed. */
static void keys_of_lines_open_what_was_signed_alone(void **state)
{
    struct audit_keys *keys;
    struct history h;
    struct buf text;

    (void)state;
    history_make_sealed(&h, LIE_NONE);
    buf_init(&text);
    line_keys(&h, 4, &text);                  /* in any order, with empty lines between */
    buf_add_text(&text, "\n");
    line_keys(&h, 3, &text);
    line_keys(&h, 1, &text);
    keys = keys_of_text(&h, &text);
    assert_stands(&h, keys, 4);
    audit_keys_free(keys);
    history_clear(&h);
}

static void a_party_opens_its_own_line_only(void **state)
{
    struct audit_keys *keys;
    struct history h;
    struct buf text;

    (void)state;
    history_make_sealed(&h, LIE_NONE);
    buf_init(&text);
    line_keys(&h, 1, &text);
    text.len = (size_t)((const uint8_t *)memchr(text.data, '\n', text.len) - text.data) + 1;
    keys = keys_of_text(&h, &text);
    assert_stands(&h, keys, 9);
    audit_keys_free(keys);
    history_clear(&h);
}

static void a_wrong_key_opens_nothing(void **state)
{
    static const uint8_t other[32] = { 1 };
    struct audit_keys *keys = audit_keys_of_secret(other);
    struct history h;

    (void)state;
    history_make_sealed(&h, LIE_NONE);
    assert_stands(&h, keys, 10);
    audit_keys_free(keys);
    history_clear(&h);
}

static const struct bad_keys { const char *name, *text, *told; } bad[] = {
    { "a line that is no JSON",    "{\"key\"\n",                         "keys:1: " },
    { "a key that is none",        "{\"sequence\":1,\"key\":\"0x12\"}\n", "key: missing or not" },
    { "a key that is of nothing",  "{\"key\":\"0x5eC2e70000000000000000000000000000000000000000000000000000000000\"}\n", "neither" },
};

static void bad_keys_are_named(void **state)
{
    const struct bad_keys *c = *state;
    struct audit_keys *keys;
    struct err err = { 0 };
    char dir[] = "/tmp/quittance-keys-XXXXXX", path[64];

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/keys", dir);
    assert_true(file_write(path, c->text, strlen(c->text), 0600, &err));
    assert_false(audit_keys_read(path, &keys, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    if (strstr(err.text, c->told) == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(dir), 0);
}

static const struct lie_case { const char *name; enum lie lie; const char *told; bool public; } cases[] = {
    /* public: found without a key too */
    { "a receipt that was dropped",            LIE_RECEIPT_DROPPED,    "settlement 4: receipt: receipt", true },
    { "a receipt that nobody signed",          LIE_RECEIPT_ADDED,      "settlement 4: signature: receipt", false },
    { "a receipt changed after it was signed", LIE_RECEIPT_CHANGED,    "settlement 4: signature: receipt", false },
    { "a receipt billed in two settlements",   LIE_RECEIPT_TWICE,      "settlement 4: double billing", false },
    { "a price that was not in force",         LIE_PRICE_VERSION,      "settlement 4: price version", false },
    { "an amount one unit too high",           LIE_AMOUNT,             "settlement 4: amount", false },
    { "a split that favours the protocol",     LIE_SPLIT,              "settlement 4: reward: account 0x", false },
    { "a leaf of a bundle that was changed",   LIE_BUNDLE_LEAF,        "settlement 3: bundle: bundle 0x", false },
    { "a box that holds another salt",         LIE_SALT,               "settlement 4: receipt: receipt", false },
    { "a receipts root that is wrong",         LIE_RECEIPTS_ROOT,      "settlement 4: receipts root", true },
    { "a reward line that is missing",         LIE_REWARD_MISSING,     "settlement 4: re", true },
    { "a reward that is not due",              LIE_REWARD_EXTRA,       "settlement 4: re", true },
    { "a leaf that fell",                      LIE_LEAF_FELL,          "settlement 4: ", true },
    { "a rewards root that is wrong",          LIE_REWARDS_ROOT,       "settlement 4: rewards root", true },
    { "a total that is not the sum",           LIE_TOTAL,              "settlement 4: total", true },
    { "one byte changed",                      LIE_BYTE,               "settlement 3: archive: SHA-256", true },
    { "a payment made twice",                  LIE_PAYMENT_DOUBLED,    "tokens received: expected", true },
    { "a payment over the leaf",               LIE_PAYMENT_OVER_LEAF,  "at most its leaf", true },
};

static void lie_is_named(void **state)
{
    const struct lie_case *c = *state;
    struct audit_keys *keys = audit_keys_of_secret(history_secret);
    struct history h;
    struct outcome with, without;

    history_make_sealed(&h, c->lie);
    with = audit(&h, keys);
    without = audit(&h, NULL);
    audit_keys_free(keys);
    history_clear(&h);
    assert_false(with.ok);
    assert_int_equal(with.err.code, ERR_DIFFERS);
    if (strstr(with.err.text, c->told) == NULL)
        fail_msg("wanted \"%s\", got \"%s\"", c->told, with.err.text);
    if (without.ok == c->public)
        fail_msg("without keys: %s", without.ok ? "stands" : without.err.text);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(with_the_secret_all_of_it_is_audited),
        cmocka_unit_test(without_keys_sums_roots_and_payments_are),
        cmocka_unit_test(a_key_a_settlement_is_enough),
        cmocka_unit_test(keys_of_lines_open_what_was_signed_alone),
        cmocka_unit_test(a_party_opens_its_own_line_only),
        cmocka_unit_test(a_wrong_key_opens_nothing),
    };
    FIXTURE_TESTS(tests, cases, lie_is_named);
    FIXTURE_TESTS(bad_tests, bad, bad_keys_are_named);
    int failed = cmocka_run_group_tests_name("sealed history", others, secp_setup, secp_teardown);

    failed += cmocka_run_group_tests_name("lies in a sealed history", tests, secp_setup, secp_teardown);
    return failed + cmocka_run_group_tests_name("key files", bad_tests, NULL, NULL);
}
