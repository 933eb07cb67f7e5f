#include "gateway/core/isqrt.h"

#include "tests/support/fixture.h"

static const struct root_case { const char *name, *of, *root; } roots[] = {
    { "of nothing",                                  "0", "0" },
    { "of one",                                      "1", "1" },
    { "below a square",                              "3", "1" },
    { "of a square",                                 "4", "2" },
    { "above a square",                              "5", "2" },
    { "one below the next",                          "8", "2" },
    { "of 10^18, a token of 18 decimals",            "1000000000000000000", "1000000000" },
    { "one below 2^64",                              "18446744073709551615", "4294967295" },
    { "of 2^64",                                     "18446744073709551616", "4294967296" },
    { "one below 2^128",                             "340282366920938463463374607431768211455", "18446744073709551615" },
    { "of (2^128 - 1)^2, the largest square",        "115792089237316195423570985008687907852589419931798687112530834793049593217025",
                                                     "340282366920938463463374607431768211455" },
    { "one below it",                                "115792089237316195423570985008687907852589419931798687112530834793049593217024",
                                                     "340282366920938463463374607431768211454" },
    { "of 2^256 - 1, the largest number",            "115792089237316195423570985008687907853269984665640564039457584007913129639935",
                                                     "340282366920938463463374607431768211455" },
};

static void the_root_is_the_floor(void **state)
{
    const struct root_case *c = *state;
    struct u256 of, want;

    assert_true(u256_from_decimal(c->of, strlen(c->of), &of) && u256_from_decimal(c->root, strlen(c->root), &want));
    assert_u256_is(u256_isqrt(of), want);
}

/* r^2 <= v < (r+1)^2, of numbers of every length and of those around squares. */
static void assert_floor(struct u256 v)
{
    struct u256 r = u256_isqrt(v), square, next;

    assert_true(u256_mul(r, r, &square));
    assert_true(u256_cmp(square, v) <= 0);
    assert_true(u256_add(r, u256_from_u64(1), &next));
    /* Over 256 bits is above v, too. */
    assert_true(!u256_mul(next, next, &square) || u256_cmp(square, v) > 0);
}

static void roots_of_random_numbers_are_floors(void **state)
{
    struct rng rng = { 31 };

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct u256 v = { { rng_next(&rng), rng_next(&rng), rng_next(&rng), rng_next(&rng) } }, half, square;
        uint64_t bits = rng_below(&rng, 257);

        for (uint64_t i = bits; i < 256; i++)
            v.limb[i / 64] &= ~(UINT64_C(1) << (i % 64));
        assert_floor(v);
        half = (struct u256){ { v.limb[0], v.limb[1], 0, 0 } };
        assert_true(u256_mul(half, half, &square));
        assert_u256_is(u256_isqrt(square), half);
        assert_floor(square);
        if (u256_sub(square, u256_from_u64(1), &square))
            assert_floor(square);
    }
}

int main(void)
{
    FIXTURE_TESTS(table, roots, the_root_is_the_floor);
    const struct CMUnitTest others[] = { cmocka_unit_test(roots_of_random_numbers_are_floors) };

    return cmocka_run_group_tests_name("roots", table, NULL, NULL) + cmocka_run_group_tests_name("isqrt", others, NULL, NULL);
}
