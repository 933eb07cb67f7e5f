/* What a commit adds to SQLite's log: in few writes, seen by nobody before it is synced, and not kept where one of these fails or the
 * process dies in it. */
#include "store/sqlite_vfs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/store_fixture.h"

#define PAGE 4096
#define PAGES 150                             /* a commit changes, and some: several pieces */
#define PIECES ((PAGES + 20) * (PAGE + 24) / LOG_GATHERED_MAX + 2)

typedef ssize_t pwrite_fn(int fd, const void *bytes, size_t len, off_t at);

/* What the system's pwrite does to the log. */
enum mishap { COUNTS, FULL, DIES, READS };
static struct {
    enum mishap mishap;
    unsigned writes;                          /* so far */
    unsigned fails_at;                        /* the one to which it happens, after half of it */
    struct db *reader;
    int64_t rows_read;                        /* the most */
} disk;

static bool is_log(int fd)
{
    char link[32], path[256];
    ssize_t len;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof path);
    return len > 4 && memcmp(path + len - 4, "-wal", 4) == 0;
}

static int64_t rows(struct db *db)
{
    int64_t count;
    struct err err;

    store_ok(db_begin(db, &err));
    count = store_number(db, "SELECT COUNT(*) FROM filler");
    db_rollback(db);
    return count;
}

static ssize_t faulty_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    if (!is_log(fd))
        return pwrite(fd, bytes, len, at);
    if (++disk.writes == disk.fails_at) {
        ssize_t some = pwrite(fd, bytes, len / 2, at);

        if (disk.mishap == DIES)
            kill(getpid(), SIGKILL);
        return some;
    }
    if (disk.mishap == FULL && disk.writes == disk.fails_at + 1) {
        errno = ENOSPC;                       /* SQLite goes on with the other half */
        return -1;
    }
    if (disk.mishap == READS && rows(disk.reader) > disk.rows_read)
        disk.rows_read = rows(disk.reader);
    return pwrite(fd, bytes, len, at);
}

static void use_faulty_disk(enum mishap mishap, unsigned fails_at)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    const char *name = vfs->xGetSystemCall(vfs, "pwrite64") != NULL ? "pwrite64" : "pwrite";
    pwrite_fn *call = faulty_pwrite;
    sqlite3_syscall_ptr pointer;

    disk.mishap = mishap;
    disk.writes = 0;
    disk.fails_at = fails_at;
    memcpy(&pointer, &call, sizeof pointer);
    assert_int_equal(vfs->xSetSystemCall(vfs, name, pointer), SQLITE_OK);
}

static void use_good_disk(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");

    assert_int_equal(vfs->xSetSystemCall(vfs, NULL, NULL), SQLITE_OK);
}

/* A row that fills so many pages. */
static bool add_row(struct db *db, unsigned pages, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO filler (bytes) VALUES (randomblob(?))", &st, err))
        return false;
    stmt_bind_u64(&st, (uint64_t)pages * PAGE);
    return stmt_exec_one(&st, err);
}

static bool commit_row(struct db *db, unsigned pages, struct err *err)
{
    return db_begin(db, err) && add_row(db, pages, err) && db_commit(db, err);
}

static int setup(void **state)
{
    struct store_fixture *f;
    struct err err;

    if (store_dir_setup(state) != 0)
        return -1;
    f = *state;
    snprintf(f->url, sizeof f->url, "sqlite:%s", f->path);
    store_ok(db_open(f->url, DB_WRITE, &f->db, &err));
    store_sql(f->db, "CREATE TABLE filler (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)");
    return 0;
}

static int teardown(void **state)
{
    use_good_disk();
    return store_teardown(state);
}

static void is_whole(struct store_fixture *f, int64_t expected)
{
    struct db *reader;
    struct err err;

    store_ok(db_open(f->url, DB_READ, &reader, &err));
    assert_int_equal(rows(reader), expected);
    assert_int_equal(store_number(reader, "SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
    db_close(reader);
}

static void a_commit_is_few_writes_and_none_of_them_shows(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    store_ok(db_open(f->url, DB_READ, &disk.reader, &err));
    store_ok(commit_row(f->db, 1, &err));
    use_faulty_disk(READS, 0);
    disk.rows_read = 0;
    store_ok(commit_row(f->db, PAGES, &err));
    assert_in_range(disk.writes, 2, PIECES);
    assert_int_equal(disk.rows_read, 1);
    assert_int_equal(rows(disk.reader), 2);
    db_close(disk.reader);
    is_whole(f, 2);
}

/* As in the simulator, where nothing is synced. */
static void a_commit_that_is_not_synced_is_written_before_it_shows(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    store_sql(f->db, "PRAGMA synchronous = OFF");
    for (int64_t row = 1; row < 10; row++) {
        store_ok(commit_row(f->db, PAGES, &err));
        is_whole(f, row);
    }
}

static void a_commit_that_fails_in_any_of_its_writes_is_not_kept(void **state)
{
    struct store_fixture *f = *state;
    int64_t kept = 0;
    struct err err;

    for (unsigned at = 1; at < PIECES; at++, kept++) {
        use_good_disk();
        store_ok(commit_row(f->db, 1, &err));
        use_faulty_disk(FULL, at);
        if (commit_row(f->db, PAGES, &err)) {
            assert_true(disk.writes < at);    /* so many pieces it has not */
            kept++;
        } else {
            assert_int_equal(err.code, ERR_UNKNOWN);
            assert_int_equal(rows(f->db), kept + 1);
        }
    }
    use_good_disk();
    is_whole(f, kept);
}

/* Pages that the cache has no room for are in the log before, and the transaction reads them there. */
static void more_than_the_cache_holds_is_kept_or_taken_back_whole(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    for (int round = 0; round < 2; round++) {
        store_ok(db_begin(f->db, &err));
        for (int row = 0; row < 24; row++)
            store_ok(add_row(f->db, 256, &err));
        store_sql(f->db, "UPDATE filler SET bytes = zeroblob(256 * 4096) WHERE id % 5 = 0");      /* frames that are in the log already */
        assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM filler WHERE length(bytes) = 256 * 4096"), 24);
        if (round == 0)
            db_rollback(f->db);
        else
            store_ok(db_commit(f->db, &err));
        is_whole(f, round == 0 ? 0 : 24);
    }
    store_ok(commit_row(f->db, PAGES, &err));
    is_whole(f, 25);
}

/* The child says each row that is committed. */
static void commit_and_die(struct store_fixture *f, unsigned at, int said)
{
    struct db *db;
    struct err err;

    if (!db_open(f->url, DB_WRITE, &db, &err))
        _exit(1);
    use_faulty_disk(DIES, at);
    while (commit_row(db, PAGES, &err) && write(said, "x", 1) == 1)
        ;
    _exit(1);
}

static void a_process_that_dies_in_any_of_its_writes_leaves_what_it_said(void **state)
{
    struct store_fixture *f = *state;
    int64_t kept = 0;

    db_close(f->db);
    f->db = NULL;
    for (unsigned at = 1; at < 3 * PIECES; at++) {
        int line[2], status;
        char said;
        pid_t child;

        assert_int_equal(pipe(line), 0);
        child = fork();
        if (child == 0)
            commit_and_die(f, at, line[1]);
        close(line[1]);
        while (read(line[0], &said, 1) == 1)
            kept++;
        close(line[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        is_whole(f, kept);
    }
    assert_true(kept > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_is_few_writes_and_none_of_them_shows, setup, teardown),
        cmocka_unit_test_setup_teardown(a_commit_that_is_not_synced_is_written_before_it_shows, setup, teardown),
        cmocka_unit_test_setup_teardown(a_commit_that_fails_in_any_of_its_writes_is_not_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(more_than_the_cache_holds_is_kept_or_taken_back_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_process_that_dies_in_any_of_its_writes_leaves_what_it_said, setup, teardown),
    };

    return cmocka_run_group_tests_name("store: what a commit adds to the log", tests, NULL, NULL);
}
