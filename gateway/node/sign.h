/* gateway/node/sign.h - receipts signed one by one, on every core, given out in the order they came. */
#ifndef QUITTANCE_NODE_SIGN_H
#define QUITTANCE_NODE_SIGN_H

#include "chain/signer.h"
#include "gateway/core/typed.h"

#define SIGN_A_CORE 32                        /* receipts that make another core worth starting: some ms of work */

/* Signs all: for `provider`, which is the signer's address or one that lent the signer's key (core/keyring.h), or, as_consumer, as
 * their consumer, whose address must be the signer's.  A receipt of another: ERR_INVALID, and *failed is the first one's place. */
MUST_USE bool sign_receipts(const struct signer *signer, const struct domain *domain, struct address provider, bool as_consumer,
                            struct signed_receipt *receipts, size_t count, size_t *failed, struct err *err);

#endif
