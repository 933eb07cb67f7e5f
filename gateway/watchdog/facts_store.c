#include "gateway/watchdog/facts.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/lib/address_text.h"
#include "gateway/settle/marks.h"
#include "store/figures.h"
#include "store/measures.h"
#include "store/receipts.h"

static bool note_foreign(void *self, const struct transaction_row *t, struct err *err)
{
    struct facts *facts = self;

    (void)err;
    if (t->state == TX_FOREIGN) {
        facts->has_foreign = true;
        facts->foreign_nonce = t->nonce;
    }
    return true;
}

static void note_hiding(void *self, struct hash model, const struct cache_peer *peer)
{
    struct facts *facts = self;
    char provider[ADDRESS_TEXT], digest[HASH_TEXT];

    if (facts->hiding++ != 0)
        return;
    address_to_text(peer->provider, provider);
    hash_to_text(model, digest);
    snprintf(facts->hiding_one, sizeof facts->hiding_one, "%s, model %s, %" PRIu64 " of %" PRIu64 " input tokens cached in %" PRIu64
             " jobs, the median peer %" PRIu64 " of %" PRIu64, provider, digest, peer->use.cached, peer->use.input, peer->use.jobs,
             peer->median.cached, peer->median.input);
}

bool facts_of_store(struct db *db, uint64_t now_ms, struct facts *facts, struct err *err)
{
    struct facts f = { .now_ms = now_ms, .chain = facts->chain };
    struct run_marks marks;

    if (!marks_load(db, &marks, err) || !store_unsettled_since(db, &f.unsettled_since_ms, err)
        || !store_receipts_held_count(db, INT64_MAX, &f.held, err) || !store_cancelled_batch(db, &f.cancelled_batch, err)
        || !store_tx_open(db, note_foreign, &f, err) || !store_cache_hidden(db, now_ms / DAY_MS, note_hiding, &f, err))
        return false;
    f.last_success_ms = marks.last_success_ms;
    f.stuck_since_ms = marks.stuck_since_ms;
    *facts = f;
    return true;
}

void facts_of_runner(const struct run_report *report, struct facts *facts)
{
    facts->last_success_ms = report->last_success_ms;
    facts->stuck_since_ms = report->stuck_since_ms;
    /* What a run itself would exit with: a doubt about money is told at once, not after a limit. */
    facts->halted = report->error.code != ERR_NONE && err_exit_code(&report->error) == 70;
    snprintf(facts->stuck, sizeof facts->stuck, "%s", report->error.code != ERR_NONE ? report->error.text : "");
}
