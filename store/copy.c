#include "store/copy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"
#include "gateway/core/word.h"
#include "gateway/lib/crypt.h"
#include "store/copy_tables.h"
#include "store/driver.h"
#include "store/meta.h"

#define MARK "copy_of"                        /* in meta while a copy is under way: a number made of what is copied */
#define PAGES 20                              /* of rows, a transaction */
#define KEEP_MS 2000                          /* less than a turn that stands still lasts */

struct copy {
    struct db *from, *to;
    struct db *guard;                         /* writes nothing: its transaction keeps writers away from the source */
    struct copy_tables from_tables, to_tables;
    uint64_t kept_ms;
    copy_tell_fn *tell;
    void *tell_self;
    struct copy_report report;
};

bool store_copy_ended(struct db *db, struct err *err)
{
    uint64_t mark;

    if (!store_meta_get(db, MARK, &mark, err))
        return false;
    return mark == 0 || err_set(err, ERR_HALT, "a copy into this store has not ended: give the same `store copy` again, it goes on");
}

/* ---- both sides ---- */

/* Between transactions of the target. */
static bool keep(struct copy *c, struct err *err)
{
    uint64_t now_ms = clock_monotonic_ms(), unused;

    if (now_ms - c->kept_ms < KEEP_MS)
        return true;
    c->kept_ms = now_ms;
    return store_meta_get(c->guard, MARK, &unused, err) || err_prefix(err, "the source");
}

static bool open_source(struct copy *c, const char *url, struct err *err)
{
    uint64_t version;

    /* First as a reader: a writer would make a store where there is none. */
    if (!db_open(url, DB_READ, &c->from, err) || !db_schema(c->from, &version, err))
        return false;
    if (version != db_schema_newest())
        return err_set(err, ERR_CONFIG, "it has schema %" PRIu64 ", this program's is %" PRIu64 ": bring it there by `quittance"
                       " store migrate` first", version, db_schema_newest());
    return db_open(url, DB_WRITE, &c->guard, err) && db_begin(c->guard, err) && store_copy_ended(c->from, err) && db_begin(c->from, err)
        && copy_tables_read(c->from, &c->from_tables, err);
}

static bool open_target(struct copy *c, const char *url, struct err *err)
{
    return db_open(url, DB_WRITE, &c->to, err) && db_run_steps(c->to, err) && copy_tables_read(c->to, &c->to_tables, err);
}

static bool is_meta(const struct copy_table *t)
{
    return strcmp(t->name, "meta") == 0;
}

/* The schema's own is compared as a number before, and written by the steps themselves; who settles is of the running gateways, days
 * of the database. */
static bool is_copied(const struct copy_table *t)
{
    return strcmp(t->name, "migrations") != 0 && strcmp(t->name, "settler") != 0 && strcmp(t->name, "receipt_days") != 0;
}

/* ---- digests ---- */

struct digesting { struct sha256_stream *stream; const struct copy_table *table; };

static bool digest_row(void *self, const struct cell *cells, struct err *err)
{
    const struct digesting *d = self;

    (void)err;
    for (size_t i = 0; i < d->table->columns; i++) {
        const struct cell *cell = &cells[i];
        uint8_t head[9] = { (uint8_t)cell->kind };

        be64_put(head + 1, cell->kind == CELL_NUMBER ? (uint64_t)cell->number : cell->len);
        sha256_add(d->stream, head, cell->kind == CELL_NULL ? 1 : sizeof head);
        if (cell->len > 0)
            sha256_add(d->stream, cell->bytes, cell->len);
    }
    return true;
}

/* c NULL: within a transaction, where nothing is kept. */
static bool digest_table(struct copy *c, struct db *db, const struct copy_table *t, uint64_t *rows, struct hash *digest, struct err *err)
{
    struct digesting d = { sha256_new(), t };
    struct copy_key key;
    uint64_t count = 0;
    bool ok;

    copy_key_init(&key);
    *rows = 0;
    do {
        ok = (c == NULL || keep(c, err)) && copy_page(db, t, &key, digest_row, &d, &count, err);
        *rows += ok ? count : 0;
    } while (ok && count == COPY_PAGE);
    copy_key_clear(&key);
    *digest = sha256_finish_free(d.stream);
    return ok;
}

static bool differ(struct copy *c, const struct copy_table *t, struct sha256_stream *all, struct err *err)
{
    struct hash here, there;
    uint64_t rows, rows_there;

    if (!digest_table(c, c->from, t, &rows, &here, err)
        || !digest_table(is_meta(t) ? NULL : c, c->to, copy_table_find(&c->to_tables, t->name), &rows_there, &there, err))
        return false;
    if (rows != rows_there || !hash_eq(here, there))
        return err_set(err, ERR_DIFFERS, "table %s: %" PRIu64 " rows in the source, %" PRIu64 " in the target%s", t->name, rows, rows_there,
                       rows == rows_there ? " with other content" : "");
    c->report.tables++;
    c->report.rows += rows;
    sha256_add(all, t->name, strlen(t->name) + 1);
    sha256_add(all, here.b, sizeof here.b);
    return true;
}

/* By name; meta is among them, so this is done within the transaction that writes it, or after. */
static bool compare(struct copy *c, struct err *err)
{
    struct sha256_stream *all = sha256_new();
    bool ok = true;

    c->report.tables = c->report.rows = 0;
    for (size_t i = 0; ok && i < c->from_tables.count; i++)
        ok = !is_copied(&c->from_tables.list[i]) || differ(c, &c->from_tables.list[i], all, err);
    c->report.digest = sha256_finish_free(all);
    return ok;
}

/* ---- the target's state ---- */

/* What the source is as a number: no two states of a store have the same rows in meta. */
static bool mark_of(struct copy *c, uint64_t *mark, struct err *err)
{
    struct hash digest;
    uint64_t rows;

    if (!digest_table(NULL, c->from, copy_table_find(&c->from_tables, "meta"), &rows, &digest, err))
        return false;
    *mark = be64_get(digest.b) >> 1 | 1;      /* below 2^63, and not 0 */
    return true;
}

/* Nothing but what the schema steps put there, and no group was ever kept. */
static bool is_new(struct copy *c, bool *is, struct err *err)
{
    uint64_t group;

    if (!store_meta_get(c->to, "group", &group, err))
        return false;
    *is = group == 0;
    for (size_t i = 0; *is && i < c->to_tables.count; i++) {
        const struct copy_table *t = &c->to_tables.list[i];
        bool empty;

        if (!copy_is_empty(c->to, t, &empty, err))
            return false;
        *is = empty || is_meta(t) || !is_copied(t) || strcmp(t->name, "batches") == 0;
    }
    return true;
}

static bool in_transaction(struct copy *c, bool (*work)(struct copy *, uint64_t, struct err *), uint64_t number, struct err *err)
{
    if (!db_begin(c->to, err))
        return false;
    if (work(c, number, err))
        return db_commit(c->to, err);
    db_rollback(c->to);
    return false;
}

static bool write_mark(struct copy *c, uint64_t mark, struct err *err)
{
    return copy_make_empty(c->to, copy_table_find(&c->to_tables, "batches"), err) && store_meta_set(c->to, MARK, mark, err);
}

/* *ended: it is a whole copy of this source already. */
static bool begin(struct copy *c, bool *ended, struct err *err)
{
    uint64_t mark, found;
    bool fresh;

    *ended = false;
    if (!mark_of(c, &mark, err) || !store_meta_get(c->to, MARK, &found, err))
        return false;
    c->report.resumed = found == mark;
    if (found == mark)
        return true;
    if (found != 0)
        return err_set(err, ERR_CONFLICT, "it holds an unfinished copy of another store, or of this one before it was written to again:"
                       " name an empty one");
    if (!is_new(c, &fresh, err))
        return false;
    if (fresh)
        return in_transaction(c, write_mark, mark, err);
    *ended = compare(c, err);
    return *ended || (err->code == ERR_DIFFERS && err_set(err, ERR_CONFLICT, "it is not empty, and no copy of the source: name an empty one"));
}

/* ---- rows ---- */

struct filling { struct copy *c; const struct copy_table *to; };

static bool fill_row(void *self, const struct cell *cells, struct err *err)
{
    struct filling *f = self;

    return copy_insert(f->c->to, f->to, cells, err);
}

/* Up to PAGES pages in a transaction of their own; *more: there may be others. */
static bool fill_some(struct copy *c, const struct copy_table *from, struct copy_key *key, uint64_t *rows, bool *more, struct err *err)
{
    struct filling f = { c, copy_table_find(&c->to_tables, from->name) };
    uint64_t count = COPY_PAGE;
    bool ok = true;

    if (!keep(c, err) || !db_begin(c->to, err))
        return false;
    for (int i = 0; ok && i < PAGES && count == COPY_PAGE; i++) {
        ok = copy_page(c->from, from, key, fill_row, &f, &count, err);
        *rows += ok ? count : 0;
    }
    *more = count == COPY_PAGE;
    if (ok)
        return db_commit(c->to, err);
    db_rollback(c->to);
    return false;
}

static bool fill_table(void *self, struct copy_table *to, struct err *err)
{
    struct copy *c = self;
    const struct copy_table *from = copy_table_find(&c->from_tables, to->name);
    struct copy_key key;
    uint64_t rows = 0;
    bool ok, more = true;

    if (is_meta(to) || !is_copied(to))
        return true;
    copy_key_init(&key);
    ok = copy_last_key(c->to, to, &key, err);
    while (ok && more) {
        ok = fill_some(c, from, &key, &rows, &more, err);
        if (ok && rows > 0)
            c->tell(c->tell_self, to->name, rows);
    }
    copy_key_clear(&key);
    return ok || err_prefix(err, "table %s", to->name);
}

static bool finish(struct copy *c, uint64_t unused, struct err *err)
{
    const struct copy_table *meta = copy_table_find(&c->from_tables, "meta");
    struct filling f = { c, copy_table_find(&c->to_tables, "meta") };
    const char *numbers = c->to->driver->numbers;
    struct copy_key key;
    uint64_t rows;
    bool ok;

    (void)unused;
    copy_key_init(&key);
    ok = copy_make_empty(c->to, f.to, err) && copy_page(c->from, meta, &key, fill_row, &f, &rows, err)
      && (rows < COPY_PAGE || err_set(err, ERR_BUG, "meta has over %d rows", COPY_PAGE))
      && (numbers == NULL || db_exec_script(c->to, numbers, err)) && compare(c, err);
    copy_key_clear(&key);
    return ok;
}

bool store_copy(const char *from, const char *to, copy_tell_fn *tell, void *self, struct copy_report *report, struct err *err)
{
    struct copy c = { .tell = tell, .tell_self = self, .kept_ms = clock_monotonic_ms() };
    bool ok, ended;

    ok = (open_source(&c, from, err) || err_prefix(err, "the source")) && (open_target(&c, to, err) || err_prefix(err, "the target"))
      && copy_tables_same(&c.from_tables, &c.to_tables, err) && (begin(&c, &ended, err) || err_prefix(err, "the target"))
      && (ended || (copy_tables_in_order(c.to, &c.to_tables, fill_table, &c, err) && in_transaction(&c, finish, 0, err)));
    if (ok)
        *report = c.report;
    if (c.from != NULL)
        db_rollback(c.from);
    db_close(c.from);
    db_close(c.guard);
    db_close(c.to);
    copy_tables_free(&c.from_tables);
    copy_tables_free(&c.to_tables);
    return ok;
}
