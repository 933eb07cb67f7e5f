/* committed -> active once the commit is final and the contract's delay is over; or cancelled by the guardian. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"

#include <inttypes.h>

static bool cancelled(struct settle *s, const struct settlement_row *settlement, bool *moved, struct err *err)
{
    if (!move_batch(s, settlement->batch, BATCH_COMMITTED, BATCH_CANCELLED, err))
        return false;
    log_event(LOG_WARN_LEVEL, "settlement_cancelled", KV_U64("sequence", settlement->sequence));
    s->report.state = BATCH_CANCELLED;
    *moved = true;
    return err_set(err, ERR_HALT,
                   "settlement %" PRIu64 " was cancelled by the guardian; it is settled again only when carried",
                   settlement->sequence);
}

/* The commit is final: its header can only be the one stored, or that marked as cancelled. */
static bool activate(struct settle *s, const struct settlement_row *settlement, bool *moved, struct err *err)
{
    struct block latest;
    struct hash header;

    /* The time first: once it is over, a header that is not marked then will never be. */
    if (!rpc_block(s->rpc, BLOCK_LATEST, &latest, err)
        || !settlement_header(s->rpc, s->config.contract, settlement->sequence, &header, err))
        return false;
    if (hash_eq(header, header_cancelled(settlement->header)))
        return cancelled(s, settlement, moved, err);
    if (!hash_eq(header, settlement->header))
        return err_set(err, ERR_HALT, "header %" PRIu64 " of the contract is not the one in the store",
                       settlement->sequence);
    if (latest.timestamp_s < settlement->active_at_s) {
        s->report.waits = WAITS_FOR_ACTIVATION;
        return true;
    }
    if (!move_batch(s, settlement->batch, BATCH_COMMITTED, BATCH_ACTIVE, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "settlement_active", KV_U64("sequence", settlement->sequence));
    settle_crash_point("active");
    *moved = true;
    return true;
}

bool activate_committed(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err)
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
    s->report.active_at_s = settlement.active_at_s;
    if (commit == NULL) {                      /* a rebuilt store: the contract's header alone tells */
        ok = activate(s, &settlement, moved, err);
        goto out;
    }
    /* A reorg may have mined it anew, in a block of another time: the header is read again before it counts. */
    ok = commit->state != TX_FINAL
      || (commit_mined(s, &settlement, commit, BATCH_COMMITTED, moved, err) && settlement_of(s, batch, &settlement, err)
          && activate(s, &settlement, moved, err));
    if (commit->state != TX_FINAL)
        s->report.waits = settlement.active_at_s > clock_now_ms(s->clock) / 1000 ? WAITS_FOR_ACTIVATION
                                                                                 : WAITS_FOR_BLOCK;
out:
    transactions_clear(&txs);
    return ok;
}
