#include "tests/support/store_fixture.h"

static void prepare(struct stmt *st, struct db *db, const char *literal_sql)
{
    struct err err;

    store_ok(db_prepare(db, literal_sql, st, &err));
}

static void values_come_back_as_they_went_in(void **state)
{
    struct store_fixture *f = *state;
    struct address address = some_address(1);
    struct job_id job = some_job(2);
    struct hash hash = some_hash(3);
    char text[4];
    struct stmt st;
    struct err err;
    bool row;

    prepare(&st, f->db, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?");
    stmt_bind_i64(&st, INT64_MIN);
    stmt_bind_u64(&st, INT64_MAX);
    stmt_bind_text(&st, "longer");
    stmt_bind_address(&st, &address);
    stmt_bind_job_id(&st, &job);
    stmt_bind_hash(&st, &hash);
    stmt_bind_amount(&st, amount_of_256_bits());
    stmt_bind_null(&st);
    stmt_bind_blob(&st, NULL, 0);
    store_ok(stmt_step(&st, &row, &err));
    assert_true(row);
    assert_true(stmt_i64(&st) == INT64_MIN);
    assert_true(stmt_u64(&st) == INT64_MAX);
    stmt_text(&st, text, sizeof text);
    assert_string_equal(text, "lon");
    assert_true(address_eq(stmt_address(&st), address));
    assert_true(job_id_eq(stmt_job_id(&st), job));
    assert_true(hash_eq(stmt_hash(&st), hash));
    assert_amount_equal(stmt_amount(&st), amount_of_256_bits());
    assert_true(stmt_null(&st));
    assert_true(hash_is_zero(stmt_hash(&st)));
    assert_false(stmt_null(&st));
    store_ok(stmt_ok(&st, &err));
    store_ok(stmt_step(&st, &row, &err));
    assert_false(row);
    stmt_end(&st);
}

static const struct damage_case { const char *name, *sql; } damages[] = {
    { "a hash one byte short is a damaged row",     "SELECT zeroblob(31)" },
    { "a hash one byte long is a damaged row",      "SELECT zeroblob(33)" },
    { "no bytes at all are a damaged row",          "SELECT x''" },
    { "a text in the place of a hash is damaged",   "SELECT 'thirty-two'" },
};
static void damage_is_noticed(void **state)
{
    const struct damage_case *c = *state;
    void *own = NULL;
    struct store_fixture *f;
    struct stmt st;
    struct err err;
    bool row;

    assert_int_equal(store_db_setup(&own), 0);
    f = own;
    prepare(&st, f->db, c->sql);
    store_ok(stmt_step(&st, &row, &err));
    assert_true(hash_is_zero(stmt_hash(&st)));
    store_fails(ERR_STORE, stmt_ok(&st, &err));
    store_fails(ERR_STORE, stmt_step(&st, &row, &err));
    store_teardown(&own);
}

static void a_number_over_63_bits_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct stmt st;
    struct err err;
    bool row;

    prepare(&st, f->db, "SELECT ?");
    stmt_bind_u64(&st, UINT64_C(1) << 63);
    store_fails(ERR_STORE, stmt_step(&st, &row, &err));
}

static void a_taken_key_is_a_conflict(void **state)
{
    struct store_fixture *f = *state;
    struct stmt st;
    struct err err;

    prepare(&st, f->db, "INSERT INTO meta VALUES ('settings', 1)");
    store_fails(ERR_CONFLICT, stmt_exec(&st, NULL, &err));
}

static void a_change_of_no_row_or_two_is_a_bug(void **state)
{
    struct store_fixture *f = *state;
    struct stmt st;
    struct err err;

    prepare(&st, f->db, "UPDATE meta SET value = 1 WHERE key = 'nobody'");
    store_fails(ERR_BUG, stmt_exec_one(&st, &err));
    prepare(&st, f->db, "UPDATE meta SET value = 1 WHERE key IN ('group', 'settings')");
    store_fails(ERR_BUG, stmt_exec_one(&st, &err));
}

static int depth_of_nesting(struct db *db, int depth)
{
    struct stmt st;
    struct err err;
    int seen = 0;
    bool row;

    store_ok(db_prepare(db, "SELECT 1 UNION ALL SELECT 2", &st, &err));
    while (stmt_step(&st, &row, &err) && row)
        seen += stmt_int(&st) + (depth > 0 ? depth_of_nesting(db, depth - 1) : 0);
    return seen;
}

static void one_statement_may_be_in_use_twice(void **state)
{
    struct store_fixture *f = *state;

    assert_int_equal(depth_of_nesting(f->db, 2), 3 + 2 * (3 + 2 * 3));
    assert_int_equal(depth_of_nesting(f->db, 0), 3);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(values_come_back_as_they_went_in),
        WITH_DB(a_number_over_63_bits_is_refused),
        WITH_DB(a_taken_key_is_a_conflict),
        WITH_DB(a_change_of_no_row_or_two_is_a_bug),
        WITH_DB(one_statement_may_be_in_use_twice),
    };
    struct CMUnitTest damage[ARRAY_LEN(damages)];
    int failed;

    for (size_t i = 0; i < ARRAY_LEN(damages); i++)
        damage[i] = (struct CMUnitTest){ damages[i].name, damage_is_noticed, NULL, NULL, (void *)(uintptr_t)&damages[i] };
    failed = cmocka_run_group_tests_name("store: stmt", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("store: damaged rows", damage, NULL, NULL);
}
