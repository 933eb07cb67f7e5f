/* store/postgres.h - what the files of the PostgreSQL driver share: the only ones that know libpq.
 *
 * postgres.c: transactions.  postgres_turn.c: who writes.  postgres_news.c: who tells whom.  postgres_session.c: connecting.
 * postgres_stmt.c: values in, rows out.  postgres_pipe.c: how statements travel.  postgres_set.c: many rows in one; postgres_keys.c:
 * many keys.  A pooler in transaction mode may stand between (pgbouncer): then nothing outlives a transaction. */
#ifndef QUITTANCE_STORE_POSTGRES_H
#define QUITTANCE_STORE_POSTGRES_H

#include <postgresql/libpq-fe.h>

#include "store/driver.h"

/* A statement whose answer is waited for later; rows: how many it must change. */
struct postgres_pending { uint64_t rows; const char *told; bool gathered; PGresult **answer; };      /* answer NULL: not wanted */
#define POSTGRES_ANY_ROWS UINT64_MAX

/* Of the task under way: none; one that is set with the first statement that is more than rows (postgres_set.c); set. */
enum postgres_savepoint { SAVEPOINT_NONE, SAVEPOINT_WANTED, SAVEPOINT_SET };

struct postgres {
    PGconn *session;
    char *url;
    enum db_mode mode;
    /* Writers only (postgres_turn.c). */
    uint64_t id;                              /* random: among all that ever wrote */
    uint64_t turn, seen;                      /* the one under way; the last known to be committed, by anybody */
    uint64_t besides;                         /* what all had done beside others, as of our last turn; */
    uint64_t own_besides;                     /* and of that we */
    uint64_t tried;                           /* the transaction of ours that was given to COMMIT last, */
    bool tried_with_row;                      /* whose outcome our row tells */
    bool beside, others_wrote, told;          /* beside: the one under way has no turn; told: it began, so others_wrote was heard */
    bool joined, somebody_is_gone;            /* as the turn under way began: we had a row; another's is to be taken away */
    bool leaving;
    struct db_place place;
    struct postgres_statement *turn_begin, *turn_writers, *turn_end;               /* owned; NULL until the first turn, */
    struct postgres_statement *beside_begin, *beside_place, *beside_end;           /* or the first without */
    uint64_t changed;                         /* rows that the last statement changed */
    uint64_t cursors, names;                  /* names given so far */
    bool pooled;                              /* the session is a pooler's */
    bool open;                                /* a transaction was begun */
    bool in_the_way;                          /* others were, of what was refused last */
    bool dead;                                /* the server said that it ends this session; libpq may not know yet */
    bool elsewhere;                           /* this server takes no writes, or goes: the next transaction looks for another */
    /* postgres_pipe.c */
    struct postgres_pending *pending;         /* owned */
    size_t pending_count, pending_room;
    uint64_t epoch;                           /* names of statements hold within one */
    bool asked_to_listen, listens;            /* postgres_news.c; of this session, as is the next */
    char schema[64];                          /* its names have at most 63 bytes */
    bool stale;                               /* a name may not be there: none is used until the next transaction */
    /* postgres_set.c */
    struct postgres_statement *gathering;     /* whose rows wait to be sent; NULL: none do */
    enum postgres_savepoint savepoint;
    unsigned careful;                         /* so many transactions in which no rows gather */
    uint64_t readings;                        /* what was asked early holds within one */
};

struct postgres_value { Oid type; const char *bytes; int len; char *owned; uint64_t number; };
struct postgres_set;
struct postgres_statement {
    struct postgres *p;
    struct postgres_set *set;                 /* owned; NULL: it was never one of many */
    char *sql, *declare;                      /* declare NULL: no cursor */
    const char *told;                         /* as our modules wrote it */
    char fetch[48], name[24];
    uint64_t named_in;                        /* epoch; 0: it has no name */
    bool ran;
    int count;
    struct postgres_value *value;
    Oid *types;                               /* these four as libpq takes them */
    const char **bytes;
    int *lens, *formats;
    PGresult *result;
    int row;
    bool running, by_cursor;
};

/* postgres_session.c.  On failure there is no session. */
MUST_USE bool postgres_connect(struct postgres *p, struct err *err);
void postgres_disconnect(struct postgres *p);
/* What a transaction behind a pooler needs, first in it. */
MUST_USE bool postgres_dress(struct postgres *p, enum db_mode mode, struct err *err);
MUST_USE bool postgres_command(struct postgres *p, const char *sql, struct err *err);

/* postgres_turn.c */
/* Longer than a group ever pauses between two statements, and shorter than others like to wait: a writer that was stopped or whose
 * line is dead in its turn loses it, and what it did in it.  local: "true" for one transaction, "false" for the session. */
#define POSTGRES_TURN_LIMITS(local) "SELECT set_config('idle_in_transaction_session_timeout', '5000', " local ")," \
    " set_config('lock_timeout', '10000', " local ")"
MUST_USE bool postgres_turn_prepare(struct postgres *p, struct err *err);     /* once a connection: what a writer needs before the schema */
MUST_USE bool postgres_turn_begin(struct postgres *p, enum db_mode mode, struct err *err);     /* begins the transaction */
MUST_USE bool postgres_turn_end(struct postgres *p, struct err *err);         /* told: COMMIT follows in the same round trip */
void postgres_turn_kept(struct postgres *p);  /* that COMMIT was answered */
struct db_place postgres_place(void *connection);
void postgres_turn_leave(struct postgres *p); /* before the session ends */
void postgres_turn_free(struct postgres *p);
bool postgres_was_kept(void *connection, bool *kept, struct err *err);
bool postgres_others_wrote(void *connection);

/* postgres_news.c: struct driver, tell_others and wait. */
bool postgres_tell_others(void *connection, struct err *err);
void postgres_wait(void *connection, int until_fd, unsigned ms);

/* postgres_pipe.c.  Sends and waits: st->result. */
MUST_USE bool postgres_ask(struct postgres_statement *st, const char *sql, bool with_values, struct err *err);
/* Sends with the next that waits; within a transaction only. */
MUST_USE bool postgres_tell(struct postgres_statement *st, const char *sql, bool with_values, uint64_t rows, struct err *err);
/* The same; *answer, NULL by then, is set when it comes, and is owned. */
MUST_USE bool postgres_ask_early(struct postgres_statement *st, PGresult **answer, struct err *err);
/* The same without what must go before: for postgres_set.c, as is the next. */
MUST_USE bool postgres_tell_now(struct postgres_statement *st, uint64_t rows, struct err *err);
MUST_USE bool postgres_tell_text(struct postgres *p, const char *literal_sql, struct err *err);
/* The types that the server gives so many parameters of a statement. */
MUST_USE bool postgres_types(struct postgres_statement *st, const char *sql, int count, Oid *types, struct err *err);
/* Whether what was told and is not answered yet changes as many rows as it must, or fails. */
bool postgres_pending_is_sure(const struct postgres *p);
/* COMMIT, behind all that was told.  *answer: its own, owned; NULL or PGRES_PIPELINE_ABORTED where something failed before, which err says,
 * or the line did. */
MUST_USE bool postgres_ask_commit(struct postgres *p, PGresult **answer, struct err *err);
/* Waits for all that was told, but not for rows that gather.  false: the transaction is to be rolled back, at least to a savepoint. */
MUST_USE bool postgres_flush(struct postgres *p, struct err *err);
bool postgres_in_transaction(const struct postgres *p);
void postgres_round_trip(void);               /* counts one */
void postgres_kept_beside(void);              /* likewise */
void postgres_counts(struct db_counts *counts);

/* ERR_CONFLICT: a unique key is taken; ERR_AGAIN: not now (no server, a standby, another was in the way, too slow); else
 * ERR_STORE. */
bool postgres_refused(struct postgres *p, const PGresult *result, const char *what, struct err *err);

/* The SQL of our modules, which SQLite takes as it is, in PostgreSQL's words: numbered parameters; in a schema step types,
 * tables without options, and numbers that count by themselves.  Caller frees. */
char *postgres_words(const char *sql, int *parameters);

/* struct driver: columns, references, numbers. */
extern const char postgres_columns[], postgres_references[], postgres_numbers[];

/* The calls of struct driver for statements. */
bool postgres_prepare(void *connection, const char *sql, void **handle, struct err *err);
void postgres_statement_params(struct postgres_statement *st, int count);      /* has so many parameters from now on */
int postgres_parameters(void *handle);
bool postgres_bind_i64(void *handle, int at, int64_t v);
bool postgres_bind_text(void *handle, int at, const char *v);
bool postgres_bind_blob(void *handle, int at, const void *bytes, size_t len, bool copy);
bool postgres_bind_null(void *handle, int at);
bool postgres_step(void *connection, void *handle, bool *row, struct err *err);
bool postgres_later(void *connection, void *handle, uint64_t rows, struct err *err);
void postgres_reset(void *handle);
bool postgres_is_null(void *handle, int at);
int64_t postgres_i64(void *handle, int at);
const char *postgres_text(void *handle, int at);
void postgres_blob(void *handle, int at, const void **bytes, size_t *len);
void postgres_finish(void *handle);
Oid postgres_array_of(Oid type);              /* of these elements */

/* postgres_set.c and postgres_keys.c: the calls of struct driver, */
bool postgres_rows(void *connection, void *handle, uint64_t rows, struct err *err);
bool postgres_key(void *connection, void *handle, struct err *err);
bool postgres_soon(void *connection, void *handle, struct err *err);
uint64_t postgres_key_of(void *handle);
/* and what the other files need of it.  A savepoint is marked where rows gather, and set where more than rows follows. */
void postgres_rows_mark(struct postgres *p);
void postgres_rows_back(struct postgres *p);  /* to the mark */
void postgres_rows_drop(struct postgres *p);
/* All that gathered, and the savepoint where it is wanted, before anything else that is told or asked. */
MUST_USE bool postgres_rows_send(struct postgres *p, struct err *err);
void postgres_keys_drop(struct postgres_statement *st);        /* those that were not asked for */
bool postgres_has_keys(const struct postgres_statement *st);
MUST_USE bool postgres_set_ask(struct postgres_statement *st, struct err *err);
void postgres_set_free(struct postgres_set *set);

#endif
