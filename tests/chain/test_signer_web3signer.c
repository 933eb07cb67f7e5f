/* A remote signer that is away, slow, or lies: what it gives is used whole or not at all. */
#include "chain/signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain/http.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/file.h"
#include "gateway/lib/secp.h"
#include "tests/support/fake_http.h"
#include "tests/support/libraries.h"
#include "tests/support/vectors.h"

#define KEY_ONE "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
#define KEY_TWO "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
#define ACCOUNTS(list) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[" list "]}"
#define ONE ACCOUNTS("\"" KEY_ONE "\"")
#define BOTH ACCOUNTS("\"" KEY_TWO "\",\"" KEY_ONE "\"")

static const struct secret_key key_one = { { [31] = 1 } }, key_two = { { [31] = 2 } };

/* The transaction that is to be signed. */
static void wanted(struct tx *t)
{
    tx_init(t);
    t->chain_id = 31337;
    t->nonce = 7;
    t->gas = 90000;
    t->max_priority_fee.v = u256_from_u64(2);
    t->max_fee.v = u256_from_u64(100);
    t->to.b[0] = 0xaa;
    t->value.v = u256_from_u64(3);
    buf_add_text(&t->data, "calldata");
}

/* ---- what the signer makes of it ---- */

static void as_asked(struct tx *t) { (void)t; }
static void other_chain(struct tx *t) { t->chain_id = 1; }
static void other_nonce(struct tx *t) { t->nonce = 8; }
static void other_gas(struct tx *t) { t->gas = 90001; }
static void other_tip(struct tx *t) { t->max_priority_fee.v = u256_from_u64(1); }
static void other_fee(struct tx *t) { t->max_fee.v = u256_from_u64(101); }
static void other_to(struct tx *t) { t->to.b[19] = 1; }
static void no_to(struct tx *t) { t->creates = true; }
static void other_value(struct tx *t) { t->value.v = u256_from_u64(4); }
static void shorter_data(struct tx *t) { t->data.len--; }
static void other_data(struct tx *t) { t->data.data[0] ^= 1; }
static void other_type(struct tx *t) { t->legacy = true; }

enum form { PLAIN, GETH, HIGH_S, ACCESS_LIST, OTHER_TYPE, TRAILING, ODD_HEX };

/* n - s, and the other parity: the twin that EIP-2 forbids. */
static void make_s_high(struct signature *sig)
{
    static const char order[] = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    struct u256 s;
    uint8_t n[32];

    assert_true(hex_decode(order, strlen(order), n, sizeof n));
    assert_true(u256_sub(u256_from_be(n), u256_from_be(sig->b + 32), &s));
    u256_to_be(s, sig->b + 32);
    sig->b[64] = (uint8_t)(55 - sig->b[64]);
}

/* With one address in its access list (EIP-2930); the signature fits nothing, and need not. */
static void add_with_access_list(const struct tx *t, struct buf *raw)
{
    struct buf items, entry, keys, list;

    buf_init(&items);
    buf_init(&entry);
    buf_init(&keys);
    buf_init(&list);
    rlp_add_u64(&items, t->chain_id);
    rlp_add_u64(&items, t->nonce);
    rlp_add_u256(&items, t->max_priority_fee.v);
    rlp_add_u256(&items, t->max_fee.v);
    rlp_add_u64(&items, t->gas);
    rlp_add_bytes(&items, t->to.b, sizeof t->to.b);
    rlp_add_u256(&items, t->value.v);
    rlp_add_bytes(&items, t->data.data, t->data.len);
    rlp_add_bytes(&entry, t->to.b, sizeof t->to.b);
    rlp_add_list(&entry, &keys);
    rlp_add_list(&list, &entry);
    rlp_add_list(&items, &list);
    for (unsigned i = 0; i < 3; i++)
        rlp_add_u64(&items, 1);
    buf_add_byte(raw, 0x02);
    rlp_add_list(raw, &items);
    buf_clear(&items);
    buf_clear(&entry);
    buf_clear(&keys);
    buf_clear(&list);
}

static void add_signed(const struct tx *t, const struct secret_key *key, enum form form, struct buf *raw)
{
    struct signature sig;
    struct err err = { 0 };

    if (form == ACCESS_LIST) {
        add_with_access_list(t, raw);
        return;
    }
    assert_true(secp_sign(key, tx_digest(t), &sig, &err));
    if (form == HIGH_S)
        make_s_high(&sig);
    tx_encode(t, &sig, raw);
    if (form == OTHER_TYPE)
        raw->data[0] = 0x01;
    if (form == TRAILING)
        buf_add_byte(raw, 0);
}

/* A reply to request 2, owned: the transaction, changed and signed. */
static char *signed_reply(void (*change)(struct tx *), const struct secret_key *key, enum form form)
{
    struct buf raw, reply;
    struct tx t;
    char *hex, *text;

    wanted(&t);
    change(&t);
    buf_init(&raw);
    buf_init(&reply);
    add_signed(&t, key, form, &raw);
    hex = mem_array(2 * raw.len + 3, 1);
    hex_encode(raw.data, raw.len, hex);
    if (form == ODD_HEX)
        hex[2 * raw.len + 1] = '\0';
    buf_printf(&reply, form == GETH ? "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"raw\":\"%s\",\"tx\":{}}}"
                                    : "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"%s\"}", hex);
    text = mem_text(buf_text(&reply));
    free(hex);
    buf_clear(&reply);
    buf_clear(&raw);
    tx_clear(&t);
    return text;
}

static struct signer *opened(const char *url)
{
    struct signer *signer = NULL;
    struct err err = { 0 };
    char spec[128];

    snprintf(spec, sizeof spec, "web3signer:%s" KEY_ONE, url);
    if (!signer_open(spec, "", &signer, &err))
        fail_msg("%s", err.text);
    return signer;
}

/* One transaction to sign, and what became of it. */
static bool try_to_sign(const struct signer *signer, struct buf *raw, struct err *err)
{
    struct tx_hash hash;
    struct tx t;
    bool ok;

    wanted(&t);
    buf_init(raw);
    ok = signer_sign_tx(signer, &t, raw, &hash, err);
    if (ok)
        assert_memory_equal(&hash, &(struct tx_hash){ tx_hash_of(raw).h }, sizeof hash);
    tx_clear(&t);
    return ok;
}

/* ---- answers ---- */

static const struct answer_case {
    const char *name;
    void (*change)(struct tx *);            /* NULL: reply as it stands */
    const struct secret_key *key;
    enum form form;
    struct fake_reply reply;
    enum err_code code;                     /* ERR_NONE: taken */
    const char *says;
} cases[] = {
    { "what was asked for is taken",             as_asked, &key_one, PLAIN, { 0 }, ERR_NONE, NULL },
    { "geth's form is taken",                    as_asked, &key_one, GETH, { 0 }, ERR_NONE, NULL },
    { "another chain id is refused",             other_chain, &key_one, PLAIN, { 0 }, ERR_HALT, "another chainId" },
    { "another nonce is refused",                other_nonce, &key_one, PLAIN, { 0 }, ERR_HALT, "another nonce" },
    { "another gas limit is refused",            other_gas, &key_one, PLAIN, { 0 }, ERR_HALT, "another gas" },
    { "another tip is refused",                  other_tip, &key_one, PLAIN, { 0 }, ERR_HALT, "another maxPriorityFeePerGas" },
    { "another fee is refused",                  other_fee, &key_one, PLAIN, { 0 }, ERR_HALT, "another maxFeePerGas" },
    { "another receiver is refused",             other_to, &key_one, PLAIN, { 0 }, ERR_HALT, "another to" },
    { "a deployment in its place is refused",    no_to, &key_one, PLAIN, { 0 }, ERR_HALT, "another to" },
    { "another value is refused",                other_value, &key_one, PLAIN, { 0 }, ERR_HALT, "another value" },
    { "shorter calldata is refused",             shorter_data, &key_one, PLAIN, { 0 }, ERR_HALT, "another data" },
    { "other calldata is refused",               other_data, &key_one, PLAIN, { 0 }, ERR_HALT, "another data" },
    { "a legacy one in its place is refused",    other_type, &key_one, PLAIN, { 0 }, ERR_HALT, "another type" },
    { "another key's signature is refused",      as_asked, &key_two, PLAIN, { 0 }, ERR_HALT, "another key than its own" },
    { "a high s is refused",                     as_asked, &key_one, HIGH_S, { 0 }, ERR_HALT, "high s" },
    { "an access list is refused",               as_asked, &key_one, ACCESS_LIST, { 0 }, ERR_HALT, "access list" },
    { "another type is refused",                 as_asked, &key_one, OTHER_TYPE, { 0 }, ERR_HALT, "no signature to use" },
    { "a byte too many is refused",              as_asked, &key_one, TRAILING, { 0 }, ERR_HALT, "no signature to use" },
    { "half a digit is refused",                 as_asked, &key_one, ODD_HEX, { 0 }, ERR_HALT, "no transaction in hex" },
    { "a page in place of JSON is refused",      NULL, NULL, PLAIN, { .body = "<html>" }, ERR_HALT, "not JSON" },
    { "an empty answer is refused",              NULL, NULL, PLAIN, { .body = "" }, ERR_HALT, "not JSON" },
    { "a missing result is refused",             NULL, NULL, PLAIN, { .body = "{\"jsonrpc\":\"2.0\",\"id\":2}" }, ERR_HALT, "no result" },
    { "a result of null is refused",             NULL, NULL, PLAIN, { .body = "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":null}" }, ERR_HALT, "no transaction" },
    { "an answer to another request is refused", NULL, NULL, PLAIN, { .body = "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":\"0x02\"}" }, ERR_HALT, "another request" },
    { "its own refusal is told in its words",    NULL, NULL, PLAIN, { .body = "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32000,\"message\":\"policy says no\"}}" }, ERR_HALT, "policy says no" },
    { "a 502 is tried again",                    NULL, NULL, PLAIN, { .status = 502, .body = "bad gateway" }, ERR_AGAIN, "502" },
    { "a 401 names the token",                   NULL, NULL, PLAIN, { .status = 401 }, ERR_AUTH, "token_file" },
    { "a reset is tried again",                  NULL, NULL, PLAIN, { .manner = FAKE_RESETS }, ERR_AGAIN, "no answer" },
    { "half an answer is tried again",           NULL, NULL, PLAIN, { .manner = FAKE_BREAKS_OFF, .body = "{" }, ERR_AGAIN, "no answer" },
    { "silence ends, and is tried again",        NULL, NULL, PLAIN, { .manner = FAKE_HANGS }, ERR_AGAIN, "no answer" },
    { "an endless answer ends",                  NULL, NULL, PLAIN, { .body = "", .padding = 640 * 1024 }, ERR_LIMIT, "longer than" },
};

static void answer_is_judged(void **state)
{
    const struct answer_case *c = *state;
    char *reply = c->change != NULL ? signed_reply(c->change, c->key, c->form) : NULL;
    struct fake_reply replies[] = { { .body = ONE }, c->reply };
    struct fake_http *fake;
    struct signer *signer;
    struct err err = { 0 };
    struct buf raw;

    if (reply != NULL)
        replies[1].body = reply;
    fake = fake_http_new(replies, ARRAY_LEN(replies));
    signer = opened(fake_http_url(fake));
    assert_int_equal(try_to_sign(signer, &raw, &err), c->code == ERR_NONE);
    assert_int_equal(err.code, c->code);
    if (c->says != NULL) {
        if (strstr(err.text, c->says) == NULL)
            fail_msg("it says: %s", err.text);
        assert_int_equal(raw.len, 0);
    }
    assert_int_equal(fake_http_requests(fake), 2);
    buf_clear(&raw);
    signer_free(signer);
    fake_http_free(fake);
    free(reply);
}

/* ---- what is asked ---- */

static void every_field_is_asked_for(void **state)
{
    char *reply = signed_reply(as_asked, &key_one, PLAIN);
    struct fake_http *fake = fake_http_new((struct fake_reply[]){ { .body = ONE }, { .body = reply } }, 2);
    struct signer *signer = opened(fake_http_url(fake));
    struct err err = { 0 };
    struct buf raw;

    (void)state;
    assert_true(try_to_sign(signer, &raw, &err));
    assert_string_equal(fake_http_last_body(fake),
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"eth_signTransaction\",\"params\":[{\"type\":\"0x2\",\"from\":\"" KEY_ONE
        "\",\"to\":\"0xaa00000000000000000000000000000000000000\",\"chainId\":\"0x7a69\",\"nonce\":\"0x7\",\"gas\":\"0x15f90\","
        "\"maxPriorityFeePerGas\":\"0x2\",\"maxFeePerGas\":\"0x64\",\"value\":\"0x3\",\"data\":\"0x63616c6c64617461\"}]}");
    buf_clear(&raw);
    signer_free(signer);
    fake_http_free(fake);
    free(reply);
}

static void a_legacy_transaction_is_asked_for_by_its_gas_price(void **state)
{
    char *reply = signed_reply(other_type, &key_one, PLAIN);
    struct fake_http *fake = fake_http_new((struct fake_reply[]){ { .body = ONE }, { .body = reply } }, 2);
    struct signer *signer = opened(fake_http_url(fake));
    struct signature sig;
    struct err err = { 0 };
    struct tx_hash hash;
    struct buf raw;
    struct tx t, got;

    (void)state;
    wanted(&t);
    t.legacy = true;
    t.max_priority_fee = t.max_fee;
    buf_init(&raw);
    tx_init(&got);
    if (!signer_sign_tx(signer, &t, &raw, &hash, &err) || !tx_decode(raw.data, raw.len, &got, &sig, &err))
        fail_msg("%s", err.text);
    assert_true(got.legacy);
    assert_non_null(strstr(fake_http_last_body(fake), "\"type\":\"0x0\""));
    assert_non_null(strstr(fake_http_last_body(fake), "\"gas\":\"0x15f90\",\"gasPrice\":\"0x64\",\"value\""));
    tx_clear(&t);
    tx_clear(&got);
    buf_clear(&raw);
    signer_free(signer);
    fake_http_free(fake);
    free(reply);
}

static void a_digest_is_not_asked_for(void **state)
{
    struct fake_http *fake = fake_http_new(&(struct fake_reply){ .body = ONE }, 1);
    struct signer *signer = opened(fake_http_url(fake));
    struct signature sig;
    struct err err = { 0 };

    (void)state;
    assert_false(signer_sign_digest(signer, (struct hash){ { 7 } }, &sig, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_int_equal(fake_http_requests(fake), 1);
    signer_free(signer);
    fake_http_free(fake);
}

/* It comes back while we run. */
static void one_that_is_away_is_opened_by_its_address(void **state)
{
    struct signer *signer;
    struct err err = { 0 };
    char url[FAKE_URL_MAX];
    struct buf raw;

    (void)state;
    fake_http_dead_url(url);
    signer = opened(url);
    assert_false(try_to_sign(signer, &raw, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    assert_non_null(strstr(err.text, "the remote signer at http://127.0.0.1:"));
    signer_free(signer);
}

/* ---- opening ---- */

static const struct open_case {
    const char *name, *behind;              /* the URL */
    struct fake_reply reply;
    enum err_code code;
    const char *says;                       /* ERR_NONE: the address */
} opens[] = {
    { "the only key needs no name",         "", { .body = ONE }, ERR_NONE, KEY_ONE },
    { "one of many is named",               KEY_ONE, { .body = BOTH }, ERR_NONE, KEY_ONE },
    { "a path before it is kept",           "eth1/" KEY_ONE, { .body = ONE }, ERR_NONE, KEY_ONE },
    { "many without a name are refused",    "", { .body = BOTH }, ERR_CONFIG, "exactly one key" },
    { "no key at all is refused",           "", { .body = ACCOUNTS("") }, ERR_CONFIG, "exactly one key" },
    { "a key that it does not hold is refused", KEY_TWO, { .body = ONE }, ERR_CONFIG, "does not hold the key" },
    { "a mistyped address is refused",      "0x7e5F4552091A69125d5DfCb7b8C2659029395Bdf", { .body = ONE }, ERR_CONFIG, "checksum" },
    { "half an address is refused",         "0x7E5F", { .body = ONE }, ERR_CONFIG, "no address" },
    { "a query is refused",                 "?key=1", { .body = ONE }, ERR_CONFIG, "no query" },
    { "one away without a name is tried again", "", { .manner = FAKE_RESETS }, ERR_AGAIN, "no answer" },
};

static void opening_is_judged(void **state)
{
    const struct open_case *c = *state;
    struct fake_http *fake = fake_http_new(&c->reply, 1);
    struct signer *signer = NULL;
    struct err err = { 0 };
    struct address want;
    char spec[192];

    snprintf(spec, sizeof spec, "web3signer:%s%s", fake_http_url(fake), c->behind);
    assert_int_equal(signer_open(spec, "", &signer, &err), c->code == ERR_NONE);
    assert_int_equal(err.code, c->code);
    if (c->code == ERR_NONE) {
        assert_true(address_from_text(c->says, strlen(c->says), &want));
        assert_true(address_eq(signer_address(signer), want));
    } else if (strstr(err.text, c->says) == NULL) {
        fail_msg("it says: %s", err.text);
    }
    signer_free(signer);
    fake_http_free(fake);
}

static const struct url_case { const char *name, *spec, *token; } bad_urls[] = {
    { "another scheme is refused",                     "web3signer:ftp://127.0.0.1/", NULL },
    { "a URL without a host is refused",               "web3signer:http://", NULL },
    { "a user in the URL is refused",                  "web3signer:http://me:secret@127.0.0.1:9/" KEY_ONE, NULL },
    { "a token never goes over plain http elsewhere",  "web3signer:http://192.0.2.1:9000/" KEY_ONE, "token" },
    { "a name that begins like this machine is another", "web3signer:http://localhost.example:9000/" KEY_ONE, "token" },
    { "a token of two words is refused",               "web3signer:http://127.0.0.1:9/" KEY_ONE, "to ken" },
    { "an empty token is refused",                     "web3signer:http://127.0.0.1:9/" KEY_ONE, "" },
};

static void url_is_refused(void **state)
{
    const struct url_case *c = *state;
    char path[] = "/tmp/quittance-token-XXXXXX";
    struct signer *signer = NULL;
    struct err err = { 0 };
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    if (c->token != NULL)
        assert_true(file_write(path, c->token, strlen(c->token), 0600, &err));
    assert_false(signer_open(c->spec, c->token != NULL ? path : "", &signer, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_null(strstr(err.text, "secret"));
    unlink(path);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(every_field_is_asked_for),
        cmocka_unit_test(a_legacy_transaction_is_asked_for_by_its_gas_price),
        cmocka_unit_test(a_digest_is_not_asked_for),
        cmocka_unit_test(one_that_is_away_is_opened_by_its_address),
    };
    struct CMUnitTest tests[ARRAY_LEN(cases) + ARRAY_LEN(others) + ARRAY_LEN(opens) + ARRAY_LEN(bad_urls)];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        tests[n++] = others[i];
    for (const struct answer_case *c = cases; c < cases + ARRAY_LEN(cases); c++)
        tests[n++] = (struct CMUnitTest){ c->name, answer_is_judged, NULL, NULL, (void *)(uintptr_t)c };
    for (const struct open_case *c = opens; c < opens + ARRAY_LEN(opens); c++)
        tests[n++] = (struct CMUnitTest){ c->name, opening_is_judged, NULL, NULL, (void *)(uintptr_t)c };
    for (const struct url_case *c = bad_urls; c < bad_urls + ARRAY_LEN(bad_urls); c++)
        tests[n++] = (struct CMUnitTest){ c->name, url_is_refused, NULL, NULL, (void *)(uintptr_t)c };
    return cmocka_run_group_tests_name("web3signer", tests, secp_and_http_setup, secp_and_http_teardown);
}
