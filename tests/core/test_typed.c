/* Type strings, separators, struct hashes and digests; the tree parts of bundles and promises are in test_bundle.c. */
#include "tests/support/fixture.h"
#include "tests/support/libraries.h"

#include "gateway/lib/keccak.h"
#include "gateway/lib/secp.h"

static struct hash zero_receipt(void) { return receipt_struct_hash(&(struct receipt){ 0 }); }
static struct hash zero_bundle(void) { return bundle_struct_hash(&(struct receipt_bundle){ 0 }); }
static struct hash zero_quote(void) { return quote_struct_hash(&(struct quote){ 0 }); }
static struct hash zero_promise(void) { return promise_struct_hash(&(struct inclusion_promise){ 0 }); }
static struct hash zero_access(void) { return access_struct_hash(&(struct access){ 0 }); }

/* Lineage and the model are tested by `models`, the domain by `domainSeparators`: they have no all-zero words. */
static const struct { const char *type; struct hash (*zero)(void); size_t words; } types[] = {
    { "UsageReceipt",     zero_receipt, 13 },
    { "ReceiptBundle",    zero_bundle,  3 },
    { "Quote",            zero_quote,   5 },
    { "InclusionPromise", zero_promise, 4 },
    { "Access",           zero_access,  2 },
};

static void zeros_hash_to_the_type_hash_and_zero_words(void **state)
{
    const json *row = *state;
    const char *encoded = vector_text(row, "encodeType");
    struct hash type_hash = vector_hash(row, "typeHash");

    assert_hash_is(keccak256(encoded, strlen(encoded)), type_hash);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        uint8_t bytes[32 + 13 * 32] = { 0 };

        if (strcmp(types[i].type, vector_text(row, "name")) != 0)
            continue;
        memcpy(bytes, type_hash.b, 32);
        assert_hash_is(types[i].zero(), keccak256(bytes, 32 + types[i].words * 32));
    }
}

static void separator_matches(void **state)
{
    const json *row = *state;

    assert_hash_is(fixture_domain(row).separator, vector_hash(row, "separator"));
}

static void assert_digest_signed(const json *row, struct hash struct_hash, const struct signature *sig, struct address signer)
{
    struct domain domain = fixture_domain(row);
    struct hash digest = typed_digest(&domain, struct_hash);

    assert_hash_is(struct_hash, vector_hash(row, "structHash"));
    assert_hash_is(digest, vector_hash(row, "digest"));
    assert_true(fixture_signed_by(sig, digest, signer));
}

static void bundle_matches(void **state)
{
    const json *row = *state;
    struct receipt_bundle b = { vector_address(row, "provider"), vector_hash(row, "root"), vector_u64(row, "count") };
    struct signature sig = vector_signature(row, "signature");

    assert_digest_signed(row, bundle_struct_hash(&b), &sig, b.provider);
}

static void promise_matches(void **state)
{
    const json *row = *state;
    struct inclusion_promise p = { vector_hash(row, "root"), vector_u64(row, "count"), vector_u64(row, "acceptedAt"),
                                   vector_u64(row, "settleBy") };
    struct signature sig = vector_signature(row, "signature");

    assert_digest_signed(row, promise_struct_hash(&p), &sig, vector_address(row, "signer"));
}

static void quote_matches_its_hash(void **state)
{
    const json *row = *state, *quote = vector_member(row, "quote");
    struct quote q = { vector_hash(quote, "model"), vector_address(quote, "provider"), vector_address(quote, "consumer"),
                       vector_u64(quote, "priceVersion"), vector_u64(quote, "validUntil") };
    struct signature sig = vector_signature(row, "signature");

    assert_digest_signed(row, quote_struct_hash(&q), &sig, vector_address(row, "signer"));
}

static void access_matches(void **state)
{
    const json *row = *state;
    struct access a = { vector_address(row, "account"), vector_u64(row, "expires") };
    struct signature sig = vector_signature(row, "signature");

    assert_digest_signed(row, access_struct_hash(&a), &sig, a.account);
}

static void model_matches(void **state)
{
    const json *row = *state;
    struct model m;
    struct err err = { 0 };

    assert_true(model_from_json(vector_member(row, "json"), &m, &err));
    assert_hash_is(keccak256(m.name, strlen(m.name)), vector_hash(row, "nameHash"));
    assert_digest_signed(row, model_struct_hash(&m), &m.signature, m.creator);
}

int main(void)
{
    return fixture_run("typeHashes", zeros_hash_to_the_type_hash_and_zero_words, NULL, NULL)
         + fixture_run("domainSeparators", separator_matches, NULL, NULL)
         + fixture_run("bundles", bundle_matches, secp_setup, secp_teardown)
         + fixture_run("promises", promise_matches, secp_setup, secp_teardown)
         + fixture_run("quotes", quote_matches_its_hash, secp_setup, secp_teardown)
         + fixture_run("access", access_matches, secp_setup, secp_teardown)
         + fixture_run("models", model_matches, secp_setup, secp_teardown);
}
