#include "tests/support/vectors.h"

static void decimal_bytes_and_quantity_agree(void **state)
{
    const json *row = *state;
    struct u256 v = vector_u256(row, "decimal"), back;
    struct hash be = vector_hash(row, "be32"), bytes;
    const char *quantity = vector_text(row, "quantity");
    char text[U256_DECIMAL_MAX];

    assert_u256_is(u256_from_be(be.b), v);
    u256_to_be(v, bytes.b);
    assert_hash_is(bytes, be);
    assert_int_equal(u256_to_decimal(v, text), strlen(vector_text(row, "decimal")));
    assert_string_equal(text, vector_text(row, "decimal"));
    assert_int_equal(u256_to_quantity(v, text), strlen(quantity));
    assert_string_equal(text, quantity);
    assert_true(u256_from_quantity(quantity, strlen(quantity), &back));
    assert_u256_is(back, v);
}

static void is_no_decimal(void **state)
{
    const char *input = vector_text(*state, "input");
    struct u256 v = u256_from_u64(7);

    assert_false(u256_from_decimal(input, strlen(input), &v));
    assert_u256_is(v, u256_from_u64(7));
}

static void is_no_quantity(void **state)
{
    const char *input = vector_text(*state, "input");
    struct u256 v = u256_from_u64(7);

    assert_false(u256_from_quantity(input, strlen(input), &v));
    assert_u256_is(v, u256_from_u64(7));
}

/* One operation against its vector: want is only there when it did not overflow. */
static void check(bool ok, struct u256 got, const json *row, const char *want, bool wanted)
{
    assert_int_equal(ok, wanted);
    if (wanted)
        assert_u256_is(got, vector_u256(row, want));
    else
        assert_u256_is(got, u256_from_u64(7));        /* left alone */
}

static void arithmetic_matches(void **state)
{
    const json *row = *state;
    struct u256 a = vector_u256(row, "a"), b = vector_u256(row, "b"), c = vector_u256(row, "c");
    struct u256 got, rest;
    uint64_t small;
    bool ok;

    got = u256_from_u64(7);
    ok = u256_add(a, b, &got);
    check(ok, got, row, "add", !vector_bool(row, "addOverflow"));
    got = u256_from_u64(7);
    ok = u256_sub(a, b, &got);
    check(ok, got, row, "sub", !vector_bool(row, "subUnderflow"));
    got = u256_from_u64(7);
    ok = u256_mul(a, b, &got);
    check(ok, got, row, "mul", !vector_bool(row, "mulOverflow"));
    got = rest = u256_from_u64(7);
    ok = u256_divmod(a, b, &got, &rest);
    check(ok, got, row, "div", vector_has(row, "div"));
    check(ok, rest, row, "mod", vector_has(row, "mod"));
    got = u256_from_u64(7);
    ok = u256_mul_div(a, b, c, &got);
    check(ok, got, row, "mulDivFloor", vector_has(row, "mulDivFloor"));
    if (u256_to_u64(b, &small) && small != 0) {
        got = u256_div_u64(a, small, &small);
        check(true, got, row, "div", true);
        check(true, u256_from_u64(small), row, "mod", true);
    }
}

/* A fixed sequence (xorshift64*): a failure can be run again. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * 0x2545f4914f6cdd1du;
}

/* Of any length, so that carries and short divisors come up. */
static struct u256 random_u256(uint64_t *seed)
{
    struct u256 v = U256_ZERO;
    unsigned bits = (unsigned)(next_random(seed) % 257);

    for (unsigned i = 0; i < bits; i += 64)
        v.limb[i / 64] = next_random(seed) >> (bits - i < 64 ? 64 - (bits - i) : 0);
    return v;
}

static void division_is_the_inverse_of_multiplication(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct u256 a = random_u256(&seed), b = random_u256(&seed), quotient, rest, back;

        if (u256_is_zero(b))
            continue;
        assert_true(u256_divmod(a, b, &quotient, &rest));
        assert_true(u256_cmp(rest, b) < 0);
        assert_true(u256_mul(quotient, b, &back) && u256_add(back, rest, &back));
        assert_u256_is(back, a);
        assert_true(u256_mul_div(a, b, b, &back));
        assert_u256_is(back, a);
    }
}

static void mul_div_matches_128_bit_arithmetic(void **state)
{
    uint64_t seed = 2;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t a = next_random(&seed), b = next_random(&seed), c = next_random(&seed) >> (seed % 64) | 1;
        unsigned __int128 want = (unsigned __int128)a * b / c;
        struct u256 got;

        assert_true(u256_mul_div(u256_from_u64(a), u256_from_u64(b), u256_from_u64(c), &got));
        assert_u256_is(got, (struct u256){ { (uint64_t)want, (uint64_t)(want >> 64), 0, 0 } });
    }
}

/* The short way of three numbers of a limb against the long one: the same number, with both sides a limb longer. */
static void mul_div_of_short_numbers_is_that_of_long_ones(void **state)
{
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t a = next_random(&seed) >> (seed % 64), b = next_random(&seed) >> (seed % 64), c = next_random(&seed) >> (seed % 64) | 1;
        struct u256 got, want;

        a = i % 7 == 0 ? UINT64_MAX : i % 11 == 0 ? 0 : a;
        b = i % 5 == 0 ? UINT64_MAX : b;
        c = i % 13 == 0 ? UINT64_MAX : c;
        assert_true(u256_mul_div(u256_from_u64(a), u256_from_u64(b), u256_from_u64(c), &got));
        assert_true(u256_mul_div((struct u256){ { 0, a, 0, 0 } }, u256_from_u64(b), (struct u256){ { 0, c, 0, 0 } }, &want));
        assert_u256_is(got, want);
    }
    assert_false(u256_mul_div(u256_from_u64(1), u256_from_u64(1), U256_ZERO, &(struct u256){ 0 }));
}

static void mul_div_takes_a_512_bit_product(void **state)
{
    struct u256 max = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } }, top = { { 0, 0, 0, 1ull << 63 } }, got;

    (void)state;
    assert_true(u256_mul_div(max, max, max, &got));
    assert_u256_is(got, max);
    assert_true(u256_mul_div(max, top, top, &got));
    assert_u256_is(got, max);
    got = u256_from_u64(7);
    assert_false(u256_mul_div(max, u256_from_u64(2), u256_from_u64(1), &got));
    assert_false(u256_mul_div(max, max, top, &got));
    assert_false(u256_mul_div(max, max, U256_ZERO, &got));
    assert_u256_is(got, u256_from_u64(7));
}

static void bits_and_order_are_those_of_the_number(void **state)
{
    (void)state;
    assert_int_equal(u256_bits(U256_ZERO), 0);
    assert_int_equal(u256_bits(u256_from_u64(1)), 1);
    assert_int_equal(u256_bits((struct u256){ { 0, 1, 0, 0 } }), 65);
    assert_int_equal(u256_bits((struct u256){ { 0, 0, 0, 1ull << 63 } }), 256);
    assert_int_equal(u256_cmp((struct u256){ { UINT64_MAX, 0, 0, 0 } }, (struct u256){ { 0, 1, 0, 0 } }), -1);
    assert_int_equal(u256_cmp(u256_from_u64(2), u256_from_u64(2)), 0);
}

static void a_zero_byte_is_no_digit(void **state)
{
    struct u256 v;

    (void)state;
    assert_false(u256_from_decimal("1\0", 2, &v));
    assert_false(u256_from_quantity("0x1\0", 4, &v));
}

int main(void)
{
    static const struct vector_group groups[] = {
        { "accept",         decimal_bytes_and_quantity_agree },
        { "reject",         is_no_decimal },
        { "quantityReject", is_no_quantity },
        { "math",           arithmetic_matches },
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(division_is_the_inverse_of_multiplication),
        cmocka_unit_test(mul_div_matches_128_bit_arithmetic),
        cmocka_unit_test(mul_div_of_short_numbers_is_that_of_long_ones),
        cmocka_unit_test(mul_div_takes_a_512_bit_product),
        cmocka_unit_test(bits_and_order_are_those_of_the_number),
        cmocka_unit_test(a_zero_byte_is_no_digit),
    };

    return vectors_run("uint256", groups, ARRAY_LEN(groups), NULL, NULL)
         + cmocka_run_group_tests_name("u256", tests, NULL, NULL);
}
