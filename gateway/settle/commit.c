/* prepared -> committed: one commit call; what became of it is told by its receipt.
 *
 * Where its transaction was reverted, voided or lost its nonce to another, all of them final, the contract is asked
 * first: a sequence that is used was committed by somebody, and the event tells whether with our content.  Only a
 * sequence that is not used is tried anew. */
#include "gateway/settle/parts.h"

#include "gateway/base/hex.h"
#include "gateway/base/log.h"

#include <inttypes.h>

#define ADOPT_BLOCKS 1000u         /* logs asked for at once */

static void commit_call(const struct settlement_row *settlement, struct buf *data)
{
    const struct settlement_content *c = &settlement->content;

    settlement_commit_call(&(struct commit_args){ c->sequence, settlement->parent, c->receipts_root, c->rewards_root,
                                                  c->archive, c->total, c->receipts }, data);
}

/* Waits for an earlier batch, or for the blocks that show a commit done without us: no error, only waiting. */
static bool is_ready(struct settle *s, const struct settlement_row *settlement, enum batch_state now, bool *ready,
                     bool *moved, struct err *err)
{
    struct settlement_view view;
    bool adopted;

    *ready = false;
    if (!settlement_read(s->rpc, s->config.contract, &view, err))
        return false;
    if (view.sequence >= settlement->sequence) {
        if (!commit_adopt(s, settlement, now, &adopted, err))
            return false;
        *moved = *moved || adopted;
        s->report.waits = WAITS_FOR_BLOCK;
        return true;
    }
    *ready = !view.has_pending;
    if (view.has_pending) {
        s->report.waits = WAITS_FOR_ACTIVATION;
        s->report.active_at_s = view.pending_active_at_s;
    }
    return true;
}

bool commit_send(struct settle *s, const struct settlement_row *settlement, const struct transactions *txs,
                 enum batch_state now, bool *moved, struct err *err)
{
    struct send_request request = { .kind = "commit", .sequence = settlement->sequence };
    struct err again = { 0 };
    bool ready, ok = false;
    struct buf data;

    if (!is_ready(s, settlement, now, &ready, moved, err))
        return false;
    if (!ready)
        return true;
    buf_init(&data);
    commit_call(settlement, &data);
    request.data = &data;
    if (!transactions_may_retry(s, txs, "commit", err) || !send_estimate(s, &data, &request.gas, err)) {
        /* Refused for good, perhaps as another committed since we looked: then that is judged, once it is confirmed, and what is
         * found is the reason. */
        ok = err->code == ERR_HALT && is_ready(s, settlement, now, &ready, moved, &again) && !ready;
        if (again.code == ERR_HALT)
            *err = again;
        else if (!ok)
            err_prefix(err, "commit of settlement %" PRIu64, settlement->sequence);
        goto out;
    }
    *moved = true;
    ok = send_new(s, &request, 1, err);
out:
    buf_clear(&data);
    return ok;
}

bool commit_prepared(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err)
{
    struct settlement_row settlement;
    const struct transaction_row *commit;
    struct transactions txs;
    bool ok = true;

    if (!settlement_of(s, batch, &settlement, err) || !transactions_of(s, settlement.sequence, &txs, err))
        return false;
    commit = transactions_live(s, &txs, "commit");
    if (commit == NULL)
        ok = commit_send(s, &settlement, &txs, BATCH_PREPARED, moved, err);
    else if (!transaction_is_unmined(commit))
        ok = commit_mined(s, &settlement, commit, BATCH_PREPARED, moved, err);
    if (ok && commit != NULL && s->report.waits == WAITS_NOT)
        s->report.waits = WAITS_FOR_BLOCK;     /* follow.c looks after it */
    transactions_clear(&txs);
    return ok;
}

static bool find_event(struct settle *s, const struct tx_receipt *receipt, uint64_t sequence,
                       struct committed_event *event)
{
    for (size_t i = 0; i < receipt->logs.count; i++)
        if (settlement_committed(&receipt->logs.list[i], s->config.contract, event) && event->sequence == sequence)
            return true;
    return false;
}

/* What the chain holds must be what was prepared, down to the header. */
static bool check_event(const struct settlement_row *settlement, const struct committed_event *event, uint64_t time_s,
                        struct err *err)
{
    const struct settlement_content *c = &settlement->content;

    if (!hash_eq(event->receipts_root, c->receipts_root) || !hash_eq(event->rewards_root, c->rewards_root)
        || !hash_eq(event->archive, c->archive) || amount_cmp(event->total, c->total) != 0
        || event->receipts != c->receipts)
        return err_set(err, ERR_HALT, "what was committed as %" PRIu64 " is not what was prepared",
                       settlement->sequence);
    if (!hash_eq(event->header, header_next(settlement->parent, c, time_s)))
        return err_set(err, ERR_HALT, "header %" PRIu64 " is not the one computed here", settlement->sequence);
    return true;
}

struct commitment { struct settlement_row row; bool first; };

static bool record_commit(void *self, struct group *group, struct err *err)
{
    struct commitment *c = self;

    return store_settlement_committed(group->db, &c->row, err)
        && (!c->first || store_batch_move(group->db, c->row.batch, BATCH_PREPARED, BATCH_COMMITTED, err));
}

static bool record(struct settle *s, const struct settlement_row *settlement, const struct committed_event *event,
                   const struct block *block, bool first, struct err *err)
{
    struct commitment c = { *settlement, first };

    c.row.has_header = true;
    c.row.header = event->header;
    c.row.committed_at_s = block->timestamp_s;
    c.row.active_at_s = event->active_at_s;
    c.row.commit_block = block->number;
    if (!settle_do(s, record_commit, &c, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "settlement_committed", KV_U64("sequence", settlement->sequence),
              KV_HASH("header", &event->header), KV_U64("block", block->number));
    settle_crash_point("committed");
    return true;
}

bool commit_mined(struct settle *s, const struct settlement_row *settlement, const struct transaction_row *t,
                  enum batch_state now, bool *moved, struct err *err)
{
    struct committed_event event;
    struct tx_receipt receipt;
    struct block block;
    bool ok = false;

    if (!rpc_tx_receipt(s->rpc, t->mined, &receipt, err))
        return false;
    /* No receipt, or one of another block than was stored: a reorg is under way.  Or it was mined as a void, and is one for good
     * once that is confirmed.  follow.c settles either first. */
    if (!receipt.found || !receipt.success || !hash_eq(receipt.block_hash, t->block_hash)
        || !address_eq(receipt.to, s->config.contract)) {
        ok = true;
        goto out;
    }
    if (!find_event(s, &receipt, settlement->sequence, &event)) {
        err_set(err, ERR_HALT, "the commit of settlement %" PRIu64 " went through without its event",
                settlement->sequence);
        goto out;
    }
    if (!rpc_block_at(s->rpc, receipt.block, &block, err))
        goto out;
    if (!hash_eq(block.hash, receipt.block_hash)) {
        ok = true;                             /* the chain changed between the two questions */
        goto out;
    }
    if (!check_event(settlement, &event, block.timestamp_s, err))
        goto out;
    /* Mined anew in another block: the header holds the block's time and so is another one. */
    ok = (now != BATCH_PREPARED && hash_eq(settlement->header, event.header)
          && settlement->commit_block == block.number)
      || record(s, settlement, &event, &block, now == BATCH_PREPARED, err);
    *moved = *moved || (ok && now == BATCH_PREPARED);
out:
    logs_clear(&receipt.logs);
    return ok;
}

/* -- done without us -- */

struct seen_commit { struct committed_event event; uint64_t block; struct tx_hash tx; };

/* The event of this sequence in these blocks; *found false: none. */
static bool event_between(struct settle *s, uint64_t sequence, uint64_t from, uint64_t to, struct seen_commit *seen,
                          bool *found, struct err *err)
{
    struct hash topic = settlement_committed_topic(), word = { { 0 } };
    const struct hash *topics[] = { &topic, &word };
    struct logs logs;

    for (unsigned i = 0; i < 8; i++)
        word.b[31 - i] = (uint8_t)(sequence >> 8 * i);
    if (!rpc_logs(s->rpc, s->config.contract, topics, ARRAY_LEN(topics), from, to, &logs, err))
        return false;
    for (size_t i = 0; i < logs.count && !*found; i++)
        if (settlement_committed(&logs.list[i], s->config.contract, &seen->event)) {
            seen->block = logs.list[i].block;
            seen->tx = logs.list[i].tx;
            *found = true;
        }
    logs_clear(&logs);
    return true;
}

/* Back from `to` to the commit before: it is in the first range asked, as a rule. */
static bool find_commit(struct settle *s, uint64_t sequence, uint64_t to, struct seen_commit *seen, bool *found,
                        struct err *err)
{
    uint64_t lowest = s->config.deploy_block, from, range = ADOPT_BLOCKS;
    struct settlement_row before;
    bool has_before = false;

    *found = false;
    if (sequence > 1 && !store_settlement_find(s->db, sequence - 1, &before, &has_before, err))
        return false;
    if (has_before && before.commit_block > lowest)
        lowest = before.commit_block;
    while (!*found && to >= lowest) {
        from = to - lowest < range ? lowest : to - range + 1;
        if (!event_between(s, sequence, from, to, seen, found, err)) {
            if ((err->code != ERR_CHAIN && err->code != ERR_LIMIT && err->code != ERR_INVALID) || range == 1)
                return false;
            range /= 2;                        /* a provider's limit */
            continue;
        }
        if (from == 0)
            break;
        to = from - 1;
    }
    return true;
}

bool commit_name(struct settle *s, uint64_t sequence, struct err *err)
{
    char header[HASH_TEXT], tx[HASH_TEXT];
    struct err why = { 0 };                    /* what is told already counts more */
    struct tx_receipt receipt;
    struct seen_commit seen;
    struct block latest;
    bool found, ours;

    if (!rpc_block(s->rpc, BLOCK_LATEST, &latest, &why) || !find_commit(s, sequence, latest.number, &seen, &found, &why)
        || !found || !rpc_tx_receipt(s->rpc, seen.tx, &receipt, &why))
        return false;
    ours = receipt.found && address_eq(receipt.from, s->account);
    logs_clear(&receipt.logs);
    hash_to_text(seen.event.header, header);
    hash_to_text(seen.tx.h, tx);
    return err_prefix(err, "another gateway commits with %s: sequence %" PRIu64 " was committed with header %s, transaction %s",
                      ours ? "this key" : "another key", sequence, header, tx);
}

bool commit_adopt(struct settle *s, const struct settlement_row *settlement, enum batch_state now, bool *found,
                  struct err *err)
{
    struct seen_commit seen;
    struct block block;
    uint64_t height;
    bool any;

    *found = false;
    if (!confirmed_height(s, &height, &any, err)
        || (any && !find_commit(s, settlement->sequence, height, &seen, found, err)))
        return false;
    if (!*found)
        return true;
    if (!rpc_block_at(s->rpc, seen.block, &block, err))
        return false;
    if (!check_event(settlement, &seen.event, block.timestamp_s, err))
        return commit_name(s, settlement->sequence, err);
    log_event(LOG_WARN_LEVEL, "commit_found", KV_U64("sequence", settlement->sequence), KV_U64("block", seen.block),
              KV_HASH("tx", &seen.tx.h));
    return record(s, settlement, &seen.event, &block, now == BATCH_PREPARED, err);
}
