#include "gateway/audit/audit.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/audit/payments.h"
#include "gateway/audit/predecessors.h"
#include "gateway/audit/replay.h"

static void look_at(struct audit_report *report, const char *what, uint64_t sequence)
{
    if (sequence == 0)
        snprintf(report->last_checked, sizeof report->last_checked, "%s", what);
    else
        snprintf(report->last_checked, sizeof report->last_checked, "%s %" PRIu64, what, sequence);
}

struct teller { const struct audit_config *config; uint64_t last; };

static void tell(void *self, uint64_t sequence, uint64_t receipts)
{
    const struct teller *t = self;

    if (t->config->progress != NULL)
        t->config->progress(t->config->progress_self, sequence, t->last, receipts);
}

static uint64_t known_sequence(const struct audit_config *config, const struct chain_view *view)
{
    uint64_t known = config->known_sequence;

    /* Sealed receipts that a key opens are judged as a whole: a checkpoint keeps none of them. */
    return config->keys == NULL && known > 0 && known <= view->count && hash_eq(view->list[known - 1].header, config->known_header) ? known : 0;
}

static bool audit_settlement(struct replay *replay, const struct chain_settlement *s, bool known, struct source *source,
                             struct progress *progress, struct audit_report *report, struct err *err)
{
    look_at(report, s->cancelled ? "cancelled settlement" : "settlement", s->event.sequence);
    if (s->cancelled) {
        report->cancelled++;
        return replay_cancelled(replay, s, source, err);
    }
    if (!(known ? replay_known : replay_settlement)(replay, s, source, progress, err)) {
        if (err->code == ERR_DIFFERS)
            report->false_sequence = s->event.sequence;
        return false;
    }
    report->settlements++;
    report->receipts = progress->receipts;
    report->sealed = progress->sealed;
    report->accounts = replay->leaves.count;
    report->total = s->event.total;
    return true;
}

bool audit_files(const struct audit_config *config, struct chain_view *view, struct source *source, struct replay *replay,
                 struct audit_report *report, struct err *err)
{
    uint64_t last = config->last_sequence == 0 ? view->count : config->last_sequence, known;
    struct teller teller = { config, last };
    struct progress progress = { .tell = tell, .self = &teller };

    if (last > view->count)
        return err_set(err, ERR_NOT_FOUND, "settlement %" PRIu64 " was not committed: the last one is %zu", last, view->count);
    look_at(report, "headers", 0);
    if (!chain_view_check(view, err))
        return false;
    known = known_sequence(config, view);
    for (size_t i = 0; i < last; i++) {
        if (!audit_settlement(replay, &view->list[i], i < known, source, &progress, report, err))
            return false;
        if (config->audited != NULL && i >= known)
            config->audited(config->audited_self, view->list[i].event.sequence, view->list[i].header);
        report->last_sequence = view->list[i].event.sequence;
        tell(&teller, report->last_sequence, progress.receipts);
    }
    return totals_sum(&replay->charges, &report->charged, err);
}

/* The leaves that payments are judged by; NULL: not among those replayed. */
static const struct totals *active_leaves(const struct chain_payments *payments, const struct replay *replay)
{
    if (replay->has_active && hash_eq(payments->active_root, replay->view->active_root))
        return &replay->active;
    return hash_eq(payments->active_root, replay->root) ? &replay->leaves : NULL;
}

bool audit_payments(const struct audit_config *config, const struct chain_payments *payments, const struct replay *replay,
                    struct audit_report *report, struct err *err)
{
    const struct totals *leaves = active_leaves(payments, replay);

    look_at(report, "payments", 0);
    report->paid = payments->total_claimed;
    if (leaves == NULL && config->last_sequence == 0)
        return err_set(err, ERR_AGAIN, "a settlement became active during the audit; run it again");
    return payments_check(payments, leaves, err);
}

bool audit_run(const struct audit_config *config, struct source *source, struct rpc *rpc, struct audit_report *report,
               struct err *err)
{
    struct chain_view view = { 0 };
    struct chain_payments payments = { 0 };
    struct replay replay;
    bool ok;

    *report = (struct audit_report){ 0 };
    look_at(report, "chain", 0);
    if (!chain_view_read(rpc, config->chain_id, config->contract, config->deploy_block, &view, err))
        return false;
    replay_init(&replay, &view);
    replay.keys = config->keys;
    ok = audit_files(config, &view, source, &replay, report, err)
      && predecessors_check(rpc, &view, config->deploy_block, replay.rows, err)
      && chain_payments_read(rpc, &view, config->deploy_block, &replay.leaves, &payments, err)
      && audit_payments(config, &payments, &replay, report, err);
    chain_payments_clear(&payments);
    replay_clear(&replay);
    chain_view_clear(&view);
    return ok;
}
