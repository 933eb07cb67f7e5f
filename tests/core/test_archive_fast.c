/* The quick reader of receipt lines takes exactly what the full one takes and gives the same, or leaves it alone. */
#include "tests/support/fixture.h"
#include "tests/support/mutate.h"

#include <stdlib.h>

#include "gateway/core/archive_fast.h"
#include "gateway/lib/json.h"

static struct archive_receipt some_line(struct rng *rng, unsigned kind)
{
    struct archive_receipt r = { .receipt.receipt = rng_receipt(rng, FIXTURE_NOW), .salt = rng_hash(rng), .accepted_at_ms = FIXTURE_NOW,
                                 .price_version = 1 + rng_below(rng, 1000) };

    r.amount.base_units = (struct u256){ { rng_next(rng), kind > 1 ? rng_next(rng) : 0, 0, kind > 2 ? rng_next(rng) : 0 } };
    r.has_bundle = (kind & 1) != 0;
    r.receipt.has_signature = !r.has_bundle;
    r.receipt.has_consumer_signature = (kind & 2) != 0;
    if (r.has_bundle) {
        r.bundle_root = rng_hash(rng);
        r.bundle_index = rng_below(rng, 100000);
    } else {
        rng_bytes(rng, r.receipt.signature.b, sizeof r.receipt.signature.b);
    }
    if (r.receipt.has_consumer_signature)
        rng_bytes(rng, r.receipt.consumer_signature.b, sizeof r.receipt.consumer_signature.b);
    return r;
}

static void write_receipt(const struct archive_receipt *r, struct buf *text)
{
    struct archive_line line = { .type = ARCHIVE_RECEIPT };

    line.of.receipt = *r;
    buf_init(text);
    archive_write_line(&line, text);
    text->data[--text->len] = '\0';           /* the newline */
}

static void what_is_written_is_read(void **state)
{
    struct rng rng = { 71 };

    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        struct archive_receipt r = some_line(&rng, i % 4), read;
        struct buf text;

        write_receipt(&r, &text);
        memset(&read, 0xa5, sizeof read);
        assert_true(archive_fast_receipt(buf_text(&text), text.len, &read));
        assert_memory_equal(&read, &r, sizeof r);
        buf_clear(&text);
    }
}

/* With a blank before it the quick reader never takes a line: so archive_read_line is the full reader alone. */
static bool read_in_full(const struct buf *text, struct archive_line *line)
{
    struct buf other;
    struct err err = { 0 };
    bool ok;

    buf_init(&other);
    buf_add_text(&other, " ");
    buf_add(&other, text->data, text->len);
    ok = archive_read_line(buf_text(&other), other.len, line, &err);
    buf_clear(&other);
    return ok;
}

static void a_changed_line_is_taken_only_as_the_full_reader_takes_it(void **state)
{
    struct rng rng = { 72 };
    unsigned taken = 0;

    (void)state;
    for (unsigned i = 0; i < 60000; i++) {
        struct archive_receipt r = some_line(&rng, i % 4), fast;
        struct archive_line line = { 0 };
        struct buf text;

        write_receipt(&r, &text);
        mutate_json(&rng, &text);
        memset(&fast, 0, sizeof fast);
        if (archive_fast_receipt(buf_text(&text), text.len, &fast)) {
            taken++;
            if (!read_in_full(&text, &line))
                fail_msg("only the quick reader takes: %s", buf_text(&text));
            assert_int_equal(line.type, ARCHIVE_RECEIPT);
            assert_memory_equal(&line.of.receipt, &fast, sizeof fast);
        }
        archive_line_clear(&line);
        buf_clear(&text);
    }
    assert_true(taken > 1000);                /* a changed digit is still a line */
}

static void nothing_is_read_past_the_end(void **state)
{
    struct rng rng = { 73 };
    struct archive_receipt r = some_line(&rng, 3), read;
    struct buf text;

    (void)state;
    write_receipt(&r, &text);
    for (size_t len = 0; len < text.len; len++) {
        char *cut = malloc(len > 0 ? len : 1);/* its own memory, so that the sanitizer sees one byte too far */

        assert_non_null(cut);
        memcpy(cut, text.data, len);
        assert_false(archive_fast_receipt(cut, len, &read));
        free(cut);
    }
    buf_clear(&text);
}

/* Read as a tree of values and written again it is the same text: the quick writer spells as the full one does. */
static void it_is_spelled_as_all_other_lines(void **state)
{
    struct rng rng = { 74 };

    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        struct archive_receipt r = some_line(&rng, i % 4);
        struct archive_line line;
        struct buf text, again;
        struct err err = { 0 };
        json *object;

        if (i % 5 == 0)
            r.receipt.receipt.consumer = (struct address){ { 0 } };
        write_receipt(&r, &text);
        buf_init(&again);
        assert_true(json_read((const char *)text.data, text.len, &object, &err));
        json_write(object, &again);
        assert_string_equal(buf_text(&again), buf_text(&text));
        assert_true(read_in_full(&text, &line));
        assert_memory_equal(&line.of.receipt, &r, sizeof r);
        json_free(object);
        buf_clear(&again);
        buf_clear(&text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(it_is_spelled_as_all_other_lines),
        cmocka_unit_test(a_changed_line_is_taken_only_as_the_full_reader_takes_it),
        cmocka_unit_test(nothing_is_read_past_the_end),
    };

    return cmocka_run_group_tests_name("archive, quick reader", tests, NULL, NULL);
}
