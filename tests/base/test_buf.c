#include "gateway/base/buf.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void contents_end_in_a_zero_byte(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b);
    assert_string_equal(buf_text(&b), "");
    assert_true(buf_add_text(&b, "ab"));
    assert_true(buf_printf(&b, "-%d", 12));
    assert_true(buf_add_byte(&b, 'c'));
    assert_string_equal(buf_text(&b), "ab-12c");
    assert_true(buf_add_zeros(&b, 2));
    assert_int_equal(b.len, 8);
    buf_reset(&b);
    assert_string_equal(buf_text(&b), "");
    buf_clear(&b);
    assert_null(b.data);
}

static void the_cap_may_be_reached(void **state)
{
    struct buf b;

    (void)state;
    buf_init_max(&b, 100);
    for (int i = 0; i < 100; i++)
        assert_true(buf_add_byte(&b, 'x'));
    assert_int_equal(b.len, 100);
    assert_int_equal(strlen(buf_text(&b)), 100);
    buf_clear(&b);
}

static void passing_the_cap_fails_for_good(void **state)
{
    struct buf b;

    (void)state;
    buf_init_max(&b, 10);
    assert_true(buf_add_text(&b, "123456"));
    assert_false(buf_printf(&b, "%s", "78901"));
    assert_true(b.failed);
    assert_false(buf_add_byte(&b, '7'));
    assert_string_equal(buf_text(&b), "123456");
    buf_clear(&b);
    assert_true(buf_add_byte(&b, '7'));
    buf_clear(&b);
}

static void room_is_made_once(void **state)
{
    const uint8_t *at;
    struct buf b;

    (void)state;
    buf_init_max(&b, 1000);
    assert_true(buf_reserve(&b, 900));
    assert_int_equal(b.len, 0);
    at = b.data;
    for (int i = 0; i < 900; i++)
        assert_true(buf_add_byte(&b, 'x'));
    assert_ptr_equal(b.data, at);
    assert_int_equal(strlen(buf_text(&b)), 900);
    assert_false(buf_reserve(&b, 101));
    assert_false(buf_add_byte(&b, 'x'));
    buf_clear(&b);
}

static void a_huge_length_does_not_wrap(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b);
    assert_true(buf_add_byte(&b, '1'));
    assert_null(buf_extend(&b, SIZE_MAX));
    assert_int_equal(b.len, 1);
    buf_clear(&b);
}

static void a_buffer_grows_with_what_is_put_in(void **state)
{
    struct buf b;
    uint8_t block[1000];

    (void)state;
    memset(block, 0xa5, sizeof block);
    buf_init(&b);
    for (int i = 0; i < 1000; i++)
        assert_true(buf_add(&b, block, sizeof block));
    assert_int_equal(b.len, 1000000);
    assert_int_equal(b.data[999999], 0xa5);
    buf_wipe(&b);
    assert_null(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_end_in_a_zero_byte),
        cmocka_unit_test(the_cap_may_be_reached),
        cmocka_unit_test(passing_the_cap_fails_for_good),
        cmocka_unit_test(room_is_made_once),
        cmocka_unit_test(a_huge_length_does_not_wrap),
        cmocka_unit_test(a_buffer_grows_with_what_is_put_in),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
