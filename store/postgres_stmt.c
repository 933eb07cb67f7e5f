/* Statements of the PostgreSQL driver: values in binary, and rows.
 *
 * A result comes whole, but for lists that may be long (ORDER BY without LIMIT): those are read through a cursor, FETCH_ROWS at
 * a time, so that a batch of millions needs no memory and other statements may run between its rows. */
#include "store/postgres.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

#define FETCH_ROWS "1000"
/* Types by their object id, as in pg_type.dat of PostgreSQL's source: fixed for ever. */
enum { TYPE_BOOL = 16, TYPE_BYTEA = 17, TYPE_INT8 = 20, TYPE_INT4 = 23, TYPE_TEXT = 25, TYPE_NUMERIC = 1700,
       TYPE_BYTEA_ARRAY = 1001, TYPE_TEXT_ARRAY = 1009, TYPE_INT8_ARRAY = 1016 };

Oid postgres_array_of(Oid type)
{
    switch (type) {
    case TYPE_BYTEA: return TYPE_BYTEA_ARRAY;
    case TYPE_INT8:  return TYPE_INT8_ARRAY;
    case TYPE_TEXT:  return TYPE_TEXT_ARRAY;
    }
    bug("no column of ours has type %u", type);
}

/* ---- values in ---- */

static struct postgres_value *place(void *handle, int at)
{
    struct postgres_statement *st = handle;

    return st != NULL && at >= 1 && at <= st->count ? &st->value[at - 1] : NULL;
}

static bool put(void *handle, int at, Oid type, const void *bytes, size_t len)
{
    struct postgres_value *v = place(handle, at);

    if (v == NULL || len > INT32_MAX)
        return false;
    free(v->owned);
    *v = (struct postgres_value){ .type = type, .bytes = bytes, .len = (int)len };
    return true;
}

bool postgres_bind_i64(void *handle, int at, int64_t number)
{
    struct postgres_value *v = place(handle, at);

    if (!put(handle, at, TYPE_INT8, "", sizeof v->number))
        return false;
    v->number = htobe64((uint64_t)number);
    v->bytes = (const char *)&v->number;
    return true;
}

bool postgres_bind_text(void *handle, int at, const char *text)
{
    return put(handle, at, TYPE_TEXT, text, text != NULL ? strlen(text) : 0);
}

bool postgres_bind_blob(void *handle, int at, const void *bytes, size_t len, bool copy)
{
    struct postgres_value *v = place(handle, at);

    if (!put(handle, at, TYPE_BYTEA, bytes != NULL ? bytes : "", len))
        return false;
    if (copy && len > 0) {
        v->owned = mem_array(len, 1);
        memcpy(v->owned, bytes, len);
        v->bytes = v->owned;
    }
    return true;
}

bool postgres_bind_null(void *handle, int at)
{
    return put(handle, at, 0, NULL, 0);
}

/* ---- preparing ---- */

static void free_params(struct postgres_statement *st)
{
    free(st->value);
    free(st->types);
    free(st->bytes);
    free(st->lens);
    free(st->formats);
}

void postgres_statement_params(struct postgres_statement *st, int count)
{
    free_params(st);
    st->count = count;
    st->value = mem_array((size_t)count + 1, sizeof *st->value);
    st->types = mem_array((size_t)count + 1, sizeof *st->types);
    st->bytes = mem_array((size_t)count + 1, sizeof *st->bytes);
    st->lens = mem_array((size_t)count + 1, sizeof *st->lens);
    st->formats = mem_array((size_t)count + 1, sizeof *st->formats);
    for (int i = 0; i < count; i++)
        st->formats[i] = 1;                   /* binary */
}

bool postgres_prepare(void *connection, const char *sql, void **handle, struct err *err)
{
    struct postgres_statement *st = mem_new(sizeof *st);
    struct postgres *p = connection;
    struct buf declare;
    int count;

    (void)err;
    st->p = p;
    st->told = sql;
    st->sql = postgres_words(sql, &count);
    postgres_statement_params(st, count);
    if (strncmp(sql, "SELECT", 6) == 0 && strstr(sql, "ORDER BY") != NULL && strstr(sql, "LIMIT") == NULL) {
        p->cursors++;
        buf_init(&declare);
        buf_printf(&declare, "DECLARE list%" PRIu64 " NO SCROLL CURSOR FOR %s", p->cursors, st->sql);
        st->declare = mem_text(buf_text(&declare));
        buf_clear(&declare);
        snprintf(st->fetch, sizeof st->fetch, "FETCH " FETCH_ROWS " FROM list%" PRIu64, p->cursors);
    }
    *handle = st;
    return true;
}

int postgres_parameters(void *handle)
{
    const struct postgres_statement *st = handle;

    return st->count;
}

/* ---- rows out ---- */

/* A cursor lives in a transaction only. */
static bool in_transaction(const struct postgres *p)
{
    return p->session != NULL && !p->dead && (p->pending_count > 0 || PQtransactionStatus(p->session) == PQTRANS_INTRANS);
}

/* A reader between transactions has nothing to lose: where its session is gone, it asks once more in a new one. */
static bool ask_anew(struct postgres_statement *st, struct err *err)
{
    struct postgres *p = st->p;

    if (p->mode != DB_READ || p->open || (p->session != NULL && !p->dead && PQstatus(p->session) == CONNECTION_OK))
        return false;
    postgres_disconnect(p);
    return postgres_connect(p, err) && postgres_ask(st, st->sql, true, err);
}

static bool run(struct postgres_statement *st, struct err *err)
{
    if (postgres_has_keys(st))
        return postgres_set_ask(st, err);
    st->by_cursor = st->declare != NULL && in_transaction(st->p);
    if (!st->by_cursor)
        return postgres_ask(st, st->sql, true, err) || ask_anew(st, err);
    return postgres_ask(st, st->declare, true, err) && postgres_ask(st, st->fetch, false, err);
}

bool postgres_step(void *connection, void *handle, bool *row, struct err *err)
{
    struct postgres_statement *st = handle;
    struct postgres *p = connection;

    if (!st->running) {
        if (!run(st, err))
            return false;
        st->running = true;
        p->changed = strtoull(PQcmdTuples(st->result), NULL, 10);
    } else if (st->by_cursor && st->row + 1 == PQntuples(st->result) && PQntuples(st->result) > 0
               && !postgres_ask(st, st->fetch, false, err)) {
        return false;
    }
    *row = ++st->row < PQntuples(st->result);
    return true;
}

bool postgres_later(void *connection, void *handle, uint64_t rows, struct err *err)
{
    struct postgres_statement *st = handle;
    const struct postgres *p = connection;
    uint64_t changed;

    if (in_transaction(p))
        return postgres_tell(st, st->sql, true, rows, err);
    if (!postgres_ask(st, st->sql, true, err))
        return false;
    changed = strtoull(PQcmdTuples(st->result), NULL, 10);
    return rows == POSTGRES_ANY_ROWS || changed == rows
        || err_set(err, ERR_BUG, "%" PRIu64 " rows changed instead of %" PRIu64 ": %.200s", changed, rows, st->told);
}

/* What was read so far goes; a cursor that its transaction took along needs no closing. */
void postgres_reset(void *handle)
{
    struct postgres_statement *st = handle;
    struct err ignored;
    char close[48];

    if (st->running && st->by_cursor && in_transaction(st->p)) {
        snprintf(close, sizeof close, "CLOSE %s", st->fetch + sizeof "FETCH " FETCH_ROWS " FROM" );
        (void)!postgres_tell(st, close, false, POSTGRES_ANY_ROWS, &ignored);
    }
    PQclear(st->result);
    st->result = NULL;
    st->running = false;
    postgres_keys_drop(st);
    for (int i = 0; i < st->count; i++) {
        free(st->value[i].owned);
        st->value[i] = (struct postgres_value){ 0 };
    }
}

void postgres_finish(void *handle)
{
    struct postgres_statement *st = handle;

    postgres_reset(st);
    if (st->p->gathering == st)
        st->p->gathering = NULL;              /* the session goes, and with it the transaction */
    postgres_set_free(st->set);
    free_params(st);
    free(st->declare);
    free(st->sql);
    free(st);
}

bool postgres_is_null(void *handle, int at)
{
    const struct postgres_statement *st = handle;

    return PQgetisnull(st->result, st->row, at) == 1;
}

/* A sum of numbers is a numeric: 16-bit counts of digits groups, weight, sign, scale, then groups of four decimal digits
 * (src/backend/utils/adt/numeric.c, numeric_send). */
static int64_t numeric(const char *bytes)
{
    uint16_t head[4], group;
    int64_t v = 0;

    memcpy(head, bytes, sizeof head);
    for (int i = 0; i <= (int16_t)be16toh(head[1]); i++) {
        group = 0;
        if (i < be16toh(head[0]))
            memcpy(&group, bytes + sizeof head + 2 * (size_t)i, sizeof group);
        v = v * 10000 + be16toh(group);
    }
    return be16toh(head[2]) == 0x4000 ? -v : v;
}

int64_t postgres_i64(void *handle, int at)
{
    const struct postgres_statement *st = handle;
    const char *bytes = PQgetvalue(st->result, st->row, at);
    uint64_t eight;
    uint32_t four;

    if (PQgetisnull(st->result, st->row, at) == 1)
        return 0;
    switch (PQftype(st->result, at)) {
    case TYPE_INT8:
        memcpy(&eight, bytes, sizeof eight);
        return (int64_t)be64toh(eight);
    case TYPE_INT4:
        memcpy(&four, bytes, sizeof four);
        return (int32_t)be32toh(four);
    case TYPE_BOOL:
        return bytes[0];
    case TYPE_NUMERIC:
        return numeric(bytes);
    }
    bug("column %d of: %s is no number", at, st->told);
}

const char *postgres_text(void *handle, int at)
{
    const struct postgres_statement *st = handle;

    return PQgetisnull(st->result, st->row, at) == 1 ? NULL : PQgetvalue(st->result, st->row, at);
}

void postgres_blob(void *handle, int at, const void **bytes, size_t *len)
{
    const struct postgres_statement *st = handle;

    *bytes = PQgetisnull(st->result, st->row, at) == 1 ? NULL : PQgetvalue(st->result, st->row, at);
    *len = *bytes != NULL ? (size_t)PQgetlength(st->result, st->row, at) : 0;
}
