#include "chain/keystore.h"

#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"
#include "tests/support/libraries.h"
#include "tests/support/vectors.h"

static bool open_row(const json *row, const struct buf *passphrase, struct secret_key *key, struct address *address,
                     struct err *err)
{
    struct buf text;
    bool ok;

    buf_init(&text);
    json_write(vector_member(row, "keystore"), &text);
    ok = keystore_open(buf_text(&text), text.len, passphrase->data, passphrase->len, key, address, err);
    buf_clear(&text);
    return ok;
}

static void a_file_is_opened(void **state)
{
    struct secret_key *key = secret_new(sizeof *key);
    struct buf passphrase = vector_bytes(*state, "passwordUtf8");
    struct address address;
    struct err err = { 0 };

    assert_true(open_row(*state, &passphrase, key, &address, &err));
    assert_memory_equal(key->b, vector_hash(*state, "privateKey").b, sizeof key->b);
    assert_address_is(address, vector_address(*state, "address"));
    buf_clear(&passphrase);
    secret_free(key);
}

static void a_bad_file_is_refused_and_leaves_no_key(void **state)
{
    static const struct secret_key none;
    struct secret_key key = none;
    struct buf passphrase;
    struct address address;
    struct err err = { 0 };
    const char *why = vector_text(*state, "why");
    bool of_auth = strcmp(why, "wrong password") == 0 || strcmp(why, "mac mismatch") == 0;

    buf_init(&passphrase);
    buf_add_text(&passphrase, vector_text(*state, "password"));
    assert_false(open_row(*state, &passphrase, &key, &address, &err));
    assert_int_equal(err.code, of_auth ? ERR_AUTH : ERR_INVALID);
    assert_memory_equal(&key, &none, sizeof key);
    buf_clear(&passphrase);
}

int main(void)
{
    static const struct vector_group groups[] = {
        { "vectors", a_file_is_opened },
        { "reject",  a_bad_file_is_refused_and_leaves_no_key },
    };

    return vectors_run("keystore_v3", groups, ARRAY_LEN(groups), secp_setup, secp_teardown);
}
