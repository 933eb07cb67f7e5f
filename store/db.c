#include "store/driver.h"
#include "store/pages.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

static const struct driver *drivers[] = {
    &driver_sqlite, &driver_postgres,
    NULL,                                     /* db_driver_add */
};

void db_driver_add(const struct driver *driver)
{
    drivers[ARRAY_LEN(drivers) - 1] = driver;
}

/* *rest: the URL behind its scheme. */
static const struct driver *driver_for(const char *url, const char **rest)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers) && drivers[i] != NULL; i++) {
        size_t len = strlen(drivers[i]->scheme);

        if (strncmp(url, drivers[i]->scheme, len) != 0 || url[len] != ':')
            continue;
        *rest = url + len + 1;
        return drivers[i];
    }
    return NULL;
}

bool db_url_is_known(const char *url)
{
    const char *rest;

    return driver_for(url, &rest) != NULL;
}

bool db_open(const char *url, enum db_mode mode, struct db **db, struct err *err)
{
    const char *rest;
    const struct driver *driver = driver_for(url, &rest);
    void *connection;

    if (driver == NULL)
        return err_set(err, ERR_CONFIG, "no such kind of store: %.100s (known: sqlite:PATH, postgresql://...)", url);
    if (!driver->open(rest, mode, &connection, err))
        return false;
    *db = mem_new(sizeof **db);
    **db = (struct db){ .driver = driver, .connection = connection, .mode = mode };
    return true;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    db_slots_finish(db, true);
    page_cache_free(db);
    db_forget_archives(db);
    db->driver->close(db->connection);
    mem_wipe(db, sizeof *db);
    free(db);
}

static bool reopen(struct db *db, struct err *err)
{
    db_slots_finish(db, false);
    db->began = db->doomed = false;
    db->broken = !db->driver->reopen(db->connection, err);
    return !db->broken;
}

static bool begin(struct db *db, enum db_mode mode, struct err *err)
{
    if (db->began)
        return err_set(err, ERR_BUG, "a transaction within a transaction");
    if (db->broken && !reopen(db, err))
        return false;
    if (!db->driver->begin(db->connection, mode, err))
        return false;
    page_cache_forget(db);
    db->newest_known = db->newest_known && db->mode == DB_WRITE && !db_others_wrote(db);
    db->began = true;
    db->doomed = false;
    return true;
}

bool db_begin(struct db *db, struct err *err)
{
    return begin(db, db->mode, err);
}

bool db_begin_beside(struct db *db, struct db_place *place, struct err *err)
{
    if (!begin(db, DB_BESIDE, err))
        return false;
    *place = db_place(db);
    return true;
}

struct db_place db_place(const struct db *db)
{
    return db->driver->place != NULL ? db->driver->place(db->connection) : (struct db_place){ 0 };
}

bool db_is_beside(const struct db *db)
{
    return db->began && db_place(db).writers != 0;
}

bool db_commit(struct db *db, struct err *err)
{
    struct err why;
    bool lost = db->doomed;

    if (!db->began)
        return err_set(err, ERR_BUG, "a commit without a transaction");
    if (lost) {
        db_rollback(db);
        return err_set(err, ERR_STORE, "the database rolled the transaction back");
    }
    db->began = false;
    if (db->driver->commit(db->connection, err))
        return true;
    db->newest_known = false;
    /* The old session may hold what it believes, not what is on disk: only a new one can be asked.  If even that
     * fails, `broken` makes every look-up fail until a reopen works. */
    if (err->code == ERR_UNKNOWN)
        (void)!reopen(db, &why);
    return false;
}

void db_rollback(struct db *db)
{
    struct err ignored;

    if (!db->began)
        return;
    db->newest_known = false;
    /* A transaction that the database ended by itself has nothing to roll back. */
    if (db->driver->in_transaction(db->connection) && !db->driver->script(db->connection, "ROLLBACK", &ignored))
        (void)!reopen(db, &ignored);
    db->began = db->doomed = false;
}

/* Savepoints are taken once a task, so they are prepared like any statement. */
bool db_savepoint(struct db *db, struct err *err)
{
    struct stmt st;

    /* Outside a transaction a savepoint would be one by itself, and its release a commit. */
    if (!db->began)
        return err_set(err, ERR_BUG, "a savepoint without a transaction");
    if (db->driver->mark != NULL && !db->doomed) {
        db->driver->mark(db->connection);
        return true;
    }
    return db_prepare(db, "SAVEPOINT task", &st, err) && stmt_exec_later(&st, STMT_ANY_ROWS, err);
}

static bool release(struct db *db, struct err *err)
{
    struct stmt st;

    return db_flush(db, err) && db_prepare(db, "RELEASE SAVEPOINT task", &st, err) && stmt_exec_later(&st, STMT_ANY_ROWS, err);
}

bool db_savepoint_release(struct db *db, struct err *err)
{
    return (db->driver->unmark != NULL && !db->doomed && db->driver->unmark(db->connection, false)) || release(db, err);
}

void db_savepoint_rollback(struct db *db)
{
    struct err ignored;
    struct stmt st;

    page_cache_forget(db);
    db->newest_known = false;
    if (db->driver->unmark != NULL && !db->doomed && db->driver->unmark(db->connection, true))
        return;
    (void)!db_flush(db, &ignored);            /* behind one that failed the server would not even go back */
    if (!db_prepare(db, "ROLLBACK TO SAVEPOINT task", &st, &ignored) || !stmt_exec(&st, NULL, &ignored)
        || !release(db, &ignored))
        db->doomed = true;     /* what the task wrote may still be there: nothing of the group may be kept */
}

bool db_flush(struct db *db, struct err *err)
{
    if (db->doomed || db->driver->flush == NULL || db->driver->flush(db->connection, err))
        return !db->doomed || err_set(err, ERR_STORE, "the transaction was lost");
    db->doomed = db->began && !db->driver->in_transaction(db->connection);
    return false;
}

bool db_is_lost(struct db *db)
{
    struct err ignored;

    (void)!db_flush(db, &ignored);            /* a statement that failed is its task's matter */
    return db->doomed;
}

bool db_exec_script(struct db *db, const char *sql, struct err *err)
{
    if (db->broken || db->doomed)
        return err_set(err, ERR_STORE, "the transaction was lost");
    if (db->driver->script(db->connection, sql, err))
        return true;
    db->doomed = db->began && !db->driver->in_transaction(db->connection);
    return false;
}

bool db_tell_others(struct db *db, struct err *err)
{
    if (db->broken || db->doomed)
        return err_set(err, ERR_STORE, "the transaction was lost");
    return db->driver->tell_others == NULL || db->driver->tell_others(db->connection, err);
}

void db_wait(struct db *db, int until_fd, unsigned ms)
{
    if (db->driver->wait != NULL)
        db->driver->wait(db->connection, until_fd, ms);
    else
        (void)!poll(&(struct pollfd){ .fd = until_fd, .events = POLLIN }, 1, (int)ms);
}

struct db_counts db_counts(void)
{
    struct db_counts all = { 0 }, one;

    for (size_t i = 0; i < ARRAY_LEN(drivers) && drivers[i] != NULL; i++) {
        if (drivers[i]->counts == NULL)
            continue;
        drivers[i]->counts(&one);
        all.statements += one.statements;
        all.round_trips += one.round_trips;
        all.beside += one.beside;
    }
    return all;
}

bool db_is_shared(const struct db *db)
{
    return db->driver->others_wrote != NULL;
}

bool db_others_wrote(const struct db *db)
{
    return db_is_shared(db) && db->driver->others_wrote(db->connection);
}

bool db_was_kept(struct db *db, bool *kept, struct err *err)
{
    return db->driver->was_kept(db->connection, kept, err);
}

bool db_backup(struct db *db, const char *path, struct err *err)
{
    return db->driver->backup(db->connection, path, err);
}
