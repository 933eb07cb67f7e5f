/* Published files from a URL: the same lines and the same digest as from a folder. */
#include <string.h>

#include "chain/http.h"
#include "gateway/audit/source.h"
#include "gateway/lib/crypt.h"
#include "tests/support/fake_http.h"
#include "tests/support/libraries.h"
#include "tests/support/vectors.h"

struct lines { struct buf text; };

static bool note(void *self, const char *text, size_t len, struct err *err)
{
    struct lines *l = self;

    (void)err;
    return buf_add(&l->text, text, len) && buf_add_text(&l->text, "|");
}

static struct source *open_fake(struct fake_http *fake)
{
    struct source *source;
    struct err err = { 0 };

    assert_true(source_open(fake_http_url(fake), &source, &err));
    return source;
}

static void an_archive_comes_line_by_line_with_its_digest(void **state)
{
    static const char body[] = "{\"a\":1}\n{\"b\":2}\nno newline";
    struct fake_http *fake = fake_http_new(&(struct fake_reply){ .body = body }, 1);
    struct source *source = open_fake(fake);
    struct lines lines = { 0 };
    struct hash digest;
    struct err err = { 0 };

    (void)state;
    buf_init(&lines.text);
    assert_true(source_archive(source, 7, note, &lines, &digest, &err));
    assert_string_equal(buf_text(&lines.text), "{\"a\":1}|{\"b\":2}|no newline|");
    assert_hash_is(digest, sha256(body, strlen(body)));
    buf_clear(&lines.text);
    source_free(source);
    fake_http_free(fake);
}

static void what_is_not_published_is_not_found(void **state)
{
    struct fake_http *fake = fake_http_new(&(struct fake_reply){ .status = 404, .body = "{}" }, 1);
    struct source *source = open_fake(fake);
    struct err err = { 0 };
    json *rewards;

    (void)state;
    assert_false(source_rewards(source, 7, &rewards, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    source_free(source);
    fake_http_free(fake);
}

static void a_service_that_is_away_is_asked_again_later(void **state)
{
    struct fake_http *fake = fake_http_new(&(struct fake_reply){ .manner = FAKE_RESETS }, 1);
    struct source *source = open_fake(fake);
    struct lines lines = { 0 };
    struct hash digest;
    struct err err = { 0 };

    (void)state;
    assert_false(source_archive(source, 7, note, &lines, &digest, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    source_free(source);
    fake_http_free(fake);
}

static void rewards_that_are_no_json_are_a_difference(void **state)
{
    struct fake_http *fake = fake_http_new(&(struct fake_reply){ .body = "{" }, 1);
    struct source *source = open_fake(fake);
    struct err err = { 0 };
    json *rewards;

    (void)state;
    assert_false(source_rewards(source, 7, &rewards, &err));
    assert_int_equal(err.code, ERR_DIFFERS);
    source_free(source);
    fake_http_free(fake);
}

static void a_place_that_is_nothing_is_refused(void **state)
{
    struct source *source;
    struct err err = { 0 };

    (void)state;
    assert_false(source_open("/nowhere/at/all", &source, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_archive_comes_line_by_line_with_its_digest),
        cmocka_unit_test(what_is_not_published_is_not_found),
        cmocka_unit_test(a_service_that_is_away_is_asked_again_later),
        cmocka_unit_test(rewards_that_are_no_json_are_a_difference),
        cmocka_unit_test(a_place_that_is_nothing_is_refused),
    };

    return cmocka_run_group_tests_name("source", tests, http_setup, http_teardown);
}
