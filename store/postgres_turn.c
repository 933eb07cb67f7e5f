/* The turn to write: one row that every writing transaction locks first and counts up last, so that no two overlap and who finds that
 * others have written knows it.  Each writer has a row of its own besides, by which a COMMIT without an answer is looked up. */
#include "store/postgres.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/lib/crypt.h"

/* Longer than a group ever pauses between two statements, and shorter than others like to wait: a writer that was stopped or whose
 * line is dead in its turn loses it, and what it did in it. */
#define TURN_IDLE_MS "5000"
#define TURN_WAIT_MS "10000"
#define TURN_BEGIN "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = " TURN_IDLE_MS ";" \
    " SET LOCAL lock_timeout = " TURN_WAIT_MS "; SELECT number FROM writer_turn WHERE one = 1 FOR UPDATE"

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

bool postgres_turn_begin(struct postgres *p, struct err *err)
{
    PGresult *result;
    bool ok;

    postgres_round_trip();
    result = PQexec(p->session, TURN_BEGIN);
    ok = PQresultStatus(result) == PGRES_TUPLES_OK || postgres_refused(p, result, "turn", err);
    if (ok && PQntuples(result) != 1)
        ok = err_set(err, ERR_STORE, "nobody can write: the row of table writer_turn is gone");
    if (ok) {
        p->turn = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
        p->others_wrote = p->turn != p->seen;
        p->seen = p->turn++;
    } else if (PQtransactionStatus(p->session) != PQTRANS_IDLE) {
        (void)!postgres_command(p, "ROLLBACK", &(struct err){ 0 });
    }
    PQclear(result);
    return ok;
}

void postgres_turn_end(const struct postgres *p, char sql[POSTGRES_TURN_END])
{
    snprintf(sql, POSTGRES_TURN_END, "UPDATE writer_turn SET number = %" PRIu64 " WHERE one = 1; INSERT INTO writers (id, turn) VALUES"
             " (%" PRIu64 ", %" PRIu64 ") ON CONFLICT (id) DO UPDATE SET turn = excluded.turn; COMMIT", p->turn, p->id, p->turn);
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
