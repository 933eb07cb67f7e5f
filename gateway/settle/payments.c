/* The record of payments: the token's Transfer logs from the contract in confirmed blocks, whoever caused them.
 *
 * An empty answer proves nothing: a node may lack an index, or be behind another one.  So the sum of all payments is
 * compared with what the contract says was claimed, at the last block of the range, before that block counts as
 * scanned. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"
#include "store/ledger.h"
#include "store/meta.h"

#include <inttypes.h>
#include <stdlib.h>

#define SCAN_BLOCKS 2000u          /* what nodes give at once without complaint, most of them */
#define GROW_AFTER 32u             /* scans that went well before a larger one is tried */

struct scan {
    struct settle *settle;
    uint64_t from, to, count;
    struct logs logs;
    bool has_claimed;              /* the state of block `to` was there to compare with */
    struct amount claimed, total;  /* by the contract; of all payments up to there */
    struct amount surplus;         /* of total over claimed */
};

/* The sum with these logs, from the one before: adding up all payments each time would take longer and longer. */
static bool add_up(struct scan *scan, struct err *err)
{
    struct settle *s = scan->settle;

    if (!s->scanner.has_total) {
        if (!store_payments_total(s->db, &s->scanner.total, err))
            return false;
        s->scanner.has_total = true;
    }
    scan->total = s->scanner.total;
    for (size_t i = 0; i < scan->logs.count; i++) {
        struct address account;
        struct amount amount;

        if (token_paid(&scan->logs.list[i], s->config.token, s->config.contract, &account, &amount)
            && !amount_add(scan->total, amount, &scan->total))
            return err_set(err, ERR_OVERFLOW, "payments over 256 bits");
    }
    return true;
}

/* A node without an archive has forgotten the state of old blocks: what is missing there shows when the sum is compared
 * again, nearer to the head, and then all that was not compared is read again. */
static bool ask_claimed(struct scan *scan, struct err *err)
{
    struct settle *s = scan->settle;

    scan->has_claimed = settlement_total_claimed_at(s->rpc, s->config.contract, scan->to, &scan->claimed, err);
    if (scan->has_claimed)
        return true;
    if (err->code != ERR_CHAIN || rpc_last_class(s->rpc) == RPC_REVERT)
        return false;
    if (!s->scanner.unchecked_told)
        log_event(LOG_WARN_LEVEL, "payments_unchecked", KV_U64("to", scan->to), KV_TEXT("error", err->text));
    s->scanner.unchecked_told = true;
    return true;
}

/* Logs must add up to what was claimed, or to more: a token may move the contract's tokens by a call of its own (a
 * seizure), for ever.  Then the surplus known counts as well, so that it hides no missing log. */
static bool check(struct scan *scan, struct err *err)
{
    char have[U256_DECIMAL_MAX], want[U256_DECIMAL_MAX];
    struct amount surplus;

    if (!scan->has_claimed)
        return true;
    if (amount_sub(scan->total, scan->claimed, &surplus)
        && amount_cmp(surplus, scan->settle->scanner.surplus) >= 0) {
        scan->surplus = surplus;
        return true;
    }
    u256_to_decimal(scan->total.base_units, have);
    u256_to_decimal(scan->claimed.base_units, want);
    return err_set(err, ERR_AGAIN, "logs up to block %" PRIu64 " add up to %s, the contract paid %s: is the node"
                                   " behind?", scan->to, have, want);
}

static bool record_payments(void *self, struct group *group, struct err *err)
{
    struct scan *scan = self;
    const struct settle *s = scan->settle;

    scan->count = 0;
    scan->surplus = s->scanner.surplus;
    for (size_t i = 0; i < scan->logs.count; i++) {
        const struct log_entry *log = &scan->logs.list[i];
        struct payment p = { .block = log->block, .log_index = log->index, .tx = log->tx };

        if (!token_paid(log, s->config.token, s->config.contract, &p.account, &p.amount))
            continue;
        if (!store_payment_add(group->db, &p, err))
            return false;
        scan->count++;
    }
    /* In the same task: a payment is never counted twice nor passed over.  Whatever differs undoes all of it. */
    return (!s->scanner.recounts || store_payments_total_at(group->db, scan->to, &scan->total, err))
        && check(scan, err)
        && store_meta_set(group->db, "scanned_block", scan->to, err)
        && (!scan->has_claimed || store_meta_set(group->db, "checked_block", scan->to, err));
}

static bool go_back(void *self, struct group *group, struct err *err)
{
    return store_meta_set(group->db, "scanned_block", *(const uint64_t *)self, err);
}

/* Logs are missing.  Where they can only be in blocks that were not compared, those are read again. */
static bool look_behind(struct scan *scan, struct err *err)
{
    struct settle *s = scan->settle;
    uint64_t checked = 0;

    if (!store_meta_get(s->db, "checked_block", &checked, err))
        return false;
    if (checked + 1 >= scan->from)
        return true;
    if (!settle_do(s, go_back, &checked, err))
        return false;
    log_event(LOG_WARN_LEVEL, "payments_read_again", KV_U64("from", checked + 1), KV_U64("to", scan->to));
    return true;
}

static bool record_range(struct scan *scan, uint64_t height, struct err *err)
{
    struct settle *s = scan->settle;
    struct err why;

    if (!ask_claimed(scan, err) || (!s->scanner.recounts && !add_up(scan, err)))
        return false;
    if (!settle_do(s, record_payments, scan, err)) {
        if (err->code == ERR_AGAIN && s->scanner.recounts && amount_cmp(scan->total, scan->claimed) < 0
            && !look_behind(scan, &why))
            *err = why;
        s->scanner.recounts = s->scanner.recounts || err->code == ERR_AGAIN;
        return false;
    }
    if (scan->has_claimed && scan->to == height)
        s->scanner.recounts = false;
    if (amount_cmp(scan->surplus, s->scanner.surplus) != 0)
        log_event(LOG_ERROR_LEVEL, "tokens_left_the_contract", KV_U64("to", scan->to),
                  KV_AMOUNT("amount", &scan->surplus),
                  KV_TEXT("error", "the token's logs show more than the contract paid"));
    s->scanner.surplus = scan->surplus;
    s->scanner.has_total = !s->scanner.recounts;
    s->scanner.total = scan->total;
    if (scan->count > 0)
        log_event(LOG_NOTICE_LEVEL, "payments_recorded", KV_U64("count", scan->count), KV_U64("from", scan->from),
                  KV_U64("to", scan->to));
    return true;
}

static bool read_logs(struct scan *scan, struct err *err)
{
    struct settle *s = scan->settle;
    struct hash transfer = token_transfer_topic(), from = { { 0 } };
    const struct hash *topics[] = { &transfer, &from };

    memcpy(from.b + 12, s->config.contract.b, sizeof s->config.contract.b);
    return rpc_logs(s->rpc, s->config.token, topics, ARRAY_LEN(topics), scan->from, scan->to, &scan->logs, err);
}

/* Too many blocks or too many logs at once: providers say so in many ways, all of which may mean something else too. */
static bool may_be_too_long(const struct settle *s, const struct err *err)
{
    return err->code == ERR_LIMIT || err->code == ERR_CHAIN || err->code == ERR_INVALID
        || (err->code == ERR_AGAIN && rpc_last_class(s->rpc) == RPC_DOWN);
}

/* Halved until a node gives it; the size is kept for the next scans, and grows again slowly. */
static bool read_some(struct scan *scan, uint64_t height, struct err *err)
{
    struct payments_scanner *scanner = &scan->settle->scanner;

    if (scanner->blocks == 0)
        scanner->blocks = SCAN_BLOCKS;
    for (;;) {
        scan->to = height - scan->from < scanner->blocks ? height : scan->from + scanner->blocks - 1;
        if (read_logs(scan, err))
            break;
        scanner->went_well = 0;
        if (scan->to == scan->from || !may_be_too_long(scan->settle, err))
            return false;
        scanner->blocks = (scan->to - scan->from + 1) / 2;
        if (err->code == ERR_AGAIN)
            return false;                      /* a rate limit, perhaps: not asked again at once */
    }
    if (++scanner->went_well >= GROW_AFTER && scanner->blocks < SCAN_BLOCKS) {
        scanner->blocks *= 2;
        scanner->went_well = 0;
    }
    return true;
}

bool payments_scan(struct settle *s, bool *moved, struct err *err)
{
    struct scan scan = { .settle = s };
    uint64_t scanned, height;
    bool any, ok;

    if (!store_meta_get(s->db, "scanned_block", &scanned, err) || !confirmed_height(s, &height, &any, err))
        return false;
    scan.from = scanned + 1 > s->config.deploy_block ? scanned + 1 : s->config.deploy_block;
    if (!any || height < scan.from)
        return true;
    if (!read_some(&scan, height, err))
        return false;
    ok = record_range(&scan, height, err);
    logs_clear(&scan.logs);
    *moved = *moved || ok;
    return ok;
}
