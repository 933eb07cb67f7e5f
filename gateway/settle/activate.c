/* committed -> active once the commit is final and the contract's delay is over; or cancelled by the guardian.
 *
 * Header and time are read at the confirmed block: a cancel that a reorg takes back moves nothing. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"

#include <inttypes.h>

static bool say_cancelled(uint64_t sequence, const char *how, struct err *err)
{
    return err_set(err, ERR_HALT, "settlement %" PRIu64 " was cancelled by the guardian%s; it is settled again only"
                                  " when carried", sequence, how);
}

static bool cancelled(struct settle *s, const struct settlement_row *settlement, bool *moved, struct err *err)
{
    if (!move_batch(s, settlement->batch, BATCH_COMMITTED, BATCH_CANCELLED, err))
        return false;
    log_event(LOG_WARN_LEVEL, "settlement_cancelled", KV_U64("sequence", settlement->sequence));
    s->report.state = BATCH_CANCELLED;
    *moved = true;
    return say_cancelled(settlement->sequence, "", err);
}

/* Marked in the latest block, not in the confirmed one: told, and asked again. */
static bool check_latest(struct settle *s, const struct settlement_row *settlement, struct err *err)
{
    struct hash header;

    if (!settlement_header(s->rpc, s->config.contract, settlement->sequence, &header, err))
        return false;
    return !hash_eq(header, header_cancelled(settlement->header))
        || say_cancelled(settlement->sequence, " in a block that is not confirmed yet", err);
}

/* The header is the stored one, and will stay so once its time is over. */
static bool activate(struct settle *s, const struct settlement_row *settlement, const struct block *confirmed,
                     bool *moved, struct err *err)
{
    if (confirmed->timestamp_s < settlement->active_at_s) {
        s->report.waits = WAITS_FOR_ACTIVATION;
        return check_latest(s, settlement, err);
    }
    if (!move_batch(s, settlement->batch, BATCH_COMMITTED, BATCH_ACTIVE, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "settlement_active", KV_U64("sequence", settlement->sequence));
    settle_crash_point("active");
    *moved = true;
    return true;
}

/* The header in a confirmed block is neither the stored one nor that marked as cancelled. */
static bool other_header(struct settle *s, const struct settlement_row *settlement, bool is_final, bool *moved,
                         struct err *err)
{
    bool found;

    /* Our receipt is final, so this node is behind, or of another branch. */
    if (is_final)
        return err_set(err, ERR_AGAIN, "header %" PRIu64 " of the contract is not the one in the store: is the node"
                                       " behind?", settlement->sequence);
    /* Committed without us, and mined anew in another block since. */
    if (!commit_adopt(s, settlement, BATCH_COMMITTED, &found, err))
        return false;
    *moved = *moved || found;
    s->report.waits = WAITS_FOR_BLOCK;
    return true;
}

/* A commit of ours was recorded, and then failed for good: a reorg put something before it that made it revert, or that
 * took its nonce. */
static bool has_failed(const struct settle *s, const struct transactions *txs)
{
    bool tried = false;

    for (size_t i = 0; i < txs->count; i++)
        tried = tried || strcmp(txs->list[i].kind, "commit") == 0;
    return tried && transactions_live(s, txs, "commit") == NULL;
}

static bool look_at_header(struct settle *s, const struct settlement_row *settlement, const struct transactions *txs,
                           bool is_final, bool *moved, struct err *err)
{
    struct hash header = { { 0 } };
    struct block confirmed;
    uint64_t height;
    bool any;

    if (!confirmed_height(s, &height, &any, err))
        return false;
    if (!any) {
        s->report.waits = WAITS_FOR_BLOCK;
        return true;
    }
    if (!rpc_block_at(s->rpc, height, &confirmed, err)
        || !settlement_header_at(s->rpc, s->config.contract, settlement->sequence, height, &header, err))
        return false;
    if (hash_eq(header, header_cancelled(settlement->header)))
        return cancelled(s, settlement, moved, err);
    if (hash_eq(header, settlement->header))
        return activate(s, settlement, &confirmed, moved, err);
    if (hash_is_zero(header) && has_failed(s, txs))
        return commit_send(s, settlement, txs, BATCH_COMMITTED, moved, err);
    if (hash_is_zero(header) && !is_final) {
        s->report.waits = WAITS_FOR_BLOCK;
        return true;
    }
    return other_header(s, settlement, is_final, moved, err);
}

bool activate_committed(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err)
{
    struct settlement_row settlement;
    const struct transaction_row *commit;
    struct transactions txs;
    bool ok = false;

    if (!settlement_of(s, batch, &settlement, err) || !transactions_of(s, settlement.sequence, &txs, err))
        return false;
    commit = transactions_live(s, &txs, "commit");
    s->report.active_at_s = settlement.active_at_s;
    if (commit == NULL || transaction_is_unmined(commit)) {
        /* A rebuilt store, a commit found done without us, or a reorg: the contract's header alone tells. */
        ok = look_at_header(s, &settlement, &txs, false, moved, err);
    } else if (commit->state == TX_FINAL) {
        /* A reorg may have mined it anew, in a block of another time: the header is read again before it counts. */
        ok = commit_mined(s, &settlement, commit, BATCH_COMMITTED, moved, err)
          && settlement_of(s, batch, &settlement, err) && look_at_header(s, &settlement, &txs, true, moved, err);
    } else {
        s->report.waits = settlement.active_at_s > clock_now_ms(s->clock) / 1000 ? WAITS_FOR_ACTIVATION
                                                                                 : WAITS_FOR_BLOCK;
        ok = check_latest(s, &settlement, err);
    }
    transactions_clear(&txs);
    return ok;
}
