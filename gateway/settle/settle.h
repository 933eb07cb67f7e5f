/* gateway/settle/settle.h - from an open batch to tokens in wallets, one state a step (design 5, 6 and 8).
 *
 *   close (a number goes up) -> prepare (rewards, both trees, archive, rewards.json) -> commit -> follow -> activate ->
 *   distribute in sets that fit gas and bytes -> follow -> record payments from confirmed logs -> final.
 *
 * Oldest work first; after a crash the next step goes on.  The signed raw transaction is stored before it is sent; what
 * became of it is asked from the chain, never sent anew with other content.  A struct settle is for one thread. */
#ifndef QUITTANCE_SETTLE_SETTLE_H
#define QUITTANCE_SETTLE_SETTLE_H

#include "chain/fee.h"
#include "chain/settlement.h"
#include "chain/signer.h"
#include "gateway/base/clock.h"
#include "gateway/settle/lease.h"
#include "gateway/settle/plan.h"
#include "store/batches.h"
#include "store/transactions.h"

struct settle_config {
    uint64_t chain_id;
    struct rpc_config rpc;                    /* how a runner opens its endpoints; borrowed */
    struct address contract, token;
    uint64_t confirmations;                   /* the mined block counts as 1; 0: the finalized tag, else 64 */
    uint64_t deploy_block;                    /* logs are read from here on; 0: from the start */
    struct wei max_fee;                       /* per gas: the ceiling */
    struct wei max_run_cost, max_day_cost;    /* of all transactions of a settlement, of a UTC day (budget.c) */
    struct amount distribute_minimum;
    struct address protocol_account;          /* of the batch that opens next */
    const char *archive_dir;                  /* borrowed; where the published files lie */
    bool parties_only;                        /* [archive] disclosure = parties: receipt lines are sealed */
    const uint8_t *secret;                    /* 32 bytes, borrowed: for salts */
    size_t in_flight;                         /* transactions not mined yet, at most; 0: SEND_WINDOW */
    struct lease *lease;                      /* borrowed; NULL: nobody else settles this store */
    uint64_t set_gas;                         /* most for one distribute call, as estimated; 0: SET_GAS_MAX */
};

#define WAITS_DETAIL_MAX 400u                 /* as long as an error */
enum settle_waits { WAITS_NOT, WAITS_FOR_BLOCK, WAITS_FOR_ACTIVATION, WAITS_FOR_FEES, WAITS_FOR_BUDGET };
const char *settle_waits_name(enum settle_waits waits);      /* "fees"; NULL: WAITS_NOT */

struct settle_report {
    bool nothing;                             /* there was nothing to settle and nothing left to finish */
    bool has_sequence;
    uint64_t sequence, receipts, transactions, active_at_s;
    enum batch_state state;
    struct amount total, paid;                /* cumulative total of the settlement; paid by this sequence's calls */
    uint64_t failed;                          /* accounts skipped or left out because paying them failed */
    enum settle_waits waits;
    char waits_detail[WAITS_DETAIL_MAX];      /* for fees and budget: what is offered, asked and allowed; else empty */
};

struct settle;
/* Borrows everything.  db: a reader of the same store. */
MUST_USE bool settle_new(const struct settle_config *config, struct db *db, struct writer *writer, struct rpc *rpc,
                         const struct signer *signer, const struct clock *clock, struct settle **settle,
                         struct err *err);
void settle_free(struct settle *settle);
/* The lease was taken or lost meanwhile: whatever was found out before is forgotten. */
void settle_renew(struct settle *settle);
/* Closes the open batch when it holds something worth a settlement and no other batch is unfinished; *closed tells. */
MUST_USE bool settle_close(struct settle *settle, bool *closed, struct err *err);
/* Does all that can be done now without waiting; *moved false: nothing changed since the last step. */
MUST_USE bool settle_step(struct settle *settle, bool *moved, struct settle_report *report, struct err *err);
/* What a run would do, nothing kept (plan.h); caller: settle_plan_clear. */
MUST_USE bool settle_plan(struct settle *settle, struct settle_plan *plan, struct err *err);
/* A whole run: close, then steps until the goal or the time-out (0: none); sleeps between.  wait_all: until final. */
MUST_USE bool settle_run(struct settle *settle, bool wait_all, uint64_t timeout_ms, struct settle_report *report,
                         struct err *err);

#endif
