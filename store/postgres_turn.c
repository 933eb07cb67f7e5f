/* Who writes: each writer has a row of its own.
 *
 * One that works beside others locks its own row and nothing that another needs.  One that wants the turn locks the one row of writer_turn
 * and then the rows of all writers: it waits for those that write, and has what it wants once all of them have ended and none has begun
 * again before it.  The row of writer_turn changes only when somebody joins or leaves, as those who wait for a row are served in the order
 * in which they came where it stays as it is.  All who write beside others want a turn themselves soon, so nobody waits for long.
 *
 * Who had a turn counts in its own row (turn), so that the highest of all is the last turn's number, and who finds another than before
 * knows that others had one; writer_turn has the number of the turn in which somebody joined or left last.  What works beside others counts
 * in its own row, too (beside), so that who has a turn knows of it; and each row has the number of what its writer gave to COMMIT last
 * (groups), so that one without an answer can be looked up. */
#include "store/postgres.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/core/word.h"
#include "gateway/lib/crypt.h"

/* Of a row: died, or had nothing to write for so long that it is in no doubt about a COMMIT any more. */
#define GONE "at < now() - INTERVAL '10 minutes'"
/* Who waits in a group beside others waits for a row that another has put in, as a rule the same receipt, and may hold what that one
 * waits for: nobody should wait with them for a second until the database sees the circle. */
#define BESIDE_WAIT_MS "100"

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

static bool begin(struct postgres *p, struct err *err)
{
    return postgres_tell_text(p, "BEGIN ISOLATION LEVEL READ COMMITTED", err)
        && (!p->pooled || postgres_tell_text(p, POSTGRES_TURN_LIMITS("true"), err))
        && (!p->leaving || postgres_tell_text(p, "SET LOCAL lock_timeout = 500", err));
}

/* The answer to an early question; the one after it has come. */
static bool came(const PGresult *answer, struct err *err)
{
    return PQresultStatus(answer) == PGRES_TUPLES_OK || err_set(err, ERR_STORE, "nobody can write: no answer about the turn");
}

static uint64_t number_at(const PGresult *answer, int row, int column)
{
    return be64_get((const uint8_t *)PQgetvalue(answer, row, column));
}

/* What the rows of all writers say together. */
struct all { uint64_t turn, besides, own_besides; bool joined, gone; };

/* Of rows (id, turn, beside, gone); since: the turn in which one joined or left. */
static struct all look_at_all(const struct postgres *p, const PGresult *writers, uint64_t since)
{
    struct all all = { .turn = since };

    for (int i = 0; i < PQntuples(writers); i++) {
        uint64_t turn = number_at(writers, i, 1), beside = number_at(writers, i, 2);

        all.turn = turn > all.turn ? turn : all.turn;
        all.besides += beside;
        if (number_at(writers, i, 0) == p->id) {
            all.joined = true;
            all.own_besides = beside;
        } else if (number_at(writers, i, 3) != 0) {
            all.gone = true;
        }
    }
    return all;
}

/* Both sums grow with each group beside others, of any and of ours. */
static void begin_turn(struct postgres *p, const struct all *all, uint64_t since)
{
    bool others_besides = all->besides - all->own_besides != p->besides - p->own_besides;

    p->place = (struct db_place){ .since = since, .others = all->turn != p->seen || others_besides };
    p->others_wrote = p->others_wrote || all->turn != p->seen || all->besides != p->besides;
    p->joined = all->joined;
    p->somebody_is_gone = all->gone;
    p->seen = all->turn;
    p->besides = all->besides;
    p->own_besides = all->own_besides;
    p->turn = all->turn + 1;
}

static bool take_turn(struct postgres *p, struct err *err)
{
    PGresult *gate = NULL;
    bool ok = statement(p, "SELECT number FROM writer_turn WHERE one = 1 FOR UPDATE", &p->turn_begin, err)
           && statement(p, "SELECT id, turn, beside, (CASE WHEN " GONE " THEN 1 ELSE 0 END)::BIGINT FROM writers ORDER BY id FOR UPDATE",
                        &p->turn_writers, err)
           && begin(p, err) && postgres_ask_early(p->turn_begin, &gate, err)
           && postgres_ask(p->turn_writers, p->turn_writers->sql, true, err) && came(gate, err)
           && (PQntuples(gate) == 1 || err_set(err, ERR_STORE, "nobody can write: the row of table writer_turn is gone"));

    if (ok) {
        uint64_t since = number_at(gate, 0, 0);
        struct all all = look_at_all(p, p->turn_writers->result, since);

        begin_turn(p, &all, since);
    }
    PQclear(gate);
    if (p->turn_begin != NULL)
        postgres_reset(p->turn_begin);
    if (p->turn_writers != NULL)
        postgres_reset(p->turn_writers);
    return ok;
}

/* Its own row first: what is read after that stays true until it is let go, as who has a turn holds it. */
static bool go_beside(struct postgres *p, struct err *err)
{
    PGresult *own = NULL;
    bool ok = statement(p, "SELECT beside FROM writers WHERE id = ? FOR UPDATE", &p->beside_begin, err)
           && statement(p, "SELECT number, MAX(turn), COUNT(*), COUNT(*) FILTER (WHERE id < ?),"
                           " set_config('lock_timeout', '" BESIDE_WAIT_MS "', true) FROM writer_turn, writers GROUP BY number", &p->beside_place, err)
           && postgres_bind_i64(p->beside_begin, 1, (int64_t)p->id) && postgres_bind_i64(p->beside_place, 1, (int64_t)p->id)
           && begin(p, err) && postgres_ask_early(p->beside_begin, &own, err)
           && postgres_ask(p->beside_place, p->beside_place->sql, true, err) && came(own, err);

    p->place = (struct db_place){ 0 };
    if (ok && PQntuples(own) == 1) {
        const PGresult *place = p->beside_place->result;
        uint64_t since = number_at(place, 0, 0), turn = number_at(place, 0, 1);

        turn = since > turn ? since : turn;
        p->others_wrote = p->others_wrote || turn != p->seen;
        p->seen = turn;
        p->place = (struct db_place){ .writers = number_at(place, 0, 2), .rank = number_at(place, 0, 3), .since = since };
    }
    PQclear(own);
    if (p->beside_begin != NULL)
        postgres_reset(p->beside_begin);
    if (p->beside_place != NULL)
        postgres_reset(p->beside_place);
    return ok;
}

bool postgres_turn_begin(struct postgres *p, enum db_mode mode, struct err *err)
{
    p->beside = mode == DB_BESIDE;
    if (p->beside ? go_beside(p, err) : take_turn(p, err))
        return true;
    if (PQtransactionStatus(p->session) != PQTRANS_IDLE)
        (void)!postgres_command(p, "ROLLBACK", &(struct err){ 0 });
    return false;
}

static bool end_beside(struct postgres *p, struct err *err)
{
    struct postgres_statement *st;
    bool ok;

    if (!statement(p, "UPDATE writers SET groups = ?, beside = beside + 1, at = now() WHERE id = ?", &p->beside_end, err))
        return false;
    st = p->beside_end;
    ok = postgres_bind_i64(st, 1, (int64_t)p->tried) && postgres_bind_i64(st, 2, (int64_t)p->id) && postgres_tell(st, st->sql, true, 1, err);
    postgres_reset(st);
    return ok;
}

/* Joins, and takes away the rows of those who are gone; one that was only idle joins again. */
static bool change_places(struct postgres *p, struct err *err)
{
    char sql[400];

    snprintf(sql, sizeof sql, "DELETE FROM writers WHERE id <> %" PRIu64 " AND " GONE ";"
                              "INSERT INTO writers (id, turn) VALUES (%" PRIu64 ", 0) ON CONFLICT (id) DO NOTHING;"
                              "UPDATE writer_turn SET number = %" PRIu64, p->id, p->id, p->turn);
    return postgres_command(p, sql, err);
}

static bool end_turn(struct postgres *p, struct err *err)
{
    struct postgres_statement *st;
    bool ok;

    if (((!p->joined || p->somebody_is_gone) && !change_places(p, err))
        || !statement(p, "UPDATE writers SET turn = ?, groups = ?, at = now() WHERE id = ?", &p->turn_end, err))
        return false;
    st = p->turn_end;
    ok = postgres_bind_i64(st, 1, (int64_t)p->turn) && postgres_bind_i64(st, 2, (int64_t)p->tried) && postgres_bind_i64(st, 3, (int64_t)p->id)
        && postgres_tell(st, st->sql, true, 1, err);
    postgres_reset(st);
    return ok;
}

bool postgres_turn_end(struct postgres *p, struct err *err)
{
    p->tried_with_row = p->beside || p->joined;
    return p->beside ? end_beside(p, err) : end_turn(p, err);
}

void postgres_turn_kept(struct postgres *p)
{
    if (p->beside)
        postgres_kept_beside();
    else
        p->seen = p->turn;
}

struct db_place postgres_place(void *connection)
{
    const struct postgres *p = connection;

    return p->place;
}

void postgres_turn_free(struct postgres *p)
{
    struct postgres_statement *const all[] = { p->turn_begin, p->turn_writers, p->turn_end, p->beside_begin, p->beside_place, p->beside_end };

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i] != NULL)
            postgres_finish(all[i]);
}

bool postgres_was_kept(void *connection, bool *kept, struct err *err)
{
    struct postgres *p = connection;
    char id[24], groups[24];
    bool found;

    snprintf(id, sizeof id, "%" PRIu64, p->id);
    if (!ask(p, "SELECT groups FROM writers WHERE id = $1::BIGINT", id, groups, sizeof groups, &found, err))
        return false;
    /* One that joins with it has none where it was not kept; another's was taken away, and nobody knows any more. */
    *kept = found && strtoull(groups, NULL, 10) == p->tried;
    return found || !p->tried_with_row || err_set(err, ERR_STORE, "our row of table writers is gone");
}

bool postgres_others_wrote(void *connection)
{
    const struct postgres *p = connection;

    return p->others_wrote;
}

/* Those that make the first tables at once are in each other's way, IF NOT EXISTS or not: a later one is told of the table, of its
 * type or of a row of the catalogue, whichever it meets.  By then the table is there, so the second try says all there is to say. */
static bool turn_tables(struct postgres *p, struct err *err)
{
    static const char made[] = "CREATE TABLE IF NOT EXISTS writer_turn (one BIGINT PRIMARY KEY CHECK (one = 1), number BIGINT NOT NULL);"
        "CREATE TABLE IF NOT EXISTS writers (id BIGINT PRIMARY KEY, turn BIGINT NOT NULL);"
        "ALTER TABLE writers ADD COLUMN IF NOT EXISTS groups BIGINT NOT NULL DEFAULT 0,"
        " ADD COLUMN IF NOT EXISTS beside BIGINT NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS at TIMESTAMPTZ NOT NULL DEFAULT now();"
        "INSERT INTO writer_turn VALUES (1, 0) ON CONFLICT (one) DO NOTHING";

    return postgres_command(p, "SELECT number, at FROM writer_turn, writers LIMIT 0", err)
        || postgres_command(p, made, err) || postgres_command(p, made, err);
}

bool postgres_turn_prepare(struct postgres *p, struct err *err)
{
    /* What SQLite has and our statements use. */
    static const char made[] = "CREATE OR REPLACE FUNCTION zeroblob(n BIGINT) RETURNS BYTEA LANGUAGE SQL IMMUTABLE AS"
        " 'SELECT decode(repeat(''00'', n::INTEGER), ''hex'')';"
        "CREATE OR REPLACE FUNCTION substr(bytes BYTEA, place BIGINT, count BIGINT) RETURNS BYTEA LANGUAGE SQL IMMUTABLE AS"
        " 'SELECT pg_catalog.substr(bytes, place::INTEGER, count::INTEGER)'";

    crypt_random(&p->id, sizeof p->id);
    p->id >>= 1;                              /* the database's numbers are signed */
    p->seen = UINT64_MAX;
    p->tried = 1;
    /* Who joins has a turn, so that the others know how many they are. */
    return turn_tables(p, err) && postgres_turn_begin(p, DB_WRITE, err) && postgres_command(p, made, err) && postgres_turn_end(p, err)
        && postgres_command(p, "COMMIT", err);
}

/* The others need not reckon with it any more.  Where it cannot be said now, a row too many costs them little. */
void postgres_turn_leave(struct postgres *p)
{
    struct err ignored;
    char text[200];

    p->leaving = true;
    if (p->id == 0 || p->session == NULL || p->dead || PQstatus(p->session) != CONNECTION_OK || !postgres_turn_begin(p, DB_WRITE, &ignored))
        return;
    snprintf(text, sizeof text, "UPDATE writer_turn SET number = %" PRIu64 "; DELETE FROM writers WHERE id = %" PRIu64 "; COMMIT", p->turn, p->id);
    (void)!postgres_command(p, text, &ignored);
}
