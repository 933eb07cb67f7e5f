#include "gateway/lib/box.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct hash key = { { 1, 2, 3 } };
static const struct box_nonce nonce = { { 9 } };

static void what_was_sealed_opens(void **state)
{
    struct buf box, plain;

    (void)state;
    buf_init(&box);
    buf_init(&plain);
    box_seal(&key, &nonce, "usage", 5, &box);
    assert_int_equal(box.len, 5 + BOX_OVERHEAD);
    buf_add_text(&plain, "kept, ");
    assert_true(box_open(&key, &nonce, box.data, box.len, &plain));
    assert_string_equal(buf_text(&plain), "kept, usage");
    buf_clear(&box);
    buf_clear(&plain);
}

/* The test of NaCl itself (tests/secretbox.c): key, nonce, and the first bytes of its box. */
static void it_is_the_secretbox_of_nacl(void **state)
{
    static const struct hash firstkey = { { 0x1b, 0x27, 0x55, 0x64, 0x73, 0xe9, 0x85, 0xd4, 0x62, 0xcd, 0x51, 0x19, 0x7a, 0x9a, 0x46,
        0xc7, 0x60, 0x09, 0x54, 0x9e, 0xac, 0x64, 0x74, 0xf2, 0x06, 0xc4, 0xee, 0x08, 0x44, 0xf6, 0x83, 0x89 } };
    static const struct box_nonce first = { { 0x69, 0x69, 0x6e, 0xe9, 0x55, 0xb6, 0x2b, 0x73, 0xcd, 0x62, 0xbd, 0xa8, 0x75, 0xfc, 0x73,
        0xd6, 0x82, 0x19, 0xe0, 0x03, 0x6b, 0x7a, 0x0b, 0x37 } };
    static const uint8_t plain[] = { 0xbe, 0x07, 0x5f, 0xc5, 0x3c, 0x81, 0xf2, 0xd5 }, cipher[] = { 0x8e, 0x99, 0x3b, 0x9f, 0x48, 0x68,
        0x12, 0x73 };
    struct buf box;

    (void)state;
    buf_init(&box);
    box_seal(&firstkey, &first, plain, sizeof plain, &box);
    assert_memory_equal(box.data + BOX_OVERHEAD, cipher, sizeof cipher);
    buf_clear(&box);
}

static void another_key_nonce_or_byte_opens_nothing(void **state)
{
    struct hash other_key = key;
    struct box_nonce other_nonce = nonce;
    struct buf box, plain;

    (void)state;
    buf_init(&box);
    buf_init(&plain);
    box_seal(&key, &nonce, "usage", 5, &box);
    other_key.b[31] ^= 1;
    other_nonce.b[23] ^= 1;
    assert_false(box_open(&other_key, &nonce, box.data, box.len, &plain));
    assert_false(box_open(&key, &other_nonce, box.data, box.len, &plain));
    assert_false(box_open(&key, &nonce, box.data, BOX_OVERHEAD - 1, &plain));
    for (size_t i = 0; i < box.len; i++) {
        box.data[i] ^= 1;
        assert_false(box_open(&key, &nonce, box.data, box.len, &plain));
        box.data[i] ^= 1;
    }
    assert_int_equal(plain.len, 0);
    buf_clear(&box);
    buf_clear(&plain);
}

static const struct base64_case { const char *name, *plain, *text; } cases[] = {
    { "nothing",               "",       "" },
    { "one byte has two pads", "f",      "Zg==" },
    { "two have one",          "fo",     "Zm8=" },
    { "three have none",       "foo",    "Zm9v" },
    { "six",                   "foobar", "Zm9vYmFy" },
};

static void base64_goes_both_ways(void **state)
{
    const struct base64_case *c = *state;
    struct buf out;

    buf_init(&out);
    base64_add(c->plain, strlen(c->plain), &out);
    assert_string_equal(buf_text(&out), c->text);
    buf_reset(&out);
    assert_true(base64_read(c->text, strlen(c->text), &out));
    assert_string_equal(buf_text(&out), c->plain);
    buf_clear(&out);
}

static void nothing_but_base64_is_read(void **state)
{
    static const char *const bad[] = { "Zg", "Zg=", "Z", "Zm 9v", "Zm9v\n", "Zm9-", "Zh==" };
    struct buf out;

    (void)state;
    buf_init(&out);
    buf_add_text(&out, "x");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (base64_read(bad[i], strlen(bad[i]), &out))
            fail_msg("\"%s\" was read", bad[i]);
    assert_string_equal(buf_text(&out), "x");
    buf_clear(&out);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 4] = {
        cmocka_unit_test(what_was_sealed_opens),
        cmocka_unit_test(it_is_the_secretbox_of_nacl),
        cmocka_unit_test(another_key_nonce_or_byte_opens_nothing),
        cmocka_unit_test(nothing_but_base64_is_read),
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        union { const void *from; void *to; } row = { &cases[i] };

        tests[4 + i] = (struct CMUnitTest){ cases[i].name, base64_goes_both_ways, NULL, NULL, row.to };
    }
    return cmocka_run_group_tests_name("boxes", tests, NULL, NULL);
}
