#include "chain/tx.h"

#include "gateway/lib/keccak.h"
#include "gateway/lib/secp.h"
#include "tests/support/libraries.h"
#include "tests/support/vectors.h"

static struct tx tx_of(const json *row)
{
    bool legacy = vector_has(row, "gasPrice");
    struct tx t = {
        .chain_id = vector_u64(row, "chainId"), .nonce = vector_u64(row, "nonce"), .gas = vector_u64(row, "gas"), .legacy = legacy,
        .max_priority_fee = { vector_u256(row, legacy ? "gasPrice" : "maxPriorityFeePerGas") },
        .max_fee = { vector_u256(row, legacy ? "gasPrice" : "maxFeePerGas") },
        .creates = !vector_has(row, "to"), .value = { vector_u256(row, "value") }, .data = vector_bytes(row, "data"),
    };

    if (!t.creates)
        t.to = vector_address(row, "to");
    return t;
}

static void assert_signature_fits(const json *row, const struct signature *sig)
{
    assert_memory_equal(sig->b, vector_hash(row, "r").b, 32);
    assert_memory_equal(sig->b + 32, vector_hash(row, "s").b, 32);
    /* EIP-155: an even v is a y parity of 1 */
    assert_int_equal(sig->b[64], 27 + (vector_has(row, "v") ? (vector_u64(row, "v") - TX_LEGACY_V) % 2 : vector_u64(row, "yParity")));
}

static void a_foreign_access_list_is_refused(const json *row)
{
    struct buf raw = vector_bytes(row, "raw");
    struct signature sig;
    struct err err = { 0 };
    struct tx t;

    tx_init(&t);
    assert_false(tx_decode(raw.data, raw.len, &t, &sig, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.text, "access list is not empty"));
    buf_clear(&raw);
}

static void signs_as_others_do(const json *row)
{
    struct buf want = vector_bytes(row, "raw"), raw, unsigned_bytes;
    struct hash key_bytes = vector_hash(row, "privateKey");
    struct tx t = tx_of(row);
    struct secret_key key;
    struct signature sig;
    struct err err = { 0 };

    buf_init(&raw);
    memcpy(key.b, key_bytes.b, sizeof key.b);
    assert_hash_is(tx_digest(&t), vector_hash(row, "signingHash"));
    buf_init(&unsigned_bytes);
    tx_unsigned(&t, &unsigned_bytes);
    assert_hash_is(keccak256(unsigned_bytes.data, unsigned_bytes.len), vector_hash(row, "signingHash"));
    buf_clear(&unsigned_bytes);
    assert_true(secp_sign(&key, tx_digest(&t), &sig, &err));
    assert_signature_fits(row, &sig);
    assert_hash_is(tx_encode(&t, &sig, &raw).h, vector_hash(row, "hash"));
    assert_bytes_are(&raw, &want);
    assert_hash_is(tx_hash_of(&raw).h, vector_hash(row, "hash"));
    buf_clear(&raw);
    buf_clear(&want);
    tx_clear(&t);
}

static void is_read_back(const json *row)
{
    struct buf raw = vector_bytes(row, "raw"), again;
    struct tx want = tx_of(row), got;
    struct signature sig;
    struct err err = { 0 };

    buf_init(&again);
    tx_init(&got);
    assert_true(tx_decode(raw.data, raw.len, &got, &sig, &err));
    assert_int_equal(got.chain_id, want.chain_id);
    assert_int_equal(got.nonce, want.nonce);
    assert_int_equal(got.gas, want.gas);
    assert_int_equal(got.creates, want.creates);
    assert_int_equal(got.legacy, want.legacy);
    assert_address_is(got.to, want.to);
    assert_u256_is(got.max_fee.v, want.max_fee.v);
    assert_u256_is(got.max_priority_fee.v, want.max_priority_fee.v);
    assert_u256_is(got.value.v, want.value.v);
    assert_signature_fits(row, &sig);
    assert_hash_is(tx_encode(&got, &sig, &again).h, vector_hash(row, "hash"));
    assert_bytes_are(&again, &raw);
    tx_clear(&want);
    tx_clear(&got);
    buf_clear(&again);
    buf_clear(&raw);
}

static void a_transaction_goes_out_and_comes_back(void **state)
{
    if (vector_has(*state, "accessList") && json_count(vector_member(*state, "accessList")) > 0) {
        a_foreign_access_list_is_refused(*state);
        return;
    }
    signs_as_others_do(*state);
    is_read_back(*state);
}

static void bad_bytes_are_refused(void **state)
{
    struct buf raw = vector_bytes(*state, "raw");
    struct signature sig;
    struct err err = { 0 };
    struct tx t;

    tx_init(&t);
    assert_false(tx_decode(raw.data, raw.len, &t, &sig, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(t.data.len, 0);
    buf_clear(&raw);
}

int main(void)
{
    static const struct vector_group groups[] = {
        { "vectors",  a_transaction_goes_out_and_comes_back },
        { "wide",     a_transaction_goes_out_and_comes_back },
        { "shortSig", a_transaction_goes_out_and_comes_back },
        { "reject",   bad_bytes_are_refused },
    };
    static const struct vector_group legacy[] = {
        { "vectors", a_transaction_goes_out_and_comes_back },
        { "reject",  bad_bytes_are_refused },
    };

    return vectors_run("tx_eip1559", groups, ARRAY_LEN(groups), secp_setup, secp_teardown)
        | vectors_run("tx_legacy", legacy, ARRAY_LEN(legacy), secp_setup, secp_teardown);
}
