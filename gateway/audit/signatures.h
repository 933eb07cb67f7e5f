/* gateway/audit/signatures.h - signatures of receipts, recovered on all cores while the files are read on.
 *
 * A recovery costs several times what reading and pricing a receipt does.  Checks are answered late but told in the order in
 * which they were asked: signatures_settle gives the first that is false, as if each had been looked at at once. */
#ifndef QUITTANCE_AUDIT_SIGNATURES_H
#define QUITTANCE_AUDIT_SIGNATURES_H

#include "gateway/core/receipt.h"

struct signatures;
struct signatures *signatures_new(void);      /* threads start with the first check */
void signatures_free(struct signatures *s);   /* waits for them; NULL is fine */
/* That signer made it over digest; job and provider name the receipt, by_consumer whose signature it is. */
struct signature_check {
    struct signature signature;
    struct hash digest;
    struct address signer, provider;
    struct job_id job_id;
    bool by_consumer;
};
void signatures_add(struct signatures *s, const struct signature_check *check);
/* Waits until all are looked at.  ERR_DIFFERS: the first that is false, by its receipt's name. */
MUST_USE bool signatures_settle(struct signatures *s, uint64_t sequence, struct err *err);
/* The same for one, at once. */
MUST_USE bool signature_check_now(const struct signature_check *check, uint64_t sequence, struct err *err);

#endif
