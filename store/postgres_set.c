/* Many rows or keys in one statement of the PostgreSQL driver.  What is bound to one text again and again gathers in a column a parameter,
 * and travels as arrays:
 *
 *   INSERT INTO t (a, b) VALUES (?, 1), (?, 1) ON CONFLICT ...   INSERT INTO t (a, b) SELECT v.c1, 1 FROM (SELECT unnest($1)) AS v (c1)
 *                                                                  ON CONFLICT ...
 *   SELECT x FROM t WHERE a = ?                                  SELECT r.*, v.n FROM unnest($1) WITH ORDINALITY AS v (c1, n)
 *                                                                  CROSS JOIN LATERAL (SELECT x FROM t WHERE a = v.c1 OFFSET 0) AS r
 *
 * OFFSET 0 keeps the planner from joining another way than key by key, which for a large table and many keys would read all of it. */
#include "store/postgres_set.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

#define ROWS_MAX 20000u                       /* a statement; more go in several */
#define COLUMN_MAX ((size_t)4 * 1024 * 1024)

/* ---- texts ---- */

static const char *end_of_tuple(const char *open)
{
    int depth = 0;

    for (const char *at = open; *at != '\0'; at++) {
        depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
        if (depth == 0)
            return at + 1;
    }
    bug("a tuple without an end: %s", open);
}

/* The parts of an INSERT of rows that are all alike: its first tuple, and what stands behind the last. */
static void split_insert(const char *sql, const char **tuple, size_t *len, const char **rest)
{
    const char *values = strstr(sql, " VALUES (");

    if (values == NULL)
        bug("no rows in: %s", sql);
    *tuple = values + sizeof " VALUES " - 1;
    *rest = end_of_tuple(*tuple);
    *len = (size_t)(*rest - *tuple);
    while (strncmp(*rest, ", ", 2) == 0 && strncmp(*rest + 2, *tuple, *len) == 0)
        *rest += 2 + *len;
}

static int add_with_columns(const char *text, size_t len, struct buf *out)
{
    int columns = 0;

    for (size_t i = 0; i < len; i++)
        if (text[i] == '?')
            buf_printf(out, "v.c%d", ++columns);
        else
            buf_add(out, text + i, 1);
    return columns;
}

static void add_names(int columns, const char *more, struct buf *out)
{
    buf_add_text(out, " AS v (");
    for (int i = 1; i <= columns; i++)
        buf_printf(out, "%sc%d", i > 1 ? ", " : "", i);
    buf_printf(out, "%s)", more);
}

/* Arrays of one length side by side, row by row: in FROM each would be stored whole first. */
static void add_rows(int columns, struct buf *out)
{
    buf_add_text(out, " FROM (SELECT ");
    for (int i = 1; i <= columns; i++)
        buf_printf(out, "%sunnest($%d)", i > 1 ? ", " : "", i);
    buf_add_text(out, ")");
    add_names(columns, "", out);
}

static void add_keys(int columns, struct buf *out)
{
    buf_add_text(out, " FROM unnest(");
    for (int i = 1; i <= columns; i++)
        buf_printf(out, "%s$%d", i > 1 ? ", " : "", i);
    buf_add_text(out, ") WITH ORDINALITY");
    add_names(columns, ", n", out);
}

/* one: the statement for a single row, whose parameters' types are asked for. */
static int write_texts(const char *sql, struct buf *one, struct buf *whole)
{
    const char *tuple, *rest;
    struct buf values;
    size_t len;
    int columns;

    buf_init(&values);
    if (strncmp(sql, "INSERT", 6) == 0) {
        split_insert(sql, &tuple, &len, &rest);
        columns = add_with_columns(tuple + 1, len - 2, &values);
        buf_printf(whole, "%.*sSELECT %s", (int)(tuple - sql) - (int)sizeof "VALUES " + 1, sql, buf_text(&values));
        add_rows(columns, whole);
        buf_add_text(whole, rest);
        buf_printf(one, "%.*s%s", (int)(tuple - sql) + (int)len, sql, rest);
    } else {
        columns = add_with_columns(sql, strlen(sql), &values);
        buf_add_text(whole, "SELECT r.*, v.n");
        add_keys(columns, whole);
        buf_printf(whole, " CROSS JOIN LATERAL (%s OFFSET 0) AS r", buf_text(&values));
        buf_add_text(one, sql);
    }
    buf_clear(&values);
    return columns;
}

/* ---- the set of a statement ---- */

void postgres_set_free(struct postgres_set *set)
{
    if (set == NULL)
        return;
    for (int i = 0; i < set->columns; i++)
        buf_clear(&set->column[i].elements);
    free(set->column);
    PQclear(set->early);
    postgres_finish(set->whole);
    free(set);
}

static bool set_new(struct postgres_statement *st, struct postgres_set **set, struct err *err)
{
    struct postgres_set *s = mem_new(sizeof *s);
    struct buf one, whole;
    void *handle = NULL;
    Oid *types;
    char *theirs;
    bool ok;

    buf_init(&one);
    buf_init(&whole);
    s->columns = write_texts(st->told, &one, &whole);
    s->column = mem_array((size_t)s->columns + 1, sizeof *s->column);
    types = mem_array((size_t)s->columns + 1, sizeof *types);
    theirs = postgres_words(buf_text(&one), &(int){ 0 });
    ok = postgres_types(st, theirs, s->columns, types, err) && postgres_prepare(st->p, buf_text(&whole), &handle, err);
    if (ok) {
        s->whole = handle;
        postgres_statement_params(s->whole, s->columns);
        s->whole->told = st->told;
    }
    for (int i = 0; i < s->columns; i++) {
        s->column[i].type = types[i];
        buf_init(&s->column[i].elements);
    }
    free(types);
    free(theirs);
    buf_clear(&one);
    buf_clear(&whole);
    if (ok)
        *set = s;
    else
        free(s->column), free(s);
    return ok;
}

/* ---- gathering ---- */

static void add_value(struct column *c, const struct postgres_value *v, const char *told)
{
    uint32_t len = htobe32(v->bytes == NULL ? UINT32_MAX : (uint32_t)v->len);

    if (v->bytes != NULL && v->type != c->type)
        bug("a value of type %u for one of %u in: %s", v->type, c->type, told);
    buf_add(&c->elements, &len, sizeof len);
    if (v->bytes != NULL)
        buf_add(&c->elements, v->bytes, (size_t)v->len);
}

bool postgres_set_add(struct postgres_statement *st, struct err *err)
{
    struct postgres_set *s = st->set;

    if (s == NULL && !set_new(st, &st->set, err))
        return false;
    s = st->set;
    for (int i = 0; i < st->count; i++)
        add_value(&s->column[i % s->columns], &st->value[i], st->told);
    s->rows += (uint64_t)(st->count / s->columns);
    for (int i = 0; i < s->columns; i++)
        if (s->column[i].elements.failed)
            return err_set(err, ERR_LIMIT, "rows of over %zu bytes: %.200s", BUF_DEFAULT_MAX, st->told);
    return true;
}

static bool is_full(const struct postgres_set *s)
{
    for (int i = 0; i < s->columns; i++)
        if (s->column[i].elements.len >= COLUMN_MAX)
            return true;
    return s->rows >= ROWS_MAX;
}

/* One array: dimensions, whether it has NULLs, type, then length and lowest index of the dimension (array_recv). */
static void bind_array(struct postgres_statement *whole, int at, struct column *c, size_t from, size_t to, uint64_t rows)
{
    const uint32_t head[POSTGRES_ARRAY_HEAD / sizeof(uint32_t)] = { htobe32(1), htobe32(1), htobe32(c->type), htobe32((uint32_t)rows), htobe32(1) };
    struct postgres_value *v = &whole->value[at];

    free(v->owned);
    v->owned = mem_array(sizeof head + to - from + 1, 1);
    memcpy(v->owned, head, sizeof head);
    if (to > from)
        memcpy(v->owned + sizeof head, c->elements.data + from, to - from);
    v->bytes = v->owned;
    v->len = (int)(sizeof head + to - from);
    v->type = postgres_array_of(c->type);
}

void postgres_set_bind(struct postgres_set *s, bool behind)
{
    for (int i = 0; i < s->columns; i++) {
        struct column *c = &s->column[i];

        bind_array(s->whole, i, c, behind ? c->marked : 0, behind ? c->elements.len : c->marked, behind ? s->rows - s->marked : s->marked);
    }
}

/* All rows are of one side of the savepoint. */
static void unmark(struct postgres_set *s)
{
    s->marked = 0;
    for (int i = 0; i < s->columns; i++)
        s->column[i].marked = 0;
}

void postgres_set_empty(struct postgres_set *s)
{
    unmark(s);
    for (int i = 0; i < s->columns; i++)
        buf_reset(&s->column[i].elements);
    s->rows = 0;
}

static void forget(struct postgres_set *s)
{
    postgres_set_empty(s);
    postgres_reset(s->whole);
}

static bool tell_part(struct postgres_set *s, bool behind, struct err *err)
{
    uint64_t rows = behind ? s->rows - s->marked : s->marked;

    if (rows == 0)
        return true;
    postgres_set_bind(s, behind);
    return postgres_tell_now(s->whole, rows, err);
}

/* ---- rows that are inserted ---- */

void postgres_rows_mark(struct postgres *p)
{
    struct postgres_set *s = p->gathering != NULL ? p->gathering->set : NULL;

    p->savepoint = SAVEPOINT_WANTED;
    if (s == NULL)
        return;
    s->marked = s->rows;
    for (int i = 0; i < s->columns; i++)
        s->column[i].marked = s->column[i].elements.len;
}

void postgres_rows_back(struct postgres *p)
{
    struct postgres_set *s = p->gathering != NULL ? p->gathering->set : NULL;

    if (s == NULL)
        return;
    s->rows = s->marked;
    for (int i = 0; i < s->columns; i++)
        s->column[i].elements.len = s->column[i].marked;
}

void postgres_rows_drop(struct postgres *p)
{
    if (p->gathering != NULL)
        forget(p->gathering->set);
    p->gathering = NULL;
}

static bool tell_savepoint(struct postgres *p, struct err *err)
{
    if (p->savepoint != SAVEPOINT_WANTED)
        return true;
    p->savepoint = SAVEPOINT_SET;
    return postgres_tell_text(p, "SAVEPOINT task", err);
}

bool postgres_rows_send(struct postgres *p, struct err *err)
{
    struct postgres_set *s = p->gathering != NULL ? p->gathering->set : NULL;
    bool ok;

    p->gathering = NULL;
    if (s != NULL && p->savepoint != SAVEPOINT_WANTED)
        unmark(s);
    ok = (s == NULL || tell_part(s, false, err)) && tell_savepoint(p, err) && (s == NULL || tell_part(s, true, err));
    if (s != NULL)
        forget(s);
    return ok;
}

bool postgres_rows(void *connection, void *handle, uint64_t rows, struct err *err)
{
    struct postgres_statement *st = handle;
    struct postgres *p = connection;

    if (p->careful > 0 || !postgres_in_transaction(p))
        return postgres_later(connection, handle, rows, err);
    if (p->gathering != st && p->gathering != NULL && !postgres_rows_send(p, err))
        return false;
    if (!postgres_set_add(st, err))
        return false;
    p->gathering = st;
    return !is_full(st->set) || postgres_rows_send(p, err);
}
