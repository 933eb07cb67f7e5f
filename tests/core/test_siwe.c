/* Sign-in messages of EIP-4361: what its grammar allows is read, everything else is refused by line and rule. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/core/siwe.h"
#include "gateway/lib/address_text.h"
#include "tests/support/fixture.h"

#define HEAD "service.example wants you to sign in with your Ethereum account:\n"
#define ACCOUNT "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n"
#define STATEMENT "\nI accept the ServiceOrg Terms of Service: https://service.example/tos\n\n"
#define URI "URI: https://service.example/login\n"
#define VERSION "Version: 1\n"
#define CHAIN "Chain ID: 1\n"
#define NONCE "Nonce: 32891756\n"
#define ISSUED "Issued At: 2021-09-30T16:25:24Z"
#define BEFORE_TIME HEAD ACCOUNT STATEMENT URI VERSION CHAIN NONCE
#define WHOLE BEFORE_TIME ISSUED

static const struct good_case { const char *name, *text; uint64_t issued_at_ms; } good[] = {
    { "the example of the EIP",            WHOLE "\nResources:\n- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/\n- https://example.com/my-web2-claim.json", 1633019124000 },
    { "no statement: one empty line",      HEAD ACCOUNT "\n\n" URI VERSION CHAIN NONCE ISSUED, 1633019124000 },
    { "a scheme before the domain",        "https://" WHOLE, 1633019124000 },
    { "a fraction of a second",            BEFORE_TIME "Issued At: 2021-09-30T16:25:24.5019Z", 1633019124501 },
    { "an offset to the east",             BEFORE_TIME "Issued At: 2021-09-30T18:25:24+02:00", 1633019124000 },
    { "an offset to the west",             BEFORE_TIME "Issued At: 2021-09-30T11:25:24-05:00", 1633019124000 },
    { "a leap day",                        BEFORE_TIME "Issued At: 2024-02-29T00:00:00Z", 1709164800000 },
    { "all that may follow, in order",     WHOLE "\nExpiration Time: 2021-09-30T17:25:24Z\nNot Before: 2021-09-30T16:00:00Z\nRequest ID: abc\nResources:", 1633019124000 },
    { "some of it",                        WHOLE "\nNot Before: 2021-09-30T16:00:00Z", 1633019124000 },
    { "resources without one",             WHOLE "\nResources:", 1633019124000 },
};

static void a_message_is_read(void **state)
{
    const struct good_case *c = *state;
    struct siwe m;
    struct err err = { 0 };
    char address[ADDRESS_TEXT];

    if (!siwe_parse(c->text, strlen(c->text), &m, &err))
        fail_msg("%s", err.text);
    assert_string_equal(m.domain, "service.example");
    assert_string_equal(m.uri, "https://service.example/login");
    assert_string_equal(m.nonce, "32891756");
    assert_int_equal(m.chain_id, 1);
    assert_int_equal(m.issued_at_ms, c->issued_at_ms);
    address_to_text(m.address, address);
    assert_memory_equal(address, ACCOUNT, strlen(address));
    assert_int_equal(m.expires, strstr(c->text, "Expiration") != NULL);
    assert_int_equal(m.starts, strstr(c->text, "Not Before") != NULL);
}

static const struct bad_case { const char *name, *text, *says; } bad[] = {
    { "nothing at all",                     "", "line 1" },
    { "no domain",                          " wants you to sign in with your Ethereum account:\n" ACCOUNT, "line 1" },
    { "another sentence",                   "service.example asks you to sign in with your Ethereum account:\n", "line 1" },
    { "a scheme that no page has",          "ftp://" WHOLE, "line 1 has a scheme" },
    { "a domain with a path",               "service.example/x wants you to sign in with your Ethereum account:\n", "line 1 must begin with a host" },
    { "a domain with a user",               "a@service.example wants you to sign in with your Ethereum account:\n", "line 1 must begin with a host" },
    { "a domain with a space",              "service .example wants you to sign in with your Ethereum account:\n", "line 1 must begin with a host" },
    { "a carriage return",                  "service.example wants you to sign in with your Ethereum account:\r\n", "line 1" },
    { "an address without its checksum",    HEAD "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2\n", "line 2 must have the checksum" },
    { "an address with one digit less",     HEAD "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc\n", "line 2 must be an address" },
    { "no empty line after the address",    HEAD ACCOUNT URI, "line 3 must be empty" },
    { "a statement of two lines",           HEAD ACCOUNT "\none\ntwo\n\n" URI, "line 5 must be empty" },
    { "a statement with a control",         HEAD ACCOUNT "\none\ttwo\n\n" URI, "line 4" },
    { "no URI",                             HEAD ACCOUNT "\n\n" VERSION, "line 5 must begin with \"URI: \"" },
    { "an empty URI",                       HEAD ACCOUNT "\n\nURI: \n" VERSION, "line 5 must have a URI" },
    { "a URI with a space",                 HEAD ACCOUNT "\n\nURI: https://a b\n" VERSION, "line 5 must have a URI" },
    { "version 2",                          HEAD ACCOUNT "\n\n" URI "Version: 2\n", "line 6 must be version 1" },
    { "a chain in hex",                     HEAD ACCOUNT "\n\n" URI VERSION "Chain ID: 0x1\n", "line 7 must have a chain's number" },
    { "a chain beyond 64 bits",             HEAD ACCOUNT "\n\n" URI VERSION "Chain ID: 18446744073709551616\n", "line 7 must have a chain's number" },
    { "a nonce of seven",                   HEAD ACCOUNT "\n\n" URI VERSION CHAIN "Nonce: 1234567\n", "line 8" },
    { "a nonce with a dash",                HEAD ACCOUNT "\n\n" URI VERSION CHAIN "Nonce: 1234-5678\n", "line 8" },
    { "lines in another order",             HEAD ACCOUNT "\n\n" URI CHAIN VERSION NONCE, "line 6 must begin with \"Version: \"" },
    { "a name in other case",               HEAD ACCOUNT "\n\n" URI VERSION "Chain Id: 1\n", "line 7 must begin with \"Chain ID: \"" },
    { "no time",                            HEAD ACCOUNT "\n\n" URI VERSION CHAIN NONCE, "must begin with \"Issued At: \"" },
    { "a day that is not",                  BEFORE_TIME "Issued At: 2021-02-29T16:25:24Z", "line 10 must have a time" },
    { "a month that is not",                BEFORE_TIME "Issued At: 2021-13-01T16:25:24Z", "line 10 must have a time" },
    { "a time without zone",                BEFORE_TIME "Issued At: 2021-09-30T16:25:24", "line 10 must have a time" },
    { "a point without digits",             BEFORE_TIME "Issued At: 2021-09-30T16:25:24.Z", "line 10 must have a time" },
    { "a time before 1970",                 BEFORE_TIME "Issued At: 1970-01-01T00:30:00+01:00", "line 10 must have a time" },
    { "something after the time",           BEFORE_TIME ISSUED " ", "line 10 must have a time" },
    { "a line feed at the end",             WHOLE "\n", "line 11 is none" },
    { "something unknown",                  WHOLE "\nColour: green", "line 11 is none" },
    { "the same twice",                     WHOLE "\nRequest ID: a\nRequest ID: b", "line 12 is none" },
    { "optional ones in another order",     WHOLE "\nNot Before: 2021-09-30T16:00:00Z\nExpiration Time: 2021-09-30T17:25:24Z", "line 12 is none" },
    { "a resource without its dash",        WHOLE "\nResources:\nhttps://a", "line 12 must be \"- \"" },
    { "resources with text",                WHOLE "\nResources: two", "line 11 must be \"Resources:\" alone" },
};

static void a_message_is_refused(void **state)
{
    const struct bad_case *c = *state;
    struct siwe m;
    struct err err = { 0 };

    assert_false(siwe_parse(c->text, strlen(c->text), &m, &err));
    assert_int_equal(err.code, ERR_INVALID);
    if (strstr(err.text, c->says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, c->says);
}

static void a_message_over_the_limit_is_refused(void **state)
{
    static char text[SIWE_MAX + 2];
    struct siwe m;
    struct err err = { 0 };

    (void)state;
    memset(text, 'a', sizeof text - 1);
    assert_false(siwe_parse(text, SIWE_MAX + 1, &m, &err));
    assert_non_null(strstr(err.text, "at most"));
}

/* Whatever is changed, cut off or put in: refused, or read with a domain, URI and nonce that are whole texts.  Each text lies at
 * the end of its memory, so that the sanitizer sees a step beyond. */
static void changed_messages_are_never_read_beyond_their_end(void **state)
{
    static const char whole[] = WHOLE "\nExpiration Time: 2021-09-30T17:25:24Z\nResources:\n- https://a";
    struct rng rng = { 4361 };

    (void)state;
    for (int i = 0; i < 200000; i++) {
        size_t len = rng_below(&rng, 8) == 0 ? rng_below(&rng, sizeof whole) : sizeof whole - 1;
        char *text = mem_new(len > 0 ? len : 1);
        struct siwe m;
        struct err err = { 0 };

        memcpy(text, whole, len);
        for (uint64_t changes = 1 + rng_below(&rng, 3); changes > 0 && len > 0; changes--)
            text[rng_below(&rng, len)] = (char)(rng_below(&rng, 4) == 0 ? "\n :-0aZ\0"[rng_below(&rng, 8)] : (int)rng_below(&rng, 256));
        if (siwe_parse(text, len, &m, &err)) {
            assert_true(strlen(m.domain) > 0 && strlen(m.uri) > 0 && strlen(m.nonce) >= 8);
            assert_true(m.issued_at_ms > 0);
        } else {
            assert_int_equal(err.code, ERR_INVALID);
        }
        free(text);
    }
}

/* As wallets sign: vectors/secp has personal messages with their hashes (tests/lib/test_secp.c checks those). */
static void the_digest_is_that_of_a_personal_message(void **state)
{
    char text[HASH_TEXT];

    (void)state;
    hash_to_text(siwe_digest("Hello World", 11), text);
    assert_string_equal(text, "0xa1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2");
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_message_over_the_limit_is_refused),
        cmocka_unit_test(changed_messages_are_never_read_beyond_their_end),
        cmocka_unit_test(the_digest_is_that_of_a_personal_message),
    };
    int failed = 0;

    FIXTURE_TESTS(read, good, a_message_is_read);
    FIXTURE_TESTS(refused, bad, a_message_is_refused);
    failed += cmocka_run_group_tests_name("siwe: read", read, NULL, NULL);
    failed += cmocka_run_group_tests_name("siwe: refused", refused, NULL, NULL);
    return failed + cmocka_run_group_tests_name("siwe", others, NULL, NULL);
}
