#include "gateway/lib/secp.h"

#include "gateway/base/hex.h"
#include "gateway/lib/keccak.h"
#include "tests/support/libraries.h"
#include "tests/support/vectors.h"

static struct secret_key key_of(const json *row)
{
    struct hash h = vector_hash(row, "privateKey");
    struct secret_key key;

    memcpy(key.b, h.b, sizeof key.b);
    return key;
}

static void key_gives_its_address(void **state)
{
    const json *row = *state;
    struct secret_key key = key_of(row);
    struct buf want = vector_bytes(row, "publicKey");
    struct public_key pub;
    struct err err = { 0 };

    assert_true(secp_public_key(&key, &pub, &err));
    assert_int_equal(want.len, 1 + sizeof pub.b);
    assert_memory_equal(pub.b, want.data + 1, sizeof pub.b);
    assert_address_is(secp_address(&pub), vector_address(row, "address"));
    buf_clear(&want);
}

/* Every count over two widths, and more than are hashed together. */
static void many_keys_give_the_address_of_each(void **state)
{
    enum { MOST = 70 };
    static struct public_key keys[MOST];
    struct address addresses[MOST + 1];

    (void)state;
    for (size_t i = 0; i < sizeof keys; i++)
        keys[i / sizeof *keys].b[i % sizeof *keys] = (uint8_t)(i * 2654435761u >> 24);
    for (size_t count = 0; count <= MOST; count += count < 20 ? 1 : 10) {
        memset(addresses, 0xee, sizeof addresses);
        secp_addresses(keys, count, addresses);
        for (size_t i = 0; i < count; i++)
            assert_address_is(addresses[i], secp_address(&keys[i]));
        assert_int_equal(addresses[count].b[0], 0xee);
    }
}

static void key_is_invalid(void **state)
{
    struct secret_key key = key_of(*state);
    struct public_key pub;
    struct signature sig;
    struct err err = { 0 };

    assert_false(secp_public_key(&key, &pub, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(secp_sign(&key, (struct hash){ { 1 } }, &sig, &err));
    assert_int_equal(err.code, ERR_INVALID);
}

static void recovers(struct signature sig, struct hash digest, struct address want)
{
    struct address signer;
    struct public_key pub;
    struct err err = { 0 };

    assert_true(secp_recover(&sig, digest, &signer, &err));
    assert_address_is(signer, want);
    assert_true(secp_recover_key(&sig, digest, &pub, &err));
    assert_address_is(secp_address(&pub), want);
}

static void signature_is_made(const json *row, struct hash digest, struct signature want)
{
    struct secret_key key = key_of(row);
    struct signature sig;
    struct err err = { 0 };

    assert_true(secp_sign(&key, digest, &sig, &err));
    assert_memory_equal(sig.b, want.b, sizeof sig.b);
    recovers(sig, digest, vector_address(row, "address"));
}

static void digest_is_signed_and_recovered(void **state)
{
    const json *row = *state;

    signature_is_made(row, vector_hash(row, "digest"), vector_signature(row, "signature"));
}

/* Versions of libsecp256k1 differ in whether RFC 6979 gets the digest reduced; both signatures are valid. */
static void digest_above_the_order_is_recovered(void **state)
{
    const json *row = *state;
    struct signature plain = vector_signature(row, "signatureLibsecp256k1");
    struct signature reduced = vector_signature(row, "signatureNoble"), sig;
    struct secret_key key = key_of(row);
    struct err err = { 0 };

    assert_true(secp_sign(&key, vector_hash(row, "digest"), &sig, &err));
    assert_true(memcmp(sig.b, plain.b, sizeof sig.b) == 0 || memcmp(sig.b, reduced.b, sizeof sig.b) == 0);
    recovers(plain, vector_hash(row, "digest"), vector_address(row, "address"));
    recovers(reduced, vector_hash(row, "digest"), vector_address(row, "address"));
}

/* The length is judged where text becomes a signature, the rest by recovery. */
static void signature_is_refused(void **state)
{
    const json *row = *state;
    struct signature sig;
    struct address signer = { { 7 } };
    struct err err = { 0 };

    if (!json_get_signature(vector_member(row, "signature"), &sig))
        return;
    assert_false(secp_recover(&sig, vector_hash(row, "digest"), &signer, &err));
    assert_int_equal(err.code, ERR_AUTH);
    assert_address_is(signer, (struct address){ { 7 } });
}

static void another_v_gives_another_address(void **state)
{
    const json *row = *state;
    struct signature sig = vector_signature(row, "signature");
    struct address signer;
    struct err err = { 0 };

    sig.b[64] = (uint8_t)(27 + 28 - sig.b[64]);
    if (secp_recover(&sig, vector_hash(row, "digest"), &signer, &err))
        assert_false(address_eq(signer, vector_address(row, "address")));
}

static void personal_message_is_signed(void **state)
{
    const json *row = *state;
    struct buf message = vector_bytes(row, "bytes"), framed;
    struct hash digest;

    buf_init(&framed);
    buf_printf(&framed, "\x19" "Ethereum Signed Message:\n%zu", message.len);
    buf_add(&framed, buf_text(&message), message.len);
    digest = keccak256(framed.data, framed.len);
    assert_hash_is(digest, vector_hash(row, "hash"));
    signature_is_made(row, digest, vector_signature(row, "signature"));
    buf_clear(&message);
    buf_clear(&framed);
}

static void a_new_key_signs(void **state)
{
    struct secret_key key;
    struct public_key pub;
    struct signature sig;
    struct err err = { 0 };

    (void)state;
    secp_new_key(&key);
    assert_true(secp_public_key(&key, &pub, &err));
    assert_true(secp_sign(&key, (struct hash){ { 9 } }, &sig, &err));
    recovers(sig, (struct hash){ { 9 } }, secp_address(&pub));
}

static void a_digest_of_zero_is_no_special_case(void **state)
{
    struct secret_key key = { { 1 } };
    struct public_key pub;
    struct signature sig;
    struct err err = { 0 };

    (void)state;
    assert_true(secp_public_key(&key, &pub, &err));
    assert_true(secp_sign(&key, (struct hash){ { 0 } }, &sig, &err));
    recovers(sig, (struct hash){ { 0 } }, secp_address(&pub));
}

int main(void)
{
    static const struct vector_group keys[] = {
        { "vectors",     key_gives_its_address },
        { "invalidKeys", key_is_invalid },
    };
    static const struct vector_group signatures[] = {
        { "vectors",    digest_is_signed_and_recovered },
        { "vectors",    another_v_gives_another_address },
        { "aboveOrder", digest_above_the_order_is_recovered },
        { "reject",     signature_is_refused },
    };
    static const struct vector_group messages[] = { { "vectors", personal_message_is_signed } };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_keys_give_the_address_of_each),
        cmocka_unit_test(a_new_key_signs),
        cmocka_unit_test(a_digest_of_zero_is_no_special_case),
    };

    return vectors_run("address", keys, ARRAY_LEN(keys), secp_setup, secp_teardown)
         + vectors_run("ecdsa", signatures, ARRAY_LEN(signatures), secp_setup, secp_teardown)
         + vectors_run("eip191", messages, ARRAY_LEN(messages), secp_setup, secp_teardown)
         + cmocka_run_group_tests_name("secp", tests, secp_setup, secp_teardown);
}
