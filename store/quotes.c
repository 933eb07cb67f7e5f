#include "store/quotes.h"

static bool insert(struct db *db, const struct issued_quote *q, bool used, struct err *err)
{
    struct hash hash = quote_struct_hash(&q->quote);
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO quotes (hash, model, provider, consumer, price_version, valid_until, issued_at, signature,"
                        " signer, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                        " ON CONFLICT (hash) DO UPDATE SET used = CASE WHEN excluded.used = 1 THEN 1 ELSE quotes.used END", &st, err))
        return false;
    stmt_bind_hash(&st, &hash);
    stmt_bind_hash(&st, &q->quote.model);
    stmt_bind_address(&st, &q->quote.provider);
    stmt_bind_address(&st, &q->quote.consumer);
    stmt_bind_u64(&st, q->quote.price_version);
    stmt_bind_u64(&st, q->quote.valid_until_ms);
    stmt_bind_u64(&st, q->issued_at_ms);
    stmt_bind_signature(&st, &q->signature);
    stmt_bind_address(&st, &q->signer);
    stmt_bind_int(&st, used);
    return stmt_exec(&st, NULL, err);
}

static bool forget_old(struct db *db, uint64_t now_ms, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM quotes WHERE used = 0 AND valid_until < ?", &st, err))
        return false;
    stmt_bind_u64(&st, now_ms > QUOTE_KEEP_MS ? now_ms - QUOTE_KEEP_MS : 0);
    return stmt_exec(&st, NULL, err);
}

bool store_quote_add(struct db *db, const struct issued_quote *q, struct err *err)
{
    return forget_old(db, q->issued_at_ms, err) && insert(db, q, false, err);
}

bool store_quote_restore(struct db *db, const struct issued_quote *q, struct err *err)
{
    return insert(db, q, true, err);
}

bool store_quote_use(struct db *db, struct hash hash, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE quotes SET used = 1 WHERE hash = ? AND used = 0", &st, err))
        return false;
    stmt_bind_hash(&st, &hash);
    return stmt_exec_later(&st, STMT_ANY_ROWS, err);
}

bool store_quote_find(struct db *db, struct hash hash, struct issued_quote *q, bool *found, struct err *err)
{
    struct issued_quote got;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT model, provider, consumer, price_version, valid_until, issued_at, signature, signer FROM quotes"
                        " WHERE hash = ?", &st, err))
        return false;
    stmt_bind_hash(&st, &hash);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row) {
        got.quote.model = stmt_hash(&st);
        got.quote.provider = stmt_address(&st);
        got.quote.consumer = stmt_address(&st);
        got.quote.price_version = stmt_u64(&st);
        got.quote.valid_until_ms = stmt_u64(&st);
        got.issued_at_ms = stmt_u64(&st);
        got.signature = stmt_signature(&st);
        got.signer = stmt_address(&st);
    }
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    if (row)
        *q = got;
    *found = row;
    return true;
}
