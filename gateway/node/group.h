/* gateway/node/group.h - receipts that go out in one request, and what the answer says of each.  Pure: no I/O. */
#ifndef QUITTANCE_NODE_GROUP_H
#define QUITTANCE_NODE_GROUP_H

#include "chain/signer.h"
#include "gateway/core/typed.h"
#include "gateway/lib/json.h"
#include "gateway/node/spool.h"

enum group_form {
    GROUP_ARRAY,              /* a JSON array, each receipt with its own signature */
    GROUP_BUNDLE,             /* {"bundle":...,"receipts":...}: one signature for all */
    GROUP_BINARY              /* application/vnd.quittance.bundle; JSON where a receipt has a consumer's signature */
};
/* Appends the body.  *type: the whole header, borrowed.  ERR_CONFIG: a receipt without signature in an array, or of another provider
 * than the signer in a bundle: the spool was filled by other options. */
MUST_USE bool group_encode(enum group_form form, const struct signer *signer, struct address provider, const struct domain *domain,
                           const struct spool_item *items, size_t count, struct buf *body, const char **type, struct err *err);

enum outcome_kind { OUTCOME_ACCEPTED, OUTCOME_DUPLICATE, OUTCOME_QUARANTINED, OUTCOME_REJECTED, OUTCOME_LATER };
struct outcome {
    enum outcome_kind kind;
    const json *item;         /* borrowed from the answer; NULL where that did not list it (accepted) */
};
/* answer is the body of a 200, with `Prefer: return=minimal` or without.  ERR_AGAIN: it does not account for every receipt, or accepts
 * without a promise, so nothing may be let go of. */
MUST_USE bool group_outcomes(const json *answer, const struct spool_item *items, size_t count, struct outcome *outcomes, struct err *err);

#endif
