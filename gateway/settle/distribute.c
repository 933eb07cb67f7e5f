/* active -> distributed: sets of accounts are paid one after the other until nothing is due any more, then -> final.
 *
 * What is due is read from the contract, never from what we sent: anyone may claim or distribute, and a call that was
 * forgotten shows there too.  An account that is still due after its call is final was refused by the token: it counts
 * as failed and keeps its claim; the next settlement pays it again. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/settle/rewards.h"
#include "gateway/settle/sets.h"
#include "store/meta.h"

#include <inttypes.h>
#include <stdlib.h>

bool is_left_out(const struct settle *s, uint64_t sequence, struct address account)
{
    if (s->left_out_sequence != sequence)
        return false;
    for (size_t i = 0; i < s->left_out_count; i++)
        if (address_eq(s->left_out[i], account))
            return true;
    return false;
}

void leave_out(struct settle *s, uint64_t sequence, struct address account, const struct err *why)
{
    if (s->left_out_sequence != sequence) {
        s->left_out_sequence = sequence;
        s->left_out_count = 0;
    }
    s->left_out = mem_grow(s->left_out, s->left_out_count + 1, sizeof *s->left_out);
    s->left_out[s->left_out_count++] = account;
    log_event(LOG_NOTICE_LEVEL, "account_left_out", KV_U64("sequence", sequence), KV_ADDRESS("account", &account),
              KV_TEXT("error", why->text));
}

struct distribution {
    struct settle *settle;
    uint64_t sequence;
    struct reward_leaves leaves;
    struct transactions txs;
    struct tree *tree;
    struct dues dues;
    bool undecided;                            /* somebody is due whose call is mined, not final */
};

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

        if (strcmp(t->kind, "distribute") != 0)
            continue;
        if (!store_set_load(d->settle->db, t->id, &set, err))
            return false;
        take_out(d, &set, t->state == TX_FINAL);
        reward_leaves_clear(&set);
    }
    return true;
}

static void take_out_left_out(struct distribution *d)
{
    size_t kept = 0;

    for (size_t i = 0; i < d->dues.count; i++)
        if (!is_left_out(d->settle, d->sequence, d->leaves.list[d->dues.list[i].leaf].account))
            d->dues.list[kept++] = d->dues.list[i];
    d->dues.count = kept;
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
 * refused alone is left out, *count 0 then. */
static bool find_set(struct distribution *d, size_t *count, struct buf *data, uint64_t *gas, struct err *err)
{
    struct settle *s = d->settle;
    size_t n = set_fill(d->dues.list, d->dues.count);

    for (;; n /= 2) {
        buf_reset(data);
        if (set_call(&d->leaves, d->tree, d->dues.list, n, data, err) && send_estimate(s, data, gas, err))
            break;
        if (!may_be_halved(s, err))
            return false;
        if (n > 1)
            continue;
        if (err->code == ERR_CHAIN && rpc_last_class(s->rpc) == RPC_UNKNOWN)
            return false;                      /* words nobody knows leave nobody unpaid */
        leave_out(s, d->sequence, d->leaves.list[d->dues.list[0].leaf].account, err);
        n = 0;
        break;
    }
    *count = n;
    return true;
}

static bool send_set(struct distribution *d, size_t count, const struct buf *data, uint64_t gas, struct err *err)
{
    struct reward_leaves set = { mem_array(count, sizeof *set.list), count };
    struct send_request request = { "distribute", d->sequence, gas, data, &set };
    bool ok;

    for (size_t i = 0; i < count; i++)
        set.list[i] = d->leaves.list[d->dues.list[i].leaf];
    ok = send_new(d->settle, &request, err);
    reward_leaves_clear(&set);
    return ok;
}

/* Nobody could be paid at all: that is not the accounts' fault. */
static bool check_all_refused(const struct distribution *d, struct err *err)
{
    if (d->settle->left_out_sequence != d->sequence || d->settle->left_out_count < 2
        || transactions_newest(&d->txs, "distribute") != NULL)
        return true;
    return err_set(err, ERR_HALT, "settlement %" PRIu64 ": each of %zu payments is refused", d->sequence,
                   d->settle->left_out_count);
}

static bool send_next(struct distribution *d, bool *moved, struct err *err)
{
    struct settle *s = d->settle;
    struct buf data;
    uint64_t gas = 0;
    size_t count = 0;
    bool ok;

    d->tree = rewards_tree(&d->leaves, s->config.token);
    buf_init(&data);
    ok = dues_look_up_holders(s->rpc, s->config.token, &d->leaves, &d->dues, err)
        && find_set(d, &count, &data, &gas, err);
    if (ok) {
        *moved = true;
        ok = count == 0 || send_set(d, count, &data, gas, err);
    }
    buf_clear(&data);
    return ok;
}

static bool distribute(struct distribution *d, const struct batch_row *batch, bool *moved, struct err *err)
{
    struct settle *s = d->settle;

    if (!store_leaves_load(s->db, d->sequence, &d->leaves, err)
        || !dues_read(s->rpc, s->config.contract, &d->leaves, s->config.distribute_minimum, &d->dues, err)
        || !take_out_tried(d, err))
        return false;
    take_out_left_out(d);
    if (d->dues.count > 0)
        return send_next(d, moved, err);
    if (d->undecided) {
        s->report.waits = WAITS_FOR_BLOCK;
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

    if (ok && transactions_sound(&d.txs, err)) {
        if (transactions_unmined(&d.txs))
            s->report.waits = WAITS_FOR_BLOCK; /* one set after the other: what is due then depends on this one */
        else
            ok = distribute(&d, batch, moved, err);
    } else {
        ok = false;
    }
    transactions_clear(&d.txs);
    reward_leaves_clear(&d.leaves);
    dues_clear(&d.dues);
    tree_free(d.tree);
    return ok;
}

/* distributed -> final: every transaction is final and the payments of their blocks are in the books. */
bool finish_distributed(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err)
{
    struct transactions txs;
    uint64_t scanned = 0;
    bool ok, waits = false;

    if (!transactions_of(s, batch->sequence, &txs, err))
        return false;
    ok = transactions_sound(&txs, err) && store_meta_get(s->db, "scanned_block", &scanned, err);
    for (size_t i = 0; i < txs.count; i++)
        waits = waits || txs.list[i].state != TX_FINAL || txs.list[i].block > scanned;
    transactions_clear(&txs);
    if (!ok)
        return false;
    if (waits) {
        s->report.waits = WAITS_FOR_BLOCK;
        return true;
    }
    if (!move_batch(s, batch->number, BATCH_DISTRIBUTED, BATCH_FINAL, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "settlement_final", KV_U64("sequence", batch->sequence));
    *moved = true;
    return true;
}
