#include "gateway/lib/crypt.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "gateway/base/hex.h"

static void bytes_are(const uint8_t *got, size_t len, const char *want)
{
    char text[201];

    hex_encode_bare(got, len, text);
    assert_string_equal(text, want);
}

/* FIPS 180-4, example "abc" */
static void sha256_gives_the_published_hash(void **state)
{
    static const char want[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    struct sha256_stream *s = sha256_new();
    struct hash h = sha256("abc", 3);

    (void)state;
    bytes_are(h.b, sizeof h.b, want);
    sha256_add(s, "a", 1);
    sha256_add(s, "", 0);
    sha256_add(s, "bc", 2);
    h = sha256_finish_free(s);
    bytes_are(h.b, sizeof h.b, want);
}

/* RFC 4231, test case 2 */
static void hmac_gives_the_published_code(void **state)
{
    struct hash h = hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28);

    (void)state;
    bytes_are(h.b, sizeof h.b, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* RFC 7914, section 11 */
static void pbkdf2_gives_the_published_key(void **state)
{
    uint8_t key[64];

    (void)state;
    pbkdf2_sha256("passwd", 6, "salt", 4, 1, key, sizeof key);
    bytes_are(key, sizeof key, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                               "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
}

/* RFC 7914, section 12 */
static void scrypt_gives_the_published_key(void **state)
{
    struct err err = { 0 };
    uint8_t key[64];

    (void)state;
    assert_true(scrypt("", 0, "", 0, 16, 1, 1, key, sizeof key, &err));
    bytes_are(key, sizeof key, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                               "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
    assert_true(scrypt("password", 8, "NaCl", 4, 1024, 8, 16, key, sizeof key, &err));
    bytes_are(key, sizeof key, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                               "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

static void scrypt_refuses_a_cost_that_is_no_power_of_two(void **state)
{
    struct err err = { 0 };
    uint8_t key[32];

    (void)state;
    assert_false(scrypt("", 0, "", 0, 1000, 8, 1, key, sizeof key, &err));
    assert_int_equal(err.code, ERR_INVALID);
}

/* NIST SP 800-38A, F.5.1; the length is no whole number of blocks, and the text is overwritten in place */
static void aes_ctr_gives_the_published_text(void **state)
{
    uint8_t key[16], iv[16], text[30];

    (void)state;
    assert_true(hex_decode_bare("2b7e151628aed2a6abf7158809cf4f3c", 32, key, sizeof key));
    assert_true(hex_decode_bare("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", 32, iv, sizeof iv));
    assert_true(hex_decode_bare("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af", 60, text, sizeof text));
    aes128_ctr(key, iv, text, text, sizeof text);
    bytes_are(text, sizeof text, "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9ff");
}

static void bytes_are_compared_whole(void **state)
{
    (void)state;
    assert_true(crypt_equal("abc", "abc", 3));
    assert_true(crypt_equal("abc", "abd", 2));
    assert_false(crypt_equal("abc", "abd", 3));
}

static void random_bytes_fill_all_of_the_room(void **state)
{
    uint8_t a[1000] = { 0 };
    size_t zeros = 0;

    (void)state;
    crypt_random(a, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        zeros += a[i] == 0;
    assert_true(zeros < 100);
}

static void a_secret_begins_as_zeros(void **state)
{
    uint8_t *secret = secret_new(32);

    (void)state;
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(secret[i], 0);
    secret_free(secret);
    secret_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_hash),
        cmocka_unit_test(hmac_gives_the_published_code),
        cmocka_unit_test(pbkdf2_gives_the_published_key),
        cmocka_unit_test(scrypt_gives_the_published_key),
        cmocka_unit_test(scrypt_refuses_a_cost_that_is_no_power_of_two),
        cmocka_unit_test(aes_ctr_gives_the_published_text),
        cmocka_unit_test(bytes_are_compared_whole),
        cmocka_unit_test(random_bytes_fill_all_of_the_room),
        cmocka_unit_test(a_secret_begins_as_zeros),
    };

    return cmocka_run_group_tests_name("crypt", tests, NULL, NULL);
}
