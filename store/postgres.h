/* store/postgres.h - what the two files of the PostgreSQL driver share: the only ones that know libpq.
 *
 * postgres.c: sessions, transactions, and the turn to write.  postgres_stmt.c: statements.  Statements are
 * unnamed and live in one transaction, so a pooler in transaction mode may stand between (pgbouncer). */
#ifndef QUITTANCE_STORE_POSTGRES_H
#define QUITTANCE_STORE_POSTGRES_H

#include <postgresql/libpq-fe.h>

#include "store/driver.h"

struct postgres {
    PGconn *session;
    char *url;
    enum db_mode mode;
    /* Writers only. */
    uint64_t id;                              /* random: among all that ever wrote */
    uint64_t turn, seen;                      /* the one under way; the last known to be committed, by anybody */
    uint64_t tried;                           /* the one that was given to COMMIT last */
    bool others_wrote;
    uint64_t changed;                         /* rows that the last statement changed */
    uint64_t cursors;                         /* names given so far */
};

/* ERR_CONFLICT: a unique key is taken; ERR_AGAIN: not now (no server, a standby, another was in the way); else ERR_STORE. */
bool postgres_refused(const struct postgres *p, const PGresult *result, const char *what, struct err *err);

/* The SQL of our modules, which SQLite takes as it is, in PostgreSQL's words: numbered parameters; in a schema step types,
 * tables without options, and numbers that count by themselves.  Caller frees. */
char *postgres_words(const char *sql, int *parameters);

/* The calls of struct driver for statements. */
bool postgres_prepare(void *connection, const char *sql, void **handle, struct err *err);
int postgres_parameters(void *handle);
bool postgres_bind_i64(void *handle, int at, int64_t v);
bool postgres_bind_text(void *handle, int at, const char *v);
bool postgres_bind_blob(void *handle, int at, const void *bytes, size_t len, bool copy);
bool postgres_bind_null(void *handle, int at);
bool postgres_step(void *connection, void *handle, bool *row, struct err *err);
void postgres_reset(void *handle);
bool postgres_is_null(void *handle, int at);
int64_t postgres_i64(void *handle, int at);
const char *postgres_text(void *handle, int at);
void postgres_blob(void *handle, int at, const void **bytes, size_t *len);
void postgres_finish(void *handle);

#endif
