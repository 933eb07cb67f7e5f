/* Parts of a file of ten bytes, "0123456789". */
#include "api/range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/fixture.h"

static const struct range_case { const char *name, *range, *if_range; bool head; int status; const char *content_range, *body; } cases[] = {
    { "no Range at all",              NULL,              NULL,      false, 200, NULL,          "0123456789" },
    { "a part in the middle",         "bytes=2-4",       NULL,      false, 206, "bytes 2-4/10", "234" },
    { "the first byte",               "bytes=0-0",       NULL,      false, 206, "bytes 0-0/10", "0" },
    { "from a byte on",               "bytes=7-",        NULL,      false, 206, "bytes 7-9/10", "789" },
    { "the last bytes",               "bytes=-2",        NULL,      false, 206, "bytes 8-9/10", "89" },
    { "more than there is",           "bytes=5-99",      NULL,      false, 206, "bytes 5-9/10", "56789" },
    { "more of the end than there is", "bytes=-99",      NULL,      false, 206, "bytes 0-9/10", "0123456789" },
    { "a number beyond 64 bits",      "bytes=1-99999999999999999999999", NULL, false, 206, "bytes 1-9/10", "123456789" },
    { "the end of the file",          "bytes=10-",       NULL,      false, 416, "bytes */10",  NULL },
    { "far beyond the end",           "bytes=99999999999999999999999-", NULL, false, 416, "bytes */10", NULL },
    { "the last no bytes",            "bytes=-0",        NULL,      false, 416, "bytes */10",  NULL },
    { "upside down",                  "bytes=4-2",       NULL,      false, 200, NULL,          "0123456789" },
    { "several parts",                "bytes=0-1,3-4",   NULL,      false, 200, NULL,          "0123456789" },
    { "another unit",                 "lines=0-1",       NULL,      false, 200, NULL,          "0123456789" },
    { "no numbers",                   "bytes=-",         NULL,      false, 200, NULL,          "0123456789" },
    { "of this version",              "bytes=2-4",       "\"etag\"", false, 206, "bytes 2-4/10", "234" },
    { "of another version",           "bytes=2-4",       "\"old\"", false, 200, NULL,          "0123456789" },
    { "since a date",                 "bytes=2-4",       "Sat, 29 Oct 1994 19:43:31 GMT", false, 200, NULL, "0123456789" },
    { "of a HEAD",                    "bytes=2-4",       NULL,      true,  200, NULL,          "0123456789" },
};

static const char *header_of(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (strcmp(reply->header[i].name, name) == 0)
            return reply->header[i].value;
    return NULL;
}

/* As server.c sends it, in steps that do not fit. */
static void read_all(const struct reply *reply, char *text)
{
    uint64_t size = reply_file_size(reply), at = 0;

    while (at < size) {
        ssize_t got = reply_read_file(reply, at, text + at, size - at < 3 ? (size_t)(size - at) : 3);

        assert_true(got > 0);
        at += (uint64_t)got;
    }
    text[at] = '\0';
}

static void answered(const struct range_case *c, const char *before, const char *insert, const char *after)
{
    struct request req = { .head = c->head, .header = { .range = c->range, .if_range = c->if_range } };
    char path[] = "/tmp/quittance-range-XXXXXX", text[32];
    struct reply reply;

    reply_init(&reply);
    reply.file = mkstemp(path);
    assert_true(reply.file >= 0);
    unlink(path);
    assert_int_equal(dprintf(reply.file, "%s%s", before, after), (int)(strlen(before) + strlen(after)));
    reply.file_size = strlen(before) + strlen(after);
    reply.insert = insert;
    reply.insert_at = strlen(before);
    reply.status = 200;
    range_apply(&req, "\"etag\"", &reply);
    assert_int_equal(reply.status, c->status);
    if (c->content_range == NULL)
        assert_null(header_of(&reply, "Content-Range"));
    else
        assert_string_equal(header_of(&reply, "Content-Range"), c->content_range);
    if (c->body != NULL) {
        read_all(&reply, text);
        assert_string_equal(text, c->body);
    }
    reply_clear(&reply);
}

static void a_range_is_answered(void **state)
{
    answered(*state, "0123456789", NULL, "");
}

/* rewards.json has a member put in on the way out: a part is one of what is sent, not of the file. */
static void a_range_over_an_insert_is_too(void **state)
{
    answered(*state, "012", "345", "6789");
}

int main(void)
{
    FIXTURE_TESTS(plain, cases, a_range_is_answered);
    FIXTURE_TESTS(inserted, cases, a_range_over_an_insert_is_too);
    int failed = cmocka_run_group_tests_name("ranges", plain, NULL, NULL);

    return failed + cmocka_run_group_tests_name("ranges over an insert", inserted, NULL, NULL);
}
