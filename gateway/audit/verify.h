/* gateway/audit/verify.h - checks one answer of a gateway: a proof (GET /v1/receipts/{jobId}, GET /v1/accounts/{a}/claim) or a signed
 * statement (GET /v1/accounts/{a}/charges?from=&until=, GET /v1/accounts/{a}/savings).
 *
 * Nothing of the answer is believed: each step is computed from the one before, from the receipt's 13 fields up to the
 * header, and with rpc the header is that of the contract.  A step that fails is a check with its name, never an error;
 * what cannot be told (no chain, no token known, ...) stands in `unchecked`.
 * A charge statement: lines, sum, signature; with `published` each line against the archives: receipt, countersignature, price, and that
 * no receipt billed in its time is missing.  A savings statement: every figure anew from its numbers and the list, and those numbers
 * from the lines of the charge statement that it names.
 * The promise: kept, once the receipt is in an active settlement that was committed by settleBy; pending before that,
 * until settleBy has passed (a commit in time keeps it pending while its activation delay runs); else broken. */
#ifndef QUITTANCE_AUDIT_VERIFY_H
#define QUITTANCE_AUDIT_VERIFY_H

#include "chain/rpc.h"
#include "gateway/audit/source.h"
#include "gateway/core/typed.h"
#include "gateway/lib/json.h"

/* from, until in Unix ms; 0: open. */
struct verify_signer { struct address address; uint64_t from_ms, until_ms; };
struct verify_config {
    struct domain domain;
    bool has_token;
    struct address token;
    const struct verify_signer *signers;      /* borrowed: who signs promises; count 0: not known */
    size_t signer_count;
    uint64_t now_ms;                          /* for settleBy */
    const json *charges;                      /* borrowed: the charge statement behind a savings statement; NULL: not at hand */
    const struct buf *list;                   /* borrowed: the file of its reference list; NULL: asked of `published` */
    struct source *published;                 /* borrowed: archives and lists that statements are held against; NULL: none */
    struct rpc *rpc;                          /* borrowed; NULL: offline */
};
enum promise_state { PROMISE_NONE, PROMISE_KEPT, PROMISE_PENDING, PROMISE_BROKEN };
const char *promise_state_name(enum promise_state state);

struct verify_report {
    bool ok;
    enum promise_state promise;
    json *checks;                             /* owned: [{name, ok, detail}] in the order made */
    json *unchecked;                          /* owned: what could not be told, in words */
    char first_wrong[160];                    /* name and detail of the first check that failed */
};
/* ERR_INVALID: none of these answers; ERR_AGAIN and the like: the chain did not answer.  The report is the caller's. */
MUST_USE bool verify_answer(const struct verify_config *config, const json *answer, struct verify_report *report, struct err *err);
void verify_report_clear(struct verify_report *report);

#endif
