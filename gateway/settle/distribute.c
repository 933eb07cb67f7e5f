/* active -> distributed: sets of accounts are paid, several calls in flight, until nothing is due; then -> final.
 *
 * What is due is read from the contract, never from what we sent: anyone may claim or distribute, and a call that was
 * forgotten shows there too.  An account is in one call at a time; who was in one that failed for good (reverted, void,
 * foreign) and is still due gets into another.  An account that is still due after its call is final was refused by
 * the token: it counts as failed and keeps its claim; the next settlement pays it again. */
#include "gateway/settle/distribution.h"

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "store/meta.h"

#include <inttypes.h>
#include <stdlib.h>

static int by_account(const void *a, const void *b)
{
    return address_cmp(&((const struct reward_leaf *)a)->account, &((const struct reward_leaf *)b)->account);
}

/* Takes those out of the dues that this call was to pay. */
static void take_out(struct distribution *d, const struct reward_leaves *set, bool final)
{
    size_t kept = 0;

    for (size_t i = 0; i < d->dues.count; i++) {
        struct reward_leaf key = { .account = d->leaves.list[d->dues.list[i].leaf].account };

        if (bsearch(&key, set->list, set->count, sizeof *set->list, by_account) == NULL)
            d->dues.list[kept++] = d->dues.list[i];
        else if (!final)
            d->undecided = true;
    }
    d->dues.count = kept;
}

static bool take_out_tried(struct distribution *d, struct err *err)
{
    for (size_t i = 0; i < d->txs.count && d->dues.count > 0; i++) {
        const struct transaction_row *t = &d->txs.list[i];
        struct reward_leaves set = { 0 };

        if (strcmp(t->kind, "distribute") != 0 || !transaction_holds_work(d->settle, t))
            continue;
        if (!store_set_load(d->settle->db, t->id, &set, err))
            return false;
        take_out(d, &set, t->state == TX_FINAL);
        reward_leaves_clear(&set);
    }
    return true;
}

/* Whether a smaller set may fare better.  What the contract itself says no to is said to every set. */
static bool may_be_halved(const struct settle *s, const struct err *why)
{
    if (why->code == ERR_LIMIT)
        return true;
    if (why->code != ERR_CHAIN)
        return false;
    switch (rpc_last_class(s->rpc)) {
    case RPC_REVERT:
    case RPC_BAD_GAS:
    case RPC_UNKNOWN:                          /* "gas required exceeds allowance" and the like */
        return true;
    case RPC_KNOWN:
    case RPC_NONCE_USED:
    case RPC_NONCE_AHEAD:
    case RPC_BUMP_NEEDED:
    case RPC_PRICE_LOW:
    case RPC_POOL_FULL:
    case RPC_FUNDS:
    case RPC_FEE_CAP:
    case RPC_MALFORMED:
    case RPC_DELEGATED:
    case RPC_DOWN:
        return false;
    }
    bug("RPC class %d", (int)rpc_last_class(s->rpc));
}

/* The largest set from the start of the dues that the node finds payable: halved until it does.  One account that is
 * refused alone is left out.  *count 0: somebody was left out, the dues are others now. */
static bool find_set(struct distribution *d, size_t *count, struct buf *data, uint64_t *gas, struct err *err)
{
    struct settle *s = d->settle;
    size_t n = set_fill(d->dues.list, d->dues.count, d->gas_max);
    bool refused;

    for (*count = 0;; n /= 2) {
        buf_reset(data);
        if (set_call(&d->leaves, d->tree, d->dues.list, n, data, err)
            && distribution_preview(d, n, data, &refused, err)) {
            if (refused)
                return true;
            if (send_estimate(s, data, gas, err))
                break;
        }
        if (!may_be_halved(s, err))
            return false;
        if (n > 1)
            continue;
        if (err->code == ERR_CHAIN && rpc_last_class(s->rpc) == RPC_UNKNOWN)
            return false;                      /* words nobody knows leave nobody unpaid */
        distribution_leave_out(d, 0, err);
        return true;
    }
    *count = n;
    return true;
}

/* Calls that leave together. */
struct calls {
    struct send_request requests[SEND_GROUP];
    struct reward_leaves sets[SEND_GROUP];
    struct buf data[SEND_GROUP];
    size_t count;
};

static void add_call(struct distribution *d, size_t count, struct buf *owned_data, uint64_t gas, struct calls *calls)
{
    size_t at = calls->count++;
    struct reward_leaves *set = &calls->sets[at];

    calls->data[at] = *owned_data;
    *set = (struct reward_leaves){ mem_array(count, sizeof *set->list), count };
    for (size_t i = 0; i < count; i++)
        set->list[i] = d->leaves.list[d->dues.list[i].leaf];
    calls->requests[at] = (struct send_request){ "distribute", d->sequence, gas, &calls->data[at], set };
    d->dues.count -= count;
    memmove(d->dues.list, d->dues.list + count, d->dues.count * sizeof *d->dues.list);
    d->undecided = true;
}

static bool find_call(struct distribution *d, struct calls *calls, bool *moved, struct err *err)
{
    struct settle *s = d->settle;
    uint64_t gas = 0;
    size_t count = 0;
    struct buf data;

    buf_init(&data);
    if (!dues_look_up_holders(s->rpc, s->config.token, &d->leaves, &d->dues, err)
        || !find_set(d, &count, &data, &gas, err)) {
        buf_clear(&data);
        return false;
    }
    if (count == 0) {
        buf_clear(&data);
        return true;
    }
    *moved = true;
    add_call(d, count, &data, gas, calls);
    return true;
}

/* As many calls as leave together.  Those found before an error are sent all the same. */
static bool send_some(struct distribution *d, size_t *room, bool *moved, struct err *err)
{
    struct calls calls = { .count = 0 };
    struct err unsent = { 0 };
    bool ok = true;

    while (ok && d->dues.count > 0 && calls.count < *room && calls.count < SEND_GROUP)
        ok = find_call(d, &calls, moved, err);
    if (calls.count > 0 && !send_new(d->settle, calls.requests, calls.count, &unsent)) {
        if (ok)
            *err = unsent;
        else
            (void)hold_taken(d->settle);      /* what came first is told, and is no ceiling */
        ok = false;
    }
    *room -= calls.count;
    for (size_t i = 0; i < calls.count; i++) {
        reward_leaves_clear(&calls.sets[i]);
        buf_clear(&calls.data[i]);
    }
    return ok;
}

/* As many calls as fit behind those in flight: they pay different accounts, so none waits for another. */
static bool send_all(struct distribution *d, bool *moved, struct err *err)
{
    struct settle *s = d->settle;
    struct fee fee;
    uint64_t limit;
    size_t room;

    if (!send_room(s, &room, err))
        return false;
    if (room == 0)
        return true;
    if (!transactions_may_retry(s, &d->txs, "distribute", err) || !send_gas_limit(s, &limit, err)
        || !send_fee(s, &fee, err))
        return false;
    if (limit > fee_gas_max(fee))
        limit = fee_gas_max(fee);
    d->gas_max = s->config.set_gas != 0 ? s->config.set_gas : SET_GAS_MAX;
    if (d->gas_max > limit / 4 * 3)
        d->gas_max = limit / 4 * 3;            /* the estimate's margin must fit, too */
    d->tree = rewards_tree(&d->leaves, s->config.token);
    while (room > 0 && d->dues.count > 0)
        if (!send_some(d, &room, moved, err))
            return false;
    return true;
}

/* Nobody could be paid at all: that is not the accounts' fault, and may be over when it is tried again. */
static bool check_all_refused(const struct distribution *d, struct err *err)
{
    struct settle *s = d->settle;
    size_t refused = s->left_out_count;

    if (s->left_out_sequence != d->sequence || refused < 2 || transactions_live(s, &d->txs, "distribute") != NULL)
        return true;
    left_out_clear(s);
    return err_set(err, ERR_HALT, "settlement %" PRIu64 ": each of %zu payments is refused", d->sequence, refused);
}

/* Changes whenever a call of the settlement is new or moves.  While it does not, nothing can be sent that was not sent
 * before, and asking for what every account was paid would only cost the node. */
static uint64_t mark_of(const struct settle *s, const struct transactions *txs)
{
    uint64_t mark = txs->count;

    for (size_t i = 0; i < txs->count; i++)
        mark = mark * 31 + 2 * (uint64_t)txs->list[i].state + transaction_holds_work(s, &txs->list[i]);
    return mark;
}

static bool distribute(struct distribution *d, const struct batch_row *batch, bool *moved, struct err *err)
{
    struct settle *s = d->settle;

    if (!store_leaves_load(s->db, d->sequence, &d->leaves, err)
        || !dues_read(s->rpc, s->config.contract, &d->leaves, s->config.distribute_minimum, &d->dues, err)
        || !take_out_tried(d, err))
        return false;
    distribution_take_out_left_out(d);
    if (d->dues.count > 0 && !send_all(d, moved, err))
        return false;
    if (d->dues.count > 0 || d->undecided) {
        wait_for(s, WAITS_FOR_BLOCK);
        s->paying_sequence = d->sequence;
        s->paying_mark = d->undecided ? mark_of(s, &d->txs) : 0;
        return true;
    }
    if (!check_all_refused(d, err) || !move_batch(s, batch->number, BATCH_ACTIVE, BATCH_DISTRIBUTED, err))
        return false;
    settle_crash_point("distributed");
    *moved = true;
    return true;
}

bool distribute_active(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err)
{
    struct distribution d = { .settle = s, .sequence = batch->sequence };
    bool ok = transactions_of(s, batch->sequence, &d.txs, err);

    if (ok && s->paying_sequence == d.sequence && s->paying_mark != 0 && s->paying_mark == mark_of(s, &d.txs))
        wait_for(s, WAITS_FOR_BLOCK);
    else
        ok = ok && distribute(&d, batch, moved, err);
    transactions_clear(&d.txs);
    reward_leaves_clear(&d.leaves);
    dues_clear(&d.dues);
    tree_free(d.tree);
    return ok;
}

/* Nothing that it does may still change, and what it paid is in the books. */
static bool is_settled(const struct transaction_row *t, uint64_t scanned)
{
    switch (t->state) {
    case TX_FINAL:
        return t->block <= scanned;
    case TX_REVERTED:
    case TX_VOID:
    case TX_FOREIGN:
        return true;
    case TX_PREPARED:
    case TX_SENT:
    case TX_MINED:
        return false;
    }
    bug("transaction state %d", (int)t->state);
}

/* distributed -> final: every transaction is final and the payments of their blocks are in the books. */
bool finish_distributed(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err)
{
    struct transactions txs;
    uint64_t scanned = 0;
    bool ok, waits = false;

    if (!transactions_of(s, batch->sequence, &txs, err))
        return false;
    ok = store_meta_get(s->db, "scanned_block", &scanned, err);
    for (size_t i = 0; i < txs.count; i++)
        waits = waits || (!is_settled(&txs.list[i], scanned) && transaction_holds_work(s, &txs.list[i]));
    transactions_clear(&txs);
    if (!ok)
        return false;
    if (waits) {
        wait_for(s, WAITS_FOR_BLOCK);
        return true;
    }
    if (!move_batch(s, batch->number, BATCH_DISTRIBUTED, BATCH_FINAL, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "settlement_final", KV_U64("sequence", batch->sequence));
    *moved = true;
    return true;
}
