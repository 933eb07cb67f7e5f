/* store/db.h - one database connection behind a table of calls, so that SQLite and PostgreSQL are two driver files.
 *
 * A struct db belongs to one thread.  Statements use `?`, are prepared once and kept by their text, which must be a
 * string literal.  Bind values in order, then step or exec; read columns in order.  All errors are ERR_STORE unless
 * said otherwise; a unique key that is taken is ERR_CONFLICT.  A failed statement leaves the transaction to its owner
 * to roll back; where the database rolled it back by itself (disk full), all that follows fails until then. */
#ifndef QUITTANCE_STORE_DB_H
#define QUITTANCE_STORE_DB_H

#include "gateway/base/amount.h"
#include "gateway/base/buf.h"

struct db;
enum db_mode { DB_READ, DB_WRITE, DB_BESIDE };    /* the last is how a writer's transaction may begin, see db_begin_beside */

/* url: "sqlite:PATH" or "postgresql://...".  DB_WRITE creates a file and takes its lock, so that no two processes write it:
 * ERR_AGAIN names the holder.  A database that many may write (db_is_shared) gives them a turn each: their transactions
 * never overlap, but for those that begin with db_begin_beside.  ERR_CONFIG: no such kind of store. */
MUST_USE bool db_open(const char *url, enum db_mode mode, struct db **db, struct err *err);
bool db_url_is_known(const char *url);                         /* of a kind that db_open takes */
void db_close(struct db *db);                                  /* NULL is fine */
/* Runs the schema steps that are missing, each in its own transaction.  ERR_HALT: the store is newer than we are, or a copy
 * into it has not ended (copy.h). */
MUST_USE bool db_migrate(struct db *db, struct err *err);
MUST_USE bool db_run_steps(struct db *db, struct err *err);    /* the same of a store that is being filled by a copy */
/* How many steps the store has run; 0: none yet. */
MUST_USE bool db_schema(struct db *db, uint64_t *version, struct err *err);
uint64_t db_schema_newest(void);                               /* how many we know */
const char *db_schema_step(uint64_t version);                  /* its name; from 1 */

/* Where receipts are that have left the store (archived.h): [archive] dir, and the gateway's secret, which is borrowed. */
void db_use_archives(struct db *db, const char *dir, const uint8_t secret[32]);
void db_forget_archives(struct db *db);

MUST_USE bool db_begin(struct db *db, struct err *err);        /* a writer's transaction, or a reader's snapshot */
/* Of a store that is shared: a writer's transaction without a turn, beside those of others that began so, too.  What has a turn waits for
 * all of them, and none begins before it has ended: what only turns write stays as it is meanwhile.  Among all who may be at it this one
 * has a place, which holds until one joins or leaves, in a turn; `writers` 0: none, so nothing may be written before it has had a turn. */
struct db_place {
    uint64_t writers, rank;                   /* rank: below writers, each has another; both beside others only */
    uint64_t since;                           /* grows when anybody joins or leaves */
    bool others;                              /* of a turn: somebody else has written since our last */
};
MUST_USE bool db_begin_beside(struct db *db, struct db_place *place, struct err *err);
struct db_place db_place(const struct db *db);         /* as of the transaction under way; zeros in a store that is not shared */
bool db_is_beside(const struct db *db);                /* the transaction under way began so */
/* ERR_UNKNOWN: the outcome must be looked up (see writer.h); the connection was opened anew for that. */
MUST_USE bool db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db);
MUST_USE bool db_savepoint(struct db *db, struct err *err);    /* one level */
MUST_USE bool db_savepoint_release(struct db *db, struct err *err);
void db_savepoint_rollback(struct db *db);
/* Waits for all of stmt_exec_later, though not for rows of stmt_exec_rows: a task that keeps sums in memory asks before it says that
 * it succeeded. */
MUST_USE bool db_flush(struct db *db, struct err *err);
bool db_is_lost(struct db *db);               /* the database ended our transaction by itself */
MUST_USE bool db_exec_script(struct db *db, const char *sql, struct err *err);
bool db_is_shared(const struct db *db);       /* other processes may write this store, too */
/* In a writer's transaction: others have had a turn since the last one of ours, or this is the first; where this is a turn also: anybody,
 * ourselves included, has written beside others since. */
bool db_others_wrote(const struct db *db);
/* In a writer's transaction: whoever waits for news of this store hears of it with the commit. */
MUST_USE bool db_tell_others(struct db *db, struct err *err);
/* Outside a transaction: until there is news, until_fd can be read, or so long.  There may be news of which nothing is heard: who uses a file
 * or a pooler, and who lost the line, waits so long. */
void db_wait(struct db *db, int until_fd, unsigned ms);
/* In a transaction after a commit that ended in ERR_UNKNOWN, of a store that is shared: whether it was kept. */
MUST_USE bool db_was_kept(struct db *db, bool *kept, struct err *err);
/* An online copy of the whole store to a new file (SQLite only until the second driver). */
MUST_USE bool db_backup(struct db *db, const char *path, struct err *err);

/* What went to the database so far, of all connections; where it is no server nothing did. */
struct db_counts { uint64_t statements, round_trips, beside; };       /* beside: transactions that were kept without a turn */
struct db_counts db_counts(void);

struct stmt { struct db *db; void *handle; int next_bind, next_column; bool failed; };
MUST_USE bool db_prepare(struct db *db, const char *sql, struct stmt *st, struct err *err);
void stmt_bind_i64(struct stmt *st, int64_t v);
void stmt_bind_u64(struct stmt *st, uint64_t v);               /* below 2^63 */
void stmt_bind_int(struct stmt *st, int v);
void stmt_bind_text(struct stmt *st, const char *v);           /* bound values must live until the statement ends */
void stmt_bind_blob(struct stmt *st, const void *bytes, size_t len);
void stmt_bind_null(struct stmt *st);
void stmt_bind_hash(struct stmt *st, const struct hash *v);
void stmt_bind_address(struct stmt *st, const struct address *v);
void stmt_bind_job_id(struct stmt *st, const struct job_id *v);
void stmt_bind_signature(struct stmt *st, const struct signature *v);
void stmt_bind_amount(struct stmt *st, struct amount v);       /* 32 bytes big-endian; copied */
/* *row false: no more rows, the statement has ended. */
MUST_USE bool stmt_step(struct stmt *st, bool *row, struct err *err);
MUST_USE bool stmt_exec(struct stmt *st, uint64_t *changed, struct err *err);     /* ends st; changed may be NULL */
MUST_USE bool stmt_exec_one(struct stmt *st, struct err *err); /* ends st; any number of rows but one is ERR_BUG */
/* Ends st.  Of a statement whose answer nobody waits for: where the database is far away it comes with that of a later one,
 * which fails if this one did, or changed another number of rows; at the latest db_flush, the release of the savepoint, or the
 * commit does.  Outside a transaction: at once. */
MUST_USE bool stmt_exec_later(struct stmt *st, uint64_t rows, struct err *err);
#define STMT_ANY_ROWS UINT64_MAX
/* Ends st, an INSERT of so many rows that are all alike.  For what nothing can refuse but a damaged store, as it was looked for before
 * and has one size: where the database is far away the rows of one text gather until something else is asked, and are one statement
 * then.  What fails it fails all that gathered, at the latest the commit; after that they come one by one for a while.  Outside a
 * transaction: at once. */
MUST_USE bool stmt_exec_rows(struct stmt *st, uint64_t rows, struct err *err);
/* The rows of a SELECT for each of so many keys, in no order: bind binds key i, visit reads a row of it.  Where the database is far away
 * it is one question.  A visit that returns false has set err. */
typedef void bind_key_fn(const void *self, size_t i, struct stmt *st);
typedef bool key_row_fn(void *self, size_t i, struct stmt *st, struct err *err);
MUST_USE bool db_each_key(struct db *db, const char *literal_sql, size_t count, bind_key_fn *bind, key_row_fn *visit, void *self,
                          struct err *err);
/* What the next db_each_key of this text will ask, with the same keys in the same order: where the database is far away the question travels
 * with the next that is waited for, and the answer waits.  Nothing that it reads may be written in between. */
MUST_USE bool db_each_key_soon(struct db *db, const char *literal_sql, size_t count, bind_key_fn *bind, const void *self, struct err *err);
MUST_USE bool stmt_exec_id(struct stmt *st, uint64_t *id, struct err *err);       /* INSERT ... RETURNING id; ends st */
void stmt_end(struct stmt *st);                                /* after stepping early; fine twice */
/* Columns in order; NULL reads as 0, zero bytes or an empty text; stmt_null asks about the next one without moving. */
bool stmt_null(const struct stmt *st);
int64_t stmt_i64(struct stmt *st);
uint64_t stmt_u64(struct stmt *st);
int stmt_int(struct stmt *st);
int stmt_enum(struct stmt *st, int least, int most);           /* a number outside is a damaged row; reads as least */
void stmt_text(struct stmt *st, char *text, size_t size);      /* truncated to size - 1 */
void stmt_blob(struct stmt *st, const void **bytes, size_t *len);          /* borrowed until the next step */
const char *stmt_text_borrow(struct stmt *st);                 /* likewise; NULL is NULL */
void stmt_bytes(struct stmt *st, void *bytes, size_t len);      /* exactly len bytes */
void stmt_buf(struct stmt *st, struct buf *buf);               /* a copy of any length; buf must be initialised */
/* A blob of another length than the type's is a damaged row: it marks st failed, the next step or stmt_ok says so. */
struct hash stmt_hash(struct stmt *st);
struct address stmt_address(struct stmt *st);
struct job_id stmt_job_id(struct stmt *st);
struct signature stmt_signature(struct stmt *st);
struct amount stmt_amount(struct stmt *st);
MUST_USE bool stmt_ok(const struct stmt *st, struct err *err);

#endif
