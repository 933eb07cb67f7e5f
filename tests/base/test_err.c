#include "gateway/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void setting_writes_code_and_text(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_false(err_set(&err, ERR_LIMIT, "over %d", 5));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, "over 5");
}

static void a_prefix_keeps_the_code(void **state)
{
    struct err err = { 0 };

    (void)state;
    err_set(&err, ERR_IO, "disk full");
    assert_false(err_prefix(&err, "file %s", "a"));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.text, "file a: disk full");
}

static void a_text_may_be_made_from_itself(void **state)
{
    struct err err = { 0 };

    (void)state;
    err_set(&err, ERR_IO, "disk full");
    err_set(&err, ERR_STORE, "put: %s", err.text);
    assert_string_equal(err.text, "put: disk full");
}

static void long_texts_are_cut(void **state)
{
    struct err err = { 0 };
    char text[600];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(&err, ERR_IO, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    err_prefix(&err, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void exit_codes_are_those_of_sysexits(void **state)
{
    (void)state;
    assert_int_equal(err_exit_code(&(struct err){ .code = ERR_NONE }), 0);
    assert_int_equal(err_exit_code(&(struct err){ .code = ERR_DIFFERS }), 65);
    assert_int_equal(err_exit_code(&(struct err){ .code = ERR_HALT }), 70);
    assert_int_equal(err_exit_code(&(struct err){ .code = ERR_AGAIN }), 75);
    assert_int_equal(err_exit_code(&(struct err){ .code = ERR_CONFIG }), 78);
    assert_int_equal(err_exit_code(&(struct err){ .code = ERR_USAGE }), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_writes_code_and_text),
        cmocka_unit_test(a_prefix_keeps_the_code),
        cmocka_unit_test(a_text_may_be_made_from_itself),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(exit_codes_are_those_of_sysexits),
    };

    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
