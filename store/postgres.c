/* The PostgreSQL driver: sessions and transactions. */
#include "store/postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"

#define BEGIN_PAUSE_MS 10u                    /* doubled each time */
#define BEGIN_PAUSE_MAX_MS 160u
/* A partition that were dropped between a snapshot and its first look at receipts would be missing in it, and what was moved out of it
 * not be seen yet: the lock is taken before the snapshot is. */
#define SNAPSHOT_BEGIN "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; LOCK TABLE ONLY receipts IN ACCESS SHARE MODE"

/* SQLSTATE, appendix A of PostgreSQL's manual. */
static const struct { const char *state; enum err_code code; bool in_the_way, elsewhere; } states[] = {
    { "23505", ERR_CONFLICT, false, false },  /* unique_violation */
    { "08",    ERR_AGAIN,    false, true },   /* connection exceptions */
    { "57P",   ERR_AGAIN,    false, true },   /* the server is starting or stopping */
    { "25006", ERR_AGAIN,    false, true },   /* read_only_sql_transaction: a standby, or one that became one */
    { "57014", ERR_AGAIN,    false, false },  /* query_canceled: too slow */
    { "53",    ERR_AGAIN,    false, false },  /* insufficient resources */
    { "40",    ERR_AGAIN,    true,  false },  /* serialization_failure, deadlock_detected */
    { "55P03", ERR_AGAIN,    false, false },  /* lock_not_available: a turn that did not come */
    { "25P03", ERR_AGAIN,    false, false },  /* idle_in_transaction_session_timeout: one that was lost */
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

/* ---- sessions ---- */

static void session_close(void *connection)
{
    struct postgres *p = connection;

    if (!p->open)
        postgres_turn_leave(p);
    postgres_turn_free(p);
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
    if (!postgres_connect(p, err) || (mode == DB_WRITE && !postgres_turn_prepare(p, err))) {
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
    return postgres_connect(p, err);
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
    return mode == DB_READ ? postgres_command(p, SNAPSHOT_BEGIN, err) : postgres_turn_begin(p, mode, err);
}

/* One that others were in the way of has done nothing yet: it begins anew, a few times.  Later none can be: who writes has the
 * turn. */
static bool transaction_begin(void *connection, enum db_mode mode, struct err *err)
{
    struct postgres *p = connection;
    bool lost, was_lost = false;

    if (p->stale && !p->pooled && p->session != NULL && PQstatus(p->session) == CONNECTION_OK && postgres_command(p, "DEALLOCATE ALL", err))
        p->stale = false, p->epoch++;
    p->open = true;
    postgres_rows_drop(p);
    p->savepoint = SAVEPOINT_NONE;
    p->readings++;
    p->careful -= p->careful > 0;
    p->others_wrote = p->others_wrote && !p->told;        /* what a try found out is for the transaction that comes about in the end */
    p->told = false;
    for (unsigned pause_ms = BEGIN_PAUSE_MS; ; pause_ms *= 2) {
        p->in_the_way = false;
        if (session_begin(p, mode, err) && postgres_dress(p, mode, err)) {
            p->told = true;
            return true;
        }
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

/* COMMIT would say yes where no transaction is open, and ROLLBACK where it was aborted. */
static bool may_commit(const struct postgres *p, struct err *err)
{
    PGTransactionStatusType status = PQtransactionStatus(p->session);

    return (status != PQTRANS_IDLE && status != PQTRANS_INERROR) || err_set(err, ERR_STORE, "the database rolled the transaction back");
}

/* What waits travels with COMMIT, unless it may turn out to be wrong without failing there. */
static bool send_before_commit(struct postgres *p, struct err *err)
{
    if (!postgres_pending_is_sure(p) && !postgres_flush(p, err))
        return false;
    return p->mode == DB_READ || postgres_turn_end(p, err);
}

/* A line that ends before the answer leaves the outcome unknown. */
static bool session_commit(void *connection, struct err *err)
{
    struct postgres *p = connection;
    bool well, kept;
    PGresult *answer;

    p->open = false;
    p->tried++;
    if (!may_commit(p, err) || !postgres_rows_send(p, err) || !send_before_commit(p, err)) {
        (void)!postgres_command(p, "ROLLBACK", &(struct err){ 0 });
        return false;                         /* nothing was sent that could be kept */
    }
    well = postgres_ask_commit(p, &answer, err);
    kept = PQresultStatus(answer) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(answer), "COMMIT") == 0;
    if (kept) {
        postgres_turn_kept(p);
    } else if (PQresultStatus(answer) == PGRES_COMMAND_OK) {      /* by ROLLBACK */
        err_set(err, ERR_STORE, "the database rolled the transaction back");
    } else {
        if (well)
            postgres_refused(p, answer, "commit", err);
        if (PQstatus(p->session) == CONNECTION_OK && PQtransactionStatus(p->session) == PQTRANS_INERROR)
            (void)!postgres_command(p, "ROLLBACK", &(struct err){ 0 });
        if (p->dead || PQstatus(p->session) != CONNECTION_OK || session_in_transaction(p))
            err->code = ERR_UNKNOWN;
    }
    PQclear(answer);
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

static void session_mark(void *connection)
{
    postgres_rows_mark(connection);
}

static bool session_unmark(void *connection, bool back)
{
    struct postgres *p = connection;
    bool set = p->savepoint == SAVEPOINT_SET;

    if (back && set)
        postgres_rows_drop(p);                /* those of the tasks before were sent */
    else if (back)
        postgres_rows_back(p);
    p->savepoint = SAVEPOINT_NONE;
    p->readings += back;                      /* what was read may be what is undone */
    return !set;
}

static uint64_t session_changed(void *connection)
{
    const struct postgres *p = connection;

    return p->changed;
}

const struct driver driver_postgres = {
    .scheme = "postgresql", .open = session_open, .close = session_close, .reopen = session_reopen,
    .others_wrote = postgres_others_wrote, .was_kept = postgres_was_kept, .place = postgres_place,
    .tell_others = postgres_tell_others, .wait = postgres_wait,
    .begin = transaction_begin, .in_transaction = session_in_transaction, .script = session_script, .commit = session_commit,
    .backup = session_backup, .prepare = postgres_prepare, .parameters = postgres_parameters,
    .bind_i64 = postgres_bind_i64, .bind_text = postgres_bind_text, .bind_blob = postgres_bind_blob,
    .bind_null = postgres_bind_null, .step = postgres_step, .later = postgres_later, .flush = session_flush, .counts = postgres_counts,
    .changed = session_changed, .reset = postgres_reset,
    .mark = session_mark, .unmark = session_unmark, .rows = postgres_rows, .key = postgres_key, .soon = postgres_soon, .key_of = postgres_key_of,
    .is_null = postgres_is_null, .i64 = postgres_i64, .text = postgres_text, .blob = postgres_blob, .finish = postgres_finish,
    .days = true, .columns = postgres_columns, .references = postgres_references, .numbers = postgres_numbers,
};
