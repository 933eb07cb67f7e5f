/* The record of payments: the token's Transfer logs from the contract in confirmed blocks, whoever caused them. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"
#include "store/ledger.h"
#include "store/meta.h"

#include <stdlib.h>

#define SCAN_BLOCKS 2000u          /* what nodes give at once without complaint */

struct scan { struct settle *settle; uint64_t from, to, count; struct logs logs; };

static bool record_payments(void *self, struct group *group, struct err *err)
{
    struct scan *scan = self;
    const struct settle_config *config = &scan->settle->config;

    scan->count = 0;
    for (size_t i = 0; i < scan->logs.count; i++) {
        const struct log_entry *log = &scan->logs.list[i];
        struct payment p = { .block = log->block, .log_index = log->index, .tx = log->tx };

        if (!token_paid(log, config->token, config->contract, &p.account, &p.amount))
            continue;
        if (!store_payment_add(group->db, &p, err))
            return false;
        scan->count++;
    }
    /* In the same task: a payment is never counted twice nor passed over. */
    return store_meta_set(group->db, "scanned_block", scan->to, err);
}

static bool scan_range(struct scan *scan, struct err *err)
{
    struct settle *s = scan->settle;
    struct hash transfer = token_transfer_topic(), from = { { 0 } };
    const struct hash *topics[] = { &transfer, &from };
    bool ok;

    memcpy(from.b + 12, s->config.contract.b, sizeof s->config.contract.b);
    if (!rpc_logs(s->rpc, s->config.token, topics, ARRAY_LEN(topics), scan->from, scan->to, &scan->logs, err))
        return false;
    ok = writer_do(s->writer, record_payments, scan, err);
    logs_clear(&scan->logs);
    if (ok && scan->count > 0)
        log_event(LOG_NOTICE_LEVEL, "payments_recorded", KV_U64("count", scan->count), KV_U64("from", scan->from),
                  KV_U64("to", scan->to));
    return ok;
}

bool payments_scan(struct settle *s, bool *moved, struct err *err)
{
    struct scan scan = { .settle = s };
    uint64_t scanned, height;
    bool any;

    if (!store_meta_get(s->db, "scanned_block", &scanned, err) || !confirmed_height(s, &height, &any, err))
        return false;
    scan.from = scanned + 1 > s->config.deploy_block ? scanned + 1 : s->config.deploy_block;
    if (!any || height < scan.from)
        return true;
    scan.to = height - scan.from < SCAN_BLOCKS ? height : scan.from + SCAN_BLOCKS - 1;
    if (!scan_range(&scan, err))
        return false;
    *moved = true;
    return true;
}
