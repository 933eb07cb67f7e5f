#include "gateway/base/amount.h"

#include "tests/support/vectors.h"

static void units_are_written_without_trailing_zeros(void **state)
{
    const json *row = *state;
    struct amount back, raw = vector_amount(row, "raw");
    unsigned decimals = (unsigned)vector_u64(row, "decimals");
    const char *fixed = vector_text(row, "fixed");
    char text[160];

    assert_int_equal(amount_to_units(raw, decimals, text), strlen(vector_text(row, "formatted")));
    assert_string_equal(text, vector_text(row, "formatted"));
    assert_true(amount_from_units(text, strlen(text), decimals, &back));
    assert_u256_is(back.base_units, raw.base_units);
    assert_true(amount_from_units(fixed, strlen(fixed), decimals, &back));
    assert_u256_is(back.base_units, raw.base_units);
}

static void units_are_read(void **state)
{
    const json *row = *state;
    const char *input = vector_text(row, "input");
    struct amount a;

    assert_true(amount_from_units(input, strlen(input), (unsigned)vector_u64(row, "decimals"), &a));
    assert_u256_is(a.base_units, vector_u256(row, "raw"));
}

static void units_are_refused(void **state)
{
    const json *row = *state;
    const char *input = vector_text(row, "input");
    struct amount a = amount_from_u64(7);

    assert_false(amount_from_units(input, strlen(input), (unsigned)vector_u64(row, "decimals"), &a));
    assert_u256_is(a.base_units, u256_from_u64(7));
}

static void a_share_is_floored(void **state)
{
    struct amount share;

    (void)state;
    assert_true(amount_share(amount_from_u64(9999), 1, &share));
    assert_true(amount_is_zero(share));
    assert_true(amount_share(amount_from_u64(10001), 7000, &share));
    assert_u256_is(share.base_units, u256_from_u64(7000));
}

static void a_share_of_the_largest_amount_does_not_overflow(void **state)
{
    struct amount share, max = { { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } } };

    (void)state;
    assert_true(amount_share(max, 10000, &share));
    assert_int_equal(amount_cmp(share, max), 0);
    assert_false(amount_share(max, 10001, &share));
}

static void tiny_amounts_fill_the_text_with_zeros(void **state)
{
    char text[160];

    (void)state;
    assert_int_equal(amount_to_units(amount_from_u64(1), 80, text), 82);
    assert_int_equal(strlen(text), 82);
}

int main(void)
{
    static const struct vector_group groups[] = {
        { "units",      units_are_written_without_trailing_zeros },
        { "unitParse",  units_are_read },
        { "unitReject", units_are_refused },
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_is_floored),
        cmocka_unit_test(a_share_of_the_largest_amount_does_not_overflow),
        cmocka_unit_test(tiny_amounts_fill_the_text_with_zeros),
    };

    return vectors_run("uint256", groups, ARRAY_LEN(groups), NULL, NULL)
         + cmocka_run_group_tests_name("amount", tests, NULL, NULL);
}
