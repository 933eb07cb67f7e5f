#include "store/copy_tables.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "store/driver.h"

/* ---- the list ---- */

static char *take_text(struct buf *b)
{
    char *text = mem_text(buf_text(b));

    buf_clear(b);
    return text;
}

static void add_columns(const struct copy_table *t, struct buf *out)
{
    for (size_t i = 0; i < t->columns; i++)
        buf_printf(out, "%s\"%s\"", i > 0 ? ", " : "", t->column[i].name);
}

/* Texts by their bytes, whatever order the database's own language has. */
static void add_keys(const struct copy_table *t, const char *direction, struct buf *out)
{
    for (size_t i = 0; i < t->keys; i++) {
        const struct copy_column *c = &t->column[t->key[i]];

        buf_printf(out, "%s\"%s\"%s%s", i > 0 ? ", " : "", c->name, c->kind == CELL_TEXT ? " COLLATE BINARY" : "", direction);
    }
}

static void add_marks(size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++)
        buf_add_text(out, i > 0 ? ", ?" : "?");
}

static char *select_text(const struct copy_table *t, bool behind)
{
    struct buf b;

    buf_init(&b);
    buf_add_text(&b, "SELECT ");
    add_columns(t, &b);
    buf_printf(&b, " FROM \"%s\"", t->name);
    if (behind) {
        buf_add_text(&b, " WHERE (");
        add_keys(t, "", &b);
        buf_add_text(&b, ") > (");
        add_marks(t->keys, &b);
        buf_add_byte(&b, ')');
    }
    buf_add_text(&b, " ORDER BY ");
    add_keys(t, "", &b);
    buf_printf(&b, " LIMIT %d", COPY_PAGE);
    return take_text(&b);
}

static char *last_text(const struct copy_table *t)
{
    struct buf b;

    buf_init(&b);
    buf_add_text(&b, "SELECT ");
    add_keys(t, "", &b);
    buf_printf(&b, " FROM \"%s\" ORDER BY ", t->name);
    add_keys(t, " DESC", &b);
    buf_add_text(&b, " LIMIT 1");
    return take_text(&b);
}

static char *insert_text(const struct copy_table *t)
{
    struct buf b;

    buf_init(&b);
    buf_printf(&b, "INSERT INTO \"%s\" (", t->name);
    add_columns(t, &b);
    buf_add_text(&b, ") VALUES (");
    add_marks(t->columns, &b);
    buf_add_byte(&b, ')');
    return take_text(&b);
}

static char *short_text(const char *before, const char *name, const char *after)
{
    struct buf b;

    buf_init(&b);
    buf_printf(&b, "%s\"%s\"%s", before, name, after);
    return take_text(&b);
}

static bool finish_table(struct copy_table *t, struct err *err)
{
    for (size_t i = 0; i < t->columns; i++) {
        if (t->column[i].kind == CELL_NULL)
            return err_set(err, ERR_BUG, "column %s of %s is of no kind that is copied", t->column[i].name, t->name);
        if (t->column[i].key > 0) {
            t->key[t->column[i].key - 1] = i;
            t->keys++;
        }
    }
    if (t->keys == 0)
        return err_set(err, ERR_BUG, "table %s has no primary key", t->name);
    t->first = select_text(t, false);
    t->next = select_text(t, true);
    t->insert = insert_text(t);
    t->last = last_text(t);
    t->exists = short_text("SELECT EXISTS (SELECT 1 FROM ", t->name, ")");
    t->empty = short_text("DELETE FROM ", t->name, "");
    return true;
}

static bool read_column(struct stmt *st, struct copy_tables *tables, struct err *err)
{
    struct copy_table *t = tables->count > 0 ? &tables->list[tables->count - 1] : NULL;
    struct copy_column c = { 0 };
    char name[sizeof t->name];

    stmt_text(st, name, sizeof name);
    stmt_text(st, c.name, sizeof c.name);
    c.kind = (enum cell_kind)stmt_enum(st, CELL_NULL, CELL_BYTES);
    c.key = stmt_enum(st, 0, (int)COPY_COLUMNS_MAX);
    if (!stmt_ok(st, err))
        return false;
    if (t == NULL || strcmp(t->name, name) != 0) {
        tables->list = mem_grow(tables->list, tables->count + 1, sizeof *tables->list);
        t = &tables->list[tables->count++];
        *t = (struct copy_table){ 0 };
        memcpy(t->name, name, sizeof name);
    }
    if (t->columns == COPY_COLUMNS_MAX)
        return err_set(err, ERR_LIMIT, "table %s has too many columns", name);
    t->column[t->columns++] = c;
    return true;
}

bool copy_tables_read(struct db *db, struct copy_tables *tables, struct err *err)
{
    struct copy_tables got = { 0 };
    struct stmt st;
    bool row, ok;

    if (!db_prepare(db, db->driver->columns, &st, err))
        return false;
    while ((ok = stmt_step(&st, &row, err)) && row) {
        ok = read_column(&st, &got, err);
        if (!ok)
            break;
    }
    stmt_end(&st);
    for (size_t i = 0; ok && i < got.count; i++)
        ok = finish_table(&got.list[i], err);
    if (ok)
        *tables = got;
    else
        copy_tables_free(&got);
    return ok;
}

void copy_tables_free(struct copy_tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        struct copy_table *t = &tables->list[i];

        free(t->first);
        free(t->next);
        free(t->insert);
        free(t->last);
        free(t->exists);
        free(t->empty);
    }
    free(tables->list);
    *tables = (struct copy_tables){ 0 };
}

struct copy_table *copy_table_find(const struct copy_tables *tables, const char *name)
{
    for (size_t i = 0; i < tables->count; i++)
        if (strcmp(tables->list[i].name, name) == 0)
            return &tables->list[i];
    return NULL;
}

bool copy_tables_same(const struct copy_tables *a, const struct copy_tables *b, struct err *err)
{
    if (a->count != b->count)
        return err_set(err, ERR_BUG, "%zu tables here, %zu there", a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct copy_table *t = &a->list[i], *o = &b->list[i];

        /* The statements say it all but the kinds. */
        if (strcmp(t->insert, o->insert) != 0 || strcmp(t->next, o->next) != 0)
            return err_set(err, ERR_BUG, "table %s is another there: %s", t->name, o->name);
        for (size_t c = 0; c < t->columns; c++)
            if (t->column[c].kind != o->column[c].kind)
                return err_set(err, ERR_BUG, "column %s of %s is of another kind there", t->column[c].name, t->name);
    }
    return true;
}

/* ---- order ---- */

struct reference { char table[64], to[64]; };
struct references { struct reference *list; size_t count; };

static bool references_read(struct db *db, struct references *references, struct err *err)
{
    struct stmt st;
    bool row, ok;

    if (!db_prepare(db, db->driver->references, &st, err))
        return false;
    while ((ok = stmt_step(&st, &row, err)) && row) {
        struct reference *r;

        references->list = mem_grow(references->list, references->count + 1, sizeof *references->list);
        r = &references->list[references->count++];
        stmt_text(&st, r->table, sizeof r->table);
        stmt_text(&st, r->to, sizeof r->to);
    }
    return ok;
}

static bool waits(const struct copy_tables *tables, const struct references *references, const struct copy_table *t)
{
    for (size_t i = 0; i < references->count; i++) {
        const struct reference *r = &references->list[i];
        const struct copy_table *to = copy_table_find(tables, r->to);

        if (strcmp(r->table, t->name) == 0 && to != NULL && to != t && !to->done)
            return true;
    }
    return false;
}

bool copy_tables_in_order(struct db *db, struct copy_tables *tables, copy_table_fn *visit, void *self, struct err *err)
{
    struct references references = { 0 };
    bool ok = references_read(db, &references, err);
    size_t left = tables->count;

    for (size_t i = 0; i < tables->count; i++)
        tables->list[i].done = false;
    while (ok && left > 0) {
        size_t before = left;

        for (size_t i = 0; ok && i < tables->count; i++) {
            struct copy_table *t = &tables->list[i];

            if (t->done || waits(tables, &references, t))
                continue;
            ok = visit(self, t, err);
            t->done = true;
            left--;
        }
        if (ok && left == before)
            ok = err_set(err, ERR_BUG, "tables refer to each other in a ring");
    }
    free(references.list);
    return ok;
}
