#include "gateway/book.h"

#include <unistd.h>

#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"
#include "gateway/shared_folder.h"
#include "gateway/succession.h"
#include "store/promise_signers.h"

#define BATCH_RECEIPTS_MAX 5000000u

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > 64 ? 64 : (unsigned)n;
}

static bool open_store(struct book *b, struct writer_turns *turns, struct err *err)
{
    struct binding binding = open_binding(&b->config);

    if (!writer_open_bound(b->config.store.url, &clock_system, &binding, &b->writer, err))
        return false;
    writer_use_archives(b->writer, b->config.archive.dir, b->secret);
    if (turns != NULL)
        writer_take_turns(b->writer, turns);
    if (!writer_start(b->writer, err) || !open_pool(&b->config, b->writer, err) || !db_open(b->config.store.url, DB_READ, &b->reader, err)
        || !shared_folder_check(b->reader, b->writer, b->config.archive.dir, err)
        || (turns != NULL && !db_open(b->config.store.url, DB_READ, &b->for_other, err)))
        return false;
    if (b->for_other != NULL)
        db_use_archives(b->for_other, b->config.archive.dir, b->secret);
    return snapshots_new(b->reader, &b->snapshots, err);
}

static bool note_promise_signer(void *self, struct group *group, struct err *err)
{
    const struct address *signer = self;

    return store_promise_signer_set(group->db, *signer, group->now_ms, err);
}

/* Before the first receipt is taken: a promise by a key that nobody was told of could not be checked.  After it was unlocked: until
 * then the address is only what its file claims. */
static bool publish_promise_signer(struct book *b, struct err *err)
{
    struct address signer = signer_address(b->promise);

    return writer_do(b->writer, note_promise_signer, &signer, err);
}

bool book_open(struct book *b, struct writer_turns *turns, struct err *err)
{
    return config_need_contract(&b->config, err) && file_make_dir(b->config.archive.dir, 0700, err)
        && open_secret(&b->config, &b->secret, err) && open_store(b, turns, err) && open_signer_later(&b->config, &b->signer, err)
        && open_promise_signer(&b->config, b->signer, &b->promise, err);
}

bool book_succeed(struct book *successor, struct book *predecessor, struct err *err)
{
    const struct config *c = &successor->config;
    struct relation after;
    uint64_t moved_at_ms;
    bool found;

    if (address_eq(signer_address(successor->signer), signer_address(predecessor->signer)))
        return err_set(err, ERR_CONFIG, "[signer] key is that of [chain] predecessor too: two stores must never count the nonces of"
                       " one account, make a key for each contract");
    if (!store_relation(successor->reader, RELATIVE_SUCCESSOR, &after, &found, err))
        return false;
    if (found)
        return err_set(err, ERR_CONFIG, "this contract has a successor already: serve that one's configuration");
    if (!succession_note(successor->writer, c->chain.contract, predecessor->writer, predecessor->config.chain.contract,
                         &moved_at_ms, err))
        return false;
    predecessor->last_finish_ms = moved_at_ms + c->receipts.max_age_s * 1000;
    return true;
}

static struct plausibility plausibility_of(const struct config *c)
{
    return (struct plausibility){
        .class_ = { .tokens_per_second = c->plausibility.max_tokens_per_second, .parallelism = c->plausibility.parallelism },
        .max_jump = c->plausibility.max_jump, .max_skew_ms = c->plausibility.max_skew_s * 1000,
        .max_duration_ms = c->plausibility.max_duration_s * 1000, .unique_evidence = c->plausibility.unique_evidence,
    };
}

static bool open_intake(struct book *b, struct err *err)
{
    const struct config *c = &b->config;
    struct intake_config ic = {
        .limits = { .max_age_ms = c->receipts.max_age_s * 1000, .daily_limit = c->receipts.daily_limit,
                    .credit_days = c->consumers.period_s / 86400,
                    .require_countersignature = c->receipts.require_countersignature, .plausibility = plausibility_of(c) },
        .settle_within_ms = c->receipts.settle_within_s * 1000,
        .quarantine_max = c->receipts.quarantine_max, .quote_max_ms = c->receipts.quote_max_s * 1000,
        .protocol_account = open_protocol_account(c, signer_address(b->signer)),
        .batch_amount_max = chain_watch_batch_max(c->contract.cap),      /* until the contract's own is known */
        .batch_receipts_max = BATCH_RECEIPTS_MAX,
        .rate_limit = c->receipts.rate_limit, .rate_burst = c->receipts.rate_burst,
        .verify_threads = cores(),
    };

    domain_init(&ic.domain, c->chain.chain_id, c->chain.contract);
    return intake_new(&ic, b->writer, b->promise, &clock_system, b->snapshots, &b->intake, err);
}

static void make_api(struct book *b)
{
    const struct config *c = &b->config;
    const struct watchdog_limits limits = open_watchdog_limits(c);

    b->watchdog = watchdog_new(&limits);
    b->api_config = (struct api_config){
        .listen = c->api.listen, .admin_listen = c->api.admin_listen, .admin_hosts = c->api.admin_hosts,
        .store_url = c->store.url, .archive_dir = c->archive.dir, .explorer = c->api.explorer, .wallets = c->api.wallets,
        .settle_within_ms = c->receipts.settle_within_s * 1000,
        .token = c->chain.token, .protocol_account = open_protocol_account(c, signer_address(b->signer)),
        .signer = signer_address(b->signer),
        .secret = b->secret, .promise = b->promise, .parties_only = config_parties_only(c), .max_age_ms = c->receipts.max_age_s * 1000,
        .quote_max_s = c->receipts.quote_max_s, .credit_days = c->consumers.period_s / 86400, .threads = cores(),
        .watchdog = b->watchdog,
        .trusted_proxies = c->api.trusted_proxies, .connections_max = b->connections_max,
        .per_address = (unsigned)c->api.max_per_address, .request_ms = c->api.request_timeout_s * 1000,
        .answer_ms = c->api.answer_timeout_s * 1000, .idle_ms = c->api.idle_timeout_s * 1000,
    };
    domain_init(&b->api_config.domain, c->chain.chain_id, c->chain.contract);
    b->api = api_new(&b->api_config, b->writer, b->intake, b->snapshots, b->runner, &clock_system);
}

bool book_start(struct book *b, struct err *err)
{
    open_settle_config(&b->config, b->secret, signer_address(b->signer), &b->settle);
    if (!lease_start(b->config.store.url, b->writer, &b->lease, err))
        return false;
    b->settle.lease = b->lease;
    /* First: what was signed before a crash is stored, so it is looked for and sent again while the keys are being unlocked.
     * Nothing is taken from outside before they are. */
    if (!runner_start(&b->settle, b->config.store.url, b->config.chain.rpc, b->writer, b->signer, &clock_system, &b->runner, err)
        || !open_wait(b->signer, b->promise, err) || !publish_promise_signer(b, err) || !open_intake(b, err))
        return false;
    make_api(b);
    return true;
}

void book_pair(struct book *successor, struct book *predecessor)
{
    intake_pair(&(struct intake_pair){
        .successor = successor->intake, .predecessor = predecessor->intake,
        .successor_store = successor->for_other, .predecessor_store = predecessor->for_other,
        .last_finish_ms = predecessor->last_finish_ms });
}

/* Before anybody is let in. */
static bool keep_level(struct book *b, struct err *err)
{
    const struct level_config level = { &b->settle, b->config.store.url };

    return level_start(&level, b->writer, b->intake, &b->level, err);
}

/* A crash between an admission and its release leaves receipts held whose question is settled.  They are judged by the
 * contract's cap, so after that was asked for.  A store that catches up does it afterwards. */
static bool release_left(struct book *b, struct err *err)
{
    uint64_t released;

    return intake_is_paused(b->intake) || release_waiting(b->intake, &released, err);
}

static bool start_retention(struct book *b, struct err *err)
{
    const struct config *c = &b->config;
    const struct retention_config config = { c->archive.dir, b->secret, c->receipts.keep_settled_s * 1000, b->lease };

    return retention_start(&config, c->store.url, b->writer, &clock_system, &b->retention, err);
}

bool book_watch(struct book *b, struct err *err)
{
    const struct config *c = &b->config;
    const struct chain_watch_config watch = {
        .rpc = b->settle.rpc, .store_url = c->store.url, .chain_id = c->chain.chain_id, .deploy_block = c->chain.deploy_block,
        .interval_s = c->watchdog.interval_s, .question = open_chain_question(c, signer_address(b->signer)),
        .is_predecessor = b->is_predecessor, .alarm = c->watchdog.alarm,
    };

    return keep_level(b, err) && chain_watch_start(&watch, b->intake, b->api, b->runner, b->watchdog, &b->watch, err)
        && release_left(b, err) && intake_tick_start(b->intake, b->reader, err) && start_retention(b, err);
}

void book_stop_answering(struct book *b)
{
    chain_watch_stop(b->watch);
    level_stop(b->level);
    api_stop(b->api);
    b->watch = NULL;
    b->level = NULL;
    b->api = NULL;
}

void book_stop_intake(struct book *b)
{
    retention_stop(b->retention);
    runner_stop(b->runner);
    lease_stop(b->lease);
    intake_free(b->intake);
    b->retention = NULL;
    b->runner = NULL;
    b->lease = NULL;
    b->intake = NULL;
}

void book_close(struct book *b)
{
    watchdog_free(b->watchdog);
    snapshots_free(b->snapshots);
    db_close(b->for_other);
    db_close(b->reader);
    writer_close(b->writer);
    if (b->promise != b->signer)
        signer_free(b->promise);
    signer_free(b->signer);
    secret_free(b->secret);
    config_clear(&b->config);
}
