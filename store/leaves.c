/* The rewards leaves of each settlement, and lists of (account, claimable) in general: part of batches.h. */
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/batches.h"
#include "store/leaves.h"

void reward_leaves_clear(struct reward_leaves *leaves)
{
    free(leaves->list);
    *leaves = (struct reward_leaves){ 0 };
}

bool reward_leaves_read(struct stmt *st, struct reward_leaves *leaves, struct err *err)
{
    struct reward_leaves got = { 0 };
    size_t capacity = 0;
    bool row;

    while (stmt_step(st, &row, err)) {
        if (!row) {
            *leaves = got;
            return true;
        }
        if (got.count == capacity) {
            capacity = capacity == 0 ? 64 : capacity * 2;
            got.list = mem_grow(got.list, capacity, sizeof *got.list);
        }
        got.list[got.count].account = stmt_address(st);
        got.list[got.count].claimable = stmt_amount(st);
        got.count++;
    }
    reward_leaves_clear(&got);
    return false;
}

_Static_assert(BATCH_CANCELLED == 8, "the state is written out in the SQL");

/* The latest up to the settlement; what a cancelled one said counts for itself only. */
bool store_leaf_find(struct db *db, uint64_t sequence, struct address account, struct amount *claimable, bool *found,
                     struct err *err)
{
    struct amount got = AMOUNT_ZERO;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT l.claimable FROM reward_leaves l JOIN settlements s ON s.sequence = l.sequence"
                        " WHERE l.account = ? AND l.sequence <= ? AND (s.state <> 8 OR s.sequence = ?)"
                        " ORDER BY l.sequence DESC LIMIT 1", &st, err))
        return false;
    stmt_bind_address(&st, &account);
    stmt_bind_u64(&st, sequence);
    stmt_bind_u64(&st, sequence);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row)
        got = stmt_amount(&st);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    if (row)
        *claimable = got;
    *found = row;
    return true;
}

static bool insert_account(struct db *db, const struct address *account, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO reward_accounts (account) VALUES (?) ON CONFLICT DO NOTHING", &st, err))
        return false;
    stmt_bind_address(&st, account);
    return stmt_exec(&st, NULL, err);
}

static bool insert_leaf(struct db *db, uint64_t sequence, const struct reward_leaf *leaf, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO reward_leaves (account, sequence, claimable) VALUES (?, ?, ?)", &st, err))
        return false;
    stmt_bind_address(&st, &leaf->account);
    stmt_bind_u64(&st, sequence);
    stmt_bind_amount(&st, leaf->claimable);
    return stmt_exec_one(&st, err);
}

bool store_leaves_insert(struct db *db, uint64_t sequence, const struct reward_leaves *leaves, struct err *err)
{
    for (size_t i = 0; i < leaves->count; i++) {
        const struct reward_leaf *leaf = &leaves->list[i];
        struct amount before;
        bool found;

        if (!store_leaf_find(db, sequence, leaf->account, &before, &found, err))
            return false;
        if (found && amount_cmp(before, leaf->claimable) == 0)
            continue;
        if ((!found && !insert_account(db, &leaf->account, err)) || !insert_leaf(db, sequence, leaf, err))
            return false;
    }
    return true;
}

bool store_leaves_load(struct db *db, uint64_t sequence, struct reward_leaves *leaves, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT account, claimable FROM (SELECT a.account AS account, (SELECT l.claimable FROM reward_leaves l"
                        " JOIN settlements s ON s.sequence = l.sequence WHERE l.account = a.account AND l.sequence <= ?"
                        " AND (s.state <> 8 OR s.sequence = ?) ORDER BY l.sequence DESC LIMIT 1) AS claimable"
                        " FROM reward_accounts a) AS leaf WHERE claimable IS NOT NULL ORDER BY account", &st, err))
        return false;
    stmt_bind_u64(&st, sequence);
    stmt_bind_u64(&st, sequence);
    return reward_leaves_read(&st, leaves, err);
}
