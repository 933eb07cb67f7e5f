#include "chain/signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/keystore.h"
#include "gateway/base/hex.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/lib/secp.h"
#include "tests/support/vectors.h"

/* A folder with a keystore of key 1 that we sealed ourselves, and its passphrase. */
struct world {
    struct signer *signer;
    char dir[64], spec[128], keystore[96], passphrase[96], wrong[96], open_to_all[96];
    struct buf sealed;
};

static struct world world;

static const struct secret_key key_one = { { [31] = 1 } };
static const char address_of_key_one[] = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";

static void write_file(char path[96], const char *name, const char *text, unsigned mode)
{
    struct err err = { 0 };

    snprintf(path, 96, "%s/%s", world.dir, name);
    if (!file_write(path, text, strlen(text), mode, &err))
        bug("%s", err.text);
}

static int world_setup(void **state)
{
    struct err err = { 0 };

    (void)state;
    if (!secp_start(&err))
        return -1;
    snprintf(world.dir, sizeof world.dir, "/tmp/quittance-signer-XXXXXX");
    if (mkdtemp(world.dir) == NULL)
        return -1;
    buf_init(&world.sealed);
    if (!keystore_seal(&key_one, "open sesame", 11, &world.sealed, &err))
        return -1;
    write_file(world.keystore, "key.json", buf_text(&world.sealed), 0600);
    write_file(world.passphrase, "passphrase", "open sesame\n", 0600);
    write_file(world.wrong, "wrong", "open barley\n", 0600);
    write_file(world.open_to_all, "open", "open sesame\n", 0600);
    if (chmod(world.open_to_all, 0644) != 0)
        return -1;
    snprintf(world.spec, sizeof world.spec, "keystore:%s", world.keystore);
    return signer_open(world.spec, world.passphrase, &world.signer, &err) ? 0 : -1;
}

static int world_teardown(void **state)
{
    (void)state;
    signer_free(world.signer);
    unlink(world.keystore);
    unlink(world.passphrase);
    unlink(world.wrong);
    unlink(world.open_to_all);
    rmdir(world.dir);
    buf_clear(&world.sealed);
    secp_stop();
    return 0;
}

static struct address address_one(void)
{
    struct address a;

    assert_true(address_from_text(address_of_key_one, strlen(address_of_key_one), &a));
    return a;
}

static void what_was_sealed_opens_as_the_same_signer(void **state)
{
    (void)state;
    assert_address_is(signer_address(world.signer), address_one());
}

static void a_sealed_file_names_its_address_and_hides_its_key(void **state)
{
    struct address a;
    struct err err = { 0 };

    (void)state;
    assert_true(keystore_address(buf_text(&world.sealed), world.sealed.len, &a, &err));
    assert_address_is(a, address_one());
    assert_null(strstr(buf_text(&world.sealed), "0000000000000000000000000000000000000000000000000000000000000001"));
}

static void an_empty_passphrase_is_one(void **state)
{
    struct secret_key key;
    struct address a;
    struct buf text;
    struct err err = { 0 };

    (void)state;
    buf_init(&text);
    assert_true(keystore_seal(&key_one, NULL, 0, &text, &err));
    assert_true(keystore_open(buf_text(&text), text.len, NULL, 0, &key, &a, &err));
    assert_memory_equal(&key, &key_one, sizeof key);
    buf_clear(&text);
}

static void a_transaction_is_signed_with_low_s(void **state)
{
    struct tx t, back;
    struct tx_hash hash;
    struct signature sig;
    struct address by;
    struct buf raw;
    struct err err = { 0 };

    (void)state;
    tx_init(&t);
    tx_init(&back);
    t.chain_id = 31337;
    t.gas = 21000;
    buf_init(&raw);
    assert_true(signer_sign_tx(world.signer, &t, &raw, &hash, &err));
    assert_hash_is(tx_hash_of(&raw).h, hash.h);
    assert_true(tx_decode(raw.data, raw.len, &back, &sig, &err));      /* refuses high s */
    assert_true(secp_recover(&sig, tx_digest(&t), &by, &err));
    assert_address_is(by, address_one());
    tx_clear(&back);
    buf_clear(&raw);
}

static void a_key_that_is_unlocked_later_signs_as_one_opened_at_once(void **state)
{
    struct hash digest = { { 7 } };
    struct signature sig, want;
    struct signer *later;
    struct err err = { 0 };

    (void)state;
    assert_true(signer_open_later(world.spec, world.passphrase, &later, &err));
    assert_true(address_eq(signer_address(later), address_one()));
    assert_true(signer_sign_digest(later, digest, &sig, &err));      /* waits */
    assert_true(signer_wait(later, &err));
    assert_true(signer_sign_digest(world.signer, digest, &want, &err));
    assert_memory_equal(&sig, &want, sizeof sig);
    signer_free(later);
}

static void a_wrong_passphrase_shows_when_the_key_is_waited_for(void **state)
{
    struct hash digest = { { 7 } };
    struct signature sig;
    struct signer *later;
    struct err err = { 0 };

    (void)state;
    assert_true(signer_open_later(world.spec, world.wrong, &later, &err));
    assert_false(signer_wait(later, &err));
    assert_int_equal(err.code, ERR_AUTH);
    err.code = ERR_NONE;
    assert_false(signer_sign_digest(later, digest, &sig, &err));
    assert_int_equal(err.code, ERR_AUTH);
    signer_free(later);
}

static void a_file_that_names_no_address_is_opened_at_once(void **state)
{
    struct signer *later;
    struct err err = { 0 };

    (void)state;
    assert_false(signer_open_later("keystore:/nowhere", world.passphrase, &later, &err));
    assert_int_equal(err.code, ERR_CONFIG);
}

static void a_digest_is_signed(void **state)
{
    struct hash digest = { { 7 } };
    struct signature sig;
    struct address by;
    struct err err = { 0 };

    (void)state;
    assert_true(signer_sign_digest(world.signer, digest, &sig, &err));
    assert_true(secp_recover(&sig, digest, &by, &err));
    assert_address_is(by, address_one());
}

static const struct refusal { const char *name, *spec, *passphrase; enum err_code code; } refusals[] = {
    { "a wrong passphrase is refused",                   world.spec,           world.wrong,       ERR_AUTH },
    { "a passphrase that others may read is refused",    world.spec,           world.open_to_all, ERR_CONFIG },
    { "a key of another kind is refused",                "web3signer:http://", world.passphrase,  ERR_CONFIG },
    { "a missing keystore is a fault of configuration",  "keystore:/nowhere",  world.passphrase,  ERR_CONFIG },
    { "a missing passphrase is a fault of configuration", world.spec,          "/nowhere",        ERR_CONFIG },
    { "no passphrase file is a fault of configuration",  world.spec,           "",                ERR_CONFIG },
    { "a file that is no keystore is refused",           NULL,                 world.passphrase,  ERR_INVALID },
};

static void signer_is_refused(void **state)
{
    const struct refusal *r = *state;
    struct signer *signer = NULL;
    struct err err = { 0 };
    char not_keystore[128];

    snprintf(not_keystore, sizeof not_keystore, "keystore:%s", world.passphrase);
    assert_false(signer_open(r->spec != NULL ? r->spec : not_keystore, r->passphrase, &signer, &err));
    assert_int_equal(err.code, r->code);
    assert_null(signer);
    assert_null(strstr(err.text, "sesame"));
}

/* Costs a file may ask for. */
static const struct cost { const char *name, *kdf, *params; enum err_code code; } costs[] = {
    { "scrypt over 512 MiB is refused", "scrypt", "\"n\":1048576,\"r\":8,\"p\":1", ERR_LIMIT },
    { "scrypt with a huge r is refused", "scrypt", "\"n\":2,\"r\":9223372036854775807,\"p\":1", ERR_LIMIT },
    { "scrypt with a huge p is refused", "scrypt", "\"n\":262144,\"r\":8,\"p\":1000", ERR_LIMIT },
    { "scrypt with n of 1 is refused", "scrypt", "\"n\":1,\"r\":8,\"p\":1", ERR_INVALID },
    { "scrypt with r of 0 is refused", "scrypt", "\"n\":2,\"r\":0,\"p\":1", ERR_INVALID },
    { "PBKDF2 over ten million rounds is refused", "pbkdf2", "\"c\":10000001,\"prf\":\"hmac-sha256\"", ERR_LIMIT },
    { "PBKDF2 without rounds is refused", "pbkdf2", "\"c\":0,\"prf\":\"hmac-sha256\"", ERR_INVALID },
    { "PBKDF2 with SHA-512 is refused", "pbkdf2", "\"c\":1,\"prf\":\"hmac-sha512\"", ERR_INVALID },
};

static void cost_is_bounded(void **state)
{
    const struct cost *c = *state;
    struct secret_key key;
    struct address a;
    struct buf text;
    struct err err = { 0 };

    buf_init(&text);
    buf_printf(&text, "{\"version\":3,\"crypto\":{\"cipher\":\"aes-128-ctr\",\"ciphertext\":\"%064d\",\"cipherparams\":"
               "{\"iv\":\"%032d\"},\"mac\":\"%064d\",\"kdf\":\"%s\",\"kdfparams\":{\"dklen\":32,\"salt\":\"00\",%s}}}",
               0, 0, 0, c->kdf, c->params);
    assert_false(keystore_open(buf_text(&text), text.len, "x", 1, &key, &a, &err));
    assert_int_equal(err.code, c->code);
    buf_clear(&text);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(what_was_sealed_opens_as_the_same_signer),
        cmocka_unit_test(a_sealed_file_names_its_address_and_hides_its_key),
        cmocka_unit_test(an_empty_passphrase_is_one),
        cmocka_unit_test(a_transaction_is_signed_with_low_s),
        cmocka_unit_test(a_digest_is_signed),
        cmocka_unit_test(a_key_that_is_unlocked_later_signs_as_one_opened_at_once),
        cmocka_unit_test(a_wrong_passphrase_shows_when_the_key_is_waited_for),
        cmocka_unit_test(a_file_that_names_no_address_is_opened_at_once),
    };
    struct CMUnitTest tests[ARRAY_LEN(others) + ARRAY_LEN(refusals) + ARRAY_LEN(costs)];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        tests[n++] = others[i];
    for (const struct refusal *r = refusals; r < refusals + ARRAY_LEN(refusals); r++)
        tests[n++] = (struct CMUnitTest){ r->name, signer_is_refused, NULL, NULL, (void *)(uintptr_t)r };
    for (const struct cost *c = costs; c < costs + ARRAY_LEN(costs); c++)
        tests[n++] = (struct CMUnitTest){ c->name, cost_is_bounded, NULL, NULL, (void *)(uintptr_t)c };
    return cmocka_run_group_tests_name("signer", tests, world_setup, world_teardown);
}
