#include "store/ledger.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/mem.h"

static void bind_key(const void *self, size_t i, struct stmt *st)
{
    const struct posting *p = (const struct posting *)self + i;

    stmt_bind_u64(st, p->batch);
    stmt_bind_address(st, &p->share.account);
    stmt_bind_int(st, p->share.role);
    stmt_bind_hash(st, &p->share.model);
}

static const char amount_of[] = "SELECT amount, count FROM postings WHERE batch = ? AND account = ? AND role = ? AND model = ?";

bool store_postings_add_soon(struct db *db, const struct posting *list, size_t count, struct err *err)
{
    return db_each_key_soon(db, amount_of, count, bind_key, list, err);
}

struct so_far { const struct posting *list; struct posting *found; };

static void bind_so_far(const void *self, size_t i, struct stmt *st)
{
    bind_key(((const struct so_far *)self)->list, i, st);
}

static bool read_so_far(void *self, size_t i, struct stmt *st, struct err *err)
{
    struct posting *found = &((struct so_far *)self)->found[i];

    (void)err;
    found->share.amount = stmt_amount(st);
    found->count = stmt_u64(st);
    return true;
}

/* What the rows of these keys hold; zero without one. */
static bool postings_so_far(struct db *db, const struct posting *list, size_t count, struct posting *found, struct err *err)
{
    struct so_far self = { list, found };

    for (size_t i = 0; i < count; i++) {
        found[i] = list[i];
        found[i].share.amount = AMOUNT_ZERO;
        found[i].count = 0;
    }
    return db_each_key(db, amount_of, count, bind_so_far, read_so_far, &self, err);
}

static bool set_posting(struct db *db, const struct posting *p, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO postings (batch, account, role, model, amount, count) VALUES (?, ?, ?, ?, ?, ?)"
                        " ON CONFLICT (batch, account, role, model) DO UPDATE SET amount = excluded.amount, count ="
                        " excluded.count", &st, err))
        return false;
    bind_key(p, 0, &st);
    stmt_bind_amount(&st, p->share.amount);
    stmt_bind_u64(&st, p->count);
    return stmt_exec_rows(&st, 1, err);
}

bool store_postings_add(struct db *db, const struct posting *list, size_t count, struct err *err)
{
    struct posting *sum = mem_array(count + 1, sizeof *sum);
    bool ok = postings_so_far(db, list, count, sum, err);

    for (size_t i = 0; ok && i < count; i++) {
        sum[i].count += list[i].count;
        /* Added here: no database adds 256 bits. */
        ok = (amount_add(sum[i].share.amount, list[i].share.amount, &sum[i].share.amount)
              || err_set(err, ERR_OVERFLOW, "a posting over 256 bits"))
          && set_posting(db, &sum[i], err);
    }
    free(sum);
    return ok;
}

bool store_posting_add(struct db *db, uint64_t batch, const struct share *share, uint64_t count, struct err *err)
{
    return store_postings_add(db, &(struct posting){ .batch = batch, .share = *share, .count = count }, 1, err);
}

static bool remove_posting(struct db *db, uint64_t batch, const struct share *share, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM postings WHERE batch = ? AND account = ? AND role = ? AND model = ?", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_address(&st, &share->account);
    stmt_bind_int(&st, share->role);
    stmt_bind_hash(&st, &share->model);
    return stmt_exec_one(&st, err);
}

bool store_posting_take(struct db *db, uint64_t batch, const struct share *share, struct err *err)
{
    const struct posting key = { .batch = batch, .share = *share };
    struct posting p;

    if (!postings_so_far(db, &key, 1, &p, err))
        return false;
    if (p.count == 0 || !amount_sub(p.share.amount, share->amount, &p.share.amount) || (p.count == 1 && !amount_is_zero(p.share.amount)))
        return err_set(err, ERR_BUG, "a posting of batch %" PRIu64 " does not hold what is taken from it", batch);
    return p.count-- == 1 ? remove_posting(db, batch, share, err) : set_posting(db, &p, err);
}

bool store_postings_clear(struct db *db, uint64_t batch, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM postings WHERE batch = ?", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    return stmt_exec(&st, NULL, err);
}

#define COLUMNS "batch, account, role, model, amount, count"

/* Ends st.  A visitor that returns false stops; with err set that is a failure. */
static bool visit_postings(struct stmt *st, posting_fn *visit, void *self, struct err *err)
{
    struct posting p;
    bool row;

    err->code = ERR_NONE;
    while (stmt_step(st, &row, err)) {
        if (!row)
            return true;
        p.batch = stmt_u64(st);
        p.share.account = stmt_address(st);
        p.share.role = (enum role)stmt_enum(st, ROLE_PROVIDER, ROLES - 1);
        p.share.model = stmt_hash(st);
        p.share.amount = stmt_amount(st);
        p.count = stmt_u64(st);
        if (!stmt_ok(st, err) || !visit(self, &p, err)) {
            stmt_end(st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}

bool store_postings_of_batch(struct db *db, uint64_t batch, posting_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM postings WHERE batch = ? ORDER BY account, role, model", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    return visit_postings(&st, visit, self, err);
}

bool store_postings_of_account(struct db *db, struct address account, posting_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM postings WHERE account = ? ORDER BY batch, role, model", &st, err))
        return false;
    stmt_bind_address(&st, &account);
    return visit_postings(&st, visit, self, err);
}

bool store_accounts(struct db *db, struct address after, unsigned limit, account_fn *visit, void *self, struct err *err)
{
    struct address account;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT DISTINCT account FROM postings WHERE account > ? ORDER BY account LIMIT ?", &st, err))
        return false;
    stmt_bind_address(&st, &after);
    stmt_bind_u64(&st, limit);
    err->code = ERR_NONE;
    while (stmt_step(&st, &row, err)) {
        if (!row)
            return true;
        account = stmt_address(&st);
        if (!stmt_ok(&st, err) || !visit(self, account, err)) {
            stmt_end(&st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}

bool store_postings_of_account_in(struct db *db, struct address account, uint64_t batch, posting_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM postings WHERE batch = ? AND account = ? ORDER BY role, model", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_address(&st, &account);
    return visit_postings(&st, visit, self, err);
}

bool store_account_batch_up_to(struct db *db, struct address account, uint64_t bound, uint64_t *batch, struct err *err)
{
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT COALESCE(MAX(batch), 0) FROM postings WHERE account = ? AND batch <= ?", &st, err))
        return false;
    stmt_bind_address(&st, &account);
    stmt_bind_u64(&st, bound);
    if (!stmt_step(&st, &row, err))
        return false;
    *batch = row ? stmt_u64(&st) : 0;
    stmt_end(&st);
    return stmt_ok(&st, err);
}
