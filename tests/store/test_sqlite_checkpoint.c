/* The log of SQLite, copied beside the writer: while somebody writes without a pause, and while somebody reads for long. */
#include "store/sqlite_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/folder.h"
#include "tests/support/store_fixture.h"

#define FRAME 4096
#define WRITTEN 256                           /* frames a commit writes, and some */
#define ROWS 8                                /* of WRITTEN frames each: all that one copy of the log can write */
#define SYNCED_MAX ((ROWS + 1) * WRITTEN)     /* frames of which the writer waits for the disk */
#define COMMITS_MAX 20000                     /* a log that has not begun anew by then never does */

struct log { struct folder folder; char url[STORE_URL]; struct db *writer; uint64_t commits; };

/* A row of the same few each time, so that the log grows and the database does not. */
static void commit_one(struct log *l)
{
    struct stmt st;
    struct err err;

    store_ok(db_begin(l->writer, &err));
    store_ok(db_prepare(l->writer, "INSERT OR REPLACE INTO filler VALUES (?, zeroblob(?), ?)", &st, &err));
    stmt_bind_u64(&st, l->commits % ROWS);
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

/* -- what the writer's own thread has to sync: the default VFS, which counts bytes that were written to the database since its last sync -- */

struct counted { sqlite3_file file; sqlite3_file *inner; bool is_main; };

static sqlite3_vfs counting;
static sqlite3_io_methods methods;
static pthread_mutex_t counting_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t writers_thread;
static uint64_t unsynced, most_synced_by_writer;

static sqlite3_file *inner_of(sqlite3_file *f) { return ((struct counted *)f)->inner; }

static int counted_close(sqlite3_file *f)
{
    sqlite3_file *inner = inner_of(f);
    int code = inner->pMethods->xClose(inner);

    free(inner);
    return code;
}

static int counted_write(sqlite3_file *f, const void *bytes, int len, sqlite3_int64 at)
{
    if (((struct counted *)f)->is_main) {
        pthread_mutex_lock(&counting_lock);
        unsynced += (uint64_t)len;
        pthread_mutex_unlock(&counting_lock);
    }
    return inner_of(f)->pMethods->xWrite(inner_of(f), bytes, len, at);
}

static int counted_sync(sqlite3_file *f, int flags)
{
    if (((struct counted *)f)->is_main) {
        pthread_mutex_lock(&counting_lock);
        if (pthread_equal(pthread_self(), writers_thread) && unsynced > most_synced_by_writer)
            most_synced_by_writer = unsynced;
        unsynced = 0;
        pthread_mutex_unlock(&counting_lock);
    }
    return inner_of(f)->pMethods->xSync(inner_of(f), flags);
}

static int read_(sqlite3_file *f, void *b, int n, sqlite3_int64 at) { return inner_of(f)->pMethods->xRead(inner_of(f), b, n, at); }
static int truncate_(sqlite3_file *f, sqlite3_int64 size) { return inner_of(f)->pMethods->xTruncate(inner_of(f), size); }
static int size_(sqlite3_file *f, sqlite3_int64 *size) { return inner_of(f)->pMethods->xFileSize(inner_of(f), size); }
static int lock_(sqlite3_file *f, int level) { return inner_of(f)->pMethods->xLock(inner_of(f), level); }
static int unlock_(sqlite3_file *f, int level) { return inner_of(f)->pMethods->xUnlock(inner_of(f), level); }
static int reserved_(sqlite3_file *f, int *out) { return inner_of(f)->pMethods->xCheckReservedLock(inner_of(f), out); }
static int control_(sqlite3_file *f, int op, void *arg) { return inner_of(f)->pMethods->xFileControl(inner_of(f), op, arg); }
static int sector_(sqlite3_file *f) { return inner_of(f)->pMethods->xSectorSize(inner_of(f)); }
static int device_(sqlite3_file *f) { return inner_of(f)->pMethods->xDeviceCharacteristics(inner_of(f)); }
static int shm_map_(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return inner_of(f)->pMethods->xShmMap(inner_of(f), page, size, extend, out);
}
static int shm_lock_(sqlite3_file *f, int at, int n, int flags) { return inner_of(f)->pMethods->xShmLock(inner_of(f), at, n, flags); }
static void shm_barrier_(sqlite3_file *f) { inner_of(f)->pMethods->xShmBarrier(inner_of(f)); }
static int shm_unmap_(sqlite3_file *f, int remove_) { return inner_of(f)->pMethods->xShmUnmap(inner_of(f), remove_); }

static int counted_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    sqlite3_vfs *real = vfs->pAppData;
    struct counted *c = (struct counted *)f;
    int code;

    *c = (struct counted){ .inner = calloc(1, (size_t)real->szOsFile), .is_main = (flags & SQLITE_OPEN_MAIN_DB) != 0 };
    code = real->xOpen(real, name, c->inner, flags, out);
    if (code == SQLITE_OK)
        c->file.pMethods = &methods;
    else
        free(c->inner);
    return code;
}

/* Before the first store is opened: a writer's file system lies over what was SQLite's own by then (store/sqlite_vfs.h). */
static int count_syncs(void **state)
{
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);

    (void)state;
    methods = (sqlite3_io_methods){ 2, counted_close, read_, counted_write, truncate_, counted_sync, size_, lock_, unlock_, reserved_, control_,
                                    sector_, device_, shm_map_, shm_lock_, shm_barrier_, shm_unmap_, NULL, NULL };
    counting = *real;
    counting.zName = "counting";
    counting.szOsFile = sizeof(struct counted);
    counting.pAppData = real;
    counting.xOpen = counted_open;
    assert_int_equal(sqlite3_vfs_register(&counting, 1), SQLITE_OK);
    writers_thread = pthread_self();
    return 0;
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

/* Else a commit waits until the disk has all that was copied beside it, for a tenth of a second and more where others write, too. */
static void the_writer_syncs_only_what_it_copied_itself(void **state)
{
    struct log *l = *state;

    pthread_mutex_lock(&counting_lock);
    unsynced = most_synced_by_writer = 0;
    pthread_mutex_unlock(&counting_lock);
    for (int i = 0; i < 2; i++)
        commit_until_it_begins_anew(l);
    assert_true(most_synced_by_writer > 0);
    assert_true(most_synced_by_writer <= (uint64_t)SYNCED_MAX * FRAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_begins_anew_though_nobody_pauses, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_reader_sees_stays_and_the_log_begins_anew_when_it_is_done, setup, teardown),
        cmocka_unit_test_setup_teardown(the_writer_syncs_only_what_it_copied_itself, setup, teardown),
    };

    return cmocka_run_group_tests_name("sqlite_checkpoint", tests, count_syncs, NULL);
}
