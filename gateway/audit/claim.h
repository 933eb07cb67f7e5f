/* gateway/audit/claim.h - what an account can claim, from published files and the chain: no gateway is needed to be paid. */
#ifndef QUITTANCE_AUDIT_CLAIM_H
#define QUITTANCE_AUDIT_CLAIM_H

#include "gateway/audit/chain_view.h"
#include "gateway/audit/source.h"

/* The body of GET /v1/accounts/{account}/claim, under the newest active root; the proof is checked.  ERR_NOT_FOUND: nothing
 * is due, the text says why, or the file is missing; ERR_DIFFERS: the file leads to another root. */
MUST_USE bool claim_find(struct rpc *rpc, const struct chain_view *view, struct source *source, struct address account, json **claim,
                         struct err *err);

#endif
