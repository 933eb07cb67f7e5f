/* What a JSON text becomes in memory, estimated and as the allocator says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "api/unfold.h"
#include "gateway/lib/json.h"
#include "tests/support/rng.h"

#define TEN "0123456789"
#define RECEIPT "{\"jobId\":\"01932b1e-3c5a-7000-8000-000000000001\",\"provider\":\"0x00000000000000000000000000000000000000aa\"," \
                "\"model\":\"0x0000000000000000000000000000000000000000000000000000000000000001\",\"inputTokens\":1,\"cachedTokens\":0," \
                "\"outputTokens\":3,\"units\":0,\"computeMs\":17,\"startedAt\":1700000000000,\"finishedAt\":1700000000001," \
                "\"consumer\":\"0x00000000000000000000000000000000000000bb\",\"nonce\":\"0x1\",\"signature\":\"0x" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "\"}"

static const struct unfold_case { const char *name, *open, *item, *close; size_t times_most; } cases[] = {
    { "receipts",             "[", RECEIPT, "]", 8 },
    { "empty objects",        "[", "{}", "]", 300 },
    { "empty arrays",         "[", "[]", "]", 300 },
    { "arrays of one",        "[", "[0]", "]", 300 },
    { "numbers",              "[", "1", "]", 100 },
    { "empty texts",          "[", "\"\"", "]", 100 },
    { "short texts",          "[", "\"abcdefgh\"", "]", 100 },
    { "marks within a text",  "[", "\"{[,:{[,:\\\"{[,:{[,:{[,:{[,:{[,:{[,:{[,:\"", "]", 8 },
    { "small objects",        "[", "{\"a\":1}", "]", 300 },
    { "nine members",         "[", "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}", "]", 100 },
};

static void the_estimate_is_an_upper_bound(void **state)
{
    const struct unfold_case *c = *state;
    struct mallinfo2 before, after;
    struct err err = { 0 };
    struct buf text;
    json *v;
    size_t estimate, taken;

    buf_init(&text);
    buf_add_text(&text, c->open);
    for (unsigned i = 0; i < 2000; i++)
        buf_printf(&text, "%s%s", i > 0 ? "," : "", c->item);
    buf_add_text(&text, c->close);
    estimate = unfold_bytes(buf_text(&text), text.len);
    before = mallinfo2();
    assert_true(json_read(text.data, text.len, &v, &err));
    after = mallinfo2();
    taken = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    if (taken > estimate || estimate > c->times_most * text.len)
        fail_msg("%zu bytes become %zu, estimated are %zu", text.len, taken, estimate);
    json_free(v);
    buf_clear(&text);
}

/* Byte by byte, as JSON has it: what marks stand for, outside of texts. */
static size_t count_plainly(const char *text, size_t len)
{
    size_t bytes = unfold_bytes("", 0) + len;
    bool in_text = false;

    for (size_t i = 0; i < len; i++)
        if (in_text && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_text = !in_text;
        else if (!in_text)
            bytes += unfold_bytes(&text[i], 1) - unfold_bytes("x", 1);
    return bytes;
}

static void texts_end_where_they_end(void **state)
{
    static const char letters[] = "\"\"\\\\{[,:ax";
    struct rng rng = { 5 };
    char text[40];

    (void)state;
    for (unsigned n = 0; n < 200000; n++) {
        size_t len = rng_below(&rng, sizeof text + 1);

        for (size_t i = 0; i < len; i++)
            text[i] = letters[rng_below(&rng, sizeof letters - 1)];
        assert_int_equal(unfold_bytes(text, len), count_plainly(text, len));
    }
}

/* Each is far from the next quote: not to be looked for from each of them. */
static void escapes_take_no_longer(void **state)
{
    const size_t len = 8 * MIB;
    char *text = malloc(len);

    (void)state;
    memset(text, '\\', len);
    text[0] = '"';
    assert_int_equal(unfold_bytes(text, len), unfold_bytes("", 0) + len);
    text[len - 1] = '"';
    assert_int_equal(unfold_bytes(text, len), unfold_bytes("", 0) + len);
    free(text);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 2];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ cases[i].name, the_estimate_is_an_upper_bound, NULL, NULL,
                                        (void *)(uintptr_t)&cases[i] };
    tests[ARRAY_LEN(cases)] = (struct CMUnitTest)cmocka_unit_test(texts_end_where_they_end);
    tests[ARRAY_LEN(cases) + 1] = (struct CMUnitTest)cmocka_unit_test(escapes_take_no_longer);
    return cmocka_run_group_tests_name("unfold", tests, NULL, NULL);
}
