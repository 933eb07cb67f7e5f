/* Receipts as lines: written as the JSON writer would, and read from a pipe as they come. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/node/line.h"
#include "tests/support/fixture.h"

static void a_line_is_what_the_json_writer_makes(void **state)
{
    struct rng rng = { 5 };
    struct err err = { 0 };

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct signed_receipt r = { .receipt = rng_receipt(&rng, FIXTURE_NOW), .has_signature = i % 2 == 0, .has_consumer_signature = i % 3 == 0 }, back;
        struct buf line, want;
        json *object;

        rng_bytes(&rng, r.signature.b, sizeof r.signature.b);
        rng_bytes(&rng, r.consumer_signature.b, sizeof r.consumer_signature.b);
        r.receipt.count[METER_UNITS] = i == 0 ? 0 : RECEIPT_COUNT_MAX;
        object = receipt_to_json(&r);
        buf_init(&line);
        buf_init(&want);
        line_write(&r, &line);
        json_write(object, &want);
        buf_add_byte(&want, '\n');
        assert_string_equal(buf_text(&line), buf_text(&want));
        assert_true(line_read(buf_text(&line), line.len - 1, &back, &err));
        assert_memory_equal(&back.receipt, &r.receipt, sizeof r.receipt);
        assert_true(back.has_signature == r.has_signature && back.has_consumer_signature == r.has_consumer_signature);
        /* Another spelling of the same takes the other way in. */
        buf_reset(&want);
        json_write_pretty(object, &want);
        memset(&back, 0xff, sizeof back);
        assert_true(line_read(buf_text(&want), want.len, &back, &err));
        assert_memory_equal(&back.receipt, &r.receipt, sizeof r.receipt);
        assert_true(back.has_signature == r.has_signature && back.has_consumer_signature == r.has_consumer_signature);
        json_free(object);
        buf_clear(&line);
        buf_clear(&want);
    }
}

/* Each byte of a good line changed, one after the other: whatever is still read must be what the JSON reader makes of it. */
static void a_changed_line_is_read_as_json_or_not_at_all(void **state)
{
    struct rng rng = { 9 };
    struct signed_receipt r = { .receipt = rng_receipt(&rng, FIXTURE_NOW), .has_signature = true };
    struct buf line;

    (void)state;
    buf_init(&line);
    line_write(&r, &line);
    for (size_t i = 0; i + 1 < line.len; i++) {
        const uint8_t was = line.data[i], changes[] = { '0', '9', ' ', '"', ',', '}', 'x', '.' };

        for (size_t k = 0; k < sizeof changes; k++) {
            struct signed_receipt fast, slow;
            struct faults faults = { 0 };
            struct err err = { 0 };
            bool has_job_id, read;
            json *object;

            line.data[i] = changes[k];
            read = line_read(buf_text(&line), line.len - 1, &fast, &err);
            if (json_read(buf_text(&line), line.len - 1, &object, &err)) {
                receipt_from_json(object, RECEIPT_UNSIGNED, &slow, &has_job_id, &faults);
                assert_int_equal(read, faults.count == 0);
                if (read)
                    assert_memory_equal(&fast.receipt, &slow.receipt, sizeof slow.receipt);
                json_free(object);
                faults_clear(&faults);
            } else {
                assert_false(read);
            }
        }
        line.data[i] = was;
    }
    buf_clear(&line);
}

static void what_is_wrong_is_named(void **state)
{
    struct signed_receipt r;
    struct err err = { 0 };

    (void)state;
    assert_false(line_read("{", 1, &r, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(line_read("{\"jobId\":1}", 11, &r, &err));
    assert_non_null(strstr(err.text, "/jobId: a UUID"));
}

struct pipe { int ends[2]; struct lines *lines; };

static struct pipe pipe_new(void)
{
    struct pipe p;

    assert_int_equal(pipe(p.ends), 0);
    p.lines = lines_new(p.ends[0]);
    return p;
}

static void put(const struct pipe *p, const char *text)
{
    assert_int_equal(write(p->ends[1], text, strlen(text)), strlen(text));
}

static void assert_next(struct pipe *p, const char *want, uint64_t number)
{
    const char *text;
    size_t len;

    assert_int_equal(lines_next(p->lines, 0, &text, &len), LINES_LINE);
    assert_int_equal(len, strlen(want));
    assert_memory_equal(text, want, len);
    assert_int_equal(lines_number(p->lines), number);
}

static void assert_gives(struct pipe *p, enum lines_next want)
{
    const char *text;
    size_t len;

    assert_int_equal(lines_next(p->lines, 0, &text, &len), want);
}

static void pipe_free(struct pipe *p)
{
    lines_free(p->lines);
    close(p->ends[0]);
}

static void lines_come_whole_however_they_are_cut(void **state)
{
    struct pipe p = pipe_new();

    (void)state;
    assert_gives(&p, LINES_NOTHING);
    put(&p, "one\ntw");
    assert_next(&p, "one", 1);
    assert_gives(&p, LINES_NOTHING);
    put(&p, "o\n\n \r\nthree\r\nlast");
    assert_next(&p, "two", 2);
    assert_next(&p, "three\r", 5);
    assert_gives(&p, LINES_NOTHING);
    close(p.ends[1]);
    assert_next(&p, "last", 6);
    assert_gives(&p, LINES_END);
    pipe_free(&p);
}

static void a_line_over_the_limit_is_skipped_and_the_next_is_read(void **state)
{
    static char big[3 * LINE_BYTES_MAX];
    struct pipe p = pipe_new();

    (void)state;
    memset(big, 'x', sizeof big - 1);
    put(&p, big);
    assert_gives(&p, LINES_NOTHING);
    put(&p, big);
    put(&p, "\nnext\n");
    assert_gives(&p, LINES_TOO_LONG);
    assert_next(&p, "next", 2);
    put(&p, big);
    close(p.ends[1]);
    assert_gives(&p, LINES_TOO_LONG);
    assert_gives(&p, LINES_END);
    pipe_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_what_the_json_writer_makes),
        cmocka_unit_test(a_changed_line_is_read_as_json_or_not_at_all),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(lines_come_whole_however_they_are_cut),
        cmocka_unit_test(a_line_over_the_limit_is_skipped_and_the_next_is_read),
    };

    return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
