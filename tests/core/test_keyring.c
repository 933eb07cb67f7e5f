#include "gateway/core/keyring.h"

#include "tests/support/fixture.h"

/* Key 2 of provider 1: lent at 100 for 1000 to 2000, taken back at 500, lent at 600 for 1500 to 3000.  Key 3: once, at 100 for
 * 1000 to 2000. */
static void fill(struct keyring *k)
{
    static const struct { uint8_t key; uint64_t since, from, until; } lent[] = {
        { 2, 600, 1500, 3000 }, { 3, 100, 1000, 2000 }, { 2, 100, 1000, 2000 },
    };

    *k = (struct keyring){ 0 };
    for (size_t i = 0; i < ARRAY_LEN(lent); i++)
        keyring_add_delegation(k, &(struct delegation){ .provider = { { 1 } }, .key = { { lent[i].key } }, .valid_from_ms = lent[i].from,
                                                        .valid_until_ms = lent[i].until, .since_ms = lent[i].since });
    keyring_add_revocation(k, &(struct revocation){ .provider = { { 1 } }, .key = { { 2 } }, .at_ms = 499, .since_ms = 500 });
    keyring_seal(k);
}

static const struct standing_case {
    const char *name;
    uint8_t provider, key;
    uint64_t finished_at, accepted_at;
    enum key_standing want;
} cases[] = {
    { "a key nobody lent",                      1, 9, 1500, 9999, KEY_UNKNOWN },
    { "another provider's key",                 4, 2, 1500, 9999, KEY_UNKNOWN },
    { "before it was lent",                     1, 3, 1500, 99, KEY_UNKNOWN },
    { "as soon as it is",                       1, 3, 1500, 100, KEY_VALID },
    { "a job that ended before its time",       1, 3, 999, 9999, KEY_OUT_OF_TIME },
    { "the first moment counts",                1, 3, 1000, 9999, KEY_VALID },
    { "the last moment counts",                 1, 3, 2000, 9999, KEY_VALID },
    { "and no later one",                       1, 3, 2001, 9999, KEY_OUT_OF_TIME },
    { "accepted before it was taken back",      1, 2, 1500, 499, KEY_VALID },
    { "accepted as it was taken back",          1, 2, 1500, 500, KEY_REVOKED },
    { "lent again",                             1, 2, 1500, 600, KEY_VALID },
    { "which does not bring back the old time", 1, 2, 1200, 600, KEY_REVOKED },
    { "but has its own",                        1, 2, 2500, 600, KEY_VALID },
};

static void a_key_stands(void **state)
{
    const struct standing_case *c = *state;
    const struct delegation *by = NULL;
    struct keyring k;
    enum key_standing got;

    fill(&k);
    got = keyring_standing(&k, (struct address){ { c->provider } }, (struct address){ { c->key } }, c->finished_at, c->accepted_at, &by);
    assert_int_equal(got, c->want);
    assert_int_equal(by != NULL, c->want == KEY_VALID);
    assert_int_equal(key_standing_text(got)[0] == '\0', c->want == KEY_VALID);
    assert_int_equal(keyring_has(&k, (struct address){ { c->provider } }), c->provider == 1);
    keyring_clear(&k);
}

int main(void)
{
    FIXTURE_TESTS(tests, cases, a_key_stands);

    return cmocka_run_group_tests_name("keyring", tests, NULL, NULL);
}
