#include "chain/settlement.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/support/vectors.h"

/* ---- calls, against those that a contract took (see vectors/quittance) ---- */

static struct hash *hashes_of(const json *list)
{
    struct hash *hashes = mem_array(json_count(list) + 1, sizeof *hashes);

    for (size_t i = 0; i < json_count(list); i++)
        assert_true(json_get_hash(json_at(list, i), &hashes[i]));
    return hashes;
}

static void commits_are_encoded(void **state)
{
    const json *commits = vector_member(*state, "commits");

    for (size_t i = 0; i < json_count(commits); i++) {
        const json *c = json_at(commits, i);
        struct commit_args args = {
            .sequence = vector_u64(c, "sequence"), .parent = vector_hash(c, "parent"),
            .receipts_root = vector_hash(c, "receiptsRoot"), .rewards_root = vector_hash(c, "rewardsRoot"),
            .archive = vector_hash(c, "archive"), .total = vector_amount(c, "total"),
            .receipts = vector_u64(c, "receipts"),
        };
        struct buf want = vector_bytes(c, "commitCalldata"), got;

        buf_init(&got);
        settlement_commit_call(&args, &got);
        assert_bytes_are(&got, &want);
        buf_clear(&got);
        buf_clear(&want);
    }
}

static void assert_claims_encode(const json *tree)
{
    const json *proofs = vector_member(tree, "proofs"), *rows = vector_member(tree, "rows");

    for (size_t i = 0; i < json_count(proofs); i++) {
        const json *proof = json_at(proofs, i), *row = json_at(rows, vector_u64(proof, "index"));
        struct hash *hashes = hashes_of(vector_member(proof, "proof"));
        struct buf want, got;

        if (vector_has(proof, "claimCalldata")) {
            want = vector_bytes(proof, "claimCalldata");
            buf_init(&got);
            settlement_claim_call(vector_address(row, "account"), vector_address(tree, "token"),
                                  vector_amount(row, "claimable"), hashes, json_count(vector_member(proof, "proof")), &got);
            assert_bytes_are(&got, &want);
            buf_clear(&got);
            buf_clear(&want);
        }
        free(hashes);
    }
}

static void assert_distribute_encodes(const json *tree, const json *d)
{
    const json *wanted = vector_member(d, "wanted"), *rows = vector_member(tree, "rows");
    size_t count = json_count(wanted);
    struct address *accounts = mem_array(count, sizeof *accounts);
    struct amount *claimables = mem_array(count, sizeof *claimables);
    struct hash *hashes = hashes_of(vector_member(d, "proof"));
    struct buf steps = vector_bytes(d, "steps"), want = vector_bytes(d, "calldata"), got;
    uint64_t index;

    for (size_t i = 0; i < count; i++) {
        assert_true(json_get_u64(json_at(wanted, i), &index));
        accounts[i] = vector_address(json_at(rows, index), "account");
        claimables[i] = vector_amount(json_at(rows, index), "claimable");
    }
    buf_init(&got);
    settlement_distribute_call(accounts, claimables, count, hashes, json_count(vector_member(d, "proof")), &steps, &got);
    assert_bytes_are(&got, &want);
    buf_clear(&got);
    buf_clear(&want);
    buf_clear(&steps);
    free(hashes);
    free(claimables);
    free(accounts);
}

static void claims_and_distributes_are_encoded(void **state)
{
    const json *list = vector_member(*state, "distributes");

    assert_claims_encode(*state);
    for (size_t i = 0; i < json_count(list); i++)
        if (vector_has(json_at(list, i), "calldata"))
            assert_distribute_encodes(*state, json_at(list, i));
}

/* ---- reverts ---- */

static const struct revert_case { const char *name, *signature; uint64_t argument; enum err_code code; const char *words; } reverts[] = {
    { "a pause passes",                         "IsPaused()",            0,  ERR_AGAIN, "paused" },
    { "a pending batch becomes active",         "StillPending()",        0,  ERR_AGAIN, "waits" },
    { "the cap refills",                        "OverCap(uint256)",      12, ERR_AGAIN, "OverCap: 12 base units are available" },
    { "funds can be added",                     "Underfunded(uint256)",  7,  ERR_AGAIN, "Underfunded: 7 base units are missing" },
    { "a wrong sequence stops the run",         "WrongSequence(uint64)", 42, ERR_HALT,  "WrongSequence: 42 is the next" },
    { "a wrong parent stops the run",           "WrongParent()",         0,  ERR_HALT,  "another history" },
    { "a falling total stops the run",          "TotalFell()",           0,  ERR_HALT,  "below" },
    { "leaves over the total stop the run",     "ExceedsTotal()",        0,  ERR_HALT,  "more than the total" },
    { "a revoked operator stops the run",       "NotOperator()",         0,  ERR_HALT,  "not the operator" },
    { "nothing to claim is a plain no",         "NothingToClaim()",      0,  ERR_CHAIN, "was paid" },
    { "a panic is named by its number",         "Panic(uint256)",        17, ERR_CHAIN, "panic 0x11" },
    { "another contract's error is shown bare", "Strange(uint256)",      1,  ERR_CHAIN, "unknown error 0x" },
};

static void revert_is_explained(void **state)
{
    const struct revert_case *c = *state;
    struct buf data;
    struct err err = { 0 };

    buf_init(&data);
    settlement_u256_call(c->signature, u256_from_u64(c->argument), &data);
    assert_false(settlement_revert(data.data, data.len, &err));
    assert_int_equal(err.code, c->code);
    assert_non_null(strstr(err.text, c->words));
    buf_clear(&data);
}

static void a_standard_revert_is_explained(void **state)
{
    struct buf data = vector_bytes(*state, "data");
    struct err err = { 0 };

    assert_false(settlement_revert(data.data, data.len, &err));
    assert_int_equal(err.code, ERR_CHAIN);
    if (vector_has(*state, "reason"))
        assert_non_null(strstr(err.text, vector_text(*state, "reason")));
    buf_clear(&data);
}

static void no_revert_data_is_said_so(void **state)
{
    static const uint8_t three[3];
    struct err err = { 0 };

    (void)state;
    assert_false(settlement_revert(NULL, 0, &err));
    assert_string_equal(err.text, "reverted without a reason");
    assert_false(settlement_revert(three, sizeof three, &err));
    assert_int_equal(err.code, ERR_CHAIN);
}

/* ---- events ---- */

static const struct address here = { { 1 } }, elsewhere = { { 2 } }, somebody = { { [0] = 3, [19] = 3 } };

static struct hash topic_of(struct address a)
{
    struct hash h = { { 0 } };

    memcpy(h.b + 12, a.b, sizeof a.b);
    return h;
}

static void a_transfer_from_the_contract_is_a_payment(void **state)
{
    struct buf bytes = vector_bytes(*state, "data");
    struct log_entry log = { .address = here, .topic_count = 3, .data = bytes };
    const json *topics = vector_member(*state, "topics");
    struct address to;
    struct amount amount;

    for (size_t i = 0; i < 3; i++)
        assert_true(json_get_hash(json_at(topics, i), &log.topics[i]));
    assert_true(token_paid(&log, here, vector_address(*state, "from"), &to, &amount));
    assert_address_is(to, vector_address(*state, "to"));
    assert_u256_is(amount.base_units, vector_u256(*state, "value"));
    assert_false(token_paid(&log, here, elsewhere, &to, &amount));
    assert_false(token_paid(&log, elsewhere, vector_address(*state, "from"), &to, &amount));
    log.removed = true;
    assert_false(token_paid(&log, here, vector_address(*state, "from"), &to, &amount));
    buf_clear(&bytes);
}

static void add_words(struct buf *data, uint64_t first, uint64_t last)
{
    for (uint64_t v = first; v <= last; v++) {
        buf_add_zeros(data, 31);
        buf_add_byte(data, (uint8_t)v);
    }
}

static void a_commit_is_read_from_its_event(void **state)
{
    struct log_entry log = { .address = here, .topic_count = 2 };
    struct committed_event e;

    (void)state;
    buf_init(&log.data);
    add_words(&log.data, 1, 7);
    log.topics[0] = settlement_committed_topic();
    log.topics[1] = (struct hash){ { [31] = 9 } };
    assert_true(settlement_committed(&log, here, &e));
    assert_int_equal(e.sequence, 9);
    assert_int_equal(e.receipts_root.b[31], 1);
    assert_int_equal(e.rewards_root.b[31], 2);
    assert_int_equal(e.archive.b[31], 3);
    assert_u256_is(e.total.base_units, u256_from_u64(4));
    assert_int_equal(e.receipts, 5);
    assert_int_equal(e.active_at_s, 6);
    assert_int_equal(e.header.b[31], 7);
    assert_false(settlement_committed(&log, elsewhere, &e));
    log.data.len -= 1;
    assert_false(settlement_committed(&log, here, &e));
    buf_clear(&log.data);
}

static void the_other_events_are_told_apart(void **state)
{
    struct log_entry log = { .address = here, .topic_count = 2, .topics = { settlement_cancelled_topic(), { { [31] = 8 } } } };
    struct address account;
    struct amount amount;
    uint64_t sequence = 0;

    (void)state;
    buf_init(&log.data);
    assert_true(settlement_cancelled(&log, here, &sequence));
    assert_int_equal(sequence, 8);
    add_words(&log.data, 5, 5);
    log.topics[0] = abi_topic("Skipped(address,uint256)");
    log.topics[1] = topic_of(somebody);
    assert_false(settlement_cancelled(&log, here, &sequence));
    assert_true(settlement_skipped(&log, here, &account, &amount));
    assert_address_is(account, somebody);
    assert_u256_is(amount.base_units, u256_from_u64(5));
    log.topics[0] = abi_topic("Claimed(address,address,uint256)");
    log.topic_count = 3;
    assert_true(settlement_claimed_event(&log, here, &account, &amount));
    assert_false(settlement_skipped(&log, here, &account, &amount));
    buf_clear(&log.data);
}

int main(void)
{
    static const struct vector_group commits[] = { { "headers", commits_are_encoded } };
    static const struct vector_group trees[] = { { "rewardsTrees", claims_and_distributes_are_encoded } };
    static const struct vector_group abi[] = {
        { "reverts", a_standard_revert_is_explained },
        { "logs",    a_transfer_from_the_contract_is_a_payment },
    };
    struct CMUnitTest tests[ARRAY_LEN(reverts) + 3] = {
        cmocka_unit_test(no_revert_data_is_said_so),
        cmocka_unit_test(a_commit_is_read_from_its_event),
        cmocka_unit_test(the_other_events_are_told_apart),
    };

    for (size_t i = 0; i < ARRAY_LEN(reverts); i++)
        tests[3 + i] = (struct CMUnitTest){ reverts[i].name, revert_is_explained, NULL, NULL, (void *)(uintptr_t)&reverts[i] };
    return vectors_run("quittance/headers", commits, ARRAY_LEN(commits), NULL, NULL)
         + vectors_run("quittance/rewardsTrees", trees, ARRAY_LEN(trees), NULL, NULL)
         + vectors_run("abi", abi, ARRAY_LEN(abi), NULL, NULL)
         + cmocka_run_group_tests_name("settlement", tests, NULL, NULL);
}
