/* Every lie that an operator could publish is found, and called by its name. */
#include <stdio.h>
#include <string.h>

#include "gateway/audit/audit.h"
#include "gateway/audit/replay.h"
#include "tests/support/fixture.h"
#include "tests/support/history.h"
#include "tests/support/libraries.h"

struct outcome { bool ok; struct audit_report report; struct err err; };

static struct outcome audit(const struct history *h, uint64_t last_sequence)
{
    struct audit_config config = { .last_sequence = last_sequence };
    struct outcome o = { 0 };
    struct chain_view view = h->view;         /* the list is shared: the audit fills in the parents */
    struct source *source;
    struct replay replay;

    assert_true(source_open(h->dir, &source, &o.err));
    replay_init(&replay, &view);
    o.ok = audit_files(&config, &view, source, &replay, &o.report, &o.err)
        && audit_payments(&config, &h->payments, &replay, &o.report, &o.err);
    replay_clear(&replay);
    source_free(source);
    return o;
}

static const struct lie_case { const char *name; enum lie lie; const char *told; } cases[] = {
    { "a receipt that was dropped",             LIE_RECEIPT_DROPPED,     "settlement 4: receipt: number of receipts: expected 3, found 2" },
    { "a receipt that nobody signed",           LIE_RECEIPT_ADDED,       "settlement 4: signature: receipt 01a0c45" },
    { "a receipt changed after it was signed",  LIE_RECEIPT_CHANGED,     "settlement 4: signature: receipt 01a0c45" },
    { "a receipt billed in two settlements",    LIE_RECEIPT_TWICE,       "settlement 4: double billing: receipt 01a0c45" },
    { "receipts out of order",                  LIE_RECEIPTS_SWAPPED,    "settlement 4: receipt: receipt 01a0c45" },
    { "a receipt accepted before its end",      LIE_RECEIPT_FUTURE,      "settlement 4: receipt: receipt 01a0c45" },
    { "a consumer signature of somebody else",  LIE_CONSUMER_SIGNATURE,  "by the consumer: expected 0x" },
    { "a price that was not in force",          LIE_PRICE_VERSION,       "settlement 4: price version: receipt 01a0c45" },
    { "a price that was never published",       LIE_PRICE_UNPUBLISHED,   "expected 1, found 2" },
    { "a price version written anew",           LIE_PRICE_REWRITTEN,     "settlement 4: catalog: price version 1" },
    { "an amount one unit too high",            LIE_AMOUNT,              "settlement 4: amount: receipt 01a0c45" },
    { "a split that favours the protocol",      LIE_SPLIT,               "settlement 4: reward: account 0x" },
    { "a model signed for another contract",    LIE_MODEL_CONTRACT,      "settlement 1: signature: model 0x" },
    { "a consumer said never to have been enrolled", LIE_CONSUMER_REWRITTEN, "settlement 4: catalog: consumer 0x" },
    { "a lineage nobody signed",                LIE_LINEAGE_LINE,        "settlement 1: signature: model 0x" },
    { "a lineage that was not paid",            LIE_LINEAGE_SKIPPED,     "settlement 4: reward: " },
    { "a payout to another account",            LIE_PAYOUT,              "settlement 4: reward: account 0x" },
    { "a leaf of a bundle that was changed",    LIE_BUNDLE_LEAF,         "settlement 3: bundle: bundle 0x" },
    { "a leaf of a bundle that is missing",     LIE_BUNDLE_MISSING_LEAF, "found none at index 4" },
    { "a bundle signed by a stranger",          LIE_BUNDLE_SIGNATURE,    "settlement 3: signature: bundle 0x" },
    { "a payout account without a word of the wallet", LIE_PAYOUT_UNSIGNED, "settlement 1: signature: provider 0x" },
    { "a payout account that the operator signed", LIE_PAYOUT_SIGNATURE, "settlement 1: signature: provider 0x" },
    { "a delegation signed by the key itself",  LIE_DELEGATION_SIGNATURE, "settlement 1: signature: delegation of 0x" },
    { "a key whose delegation is nowhere",      LIE_KEY_UNPUBLISHED,     "found does not recover to the provider, nor to a key that it delegated" },
    { "a key that had expired",                 LIE_KEY_EXPIRED,         "found is by a delegated key that has expired" },
    { "a key that was revoked before",          LIE_KEY_REVOKED,         "found is by a delegated key that was revoked" },
    { "a key that did not sign",                LIE_KEY_OTHER,           "settlement 1: signature: receipt 01a0c45" },
    { "an epoch made up after its jobs",        LIE_EPOCH_LATE,          "settlement 3: popularity: epoch 1: expected to be announced with its first jobs" },
    { "an epoch with other terms later",        LIE_EPOCH_TERMS,         "settlement 4: popularity: epoch 1, terms: expected what an earlier" },
    { "a popularity that the treasury paid for", LIE_POOL_TREASURY,      "settlement 4: popularity: epoch 1, models: expected 1, found 2" },
    { "fees that nobody paid",                  LIE_POOL_FEES,           "settlement 4: popularity: epoch 1, fees of 0x" },
    { "a score of consumers who were not there", LIE_POOL_SCORE,         "settlement 4: popularity: epoch 1, score of 0x" },
    { "a share above the cap",                  LIE_POOL_SHARE,          "settlement 4: popularity: epoch 1, share of 0x" },
    { "a carry that is more than was left",     LIE_POOL_CARRY,          "settlement 4: popularity: epoch 1, carriedOut: expected" },
    { "another cap than announced",             LIE_POOL_CAP,            "settlement 4: popularity: epoch 1, terms: expected what was announced" },
    { "shares of the pool that were not paid",  LIE_POOL_UNPAID,         "settlement 4: reward: " },
    { "an epoch booked twice",                  LIE_POOL_TWICE,          "settlement 4: popularity: epoch 1: expected the first epoch" },
    { "a correction that is not told",          LIE_ADJUSTMENT_DROPPED,  "settlement 4: reward: account 0x" },
    { "a correction made in two settlements",   LIE_ADJUSTMENT_TWICE,    "settlement 4: adjustment: adjustment 1: expected one that is new" },
    { "a correction of another amount",         LIE_ADJUSTMENT_AMOUNT,   "settlement 4: reward: account 0x" },
    { "a debt one unit too high",               LIE_DEBT,                "settlement 4: debt: account 0x" },
    { "a debt that nobody paid and is gone",    LIE_DEBT_FORGIVEN,       "settlement 4: debt: account 0x" },
    { "a salt that is another",                 LIE_SALT,                "settlement 4: receipts root: over all receipts" },
    { "a receipts root that is wrong",          LIE_RECEIPTS_ROOT,       "settlement 4: receipts root: over all receipts" },
    { "a reward line that is missing",          LIE_REWARD_MISSING,      "settlement 4: reward: next reward line" },
    { "a reward that is not due",               LIE_REWARD_EXTRA,        "settlement 4: reward: " },
    { "a cancelled settlement that counts",     LIE_CANCELLED_COUNTED,   "settlement 3: reward: account 0x" },
    { "a leaf that fell",                       LIE_LEAF_FELL,           "settlement 4: leaf fell: account 0x" },
    { "a rewards root that is wrong",           LIE_REWARDS_ROOT,        "settlement 4: rewards root: over all leaves" },
    { "a total that is not the sum",            LIE_TOTAL,               "settlement 4: total: sum of all leaves" },
    { "another amount in rewards.json",         LIE_JSON_AMOUNT,         "settlement 4: rewards.json: account 0x" },
    { "a leaf that fell in rewards.json",       LIE_JSON_FELL,           "settlement 4: leaf fell: account 0x" },
    { "a proof that leads elsewhere",           LIE_JSON_PROOF,          ", proof: expected 0x" },
    { "an account left out of rewards.json",    LIE_JSON_SHORT,          "settlement 4: rewards.json: entries: expected" },
    { "one byte of an archive changed",         LIE_BYTE,                "settlement 3: archive: SHA-256 of the file: expected 0x" },
    { "a line of no known form",                LIE_LINE_OF_NO_FORM,     "settlement 4: archive: line" },
    { "a parent that is another",               LIE_BATCH_PARENT,        "settlement 4: batch: parent: expected 0x" },
    { "a header that is another",               LIE_HEADER,              "settlement 3: header: the contract's header" },
    { "a cancel that was not told",             LIE_CANCEL_HIDDEN,       "settlement 2: header: the contract's header" },
    { "a payment that is missing",              LIE_PAYMENT_MISSING,     "payment: account 0x" },
    { "a payment made twice",                   LIE_PAYMENT_DOUBLED,     "tokens received: expected" },
    { "a payment over the leaf",                LIE_PAYMENT_OVER_LEAF,   "at most its leaf: expected" },
    { "a payment to somebody without a leaf",   LIE_PAYMENT_TO_STRANGER, "tokens received: expected 0, found 1" },
    { "a total of payments that is not theirs", LIE_TOTAL_CLAIMED,       "payment: tokens out of the contract: expected" },
};

static void lie_is_named(void **state)
{
    const struct lie_case *c = *state;
    struct history h;
    struct outcome o;

    history_make(&h, c->lie);
    o = audit(&h, 0);
    history_clear(&h);
    assert_false(o.ok);
    assert_int_equal(o.err.code, ERR_DIFFERS);
    if (strstr(o.err.text, c->told) == NULL)
        fail_msg("wanted \"%s\", got \"%s\"", c->told, o.err.text);
}

static void assert_stands(enum lie lie)
{
    struct history h;
    struct outcome o;

    history_make(&h, lie);
    o = audit(&h, 0);
    if (!o.ok)
        fail_msg("%s", o.err.text);
    assert_int_equal(o.report.settlements, 3);
    assert_int_equal(o.report.cancelled, 1);
    assert_int_equal(o.report.receipts, 10);
    assert_int_equal(o.report.accounts, 5);
    assert_int_equal(o.report.last_sequence, 4);
    assert_true(amount_cmp(o.report.total, h.view.list[3].event.total) == 0);
    assert_true(amount_cmp(o.report.paid, h.payments.total_claimed) == 0);
    /* 1014 tokens in at 7, 335 out at 21.000001: only what was countersigned while the consumer was enrolled. */
    assert_true(amount_cmp(o.report.charged, amount_from_u64(1014 * 7 + 335 * 21)) == 0);
    history_clear(&h);
}

static void a_true_history_stands(void **state)
{
    (void)state;
    assert_stands(LIE_NONE);
}

static void the_files_of_a_cancelled_settlement_may_be_gone(void **state)
{
    (void)state;
    assert_stands(LIE_CANCELLED_FILES_MISSING);
}

static void a_false_price_in_a_cancelled_settlement_does_not_stick(void **state)
{
    (void)state;
    assert_stands(LIE_CANCELLED_PRICE_FALSE);
}

static void an_audit_up_to_a_settlement_looks_no_further(void **state)
{
    struct history h;
    struct outcome o;

    (void)state;
    history_make(&h, LIE_AMOUNT);
    o = audit(&h, 3);
    assert_true(o.ok);
    assert_int_equal(o.report.last_sequence, 3);
    o = audit(&h, 9);
    assert_int_equal(o.err.code, ERR_NOT_FOUND);
    history_clear(&h);
}

static void the_false_settlement_is_told_apart_from_payments(void **state)
{
    struct history h;
    struct outcome o;

    (void)state;
    history_make(&h, LIE_AMOUNT);
    o = audit(&h, 0);
    assert_int_equal(o.report.false_sequence, 4);
    history_clear(&h);
    history_make(&h, LIE_PAYMENT_DOUBLED);
    o = audit(&h, 0);
    assert_int_equal(o.report.false_sequence, 0);
    assert_string_equal(o.report.last_checked, "payments");
    history_clear(&h);
}

/* While settlement 4 is pending, payments are judged by the leaves of 3. */
static void payments_are_judged_by_the_active_root(void **state)
{
    struct history h;
    struct outcome o;

    (void)state;
    history_make(&h, LIE_NONE);
    h.view.active_root = h.payments.active_root = h.view.list[2].event.rewards_root;
    o = audit(&h, 0);
    assert_int_equal(o.err.code, ERR_DIFFERS);
    assert_non_null(strstr(o.err.text, "at most its leaf"));
    h.payments.active_root.b[0] ^= 1;
    o = audit(&h, 0);
    assert_int_equal(o.err.code, ERR_AGAIN);
    history_clear(&h);
}

static void a_missing_file_is_not_a_difference(void **state)
{
    struct history h;
    struct outcome o;
    char path[128];

    (void)state;
    history_make(&h, LIE_NONE);
    snprintf(path, sizeof path, "%s/3.rewards.json", h.dir);
    assert_int_equal(remove(path), 0);
    o = audit(&h, 0);
    assert_int_equal(o.err.code, ERR_NOT_FOUND);
    history_clear(&h);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(a_true_history_stands),
        cmocka_unit_test(the_files_of_a_cancelled_settlement_may_be_gone),
        cmocka_unit_test(a_false_price_in_a_cancelled_settlement_does_not_stick),
        cmocka_unit_test(an_audit_up_to_a_settlement_looks_no_further),
        cmocka_unit_test(the_false_settlement_is_told_apart_from_payments),
        cmocka_unit_test(payments_are_judged_by_the_active_root),
        cmocka_unit_test(a_missing_file_is_not_a_difference),
    };
    FIXTURE_TESTS(tests, cases, lie_is_named);
    int failed = cmocka_run_group_tests_name("audit", others, secp_setup, secp_teardown);

    return failed + cmocka_run_group_tests_name("lies", tests, secp_setup, secp_teardown);
}
