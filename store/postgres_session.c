/* Sessions of the PostgreSQL driver: whom to connect to, and what is set there.
 *
 * A url may name several hosts.  A writer wants the one that takes writes; a reader too, so that it sees what was just written,
 * and where none does it reads from any: a standby goes on answering.  Behind a pooler (pgbouncer in transaction mode) a session is
 * not ours, so nothing is set or prepared in it: transactions carry what they need (postgres_dress). */
#include "store/postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A page of receipts takes milliseconds; what takes longer than this would only be in the way. */
#define READ_TIMEOUT "60000"
#define STRICTER " WHERE current_setting('synchronous_commit') IN ('off', 'local')"

static void hush(void *self, const PGresult *notice)
{
    (void)self, (void)notice;                 /* "relation exists, skipping" is no news */
}

static PGconn *connect_to(const char *url, const char *wanted)
{
    /* Before the url: it may say otherwise.  Behind it: it may not. */
    static const char *const keys[] = { "connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
                                        "fallback_application_name", "target_session_attrs", "dbname", "client_encoding", NULL };
    const char *values[] = { "5", "5", "2", "3", "15000", "quittance", wanted, url, "UTF8", NULL };

    return PQconnectdbParams(keys, values, 1);
}

static bool first_line(const PGconn *session, struct err *err)
{
    const char *message = PQerrorMessage(session);

    return err_set(err, ERR_AGAIN, "the store: %.*s", (int)strcspn(message, "\n"), message);
}

/* A pooler tells its client a process of its own making. */
static bool find_pooler(struct postgres *p, struct err *err)
{
    PGresult *result = PQexec(p->session, "SELECT pg_backend_pid()");
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK || postgres_refused(p, result, "store", err);

    if (ok)
        p->pooled = strtol(PQgetvalue(result, 0, 0), NULL, 10) != PQbackendPID(p->session);
    PQclear(result);
    return ok;
}

static bool settle_down(struct postgres *p, struct err *err)
{
    static const char reader[] = "SET default_transaction_read_only = on; SET statement_timeout = " READ_TIMEOUT;
    /* A writer looks for keys: planning that for each array anew would find the same way. */
    static const char writer[] = "SET plan_cache_mode = force_generic_plan; " POSTGRES_TURN_LIMITS("false")
                                 "; SELECT set_config('synchronous_commit', 'on', false)" STRICTER;

    PQsetNoticeReceiver(p->session, hush, NULL);
    if (!find_pooler(p, err))
        return false;
    return p->pooled || postgres_command(p, p->mode == DB_READ ? reader : writer, err);
}

bool postgres_connect(struct postgres *p, struct err *err)
{
    p->pending_count = 0;
    postgres_rows_drop(p);
    p->savepoint = SAVEPOINT_NONE;
    p->epoch++;
    p->stale = p->elsewhere = p->dead = p->asked_to_listen = p->listens = false;
    p->session = connect_to(p->url, "read-write");
    if (PQstatus(p->session) != CONNECTION_OK && p->mode == DB_READ) {
        PQfinish(p->session);
        p->session = connect_to(p->url, "any");
    }
    if (PQstatus(p->session) == CONNECTION_OK ? settle_down(p, err) : first_line(p->session, err))
        return true;
    postgres_disconnect(p);
    return false;
}

void postgres_disconnect(struct postgres *p)
{
    PQfinish(p->session);
    p->session = NULL;
    p->pending_count = 0;
}

bool postgres_dress(struct postgres *p, enum db_mode mode, struct err *err)
{
    static const char reader[] = "SET LOCAL statement_timeout = " READ_TIMEOUT;
    static const char writer[] = "SELECT set_config('synchronous_commit', 'on', true)" STRICTER;

    return !p->pooled || postgres_command(p, mode == DB_READ ? reader : writer, err);
}

bool postgres_command(struct postgres *p, const char *sql, struct err *err)
{
    bool ok, rollback = strcmp(sql, "ROLLBACK") == 0;
    PGresult *result;
    ExecStatusType status;

    /* What waits for its answer goes first; a rollback wants none of it. */
    if (rollback)
        postgres_rows_drop(p);
    if (((!rollback && !postgres_rows_send(p, err)) || !postgres_flush(p, err)) && !rollback)
        return false;
    p->open = p->open && !rollback;
    postgres_round_trip();
    result = p->session != NULL ? PQexec(p->session, sql) : NULL;
    status = PQresultStatus(result);
    ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || postgres_refused(p, result, "store", err);
    PQclear(result);
    return ok;
}
