/* All rows of one store into another: here from where the tests' stores lie into a file, and back. */
#include "tests/support/store_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/catalog.h"
#include "store/copy.h"
#include "store/keys.h"
#include "store/meta.h"
#include "store/pages.h"

#define RECEIPTS 4100u                        /* more than two transactions of a copy */

static bool fill(void *self, struct group *group, struct err *err)
{
    struct api_key key = { .id = "k", .role = "admin", .name = "Zoë, \\x'00 ?" };
    static const char *const ids[] = { "Za", "az", "\xc3\xa4", "0", "a" };
    struct price_version price = { .effective_from_ms = 1, .unit = "image", .split_bps = { 10000, 0, 0 } };
    struct bundle_row bundle = { .bundle = { .provider = some_address(1), .root = some_hash(7), .count = 1 } };
    struct receipt_row paged = some_receipt(RECEIPTS + 1);
    uint8_t fields[RECEIPT_PACKED];
    struct receipt_row row;
    struct page page = { .batch = 1, .count = 1 };
    struct page_content content;
    bool ok = true;

    (void)self;
    buf_init(&bundle.leaves);
    page_content_init(&content, 1);
    receipt_pack(&paged.signed_.receipt, fields);
    page_pack_frame(&content, 0, fields, 1);
    for (size_t i = 0; ok && i < sizeof ids / sizeof *ids; i++) {
        snprintf(key.id, sizeof key.id, "%s", ids[i]);
        key.digest = some_hash((unsigned)i);
        ok = store_key_add(group->db, &key, err);
    }
    for (unsigned i = 0; ok && i < RECEIPTS; i++) {
        row = i % 3 == 0 ? some_held_receipt(i) : some_receipt(i);
        ok = store_receipt_insert(group->db, &row, err);
    }
    ok = ok && store_page_insert(group->db, &page, &content, &paged.amount, &paged.signed_.signature, err)
      && store_receipts_insert_paged(group->db, page.id, 0,
                                     &(struct paged_key){ paged.signed_.receipt.job_id, paged.signed_.receipt.provider }, 1, false, err);
    page_content_clear(&content);
    /* No bytes are not NULL. */
    ok = ok && store_price_add(group->db, &price, err) && store_bundle_insert(group->db, &bundle, err);
    row = some_receipt(RECEIPTS);
    row.has_bundle = true;
    row.bundle = bundle.id;
    return ok && store_receipt_insert(group->db, &row, err);
}

static void fill_store(struct store_fixture *f, const char *url)
{
    struct writer *writer;
    struct err err = { 0 };

    store_ok(writer_open(url, &f->clock, &writer, &err));
    store_ok(writer_do(writer, fill, NULL, &err));
    writer_close(writer);
}

static uint64_t number_of(const char *url, const char *literal_sql)
{
    struct db *db;
    struct err err;
    int64_t number;

    store_ok(db_open(url, DB_READ, &db, &err));
    number = store_number(db, literal_sql);
    db_close(db);
    return (uint64_t)number;
}

static void write_to(const char *url, const char *sql)
{
    struct db *db;
    struct err err;

    store_ok(db_open(url, DB_WRITE, &db, &err));
    store_sql(db, sql);
    db_close(db);
}

struct places { char file[STORE_URL], back[STORE_URL]; };

static struct places places_of(const struct store_fixture *f)
{
    struct places p;
    char path[128];

    snprintf(p.file, sizeof p.file, "sqlite:%s/file.db", f->dir);
    snprintf(path, sizeof path, "%s/back.db", f->dir);
    store_place_new(path, p.back);
    return p;
}

static void tell_nobody(void *self, const char *table, uint64_t rows)
{
    (void)self, (void)table, (void)rows;
}

static struct copy_report copy_all(const char *from, const char *to)
{
    struct copy_report report;
    struct err err = { 0 };

    store_ok(store_copy(from, to, tell_nobody, NULL, &report, &err));
    return report;
}

static struct err copy_fails(const char *from, const char *to, enum err_code code)
{
    struct copy_report report;
    struct err err = { 0 };

    store_fails(code, store_copy(from, to, tell_nobody, NULL, &report, &err));
    return err;
}

/* With its signature. */
static void must_have_paged(const char *url)
{
    struct receipt_row want = some_receipt(RECEIPTS + 1), got;
    struct err err = { 0 };
    struct db *db;
    bool found;

    store_ok(db_open(url, DB_READ, &db, &err));
    store_ok(store_receipt_find(db, want.signed_.receipt.job_id, want.signed_.receipt.provider, &got, &found, &err));
    assert_true(found && got.page != 0 && got.signed_.has_signature);
    assert_memory_equal(got.signed_.signature.b, want.signed_.signature.b, sizeof want.signed_.signature);
    db_close(db);
}

static void there_and_back_nothing_is_lost(void **state)
{
    struct store_fixture *f = *state;
    struct places p = places_of(f);
    struct copy_report there, back;

    fill_store(f, f->url);
    there = copy_all(f->url, p.file);
    assert_int_equal(number_of(p.file, "SELECT COUNT(*) FROM receipts"), RECEIPTS + 2);
    assert_true(there.rows > RECEIPTS + 7);
    back = copy_all(p.file, p.back);
    assert_memory_equal(&there.digest, &back.digest, sizeof there.digest);
    assert_int_equal(there.rows, back.rows);
    assert_int_equal(there.tables, back.tables);
    assert_false(back.resumed);
    assert_int_equal(number_of(p.back, "SELECT COUNT(*) FROM bundles WHERE leaves IS NOT NULL"), 1);
    must_have_paged(p.back);
    store_place_gone(p.back);
}

static bool add_price(void *self, struct group *group, struct err *err)
{
    struct price_version price = { .effective_from_ms = 2, .unit = "image", .split_bps = { 10000, 0, 0 } };
    bool ok = store_price_add(group->db, &price, err);

    *(uint64_t *)self = price.version;
    return ok;
}

static void a_copied_store_counts_on(void **state)
{
    struct store_fixture *f = *state;
    struct places p = places_of(f);
    struct writer *writer;
    uint64_t version = 0, group;
    struct err err;

    fill_store(f, f->url);
    copy_all(f->url, p.file);
    group = number_of(p.file, "SELECT value FROM meta WHERE key = 'group'");
    copy_all(p.file, p.back);
    store_ok(writer_open(p.back, &f->clock, &writer, &err));
    store_ok(writer_do(writer, add_price, &version, &err));
    writer_close(writer);
    assert_int_equal(version, 2);
    assert_int_equal(number_of(p.back, "SELECT value FROM meta WHERE key = 'group'"), group + 1);
    store_place_gone(p.back);
}

static void die_after(void *self, const char *table, uint64_t rows)
{
    unsigned *left = self;

    (void)table, (void)rows;
    if (--*left == 0)
        raise(SIGKILL);
}

/* false: it was never killed. */
static bool copy_killed(const char *from, const char *to, unsigned after)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct copy_report report;
        struct err err = { 0 };

        _exit(store_copy(from, to, die_after, &after, &report, &err) ? 0 : 1);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static void a_copy_killed_after_any_transaction_goes_on_and_nothing_opens_it_before(void **state)
{
    struct store_fixture *f = *state;
    struct places p = places_of(f);
    struct writer *writer;
    struct copy_report report, whole;
    unsigned kills = 0;
    struct err err;

    fill_store(f, f->url);
    whole = copy_all(f->url, p.file);
    while (copy_killed(p.file, p.back, 1)) {
        kills++;
        store_fails(ERR_HALT, writer_open(p.back, &f->clock, &writer, &err));
        assert_non_null(strstr(err.text, "has not ended"));
    }
    assert_true(kills >= 6);                  /* receipts alone take three */
    report = copy_all(p.file, p.back);
    assert_memory_equal(&report.digest, &whole.digest, sizeof whole.digest);
    store_ok(writer_open(p.back, &f->clock, &writer, &err));
    writer_close(writer);
    store_place_gone(p.back);
}

static void an_unfinished_copy_is_finished_from_its_own_source_only(void **state)
{
    struct store_fixture *f = *state;
    struct places p = places_of(f);
    struct copy_report report;

    fill_store(f, f->url);
    copy_all(f->url, p.file);
    assert_true(copy_killed(p.file, p.back, 2));
    write_to(p.file, "UPDATE meta SET value = value + 1 WHERE key = 'group'");
    assert_non_null(strstr(copy_fails(p.file, p.back, ERR_CONFLICT).text, "unfinished copy"));
    write_to(p.file, "UPDATE meta SET value = value - 1 WHERE key = 'group'");
    report = copy_all(p.file, p.back);
    assert_true(report.resumed);
    store_place_gone(p.back);
}

static void a_row_that_changed_underway_is_told(void **state)
{
    struct store_fixture *f = *state;
    struct places p = places_of(f);
    struct err err;

    fill_store(f, f->url);
    copy_all(f->url, p.file);
    assert_true(copy_killed(p.file, p.back, 3));
    write_to(p.back, "UPDATE api_keys SET role = 'viewer' WHERE id = 'az'");
    err = copy_fails(p.file, p.back, ERR_DIFFERS);
    assert_non_null(strstr(err.text, "api_keys"));
    store_place_gone(p.back);
}

static void a_target_that_holds_something_else_is_refused_a_whole_copy_is_not(void **state)
{
    struct store_fixture *f = *state;
    struct places p = places_of(f);
    struct copy_report first, again;

    fill_store(f, f->url);
    first = copy_all(f->url, p.file);
    again = copy_all(f->url, p.file);
    assert_memory_equal(&first.digest, &again.digest, sizeof first.digest);
    write_to(p.file, "UPDATE api_keys SET role = 'viewer' WHERE id = 'az'");
    assert_non_null(strstr(copy_fails(f->url, p.file, ERR_CONFLICT).text, "not empty"));
    store_place_gone(p.back);
}

/* Of a PostgreSQL store a copy has the turn, for which others wait (test_turns.c). */
static void nobody_writes_to_either_side_meanwhile(void **state)
{
    struct store_fixture *f = *state;
    struct places p = places_of(f);
    struct db *held;
    struct err err;

    if (!store_place_is_sqlite())
        skip();
    fill_store(f, f->url);
    store_ok(db_open(f->url, DB_WRITE, &held, &err));
    assert_non_null(strstr(copy_fails(f->url, p.file, ERR_AGAIN).text, "source"));
    db_close(held);
    store_ok(db_open(p.file, DB_WRITE, &held, &err));
    assert_non_null(strstr(copy_fails(f->url, p.file, ERR_AGAIN).text, "target"));
    db_close(held);
    store_place_gone(p.back);
}

static void a_source_that_is_no_store_of_this_schema_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct places p = places_of(f);
    struct db *db;
    struct err err;

    store_fails(ERR_STORE, db_open(p.file, DB_READ, &db, &err));
    copy_fails(p.file, p.back, ERR_STORE);    /* and no empty file is left behind */
    store_fails(ERR_STORE, db_open(p.file, DB_READ, &db, &err));
    fill_store(f, f->url);
    write_to(f->url, "DELETE FROM migrations WHERE version > 5");
    assert_non_null(strstr(copy_fails(f->url, p.file, ERR_CONFIG).text, "store migrate"));
    store_place_gone(p.back);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_dir_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(there_and_back_nothing_is_lost),
        TEST(a_copied_store_counts_on),
        TEST(a_copy_killed_after_any_transaction_goes_on_and_nothing_opens_it_before),
        TEST(an_unfinished_copy_is_finished_from_its_own_source_only),
        TEST(a_row_that_changed_underway_is_told),
        TEST(a_target_that_holds_something_else_is_refused_a_whole_copy_is_not),
        TEST(nobody_writes_to_either_side_meanwhile),
        TEST(a_source_that_is_no_store_of_this_schema_is_refused),
    };

    return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
