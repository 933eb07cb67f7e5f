#include "gateway/settle/parts.h"

#include "gateway/base/mem.h"

#include <stdlib.h>

/* A step ends at the latest after so many moves, so that its caller may stop a long scan or distribution. */
#define MOVES_MAX 64u

bool settle_new(const struct settle_config *config, struct db *db, struct writer *writer, struct rpc *rpc,
                const struct signer *signer, const struct clock *clock, struct settle **settle, struct err *err)
{
    struct settle *s;

    if (config->chain_id == 0 || address_is_zero(config->contract) || address_is_zero(config->token))
        return err_set(err, ERR_CONFIG, "settling needs chain_id, contract and token");
    s = mem_new(sizeof *s);
    s->config = *config;
    s->db = db;
    s->writer = writer;
    s->rpc = rpc;
    s->signer = signer;
    s->clock = clock;
    s->account = signer_address(signer);
    s->generation = lease_generation(config->lease);
    rpc_expect_chain(rpc, config->chain_id);
    endpoints_log(rpc);
    *settle = s;
    return true;
}

static void free_lists(struct settle *s)
{
    free(s->watches);
    free(s->outcomes);
    free(s->marks);
    free(s->left_out);
}

void settle_free(struct settle *s)
{
    if (s == NULL)
        return;
    free_lists(s);
    free(s);
}

void settle_renew(struct settle *s)
{
    free_lists(s);
    *s = (struct settle){ .config = s->config, .db = s->db, .writer = s->writer, .rpc = s->rpc, .signer = s->signer, .clock = s->clock,
                          .account = s->account, .generation = lease_generation(s->config.lease) };
}

bool settle_do(struct settle *s, writer_fn *fn, void *self, struct err *err)
{
    return lease_do(s->config.lease, s->generation, s->writer, fn, self, err);
}

/* A function a state. */
static bool advance(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err)
{
    switch (batch->state) {
    case BATCH_CLOSED:      return prepare_batch(s, batch, moved, err);
    case BATCH_PREPARED:    return commit_prepared(s, batch, moved, err);
    case BATCH_COMMITTED:   return activate_committed(s, batch, moved, err);
    case BATCH_ACTIVE:      return distribute_active(s, batch, moved, err);
    case BATCH_DISTRIBUTED: return finish_distributed(s, batch, moved, err);
    case BATCH_OPEN:
    case BATCH_FINAL:
    case BATCH_CANCELLED:   break;
    }
    bug("batch %llu is %s: nothing to do", (unsigned long long)batch->number, batch_state_name(batch->state));
}

/* The report of a batch after a stage may have moved it. */
static bool report_again(struct settle *s, uint64_t number, struct err *err)
{
    struct batch_row batch;
    bool found;

    return store_batch_find(s->db, number, &batch, &found, err) && report_fill(s, &batch, err);
}

/* Nothing is unfinished: what the last settlement came to. */
static bool report_idle(struct settle *s, struct err *err)
{
    struct settle_report r = { .nothing = true, .state = BATCH_OPEN, .waits = s->report.waits };
    struct settlement_row last;

    memcpy(r.waits_detail, s->report.waits_detail, sizeof r.waits_detail);

    if (!store_settlement_last(s->db, &last, &r.has_sequence, err))
        return false;
    if (r.has_sequence) {
        r.sequence = last.sequence;
        r.state = last.state;
        r.total = last.content.total;
        r.active_at_s = last.active_at_s;
    }
    s->report = r;
    return true;
}

static bool work_on(struct settle *s, bool *worked, bool *moved, struct err *err)
{
    struct batch_row batch;
    bool found, advanced = false;

    s->report.waits = WAITS_NOT;
    s->report.waits_detail[0] = '\0';
    s->held = false;
    if (!work_may_begin(s, err) || !follow_transactions(s, moved, err) || !work_find(s, &batch, &found, err))
        return false;
    *worked = *worked || found;
    if (!found)
        return true;
    if (advance(s, &batch, &advanced, err))
        *moved = *moved || advanced;
    else if (!hold_taken(s))               /* a ceiling is waited for, without going round at once */
        return false;
    return report_again(s, batch.number, err);
}

/* Whether nothing can go on before payments are recorded. */
static bool waits_for_payments(const struct settle *s, bool worked)
{
    return !worked || s->report.state == BATCH_DISTRIBUTED;
}

/* Nothing that was given to a step can be wrong by now but the answer of an endpoint, which has been left out for it; and a no that
 * no node's text explains ("internal error") is of the node.  Neither is for a person to look at before it has lasted. */
static bool another_time(struct settle *s, struct err *err)
{
    if (err->code == ERR_INVALID || (err->code == ERR_CHAIN && rpc_last_class(s->rpc) == RPC_UNKNOWN))
        err->code = ERR_AGAIN;
    return false;
}

bool settle_step(struct settle *s, bool *moved, struct settle_report *report, struct err *err)
{
    bool worked = false, any = false, again = true, ok = true, scans = true;
    struct err unscanned = { 0 };

    /* Oldest work first, one state at a time: after a crash the next step just goes on. */
    for (unsigned i = 0; ok && again && i < MOVES_MAX; i++) {
        again = false;
        ok = work_on(s, &worked, &again, err);
        /* Payments are recorded even while a batch is halted: earners claim meanwhile.  And a batch goes on while they
         * cannot be. */
        scans = scans && payments_scan(s, &again, &unscanned);
        any = any || again;
    }
    if (!ok)
        return another_time(s, err);
    if (!scans && !any && waits_for_payments(s, worked)) {
        *err = unscanned;
        err_prefix(err, "payments are not recorded");
        return another_time(s, err);
    }
    if (!worked) {
        popularity_book(s);
        if (!report_idle(s, err))
            return false;
    }
    hold_tell(s);
    *moved = any;
    *report = s->report;
    return true;
}
