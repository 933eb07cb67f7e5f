/* The turn to write: one row that every writing transaction locks first and counts up last, so that no two overlap and who finds that
 * others have written knows it.  Each writer has a row of its own besides, by which a COMMIT without an answer is looked up. */
#include "store/postgres.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/lib/crypt.h"


/* A statement with one number in and the text of one field out; *found false: it gave no row. */
static bool ask(struct postgres *p, const char *sql, const char *number, char *text, size_t size, bool *found, struct err *err)
{
    PGresult *result;
    bool ok;

    if (!postgres_flush(p, err))
        return false;
    postgres_round_trip();
    result = PQexecParams(p->session, sql, 1, NULL, &number, NULL, NULL, 0);
    ok = PQresultStatus(result) == PGRES_TUPLES_OK || postgres_refused(p, result, "store", err);
    if (ok) {
        *found = PQntuples(result) > 0;
        snprintf(text, size, "%s", *found ? PQgetvalue(result, 0, 0) : "");
    }
    PQclear(result);
    return ok;
}

static bool statement(struct postgres *p, const char *sql, struct postgres_statement **st, struct err *err)
{
    void *handle;

    if (*st == NULL && postgres_prepare(p, sql, &handle, err)) {
        *st = handle;
        (*st)->told = "turn";
    }
    return *st != NULL;
}

/* All in one round trip. */
static bool take_turn(struct postgres *p, struct err *err)
{
    struct postgres_statement *st = NULL;
    bool ok = statement(p, "SELECT number FROM writer_turn WHERE one = 1 FOR UPDATE", &p->turn_begin, err)
        && postgres_tell_text(p, "BEGIN ISOLATION LEVEL READ COMMITTED", err)
        && (!p->pooled || postgres_tell_text(p, POSTGRES_TURN_LIMITS("true"), err));

    if (!ok)
        return false;
    st = p->turn_begin;
    ok = postgres_ask(st, st->sql, true, err)
        && (PQntuples(st->result) == 1 || err_set(err, ERR_STORE, "nobody can write: the row of table writer_turn is gone"));
    if (ok) {
        st->row = 0;
        p->turn = (uint64_t)postgres_i64(st, 0);
        p->others_wrote = p->turn != p->seen;
        p->seen = p->turn++;
    }
    postgres_reset(st);
    return ok;
}

bool postgres_turn_begin(struct postgres *p, struct err *err)
{
    if (take_turn(p, err))
        return true;
    if (PQtransactionStatus(p->session) != PQTRANS_IDLE)
        (void)!postgres_command(p, "ROLLBACK", &(struct err){ 0 });
    return false;
}

bool postgres_turn_end(struct postgres *p, struct err *err)
{
    struct postgres_statement *st;
    bool ok;

    if (!statement(p, "WITH counted AS (UPDATE writer_turn SET number = ? WHERE one = 1) INSERT INTO writers (id, turn) VALUES (?, ?)"
                      " ON CONFLICT (id) DO UPDATE SET turn = excluded.turn", &p->turn_end, err))
        return false;
    st = p->turn_end;
    ok = postgres_bind_i64(st, 1, (int64_t)p->turn) && postgres_bind_i64(st, 2, (int64_t)p->id) && postgres_bind_i64(st, 3, (int64_t)p->turn)
        && postgres_tell(st, st->sql, true, 1, err);
    postgres_reset(st);
    return ok;
}

void postgres_turn_free(struct postgres *p)
{
    if (p->turn_begin != NULL)
        postgres_finish(p->turn_begin);
    if (p->turn_end != NULL)
        postgres_finish(p->turn_end);
}

bool postgres_was_kept(void *connection, bool *kept, struct err *err)
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

bool postgres_others_wrote(void *connection)
{
    const struct postgres *p = connection;

    return p->others_wrote;
}

/* Those that make the first table at once are in each other's way, IF NOT EXISTS or not: a later one is told of the table, of its
 * type or of a row of the catalogue, whichever it meets.  By then the table is there, so the second try says all there is to say. */
static bool turn_table(struct postgres *p, struct err *err)
{
    static const char table[] = "CREATE TABLE IF NOT EXISTS writer_turn (one BIGINT PRIMARY KEY CHECK (one = 1), number BIGINT NOT NULL)";

    return (postgres_command(p, table, err) || postgres_command(p, table, err))
        && postgres_command(p, "INSERT INTO writer_turn VALUES (1, 0) ON CONFLICT (one) DO NOTHING", err);
}

bool postgres_turn_prepare(struct postgres *p, struct err *err)
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
    return turn_table(p, err) && postgres_turn_begin(p, err) && postgres_command(p, made, err);
}
