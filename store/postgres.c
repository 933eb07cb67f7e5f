/* The PostgreSQL driver: sessions, transactions, and who may write.
 *
 * Who writes is decided by a lease: one row with a generation that grows with each taker.  Every writing transaction begins
 * by renewing it under its generation, so one whose lease was taken meanwhile (a process that was stopped, a line that was
 * dead) changes nothing any more.  A holder that is idle renews it by and by (keep); a dead one loses it after LEASE_MS. */
#include "store/postgres.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"

#define LEASE_MS 15000
#define BEGIN_PAUSE_MS 10u                    /* doubled each time */
#define BEGIN_PAUSE_MAX_MS 160u
#define NOW_MS "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT"

/* SQLSTATE, appendix A of PostgreSQL's manual. */
static const struct { const char *state; enum err_code code; bool in_the_way, elsewhere; } states[] = {
    { "23505", ERR_CONFLICT, false, false },  /* unique_violation */
    { "08",    ERR_AGAIN,    false, true },   /* connection exceptions */
    { "57P",   ERR_AGAIN,    false, true },   /* the server is starting or stopping */
    { "25006", ERR_AGAIN,    false, true },   /* read_only_sql_transaction: a standby, or one that became one */
    { "57014", ERR_AGAIN,    false, false },  /* query_canceled: too slow */
    { "53",    ERR_AGAIN,    false, false },  /* insufficient resources */
    { "40",    ERR_AGAIN,    true,  false },  /* serialization_failure, deadlock_detected */
    { "55P03", ERR_AGAIN,    true,  false },  /* lock_not_available */
};

bool postgres_refused(struct postgres *p, const PGresult *result, const char *what, struct err *err)
{
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message = result != NULL ? PQresultErrorMessage(result) : p->session != NULL ? PQerrorMessage(p->session) : "no session";
    const char *severity = result != NULL ? PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED) : NULL;
    enum err_code code = state == NULL ? ERR_AGAIN : ERR_STORE;

    p->dead = p->dead || (severity != NULL && strcmp(severity, "FATAL") == 0);
    for (size_t i = 0; state != NULL && i < ARRAY_LEN(states); i++)
        if (strncmp(state, states[i].state, strlen(states[i].state)) == 0) {
            code = states[i].code;
            p->in_the_way = states[i].in_the_way;
            p->elsewhere = p->elsewhere || states[i].elsewhere;
            break;
        }
    return err_set(err, code, "%.120s: %.*s", what, (int)strcspn(message, "\n"), message);
}

/* A statement with one number in and the text of one field out; *found false: it gave no row. */
static bool ask(struct postgres *p, const char *sql, const char *number, char *text, size_t size, bool *found, struct err *err)
{
    PGresult *result = p->session != NULL ? PQexecParams(p->session, sql, 1, NULL, &number, NULL, NULL, 0) : NULL;
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK || postgres_refused(p, result, "store", err);

    if (ok) {
        *found = PQntuples(result) > 0;
        snprintf(text, size, "%s", *found ? PQgetvalue(result, 0, 0) : "");
    }
    PQclear(result);
    return ok;
}

/* ---- the lease ---- */

static void name_holder(char holder[128])
{
    char host[64];

    if (gethostname(host, sizeof host) != 0)
        snprintf(host, sizeof host, "unknown host");
    host[sizeof host - 1] = '\0';
    snprintf(holder, 128, "process %ld on %s", (long)getpid(), host);
}

static bool lease_refused(struct postgres *p, struct err *err)
{
    char holder[128];
    bool found;

    if (!ask(p, "SELECT holder FROM writer_lease WHERE one = $1::BIGINT", "1", holder, sizeof holder, &found, err))
        return false;
    return err_set(err, ERR_AGAIN, "the store is being written by %s", holder);
}

static bool lease_take(struct postgres *p, struct err *err)
{
    static const char table[] = "CREATE TABLE IF NOT EXISTS writer_lease (one BIGINT PRIMARY KEY CHECK (one = 1),"
                                " generation BIGINT NOT NULL, holder TEXT NOT NULL, until BIGINT NOT NULL)";
    static const char take[] = "INSERT INTO writer_lease VALUES (1, 1, $1, " NOW_MS " + 15000) ON CONFLICT (one) DO UPDATE SET"
                               " generation = writer_lease.generation + 1, holder = excluded.holder, until = excluded.until"
                               " WHERE writer_lease.until < " NOW_MS " RETURNING generation";
    /* What SQLite has and our statements use. */
    static const char functions[] =
        "CREATE OR REPLACE FUNCTION zeroblob(n BIGINT) RETURNS BYTEA LANGUAGE SQL IMMUTABLE AS"
        " 'SELECT decode(repeat(''00'', n::INTEGER), ''hex'')';"
        "CREATE OR REPLACE FUNCTION substr(bytes BYTEA, place BIGINT, count BIGINT) RETURNS BYTEA LANGUAGE SQL IMMUTABLE AS"
        " 'SELECT pg_catalog.substr(bytes, place::INTEGER, count::INTEGER)'";
    char holder[128], generation[24];
    bool found;

    _Static_assert(LEASE_MS == 15000, "as in the statements");
    name_holder(holder);
    if (!postgres_command(p, table, err) || !ask(p, take, holder, generation, sizeof generation, &found, err))
        return false;
    if (!found)
        return lease_refused(p, err);
    p->generation = strtoull(generation, NULL, 10);
    return postgres_command(p, functions, err);
}

/* ERR_AGAIN: somebody else has taken it. */
static bool lease_renew(struct postgres *p, struct err *err)
{
    char generation[24], got[24];
    bool found;

    snprintf(generation, sizeof generation, "%" PRIu64, p->generation);
    if (!ask(p, "UPDATE writer_lease SET until = " NOW_MS " + 15000 WHERE generation = $1::BIGINT RETURNING generation", generation,
             got, sizeof got, &found, err))
        return false;
    return found || lease_refused(p, err);
}

static void lease_release(struct postgres *p)
{
    char generation[24], got[24];
    struct err ignored;
    bool found;

    if (p->generation == 0 || PQstatus(p->session) != CONNECTION_OK)
        return;
    snprintf(generation, sizeof generation, "%" PRIu64, p->generation);
    (void)!ask(p, "UPDATE writer_lease SET until = 0 WHERE generation = $1::BIGINT RETURNING generation", generation, got, sizeof got,
               &found, &ignored);
}

/* ---- sessions ---- */

static void session_close(void *connection)
{
    struct postgres *p = connection;

    if (p->session != NULL)
        lease_release(p);
    postgres_disconnect(p);
    mem_wipe(p->url, strlen(p->url));         /* it may hold a password */
    free(p->url);
    free(p->pending);
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
    if (!postgres_connect(p, err) || (mode == DB_WRITE && !lease_take(p, err))) {
        session_close(p);
        return false;
    }
    *connection = p;
    return true;
}

static bool session_reopen(void *connection, struct err *err)
{
    struct postgres *p = connection;

    postgres_disconnect(p);
    return postgres_connect(p, err) && (p->mode == DB_READ || lease_renew(p, err));
}

static bool session_keep(void *connection, struct err *err)
{
    struct postgres *p = connection;

    return p->session != NULL && lease_renew(p, err);
}

/* ---- transactions ---- */

static bool session_in_transaction(void *connection)
{
    struct postgres *p = connection;

    p->open = postgres_in_transaction(p);
    return p->open;
}

static bool session_begin(void *connection, enum db_mode mode, struct err *err)
{
    struct postgres *p = connection;

    /* The server or the line may have gone since: a new session, as nothing was begun. */
    if ((p->session == NULL || p->dead || p->elsewhere || PQstatus(p->session) != CONNECTION_OK) && !session_reopen(p, err))
        return false;
    if (mode == DB_READ)
        return postgres_command(p, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
    if (!postgres_command(p, "BEGIN ISOLATION LEVEL READ COMMITTED", err))
        return false;
    if (lease_renew(p, err))
        return true;
    (void)!postgres_command(p, "ROLLBACK", &(struct err){ 0 });
    return false;
}

/* One that others were in the way of has done nothing yet: it begins anew, a few times.  Later none can be: who writes holds the
 * row of the lease. */
static bool transaction_begin(void *connection, enum db_mode mode, struct err *err)
{
    struct postgres *p = connection;
    bool lost, was_lost = false;

    if (p->stale && !p->pooled && p->session != NULL && PQstatus(p->session) == CONNECTION_OK && postgres_command(p, "DEALLOCATE ALL", err))
        p->stale = false, p->epoch++;
    p->open = true;
    for (unsigned pause_ms = BEGIN_PAUSE_MS; ; pause_ms *= 2) {
        p->in_the_way = false;
        if (session_begin(p, mode, err) && postgres_dress(p, mode, err))
            return true;
        /* A line that ended while nobody used it is found out here; the next try takes another. */
        lost = !was_lost && p->session != NULL && (p->dead || PQstatus(p->session) != CONNECTION_OK);
        was_lost = was_lost || lost;
        if (!lost && (!p->in_the_way || pause_ms > BEGIN_PAUSE_MAX_MS))
            break;
        if (!lost)
            clock_sleep_ms(pause_ms);
    }
    p->open = false;
    if (p->session != NULL && postgres_in_transaction(p))
        (void)!postgres_command(p, "ROLLBACK", &(struct err){ 0 });
    return false;
}

static bool session_script(void *connection, const char *sql, struct err *err)
{
    int parameters;
    char *theirs = postgres_words(sql, &parameters);
    bool ok = postgres_command(connection, theirs, err);

    free(theirs);
    return ok;
}

/* An aborted transaction answers COMMIT by ROLLBACK; a line that ends before the answer leaves the outcome unknown. */
static bool session_commit(void *connection, struct err *err)
{
    struct postgres *p = connection;
    bool open, answered, kept;
    PGresult *result;

    p->open = false;
    if (!postgres_flush(p, err)) {            /* nothing was sent that could be kept */
        (void)!postgres_command(p, "ROLLBACK", &(struct err){ 0 });
        return false;
    }
    open = PQtransactionStatus(p->session) != PQTRANS_IDLE;
    postgres_round_trip();
    result = PQexec(p->session, "COMMIT");
    answered = PQresultStatus(result) == PGRES_COMMAND_OK;
    kept = answered && open && strcmp(PQcmdStatus(result), "COMMIT") == 0;
    if (!kept && answered) {
        err_set(err, ERR_STORE, "the database rolled the transaction back");
    } else if (!kept) {
        postgres_refused(p, result, "commit", err);
        if (p->dead || PQstatus(p->session) != CONNECTION_OK || session_in_transaction(p))
            err->code = ERR_UNKNOWN;
    }
    PQclear(result);
    return kept;
}

static bool session_flush(void *connection, struct err *err)
{
    return postgres_flush(connection, err);
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
    .scheme = "postgresql", .open = session_open, .close = session_close, .reopen = session_reopen, .keep = session_keep,
    .begin = transaction_begin, .in_transaction = session_in_transaction, .script = session_script, .commit = session_commit,
    .backup = session_backup, .prepare = postgres_prepare, .parameters = postgres_parameters,
    .bind_i64 = postgres_bind_i64, .bind_text = postgres_bind_text, .bind_blob = postgres_bind_blob,
    .bind_null = postgres_bind_null, .step = postgres_step, .later = postgres_later, .flush = session_flush, .counts = postgres_counts, .changed = session_changed, .reset = postgres_reset,
    .is_null = postgres_is_null, .i64 = postgres_i64, .text = postgres_text, .blob = postgres_blob, .finish = postgres_finish,
    .columns = postgres_columns, .references = postgres_references, .numbers = postgres_numbers,
};
