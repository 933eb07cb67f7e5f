/* Statements: the cache, binding and columns of db.h. */
#include "store/driver.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

/* Returns the place of this text, or the free one where it belongs. */
static struct db_slot **slot_place(struct db *db, const char *sql)
{
    uint64_t mixed = (uint64_t)(uintptr_t)sql * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(mixed >> 32) & (DB_SLOTS - 1);

    while (db->slots[at] != NULL && db->slots[at]->sql != sql)
        at = (at + 1) & (DB_SLOTS - 1);
    return &db->slots[at];
}

static struct db_slot *slot_for(struct db *db, const char *sql)
{
    struct db_slot **place = slot_place(db, sql);
    struct db_slot *slot = *place;

    if (slot != NULL && !slot->busy)
        return slot;
    /* In use further up (a visitor that asks the same), or more statements than we thought: one for this time. */
    slot = mem_new(sizeof *slot);
    slot->sql = sql;
    if (*place == NULL && db->slot_count < DB_SLOTS / 2) {
        slot->kept = true;
        db->slot_count++;
        *place = slot;
    }
    return slot;
}

static void slot_free(struct db *db, struct db_slot *slot)
{
    if (slot->handle != NULL)
        db->driver->finish(slot->handle);
    free(slot);
}

void db_slots_finish(struct db *db, bool forget)
{
    for (size_t i = 0; i < DB_SLOTS; i++) {
        struct db_slot *slot = db->slots[i];

        if (slot == NULL)
            continue;
        if (slot->handle != NULL)
            db->driver->finish(slot->handle);
        slot->handle = NULL;
        if (forget) {
            free(slot);
            db->slots[i] = NULL;
        }
    }
}

bool db_prepare(struct db *db, const char *sql, struct stmt *st, struct err *err)
{
    struct db_slot *slot;

    if (db->broken || db->doomed)
        return err_set(err, ERR_STORE, "the transaction was lost");
    slot = slot_for(db, sql);
    if (slot->handle == NULL && !db->driver->prepare(db->connection, sql, &slot->handle, err)) {
        if (!slot->kept)
            slot_free(db, slot);
        return false;
    }
    slot->busy = true;
    *st = (struct stmt){ .db = db, .handle = slot };
    return true;
}

static const struct driver *driver_of(const struct stmt *st)
{
    return st->db->driver;
}

/* The driver's handle; NULL when the statement has ended or the session was replaced. */
static void *handle_of(const struct stmt *st)
{
    const struct db_slot *slot = st->handle;

    return slot != NULL ? slot->handle : NULL;
}

void stmt_end(struct stmt *st)
{
    struct db_slot *slot = st->handle;

    if (slot == NULL)
        return;
    st->handle = NULL;
    slot->busy = false;
    if (!slot->kept)
        slot_free(st->db, slot);
    else if (slot->handle != NULL)
        driver_of(st)->reset(slot->handle);
}

void stmt_bind_i64(struct stmt *st, int64_t v)
{
    if (!driver_of(st)->bind_i64(handle_of(st), ++st->next_bind, v))
        st->failed = true;
}

void stmt_bind_u64(struct stmt *st, uint64_t v)
{
    if (v > INT64_MAX)
        st->failed = true;
    stmt_bind_i64(st, (int64_t)v);
}

void stmt_bind_int(struct stmt *st, int v)
{
    stmt_bind_i64(st, v);
}

void stmt_bind_text(struct stmt *st, const char *v)
{
    if (!driver_of(st)->bind_text(handle_of(st), ++st->next_bind, v))
        st->failed = true;
}

static void bind_bytes(struct stmt *st, const void *bytes, size_t len, bool copy)
{
    if (!driver_of(st)->bind_blob(handle_of(st), ++st->next_bind, bytes, len, copy))
        st->failed = true;
}

void stmt_bind_blob(struct stmt *st, const void *bytes, size_t len)
{
    bind_bytes(st, bytes, len, false);
}

void stmt_bind_null(struct stmt *st)
{
    if (!driver_of(st)->bind_null(handle_of(st), ++st->next_bind))
        st->failed = true;
}

void stmt_bind_hash(struct stmt *st, const struct hash *v)           { bind_bytes(st, v->b, sizeof v->b, false); }
void stmt_bind_address(struct stmt *st, const struct address *v)     { bind_bytes(st, v->b, sizeof v->b, false); }
void stmt_bind_job_id(struct stmt *st, const struct job_id *v)       { bind_bytes(st, v->b, sizeof v->b, false); }
void stmt_bind_signature(struct stmt *st, const struct signature *v) { bind_bytes(st, v->b, sizeof v->b, false); }

void stmt_bind_amount(struct stmt *st, struct amount v)
{
    uint8_t bytes[32];

    u256_to_be(v.base_units, bytes);
    bind_bytes(st, bytes, sizeof bytes, true);
}

bool stmt_ok(const struct stmt *st, struct err *err)
{
    const struct db_slot *slot = st->handle;

    if (!st->failed)
        return true;
    return err_set(err, ERR_STORE, "a damaged row, or a value out of range: %.120s", slot != NULL ? slot->sql : "");
}

static bool may_run(const struct stmt *st, struct err *err)
{
    const struct db_slot *slot = st->handle;

    if (slot == NULL)
        return err_set(err, ERR_BUG, "a statement was stepped after its end");
    if (!stmt_ok(st, err))
        return false;
    if (st->db->doomed || slot->handle == NULL)
        return err_set(err, ERR_STORE, "the transaction was lost");
    if (st->next_bind != driver_of(st)->parameters(slot->handle))
        bug("%d values bound to: %s", st->next_bind, slot->sql);
    return true;
}

static bool doomed_or_not(struct db *db)
{
    if (db->began && !db->driver->in_transaction(db->connection))
        db->doomed = true;
    return false;
}

static bool step_or_fail(struct stmt *st, bool *row, struct err *err)
{
    return may_run(st, err) && (driver_of(st)->step(st->db->connection, handle_of(st), row, err) || doomed_or_not(st->db));
}

bool stmt_step(struct stmt *st, bool *row, struct err *err)
{
    bool got = false;

    if (!step_or_fail(st, &got, err)) {
        stmt_end(st);
        return false;
    }
    st->next_column = 0;
    if (!got)
        stmt_end(st);
    *row = got;
    return true;
}

bool stmt_exec(struct stmt *st, uint64_t *changed, struct err *err)
{
    bool row = true;

    while (row)
        if (!stmt_step(st, &row, err))
            return false;
    if (changed != NULL)
        *changed = driver_of(st)->changed(st->db->connection);
    return true;
}

bool stmt_exec_one(struct stmt *st, struct err *err)
{
    const struct db_slot *slot = st->handle;
    const char *sql = slot != NULL ? slot->sql : "";      /* a literal: outlives the slot */
    uint64_t changed;

    if (!stmt_exec(st, &changed, err))
        return false;
    if (changed != 1)
        return err_set(err, ERR_BUG, "%llu rows changed instead of one: %.200s", (unsigned long long)changed, sql);
    return true;
}

bool stmt_exec_later(struct stmt *st, uint64_t rows, struct err *err)
{
    const struct db_slot *slot = st->handle;
    const char *sql = slot != NULL ? slot->sql : "";
    uint64_t changed;
    bool ok;

    if (driver_of(st)->later != NULL) {
        ok = may_run(st, err) && (driver_of(st)->later(st->db->connection, handle_of(st), rows, err) || doomed_or_not(st->db));
        stmt_end(st);
        return ok;
    }
    if (!stmt_exec(st, &changed, err))
        return false;
    return rows == STMT_ANY_ROWS || changed == rows
        || err_set(err, ERR_BUG, "%llu rows changed instead of %llu: %.200s", (unsigned long long)changed, (unsigned long long)rows, sql);
}

bool stmt_exec_rows(struct stmt *st, uint64_t rows, struct err *err)
{
    const struct db_slot *slot = st->handle;
    bool ok;

    if (driver_of(st)->rows == NULL || (slot != NULL && !slot->kept))
        return stmt_exec_later(st, rows, err);
    ok = may_run(st, err) && (driver_of(st)->rows(st->db->connection, handle_of(st), rows, err) || doomed_or_not(st->db));
    stmt_end(st);
    return ok;
}

/* ---- many keys ---- */

/* key NULL: the driver says which one a row is of. */
static bool visit_each(struct stmt *st, const size_t *key, key_row_fn *visit, void *self, struct err *err)
{
    bool any;

    while (stmt_step(st, &any, err)) {
        if (!any)
            return true;
        if (!visit(self, key != NULL ? *key : driver_of(st)->key_of(handle_of(st)), st, err) || !stmt_ok(st, err)) {
            stmt_end(st);
            return false;
        }
    }
    return false;
}

static bool each_by_itself(struct db *db, const char *literal_sql, size_t count, bind_key_fn *bind, key_row_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    for (size_t i = 0; i < count; i++) {
        if (!db_prepare(db, literal_sql, &st, err))
            return false;
        bind(self, i, &st);
        if (!visit_each(&st, &i, visit, self, err))
            return false;
    }
    return true;
}

/* false: the statement has ended. */
static bool gather_keys(struct db *db, const char *literal_sql, size_t count, bind_key_fn *bind, const void *self, struct stmt *st,
                        struct err *err)
{
    if (!db_prepare(db, literal_sql, st, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        st->next_bind = 0;
        bind(self, i, st);
        if (!may_run(st, err) || !db->driver->key(db->connection, handle_of(st), err)) {
            (void)doomed_or_not(db);
            stmt_end(st);
            return false;
        }
    }
    return true;
}

bool db_each_key(struct db *db, const char *literal_sql, size_t count, bind_key_fn *bind, key_row_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (db->driver->key == NULL)
        return each_by_itself(db, literal_sql, count, bind, visit, self, err);
    return count == 0 || (gather_keys(db, literal_sql, count, bind, self, &st, err) && visit_each(&st, NULL, visit, self, err));
}

bool db_each_key_soon(struct db *db, const char *literal_sql, size_t count, bind_key_fn *bind, const void *self, struct err *err)
{
    struct stmt st;
    bool ok;

    if (db->driver->soon == NULL || count == 0)
        return true;
    if (!gather_keys(db, literal_sql, count, bind, self, &st, err))
        return false;
    /* A slot that goes with this statement could not keep the answer. */
    ok = !((const struct db_slot *)st.handle)->kept || db->driver->soon(db->connection, handle_of(&st), err) || doomed_or_not(db);
    stmt_end(&st);
    return ok;
}

bool stmt_exec_id(struct stmt *st, uint64_t *id, struct err *err)
{
    uint64_t got;
    bool row;

    if (!stmt_step(st, &row, err))
        return false;
    if (!row)
        return err_set(err, ERR_BUG, "an insert returned no id");
    got = stmt_u64(st);
    /* Stepped to its end: a statement that is cut short may be undone. */
    if (!stmt_exec(st, NULL, err))
        return false;
    *id = got;
    return true;
}
