/* Sessions and nonces: when they end, and what none of them may do twice. */
#include <string.h>

#include "api/sessions.h"
#include "api/wallets.h"
#include "gateway/lib/address_text.h"
#include "tests/support/fixture.h"

#define NOW UINT64_C(1790718319139)

static int setup(void **state)
{
    *state = sessions_new();
    return 0;
}

static int teardown(void **state)
{
    sessions_free(*state);
    return 0;
}

static struct session open_one(struct sessions *s, uint64_t now_ms, char cookie[SESSION_TEXT])
{
    struct session session = { .who = "somebody", .role = ACCESS_OPERATOR };

    session_open(s, &session, now_ms, cookie);
    return session;
}

static bool finds(struct sessions *s, const char *cookie, bool uses, uint64_t now_ms)
{
    struct session found;

    return session_find(s, cookie, strlen(cookie), uses, now_ms, &found);
}

static void a_cookie_finds_its_session_and_no_other_does(void **state)
{
    char cookie[SESSION_TEXT], other[SESSION_TEXT];
    struct session found;

    open_one(*state, NOW, cookie);
    open_one(*state, NOW, other);
    assert_string_not_equal(cookie, other);
    assert_true(session_find(*state, cookie, strlen(cookie), true, NOW, &found));
    assert_string_equal(found.who, "somebody");
    assert_int_equal(found.role, ACCESS_OPERATOR);
    cookie[0] = cookie[0] == 'a' ? 'b' : 'a';
    assert_false(finds(*state, cookie, true, NOW));
    assert_false(finds(*state, "", true, NOW));
    assert_false(finds(*state, "short", true, NOW));
}

static void a_session_ends_when_nobody_uses_it(void **state)
{
    char cookie[SESSION_TEXT];

    open_one(*state, NOW, cookie);
    assert_true(finds(*state, cookie, true, NOW + SESSION_IDLE_MS - 1));
    assert_true(finds(*state, cookie, false, NOW + 2 * SESSION_IDLE_MS - 2));
    assert_false(finds(*state, cookie, true, NOW + 2 * SESSION_IDLE_MS - 1));
}

static void a_session_ends_however_often_it_is_used(void **state)
{
    char cookie[SESSION_TEXT];
    uint64_t now_ms = NOW;

    open_one(*state, NOW, cookie);
    for (; now_ms < NOW + SESSION_MAX_MS; now_ms += SESSION_IDLE_MS / 2)
        assert_true(finds(*state, cookie, true, now_ms));
    assert_false(finds(*state, cookie, true, NOW + SESSION_MAX_MS));
}

static void a_closed_session_is_gone(void **state)
{
    char cookie[SESSION_TEXT];
    struct session session = open_one(*state, NOW, cookie);

    session_close(*state, session.id);
    assert_false(finds(*state, cookie, true, NOW));
}

static void beyond_the_bound_the_longest_idle_goes(void **state)
{
    char first[SESSION_TEXT], second[SESSION_TEXT], cookie[SESSION_TEXT];

    open_one(*state, NOW, first);
    open_one(*state, NOW + 1, second);
    for (unsigned i = 2; i < SESSIONS_MAX; i++)
        open_one(*state, NOW + i, cookie);
    assert_true(finds(*state, first, true, NOW + SESSIONS_MAX));
    open_one(*state, NOW + SESSIONS_MAX, cookie);
    assert_true(finds(*state, first, true, NOW + SESSIONS_MAX));
    assert_false(finds(*state, second, true, NOW + SESSIONS_MAX));
}

static void a_token_fits_one_session(void **state)
{
    char cookie[SESSION_TEXT], one[SESSION_TEXT], again[SESSION_TEXT], two[SESSION_TEXT];
    struct session a = open_one(*state, NOW, cookie), b = open_one(*state, NOW, cookie);

    session_csrf(*state, &a, one);
    session_csrf(*state, &a, again);
    session_csrf(*state, &b, two);
    assert_string_equal(one, again);
    assert_string_not_equal(one, two);
}

static void a_nonce_is_taken_once_and_in_time(void **state)
{
    char nonce[NONCE_TEXT], late[NONCE_TEXT];

    nonce_new(*state, NOW, nonce);
    nonce_new(*state, NOW, late);
    assert_int_equal(nonce_take(*state, nonce, NOW + NONCE_MS - 1), NONCE_TAKEN);
    assert_int_equal(nonce_take(*state, nonce, NOW + NONCE_MS - 1), NONCE_USED);
    assert_int_equal(nonce_take(*state, late, NOW + NONCE_MS), NONCE_OLD);
}

static void a_nonce_in_other_letters_is_the_same(void **state)
{
    char nonce[NONCE_TEXT];

    nonce_new(*state, NOW, nonce);
    assert_int_equal(nonce_take(*state, nonce, NOW), NONCE_TAKEN);
    for (char *c = nonce; *c != '\0'; c++)
        if (*c >= 'a')
            *c = (char)(*c - 'a' + 'A');
    assert_int_equal(nonce_take(*state, nonce, NOW), NONCE_USED);
}

static void a_nonce_that_was_not_given_out_is_unknown(void **state)
{
    char nonce[NONCE_TEXT];
    struct sessions *others = sessions_new();

    nonce_new(others, NOW, nonce);
    sessions_free(others);
    assert_int_equal(nonce_take(*state, nonce, NOW), NONCE_UNKNOWN);
    assert_int_equal(nonce_take(*state, "", NOW), NONCE_UNKNOWN);
    nonce_new(*state, NOW, nonce);
    nonce[20] = nonce[20] == '0' ? '1' : '0';
    assert_int_equal(nonce_take(*state, nonce, NOW), NONCE_UNKNOWN);
}

static void used_nonces_are_bounded_and_forgotten_in_time(void **state)
{
    char nonce[NONCE_TEXT];

    for (unsigned i = 0; i < NONCES_USED_MAX; i++) {
        nonce_new(*state, NOW, nonce);
        assert_int_equal(nonce_take(*state, nonce, NOW), NONCE_TAKEN);
    }
    nonce_new(*state, NOW, nonce);
    assert_int_equal(nonce_take(*state, nonce, NOW), NONCE_BUSY);
    nonce_new(*state, NOW + NONCE_MS, nonce);
    assert_int_equal(nonce_take(*state, nonce, NOW + NONCE_MS), NONCE_TAKEN);
}

#define ONE "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"

static const struct wallets_case { const char *name, *text, *says; size_t count; } wallets_cases[] = {
    { "nobody",                     "",                                        NULL, 0 },
    { "one",                        ONE ":operator",                           NULL, 1 },
    { "two, and spaces",            " " ONE ":admin ,0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed:viewer", NULL, 2 },
    { "without a role",             ONE,                                       "must be ADDRESS:ROLE", 0 },
    { "a role that is none",        ONE ":owner",                              "must end with :viewer", 0 },
    { "a role that is too long",    ONE ":operatoroperatoroperator",           "must end with :viewer", 0 },
    { "nobody's role",              ONE ":anyone",                             "must end with :viewer", 0 },
    { "a mistyped address",         "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756CC2:admin", "wrong checksum", 0 },
    { "no address",                 "somebody:admin",                          "must be ADDRESS:ROLE", 0 },
    { "the same twice",             ONE ":viewer " ONE ":admin",               "is there twice", 0 },
};

static void wallets_are_read(void **state)
{
    const struct wallets_case *c = *state;
    struct wallets wallets;
    struct err err = { 0 };
    bool ok = wallets_parse(c->text, &wallets, &err);

    assert_int_equal(ok, c->says == NULL);
    if (ok)
        assert_int_equal(wallets.count, c->count);
    else if (strstr(err.text, c->says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, c->says);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_cookie_finds_its_session_and_no_other_does), TEST(a_session_ends_when_nobody_uses_it),
        TEST(a_session_ends_however_often_it_is_used), TEST(a_closed_session_is_gone),
        TEST(beyond_the_bound_the_longest_idle_goes), TEST(a_token_fits_one_session), TEST(a_nonce_is_taken_once_and_in_time),
        TEST(a_nonce_in_other_letters_is_the_same), TEST(a_nonce_that_was_not_given_out_is_unknown),
        TEST(used_nonces_are_bounded_and_forgotten_in_time),
    };
    int failed = cmocka_run_group_tests_name("sessions", tests, NULL, NULL);

    FIXTURE_TESTS(wallets, wallets_cases, wallets_are_read);
    return failed + cmocka_run_group_tests_name("wallets", wallets, NULL, NULL);
}
