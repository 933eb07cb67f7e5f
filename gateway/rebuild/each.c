/* The walk over the chain's settlements that the store lacks, one after the other. */
#include "gateway/rebuild/parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/lib/file.h"
#include "gateway/settle/behind.h"
#include "gateway/settle/crash.h"

bool rebuild_open(struct rebuilding *r, const char *place, struct err *err)
{
    const struct settle_config *c = r->config;

    domain_init(&r->domain, c->chain_id, c->contract);
    if (!file_make_dir(c->archive_dir, 0700, err) || !source_open(c->archive_dir, &r->own, err)
        || !source_open(place != NULL ? place : c->archive_dir, &r->published, err))
        return false;
    source_of_contract(r->published, c->contract);
    return true;
}

void rebuilding_clear(struct rebuilding *r)
{
    source_free(r->own);
    source_free(r->published);
    chain_view_clear(&r->view);
    reward_leaves_clear(&r->leaves);
    debts_clear(&r->owed);
    free(r->bundles);
}

/* -- the chain -- */

/* Else a reorg might take back what is written here as settled. */
static bool check_confirmed(const struct rebuilding *r, struct err *err)
{
    const struct settle_config *c = r->config;
    struct hash header;
    uint64_t height;
    bool any;

    if (r->view.count == 0)
        return true;
    if (!confirmed_block(r->rpc, c->confirmations, &height, &any, err))
        return false;
    for (size_t i = (size_t)r->known; i < r->view.count; i++) {
        const struct chain_settlement *s = &r->view.list[i];

        if (!any || s->block > height)
            return err_set(err, ERR_AGAIN, "the commit of settlement %" PRIu64 " is not confirmed yet", s->event.sequence);
        if (!s->cancelled)
            continue;
        if (!settlement_header_at(r->rpc, c->contract, s->event.sequence, height, &header, err))
            return false;
        if (!hash_eq(header, s->header))
            return err_set(err, ERR_AGAIN, "the cancel of settlement %" PRIu64 " is not confirmed yet", s->event.sequence);
    }
    return true;
}

bool rebuild_read_chain(struct rebuilding *r, struct err *err)
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
    return check_confirmed(r, err);
}

enum batch_state rebuild_end_of(const struct rebuilding *r, const struct chain_settlement *s)
{
    if (s->cancelled)
        return BATCH_CANCELLED;
    if (s->event.sequence == r->pending)
        return BATCH_COMMITTED;
    return s->event.sequence == r->newest_active ? BATCH_ACTIVE : BATCH_FINAL;
}

/* -- one settlement after the other -- */

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

static bool make_one(struct rebuilding *r, const struct chain_settlement *s, const struct err **lost, struct err *why, struct err *err)
{
    *lost = NULL;
    if (rebuild_fetch(r, s, why) && rebuild_settlement(r, s, rebuild_end_of(r, s), why))
        return true;
    if (s->cancelled && is_about_files(why)) {
        *lost = why;
        return rebuild_lost(r, s, err);
    }
    *err = *why;
    return err->code == ERR_DIFFERS ? false : err_prefix(err, "settlement %" PRIu64, s->event.sequence);
}

bool rebuild_each(struct rebuilding *r, struct err *err)
{
    for (size_t i = (size_t)r->known; i < r->view.count; i++) {
        const struct chain_settlement *s = &r->view.list[i];
        struct err why = { 0 };
        const struct err *lost;

        if (!make_one(r, s, &lost, &why, err))
            return false;
        settle_crash_point("caught-up");
        if (!r->tell(r->tell_self, s->event.sequence, r->view.count, lost) && i + 1 < r->view.count)
            return err_set(err, ERR_AGAIN, "stopped behind settlement %" PRIu64, s->event.sequence);
    }
    return true;
}
