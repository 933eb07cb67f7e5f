/* What a JSON text becomes in memory, estimated and as the allocator says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <malloc.h>
#include <string.h>

#include "api/unfold.h"
#include "gateway/lib/json.h"

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

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases)];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ cases[i].name, the_estimate_is_an_upper_bound, NULL, NULL,
                                        (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests_name("unfold", tests, NULL, NULL);
}
