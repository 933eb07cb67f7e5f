/* A new store from archives and chain: audited first, then written one settlement after the other (rebuild.h). */
#include "gateway/rebuild/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/audit.h"
#include "gateway/base/clock.h"
#include "gateway/lib/file.h"
#include "gateway/settle/sets.h"
#include "store/binding.h"
#include "store/catalog.h"
#include "store/receipts.h"

#define TELL_EVERY_MS 5000u

/* -- before anything is written -- */

static bool check_empty(void *self, struct group *group, struct err *err)
{
    const struct rebuilding *r = self;
    uint64_t settings, strangers, held;
    struct settlement_row last;
    struct batch_row open;
    bool found;

    if (!store_settlement_last(group->db, &last, &found, err) || !store_batch_open(group->db, &open, err)
        || !store_receipts_held_count(group->db, &strangers, &held, err) || !store_catalog_settings(group->db, &settings, err))
        return false;
    if (found || open.number != 1 || open.receipts != 0 || held != 0 || settings != 0)
        return err_set(err, ERR_CONFLICT, "%s is not empty: name a new one as [store] url", r->store_url);
    return true;
}

static void tell_audit(void *self, uint64_t sequence, uint64_t last, uint64_t receipts)
{
    uint64_t *told_ms = self, now_ms = clock_monotonic_ms();

    if (now_ms - *told_ms < TELL_EVERY_MS)
        return;
    *told_ms = now_ms;
    fprintf(stderr, "rebuild: audited settlement %" PRIu64 " of %" PRIu64 ", %" PRIu64 " receipts\n", sequence, last, receipts);
}

static bool audit_first(struct rebuilding *r, struct err *err)
{
    uint64_t told_ms = clock_monotonic_ms();
    struct audit_config config = {
        .contract = r->config->contract, .chain_id = r->config->chain_id, .deploy_block = r->config->deploy_block,
        .keys = audit_keys_of_secret(r->config->secret), .progress = tell_audit, .progress_self = &told_ms,
    };
    struct audit_report report;
    bool ok;

    fprintf(stderr, "rebuild: auditing what is published\n");
    ok = audit_run(&config, r->published, r->rpc, &report, err);
    audit_keys_free(config.keys);
    if (ok && report.sealed > 0)
        return err_set(err, ERR_CONFIG, "%" PRIu64 " receipts are sealed, and [signer] secret_file does not open them: it is not"
                       " the one of the lost gateway", report.sealed);
    return ok;
}

static bool read_chain(struct rebuilding *r, struct err *err)
{
    const struct settle_config *c = r->config;
    struct settlement_view now;

    if (!chain_view_read(r->rpc, c->chain_id, c->contract, c->deploy_block, &r->view, err)
        || !chain_view_check(&r->view, err) || !settlement_read(r->rpc, c->contract, &now, err))
        return false;
    if (!address_eq(r->view.token, c->token))
        return err_set(err, ERR_CONFIG, "the contract pays another token than the configured one");
    if (now.sequence != r->view.count)
        return err_set(err, ERR_AGAIN, "a settlement was committed meanwhile: does another gateway use this contract?");
    r->pending = now.has_pending ? now.pending_sequence : 0;
    for (size_t i = 0; i < r->view.count; i++)
        if (!r->view.list[i].cancelled && i + 1 != r->pending)
            r->newest_active = i + 1;
    return true;
}

static bool open_all(struct rebuilding *r, const char *place, struct err *err)
{
    const struct settle_config *c = r->config;

    domain_init(&r->domain, c->chain_id, c->contract);
    if (!writer_open_bound(r->store_url, &clock_system, &(struct binding){ c->chain_id, c->contract }, &r->writer, err)
        || !writer_do(r->writer, check_empty, r, err)
        || !file_make_dir(c->archive_dir, 0700, err)
        || !source_open(place, &r->published, err)
        || !source_open(c->archive_dir, &r->own, err))
        return false;
    source_of_contract(r->published, c->contract);
    return true;
}

/* -- one settlement after the other -- */

static enum batch_state end_of(const struct rebuilding *r, const struct chain_settlement *s)
{
    if (s->cancelled)
        return BATCH_CANCELLED;
    if (s->event.sequence == r->pending)
        return BATCH_COMMITTED;
    return s->event.sequence == r->newest_active ? BATCH_ACTIVE : BATCH_FINAL;
}

/* What is wrong with published things; the rest is wrong here, and would be so again. */
static bool is_about_files(const struct err *err)
{
    switch (err->code) {
    case ERR_DIFFERS:
    case ERR_NOT_FOUND:
    case ERR_INVALID:
    case ERR_CONFLICT:
    case ERR_OVERFLOW:
    case ERR_LIMIT:
    case ERR_BUG:                             /* a split among rows that contradict each other */
        return true;
    case ERR_NONE:
    case ERR_AUTH:
    case ERR_IO:
    case ERR_STORE:
    case ERR_AGAIN:
    case ERR_UNKNOWN:
    case ERR_CHAIN:
    case ERR_HALT:
    case ERR_CONFIG:
    case ERR_USAGE:
        return false;
    }
    bug("error %d", (int)err->code);
}

static bool make_one(struct rebuilding *r, const struct chain_settlement *s, struct err *err)
{
    if (rebuild_fetch(r, s, err) && rebuild_settlement(r, s, end_of(r, s), err))
        return true;
    if (!s->cancelled || !is_about_files(err))
        return false;
    fprintf(stderr, "rebuild: settlement %" PRIu64 " was cancelled and its archive cannot be used, so its receipts are not"
            " restored: %s\n", s->event.sequence, err->text);
    return rebuild_lost(r, s, err);
}

static bool make_final(void *self, struct group *group, struct err *err)
{
    struct settlement_row row;
    bool found;

    if (!store_settlement_find(group->db, *(const uint64_t *)self, &row, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "a settlement that was just written is missing");
    return store_batch_move(group->db, row.batch, BATCH_ACTIVE, BATCH_DISTRIBUTED, err)
        && store_batch_move(group->db, row.batch, BATCH_DISTRIBUTED, BATCH_FINAL, err);
}

/* Where somebody is due the next run goes on distributing. */
static bool finish_paid(struct rebuilding *r, struct err *err)
{
    struct dues dues = { 0 };
    bool due;

    if (!dues_read(r->rpc, r->config->contract, &r->leaves, r->config->distribute_minimum, &dues, err))
        return false;
    due = dues.count > 0;
    dues_clear(&dues);
    return due || writer_do(r->writer, make_final, &r->newest_active, err);
}

static bool make_all(struct rebuilding *r, struct err *err)
{
    for (size_t i = 0; i < r->view.count; i++) {
        const struct chain_settlement *s = &r->view.list[i];

        if (!make_one(r, s, err) || (s->event.sequence == r->newest_active && !finish_paid(r, err))) {
            fprintf(stderr, "rebuild: stopped at settlement %" PRIu64 "; %s is incomplete: remove it or name a new, empty one"
                    " as [store] url, then start again\n", s->event.sequence, r->store_url);
            return false;
        }
        fprintf(stderr, "rebuild: settlement %" PRIu64 " of %zu, %" PRIu64 " receipts\n", s->event.sequence, r->view.count,
                r->receipts);
    }
    return true;
}

bool rebuild_store(const struct settle_config *config, const char *store_url, const char *place, struct rpc *rpc,
                   struct rebuild_report *report, struct err *err)
{
    struct rebuilding r = { .config = config, .store_url = store_url, .rpc = rpc };
    bool ok = open_all(&r, place, err) && audit_first(&r, err) && read_chain(&r, err) && make_all(&r, err);

    if (ok) {
        *report = (struct rebuild_report){ r.view.count, r.receipts, r.view.count };
        fprintf(stderr, "rebuild: done.  Not in archives, so to be set again: names and daily limits of providers, expelled ones,"
                " consumers, prices and models that nothing was settled by, API keys\n");
    }
    source_free(r.own);
    source_free(r.published);
    writer_close(r.writer);
    chain_view_clear(&r.view);
    reward_leaves_clear(&r.leaves);
    free(r.bundles);
    return ok;
}
