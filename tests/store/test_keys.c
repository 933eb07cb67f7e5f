#include "tests/support/store_fixture.h"

#include <stdio.h>

#include "store/keys.h"

static bool note_key(void *self, const struct api_key *key, struct err *err)
{
    (void)err;
    strcat(strcat(self, key->id), ";");
    return true;
}

static void a_key_is_found_by_its_digest_until_it_is_deleted(void **state)
{
    struct store_fixture *f = *state;
    struct api_key key = { "k1", "operator", "night shift", some_hash(1), 5 }, other = { "k0", "viewer", "", some_hash(2), 6 }, got;
    char seen[32] = "";
    struct err err;
    bool found;

    store_ok(store_key_add(f->db, &key, &err));
    store_ok(store_key_add(f->db, &other, &err));
    store_fails(ERR_CONFLICT, store_key_add(f->db, &key, &err));
    store_ok(store_key_find(f->db, some_hash(1), &got, &found, &err));
    assert_true(found);
    assert_string_equal(got.id, "k1");
    assert_string_equal(got.role, "operator");
    assert_string_equal(got.name, "night shift");
    assert_int_equal(got.created_at_ms, 5);
    store_ok(store_keys(f->db, "", 100, note_key, seen, &err));
    assert_string_equal(seen, "k0;k1;");
    store_ok(store_key_delete(f->db, "k1", &found, &err));
    assert_true(found);
    store_ok(store_key_delete(f->db, "k1", &found, &err));
    assert_false(found);
    store_ok(store_key_find(f->db, some_hash(1), &got, &found, &err));
    assert_false(found);
}

static bool note_entry(void *self, const struct audit_entry *e, struct err *err)
{
    char one[200];

    (void)err;
    snprintf(one, sizeof one, "%s %s %.20s %u;", e->who, e->action, e->detail, (unsigned)e->at_ms);
    strcat(self, one);
    return true;
}

static void the_audit_log_is_read_newest_first(void **state)
{
    struct store_fixture *f = *state;
    char seen[400] = "";
    struct err err;

    store_ok(store_audit_add(f->db, 1, "k1", "price", "{}", &err));
    store_ok(store_audit_add(f->db, 2, "k2", "verify", "{\"a\":1}", &err));
    store_ok(store_audit_list(f->db, 0, 10, note_entry, seen, &err));
    assert_string_equal(seen, "k2 verify {\"a\":1} 2;k1 price {} 1;");
    seen[0] = '\0';
    store_ok(store_audit_list(f->db, 2, 10, note_entry, seen, &err));
    assert_string_equal(seen, "k1 price {} 1;");
}

static void add_answer(struct db *db, const char *key, uint64_t now_ms, const char *text)
{
    struct kept_answer a = { .body = some_hash(1), .status = 201 };
    struct err err;

    buf_init(&a.answer);
    assert_true(buf_add_text(&a.answer, text));
    store_ok(store_answer_add(db, key, "POST /v1/quotes", now_ms, &a, &err));
    buf_clear(&a.answer);
}

static void an_answer_is_kept_for_a_day(void **state)
{
    const uint64_t day = UINT64_C(86400000);
    struct store_fixture *f = *state;
    struct kept_answer got;
    struct err err;
    bool found;

    add_answer(f->db, "a", 1000, "first");
    add_answer(f->db, "b", 2000, "second");
    store_ok(store_answer_find(f->db, "a", "POST /v1/quotes", 1000, &got, &found, &err));
    assert_true(found);
    assert_string_equal(buf_text(&got.answer), "first");
    assert_int_equal(got.status, 201);
    assert_true(hash_eq(got.body, some_hash(1)));
    buf_clear(&got.answer);
    store_ok(store_answer_find(f->db, "a", "POST /v1/quotes", 1001, &got, &found, &err));
    assert_false(found);
    store_ok(store_answer_find(f->db, "a", "POST /v1/other", 0, &got, &found, &err));
    assert_false(found);
    add_answer(f->db, "b", day + 1500, "again");
    assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM idempotency"), 1);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(a_key_is_found_by_its_digest_until_it_is_deleted),
        WITH_DB(the_audit_log_is_read_newest_first),
        WITH_DB(an_answer_is_kept_for_a_day),
    };

    return cmocka_run_group_tests_name("store: keys", tests, NULL, NULL);
}
