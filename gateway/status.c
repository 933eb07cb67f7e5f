/* gateway/status.c - see status.h. */
#include "gateway/status.h"

#include "chain/keystore.h"
#include "gateway/base/clock.h"
#include "gateway/lib/exposition.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"
#include "gateway/watchdog/publish.h"
#include "store/batches.h"
#include "store/transactions.h"

#define TAKEN_SHOWN 20u

static void put_batch(json *out, const char *key, const struct batch_row *b)
{
    json *row = json_new_object();

    json_put_u64(row, "number", b->number);
    json_put_text(row, "state", batch_state_name(b->state));
    json_put_u64(row, "receipts", b->receipts);
    json_put_amount(row, "amount", b->amount);
    if (b->sequence != 0)
        json_put_u64(row, "sequence", b->sequence);
    json_put(out, key, row);
}

static void put_settlement(json *out, const struct settlement_row *s)
{
    json *row = json_new_object();

    json_put_u64(row, "sequence", s->sequence);
    json_put_text(row, "state", batch_state_name(s->state));
    json_put_u64(row, "receipts", s->content.receipts);
    json_put_amount(row, "total", s->content.total);
    json_put(out, "lastSettlement", row);
}

/* Of the settlement in progress, and of this UTC day, as [settle] max_run_cost_gwei and max_day_cost_gwei count them. */
static bool put_costs(struct db *db, json *out, const struct batch_row *unfinished, uint64_t now_ms, struct err *err)
{
    struct wei run = { U256_ZERO }, day;

    if ((unfinished != NULL && unfinished->sequence != 0 && !store_cost_of_sequence(db, unfinished->sequence, 0, &run, err))
        || !store_cost_since(db, now_ms - now_ms % DAY_MS, 0, &day, err))
        return false;
    json_put_wei(out, "runCostWei", run);
    json_put_wei(out, "dayCostWei", day);
    return true;
}

static bool add_taken(void *self, const struct transaction_row *t, struct err *err)
{
    json *row = json_new_object();

    (void)err;
    json_put_address(row, "account", t->account);
    json_put_u64(row, "nonce", t->nonce);
    json_put_u64(row, "sequence", t->sequence);
    json_put(row, "takenBy", hash_is_zero(t->taken_by.h) ? json_new_null() : json_new_hash(t->taken_by.h));
    json_add(self, row);
    return true;
}

/* Nonces of ours that a transaction of somebody else with the same key used. */
static bool put_taken(struct db *db, json *out, struct err *err)
{
    json *list = json_new_array();

    json_put(out, "noncesTaken", list);
    return store_tx_in_state(db, TX_FOREIGN, TAKEN_SHOWN, add_taken, list, err);
}

/* A moment, where it is known, and how long ago that is. */
static void put_since(json *out, const char *at, const char *seconds, uint64_t since_ms, uint64_t now_ms)
{
    if (since_ms == 0)
        return;
    json_put_u64(out, at, since_ms);
    json_put_u64(out, seconds, now_ms > since_ms ? (now_ms - since_ms) / 1000 : 0);
}

MUST_USE bool status_store(struct db *db, const struct facts *facts, json **status, struct err *err)
{
    struct batch_row open, unfinished;
    struct settlement_row last;
    bool has_unfinished, has_last;
    json *out;

    if (!store_batch_open(db, &open, err) || !store_batch_unfinished(db, &unfinished, &has_unfinished, err)
        || !store_settlement_last(db, &last, &has_last, err))
        return false;
    out = json_new_object();
    put_batch(out, "openBatch", &open);
    if (has_unfinished)
        put_batch(out, "unfinishedBatch", &unfinished);
    if (has_last)
        put_settlement(out, &last);
    json_put_u64(out, "held", facts->held);
    put_since(out, "lastSuccess", "secondsSinceSuccess", facts->last_success_ms, facts->now_ms);
    put_since(out, "oldestUnsettled", "secondsUnsettled", facts->unsettled_since_ms, facts->now_ms);
    put_since(out, "stuckSince", "secondsStuck", facts->stuck_since_ms, facts->now_ms);
    if (!put_costs(db, out, has_unfinished ? &unfinished : NULL, facts->now_ms, err) || !put_taken(db, out, err)) {
        json_free(out);
        return false;
    }
    *status = out;
    return true;
}

/* Absent: without end. */
static void put_left(json *out, const char *key, uint64_t left)
{
    if (left <= INT64_MAX)
        json_put_u64(out, key, left);
}

static json *chain_to_json(const struct config *config, const struct settlement_view *v, const struct chain_facts *f)
{
    json *part = json_new_object();
    struct amount uncollected;

    json_put_u64(part, "chainId", config->chain.chain_id);
    json_put_u64(part, "head", f->head);
    json_put_u64(part, "headTime", f->head_time_s);
    json_put_u64(part, "sequence", v->sequence);
    json_put_amount(part, "total", v->total);
    json_put_amount(part, "totalClaimed", v->total_claimed);
    if (amount_sub(v->total, v->total_claimed, &uncollected))
        json_put_amount(part, "uncollected", uncollected);
    json_put_amount(part, "capAvailable", v->cap_available);
    json_put_bool(part, "pending", v->has_pending);
    json_put_amount(part, "contractBalance", f->contract_balance);
    if (!f->prefunded)
        json_put_amount(part, "pullable", f->pullable);
    json_put_amount(part, "owed", f->owed);
    put_left(part, "fundsDaysLeft", f->funds_days_left);
    json_put_wei(part, "gasBalanceWei", f->gas_balance);
    put_left(part, "gasRunsLeft", f->gas_runs_left);
    return part;
}

/* Before there is a contract: what the signer was sent. */
static bool gather_bare(struct rpc *rpc, const struct config *config, struct address signer, json **part, struct err *err)
{
    struct wei balance;
    struct block head;

    if (!rpc_block(rpc, BLOCK_LATEST, &head, err) || !rpc_balance(rpc, signer, &balance, err))
        return false;
    *part = json_new_object();
    json_put_u64(*part, "chainId", config->chain.chain_id);
    json_put_u64(*part, "head", head.number);
    json_put_u64(*part, "headTime", head.timestamp_s);
    json_put_wei(*part, "gasBalanceWei", balance);
    return true;
}

/* *part also tells the endpoints of a chain that is away, once there is an rpc. */
static bool gather_chain(const struct config *config, struct address signer, struct db *db, struct facts *facts, json **part, struct err *err)
{
    const struct chain_question question = open_chain_question(config, signer);
    struct settlement_view view;
    struct rpc *rpc = NULL;
    bool ok = open_rpc(config, &rpc, err);

    if (ok && address_is_zero(config->chain.contract)) {
        ok = gather_bare(rpc, config, signer, part, err);
    } else if (ok) {
        ok = settlement_read(rpc, config->chain.contract, &view, err)
          && facts_of_chain(rpc, db, &question, &view, facts->now_ms, &facts->chain, err);
        if (ok)
            *part = chain_to_json(config, &view, &facts->chain);
    }
    if (rpc != NULL) {
        if (!ok)
            *part = json_new_object();
        json_put(*part, "endpoints", status_endpoints(rpc));
        facts_of_endpoints(rpc, &facts->chain);
    }
    rpc_free(rpc);
    return ok;
}

MUST_USE bool status_gather(const struct config *config, struct address signer, struct facts *facts, json *out, struct err *err)
{
    struct err away = { 0 };
    struct db *db = NULL;
    json *store = NULL, *chain = NULL;
    bool ok;

    memset(facts, 0, sizeof *facts);
    ok = db_open(config->store.url, DB_READ, &db, err) && facts_of_store(db, clock_now_ms(&clock_system), facts, err)
      && status_store(db, facts, &store, err);
    /* A chain that is away is what status is there to tell, not a reason to tell nothing. */
    if (ok && !gather_chain(config, signer, db, facts, &chain, &away))
        facts_of_no_chain(facts->now_ms, &away, &facts->chain);
    db_close(db);
    if (out != NULL && store != NULL)
        json_put(out, "store", json_share(store));
    if (out != NULL && ok)
        json_put(out, "chain", chain != NULL ? json_share(chain) : json_new_null());
    json_free(store);
    json_free(chain);
    return ok;
}

static bool remote_address(const struct config *config, struct address *address, struct err *err)
{
    struct signer *signer = NULL;

    if (!open_signer(config, &signer, err))
        return false;
    *address = signer_address(signer);
    signer_free(signer);
    return true;
}

/* A keystore tells whose it is without a second of unlocking. */
static bool keystore_file_address(const char *spec, struct address *address, struct err *err)
{
    const char *path = strchr(spec, ':');
    struct buf text;
    bool ok;

    buf_init(&text);
    ok = file_read(path != NULL ? path + 1 : spec, 64 * KIB, &text, err)
      && keystore_address(buf_text(&text), text.len, address, err);
    buf_clear(&text);
    return ok || err_prefix(err, "[signer] key");
}

MUST_USE bool status_signer(const struct config *config, struct address *signer, struct err *err)
{
    const char *key = config->signer.key;

    return signer_is_remote(key) ? remote_address(config, signer, err) : keystore_file_address(key, signer, err);
}

MUST_USE bool status_write_metrics(const struct config *config, const char *path, struct err *err)
{
    const struct watchdog_limits limits = open_watchdog_limits(config);
    struct findings findings;
    struct address signer;
    struct facts facts;
    struct buf text;
    bool ok;

    if (!status_signer(config, &signer, err) || !status_gather(config, signer, &facts, NULL, err))
        return err_prefix(err, "--metrics %s", path);
    findings_judge(&facts, &limits, &findings);
    buf_init(&text);
    watchdog_metrics(&facts, &findings, &text);
    ok = exposition_write(path, &text, err);
    buf_clear(&text);
    return ok || err_prefix(err, "--metrics");
}
