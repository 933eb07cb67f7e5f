#include "api/page.h"
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/fixture.h"

static struct request asks(const char *limit, const char *cursor)
{
    struct request req = { .path = "/list" };

    if (limit != NULL)
        request_add_query(&req, "limit", limit);
    if (cursor != NULL)
        request_add_query(&req, "cursor", cursor);
    return req;
}

static const struct bad_case { const char *name, *limit, *cursor; } cases[] = {
    { "limit 0",                    "0",    NULL },
    { "limit over 1000",            "1001", NULL },
    { "limit with a sign",          "+5",   NULL },
    { "an empty limit",             "",     NULL },
    { "limit that is no number",    "ten",  NULL },
    { "limit over 64 bits",         "99999999999999999999999", NULL },
    { "a cursor of another length", NULL,   "00" },
    { "a cursor that is no hex",    NULL,   "zzzzzzzzzzzzzzzz" },
};

static void bad_input_is_400(void **state)
{
    const struct bad_case *c = *state;
    struct request req = asks(c->limit, c->cursor);
    struct reply reply;
    struct page page;

    reply_init(&reply);
    assert_false(page_begin(&req, 8, &page, &reply));
    assert_int_equal(reply.status, 400);
    assert_string_equal(reply.content_type, "application/problem+json");
    reply_clear(&reply);
    free(req.query);
}

/* A list of the numbers 1 to 10, newest first, in pages. */
static json *one_page(const char *limit, const char *cursor)
{
    struct request req = asks(limit, cursor);
    struct err err = { 0 };
    struct reply reply;
    struct page page;
    uint64_t below;
    json *out;

    reply_init(&reply);
    assert_true(page_begin(&req, 8, &page, &reply));
    below = page_after_number(&page);
    for (uint64_t n = below == 0 ? 10 : below - 1; n > 0; n--)
        if (!page_add_numbered(&page, n, json_new_u64(n)))
            break;
    page_reply(&page, &reply);
    assert_int_equal(reply.status, 200);
    assert_true(json_read(reply.body.data, reply.body.len, &out, &err));
    reply_clear(&reply);
    free(req.query);
    return out;
}

static void pages_follow_each_other_without_gap(void **state)
{
    char cursor[64] = "";
    uint64_t want = 10, got;

    (void)state;
    for (int pages = 0; pages < 4; pages++) {
        json *page = one_page("3", cursor[0] != '\0' ? cursor : NULL);
        const json *items = json_member(page, "items");
        const char *next;
        size_t len;

        assert_int_equal(json_count(items), pages < 3 ? 3 : 1);
        for (size_t i = 0; i < json_count(items); i++) {
            assert_true(json_get_u64(json_at(items, i), &got));
            assert_int_equal(got, want--);
        }
        assert_int_equal(json_get_text(json_member(page, "next"), &next, &len), pages < 3);
        if (pages < 3)
            snprintf(cursor, sizeof cursor, "%s", next);
        json_free(page);
    }
    assert_int_equal(want, 0);
}

static void a_list_that_just_fits_has_no_next_page(void **state)
{
    json *page = one_page("10", NULL);

    (void)state;
    assert_int_equal(json_count(json_member(page, "items")), 10);
    assert_int_equal(json_kind_of(json_member(page, "next")), JSON_KIND_NULL);
    json_free(page);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(pages_follow_each_other_without_gap),
        cmocka_unit_test(a_list_that_just_fits_has_no_next_page),
    };
    FIXTURE_TESTS(tests, cases, bad_input_is_400);

    return cmocka_run_group_tests_name("page input", tests, NULL, NULL) + cmocka_run_group_tests_name("page", others, NULL, NULL);
}
