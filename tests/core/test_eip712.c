/* Types that are not ours (Mail, Permit, TAP receipts ...): type hashes, digests, signatures and their signers. */
#include "tests/support/fixture.h"
#include "tests/support/libraries.h"

#include "gateway/lib/keccak.h"
#include "gateway/lib/secp.h"

static void a_foreign_type_is_hashed_and_signed_alike(void **state)
{
    const json *row = *state;
    const char *encoded = vector_text(row, "encodeType");
    const struct domain domain = { .separator = vector_hash(row, "domainSeparator") };
    struct hash digest = typed_digest(&domain, vector_hash(row, "structHash")), secret = vector_hash(row, "privateKey");
    struct signature sig = vector_signature(row, "signature"), made;
    struct secret_key key;
    struct err err = { 0 };

    assert_hash_is(keccak256(encoded, strlen(encoded)), vector_hash(row, "typeHash"));
    assert_hash_is(digest, vector_hash(row, "digest"));
    assert_true(fixture_signed_by(&sig, digest, vector_address(row, "signer")));
    memcpy(key.b, secret.b, sizeof key.b);
    assert_true(secp_sign(&key, digest, &made, &err));
    assert_memory_equal(made.b, sig.b, sizeof sig.b);
}

int main(void)
{
    static const struct vector_group groups[] = { { "vectors", a_foreign_type_is_hashed_and_signed_alike } };

    return vectors_run("eip712", groups, ARRAY_LEN(groups), secp_setup, secp_teardown);
}
