#include "tests/support/store_fixture.h"

#include "store/batches.h"
#include "store/figures.h"
#include "store/transactions.h"

#define DAY UINT64_C(86400000)

/* In batch n, accepted at that time; the batch counts it. */
static void accept(struct db *db, unsigned n, uint64_t batch, uint64_t accepted_at_ms, uint64_t amount)
{
    struct receipt_row row = some_receipt(n);
    struct err err = { 0 };

    row.batch = batch;
    row.accepted_at_ms = accepted_at_ms;
    store_ok(store_receipt_insert(db, &row, &err));
    store_ok(store_batch_add(db, batch, 1, some_amount(amount), &err));
}

static void settle(struct db *db, uint64_t sequence, uint64_t batch)
{
    struct settlement_row s = { .sequence = sequence, .batch = batch, .state = BATCH_PREPARED };
    struct err err = { 0 };

    s.content.sequence = sequence;
    s.content.rewards_root = some_hash((unsigned)sequence);
    store_ok(store_settlement_insert(db, &s, &err));
    store_ok(store_batch_move(db, batch, BATCH_CLOSED, BATCH_PREPARED, &err));
}

static uint64_t unsettled(struct db *db)
{
    uint64_t at_ms = 77;
    struct err err = { 0 };

    store_ok(store_unsettled_since(db, &at_ms, &err));
    return at_ms;
}

static void the_oldest_receipt_waits_until_its_commit(void **state)
{
    struct store_fixture *f = *state;
    struct err err = { 0 };

    assert_int_equal(unsettled(f->db), 0);
    /* The later job was accepted first: it is the one that waits longest. */
    accept(f->db, 1, 1, 900, 5);
    accept(f->db, 2, 1, 400, 5);
    assert_int_equal(unsettled(f->db), 400);
    store_ok(store_batch_close(f->db, 1000, some_address(1), &err));
    accept(f->db, 3, 2, 1500, 5);
    settle(f->db, 1, 1);
    assert_int_equal(unsettled(f->db), 400);
    store_ok(store_batch_move(f->db, 1, BATCH_PREPARED, BATCH_COMMITTED, &err));
    assert_int_equal(unsettled(f->db), 1500);      /* that commit holds the others */
}

static void receipts_in_pages_wait_too(void **state)
{
    struct store_fixture *f = *state;
    struct err err = { 0 };

    store_sql(f->db, "INSERT INTO bundles (id, provider, root, count, signature, leaves) VALUES (1, x'00', x'00', 2, x'00', x'00');"
                     "INSERT INTO receipt_pages (id, batch, bundle, count, received_at, accepted_at, price_version, promise, promise_first)"
                     " VALUES (1, 1, 1, 2, 600, 600, 1, 1, 0), (2, 1, 1, 2, 700, 700, 1, 1, 0)");
    store_ok(store_batch_add(f->db, 1, 4, some_amount(5), &err));
    assert_int_equal(unsettled(f->db), 600);
    accept(f->db, 1, 1, 900, 5);
    assert_int_equal(unsettled(f->db), 600);
    accept(f->db, 2, 1, 400, 5);
    assert_int_equal(unsettled(f->db), 400);
}

static void a_cancelled_batch_is_found_until_it_is_carried(void **state)
{
    struct store_fixture *f = *state;
    uint64_t number = 77;
    struct err err = { 0 };

    store_ok(store_cancelled_batch(f->db, &number, &err));
    assert_int_equal(number, 0);
    accept(f->db, 1, 1, 400, 5);
    store_ok(store_batch_close(f->db, 1000, some_address(1), &err));
    settle(f->db, 1, 1);
    store_ok(store_batch_move(f->db, 1, BATCH_PREPARED, BATCH_COMMITTED, &err));
    assert_int_equal(unsettled(f->db), 0);
    store_ok(store_batch_move(f->db, 1, BATCH_COMMITTED, BATCH_CANCELLED, &err));
    store_ok(store_cancelled_batch(f->db, &number, &err));
    assert_int_equal(number, 1);
    assert_int_equal(unsettled(f->db), 400);
    store_ok(store_batch_carry(f->db, 1, &err));
    store_ok(store_cancelled_batch(f->db, &number, &err));
    assert_int_equal(number, 0);
}

static void growth_counts_what_was_open_lately(void **state)
{
    struct store_fixture *f = *state;
    struct growth g;
    struct err err = { 0 };

    accept(f->db, 1, 1, 400, 5);                   /* closed before: not recent, but not committed either */
    store_ok(store_batch_close(f->db, DAY, some_address(1), &err));
    accept(f->db, 2, 2, 2 * DAY, 70);
    store_ok(store_batch_close(f->db, 3 * DAY, some_address(1), &err));
    accept(f->db, 3, 3, 4 * DAY, 900);             /* open */
    store_ok(store_growth(f->db, 2 * DAY, &g, &err));
    assert_amount_equal(g.recent, some_amount(970));
    assert_amount_equal(g.uncommitted, some_amount(975));
    assert_int_equal(g.from_ms, DAY);              /* when batch 2 was opened */
    settle(f->db, 1, 1);
    settle(f->db, 2, 2);
    store_ok(store_growth(f->db, 2 * DAY, &g, &err));
    assert_amount_equal(g.recent, some_amount(970));
    assert_amount_equal(g.uncommitted, some_amount(900));
}

static void mine(struct store_fixture *f, uint64_t nonce, uint64_t sequence, uint64_t gas_used)
{
    struct transaction_row t = { .nonce = nonce, .sequence = sequence, .account = some_address(1), .kind = "commit", .state = TX_PREPARED };
    struct attempt_row a = { .hash = { some_hash((unsigned)nonce + 100) } };
    struct err err = { 0 };

    buf_init(&a.raw);
    store_ok(store_tx_insert(f->db, &t, &a, NULL, &err));
    store_ok(store_tx_move(f->db, t.id, TX_PREPARED, TX_SENT, &err));
    t.state = TX_SENT;
    t.gas_used = gas_used;
    t.mined = a.hash;
    if (gas_used > 0)
        store_ok(store_tx_mined(f->db, &t, &err));
}

static void the_gas_of_a_run_is_that_of_the_dearest_of_late(void **state)
{
    struct store_fixture *f = *state;
    uint64_t gas = 77;
    struct err err = { 0 };

    store_ok(store_gas_of_run(f->db, 2, &gas, &err));
    assert_int_equal(gas, 0);
    mine(f, 0, 1, 9000);
    mine(f, 1, 2, 300);
    mine(f, 2, 2, 50);
    mine(f, 3, 3, 200);
    mine(f, 4, 4, 0);                              /* not mined: it tells nothing yet */
    store_ok(store_gas_of_run(f->db, 2, &gas, &err));
    assert_int_equal(gas, 350);
    store_ok(store_gas_of_run(f->db, 3, &gas, &err));
    assert_int_equal(gas, 9000);
}

static void a_root_is_ours_or_not(void **state)
{
    struct store_fixture *f = *state;
    struct err err = { 0 };
    bool has = true;

    store_ok(store_has_rewards_root(f->db, some_hash(1), &has, &err));
    assert_false(has);
    accept(f->db, 1, 1, 400, 5);
    store_ok(store_batch_close(f->db, 1000, some_address(1), &err));
    settle(f->db, 1, 1);
    store_ok(store_has_rewards_root(f->db, some_hash(1), &has, &err));
    assert_true(has);
    store_ok(store_has_rewards_root(f->db, some_hash(2), &has, &err));
    assert_false(has);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_oldest_receipt_waits_until_its_commit, store_db_setup, store_teardown),
        cmocka_unit_test_setup_teardown(receipts_in_pages_wait_too, store_db_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_batch_is_found_until_it_is_carried, store_db_setup, store_teardown),
        cmocka_unit_test_setup_teardown(growth_counts_what_was_open_lately, store_db_setup, store_teardown),
        cmocka_unit_test_setup_teardown(the_gas_of_a_run_is_that_of_the_dearest_of_late, store_db_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_root_is_ours_or_not, store_db_setup, store_teardown),
    };

    return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
