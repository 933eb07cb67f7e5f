#include "gateway/lib/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define TEN(x) x x x x x x x x x x
#define OPEN_30 TEN("[") TEN("[") TEN("[")
#define CLOSE_30 TEN("]") TEN("]") TEN("]")

/* want: how the text is written again; NULL: it is refused. */
static const struct read_case { const char *name, *text, *want; } read_cases[] = {
    { "members keep their order",               "{\"b\":1,\"a\":[true,null]}", "{\"b\":1,\"a\":[true,null]}" },
    { "white space around is fine",             " \t\n[1]\r\n ",              "[1]" },
    { "a bare value is fine",                   "\"x\"",                      "\"x\"" },
    { "UTF-8 stays UTF-8",                      "[\"\xc3\xa9 \\u00e9 \\ud83d\\ude00\"]",
      "[\"\xc3\xa9 \xc3\xa9 \xf0\x9f\x98\x80\"]" },
    { "control characters are escaped",         "[\"\\n\\u001f\\/\"]",        "[\"\\n\\u001F/\"]" },
    { "a duplicate key is refused",             "{\"a\":1,\"a\":1}",          NULL },
    { "a duplicate key in escapes is refused",  "{\"a\":1,\"\\u0061\":1}",    NULL },
    { "a text with a zero byte is read as null", "[\"a\\u0000\"]",            "[null]" },
    { "a member with a zero byte too",          "{\"b\":\"\\u0000\" }",       "{\"b\":null}" },
    { "a cut text with a zero byte is refused", "\"\\u0000",                 NULL },
    { "a zero byte in a key is refused",        "{\"\\u0000\":1}",            NULL },
    { "text after the value is refused",        "{} x",                       NULL },
    { "a second value is refused",              "{}{}",                       NULL },
    { "a trailing comma is refused",            "[1,]",                       NULL },
    { "a comment is refused",                   "[1] // one",                 NULL },
    { "single quotes are refused",              "['a']",                      NULL },
    { "a truncated text is refused",            "{\"a\":1",                   NULL },
    { "a truncated string is refused",          "[\"a\\",                     NULL },
    { "an empty text is refused",               "",                           NULL },
    { "a byte order mark is refused",           "\xef\xbb\xbf{}",             NULL },
    { "invalid UTF-8 is refused",               "[\"\xc3\"]",                 NULL },
    { "overlong UTF-8 is refused",              "[\"\xc0\x80\"]",             NULL },
    { "half a surrogate pair is refused",       "[\"\\ud83d\"]",              NULL },
    { "a raw control character is refused",     "[\"a\nb\"]",                 NULL },
    { "depth 32 is fine",                       OPEN_30 "[[1]]" CLOSE_30,     OPEN_30 "[[1]]" CLOSE_30 },
    { "depth 33 is refused",                    OPEN_30 "[[{}]]" CLOSE_30,    NULL },
    { "brackets in a string are no depth",      "[\"\\\"" OPEN_30 "[[[\"]",   "[\"\\\"" OPEN_30 "[[[\"]" },
    { "2^63 - 1 is a number",                   "[9223372036854775807]",      "[9223372036854775807]" },
    { "-2^63 is a number",                      "[-9223372036854775808]",     "[-9223372036854775808]" },
    { "2^63 is read as null",                   "[9223372036854775808]",      "[null]" },
    { "-2^63 - 1 is read as null",              "[-9223372036854775809]",     "[null]" },
    { "2^64 is read as null",                   "{\"a\":18446744073709551616,\"b\":2}", "{\"a\":null,\"b\":2}" },
    { "10^30 is read as null",                  "[1000000000000000000000000000000]", "[null]" },
    { "1e400 is read as null",                  "[1e400,-1E+400]",            "[null,null]" },
    { "1e309 at the very end is read as null",  "1e309",                      "null" },
    { "1e-400 is zero",                         "[1e-400]",                   "[0.0]" },
    { "-0 is the integer zero",                 "[-0]",                       "[0]" },
    { "a large number in a string stays",       "[\"\\\" 1e400\"]",           "[\"\\\" 1e400\"]" },
    { "a large number as a key is refused",     "{1e400:1}",                  NULL },
    { "a large number in front of a text",      "[1e400\"a\"]",               NULL },
    { "a leading zero is refused",              "[01]",                       NULL },
    { "a large leading zero is refused",        "[0018446744073709551616]",   NULL },
    { "a plus sign is refused",                 "[+1]",                       NULL },
    { "a large number with plus is refused",    "[+18446744073709551616]",    NULL },
    { "hex is refused",                         "[0x10]",                     NULL },
    { "NaN is refused",                         "[NaN]",                      NULL },
    { "Infinity is refused",                    "[-Infinity]",                NULL },
    { "a lone minus is refused",                "[-]",                        NULL },
    { "a point without digits is refused",      "[1.]",                       NULL },
    { "a point without a whole is refused",     "[.5]",                       NULL },
    { "an exponent without digits is refused",  "[1e]",                       NULL },
    { "two exponents are refused",              "[1e400e1]",                  NULL },
};

static void text_is_read(void **state)
{
    const struct read_case *c = *state;
    struct buf out;
    struct err err = { 0 };
    json *v = NULL;

    if (c->want == NULL) {
        assert_false(json_read(c->text, strlen(c->text), &v, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_null(v);
        return;
    }
    assert_true(json_read(c->text, strlen(c->text), &v, &err));
    buf_init(&out);
    json_write(v, &out);
    assert_string_equal(buf_text(&out), c->want);
    buf_clear(&out);
    json_free(v);
}

static void a_zero_byte_after_the_text_is_refused(void **state)
{
    struct err err = { 0 };
    json *v;

    (void)state;
    assert_false(json_read("{}\0", 3, &v, &err));
    assert_false(json_read("[1\0]", 4, &v, &err));
}

static void kinds_are_told_apart(void **state)
{
    static const enum json_kind want[] = { JSON_KIND_NULL, JSON_KIND_BOOL, JSON_KIND_INTEGER, JSON_KIND_REAL,
                                           JSON_KIND_REAL, JSON_KIND_TEXT, JSON_KIND_ARRAY, JSON_KIND_OBJECT };
    static const char text[] = "[null,false,1,1.0,1e3,\"\",[],{}]";
    struct err err = { 0 };
    json *v;

    (void)state;
    assert_true(json_read(text, strlen(text), &v, &err));
    assert_int_equal(json_count(v), ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_int_equal(json_kind_of(json_at(v, i)), want[i]);
    assert_null(json_at(v, ARRAY_LEN(want)));
    assert_null(json_member(v, "a"));
    json_free(v);
}

static void getters_do_not_convert(void **state)
{
    static const char text[] = "{\"real\":1.0,\"text\":\"1\",\"minus\":-1,\"one\":1,\"hex\":\"0x0a\",\"odd\":\"0xa\"}";
    struct err err = { 0 };
    struct buf bytes;
    struct amount a;
    struct u256 q;
    uint64_t u;
    int64_t i;
    json *v;

    (void)state;
    assert_true(json_read(text, strlen(text), &v, &err));
    assert_false(json_get_u64(json_member(v, "real"), &u));
    assert_false(json_get_u64(json_member(v, "text"), &u));
    assert_false(json_get_u64(json_member(v, "minus"), &u));
    assert_false(json_get_u64(json_member(v, "absent"), &u));
    assert_true(json_get_i64(json_member(v, "minus"), &i) && i == -1);
    assert_true(json_get_u64(json_member(v, "one"), &u) && u == 1);
    assert_true(json_get_amount(json_member(v, "text"), &a) && !u256_is_zero(a.base_units));
    assert_false(json_get_amount(json_member(v, "one"), &a));
    assert_true(json_get_quantity(json_member(v, "odd"), &q));
    assert_false(json_get_quantity(json_member(v, "hex"), &q));
    buf_init(&bytes);
    assert_false(json_get_bytes(json_member(v, "odd"), &bytes));
    assert_false(json_get_bytes(json_member(v, "absent"), &bytes));
    assert_int_equal(bytes.len, 0);
    assert_true(json_get_bytes(json_member(v, "hex"), &bytes) && bytes.len == 1 && bytes.data[0] == 10);
    buf_clear(&bytes);
    json_free(v);
}

static void members_are_walked_in_order(void **state)
{
    static const char text[] = "{\"z\":1,\"a\":2,\"m\":3}";
    struct err err = { 0 };
    void *cursor = NULL;
    const json *value;
    const char *key;
    struct buf seen;
    json *v;

    (void)state;
    assert_true(json_read(text, strlen(text), &v, &err));
    buf_init(&seen);
    while ((key = json_next_member(v, &cursor, &value)) != NULL)
        buf_add_text(&seen, key);
    assert_string_equal(buf_text(&seen), "zam");
    buf_clear(&seen);
    json_free(v);
}

static void values_are_written_as_designed(void **state)
{
    json *v = json_new_object(), *list = json_new_array();
    struct buf out;

    (void)state;
    json_put_u64(v, "count", 9223372036854775807u);
    json_put_address(v, "who", (struct address){ { 0xfb, 0x69, 0x16, 0x09, 0x5c, 0xa1, 0xdf, 0x60, 0xbb, 0x79,
                                                   0xce, 0x92, 0xce, 0x3e, 0xa7, 0x4c, 0x37, 0xc5, 0xd3, 0x59 } });
    json_put_amount(v, "total", (struct amount){ u256_from_u64(42) });
    json_add(list, json_new_bool(true));
    json_add(list, json_new_null());
    json_add(list, json_new_text("\xff" "caf\xc3\xa9"));
    json_add(list, json_new_text("caf\xc3\xa9"));
    json_add(list, json_new_hex((const uint8_t *)"\x0a", 1));
    json_put(v, "list", json_share(list));
    json_put(v, "again", list);
    buf_init(&out);
    json_write(v, &out);
    assert_string_equal(buf_text(&out),
                        "{\"count\":9223372036854775807,\"who\":\"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359\","
                        "\"total\":\"42\",\"list\":[true,null,\"?caf??\",\"caf\xc3\xa9\",\"0x0a\"],"
                        "\"again\":[true,null,\"?caf??\",\"caf\xc3\xa9\",\"0x0a\"]}");
    buf_clear(&out);
    json_free(v);
}

static void a_full_buffer_fails_the_writing(void **state)
{
    json *v = json_new_text("longer than ten");
    struct buf out;

    (void)state;
    buf_init_max(&out, 10);
    json_write(v, &out);
    assert_true(out.failed);
    buf_clear(&out);
    json_free(v);
}

static void an_error_names_its_place(void **state)
{
    struct err err = { 0 };
    json *v;

    (void)state;
    assert_false(json_read("{\n \"a\": x}", 10, &v, &err));
    assert_non_null(strstr(err.text, "line 2 column "));
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(a_zero_byte_after_the_text_is_refused),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(getters_do_not_convert),
        cmocka_unit_test(members_are_walked_in_order),
        cmocka_unit_test(values_are_written_as_designed),
        cmocka_unit_test(a_full_buffer_fails_the_writing),
        cmocka_unit_test(an_error_names_its_place),
    };
    struct CMUnitTest tests[ARRAY_LEN(read_cases) + ARRAY_LEN(others)];
    size_t n = 0;

    for (const struct read_case *c = read_cases; c < read_cases + ARRAY_LEN(read_cases); c++)
        tests[n++] = (struct CMUnitTest){ c->name, text_is_read, NULL, NULL, (void *)(uintptr_t)c };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        tests[n++] = others[i];
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
