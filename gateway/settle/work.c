/* Which batch is worked on next. */
#include "gateway/settle/parts.h"

#include "store/adjustments.h"

#include "gateway/settle/behind.h"
#include "gateway/settle/rewards.h"

#include <inttypes.h>

bool work_may_begin(struct settle *s, struct err *err)
{
    struct behind behind;

    if (s->level)
        return true;
    if (!behind_look(&s->config, s->rpc, s->db, &behind, err))
        return false;
    s->level = !behind.is_behind;
    if (s->level)
        return true;
    behind_say(&behind, err);
    return commit_name(s, behind.known + 1, err);
}

static bool is_in_progress(enum batch_state state)
{
    switch (state) {
    case BATCH_PREPARED:
    case BATCH_COMMITTED:
    case BATCH_ACTIVE:
    case BATCH_DISTRIBUTED:
        return true;
    case BATCH_OPEN:
    case BATCH_CLOSED:
    case BATCH_FINAL:
    case BATCH_CANCELLED:
        return false;
    }
    bug("batch state %d", (int)state);
}

bool work_is_empty(struct settle *s, const struct batch_row *batch, bool *empty, struct err *err)
{
    struct amount credited;
    uint64_t corrections;

    if (!store_adjusted(s->db, batch->number, &credited, &corrections, err))
        return false;
    *empty = batch->receipts == 0 && amount_is_zero(batch->amount) && corrections == 0;
    return true;
}

/* Corrections alone: one upwards is paid although nobody earned anything yet. */
static bool corrections_pay(struct settle *s, const struct batch_row *batch, bool *pay, struct err *err)
{
    struct reward_leaves earned = { 0 };
    struct debts none = { 0 }, after = { 0 };
    bool ok = rewards_earned(s->db, batch->number, batch->protocol_account, &none, &earned, &after, err);

    *pay = ok && earned.count > 0;
    reward_leaves_clear(&earned);
    debts_clear(&after);
    return ok;
}

bool work_has_leaves(struct settle *s, const struct batch_row *batch, bool *has, struct err *err)
{
    struct settlement_row last;
    bool found = true;

    /* Leaves are cumulative: once anybody earned anything, no later tree is empty. */
    if (amount_is_zero(batch->amount) && !store_settlement_last_valid(s->db, &last, &found, err))
        return false;
    *has = found;
    return found || corrections_pay(s, batch, has, err);
}

bool work_find(struct settle *s, struct batch_row *batch, bool *found, struct err *err)
{
    struct batch_row row, chosen = { 0 };
    bool there, have = false;

    if (!store_batch_unfinished(s->db, &row, &there, err))
        return false;
    /* A batch that was carried, or one that waits for a tree, may be older than the one in progress. */
    while (there && row.state != BATCH_OPEN) {
        bool settleable = is_in_progress(row.state);

        if (settleable || (row.state == BATCH_CLOSED && !have)) {
            if (!settleable && !work_has_leaves(s, &row, &settleable, err))
                return false;
            if (settleable) {
                chosen = row;
                have = true;
            }
        }
        if (have && is_in_progress(chosen.state))
            break;
        if (!store_batch_find(s->db, row.number + 1, &row, &there, err))
            return false;
    }
    if (have)
        *batch = chosen;
    *found = have;
    return true;
}

bool settlement_of(struct settle *s, const struct batch_row *batch, struct settlement_row *settlement, struct err *err)
{
    bool found;

    if (!store_settlement_find(s->db, batch->sequence, settlement, &found, err))
        return false;
    return found || err_set(err, ERR_BUG, "batch %" PRIu64 " is %s without a settlement", batch->number,
                            batch_state_name(batch->state));
}

struct batch_change { uint64_t number; enum batch_state from, to; };

static bool change_batch(void *self, struct group *group, struct err *err)
{
    const struct batch_change *c = self;

    return store_batch_move(group->db, c->number, c->from, c->to, err);
}

bool move_batch(struct settle *s, uint64_t number, enum batch_state from, enum batch_state to, struct err *err)
{
    return settle_do(s, change_batch, &(struct batch_change){ number, from, to }, err);
}
