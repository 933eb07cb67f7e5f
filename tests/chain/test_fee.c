#include "chain/fee.h"

#include "tests/support/vectors.h"

#define GWEI 1000000000ull

static struct wei wei(uint64_t v)
{
    return (struct wei){ u256_from_u64(v) };
}

static const struct suggestion {
    const char *name;
    uint64_t base, rewards[4];
    double ratios[4];
    size_t count;
    uint64_t ceiling, tip, cap;      /* cap 0: ERR_AGAIN */
} suggestions[] = {
    { "the median of the used blocks is the tip", 10 * GWEI, { 3 * GWEI, GWEI, 2 * GWEI }, { .5, .5, 1 }, 3,
      100 * GWEI, 2 * GWEI, 22 * GWEI },
    { "blocks that nobody used do not count", 10 * GWEI, { 3 * GWEI, 0, 0, 0 }, { .5, 0, 0, 0 }, 4,
      100 * GWEI, 3 * GWEI, 23 * GWEI },
    { "of an even number the upper middle counts", GWEI, { 4 * GWEI, GWEI, 2 * GWEI, 3 * GWEI }, { 1, 1, 1, 1 }, 4,
      100 * GWEI, 3 * GWEI, 5 * GWEI },
    { "no block to learn from gives a tip of one gwei", 7, { 0 }, { 0 }, 0, 100 * GWEI, GWEI, GWEI + 14 },
    { "a tip has a least value", GWEI, { 0 }, { 1 }, 1, 100 * GWEI, 1000000, 2 * GWEI + 1000000 },
    { "a tip has a greatest value", GWEI, { 5000 * GWEI }, { 1 }, 1, 1000 * GWEI, 100 * GWEI, 102 * GWEI },
    { "the ceiling cuts the cap", 10 * GWEI, { GWEI }, { 1 }, 1, 15 * GWEI, GWEI, 15 * GWEI },
    { "the tip is never above the cap", 2 * GWEI, { 9 * GWEI }, { 1 }, 1, 3 * GWEI, 3 * GWEI, 3 * GWEI },
    { "a base fee at the ceiling is offered", 3 * GWEI, { GWEI }, { 1 }, 1, 3 * GWEI, GWEI, 3 * GWEI },
    { "a base fee above the ceiling waits", 3 * GWEI + 1, { GWEI }, { 1 }, 1, 3 * GWEI, 0, 0 },
};

static void fee_is_suggested(void **state)
{
    const struct suggestion *s = *state;
    struct fee_market market = { .history = { .next_base_fee = wei(s->base), .count = s->count } };
    struct fee fee = { 0 };
    struct err err = { 0 };

    for (size_t i = 0; i < s->count; i++) {
        market.history.rewards[i] = wei(s->rewards[i]);
        market.history.gas_used_ratio[i] = s->ratios[i];
    }
    assert_int_equal(fee_suggest(&market, wei(s->ceiling), &fee, &err), s->cap != 0);
    assert_int_equal(err.code, s->cap != 0 ? ERR_NONE : ERR_AGAIN);
    assert_u256_is(fee.max_fee.v, u256_from_u64(s->cap));
    assert_u256_is(fee.max_priority_fee.v, u256_from_u64(s->tip));
}

static const struct replacement {
    const char *name;
    uint64_t old_tip, old_cap, fresh_tip, fresh_cap, ceiling, tip, cap;      /* cap 0: ERR_AGAIN */
} replacements[] = {
    { "both fields rise by an eighth",         800, 8000, 0, 0, 100000, 900, 9000 },
    { "an eighth is rounded up",               1, 9, 0, 0, 100000, 2, 11 },
    { "fresh fees win where they are higher",  800, 8000, 5000, 50000, 100000, 5000, 50000 },
    { "each field is judged by itself",        800, 8000, 5000, 8500, 100000, 5000, 9000 },
    { "the ceiling itself may be offered",     800, 8000, 0, 0, 9000, 900, 9000 },
    { "above the ceiling nothing is replaced", 800, 8000, 0, 0, 8999, 0, 0 },
};

static void fee_is_replaced(void **state)
{
    const struct replacement *r = *state;
    struct fee old = { wei(r->old_tip), wei(r->old_cap), false }, fresh = { wei(r->fresh_tip), wei(r->fresh_cap), false }, fee = { 0 };
    struct err err = { 0 };

    assert_int_equal(fee_replace(old, fresh, wei(r->ceiling), &fee, &err), r->cap != 0);
    assert_int_equal(err.code, r->cap != 0 ? ERR_NONE : ERR_AGAIN);
    assert_u256_is(fee.max_priority_fee.v, u256_from_u64(r->tip));
    assert_u256_is(fee.max_fee.v, u256_from_u64(r->cap));
}

static void a_lying_oracle_meets_the_ceiling(void **state)
{
    const struct wei absurd = { { { 0, 0, 0, 1ull << 63 } } };
    struct fee_market base = { .history = { .next_base_fee = absurd } }, price = { .legacy = true, .gas_price = absurd };
    struct fee_market tip = { .history = { .next_base_fee = wei(GWEI), .rewards = { absurd }, .gas_used_ratio = { 1 }, .count = 1 } };
    struct fee fee, old = { wei(GWEI), wei(GWEI), false };
    struct err err = { 0 };

    (void)state;
    assert_false(fee_suggest(&base, wei_from_gwei(500), &fee, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    assert_false(fee_suggest(&price, wei_from_gwei(500), &fee, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    assert_true(fee_suggest(&tip, wei_from_gwei(500), &fee, &err));
    assert_u256_is(fee.max_fee.v, u256_from_u64(102 * GWEI));
    assert_true(fee_is_low(old, &base, (struct fee){ absurd, absurd, false }));      /* no sum runs over */
    assert_false(fee_replace(old, (struct fee){ absurd, absurd, false }, wei_from_gwei(500), &fee, &err));
    assert_int_equal(err.code, ERR_AGAIN);
}

static void a_chain_without_base_fee_is_offered_its_gas_price(void **state)
{
    struct fee_market market = { .legacy = true, .gas_price = wei(5 * GWEI) };
    struct fee fee = { 0 }, raised = { 0 };
    struct err err = { 0 };
    struct tx tx;

    (void)state;
    assert_true(fee_suggest(&market, wei(5 * GWEI), &fee, &err));
    assert_true(fee.legacy && !fee_is_low(fee, &market, fee));
    assert_u256_is(fee.max_fee.v, u256_from_u64(5 * GWEI));
    assert_false(fee_suggest(&market, wei(5 * GWEI - 1), &raised, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    market.gas_price = wei(5 * GWEI + 1);
    assert_true(fee_is_low(fee, &market, fee));
    assert_true(fee_replace(fee, fee, wei(6 * GWEI), &raised, &err));
    assert_u256_is(raised.max_fee.v, u256_from_u64(5 * GWEI / 8 * 9));
    tx_init(&tx);
    fee_put(raised, &tx);
    assert_true(tx.legacy);
    assert_u256_is(tx.max_fee.v, tx.max_priority_fee.v);
}

static void a_replacement_of_what_was_free_costs_something(void **state)
{
    struct fee fee = { 0 }, free_gas = { .legacy = true };
    struct err err = { 0 };

    (void)state;
    assert_true(fee_replace(free_gas, free_gas, wei(9), &fee, &err));
    assert_u256_is(fee.max_fee.v, u256_from_u64(1));
}

static void a_cost_counts_gas_and_data_and_never_runs_over(void **state)
{
    const struct wei absurd = { { { 0, 0, 0, 1ull << 63 } } };

    (void)state;
    assert_u256_is(fee_cost(21000, wei(3), wei(500)).v, u256_from_u64(63500));
    assert_int_equal(u256_bits(fee_cost(2, absurd, wei(0)).v), 256);
    assert_int_equal(u256_bits(fee_cost(1, absurd, absurd).v), 256);
    assert_true(fee_cost(1, absurd, absurd).v.limb[0] == UINT64_MAX);
}

static void a_transaction_costs_at_most_one_eth(void **state)
{
    struct fee fee = { .max_fee = wei_from_gwei(100) }, free_gas = { 0 };

    (void)state;
    assert_int_equal(fee_gas_max(fee), 10000000);
    assert_true(fee_gas_max(free_gas) == UINT64_MAX);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(suggestions) + ARRAY_LEN(replacements) + 5] = {
        cmocka_unit_test(a_lying_oracle_meets_the_ceiling),
        cmocka_unit_test(a_transaction_costs_at_most_one_eth),
        cmocka_unit_test(a_chain_without_base_fee_is_offered_its_gas_price),
        cmocka_unit_test(a_replacement_of_what_was_free_costs_something),
        cmocka_unit_test(a_cost_counts_gas_and_data_and_never_runs_over),
    };
    size_t n = 5;

    for (const struct suggestion *s = suggestions; s < suggestions + ARRAY_LEN(suggestions); s++)
        tests[n++] = (struct CMUnitTest){ s->name, fee_is_suggested, NULL, NULL, (void *)(uintptr_t)s };
    for (const struct replacement *r = replacements; r < replacements + ARRAY_LEN(replacements); r++)
        tests[n++] = (struct CMUnitTest){ r->name, fee_is_replaced, NULL, NULL, (void *)(uintptr_t)r };
    return cmocka_run_group_tests_name("fee", tests, NULL, NULL);
}
