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
    struct fee_history history = { .next_base_fee = wei(s->base), .count = s->count };
    struct fee fee = { 0 };
    struct err err = { 0 };

    for (size_t i = 0; i < s->count; i++) {
        history.rewards[i] = wei(s->rewards[i]);
        history.gas_used_ratio[i] = s->ratios[i];
    }
    assert_int_equal(fee_suggest(&history, wei(s->ceiling), &fee, &err), s->cap != 0);
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
    struct fee old = { wei(r->old_tip), wei(r->old_cap) }, fresh = { wei(r->fresh_tip), wei(r->fresh_cap) }, fee = { 0 };
    struct err err = { 0 };

    assert_int_equal(fee_replace(old, fresh, wei(r->ceiling), &fee, &err), r->cap != 0);
    assert_int_equal(err.code, r->cap != 0 ? ERR_NONE : ERR_AGAIN);
    assert_u256_is(fee.max_priority_fee.v, u256_from_u64(r->tip));
    assert_u256_is(fee.max_fee.v, u256_from_u64(r->cap));
}

static void a_lying_oracle_meets_the_ceiling(void **state)
{
    struct fee_history history = { .next_base_fee = { { { 0, 0, 0, 1ull << 63 } } } };
    struct fee fee;
    struct err err = { 0 };

    (void)state;
    assert_false(fee_suggest(&history, wei_from_gwei(500), &fee, &err));
    assert_int_equal(err.code, ERR_AGAIN);
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
    struct CMUnitTest tests[ARRAY_LEN(suggestions) + ARRAY_LEN(replacements) + 2] = {
        cmocka_unit_test(a_lying_oracle_meets_the_ceiling),
        cmocka_unit_test(a_transaction_costs_at_most_one_eth),
    };
    size_t n = 2;

    for (const struct suggestion *s = suggestions; s < suggestions + ARRAY_LEN(suggestions); s++)
        tests[n++] = (struct CMUnitTest){ s->name, fee_is_suggested, NULL, NULL, (void *)(uintptr_t)s };
    for (const struct replacement *r = replacements; r < replacements + ARRAY_LEN(replacements); r++)
        tests[n++] = (struct CMUnitTest){ r->name, fee_is_replaced, NULL, NULL, (void *)(uintptr_t)r };
    return cmocka_run_group_tests_name("fee", tests, NULL, NULL);
}
