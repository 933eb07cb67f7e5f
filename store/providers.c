/* Providers: append-only revisions; the latest one at a moment counts. */
#include "store/catalog.h"

#include "store/catalog_rows.h"
#include "store/meta.h"

#define COLUMNS "address, since, payout, name, daily_limit, admitted, max_tokens_per_second, parallelism, payout_at," \
                " payout_signature, payout_contract"

static void bind_class(struct stmt *st, bool has, uint64_t most)
{
    if (has)
        stmt_bind_u64(st, most);
    else
        stmt_bind_null(st);
}

static void bind_payout(struct stmt *st, const struct payout_word *w)
{
    if (!w->given) {
        stmt_bind_null(st);
        stmt_bind_null(st);
        stmt_bind_null(st);
        return;
    }
    stmt_bind_u64(st, w->at_ms);
    stmt_bind_signature(st, &w->signature);
    if (address_is_zero(w->contract))
        stmt_bind_null(st);
    else
        stmt_bind_address(st, &w->contract);
}

bool store_provider_add(struct db *db, const struct provider *p, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO providers (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_address(&st, &p->address);
    stmt_bind_u64(&st, p->since_ms);
    stmt_bind_address(&st, &p->payout);
    stmt_bind_text(&st, p->name);
    if (p->has_daily_limit)
        stmt_bind_amount(&st, p->daily_limit);
    else
        stmt_bind_null(&st);
    stmt_bind_int(&st, p->admitted);
    bind_class(&st, p->class_.has_tokens_per_second, p->class_.tokens_per_second);
    bind_class(&st, p->class_.has_parallelism, p->class_.parallelism);
    bind_payout(&st, &p->payout_word);
    return stmt_exec_one(&st, err) && store_settings_changed(db, err);
}

static void read_provider(struct stmt *st, struct provider *p)
{
    p->address = stmt_address(st);
    p->since_ms = stmt_u64(st);
    p->payout = stmt_address(st);
    stmt_text(st, p->name, sizeof p->name);
    p->has_daily_limit = !stmt_null(st);
    p->daily_limit = stmt_amount(st);
    p->admitted = stmt_enum(st, 0, 1) != 0;
    p->class_.has_tokens_per_second = !stmt_null(st);
    p->class_.tokens_per_second = stmt_u64(st);
    p->class_.has_parallelism = !stmt_null(st);
    p->class_.parallelism = stmt_u64(st);
    p->payout_word.given = !stmt_null(st);
    p->payout_word.at_ms = stmt_u64(st);
    p->payout_word.signature = stmt_signature(st);
    p->payout_word.contract = stmt_address(st);
}

/* Ends st. */
static bool visit_providers(struct stmt *st, provider_fn *visit, void *self, struct err *err)
{
    struct provider p;
    bool row;

    while (stmt_step(st, &row, err)) {
        if (!row)
            return true;
        read_provider(st, &p);
        if (!stmt_ok(st, err) || !visit(self, &p)) {
            bool ok = !st->failed;

            stmt_end(st);
            return ok;
        }
    }
    return false;
}

bool store_provider_revisions(struct db *db, provider_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    return db_prepare(db, "SELECT " COLUMNS " FROM providers ORDER BY address, since", &st, err)
        && visit_providers(&st, visit, self, err);
}

bool store_providers(struct db *db, const struct address *after, unsigned limit, provider_fn *visit, void *self,
                     struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM providers p WHERE address > ?"
                        " AND since = (SELECT MAX(q.since) FROM providers q WHERE q.address = p.address)"
                        " ORDER BY address LIMIT ?", &st, err))
        return false;
    stmt_bind_blob(&st, after, after != NULL ? sizeof *after : 0);      /* no bytes sort before every address */
    stmt_bind_u64(&st, limit);
    return visit_providers(&st, visit, self, err);
}

bool store_provider_latest(struct db *db, struct address a, struct provider *p, bool *found, struct err *err)
{
    struct provider got;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM providers WHERE address = ? ORDER BY since DESC LIMIT 1", &st, err))
        return false;
    stmt_bind_address(&st, &a);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row)
        read_provider(&st, &got);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    if (row)
        *p = got;
    *found = row;
    return true;
}
