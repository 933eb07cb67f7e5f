#include "tests/support/store_fixture.h"

#include "gateway/base/mem.h"
#include "store/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern const char _binary_store_schema_0018_single_pages_sql_start[], _binary_store_schema_0018_single_pages_sql_end[];

static bool put_packed(struct db *db, const struct buf *packed, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE receipt_frames SET packed = ?", &st, err))
        return false;
    stmt_bind_blob(&st, packed->data, packed->len);
    return stmt_exec_one(&st, err);
}

static void migrating_again_changes_nothing(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    int64_t steps = store_number(f->db, "SELECT COUNT(*) FROM migrations");

    store_sql(f->db, "UPDATE meta SET value = 7 WHERE key = 'settings'");
    store_ok(db_migrate(f->db, &err));
    db_close(f->db);
    store_ok(db_open(f->url, DB_WRITE, &f->db, &err));
    store_ok(db_migrate(f->db, &err));
    assert_int_equal(store_number(f->db, "SELECT value FROM meta WHERE key = 'settings'"), 7);
    assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM migrations"), steps);
}

/* Pages as they were while only bundles made some: what they hold is read as before, and others may come beside them. */
static void a_released_store_keeps_its_pages(void **state)
{
    struct store_fixture *f = *state;
    struct bundle_row bundle = { .bundle = { .provider = some_address(1), .root = some_hash(7), .count = 1 } };
    struct page page = { .batch = 1, .count = 1, .received_at_ms = 2, .accepted_at_ms = 3, .price_version = 4, .promise = 5 };
    struct receipt_row row = some_receipt(1), got;
    struct signature signature = some_signature(6);
    struct amount amount = some_amount(5);
    uint8_t fields[RECEIPT_PACKED];
    struct page_content content;
    char *step = mem_text_n(_binary_store_schema_0018_single_pages_sql_start,
                            (size_t)(_binary_store_schema_0018_single_pages_sql_end - _binary_store_schema_0018_single_pages_sql_start));
    struct err err;

    buf_init(&bundle.leaves);
    store_ok(store_bundle_insert(f->db, &bundle, &err));
    store_sql(f->db, "DROP TABLE receipt_frames; DROP TABLE receipt_pages;"
              "CREATE TABLE receipt_pages (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, bundle INTEGER NOT NULL REFERENCES bundles (id),"
              " count INTEGER NOT NULL, received_at INTEGER NOT NULL, accepted_at INTEGER NOT NULL, price_version INTEGER NOT NULL,"
              " promise INTEGER NOT NULL, promise_first INTEGER NOT NULL, indexes BLOB, gone BLOB) STRICT;"
              "CREATE INDEX receipt_pages_batch ON receipt_pages (batch);"
              "CREATE TABLE receipt_frames (page INTEGER NOT NULL REFERENCES receipt_pages (id), frame INTEGER NOT NULL,"
              " packed BLOB NOT NULL, amounts BLOB NOT NULL, PRIMARY KEY (page, frame)) STRICT, WITHOUT ROWID;"
              "INSERT INTO receipt_pages (id, batch, bundle, count, received_at, accepted_at, price_version, promise, promise_first)"
              " VALUES (7, 1, (SELECT MAX(id) FROM bundles), 1, 2, 3, 4, 5, 0);"
              "INSERT INTO receipt_frames (page, frame, packed, amounts) VALUES (7, 0, x'00', x'0105')");
    receipt_pack(&row.signed_.receipt, fields);
    page_content_init(&content, 1);
    page_pack_frame(&content, 0, fields, 1);
    store_ok(put_packed(f->db, &content.frame[0], &err));
    store_sql(f->db, step);
    free(step);
    store_ok(store_page_receipt(f->db, 7, 0, &got, &err));
    assert_true(got.has_bundle && got.bundle == bundle.id && !got.signed_.has_signature);
    assert_true(job_id_eq(got.signed_.receipt.job_id, row.signed_.receipt.job_id));
    store_ok(store_page_insert(f->db, &page, &content, &amount, &signature, &err));
    store_ok(store_page_receipt(f->db, page.id, 0, &got, &err));
    assert_true(!got.has_bundle && got.signed_.has_signature);
    assert_memory_equal(got.signed_.signature.b, signature.b, sizeof signature);
    page_content_clear(&content);
}

static void a_newer_store_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    store_sql(f->db, "INSERT INTO migrations (version, name) VALUES (9999, 'of the future')");
    store_fails(ERR_HALT, db_migrate(f->db, &err));
}

static void a_second_writer_of_a_file_is_refused_and_told_who_holds_it(void **state)
{
    struct store_fixture *f = *state;
    struct db *second = NULL;
    struct err err;
    char pid[24];

    if (db_is_shared(f->db)) {                /* test_turns.c */
        store_ok(db_open(f->url, DB_WRITE, &second, &err));
        db_close(second);
        return;
    }
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    store_fails(ERR_AGAIN, db_open(f->url, DB_WRITE, &second, &err));
    assert_non_null(strstr(err.text, pid));
    assert_null(second);

    db_close(f->db);
    f->db = NULL;
    store_ok(db_open(f->url, DB_WRITE, &f->db, &err));
}

static void a_writer_of_a_file_in_another_process_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct db *second;
    struct err err;
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(db_open(f->url, DB_WRITE, &second, &err) == db_is_shared(f->db) && (db_is_shared(f->db) || err.code == ERR_AGAIN) ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_reader_sees_what_is_committed_and_cannot_write(void **state)
{
    struct store_fixture *f = *state;
    struct db *reader;
    struct err err;

    store_ok(db_open(f->url, DB_READ, &reader, &err));
    store_ok(db_begin(f->db, &err));
    store_sql(f->db, "UPDATE meta SET value = 5 WHERE key = 'settings'");
    assert_int_equal(store_number(reader, "SELECT value FROM meta WHERE key = 'settings'"), 0);
    store_ok(db_commit(f->db, &err));
    assert_int_equal(store_number(reader, "SELECT value FROM meta WHERE key = 'settings'"), 5);
    /* A pooler's session is not ours to be set: there readers are held to reading within transactions. */
    store_ok(db_begin(reader, &err));
    store_fails(store_place_is_sqlite() ? ERR_STORE : ERR_AGAIN,
                db_exec_script(reader, "UPDATE meta SET value = 6 WHERE key = 'settings'", &err));
    db_rollback(reader);
    if (!store_place_is_pooled())
        store_fails(store_place_is_sqlite() ? ERR_STORE : ERR_AGAIN,
                    db_exec_script(reader, "UPDATE meta SET value = 6 WHERE key = 'settings'", &err));
    db_close(reader);
}

static void a_snapshot_stays_as_it_was(void **state)
{
    struct store_fixture *f = *state;
    struct db *reader;
    struct err err;

    store_ok(db_open(f->url, DB_READ, &reader, &err));
    store_ok(db_begin(reader, &err));
    assert_int_equal(store_number(reader, "SELECT value FROM meta WHERE key = 'settings'"), 0);
    store_sql(f->db, "UPDATE meta SET value = 5 WHERE key = 'settings'");
    assert_int_equal(store_number(reader, "SELECT value FROM meta WHERE key = 'settings'"), 0);
    db_rollback(reader);
    assert_int_equal(store_number(reader, "SELECT value FROM meta WHERE key = 'settings'"), 5);
    db_close(reader);
}

static void a_store_of_no_known_kind_is_a_mistake_in_the_configuration(void **state)
{
    struct db *db;
    struct err err;

    (void)state;
    store_fails(ERR_CONFIG, db_open("paper:ledger", DB_READ, &db, &err));
    store_fails(ERR_CONFIG, db_open("sqlite", DB_READ, &db, &err));
}

static void a_reader_of_a_store_that_is_not_there_fails(void **state)
{
    struct store_fixture *f = *state;
    struct db *db;
    struct err err;

    if (!store_place_is_sqlite())
        skip();
    store_fails(ERR_STORE, db_open(f->url, DB_READ, &db, &err));
}

static void a_savepoint_undoes_only_its_own(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    store_ok(db_begin(f->db, &err));
    store_ok(db_savepoint(f->db, &err));
    store_sql(f->db, "UPDATE meta SET value = 3 WHERE key = 'settings'");
    store_ok(db_savepoint_release(f->db, &err));
    store_ok(db_savepoint(f->db, &err));
    store_sql(f->db, "UPDATE meta SET value = 4 WHERE key = 'settings'");
    db_savepoint_rollback(f->db);
    store_ok(db_commit(f->db, &err));
    assert_int_equal(store_number(f->db, "SELECT value FROM meta WHERE key = 'settings'"), 3);
}

static void a_savepoint_outside_a_transaction_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    store_fails(ERR_BUG, db_savepoint(f->db, &err));
}

static void nothing_is_kept_after_the_database_ended_the_transaction_itself(void **state)
{
    struct store_fixture *f = *state;
    struct stmt st;
    struct err err;

    store_ok(db_begin(f->db, &err));
    store_ok(db_savepoint(f->db, &err));
    /* As SQLite does by itself on a full disk. */
    store_ok(db_prepare(f->db, store_place_ruin(), &st, &err));
    store_fails(store_place_is_sqlite() ? ERR_CONFLICT : ERR_AGAIN, stmt_exec(&st, NULL, &err));
    store_fails(ERR_STORE, db_prepare(f->db, "UPDATE meta SET value = 4 WHERE key = 'settings'", &st, &err));
    db_savepoint_rollback(f->db);
    store_fails(ERR_STORE, db_savepoint(f->db, &err));
    store_fails(ERR_STORE, db_commit(f->db, &err));

    store_ok(db_begin(f->db, &err));
    store_sql(f->db, "UPDATE meta SET value = 5 WHERE key = 'settings'");
    store_ok(db_commit(f->db, &err));
    assert_int_equal(store_number(f->db, "SELECT value FROM meta WHERE key = 'settings'"), 5);
}

static void a_backup_is_a_whole_store_and_never_overwrites(void **state)
{
    struct store_fixture *f = *state;
    char path[128], url[160];
    struct db *copy;
    struct err err;

    if (!store_place_is_sqlite())
        skip();
    snprintf(path, sizeof path, "%s/copy.db", f->dir);
    snprintf(url, sizeof url, "sqlite:%s", path);
    store_sql(f->db, "UPDATE meta SET value = 8 WHERE key = 'settings'");
    store_ok(db_backup(f->db, path, &err));
    store_fails(ERR_CONFLICT, db_backup(f->db, path, &err));
    store_ok(db_open(url, DB_READ, &copy, &err));
    assert_int_equal(store_number(copy, "SELECT value FROM meta WHERE key = 'settings'"), 8);
    db_close(copy);
}

static void the_store_is_durable_and_private(void **state)
{
    struct store_fixture *f = *state;
    struct stat info;

    if (!store_place_is_sqlite())
        skip();
    assert_int_equal(store_number(f->db, "PRAGMA synchronous"), 2);
    assert_int_equal(store_number(f->db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(store_number(f->db, "PRAGMA trusted_schema"), 0);
    assert_int_equal(stat(f->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(migrating_again_changes_nothing),
        WITH_DB(a_released_store_keeps_its_pages),
        WITH_DB(a_newer_store_is_refused),
        WITH_DB(a_second_writer_of_a_file_is_refused_and_told_who_holds_it),
        WITH_DB(a_writer_of_a_file_in_another_process_is_refused),
        WITH_DB(a_reader_sees_what_is_committed_and_cannot_write),
        WITH_DB(a_snapshot_stays_as_it_was),
        WITH_DB(a_savepoint_undoes_only_its_own),
        WITH_DB(a_savepoint_outside_a_transaction_is_refused),
        WITH_DB(nothing_is_kept_after_the_database_ended_the_transaction_itself),
        WITH_DB(a_backup_is_a_whole_store_and_never_overwrites),
        WITH_DB(the_store_is_durable_and_private),
        cmocka_unit_test(a_store_of_no_known_kind_is_a_mistake_in_the_configuration),
        cmocka_unit_test_setup_teardown(a_reader_of_a_store_that_is_not_there_fails, store_dir_setup, store_teardown),
    };

    return cmocka_run_group_tests_name("store: db", tests, NULL, NULL);
}
