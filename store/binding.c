#include "store/binding.h"

#include <inttypes.h>

#include "gateway/lib/address_text.h"
#include "store/meta.h"

bool store_binding(struct db *db, struct binding *binding, bool *found, struct err *err)
{
    struct binding got = { 0 };
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT chain_id, contract FROM bound_to", &st, err) || !stmt_step(&st, &row, err))
        return false;
    if (row) {
        got.chain_id = stmt_u64(&st);
        got.contract = stmt_address(&st);
    }
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    if (row)
        *binding = got;
    *found = row;
    return true;
}

bool store_holds_books(struct db *db, bool *holds, struct err *err)
{
    struct stmt st;
    bool row, got;

    if (!db_prepare(db, "SELECT EXISTS (SELECT 1 FROM receipts) OR EXISTS (SELECT 1 FROM models)"
                        " OR EXISTS (SELECT 1 FROM settlements)", &st, err)
        || !stmt_step(&st, &row, err))
        return false;
    got = row && stmt_int(&st) != 0;
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    *holds = got;
    return true;
}

static bool write_binding(struct db *db, const struct binding *binding, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO bound_to (one, chain_id, contract) VALUES (1, ?, ?)"
                        " ON CONFLICT (one) DO UPDATE SET chain_id = excluded.chain_id, contract = excluded.contract", &st, err))
        return false;
    stmt_bind_u64(&st, binding->chain_id);
    stmt_bind_address(&st, &binding->contract);
    return stmt_exec_one(&st, err);
}

static bool refuse(const struct binding *is, const struct binding *wanted, struct err *err)
{
    char is_text[ADDRESS_TEXT], wanted_text[ADDRESS_TEXT];

    address_to_text(is->contract, is_text);
    address_to_text(wanted->contract, wanted_text);
    return err_set(err, ERR_CONFIG, "the store belongs to contract %s on chain %" PRIu64 ", the configuration names %s on chain %"
                   PRIu64 ": put the old one back, or name a new [store] url", is_text, is->chain_id, wanted_text,
                   wanted->chain_id);
}

struct bind { const struct binding *wanted; };

static bool bind_store(void *self, struct group *group, struct err *err)
{
    struct bind *b = self;
    struct binding is;
    bool found, holds;

    if (!store_binding(group->db, &is, &found, err))
        return false;
    if (found && is.chain_id == b->wanted->chain_id && address_eq(is.contract, b->wanted->contract))
        return true;
    if (found && (!store_holds_books(group->db, &holds, err) || (holds && !refuse(&is, b->wanted, err))))
        return false;
    /* Blocks that were read for payments were another contract's, perhaps another chain's. */
    return write_binding(group->db, b->wanted, err) && (!found || store_meta_set(group->db, "scanned_block", 0, err));
}

bool writer_open_bound(const char *url, const struct clock *clock, const struct binding *binding, struct writer **writer,
                       struct err *err)
{
    struct bind b = { .wanted = binding };
    struct writer *w;

    if (!writer_open(url, clock, &w, err))
        return false;
    if (!writer_do(w, bind_store, &b, err)) {
        writer_close(w);
        return false;
    }
    *writer = w;
    return true;
}

bool store_relation(struct db *db, enum relative which, struct relation *relation, bool *found, struct err *err)
{
    struct relation got = { 0 };
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT contract, since FROM relatives WHERE role = ?", &st, err))
        return false;
    stmt_bind_int(&st, which);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row) {
        got.contract = stmt_address(&st);
        got.since_ms = stmt_u64(&st);
    }
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    if (row)
        *relation = got;
    *found = row;
    return true;
}

struct relate { enum relative which; struct relation relation; };

static bool insert_relation(struct db *db, const struct relate *r, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO relatives (role, contract, since) VALUES (?, ?, ?)", &st, err))
        return false;
    stmt_bind_int(&st, r->which);
    stmt_bind_address(&st, &r->relation.contract);
    stmt_bind_u64(&st, r->relation.since_ms);
    return stmt_exec_one(&st, err);
}

static bool relate(void *self, struct group *group, struct err *err)
{
    struct relate *r = self;
    struct relation noted;
    char text[ADDRESS_TEXT];
    bool found;

    if (!store_relation(group->db, r->which, &noted, &found, err))
        return false;
    if (!found) {
        r->relation.since_ms = group->clock_ms;
        return insert_relation(group->db, r, err);
    }
    address_to_text(noted.contract, text);
    if (!address_eq(noted.contract, r->relation.contract))
        return err_set(err, ERR_CONFIG, "the store's contract has another %s already: %s",
                       r->which == RELATIVE_SUCCESSOR ? "successor" : "predecessor", text);
    r->relation = noted;
    return true;
}

bool writer_relate(struct writer *writer, enum relative which, struct address contract, struct relation *relation, struct err *err)
{
    struct relate r = { which, { .contract = contract } };

    if (!writer_do(writer, relate, &r, err))
        return false;
    *relation = r.relation;
    return true;
}
