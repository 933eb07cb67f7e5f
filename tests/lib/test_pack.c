#include "gateway/lib/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/types.h"
#include "gateway/lib/file.h"

/* printf 'hello' | gzip -9n */
static const uint8_t hello_gz[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd,
    0xc9, 0xc9, 0x07, 0x00, 0x86, 0xa6, 0x10, 0x36, 0x05, 0x00, 0x00, 0x00,
};

static void gzip_is_unpacked_behind_what_is_there(void **state)
{
    struct err err = { 0 };
    struct buf out;

    (void)state;
    buf_init(&out);
    buf_add_text(&out, "I say ");
    assert_true(gunzip(hello_gz, sizeof hello_gz, 5, &out, &err));
    assert_string_equal(buf_text(&out), "I say hello");
    buf_clear(&out);
}

static void gzip_over_the_limit_is_refused(void **state)
{
    struct err err = { 0 };
    struct buf out;

    (void)state;
    buf_init(&out);
    assert_false(gunzip(hello_gz, sizeof hello_gz, 4, &out, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

/* Any byte changed in header, data, checksum or length is found. */
static void damaged_gzip_is_refused(void **state)
{
    uint8_t damaged[sizeof hello_gz + 1];
    struct err err = { 0 };
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t len = 0; len < sizeof hello_gz; len++) {
        assert_false(gunzip(hello_gz, len, 100, &out, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    memcpy(damaged, hello_gz, sizeof hello_gz);
    damaged[18] ^= 1;
    assert_false(gunzip(damaged, sizeof hello_gz, 100, &out, &err));
    assert_int_equal(err.code, ERR_INVALID);
    memcpy(damaged, hello_gz, sizeof hello_gz);
    damaged[sizeof hello_gz] = 'x';
    assert_false(gunzip(damaged, sizeof damaged, 100, &out, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

/* A deflate block with fixed codes: a zero byte, then 258 more for each 13 bits (RFC 1951, 3.2.5 and 3.2.6). */
static size_t make_bomb(uint8_t *bytes, size_t room)
{
    static const uint8_t head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
    uint64_t bits = 3 | 0x0c << 3;      /* last block, fixed codes; the code of byte 0 is 00110000, first bit first */
    unsigned held = 11;
    size_t len = sizeof head;

    memcpy(bytes, head, sizeof head);
    while (len + 8 < room) {
        bits |= (uint64_t)0xa3 << held;        /* length 258 is 11000101, distance 1 is 00000 */
        held += 13;
        for (; held >= 8; held -= 8, bits >>= 8)
            bytes[len++] = (uint8_t)bits;
    }
    return len;
}

static void a_gzip_bomb_stops_at_the_limit(void **state)
{
    static uint8_t bomb[1 << 20];                /* 166 million zeros */
    size_t len = make_bomb(bomb, sizeof bomb);
    struct err err = { 0 };
    struct buf out;

    (void)state;
    buf_init(&out);
    assert_false(gunzip(bomb, len, 1 << 20, &out, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_true(out.capacity <= 4 << 20);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

static void zstd_gives_back_what_was_packed(void **state)
{
    static char text[300000];
    struct buf packed, out;
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i * i % 23);
    buf_init(&packed);
    buf_init(&out);
    assert_true(zstd_pack(text, sizeof text, &packed, &err));
    assert_true(packed.len < sizeof text);
    assert_true(zstd_unpack(packed.data, packed.len, sizeof text, &out, &err));
    assert_int_equal(out.len, sizeof text);
    assert_memory_equal(out.data, text, sizeof text);
    buf_reset(&out);
    assert_false(zstd_unpack(packed.data, packed.len, sizeof text - 1, &out, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_false(zstd_unpack(packed.data, packed.len - 1, sizeof text, &out, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(zstd_unpack(packed.data, 0, sizeof text, &out, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(out.len, 0);
    buf_clear(&packed);
    buf_clear(&out);
}

/* A thread unpacks with what it unpacked with before, however that ended. */
static void what_ended_too_early_is_forgotten(void **state)
{
    static const char text[] = "one two three, and what is packed twice is found again: one two three";
    static const char other[] = "not of that";
    struct buf packed, behind, out;
    struct err err = { 0 };

    (void)state;
    buf_init(&packed);
    buf_init(&behind);
    buf_init(&out);
    assert_true(zstd_pack(text, strlen(text), &packed, &err));
    assert_true(zstd_pack(other, strlen(other), &behind, &err));
    for (size_t len = 0; len < packed.len; len++) {
        assert_false(zstd_unpack(packed.data, len, sizeof text, &out, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_true(zstd_unpack(behind.data, behind.len, sizeof other, &out, &err));
        assert_string_equal(buf_text(&out), other);
        buf_reset(&out);
        assert_false(zstd_unpack(packed.data, packed.len, 1, &out, &err));
        assert_int_equal(err.code, ERR_LIMIT);
        assert_true(zstd_unpack(packed.data, packed.len, sizeof text, &out, &err));
        assert_string_equal(buf_text(&out), text);
        buf_reset(&out);
    }
    buf_clear(&packed);
    buf_clear(&behind);
    buf_clear(&out);
}

struct plain { struct buf text; };

static void take(void *self, const uint8_t *bytes, size_t len)
{
    struct plain *p = self;

    buf_add(&p->text, bytes, len);
}

static void frames_unpack_as_one_and_each_alone(void **state)
{
    static const char *const parts[] = { "the first of them", "the second", "and the last" };
    struct zstd_packer *packer = zstd_packer_new(false);
    struct zstd_reader *reader = zstd_reader_new();
    struct buf packed, out;
    struct plain plain;
    struct err err = { 0 };
    size_t second = 0, third = 0;

    (void)state;
    buf_init(&packed);
    buf_init(&out);
    buf_init(&plain.text);
    for (size_t i = 0; i < 3; i++) {
        third = second;
        second = packed.len;
        assert_true(zstd_packer_frame(packer, parts[i], strlen(parts[i]), &packed, &err));
    }
    assert_true(zstd_unpack(packed.data, packed.len, 1000, &out, &err));
    assert_string_equal(buf_text(&out), "the first of themthe secondand the last");
    buf_reset(&out);
    assert_true(zstd_unpack(packed.data + third, second - third, 1000, &out, &err));
    assert_string_equal(buf_text(&out), "the second");
    for (size_t i = 0; i < packed.len; i++)
        assert_true(zstd_reader_add(reader, packed.data + i, 1, take, &plain, &err));
    assert_string_equal(buf_text(&plain.text), "the first of themthe secondand the last");
    packed.data[third + 12] ^= 1;
    assert_false(zstd_unpack(packed.data + third, second - third, 1000, &out, &err));
    buf_clear(&packed);
    buf_clear(&out);
    buf_clear(&plain.text);
    zstd_packer_free(packer);
    zstd_reader_free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_is_unpacked_behind_what_is_there),
        cmocka_unit_test(gzip_over_the_limit_is_refused),
        cmocka_unit_test(damaged_gzip_is_refused),
        cmocka_unit_test(a_gzip_bomb_stops_at_the_limit),
        cmocka_unit_test(zstd_gives_back_what_was_packed),
        cmocka_unit_test(what_ended_too_early_is_forgotten),
        cmocka_unit_test(frames_unpack_as_one_and_each_alone),
    };

    return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
