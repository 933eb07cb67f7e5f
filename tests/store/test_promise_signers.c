#include "tests/support/store_fixture.h"

#include <stdio.h>

#include "store/promise_signers.h"

static bool note(void *self, const struct promise_signer *s, struct err *err)
{
    char one[64];

    (void)err;
    snprintf(one, sizeof one, "%02x %u-%u;", s->address.b[19], (unsigned)s->from_ms, (unsigned)s->until_ms);
    strcat(self, one);
    return true;
}

static void assert_history(struct db *db, const char *wanted)
{
    char seen[256] = "";
    struct err err;

    store_ok(store_promise_signers(db, note, seen, &err));
    assert_string_equal(seen, wanted);
}

static struct address key(uint8_t n)
{
    return (struct address){ { [19] = n } };
}

static void a_replaced_key_stays_in_the_history(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    assert_history(f->db, "");
    store_ok(store_promise_signer_set(f->db, key(1), 100, &err));
    store_ok(store_promise_signer_set(f->db, key(1), 200, &err));
    assert_history(f->db, "01 100-0;");
    store_ok(store_promise_signer_set(f->db, key(2), 300, &err));
    store_ok(store_promise_signer_set(f->db, key(1), 400, &err));
    assert_history(f->db, "01 100-300;02 300-400;01 400-0;");
}

static bool stop(void *self, const struct promise_signer *s, struct err *err)
{
    (void)self;
    (void)s;
    return err_set(err, ERR_LIMIT, "enough");
}

static void a_visitor_may_end_the_walk(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    store_ok(store_promise_signer_set(f->db, key(1), 100, &err));
    store_fails(ERR_LIMIT, store_promise_signers(f->db, stop, NULL, &err));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_replaced_key_stays_in_the_history, store_db_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_visitor_may_end_the_walk, store_db_setup, store_teardown),
    };

    return cmocka_run_group_tests_name("promise signers", tests, NULL, NULL);
}
