/* The log of SQLite, copied beside the writer: while somebody writes without a pause, and while somebody reads for long. */
#include "store/sqlite_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/folder.h"
#include "tests/support/store_fixture.h"

#define FRAME 4096
#define WRITTEN 256                           /* frames a commit writes, and some */
#define COMMITS_MAX 20000                     /* a log that has not begun anew by then never does */

struct log { struct folder folder; char url[STORE_URL]; struct db *writer; uint64_t commits; };

/* A row of the same few each time, so that the log grows and the database does not. */
static void commit_one(struct log *l)
{
    struct stmt st;
    struct err err;

    store_ok(db_begin(l->writer, &err));
    store_ok(db_prepare(l->writer, "INSERT OR REPLACE INTO filler VALUES (?, zeroblob(?), ?)", &st, &err));
    stmt_bind_u64(&st, l->commits % 8);
    stmt_bind_u64(&st, WRITTEN * FRAME);
    stmt_bind_u64(&st, ++l->commits);
    store_ok(stmt_exec(&st, NULL, &err));
    store_ok(db_commit(l->writer, &err));
}

/* The file of a log does not shrink; one that begins anew is written over. */
static long log_frames(const struct log *l)
{
    return folder_size(&l->folder, "store.db-wal") / FRAME;
}

/* Commits until twice the length at which the thread begins went into the log and it grew no more. */
static void commit_until_it_begins_anew(struct log *l)
{
    long frames = log_frames(l);

    for (unsigned commits = 0, same = 0; same < 2 * CHECKPOINT_AT / WRITTEN; commits++) {
        if (commits == COMMITS_MAX)
            fail_msg("a log of %ld frames was not begun anew", frames);
        commit_one(l);
        same = log_frames(l) == frames ? same + 1 : 0;
        frames = log_frames(l);
    }
}

static int setup(void **state)
{
    struct log *l = calloc(1, sizeof *l);
    char path[FOLDER_PATH];
    struct err err;

    l->folder = folder_new();
    folder_path(&l->folder, "store.db", path);
    snprintf(l->url, sizeof l->url, "sqlite:%.240s", path);
    store_ok(db_open(l->url, DB_WRITE, &l->writer, &err)
       && db_exec_script(l->writer, "CREATE TABLE filler (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL, number INTEGER NOT NULL)", &err));
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct log *l = *state;

    db_close(l->writer);
    folder_free(&l->folder);
    free(l);
    return 0;
}

static uint64_t newest(struct db *db)
{
    struct stmt st;
    struct err err;
    uint64_t number;
    bool any;

    store_ok(db_prepare(db, "SELECT COALESCE(MAX(number), 0) FROM filler", &st, &err) && stmt_step(&st, &any, &err));
    number = stmt_u64(&st);
    stmt_end(&st);
    return number;
}

static void a_log_begins_anew_though_nobody_pauses(void **state)
{
    struct log *l = *state;

    commit_until_it_begins_anew(l);
    assert_int_equal(newest(l->writer), l->commits);
}

static void what_a_reader_sees_stays_and_the_log_begins_anew_when_it_is_done(void **state)
{
    struct log *l = *state;
    struct db *reader;
    uint64_t seen;
    struct err err;

    commit_one(l);
    store_ok(db_open(l->url, DB_READ, &reader, &err) && db_begin(reader, &err));
    seen = newest(reader);
    while (log_frames(l) < 2 * CHECKPOINT_AT)
        commit_one(l);
    assert_int_equal(newest(reader), seen);
    db_rollback(reader);

    commit_until_it_begins_anew(l);
    assert_int_equal(newest(reader), l->commits);
    db_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_begins_anew_though_nobody_pauses, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_reader_sees_stays_and_the_log_begins_anew_when_it_is_done, setup, teardown),
    };

    return cmocka_run_group_tests_name("sqlite_checkpoint", tests, NULL, NULL);
}
