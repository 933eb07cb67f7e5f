#include "tests/support/store_fixture.h"

#include "store/batches.h"

static struct settlement_row settlement_of(uint64_t sequence, uint64_t batch)
{
    struct settlement_row s;

    memset(&s, 0, sizeof s);
    s.sequence = s.content.sequence = sequence;
    s.batch = batch;
    s.state = BATCH_PREPARED;
    s.parent = some_hash(1);
    s.content.receipts_root = some_hash(2);
    s.content.rewards_root = some_hash(3);
    s.content.archive = some_hash(4);
    s.content.total = amount_of_256_bits();
    s.content.receipts = 12;
    s.accounts = 3;
    s.prepared_at_ms = 55;
    return s;
}

static struct batch_row batch(struct db *db, uint64_t number)
{
    struct batch_row row;
    struct err err;
    bool found = false;

    store_ok(store_batch_find(db, number, &row, &found, &err));
    assert_true(found);
    return row;
}

static struct settlement_row settlement(struct db *db, uint64_t sequence)
{
    struct settlement_row row;
    struct err err;
    bool found = false;

    store_ok(store_settlement_find(db, sequence, &row, &found, &err));
    assert_true(found);
    return row;
}

/* Batch 1 is closed and prepared as settlement 1. */
static void prepare_first(struct db *db)
{
    struct settlement_row s = settlement_of(1, 1);
    struct err err;

    store_ok(store_batch_close(db, 500, some_address(2), &err));
    store_ok(store_settlement_insert(db, &s, &err));
    store_ok(store_batch_move(db, 1, BATCH_CLOSED, BATCH_PREPARED, &err));
}

static void closing_a_batch_opens_the_next(void **state)
{
    struct store_fixture *f = *state;
    struct batch_row open, none;
    struct err err;
    bool found = true;

    store_ok(store_batch_open(f->db, &open, &err));
    assert_int_equal(open.number, 1);
    store_ok(store_batch_unfinished(f->db, &none, &found, &err));
    assert_false(found);
    store_ok(store_batch_close(f->db, 500, some_address(2), &err));
    store_ok(store_batch_open(f->db, &open, &err));
    assert_int_equal(open.number, 2);
    assert_int_equal(open.opened_at_ms, 500);
    assert_true(address_eq(open.protocol_account, some_address(2)));
    assert_int_equal(batch(f->db, 1).state, BATCH_CLOSED);
    assert_int_equal(batch(f->db, 1).closed_at_ms, 500);
    store_ok(store_batch_unfinished(f->db, &none, &found, &err));
    assert_true(found && none.number == 1);
}

static void a_batch_counts_while_it_is_open(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    store_ok(store_batch_add(f->db, 1, 3, some_amount(5), &err));
    store_ok(store_batch_add(f->db, 1, 4, some_amount(6), &err));
    assert_int_equal(batch(f->db, 1).receipts, 7);
    assert_amount_equal(batch(f->db, 1).amount, some_amount(11));
    store_fails(ERR_OVERFLOW, store_batch_add(f->db, 1, 1, amount_of_256_bits(), &err));
    store_ok(store_batch_close(f->db, 500, some_address(2), &err));
    store_fails(ERR_BUG, store_batch_add(f->db, 1, 1, some_amount(1), &err));
    store_fails(ERR_BUG, store_batch_add(f->db, 9, 1, some_amount(1), &err));
}

static void the_protocol_account_is_fixed_by_the_first_receipt(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    store_ok(store_batch_set_protocol_account(f->db, some_address(8), &err));
    store_ok(store_batch_add(f->db, 1, 1, some_amount(5), &err));
    store_ok(store_batch_set_protocol_account(f->db, some_address(8), &err));
    store_fails(ERR_CONFLICT, store_batch_set_protocol_account(f->db, some_address(9), &err));
    assert_true(address_eq(batch(f->db, 1).protocol_account, some_address(8)));
}

static void a_settlement_follows_its_batch_to_the_end(void **state)
{
    static const enum batch_state way[] = {
        BATCH_PREPARED, BATCH_COMMITTED, BATCH_ACTIVE, BATCH_DISTRIBUTED, BATCH_FINAL,
    };
    struct store_fixture *f = *state;
    struct settlement_row s;
    struct err err;
    bool found = true;

    store_ok(store_settlement_last(f->db, &s, &found, &err));
    assert_false(found);
    prepare_first(f->db);
    assert_int_equal(batch(f->db, 1).sequence, 1);
    for (size_t i = 0; i + 1 < ARRAY_LEN(way); i++) {
        assert_int_equal(settlement(f->db, 1).state, way[i]);
        store_ok(store_settlement_active(f->db, &s, &found, &err));
        assert_int_equal(found, way[i] >= BATCH_ACTIVE);
        store_ok(store_batch_move(f->db, 1, way[i], way[i + 1], &err));
        assert_int_equal(batch(f->db, 1).state, way[i + 1]);
    }
    store_ok(store_settlement_last_valid(f->db, &s, &found, &err));
    assert_true(found && s.state == BATCH_FINAL);
    store_ok(store_batch_unfinished(f->db, &(struct batch_row){ 0 }, &found, &err));
    assert_false(found);
}

static void a_settlement_comes_back_as_it_went_in(void **state)
{
    struct store_fixture *f = *state;
    struct settlement_row s = settlement_of(1, 1), got;
    struct err err;

    prepare_first(f->db);
    got = settlement(f->db, 1);
    assert_false(got.has_header);
    assert_memory_equal(&got.content, &s.content, sizeof s.content);
    assert_true(hash_eq(got.parent, s.parent));
    assert_int_equal(got.accounts, 3);
    assert_int_equal(got.prepared_at_ms, 55);
    s.header = some_hash(9);
    s.committed_at_s = 1000;
    s.active_at_s = 2000;
    s.commit_block = 30;
    store_ok(store_settlement_committed(f->db, &s, &err));
    got = settlement(f->db, 1);
    assert_true(got.has_header && hash_eq(got.header, some_hash(9)));
    assert_int_equal(got.committed_at_s, 1000);
    assert_int_equal(got.active_at_s, 2000);
    assert_int_equal(got.commit_block, 30);
}

static void a_move_that_changes_no_row_is_a_bug(void **state)
{
    struct store_fixture *f = *state;
    struct settlement_row s = settlement_of(7, 1);
    struct err err;

    store_fails(ERR_BUG, store_batch_move(f->db, 1, BATCH_CLOSED, BATCH_PREPARED, &err));
    store_fails(ERR_BUG, store_batch_move(f->db, 99, BATCH_OPEN, BATCH_CLOSED, &err));
    store_fails(ERR_BUG, store_settlement_committed(f->db, &s, &err));
    prepare_first(f->db);
    store_fails(ERR_BUG, store_batch_move(f->db, 1, BATCH_COMMITTED, BATCH_ACTIVE, &err));
    store_fails(ERR_BUG, store_settlement_insert(f->db, &s, &err));      /* the batch is in settlement 1 */
}

static void a_cancelled_batch_waits_for_carry(void **state)
{
    struct store_fixture *f = *state;
    struct settlement_row again = settlement_of(2, 1), s;
    struct err err;
    bool found = true;

    store_fails(ERR_NOT_FOUND, store_batch_carry(f->db, 1, &err));
    prepare_first(f->db);
    store_fails(ERR_CONFLICT, store_batch_carry(f->db, 1, &err));
    store_ok(store_batch_move(f->db, 1, BATCH_PREPARED, BATCH_CANCELLED, &err));
    assert_int_equal(batch(f->db, 1).sequence, 0);
    store_ok(store_batch_unfinished(f->db, &(struct batch_row){ 0 }, &found, &err));
    assert_false(found);
    store_ok(store_settlement_last_valid(f->db, &s, &found, &err));
    assert_false(found);
    store_ok(store_settlement_last(f->db, &s, &found, &err));
    assert_true(found && s.sequence == 1);

    store_ok(store_batch_carry(f->db, 1, &err));
    assert_int_equal(batch(f->db, 1).state, BATCH_CLOSED);
    assert_int_equal(settlement(f->db, 1).state, BATCH_CANCELLED);
    store_fails(ERR_CONFLICT, store_batch_carry(f->db, 1, &err));

    store_ok(store_settlement_insert(f->db, &again, &err));
    store_ok(store_batch_move(f->db, 1, BATCH_CLOSED, BATCH_PREPARED, &err));
    store_ok(store_batch_move(f->db, 1, BATCH_PREPARED, BATCH_CANCELLED, &err));
    store_fails(ERR_CONFLICT, store_batch_carry(f->db, 1, &err));        /* 2 is the one to carry now */
    store_ok(store_batch_carry(f->db, 2, &err));
}

static bool note_sequence(void *self, const struct settlement_row *s, struct err *err)
{
    uint64_t *digits = self;

    (void)err;
    *digits = *digits * 10 + s->sequence;
    return true;
}

static void settlements_are_listed_newest_first(void **state)
{
    struct store_fixture *f = *state;
    uint64_t seen = 0;
    struct err err;

    for (uint64_t n = 1; n <= 4; n++) {
        struct settlement_row s = settlement_of(n, n);

        store_ok(store_batch_close(f->db, 500, some_address(2), &err));
        store_ok(store_settlement_insert(f->db, &s, &err));
    }
    store_ok(store_settlements(f->db, 0, 3, note_sequence, &seen, &err));
    assert_int_equal(seen, 432);
    seen = 0;
    store_ok(store_settlements(f->db, 2, 3, note_sequence, &seen, &err));
    assert_int_equal(seen, 1);
}

static void leaves_come_back_sorted_by_account(void **state)
{
    struct store_fixture *f = *state;
    struct reward_leaf list[100];
    struct reward_leaves leaves = { list, ARRAY_LEN(list) }, got;
    struct amount claimable;
    struct err err;
    bool found;

    prepare_first(f->db);
    for (unsigned i = 0; i < ARRAY_LEN(list); i++)
        list[i] = (struct reward_leaf){ some_address(200 - i), some_amount(i + 1) };
    list[99].claimable = amount_of_256_bits();
    store_ok(store_leaves_insert(f->db, 1, &leaves, &err));
    store_ok(store_leaves_load(f->db, 1, &got, &err));
    assert_int_equal(got.count, 100);
    for (unsigned i = 0; i < 100; i++)
        assert_true(address_eq(got.list[i].account, some_address(101 + i)));
    assert_amount_equal(got.list[0].claimable, amount_of_256_bits());
    reward_leaves_clear(&got);
    store_ok(store_leaf_find(f->db, 1, some_address(200), &claimable, &found, &err));
    assert_true(found);
    assert_amount_equal(claimable, some_amount(1));
    store_ok(store_leaf_find(f->db, 1, some_address(5), &claimable, &found, &err));
    assert_false(found);
    store_sql(f->db, "UPDATE reward_accounts SET account = zeroblob(19) WHERE account = (SELECT account FROM reward_accounts ORDER BY account DESC LIMIT 1); INSERT INTO reward_leaves SELECT zeroblob(19), sequence, claimable FROM reward_leaves LIMIT 1");
    store_fails(ERR_STORE, store_leaves_load(f->db, 1, &got, &err));
}

static void check_leaf(struct db *db, uint64_t sequence, unsigned account, uint64_t want)
{
    struct reward_leaves all;
    struct amount got = AMOUNT_ZERO;
    struct err err;
    bool found;

    store_ok(store_leaf_find(db, sequence, some_address(account), &got, &found, &err));
    assert_int_equal(found, want != 0);
    assert_amount_equal(got, some_amount(want));
    store_ok(store_leaves_load(db, sequence, &all, &err));
    for (size_t i = 0; i < all.count; i++)
        if (address_eq(all.list[i].account, some_address(account))) {
            assert_amount_equal(all.list[i].claimable, some_amount(want));
            want = 0;
        }
    assert_int_equal(want, 0);
    reward_leaves_clear(&all);
}

static void a_leaf_is_the_latest_one_and_a_cancelled_settlement_says_nothing_to_the_next(void **state)
{
    static const char cancelled_and_next[] =
        "UPDATE settlements SET state = 8 WHERE sequence = 2;"
        "INSERT INTO settlements SELECT 3, batch, 3, parent, receipts_root, rewards_root, archive, total, receipts, accounts,"
        " prepared_at, NULL, NULL, NULL, NULL FROM settlements WHERE sequence = 1";
    struct store_fixture *f = *state;
    struct reward_leaf first[] = { { some_address(1), some_amount(10) }, { some_address(2), some_amount(20) } };
    struct reward_leaf second[] = { { some_address(1), some_amount(10) }, { some_address(2), some_amount(25) }, { some_address(3), some_amount(1) } };
    struct reward_leaf third[] = { { some_address(1), some_amount(11) }, { some_address(2), some_amount(20) } };
    struct err err;

    prepare_first(f->db);
    store_ok(store_leaves_insert(f->db, 1, &(struct reward_leaves){ first, ARRAY_LEN(first) }, &err));
    store_sql(f->db, "INSERT INTO settlements SELECT 2, batch, 3, parent, receipts_root, rewards_root, archive, total, receipts,"
                     " accounts, prepared_at, NULL, NULL, NULL, NULL FROM settlements WHERE sequence = 1");
    store_ok(store_leaves_insert(f->db, 2, &(struct reward_leaves){ second, ARRAY_LEN(second) }, &err));
    assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM reward_leaves"), 4);      /* what did not grow is not kept again */
    store_sql(f->db, cancelled_and_next);
    store_ok(store_leaves_insert(f->db, 3, &(struct reward_leaves){ third, ARRAY_LEN(third) }, &err));
    check_leaf(f->db, 1, 2, 20);
    check_leaf(f->db, 2, 2, 25);
    check_leaf(f->db, 2, 3, 1);
    check_leaf(f->db, 3, 1, 11);
    check_leaf(f->db, 3, 2, 20);
    check_leaf(f->db, 3, 3, 0);
}

static void what_the_chain_had_its_word_about_is_decided(void **state)
{
    struct store_fixture *f = *state;
    struct settlement_row row;
    struct err err;
    bool found;

    prepare_first(f->db);
    store_ok(store_settlement_decided(f->db, &row, &found, &err));
    assert_false(found);
    store_sql(f->db, "UPDATE settlements SET state = 8");       /* cancelled */
    store_ok(store_settlement_decided(f->db, &row, &found, &err));
    assert_true(found);
    assert_int_equal(row.sequence, 1);
}

static void a_batch_is_counted_anew_until_it_is_prepared(void **state)
{
    struct store_fixture *f = *state;
    struct batch_row batch;
    struct err err;

    store_ok(store_batch_restate(f->db, 1, some_address(3), 7, some_amount(70), &err));
    store_ok(store_batch_open(f->db, &batch, &err));
    assert_int_equal(batch.receipts, 7);
    assert_amount_equal(batch.amount, some_amount(70));
    assert_true(address_eq(batch.protocol_account, some_address(3)));
    store_sql(f->db, "UPDATE batches SET state = 3");           /* prepared */
    store_fails(ERR_BUG, store_batch_restate(f->db, 1, some_address(3), 0, AMOUNT_ZERO, &err));
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(closing_a_batch_opens_the_next),
        WITH_DB(a_batch_counts_while_it_is_open),
        WITH_DB(the_protocol_account_is_fixed_by_the_first_receipt),
        WITH_DB(a_settlement_follows_its_batch_to_the_end),
        WITH_DB(a_settlement_comes_back_as_it_went_in),
        WITH_DB(a_move_that_changes_no_row_is_a_bug),
        WITH_DB(a_cancelled_batch_waits_for_carry),
        WITH_DB(settlements_are_listed_newest_first),
        WITH_DB(what_the_chain_had_its_word_about_is_decided),
        WITH_DB(a_batch_is_counted_anew_until_it_is_prepared),
        WITH_DB(leaves_come_back_sorted_by_account),
        WITH_DB(a_leaf_is_the_latest_one_and_a_cancelled_settlement_says_nothing_to_the_next),
    };

    return cmocka_run_group_tests_name("store: batches", tests, NULL, NULL);
}
