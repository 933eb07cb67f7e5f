#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/mem.h"
#include "gateway/settle/rewards.h"
#include "gateway/settle/sets.h"

#define LEAVES_MAX 4

/* Accounts are one byte, amounts small; account 0 ends a list. */
struct leaf { uint8_t account; uint64_t amount; };
static const struct rewards_case { const char *name; struct leaf before[LEAVES_MAX], earned[LEAVES_MAX],
                                   after[LEAVES_MAX]; uint64_t total; } cases[] = {
    { "nothing before: what was earned",       { { 0 } },            { { 1, 5 } },           { { 1, 5 } },
      5 },
    { "nothing earned: leaves stay",           { { 1, 5 }, { 3, 1 } }, { { 0 } },            { { 1, 5 }, { 3, 1 } },
      6 },
    { "the same account is added up",          { { 2, 5 } },         { { 2, 7 } },           { { 2, 12 } },
      12 },
    { "a new account comes in order, first",   { { 2, 5 } },         { { 1, 7 } },           { { 1, 7 }, { 2, 5 } },
      12 },
    { "a new account comes in order, between", { { 1, 5 }, { 3, 6 } }, { { 2, 7 } },
      { { 1, 5 }, { 2, 7 }, { 3, 6 } }, 18 },
    { "a new account comes in order, last",    { { 1, 5 } },         { { 1, 1 }, { 9, 7 } }, { { 1, 6 }, { 9, 7 } },
      13 },
};

static struct reward_leaves leaves_of(const struct leaf *list)
{
    struct reward_leaves leaves = { mem_array(LEAVES_MAX, sizeof *leaves.list), 0 };

    for (size_t i = 0; i < LEAVES_MAX && list[i].account != 0; i++)
        leaves.list[leaves.count++] = (struct reward_leaf){ { { list[i].account } }, amount_from_u64(list[i].amount) };
    return leaves;
}

static void rewards_match(void **state)
{
    const struct rewards_case *c = *state;
    struct reward_leaves before = leaves_of(c->before), earned = leaves_of(c->earned), want = leaves_of(c->after), got;
    struct amount total;
    struct err err = { 0 };

    assert_true(rewards_next(&before, &earned, &got, &total, &err));
    assert_int_equal(got.count, want.count);
    for (size_t i = 0; i < got.count; i++) {
        assert_true(address_eq(got.list[i].account, want.list[i].account));
        assert_int_equal(amount_cmp(got.list[i].claimable, want.list[i].claimable), 0);
    }
    assert_int_equal(amount_cmp(total, amount_from_u64(c->total)), 0);
    reward_leaves_clear(&before);
    reward_leaves_clear(&earned);
    reward_leaves_clear(&want);
    reward_leaves_clear(&got);
}

static void a_sum_over_256_bits_is_refused(void **state)
{
    struct reward_leaf most = { { { 1 } }, { { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } } } };
    struct reward_leaf one = { { { 2 } }, amount_from_u64(1) };
    struct reward_leaves before = { &most, 1 }, earned = { &one, 1 }, got;
    struct amount total;
    struct err err = { 0 };

    (void)state;
    assert_false(rewards_next(&before, &earned, &got, &total, &err));
    assert_int_equal(err.code, ERR_OVERFLOW);
}

static void the_root_is_that_of_the_leaves(void **state)
{
    struct reward_leaves leaves = leaves_of((const struct leaf[LEAVES_MAX]){ { 1, 5 }, { 2, 6 }, { 3, 7 } });
    struct address token = { { 9 } };
    struct tree *tree = rewards_tree(&leaves, token);
    struct hash hashes[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        hashes[i] = tree_rewards_leaf(leaves.list[i].account, token, leaves.list[i].claimable);
    assert_true(hash_eq(tree_top(tree), tree_root(hashes, 3)));
    tree_free(tree);
    reward_leaves_clear(&leaves);
}

static const struct fill_case { const char *name; unsigned gas; size_t count, want; } fills[] = {
    { "a set of one",                             SET_GAS_NEW,         1,    1 },
    { "new accounts fill 12M gas with 242",       SET_GAS_NEW,         1000, 242 },
    { "holders fill 12M gas with 369",            SET_GAS_HOLDER,      1000, 369 },
    { "accounts paid before fill 12M with 789",   SET_GAS_PAID_BEFORE, 1000, 789 },
    { "fewer than fit are all taken",             SET_GAS_NEW,         242,  242 },
};

static void set_fills(void **state)
{
    const struct fill_case *c = *state;
    struct due *due = mem_array(c->count, sizeof *due);

    for (size_t i = 0; i < c->count; i++)
        due[i] = (struct due){ .leaf = i, .gas = c->gas };
    assert_int_equal(set_fill(due, c->count, SET_GAS_MAX), c->want);
    free(due);
}

/* Every tenth of 20000: proofs make most of the bytes. */
static void a_call_too_long_is_refused(void **state)
{
    struct reward_leaves leaves = { mem_array(20000, sizeof *leaves.list), 20000 };
    struct due *due = mem_array(2000, sizeof *due);
    struct tree *tree;
    struct buf data;
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < leaves.count; i++) {
        leaves.list[i].account.b[18] = (uint8_t)(i >> 8);
        leaves.list[i].account.b[19] = (uint8_t)i;
        leaves.list[i].claimable = amount_from_u64(i + 1);
    }
    for (size_t i = 0; i < 2000; i++)
        due[i].leaf = i * 10;
    tree = rewards_tree(&leaves, (struct address){ { 9 } });
    buf_init(&data);
    assert_false(set_call(&leaves, tree, due, 2000, &data, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    buf_reset(&data);
    assert_true(set_call(&leaves, tree, due, 200, &data, &err));
    buf_clear(&data);
    tree_free(tree);
    free(due);
    reward_leaves_clear(&leaves);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + ARRAY_LEN(fills) + 3];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[n++] = (struct CMUnitTest){ cases[i].name, rewards_match, NULL, NULL, (void *)(uintptr_t)&cases[i] };
    for (size_t i = 0; i < ARRAY_LEN(fills); i++)
        tests[n++] = (struct CMUnitTest){ fills[i].name, set_fills, NULL, NULL, (void *)(uintptr_t)&fills[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_sum_over_256_bits_is_refused);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_root_is_that_of_the_leaves);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_call_too_long_is_refused);
    return cmocka_run_group_tests_name("rewards", tests, NULL, NULL);
}
