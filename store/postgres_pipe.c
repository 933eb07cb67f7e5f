/* How statements of the PostgreSQL driver travel: those whose answer can wait leave with the next that cannot, in one round trip.
 *
 * libpq's pipeline mode.  The server runs them in their order, so what is read sees what was written before; after one that fails it
 * runs none, and says so to who waits first.  A savepoint is released only when all before it is known to be well (db.c), so that
 * a failure never falls on another task.  Statements that come again are prepared under a name, but not behind a pooler, where the
 * next transaction may meet another server process. */
#include "store/postgres.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

#define PENDING_MAX 2000u                     /* answers that wait take memory on both sides */
/* Rows that were refused failed all tasks they gathered from: for so many transactions each task answers for its own, so that one that is
 * tried again and again fails alone. */
#define CAREFUL 100u

static atomic_uint_fast64_t statements, round_trips, beside;

void postgres_counts(struct db_counts *counts)
{
    counts->statements = atomic_load(&statements);
    counts->round_trips = atomic_load(&round_trips);
    counts->beside = atomic_load(&beside);
}

void postgres_round_trip(void)
{
    atomic_fetch_add_explicit(&round_trips, 1, memory_order_relaxed);
}

void postgres_kept_beside(void)
{
    atomic_fetch_add_explicit(&beside, 1, memory_order_relaxed);
}

bool postgres_in_transaction(const struct postgres *p)
{
    PGTransactionStatusType status = p->session != NULL && !p->dead ? PQtransactionStatus(p->session) : PQTRANS_UNKNOWN;

    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

/* ---- sending ---- */

static void remember(struct postgres *p, uint64_t rows, const char *told)
{
    if (p->pending_count == p->pending_room) {
        p->pending_room = p->pending_room == 0 ? 64 : 2 * p->pending_room;
        p->pending = mem_grow(p->pending, p->pending_room, sizeof *p->pending);
    }
    p->pending[p->pending_count++] = (struct postgres_pending){ .rows = rows, .told = told };
}

/* The types that the server was told of; NULL tells none. */
static bool types_hold(struct postgres_statement *st)
{
    bool hold = true;

    for (int i = 0; i < st->count; i++)
        if (st->value[i].type != 0 && st->types[i] != st->value[i].type) {
            st->types[i] = st->value[i].type;
            hold = false;
        }
    return hold;
}

/* *named: under st->name from now on. */
static bool send_prepare(struct postgres *p, struct postgres_statement *st, bool *named)
{
    bool hold = types_hold(st), again = st->ran;

    st->ran = true;
    *named = again && !p->pooled && !p->stale;
    if (!*named || (hold && st->named_in == p->epoch))
        return true;
    st->named_in = p->epoch;
    snprintf(st->name, sizeof st->name, "s%" PRIu64, ++p->names);
    if (PQsendPrepare(p->session, st->name, st->sql, st->count, st->types) != 1)
        return false;
    remember(p, POSTGRES_ANY_ROWS, st->told);
    return true;
}

static bool send_values(struct postgres *p, struct postgres_statement *st, const char *sql)
{
    bool named;

    for (int i = 0; i < st->count; i++) {
        st->bytes[i] = st->value[i].bytes;
        st->lens[i] = st->value[i].len;
    }
    if (sql != st->sql) {
        types_hold(st);
        return PQsendQueryParams(p->session, sql, st->count, st->types, st->bytes, st->lens, st->formats, 1) == 1;
    }
    if (!send_prepare(p, st, &named))
        return false;
    if (named)
        return PQsendQueryPrepared(p->session, st->name, st->count, st->bytes, st->lens, st->formats, 1) == 1;
    return PQsendQueryParams(p->session, sql, st->count, st->types, st->bytes, st->lens, st->formats, 1) == 1;
}

static bool into_pipeline(struct postgres *p)
{
    atomic_fetch_add_explicit(&statements, 1, memory_order_relaxed);
    return p->session != NULL && (PQpipelineStatus(p->session) != PQ_PIPELINE_OFF || PQenterPipelineMode(p->session) == 1);
}

static bool send_one(struct postgres *p, struct postgres_statement *st, const char *sql, bool with_values)
{
    if (!into_pipeline(p))
        return false;
    return with_values ? send_values(p, st, sql) : PQsendQueryParams(p->session, sql, 0, NULL, NULL, NULL, NULL, 1) == 1;
}

/* ---- answers ---- */

/* The result of one statement; NULL: the line is gone. */
static PGresult *one_result(struct postgres *p)
{
    PGresult *result = PQgetResult(p->session), *more;

    while (result != NULL && (more = PQgetResult(p->session)) != NULL)
        PQclear(more);
    return result;
}

static bool came_well(struct postgres *p, const PGresult *result, const struct postgres_pending *of, struct err *err)
{
    ExecStatusType status = PQresultStatus(result);
    uint64_t rows;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return postgres_refused(p, result, of->told, err);
    rows = of->rows == POSTGRES_ANY_ROWS ? 0 : strtoull(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10);
    return of->rows == POSTGRES_ANY_ROWS || rows == of->rows
        || err_set(err, ERR_BUG, "%" PRIu64 " rows changed instead of %" PRIu64 ": %.200s", rows, of->rows, of->told);
}

/* All answers; own: that of the last statement sent, which is not among the pending.  false: one failed late. */
static bool receive(struct postgres *p, PGresult **own, struct err *err)
{
    bool ok = PQpipelineSync(p->session) == 1 || postgres_refused(p, NULL, "store", err);
    size_t count = p->pending_count;
    PGresult *result;

    postgres_round_trip();
    p->pending_count = 0;
    for (size_t i = 0; i < count && PQstatus(p->session) == CONNECTION_OK; i++) {
        result = one_result(p);
        if (ok)
            ok = came_well(p, result, &p->pending[i], err);
        if (!ok && p->pending[i].gathered && !p->beside)        /* beside others it is most likely another's row */
            p->careful = CAREFUL;
        if (ok && p->pending[i].answer != NULL) {
            PQclear(*p->pending[i].answer);
            *p->pending[i].answer = result;
        } else {
            PQclear(result);
        }
    }
    if (ok && PQstatus(p->session) != CONNECTION_OK)
        ok = postgres_refused(p, NULL, "store", err);
    if (own != NULL)
        *own = one_result(p);
    while (PQstatus(p->session) == CONNECTION_OK && (result = PQgetResult(p->session)) != NULL) {
        bool end = PQresultStatus(result) == PGRES_PIPELINE_SYNC;

        PQclear(result);
        if (end)
            break;
    }
    (void)PQexitPipelineMode(p->session);
    return ok;
}

bool postgres_flush(struct postgres *p, struct err *err)
{
    if (p->session == NULL || PQpipelineStatus(p->session) == PQ_PIPELINE_OFF)
        return true;
    if (receive(p, NULL, err))
        return true;
    p->stale = true;
    return false;
}

bool postgres_ask(struct postgres_statement *st, const char *sql, bool with_values, struct err *err)
{
    struct postgres *p = st->p;
    ExecStatusType status;
    bool well;

    PQclear(st->result);
    st->result = NULL;
    st->row = -1;
    if (!postgres_rows_send(p, err))
        return false;
    if (!send_one(p, st, sql, with_values))
        return postgres_refused(p, NULL, st->told, err);
    well = receive(p, &st->result, err);
    status = PQresultStatus(st->result);
    if (well && (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK))
        return true;
    p->stale = true;
    return well && postgres_refused(p, st->result, st->told, err);
}

/* gathered: by postgres_rows, so that what is refused is of no one task. */
static bool told(struct postgres *p, bool sent, uint64_t rows, bool gathered, const char *text, struct err *err)
{
    if (!sent)
        return postgres_refused(p, NULL, text, err);
    remember(p, rows, text);
    p->pending[p->pending_count - 1].gathered = gathered;
    return p->pending_count < PENDING_MAX || postgres_flush(p, err);
}

bool postgres_tell(struct postgres_statement *st, const char *sql, bool with_values, uint64_t rows, struct err *err)
{
    return postgres_rows_send(st->p, err) && told(st->p, send_one(st->p, st, sql, with_values), rows, false, st->told, err);
}

bool postgres_tell_now(struct postgres_statement *st, uint64_t rows, struct err *err)
{
    return told(st->p, send_one(st->p, st, st->sql, true), rows, true, st->told, err);
}

bool postgres_ask_early(struct postgres_statement *st, PGresult **answer, struct err *err)
{
    struct postgres *p = st->p;

    if (!postgres_rows_send(p, err))
        return false;
    if (!send_one(p, st, st->sql, true))
        return postgres_refused(p, NULL, st->told, err);
    remember(p, POSTGRES_ANY_ROWS, st->told);
    p->pending[p->pending_count - 1].answer = answer;
    return true;
}

bool postgres_tell_text(struct postgres *p, const char *literal_sql, struct err *err)
{
    bool sent = into_pipeline(p) && PQsendQueryParams(p->session, literal_sql, 0, NULL, NULL, NULL, NULL, 1) == 1;

    return told(p, sent, POSTGRES_ANY_ROWS, false, literal_sql, err);
}

/* An INSERT of rows adds all of them or fails; what looks for rows may find another number. */
static bool is_sure(const struct postgres_pending *of)
{
    return of->rows == POSTGRES_ANY_ROWS
        || (strncmp(of->told, "INSERT", 6) == 0 && strstr(of->told, " VALUES (") != NULL && strstr(of->told, "DO NOTHING") == NULL
            && strstr(of->told, " WHERE ") == NULL);
}

bool postgres_pending_is_sure(const struct postgres *p)
{
    for (size_t i = 0; i < p->pending_count; i++)
        if (!is_sure(&p->pending[i]))
            return false;
    return true;
}

bool postgres_ask_commit(struct postgres *p, PGresult **answer, struct err *err)
{
    *answer = NULL;
    if (!into_pipeline(p) || PQsendQueryParams(p->session, "COMMIT", 0, NULL, NULL, NULL, NULL, 1) != 1)
        return postgres_refused(p, NULL, "commit", err);
    if (receive(p, answer, err))
        return true;
    p->stale = true;
    return false;
}

bool postgres_types(struct postgres_statement *st, const char *sql, int count, Oid *types, struct err *err)
{
    struct postgres *p = st->p;
    PGresult *result = NULL;
    bool well;

    /* Both in one round trip: behind a pooler the next may meet another server process. */
    if (!into_pipeline(p) || PQsendPrepare(p->session, "", sql, 0, NULL) != 1)
        return postgres_refused(p, NULL, st->told, err);
    remember(p, POSTGRES_ANY_ROWS, st->told);
    if (PQsendDescribePrepared(p->session, "") != 1)
        return postgres_refused(p, NULL, st->told, err);
    well = receive(p, &result, err);
    if (well && PQresultStatus(result) == PGRES_COMMAND_OK && PQnparams(result) == count) {
        for (int i = 0; i < count; i++)
            types[i] = PQparamtype(result, i);
        PQclear(result);
        return true;
    }
    p->stale = true;
    well = well && postgres_refused(p, result, st->told, err);
    PQclear(result);
    return well;
}
