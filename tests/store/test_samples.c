#include "tests/support/store_fixture.h"

#include "store/samples.h"

struct listing { struct figures list[8]; size_t count; };

static bool add(void *self, const struct figures *f, struct err *err)
{
    struct listing *l = self;

    (void)err;
    l->list[l->count++] = *f;
    return true;
}

static struct listing all_since(struct db *db, uint64_t since_ms)
{
    struct listing l = { .count = 0 };
    struct err err = { 0 };

    store_ok(store_samples(db, since_ms, add, &l, &err));
    return l;
}

static void figures_come_back_as_they_were(void **state)
{
    struct store_fixture *f = *state;
    struct figures whole = { .at_ms = 1000, .accepted = 1, .duplicate = 2, .quarantined = 3, .rejected = 4, .held = 5,
                             .unsettled_since_ms = 6, .has_gas = true, .gas = { u256_from_u64(7) }, .gas_runs = 8 };
    struct figures plenty = { .at_ms = 2000, .has_gas = true, .gas_runs = UINT64_MAX }, unseen = { .at_ms = 3000 };
    struct listing l;
    struct err err = { 0 };

    store_ok(store_sample_add(f->db, &plenty, &err));
    store_ok(store_sample_add(f->db, &whole, &err));
    store_ok(store_sample_add(f->db, &unseen, &err));
    l = all_since(f->db, 0);
    assert_int_equal(l.count, 3);
    assert_memory_equal(&l.list[0].gas, &whole.gas, sizeof whole.gas);
    assert_int_equal(l.list[0].accepted, 1);
    assert_int_equal(l.list[0].duplicate, 2);
    assert_int_equal(l.list[0].quarantined, 3);
    assert_int_equal(l.list[0].rejected, 4);
    assert_int_equal(l.list[0].held, 5);
    assert_int_equal(l.list[0].unsettled_since_ms, 6);
    assert_int_equal(l.list[0].gas_runs, 8);
    assert_true(l.list[1].has_gas && l.list[1].gas_runs == UINT64_MAX);
    assert_false(l.list[2].has_gas);
    assert_int_equal(all_since(f->db, 2000).count, 2);
}

static void a_moment_has_one_row_and_old_ones_go(void **state)
{
    struct store_fixture *f = *state;
    struct listing l;
    struct err err = { 0 };

    for (uint64_t n = 1; n <= 3; n++)
        store_ok(store_sample_add(f->db, &(struct figures){ .at_ms = 1000 * n, .held = n }, &err));
    store_ok(store_sample_add(f->db, &(struct figures){ .at_ms = 3000, .held = 9 }, &err));
    store_ok(store_samples_drop(f->db, 2000, &err));
    l = all_since(f->db, 0);
    assert_int_equal(l.count, 2);
    assert_int_equal(l.list[0].at_ms, 2000);
    assert_int_equal(l.list[1].held, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(figures_come_back_as_they_were, store_db_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_moment_has_one_row_and_old_ones_go, store_db_setup, store_teardown),
    };

    return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
