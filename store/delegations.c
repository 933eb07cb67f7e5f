/* Keys that providers lent to their machines, and took back. */
#include "store/catalog.h"

#include "store/meta.h"

bool store_delegation_add(struct db *db, const struct delegation *d, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO delegations (provider, key, valid_from, valid_until, signature, since) VALUES (?, ?, ?, ?, ?, ?)",
                    &st, err))
        return false;
    stmt_bind_address(&st, &d->provider);
    stmt_bind_address(&st, &d->key);
    stmt_bind_u64(&st, d->valid_from_ms);
    stmt_bind_u64(&st, d->valid_until_ms);
    stmt_bind_signature(&st, &d->signature);
    stmt_bind_u64(&st, d->since_ms);
    return stmt_exec_one(&st, err) && store_settings_changed(db, err);
}

bool store_revocation_add(struct db *db, const struct revocation *r, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO revocations (provider, key, since, at, signature) VALUES (?, ?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_address(&st, &r->provider);
    stmt_bind_address(&st, &r->key);
    stmt_bind_u64(&st, r->since_ms);
    stmt_bind_u64(&st, r->at_ms);
    if (r->has_signature)
        stmt_bind_signature(&st, &r->signature);
    else
        stmt_bind_null(&st);
    return stmt_exec_one(&st, err) && store_settings_changed(db, err);
}

bool store_delegations(struct db *db, delegation_fn *visit, void *self, struct err *err)
{
    struct stmt st;
    bool row, ok;

    if (!db_prepare(db, "SELECT provider, key, valid_from, valid_until, signature, since FROM delegations"
                        " ORDER BY provider, key, valid_from, valid_until", &st, err))
        return false;
    while ((ok = stmt_step(&st, &row, err)) && row) {
        struct delegation d = { .provider = stmt_address(&st) };

        d.key = stmt_address(&st);
        d.valid_from_ms = stmt_u64(&st);
        d.valid_until_ms = stmt_u64(&st);
        d.signature = stmt_signature(&st);
        d.since_ms = stmt_u64(&st);
        if (!visit(self, &d))
            break;
    }
    stmt_end(&st);
    return ok && stmt_ok(&st, err);
}

bool store_revocations(struct db *db, revocation_fn *visit, void *self, struct err *err)
{
    struct stmt st;
    bool row, ok;

    if (!db_prepare(db, "SELECT provider, key, since, at, signature FROM revocations ORDER BY provider, key, since", &st, err))
        return false;
    while ((ok = stmt_step(&st, &row, err)) && row) {
        struct revocation r = { .provider = stmt_address(&st) };

        r.key = stmt_address(&st);
        r.since_ms = stmt_u64(&st);
        r.at_ms = stmt_u64(&st);
        r.has_signature = !stmt_null(&st);
        r.signature = stmt_signature(&st);
        if (!visit(self, &r))
            break;
    }
    stmt_end(&st);
    return ok && stmt_ok(&st, err);
}
