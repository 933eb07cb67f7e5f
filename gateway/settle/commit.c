/* prepared -> committed: one commit call for ever; what became of it is told by its receipt. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"

#include <inttypes.h>

static void commit_call(const struct settlement_row *settlement, struct buf *data)
{
    const struct settlement_content *c = &settlement->content;

    settlement_commit_call(&(struct commit_args){ c->sequence, settlement->parent, c->receipts_root, c->rewards_root,
                                                  c->archive, c->total, c->receipts }, data);
}

/* While another batch waits for its activation the contract takes no commit: no error, only waiting. */
static bool waits_for_another(struct settle *s, bool *waits, struct err *err)
{
    struct settlement_view view;

    if (!settlement_read(s->rpc, s->config.contract, &view, err))
        return false;
    *waits = view.has_pending;
    if (*waits) {
        s->report.waits = WAITS_FOR_ACTIVATION;
        s->report.active_at_s = view.pending_active_at_s;
    }
    return true;
}

static bool send_commit(struct settle *s, const struct settlement_row *settlement, bool *moved, struct err *err)
{
    struct send_request request = { .kind = "commit", .sequence = settlement->sequence };
    bool waits, ok = false;
    struct buf data;

    if (!waits_for_another(s, &waits, err))
        return false;
    if (waits)
        return true;
    buf_init(&data);
    commit_call(settlement, &data);
    request.data = &data;
    if (!send_estimate(s, &data, &request.gas, err)) {
        err_prefix(err, "commit of settlement %" PRIu64, settlement->sequence);
        goto out;
    }
    *moved = true;
    ok = send_new(s, &request, err);
out:
    buf_clear(&data);
    return ok;
}

bool commit_prepared(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err)
{
    struct settlement_row settlement;
    const struct transaction_row *commit;
    struct transactions txs;
    bool ok = false;

    if (!settlement_of(s, batch, &settlement, err) || !transactions_of(s, settlement.sequence, &txs, err))
        return false;
    commit = transactions_newest(&txs, "commit");
    if (!transactions_sound(&txs, err))
        goto out;
    if (commit == NULL)
        ok = send_commit(s, &settlement, moved, err);
    else if (commit->state == TX_MINED || commit->state == TX_FINAL)
        ok = commit_mined(s, &settlement, commit, BATCH_PREPARED, moved, err);
    else
        ok = true;                             /* follow.c looks after it */
    if (ok && commit != NULL && s->report.waits == WAITS_NOT)
        s->report.waits = WAITS_FOR_BLOCK;
out:
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
    if (!writer_do(s->writer, record_commit, &c, err))
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
    /* No receipt, or one of another block than was stored: a reorg is under way, follow.c settles that first. */
    if (!receipt.found || !receipt.success || !hash_eq(receipt.block_hash, t->block_hash)) {
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
