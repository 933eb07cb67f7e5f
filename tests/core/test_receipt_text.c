/* The quick reader of receipts takes what senders write, only what the full one takes without a fault, and gives the same. */
#include "tests/support/fixture.h"
#include "tests/support/mutate.h"

#include <stdlib.h>

#define MEMBERS_MAX 15

static struct signed_receipt some_receipt(struct rng *rng, unsigned kind)
{
    struct signed_receipt r = { .receipt = rng_receipt(rng, FIXTURE_NOW), .has_signature = (kind & 1) != 0, .has_consumer_signature = (kind & 2) != 0 };

    if (r.has_signature)
        rng_bytes(rng, r.signature.b, sizeof r.signature.b);
    if (r.has_consumer_signature)
        rng_bytes(rng, r.consumer_signature.b, sizeof r.consumer_signature.b);
    return r;
}

static void add_blanks(struct rng *rng, bool blanks, struct buf *text)
{
    for (uint64_t n = blanks ? rng_below(rng, 3) : 0; n > 0; n--)
        buf_add_byte(text, (uint8_t)" \t\r\n"[rng_below(rng, 4)]);
}

/* As some sender may write it: another order, blanks between, what is zero left out. */
static void spell(struct rng *rng, const struct signed_receipt *r, bool shuffled, bool blanks, struct buf *text)
{
    json *object = receipt_to_json(r);
    const char *name[MEMBERS_MAX];
    const json *value[MEMBERS_MAX];
    void *cursor = NULL;
    size_t count = 0;

    while (count < MEMBERS_MAX && (name[count] = json_next_member(object, &cursor, &value[count])) != NULL)
        count++;
    for (size_t i = count; shuffled && i > 1; i--) {
        size_t other = rng_below(rng, i);
        const char *n = name[i - 1];
        const json *v = value[i - 1];

        name[i - 1] = name[other];
        value[i - 1] = value[other];
        name[other] = n;
        value[other] = v;
    }
    buf_init(text);
    for (size_t i = 0; i < count; i++) {
        buf_add_text(text, i == 0 ? "{" : ",");
        add_blanks(rng, blanks, text);
        buf_printf(text, "\"%s\"", name[i]);
        add_blanks(rng, blanks, text);
        buf_add_text(text, ":");
        add_blanks(rng, blanks, text);
        json_write(value[i], text);
        add_blanks(rng, blanks, text);
    }
    buf_add_text(text, "}");
    add_blanks(rng, blanks, text);
    json_free(object);
}

static bool read_quickly(const struct buf *text, enum receipt_form form, struct signed_receipt *r)
{
    struct fast c = { buf_text(text), buf_text(text) + text->len };

    return receipt_from_text(&c, form, r) && c.at == c.end;
}

static bool read_in_full(const struct buf *text, enum receipt_form form, struct signed_receipt *r)
{
    struct faults faults = { 0 };
    struct err err = { 0 };
    bool has_job_id, ok;
    json *object;

    if (!json_read(buf_text(text), text->len, &object, &err))
        return false;
    receipt_from_json(object, form, r, &has_job_id, &faults);
    ok = faults.count == 0 && has_job_id;
    faults_clear(&faults);
    json_free(object);
    return ok;
}

static void every_spelling_of_a_good_receipt_is_read(void **state)
{
    struct rng rng = { 81 };

    (void)state;
    for (unsigned i = 0; i < 800; i++) {
        struct signed_receipt r = some_receipt(&rng, i % 4), read;
        enum receipt_form form = (i & 1) != 0 ? RECEIPT_SINGLE : RECEIPT_BUNDLED;
        struct buf text;

        spell(&rng, &r, (i & 4) != 0, (i & 8) != 0, &text);
        memset(&read, 0xa5, sizeof read);
        assert_true(read_quickly(&text, form, &read));
        assert_memory_equal(&read, &r, sizeof r);
        assert_true(read_quickly(&text, RECEIPT_UNSIGNED, &read));
        assert_false(read_quickly(&text, form == RECEIPT_SINGLE ? RECEIPT_BUNDLED : RECEIPT_SINGLE, &read));
        buf_clear(&text);
    }
}

static void what_is_left_out_is_zero_where_it_may_be(void **state)
{
    static const char needed[] =
        "{\"jobId\":\"01a0ee06-0be1-73e7-a944-7bca3b3e6b5a\",\"provider\":\"0x1111111111111111111111111111111111111111\","
        "\"model\":\"0x2222222222222222222222222222222222222222222222222222222222222222\",\"startedAt\":1,\"finishedAt\":2}";
    struct fast c = { needed, needed + sizeof needed - 1 }, without = { needed, NULL };
    struct signed_receipt r;
    struct buf text;

    (void)state;
    assert_true(receipt_from_text(&c, RECEIPT_BUNDLED, &r));
    assert_int_equal(r.receipt.count[METER_INPUT], 0);
    assert_int_equal(r.receipt.finished_at_ms, 2);
    buf_init(&text);
    buf_add(&text, needed, sizeof needed - sizeof ",\"finishedAt\":2}");
    buf_add_text(&text, "}");
    without = (struct fast){ buf_text(&text), buf_text(&text) + text.len };
    assert_false(receipt_from_text(&without, RECEIPT_BUNDLED, &r));
    buf_clear(&text);
}

static void a_changed_text_is_taken_only_as_the_full_reader_takes_it(void **state)
{
    struct rng rng = { 82 };
    unsigned taken = 0;

    (void)state;
    for (unsigned i = 0; i < 60000; i++) {
        struct signed_receipt r = some_receipt(&rng, i % 4), quick, full;
        enum receipt_form form = (enum receipt_form)(i % 3);
        struct buf text;

        spell(&rng, &r, (i & 4) != 0, (i & 8) != 0, &text);
        for (uint64_t n = 1 + rng_below(&rng, 2); n > 0; n--)
            mutate_json(&rng, &text);
        if (read_quickly(&text, form, &quick)) {
            taken++;
            if (!read_in_full(&text, form, &full))
                fail_msg("only the quick reader takes: %s", buf_text(&text));
            assert_memory_equal(&quick, &full, sizeof full);
        }
        buf_clear(&text);
    }
    assert_true(taken > 1000);                /* a changed digit is still a receipt */
}

/* Whole members twice, moved or renamed: a byte that changes seldom gives these. */
static void a_member_twice_or_of_another_name_is_left_to_the_full_reader(void **state)
{
    struct rng rng = { 83 };
    struct signed_receipt r = some_receipt(&rng, 1), read;
    static const char *const more[] = { ",\"units\":1}", ",\"jobId\":\"01a0ee06-0be1-73e7-a944-7bca3b3e6b5a\"}", ",\"memo\":1}", ",\"\":1}" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        struct buf text;

        spell(&rng, &r, false, false, &text);
        text.len--;
        buf_add_text(&text, more[i]);
        assert_false(read_quickly(&text, RECEIPT_SINGLE, &read));
        buf_clear(&text);
    }
}

static void nothing_is_read_past_the_end(void **state)
{
    struct rng rng = { 84 };
    struct signed_receipt r = some_receipt(&rng, 3), read;
    struct buf text;

    (void)state;
    spell(&rng, &r, true, true, &text);
    while (text.len > 0 && text.data[text.len - 1] != '}')
        text.len--;
    for (size_t len = 0; len < text.len; len++) {
        char *cut = malloc(len > 0 ? len : 1);/* its own memory, so that the sanitizer sees one byte too far */
        struct fast c = { cut, cut + len };

        assert_non_null(cut);
        memcpy(cut, text.data, len);
        assert_false(receipt_from_text(&c, RECEIPT_SINGLE, &read));
        free(cut);
    }
    buf_clear(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_of_a_good_receipt_is_read),
        cmocka_unit_test(what_is_left_out_is_zero_where_it_may_be),
        cmocka_unit_test(a_changed_text_is_taken_only_as_the_full_reader_takes_it),
        cmocka_unit_test(a_member_twice_or_of_another_name_is_left_to_the_full_reader),
        cmocka_unit_test(nothing_is_read_past_the_end),
    };

    return cmocka_run_group_tests_name("receipt text", tests, NULL, NULL);
}
