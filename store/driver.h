/* store/driver.h - what a database driver must do, and what is behind a struct db.
 *
 * Only db.c, stmt.c, what keeps something with a connection, and the drivers include this.  A connection is one session, a handle
 * one prepared statement; parameters count from 1, columns from 0.  Bound bytes are borrowed until reset unless copy is set. */
#ifndef QUITTANCE_STORE_DRIVER_H
#define QUITTANCE_STORE_DRIVER_H

#include "store/db.h"

struct driver {
    const char *scheme;                       /* of the url, before ':' */
    MUST_USE bool (*open)(const char *rest, enum db_mode mode, void **connection, struct err *err);
    void (*close)(void *connection);
    /* A new session for the same connection, all handles finished before; the store's lock is not let go.  What it
     * then reads is durable.  On failure the connection may only be reopened or closed. */
    MUST_USE bool (*reopen)(void *connection, struct err *err);
    /* All NULL: one process writes, held by the driver.  Else of a writer's transaction under way: whether others have committed
     * since this connection last knew all; whether its own COMMIT that ended in ERR_UNKNOWN was kept; and its place. */
    bool (*others_wrote)(void *connection);
    MUST_USE bool (*was_kept)(void *connection, bool *kept, struct err *err);
    struct db_place (*place)(void *connection);
    /* Likewise NULL: see db_tell_others, db_wait. */
    MUST_USE bool (*tell_others)(void *connection, struct err *err);
    void (*wait)(void *connection, int until_fd, unsigned ms);
    MUST_USE bool (*begin)(void *connection, enum db_mode mode, struct err *err);
    bool (*in_transaction)(void *connection);
    MUST_USE bool (*script)(void *connection, const char *sql, struct err *err);
    /* ERR_UNKNOWN: it may or may not be committed; any other error: it is not, and the transaction is over. */
    MUST_USE bool (*commit)(void *connection, struct err *err);
    MUST_USE bool (*backup)(void *connection, const char *path, struct err *err);
    MUST_USE bool (*prepare)(void *connection, const char *sql, void **handle, struct err *err);
    int (*parameters)(void *handle);
    bool (*bind_i64)(void *handle, int at, int64_t v);
    bool (*bind_text)(void *handle, int at, const char *v);
    bool (*bind_blob)(void *handle, int at, const void *bytes, size_t len, bool copy);
    bool (*bind_null)(void *handle, int at);
    MUST_USE bool (*step)(void *connection, void *handle, bool *row, struct err *err);
    /* For a statement that gives no rows and changes so many, or STMT_ANY_ROWS: as stepped to its end, but its answer may come
     * with that of a later one, which fails then; at the latest flush or commit does.  Both NULL: at once. */
    MUST_USE bool (*later)(void *connection, void *handle, uint64_t rows, struct err *err);
    MUST_USE bool (*flush)(void *connection, struct err *err);
    /* NULL: likewise.  What key gathered is asked with the next that waits, and answers the step after the same keys. */
    MUST_USE bool (*soon)(void *connection, void *handle, struct err *err);
    /* All NULL: statements come one by one, and a savepoint is set at once.  rows: what was bound gathers, to be sent before anything
     * else is; key: likewise, for a step that then gives the rows of all keys, each of which key_of counts from 0.  mark: a savepoint
     * is wanted; unmark: nothing but rows was added since, which stay, or where back are forgotten; false: it was set by then. */
    MUST_USE bool (*rows)(void *connection, void *handle, uint64_t rows, struct err *err);
    MUST_USE bool (*key)(void *connection, void *handle, struct err *err);
    uint64_t (*key_of)(void *handle);
    void (*mark)(void *connection);
    bool (*unmark)(void *connection, bool back);
    uint64_t (*changed)(void *connection);
    void (*reset)(void *handle);              /* also forgets what was bound */
    bool (*is_null)(void *handle, int at);
    int64_t (*i64)(void *handle, int at);
    const char *(*text)(void *handle, int at);
    void (*blob)(void *handle, int at, const void **bytes, size_t *len);
    void (*finish)(void *handle);
    bool days;                                /* it keeps receipts by days (receipt_days.h) */
    /* Statements over all tables, for a copy (copy_tables.h), without those that are the driver's own. */
    const char *columns;                      /* table, column, enum cell_kind, place in the primary key or 0; by table, column */
    const char *references;                   /* table, table it refers to */
    /* A script for after rows were put in with numbers of their own, so that what counts by itself goes on behind them; NULL: it does. */
    const char *numbers;
    void (*counts)(struct db_counts *counts); /* NULL: nothing travels */
};
extern const struct driver driver_sqlite, driver_postgres;
/* One more kind of store beside those of db.c, for tests that need a database which misbehaves; before threads. */
void db_driver_add(const struct driver *driver);

/* A prepared statement, found again by the address of its text. */
struct db_slot {
    const char *sql;
    void *handle;                             /* NULL after a reopen, until it is needed */
    bool busy;                                /* a second user at the same time gets a slot of its own */
    bool kept;
};
#define DB_SLOTS 512                          /* a power of two, twice the statements we have or more */

struct db {
    const struct driver *driver;
    void *connection;
    enum db_mode mode;
    bool began;                               /* between db_begin and its end */
    bool doomed;                              /* the database ended our transaction by itself */
    bool broken;                              /* a reopen failed; the next db_begin tries again */
    struct page_cache *page_cache;            /* pages.c */
    struct archives *archives;                /* archived.c */
    bool newest_known;                        /* the last job that an archive may hold; a writer's is kept while nobody else writes */
    struct job_id newest_archived;
    size_t slot_count;
    struct db_slot *slots[DB_SLOTS];
};
void db_slots_finish(struct db *db, bool forget);      /* stmt.c: finishes all handles; forget also frees the slots */

#endif
