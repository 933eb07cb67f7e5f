/* Which chain and contract a store belongs to. */
#include "tests/support/store_fixture.h"

#include "store/batches.h"
#include "store/binding.h"
#include "store/meta.h"

#define CHAIN 31337

static struct binding of(uint64_t chain_id, unsigned contract)
{
    return (struct binding){ chain_id, some_address(contract) };
}

static void open_for(struct store_fixture *f, struct binding b)
{
    struct writer *w;
    struct err err;

    store_ok(writer_open_bound(f->url, &f->clock, &b, &w, &err));
    writer_close(w);
}

static bool fill(void *self, struct group *group, struct err *err)
{
    const char *sql = self;

    return db_exec_script(group->db, sql, err);
}

static void write_sql(struct store_fixture *f, const char *sql)
{
    union { const char *in; void *self; } u = { .in = sql };
    struct writer *w;
    struct err err;

    store_ok(writer_open(f->url, &f->clock, &w, &err));
    store_ok(writer_do(w, fill, u.self, &err));
    writer_close(w);
}

static void an_empty_store_takes_what_it_is_opened_for(void **state)
{
    struct store_fixture *f = *state;
    struct binding got;
    struct db *db;
    struct err err;
    bool found;

    open_for(f, of(CHAIN, 1));
    open_for(f, of(CHAIN, 1));
    write_sql(f, "UPDATE meta SET value = 900 WHERE key = 'scanned_block'");
    open_for(f, of(CHAIN, 2));
    store_ok(db_open(f->url, DB_READ, &db, &err));
    store_ok(store_binding(db, &got, &found, &err));
    assert_true(found && address_eq(got.contract, some_address(2)));
    assert_int_equal(got.chain_id, CHAIN);
    assert_int_equal(store_number(db, "SELECT value FROM meta WHERE key = 'scanned_block'"), 0);      /* of the other contract */
    db_close(db);
}

static const struct full_case { const char *name, *sql; } full_cases[] = {
    { "a store with a receipt stays with its contract",
      "INSERT INTO receipts (job_id, provider, state, code, hash, packed, received_at) VALUES (zeroblob(16), zeroblob(20), 2, 0,"
      " zeroblob(32), zeroblob(208), 1)" },
    { "a store with a registration stays with its contract",
      "INSERT INTO models VALUES (zeroblob(32), zeroblob(20), 'm', zeroblob(0), 1, zeroblob(65), 1, NULL, NULL)" },
    { "a store with a settlement stays with its contract",
      "INSERT INTO settlements (sequence, batch, state, parent, receipts_root, rewards_root, archive, total, receipts, accounts,"
      " prepared_at) VALUES (1, 1, 3, zeroblob(32), zeroblob(32), zeroblob(32), zeroblob(32), zeroblob(32), 0, 0, 1)" },
};

static void a_full_store_is_refused_elsewhere(void **state)
{
    const struct full_case *c = *state;
    const struct binding others[] = { of(CHAIN, 2), of(1, 1) };
    struct store_fixture *f;
    struct writer *w;
    void *own = NULL;
    struct err err;

    assert_int_equal(store_dir_setup(&own), 0);
    f = own;
    open_for(f, of(CHAIN, 1));
    write_sql(f, c->sql);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        store_fails(ERR_CONFIG, writer_open_bound(f->url, &f->clock, &others[i], &w, &err));
        assert_int_equal(err_exit_code(&err), 78);
        assert_non_null(strstr(err.text, "the store belongs to contract 0x"));
    }
    open_for(f, of(CHAIN, 1));
    store_teardown(&own);
}

static void a_store_from_before_is_bound_when_it_is_first_opened(void **state)
{
    struct store_fixture *f = *state;
    struct binding b = of(CHAIN, 2);
    struct writer *w;
    struct err err;

    write_sql(f, full_cases[0].sql);
    open_for(f, of(CHAIN, 1));
    store_fails(ERR_CONFIG, writer_open_bound(f->url, &f->clock, &b, &w, &err));
}

static void a_contract_has_one_successor_and_one_predecessor(void **state)
{
    struct store_fixture *f = *state;
    struct relation first, again;
    struct writer *w;
    struct db *db;
    struct err err;
    bool found;

    store_ok(writer_open(f->url, &f->clock, &w, &err));
    store_ok(writer_relate(w, RELATIVE_PREDECESSOR, some_address(7), &first, &err));
    f->now_ms += 1000;
    store_ok(writer_relate(w, RELATIVE_PREDECESSOR, some_address(7), &again, &err));
    assert_int_equal(again.since_ms, first.since_ms);
    store_fails(ERR_CONFIG, writer_relate(w, RELATIVE_PREDECESSOR, some_address(8), &again, &err));
    store_ok(db_open(f->url, DB_READ, &db, &err));
    store_ok(store_relation(db, RELATIVE_SUCCESSOR, &again, &found, &err));
    assert_false(found);
    store_ok(writer_relate(w, RELATIVE_SUCCESSOR, some_address(8), &again, &err));
    store_ok(store_relation(db, RELATIVE_PREDECESSOR, &again, &found, &err));
    assert_true(found && address_eq(again.contract, some_address(7)));
    db_close(db);
    writer_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_store_takes_what_it_is_opened_for, store_dir_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_contract_has_one_successor_and_one_predecessor, store_dir_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_store_from_before_is_bound_when_it_is_first_opened, store_dir_setup, store_teardown),
    };
    struct CMUnitTest full[ARRAY_LEN(full_cases)];
    int failed;

    for (size_t i = 0; i < ARRAY_LEN(full_cases); i++)
        full[i] = (struct CMUnitTest){ full_cases[i].name, a_full_store_is_refused_elsewhere, NULL, NULL,
                                       (void *)(uintptr_t)&full_cases[i] };
    failed = cmocka_run_group_tests_name("store: binding", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("store: bound", full, NULL, NULL);
}
