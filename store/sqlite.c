/* The SQLite driver: with sqlite_checkpoint.c and sqlite_vfs.c the only file that includes sqlite3.h.
 *
 * Write-ahead log with a sync at every commit; readers see a snapshot and never wait for the writer.  Who may write is
 * decided by flock on PATH.lock, held until close: the kernel frees it when its holder dies, however it dies. */
#include "store/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "store/sqlite_checkpoint.h"
#include "store/sqlite_vfs.h"

struct sqlite {
    sqlite3 *session;                         /* NULL after a failed reopen */
    struct checkpointer *checkpointer;        /* a writer's */
    char *path;
    enum db_mode mode;
    int lock;                                 /* -1: a reader */
};

#define BUSY_MS 5000
/* Page caches of all sessions together: past it each reuses its own pages (sqlite3_soft_heap_limit64). */
#define CACHES_MAX ((sqlite3_int64)48 * 1024 * 1024)

static bool refused(sqlite3 *session, const char *what, struct err *err)
{
    return err_set(err, ERR_STORE, "%s: %s", what, session != NULL ? sqlite3_errmsg(session) : "no session");
}

/* The holder's process id stands in the file for this message only; what counts is the lock. */
static bool lock_refused(const char *path, int fd, struct err *err)
{
    char holder[24] = "";
    ssize_t n = pread(fd, holder, sizeof holder - 1, 0);

    holder[n > 0 ? n : 0] = '\0';
    return err_set(err, ERR_AGAIN, "%s is being written by process %s", path, n > 0 ? holder : "(unknown)");
}

static bool take_lock(struct sqlite *s, struct err *err)
{
    char file[PATH_MAX], pid[24];
    int len = snprintf(pid, sizeof pid, "%ld", (long)getpid());

    if (snprintf(file, sizeof file, "%s.lock", s->path) >= (int)sizeof file)
        return err_set(err, ERR_CONFIG, "the path of the store is too long");
    s->lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return err_set(err, ERR_IO, "%s: %s", file, strerror(errno));
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? lock_refused(s->path, s->lock, err)
                                    : err_set(err, ERR_IO, "%s: %s", file, strerror(errno));
    if (ftruncate(s->lock, 0) != 0 || pwrite(s->lock, pid, (size_t)len, 0) != len)
        return err_set(err, ERR_IO, "%s: %s", file, strerror(errno));
    return true;
}

/* SQLite would create it readable for all; its log files take over the mode. */
static bool create_private(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    close(fd);
    return true;
}

/* Elsewhere the log may be unavailable and SQLite would quietly keep another journal, in which readers stop writers. */
static bool use_wal(sqlite3 *session, struct err *err)
{
    sqlite3_stmt *st = NULL;
    bool ok;

    if (sqlite3_prepare_v2(session, "PRAGMA journal_mode = WAL", -1, &st, NULL) != SQLITE_OK)
        return refused(session, "journal mode", err);
    ok = sqlite3_step(st) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), "wal") == 0;
    sqlite3_finalize(st);
    return ok || err_set(err, ERR_STORE, "the store's file system allows no write-ahead log: %s", sqlite3_errmsg(session));
}

static void end_session(struct sqlite *s)
{
    checkpointer_free(s->checkpointer);
    s->checkpointer = NULL;
    sqlite3_close_v2(s->session);
    s->session = NULL;
}

static bool start_session(struct sqlite *s, struct err *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | (s->mode == DB_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    /* As large as the largest commit group wants and no larger: where a page was split within the group, COMMIT looks at each page of
     * the cache (pcache1Truncate). */
    static const char every[] = "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
                                "PRAGMA cache_size = -16384;";
    static const char writers[] = "PRAGMA synchronous = FULL;";
    bool ok;

    sqlite3_soft_heap_limit64(CACHES_MAX);
    if (sqlite3_open_v2(s->path, &s->session, flags, s->mode == DB_WRITE ? vfs_of_writers() : NULL) != SQLITE_OK) {
        err_set(err, ERR_STORE, "%s: %s", s->path, s->session != NULL ? sqlite3_errmsg(s->session) : "out of memory");
        ok = false;
    } else {
        sqlite3_extended_result_codes(s->session, 1);
        sqlite3_busy_timeout(s->session, BUSY_MS);
        sqlite3_db_config(s->session, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        ok = (s->mode == DB_READ || use_wal(s->session, err))
          && (sqlite3_exec(s->session, every, NULL, NULL, NULL) == SQLITE_OK || refused(s->session, s->path, err))
          && (s->mode == DB_READ || sqlite3_exec(s->session, writers, NULL, NULL, NULL) == SQLITE_OK
              || refused(s->session, s->path, err));
    }
    if (!ok)
        end_session(s);
    else if (s->mode == DB_WRITE)
        s->checkpointer = checkpointer_new(s->session, s->path);
    return ok;
}

static void session_close(void *connection)
{
    struct sqlite *s = connection;

    end_session(s);
    /* Last, and the file stays: removing it could take away a lock that somebody else has just got. */
    if (s->lock >= 0)
        close(s->lock);
    free(s->path);
    free(s);
}

static bool session_open(const char *rest, enum db_mode mode, void **connection, struct err *err)
{
    struct sqlite *s = mem_new(sizeof *s);

    *s = (struct sqlite){ .path = mem_text(rest), .mode = mode, .lock = -1 };
    if ((mode == DB_WRITE && (!take_lock(s, err) || !create_private(s->path, err))) || !start_session(s, err)) {
        session_close(s);
        return false;
    }
    *connection = s;
    return true;
}

static bool session_reopen(void *connection, struct err *err)
{
    struct sqlite *s = connection;

    end_session(s);
    if (!start_session(s, err))
        return false;
    /* After a failed sync the log may be complete in the kernel's cache and not on disk, and a second sync would find
     * nothing to do.  Copying the log into the database writes those pages anew and syncs them. */
    if (s->mode == DB_WRITE
        && sqlite3_wal_checkpoint_v2(s->session, NULL, SQLITE_CHECKPOINT_FULL, NULL, NULL) != SQLITE_OK) {
        refused(s->session, "checkpoint", err);
        end_session(s);
        return false;
    }
    return true;
}

static bool session_in_transaction(void *connection)
{
    const struct sqlite *s = connection;

    return s->session != NULL && sqlite3_get_autocommit(s->session) == 0;
}

static bool session_script(void *connection, const char *sql, struct err *err)
{
    const struct sqlite *s = connection;

    return (s->session != NULL && sqlite3_exec(s->session, sql, NULL, NULL, NULL) == SQLITE_OK)
        || refused(s->session, s->path, err);
}

static bool session_begin(void *connection, enum db_mode mode, struct err *err)
{
    return session_script(connection, mode == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

static bool session_commit(void *connection, struct err *err)
{
    const struct sqlite *s = connection;

    if (vfs_commit(s->session) == SQLITE_OK)
        return true;
    refused(s->session, "commit", err);
    /* Still open: it was refused before anything was written (a foreign key, a lock). */
    if (session_in_transaction(connection) && sqlite3_exec(s->session, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK)
        return false;
    err->code = ERR_UNKNOWN;
    return false;
}

static bool session_backup(void *connection, const char *path, struct err *err)
{
    const struct sqlite *s = connection;
    sqlite3_backup *copy = NULL;
    sqlite3 *to = NULL;
    char part[PATH_MAX];
    bool ok = false;

    if (access(path, F_OK) == 0)
        return err_set(err, ERR_CONFLICT, "%s exists", path);
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return err_set(err, ERR_INVALID, "the path of the copy is too long");
    (void)unlink(part);
    if (!create_private(part, err))
        return false;
    if (sqlite3_open_v2(part, &to, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
        copy = sqlite3_backup_init(to, "main", s->session, "main");
    /* All in one step: a snapshot, so a writer that goes on does not make it begin again. */
    if (copy != NULL) {
        ok = sqlite3_backup_step(copy, -1) == SQLITE_DONE;
        ok = sqlite3_backup_finish(copy) == SQLITE_OK && ok;
    }
    if (!ok)
        refused(to, part, err);
    sqlite3_close(to);
    if (ok && rename(part, path) != 0)
        ok = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (!ok)
        (void)unlink(part);
    return ok;
}

static bool session_prepare(void *connection, const char *sql, void **handle, struct err *err)
{
    const struct sqlite *s = connection;
    sqlite3_stmt *st;

    if (s->session == NULL || sqlite3_prepare_v3(s->session, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK)
        return refused(s->session, sql, err);
    *handle = st;
    return true;
}

static int session_parameters(void *handle) { return sqlite3_bind_parameter_count(handle); }

static bool session_bind_i64(void *handle, int at, int64_t v) { return sqlite3_bind_int64(handle, at, v) == SQLITE_OK; }

static bool session_bind_text(void *handle, int at, const char *v)
{
    return sqlite3_bind_text(handle, at, v, -1, SQLITE_STATIC) == SQLITE_OK;
}

static bool session_bind_blob(void *handle, int at, const void *bytes, size_t len, bool copy)
{
    /* A NULL pointer would bind NULL instead of no bytes. */
    return sqlite3_bind_blob64(handle, at, bytes != NULL ? bytes : "", len, copy ? SQLITE_TRANSIENT : SQLITE_STATIC) == SQLITE_OK;
}

static bool session_bind_null(void *handle, int at) { return sqlite3_bind_null(handle, at) == SQLITE_OK; }

static bool session_step(void *connection, void *handle, bool *row, struct err *err)
{
    const struct sqlite *s = connection;
    int code = sqlite3_step(handle);

    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        *row = code == SQLITE_ROW;
        return true;
    }
    refused(s->session, "statement", err);
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_ROWID)
        err->code = ERR_CONFLICT;
    return false;
}

static uint64_t session_changed(void *connection)
{
    const struct sqlite *s = connection;

    return (uint64_t)sqlite3_changes64(s->session);
}

static void session_reset(void *handle)
{
    /* What the statement failed with was told by its step. */
    (void)sqlite3_reset(handle);
    (void)sqlite3_clear_bindings(handle);
}

static bool session_is_null(void *handle, int at) { return sqlite3_column_type(handle, at) == SQLITE_NULL; }

static int64_t session_i64(void *handle, int at) { return sqlite3_column_int64(handle, at); }

static const char *session_text(void *handle, int at) { return (const char *)sqlite3_column_text(handle, at); }

static void session_blob(void *handle, int at, const void **bytes, size_t *len)
{
    *bytes = sqlite3_column_blob(handle, at);
    *len = (size_t)sqlite3_column_bytes(handle, at);
}

static void session_finish(void *handle) { (void)sqlite3_finalize(handle); }

static const char columns[] =
    "SELECT t.name, c.name, CASE c.type WHEN 'INTEGER' THEN 1 WHEN 'TEXT' THEN 2 WHEN 'BLOB' THEN 3 ELSE 0 END, c.pk"
    " FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'"
    " ORDER BY t.name, c.cid";
static const char references[] =
    "SELECT t.name, r.\"table\" FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) r WHERE t.type = 'table'";

const struct driver driver_sqlite = {
    .scheme = "sqlite",
    .open = session_open, .close = session_close, .reopen = session_reopen,
    .begin = session_begin, .in_transaction = session_in_transaction, .script = session_script, .commit = session_commit, .backup = session_backup,
    .prepare = session_prepare, .parameters = session_parameters,
    .bind_i64 = session_bind_i64, .bind_text = session_bind_text, .bind_blob = session_bind_blob, .bind_null = session_bind_null,
    .step = session_step, .changed = session_changed, .reset = session_reset,
    .is_null = session_is_null, .i64 = session_i64, .text = session_text, .blob = session_blob, .finish = session_finish,
    .columns = columns, .references = references,
};
