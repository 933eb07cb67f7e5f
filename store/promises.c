/* Bundles that came in and promises that went out: one signature over the leaves of many receipts each. */
#include <inttypes.h>

#include "store/receipts.h"

bool store_bundle_insert(struct db *db, struct bundle_row *row, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO bundles (provider, root, count, signature, leaves) VALUES (?, ?, ?, ?, ?)"
                        " RETURNING id", &st, err))
        return false;
    stmt_bind_address(&st, &row->bundle.provider);
    stmt_bind_hash(&st, &row->bundle.root);
    stmt_bind_u64(&st, row->bundle.count);
    stmt_bind_signature(&st, &row->signature);
    stmt_bind_blob(&st, row->leaves.data, row->leaves.len);
    return stmt_exec_id(&st, &row->id, err);
}

bool store_bundles(struct db *db, bundle_fn *visit, void *self, struct err *err)
{
    struct bundle_row got = { 0 };
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT id, provider, root, count, signature FROM bundles ORDER BY id", &st, err))
        return false;
    err->code = ERR_NONE;
    while (stmt_step(&st, &row, err)) {
        if (!row)
            return true;
        got.id = stmt_u64(&st);
        got.bundle.provider = stmt_address(&st);
        got.bundle.root = stmt_hash(&st);
        got.bundle.count = stmt_u64(&st);
        got.signature = stmt_signature(&st);
        if (!stmt_ok(&st, err) || !visit(self, &got, err)) {
            stmt_end(&st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}

bool store_bundle_find(struct db *db, uint64_t id, struct bundle_row *row, struct err *err)
{
    struct bundle_row got = { .id = id };
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT provider, root, count, signature, leaves FROM bundles WHERE id = ?", &st, err))
        return false;
    stmt_bind_u64(&st, id);
    if (!stmt_step(&st, &any, err))
        return false;
    if (!any)
        return err_set(err, ERR_NOT_FOUND, "there is no bundle %" PRIu64, id);
    buf_init(&got.leaves);
    got.bundle.provider = stmt_address(&st);
    got.bundle.root = stmt_hash(&st);
    got.bundle.count = stmt_u64(&st);
    got.signature = stmt_signature(&st);
    stmt_buf(&st, &got.leaves);
    stmt_end(&st);
    if (!stmt_ok(&st, err)) {
        buf_clear(&got.leaves);
        return false;
    }
    *row = got;
    return true;
}

bool store_promise_insert(struct db *db, const struct promise_row *row, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO promises (id, root, count, accepted_at, settle_by, signature, signer, leaves)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, row->id);
    stmt_bind_hash(&st, &row->promise.root);
    stmt_bind_u64(&st, row->promise.count);
    stmt_bind_u64(&st, row->promise.accepted_at_ms);
    stmt_bind_u64(&st, row->promise.settle_by_ms);
    stmt_bind_signature(&st, &row->signature);
    stmt_bind_address(&st, &row->signer);
    stmt_bind_blob(&st, row->leaves.data, row->leaves.len);
    return stmt_exec_later(&st, 1, err);
}

bool store_promise_find(struct db *db, uint64_t id, struct promise_row *row, struct err *err)
{
    struct promise_row got = { .id = id };
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT root, count, accepted_at, settle_by, signature, signer, leaves FROM promises WHERE"
                        " id = ?", &st, err))
        return false;
    stmt_bind_u64(&st, id);
    if (!stmt_step(&st, &any, err))
        return false;
    if (!any)
        return err_set(err, ERR_NOT_FOUND, "there is no promise %" PRIu64, id);
    buf_init(&got.leaves);
    got.promise.root = stmt_hash(&st);
    got.promise.count = stmt_u64(&st);
    got.promise.accepted_at_ms = stmt_u64(&st);
    got.promise.settle_by_ms = stmt_u64(&st);
    got.signature = stmt_signature(&st);
    got.signer = stmt_address(&st);
    stmt_buf(&st, &got.leaves);
    stmt_end(&st);
    if (!stmt_ok(&st, err)) {
        buf_clear(&got.leaves);
        return false;
    }
    *row = got;
    return true;
}
