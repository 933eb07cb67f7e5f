/* Rows of whole tables: pages behind a key, inserts, the last key (copy_tables.h). */
#include "store/copy_tables.h"

#include <string.h>

void copy_key_init(struct copy_key *key)
{
    key->any = false;
    for (size_t i = 0; i < COPY_COLUMNS_MAX; i++)
        buf_init(&key->bytes[i]);
}

void copy_key_clear(struct copy_key *key)
{
    for (size_t i = 0; i < COPY_COLUMNS_MAX; i++)
        buf_clear(&key->bytes[i]);
    key->any = false;
}

static void bind_cell(struct stmt *st, const struct cell *c)
{
    switch (c->kind) {
    case CELL_NULL:   stmt_bind_null(st); break;
    case CELL_NUMBER: stmt_bind_i64(st, c->number); break;
    case CELL_TEXT:   stmt_bind_text(st, c->bytes); break;
    case CELL_BYTES:  stmt_bind_blob(st, c->bytes, c->len); break;
    }
}

/* A text ends with a zero byte in both drivers; one within would cut it, and the digests would tell. */
static struct cell read_cell(struct stmt *st, enum cell_kind kind)
{
    struct cell c = { .kind = stmt_null(st) ? CELL_NULL : kind };

    if (kind == CELL_NUMBER) {
        c.number = stmt_i64(st);
    } else if (kind == CELL_TEXT) {
        c.bytes = stmt_text_borrow(st);
        c.len = c.bytes != NULL ? strlen(c.bytes) : 0;
    } else {
        stmt_blob(st, &c.bytes, &c.len);
    }
    return c;
}

static bool key_set(struct copy_key *key, size_t at, const struct cell *c)
{
    key->number[at] = c->number;
    buf_reset(&key->bytes[at]);
    return c->len == 0 || buf_add(&key->bytes[at], c->bytes, c->len);
}

static void bind_key(struct stmt *st, const struct copy_table *t, const struct copy_key *key)
{
    for (size_t i = 0; i < t->keys; i++) {
        const struct buf *bytes = &key->bytes[i];
        struct cell c = { t->column[t->key[i]].kind, key->number[i], bytes->data, bytes->len };

        if (c.kind == CELL_TEXT)
            c.bytes = buf_text(bytes);
        bind_cell(st, &c);
    }
}

bool copy_page(struct db *db, const struct copy_table *t, struct copy_key *after, copy_row_fn *visit, void *self, uint64_t *rows,
               struct err *err)
{
    struct cell cells[COPY_COLUMNS_MAX];
    struct copy_key last;                     /* what is bound is borrowed until the statement ends */
    struct stmt st;
    bool row, ok;

    *rows = 0;
    if (!db_prepare(db, after->any ? t->next : t->first, &st, err))
        return false;
    copy_key_init(&last);
    if (after->any)
        bind_key(&st, t, after);
    while ((ok = stmt_step(&st, &row, err)) && row) {
        for (size_t i = 0; i < t->columns; i++)
            cells[i] = read_cell(&st, t->column[i].kind);
        for (size_t i = 0; i < t->keys; i++)
            if (!key_set(&last, i, &cells[t->key[i]]))
                ok = err_set(err, ERR_LIMIT, "a key of %s", t->name);
        ok = ok && visit(self, cells, err);
        if (!ok) {
            stmt_end(&st);
            break;
        }
        ++*rows;
    }
    if (ok && *rows > 0) {
        copy_key_clear(after);
        *after = last;
        after->any = true;
    } else {
        copy_key_clear(&last);
    }
    return ok;
}

bool copy_insert(struct db *db, const struct copy_table *t, const struct cell *cells, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, t->insert, &st, err))
        return false;
    for (size_t i = 0; i < t->columns; i++)
        bind_cell(&st, &cells[i]);
    return stmt_exec_later(&st, 1, err);
}

bool copy_last_key(struct db *db, const struct copy_table *t, struct copy_key *key, struct err *err)
{
    struct stmt st;
    bool row, ok = true;

    if (!db_prepare(db, t->last, &st, err) || !stmt_step(&st, &row, err))
        return false;
    for (size_t i = 0; ok && row && i < t->keys; i++) {
        struct cell c = read_cell(&st, t->column[t->key[i]].kind);

        ok = key_set(key, i, &c) || err_set(err, ERR_LIMIT, "a key of %s", t->name);
    }
    stmt_end(&st);
    key->any = row;
    return ok;
}

bool copy_is_empty(struct db *db, const struct copy_table *t, bool *is, struct err *err)
{
    struct stmt st;
    bool row;

    if (!db_prepare(db, t->exists, &st, err) || !stmt_step(&st, &row, err))
        return false;
    *is = !row || stmt_i64(&st) == 0;
    stmt_end(&st);
    return true;
}

bool copy_make_empty(struct db *db, const struct copy_table *t, struct err *err)
{
    struct stmt st;

    return db_prepare(db, t->empty, &st, err) && stmt_exec(&st, NULL, err);
}
