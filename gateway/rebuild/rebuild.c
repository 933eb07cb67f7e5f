/* A new store from archives and chain: audited first, then written one settlement after the other (rebuild.h). */
#include "gateway/rebuild/parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/audit/audit.h"
#include "gateway/base/clock.h"
#include "gateway/settle/sets.h"
#include "store/binding.h"
#include "store/catalog.h"

#define TELL_EVERY_MS 5000u

/* -- before anything is written -- */

static bool check_empty(void *self, struct group *group, struct err *err)
{
    const char *const *store_url = self;
    uint64_t settings, strangers, held;
    struct settlement_row last;
    struct batch_row open;
    bool found;

    if (!store_settlement_last(group->db, &last, &found, err) || !store_batch_open(group->db, &open, err)
        || !store_receipts_held_count(group->db, &strangers, &held, err) || !store_catalog_settings(group->db, &settings, err))
        return false;
    if (found || open.number != 1 || open.receipts != 0 || held != 0 || settings != 0)
        return err_set(err, ERR_CONFLICT, "%s is not empty: name a new one as [store] url", *store_url);
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
    r->audited = ok;
    return ok;
}

static bool open_empty(struct rebuilding *r, const char *store_url, const char *place, struct err *err)
{
    return writer_open_bound(store_url, &clock_system, &(struct binding){ r->config->chain_id, r->config->contract }, &r->writer,
                             err)
        && writer_do(r->writer, check_empty, &store_url, err) && rebuild_open(r, place, err);
}

/* -- after all of it -- */

struct finish { uint64_t sequence; struct settlement_row row; struct reward_leaves leaves; };

static bool load_active(void *self, struct group *group, struct err *err)
{
    struct finish *f = self;
    bool found;

    if (!store_settlement_find(group->db, f->sequence, &f->row, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "a settlement that was just written is missing");
    return store_leaves_load(group->db, f->sequence, &f->leaves, err);
}

static bool make_final(void *self, struct group *group, struct err *err)
{
    const struct finish *f = self;

    return store_batch_move(group->db, f->row.batch, BATCH_ACTIVE, BATCH_DISTRIBUTED, err)
        && store_batch_move(group->db, f->row.batch, BATCH_DISTRIBUTED, BATCH_FINAL, err);
}

/* Where somebody is due the next run goes on distributing. */
static bool finish_paid(struct rebuilding *r, struct err *err)
{
    struct finish f = { .sequence = r->newest_active };
    struct dues dues = { 0 };
    bool ok;

    if (r->newest_active == 0)
        return true;
    ok = writer_do(r->writer, load_active, &f, err)
      && dues_read(r->rpc, r->config->contract, &f.leaves, r->config->distribute_minimum, &dues, err)
      && (dues.count > 0 || writer_do(r->writer, make_final, &f, err));
    dues_clear(&dues);
    reward_leaves_clear(&f.leaves);
    return ok;
}

static bool fill(struct rebuilding *r, const char *store_url, struct err *err)
{
    rebuild_references(r);
    if (rebuild_each(r, err) && finish_paid(r, err))
        return true;
    fprintf(stderr, "rebuild: stopped; %s holds what is written so far: `quittance store catch-up URL|DIR` goes on from there\n",
            store_url);
    return false;
}

bool rebuild_store(const struct settle_config *config, const char *store_url, const char *place, struct rpc *rpc,
                   rebuild_tell_fn *tell, void *self, struct rebuild_report *report, struct err *err)
{
    struct rebuilding r = { .config = config, .rpc = rpc, .tell = tell, .tell_self = self };
    bool ok = open_empty(&r, store_url, place, err) && audit_first(&r, err) && rebuild_read_chain(&r, err)
           && fill(&r, store_url, err);

    if (ok)
        *report = (struct rebuild_report){ r.view.count, r.receipts, r.view.count };
    rebuilding_clear(&r);
    writer_close(r.writer);
    return ok;
}
