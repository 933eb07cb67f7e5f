#include "tests/support/store_fixture.h"

#include <stdio.h>

#include "store/transactions.h"

static struct transaction_row transaction_of(uint64_t nonce)
{
    return (struct transaction_row){ .account = some_address(1), .nonce = nonce, .kind = "distribute", .sequence = 4, .created_at_ms = 10 };
}

/* raw is borrowed. */
static struct attempt_row attempt_of(unsigned n, uint64_t tx, uint64_t seq)
{
    static uint8_t raw[] = { 0x02, 0xf8, 0x00, 0x01 };
    struct attempt_row a;

    memset(&a, 0, sizeof a);
    a.hash.h = some_hash(n);
    a.tx = tx;
    a.seq = seq;
    a.gas = 21000;
    a.created_at_ms = 11;
    a.raw = (struct buf){ .data = raw, .len = sizeof raw, .capacity = sizeof raw };
    a.max_fee.v = amount_of_256_bits().base_units;
    a.max_priority_fee.v = u256_from_u64(2);
    return a;
}

static uint64_t insert(struct db *db, uint64_t nonce)
{
    struct transaction_row t = transaction_of(nonce);
    struct attempt_row a = attempt_of((unsigned)nonce, 0, 0);
    struct err err;

    store_ok(store_tx_insert(db, &t, &a, NULL, &err));
    assert_int_equal(t.state, TX_PREPARED);
    return t.id;
}

static struct transaction_row found(struct db *db, uint64_t id)
{
    struct transaction_row t;
    struct err err;
    bool any = false;

    store_ok(store_tx_find(db, id, &t, &any, &err));
    assert_true(any);
    return t;
}

static void the_next_nonce_is_one_over_the_highest_row(void **state)
{
    struct store_fixture *f = *state;
    struct err err;
    uint64_t nonce;

    store_ok(store_tx_next_nonce(f->db, some_address(1), 41, &nonce, &err));
    assert_int_equal(nonce, 41);
    insert(f->db, 41);
    store_ok(store_tx_next_nonce(f->db, some_address(1), 5, &nonce, &err));
    assert_int_equal(nonce, 42);
    store_ok(store_tx_next_nonce(f->db, some_address(1), 60, &nonce, &err));     /* used by hand: behind that */
    assert_int_equal(nonce, 60);
    store_ok(store_tx_next_nonce(f->db, some_address(2), 5, &nonce, &err));
    assert_int_equal(nonce, 5);
}

static void a_nonce_is_taken_once(void **state)
{
    struct store_fixture *f = *state;
    struct transaction_row t = transaction_of(41);
    struct attempt_row a = attempt_of(99, 0, 0);
    struct err err;

    insert(f->db, 41);
    store_fails(ERR_CONFLICT, store_tx_insert(f->db, &t, &a, NULL, &err));
    assert_non_null(strstr(err.text, "nonce 41"));
    assert_int_equal(t.id, 0);
}

static bool note_attempt(void *self, const struct attempt_row *a, struct err *err)
{
    struct attempt_row want = attempt_of(a->hash.h.b[31], 0, a->seq);
    char *seen = self, one[300];

    (void)err;
    assert_int_equal(a->raw.len, want.raw.len);
    assert_memory_equal(a->raw.data, want.raw.data, want.raw.len);
    assert_memory_equal(&a->max_fee, &want.max_fee, sizeof want.max_fee);
    assert_memory_equal(&a->max_priority_fee, &want.max_priority_fee, sizeof want.max_priority_fee);
    assert_int_equal(a->gas, 21000);
    snprintf(one, sizeof one, "%u@%u %s;", (unsigned)a->seq, (unsigned)a->sent_at_ms, a->answer);
    strcat(seen, one);
    return true;
}

static void attempts_are_kept_in_order_with_what_the_node_said(void **state)
{
    struct store_fixture *f = *state;
    uint64_t id = insert(f->db, 7);
    struct attempt_row second = attempt_of(8, id, 1), same_place = attempt_of(9, id, 1);
    char seen[400] = "";
    struct err err;

    store_ok(store_attempt_insert(f->db, &second, &err));
    store_fails(ERR_CONFLICT, store_attempt_insert(f->db, &same_place, &err));
    store_ok(store_attempt_sent(f->db, second.hash, 500, "already known", &err));
    store_fails(ERR_BUG, store_attempt_sent(f->db, same_place.hash, 500, "", &err));
    store_ok(store_attempts(f->db, id, note_attempt, seen, &err));
    assert_string_equal(seen, "0@0 ;1@500 already known;");
}

static void a_mined_transaction_may_go_back(void **state)
{
    struct store_fixture *f = *state;
    struct transaction_row t, got;
    struct err err;
    bool any;

    t = found(f->db, insert(f->db, 7));
    assert_string_equal(t.kind, "distribute");
    assert_int_equal(t.sequence, 4);
    store_fails(ERR_BUG, store_tx_mined(f->db, &t, &err));               /* not sent yet */
    store_ok(store_tx_move(f->db, t.id, TX_PREPARED, TX_SENT, &err));
    store_fails(ERR_BUG, store_tx_move(f->db, t.id, TX_PREPARED, TX_SENT, &err));
    t.block = 20;
    t.block_hash = some_hash(20);
    t.mined.h = some_hash(7);
    t.gas_used = 20999;
    t.gas_price.v = amount_of_256_bits().base_units;
    store_ok(store_tx_mined(f->db, &t, &err));
    got = found(f->db, t.id);
    assert_int_equal(got.state, TX_MINED);
    assert_int_equal(got.block, 20);
    assert_int_equal(got.gas_used, 20999);
    assert_true(hash_eq(got.block_hash, some_hash(20)) && hash_eq(got.mined.h, some_hash(7)));
    assert_memory_equal(&got.gas_price, &t.gas_price, sizeof t.gas_price);
    store_ok(store_tx_unmined(f->db, t.id, &err));
    got = found(f->db, t.id);
    assert_int_equal(got.state, TX_SENT);
    assert_int_equal(got.block, 0);
    assert_true(hash_is_zero(got.mined.h));
    store_fails(ERR_BUG, store_tx_unmined(f->db, t.id, &err));
    store_ok(store_tx_move(f->db, t.id, TX_SENT, TX_FOREIGN, &err));
    t.block = 21;
    store_ok(store_tx_mined(f->db, &t, &err));                           /* its receipt turned up after all */
    store_ok(store_tx_at(f->db, some_address(1), 7, &got, &any, &err));
    assert_true(any);
    assert_int_equal(got.state, TX_MINED);
    assert_int_equal(got.block, 21);
    store_ok(store_tx_at(f->db, some_address(1), 8, &got, &any, &err));
    assert_false(any);
}

static void assert_cost(struct db *db, uint64_t sequence, uint64_t except, uint64_t want)
{
    struct wei cost;
    struct err err;

    store_ok(store_cost_of_sequence(db, sequence, except, &cost, &err));
    assert_true(u256_cmp(cost.v, u256_from_u64(want)) == 0);
}

static struct attempt_row offer_of(unsigned n, uint64_t tx, uint64_t seq, uint64_t max_fee)
{
    struct attempt_row a = attempt_of(n, tx, seq);

    a.gas = 100;
    a.max_fee.v = u256_from_u64(max_fee);
    a.data_fee.v = u256_from_u64(7);
    a.created_at_ms = 1000 * seq;
    return a;
}

/* Most that open ones may cost, by their newest bytes; of mined ones what was taken; of what others did, nothing. */
static void costs_are_summed_by_what_became_of_each(void **state)
{
    struct store_fixture *f = *state;
    struct transaction_row mined = transaction_of(1), open = transaction_of(2);
    struct attempt_row first = offer_of(1, 0, 1, 10), second = offer_of(2, 0, 1, 10), raised;
    struct wei day;
    struct err err;

    store_ok(store_tx_insert(f->db, &mined, &first, NULL, &err));
    store_ok(store_tx_insert(f->db, &open, &second, NULL, &err));
    assert_cost(f->db, 4, 0, 2 * 1007);
    assert_cost(f->db, 5, 0, 0);
    raised = offer_of(3, open.id, 2, 20);
    store_ok(store_attempt_insert(f->db, &raised, &err));
    assert_cost(f->db, 4, 0, 1007 + 2007);
    assert_cost(f->db, 4, open.id, 1007);
    store_ok(store_tx_move(f->db, mined.id, TX_PREPARED, TX_SENT, &err));
    mined.gas_used = 50;
    mined.gas_price.v = u256_from_u64(3);
    mined.l1_fee.v = u256_from_u64(4);
    store_ok(store_tx_mined(f->db, &mined, &err));
    assert_cost(f->db, 4, open.id, 154);
    store_ok(store_tx_move(f->db, mined.id, TX_MINED, TX_REVERTED, &err));
    assert_cost(f->db, 4, open.id, 154);                                 /* in vain, but paid for */
    store_ok(store_cost_since(f->db, 2000, 0, &day, &err));
    assert_true(u256_cmp(day.v, u256_from_u64(2007)) == 0);
    store_ok(store_cost_since(f->db, 2001, 0, &day, &err));
    assert_true(u256_is_zero(day.v));
    store_ok(store_tx_move(f->db, open.id, TX_PREPARED, TX_SENT, &err));
    store_ok(store_tx_foreign(f->db, open.id, &(struct tx_hash){ some_hash(77) }, &err));
    assert_cost(f->db, 4, 0, 154);
    assert_true(hash_eq(found(f->db, open.id).taken_by.h, some_hash(77)));
}

static void costs_beyond_256_bits_are_the_most_there_is(void **state)
{
    struct store_fixture *f = *state;
    struct wei cost;
    struct err err;

    insert(f->db, 1);                          /* a max fee of 256 bits, times 21000 */
    insert(f->db, 2);
    store_ok(store_cost_of_sequence(f->db, 4, 0, &cost, &err));
    for (size_t i = 0; i < ARRAY_LEN(cost.v.limb); i++)
        assert_true(cost.v.limb[i] == UINT64_MAX);
}

static bool note_nonce(void *self, const struct transaction_row *t, struct err *err)
{
    uint64_t *digits = self;

    (void)err;
    *digits = *digits * 10 + t->nonce;
    return true;
}

static void open_transactions_are_listed_by_nonce(void **state)
{
    struct store_fixture *f = *state;
    struct transaction_row mined = { 0 };
    uint64_t seen = 0;
    struct err err;

    insert(f->db, 3);
    mined.id = insert(f->db, 1);
    insert(f->db, 2);
    store_ok(store_tx_open(f->db, note_nonce, &seen, &err));
    assert_int_equal(seen, 123);
    store_ok(store_tx_move(f->db, mined.id, TX_PREPARED, TX_SENT, &err));
    store_ok(store_tx_mined(f->db, &mined, &err));
    store_ok(store_tx_move(f->db, mined.id, TX_MINED, TX_FINAL, &err));
    seen = 0;
    store_ok(store_tx_open(f->db, note_nonce, &seen, &err));
    assert_int_equal(seen, 23);
    seen = 0;
    store_ok(store_tx_of_sequence(f->db, 4, note_nonce, &seen, &err));
    assert_int_equal(seen, 312);
    seen = 0;
    store_ok(store_tx_list(f->db, 0, 2, note_nonce, &seen, &err));
    assert_int_equal(seen, 21);
}

static void whom_a_distribute_pays_is_kept_with_it(void **state)
{
    struct store_fixture *f = *state;
    struct reward_leaf list[] = { { some_address(2), amount_of_256_bits() }, { some_address(1), some_amount(1) } };
    struct reward_leaves set = { list, ARRAY_LEN(list) }, got;
    struct transaction_row t = transaction_of(1);
    struct attempt_row a = attempt_of(1, 0, 0);
    struct err err;

    store_ok(store_tx_insert(f->db, &t, &a, &set, &err));
    store_ok(store_set_load(f->db, t.id, &got, &err));
    assert_int_equal(got.count, 2);
    assert_true(address_eq(got.list[0].account, some_address(1)));
    assert_amount_equal(got.list[1].claimable, amount_of_256_bits());
    reward_leaves_clear(&got);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(the_next_nonce_is_one_over_the_highest_row),
        WITH_DB(a_nonce_is_taken_once),
        WITH_DB(attempts_are_kept_in_order_with_what_the_node_said),
        WITH_DB(a_mined_transaction_may_go_back),
        WITH_DB(costs_are_summed_by_what_became_of_each),
        WITH_DB(costs_beyond_256_bits_are_the_most_there_is),
        WITH_DB(open_transactions_are_listed_by_nonce),
        WITH_DB(whom_a_distribute_pays_is_kept_with_it),
    };

    return cmocka_run_group_tests_name("store: transactions", tests, NULL, NULL);
}
