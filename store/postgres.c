/* The PostgreSQL driver: sessions, transactions, and whose turn it is to write.
 *
 * Many gateways may write one database, a commit group at a time: every writing transaction locks one row, the turn, so that no
 * two overlap and each sees all that was committed before.  The row counts them: a writer learns there that others have
 * written since.  What each committed last is kept beside it under a random name, so that after a COMMIT without an answer a
 * writer finds out about its own, whatever others did meanwhile. */
#include "store/postgres.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"

bool postgres_refused(const struct postgres *p, const PGresult *result, const char *what, struct err *err)
{
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message = p->session != NULL ? PQerrorMessage(p->session) : "no session";
    enum err_code code = ERR_STORE;

    /* SQLSTATE, appendix A of PostgreSQL's manual: unique_violation; connection exceptions; read_only_sql_transaction (a
     * standby); serialization_failure and deadlock_detected; lock_not_available and idle_in_transaction_session_timeout (a turn);
     * the server is starting or stopping. */
    if (state == NULL || strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0 || strcmp(state, "25006") == 0
        || strncmp(state, "40", 2) == 0 || strcmp(state, "55P03") == 0 || strcmp(state, "25P03") == 0)
        code = ERR_AGAIN;
    else if (strcmp(state, "23505") == 0)
        code = ERR_CONFLICT;
    return err_set(err, code, "%.120s: %.*s", what, (int)strcspn(message, "\n"), message);
}

static bool command(struct postgres *p, const char *sql, struct err *err)
{
    PGresult *result = p->session != NULL ? PQexec(p->session, sql) : NULL;
    ExecStatusType status = PQresultStatus(result);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || postgres_refused(p, result, "store", err);

    PQclear(result);
    return ok;
}

/* A statement with one number in and the text of one field out; *found false: it gave no row. */
static bool ask(struct postgres *p, const char *sql, const char *number, char *text, size_t size, bool *found, struct err *err)
{
    PGresult *result = PQexecParams(p->session, sql, 1, NULL, &number, NULL, NULL, 0);
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK || postgres_refused(p, result, "store", err);

    if (ok) {
        *found = PQntuples(result) > 0;
        snprintf(text, size, "%s", *found ? PQgetvalue(result, 0, 0) : "");
    }
    PQclear(result);
    return ok;
}

/* ---- the turn ---- */

/* Longer than a group ever pauses between two statements, and shorter than others like to wait: a writer that was stopped or whose
 * line is dead in its turn loses it, and what it did in it. */
#define TURN_IDLE_MS "5000"
#define TURN_WAIT_MS "10000"
#define TURN_BEGIN "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = " TURN_IDLE_MS ";" \
    " SET LOCAL lock_timeout = " TURN_WAIT_MS "; SELECT number FROM writer_turn WHERE one = 1 FOR UPDATE"

static bool turn_begin(struct postgres *p, struct err *err)
{
    PGresult *result = PQexec(p->session, TURN_BEGIN);
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK || postgres_refused(p, result, "turn", err);

    if (ok && PQntuples(result) != 1)
        ok = err_set(err, ERR_STORE, "nobody can write: the row of table writer_turn is gone");
    if (ok) {
        p->turn = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
        p->others_wrote = p->turn != p->seen;
        p->seen = p->turn++;
    } else if (PQtransactionStatus(p->session) != PQTRANS_IDLE) {
        (void)!command(p, "ROLLBACK", &(struct err){ 0 });
    }
    PQclear(result);
    return ok;
}

/* The last of a writing transaction, in one round trip. */
static void turn_end(const struct postgres *p, char sql[320])
{
    snprintf(sql, 320, "UPDATE writer_turn SET number = %" PRIu64 " WHERE one = 1; INSERT INTO writers (id, turn) VALUES (%" PRIu64 ", %"
             PRIu64 ") ON CONFLICT (id) DO UPDATE SET turn = excluded.turn; COMMIT", p->turn, p->id, p->turn);
}

static bool was_kept(void *connection, bool *kept, struct err *err)
{
    struct postgres *p = connection;
    char id[24], turn[24];
    bool found;

    snprintf(id, sizeof id, "%" PRIu64, p->id);
    if (!ask(p, "SELECT turn FROM writers WHERE id = $1::BIGINT", id, turn, sizeof turn, &found, err))
        return false;
    *kept = found && strtoull(turn, NULL, 10) == p->tried;
    return true;
}

static bool others_wrote(void *connection)
{
    const struct postgres *p = connection;

    return p->others_wrote;
}

/* Two that make the first table at once are in each other's way: the later one finds it. */
static bool turn_table(struct postgres *p, struct err *err)
{
    static const char table[] = "CREATE TABLE IF NOT EXISTS writer_turn (one BIGINT PRIMARY KEY CHECK (one = 1), number BIGINT NOT NULL)";

    return ((command(p, table, err) || (err->code == ERR_CONFLICT && command(p, table, err))))
        && command(p, "INSERT INTO writer_turn VALUES (1, 0) ON CONFLICT (one) DO NOTHING", err);
}

/* What a writer needs before the schema is there, made in a turn of its own. */
static bool turn_prepare(struct postgres *p, struct err *err)
{
    /* Writers that were gone a hundred thousand turns ago have no doubts any more.  The functions: what SQLite has and our
     * statements use. */
    static const char made[] = "CREATE TABLE IF NOT EXISTS writers (id BIGINT PRIMARY KEY, turn BIGINT NOT NULL);"
        "DELETE FROM writers WHERE turn + 100000 < (SELECT number FROM writer_turn);"
        "CREATE OR REPLACE FUNCTION zeroblob(n BIGINT) RETURNS BYTEA LANGUAGE SQL IMMUTABLE AS"
        " 'SELECT decode(repeat(''00'', n::INTEGER), ''hex'')';"
        "CREATE OR REPLACE FUNCTION substr(bytes BYTEA, place BIGINT, count BIGINT) RETURNS BYTEA LANGUAGE SQL IMMUTABLE AS"
        " 'SELECT pg_catalog.substr(bytes, place::INTEGER, count::INTEGER)'; COMMIT";

    crypt_random(&p->id, sizeof p->id);
    p->id >>= 1;                              /* the database's numbers are signed */
    p->seen = UINT64_MAX;
    return turn_table(p, err) && turn_begin(p, err) && command(p, made, err);
}

/* ---- sessions ---- */

static void hush(void *self, const PGresult *notice)
{
    (void)self, (void)notice;                 /* "relation exists, skipping" is no news */
}

static bool start_session(struct postgres *p, struct err *err)
{
    static const char settings[] = "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET synchronous_commit = on";

    p->session = PQconnectdb(p->url);
    if (PQstatus(p->session) == CONNECTION_OK) {
        PQsetNoticeReceiver(p->session, hush, NULL);
        if (command(p, settings, err) && (p->mode == DB_WRITE || command(p, "SET default_transaction_read_only = on", err)))
            return true;
    } else {
        err_set(err, ERR_AGAIN, "the store: %.*s", (int)strcspn(PQerrorMessage(p->session), "\n"), PQerrorMessage(p->session));
    }
    PQfinish(p->session);
    p->session = NULL;
    return false;
}

static void session_close(void *connection)
{
    struct postgres *p = connection;

    PQfinish(p->session);
    mem_wipe(p->url, strlen(p->url));         /* it may hold a password */
    free(p->url);
    free(p);
}

static bool session_open(const char *rest, enum db_mode mode, void **connection, struct err *err)
{
    struct postgres *p = mem_new(sizeof *p);
    struct buf url;

    buf_init(&url);
    buf_printf(&url, "postgresql:%s", rest);
    *p = (struct postgres){ .url = mem_text(buf_text(&url)), .mode = mode };
    buf_clear(&url);
    if (!start_session(p, err) || (mode == DB_WRITE && !turn_prepare(p, err))) {
        session_close(p);
        return false;
    }
    *connection = p;
    return true;
}

static bool session_reopen(void *connection, struct err *err)
{
    struct postgres *p = connection;

    PQfinish(p->session);
    p->session = NULL;
    return start_session(p, err);
}

/* ---- transactions ---- */

static bool session_in_transaction(void *connection)
{
    const struct postgres *p = connection;
    PGTransactionStatusType status = p->session != NULL ? PQtransactionStatus(p->session) : PQTRANS_UNKNOWN;

    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

static bool session_begin(void *connection, enum db_mode mode, struct err *err)
{
    struct postgres *p = connection;

    /* The server or the line may have gone since: a new session, as nothing was begun. */
    if ((p->session == NULL || PQstatus(p->session) != CONNECTION_OK) && !session_reopen(p, err))
        return false;
    return mode == DB_READ ? command(p, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) : turn_begin(p, err);
}

static bool session_script(void *connection, const char *sql, struct err *err)
{
    int parameters;
    char *theirs = postgres_words(sql, &parameters);
    bool ok = command(connection, theirs, err);

    free(theirs);
    return ok;
}

/* An aborted transaction answers COMMIT by ROLLBACK; a line that ends before the answer leaves the outcome unknown. */
static bool session_commit(void *connection, struct err *err)
{
    struct postgres *p = connection;
    PGTransactionStatusType status = PQtransactionStatus(p->session);
    char sql[320] = "COMMIT";
    PGresult *result;
    bool answered, kept;

    if (p->mode == DB_WRITE && status == PQTRANS_INTRANS)
        turn_end(p, sql);
    p->tried = p->turn;
    result = PQexec(p->session, sql);
    answered = PQresultStatus(result) == PGRES_COMMAND_OK;
    kept = answered && status != PQTRANS_IDLE && strcmp(PQcmdStatus(result), "COMMIT") == 0;
    if (kept) {
        p->seen = p->turn;
    } else if (answered) {
        err_set(err, ERR_STORE, "the database rolled the transaction back");
    } else {
        postgres_refused(p, result, "commit", err);
        if (PQstatus(p->session) == CONNECTION_OK && PQtransactionStatus(p->session) == PQTRANS_INERROR)
            (void)!command(p, "ROLLBACK", &(struct err){ 0 });
        if (PQstatus(p->session) != CONNECTION_OK || session_in_transaction(p))
            err->code = ERR_UNKNOWN;
    }
    PQclear(result);
    return kept;
}

static bool session_backup(void *connection, const char *path, struct err *err)
{
    (void)connection, (void)path;
    return err_set(err, ERR_CONFIG, "a PostgreSQL store is copied by pg_dump, or by `store copy`");
}

static uint64_t session_changed(void *connection)
{
    const struct postgres *p = connection;

    return p->changed;
}

const struct driver driver_postgres = {
    .scheme = "postgresql", .open = session_open, .close = session_close, .reopen = session_reopen,
    .others_wrote = others_wrote, .was_kept = was_kept,
    .begin = session_begin, .in_transaction = session_in_transaction, .script = session_script, .commit = session_commit,
    .backup = session_backup, .prepare = postgres_prepare, .parameters = postgres_parameters,
    .bind_i64 = postgres_bind_i64, .bind_text = postgres_bind_text, .bind_blob = postgres_bind_blob,
    .bind_null = postgres_bind_null, .step = postgres_step, .changed = session_changed, .reset = postgres_reset,
    .is_null = postgres_is_null, .i64 = postgres_i64, .text = postgres_text, .blob = postgres_blob, .finish = postgres_finish,
};
