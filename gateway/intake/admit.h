/* gateway/intake/admit.h - changes to what receipts are judged by: providers, consumers, models, prices; and the release
 * of what was held.
 *
 * Every change is a writer task alone in its group (its own millisecond), is written to the audit log as done by `who`,
 * raises meta 'settings', and afterwards releases what it had kept waiting (codes with released_by_itself); where that part
 * fails the change stands, and the same call again goes on with it.  A registration and a consumer let nothing go.
 * The caller waits: never call these from the writer's thread.
 * Errors: ERR_INVALID names the member; ERR_CONFLICT exists with other content; ERR_NOT_FOUND. */
#ifndef QUITTANCE_INTAKE_ADMIT_H
#define QUITTANCE_INTAKE_ADMIT_H

#include "gateway/intake/intake.h"
#include "store/adjustments.h"

enum admit_result { ADMIT_CREATED, ADMIT_SAME, ADMIT_CHANGED };

/* First admission, or the same again; since is set here.  patch: an admitted one is changed instead.  A payout account that is not
 * the provider itself, and any change of it, needs p->payout_word, the wallet's (admit_keys.c): ERR_AUTH. */
MUST_USE bool admit_provider(struct intake *intake, const char *who, struct provider *p, bool patch, enum admit_result *result, struct err *err);
/* By the wallet itself; *p is the provider afterwards. */
MUST_USE bool change_payout(struct intake *intake, const struct payout *payout, const struct signature *signature, struct provider *p,
                            enum admit_result *result, struct err *err);
/* A key that may sign for its provider from now on; since is set here, or is that of the same message before.  ERR_AUTH: not by
 * the wallet; ERR_NOT_FOUND: no admitted provider; ERR_CONFLICT: revoked before, or too many. */
#define KEYS_MAX 16u                          /* of one provider: neither over nor revoked for more than a day */
MUST_USE bool delegate_key(struct intake *intake, struct delegation *d, enum admit_result *result, struct err *err);
/* who: "wallet" where r has its signature, else an administrator; at and since are set here for that one. */
MUST_USE bool revoke_key(struct intake *intake, const char *who, struct revocation *r, enum admit_result *result, struct err *err);
MUST_USE bool expel_provider(struct intake *intake, const char *who, struct address provider, struct err *err);
MUST_USE bool admit_consumer(struct intake *intake, const char *who, struct consumer *c, bool patch, enum admit_result *result, struct err *err);
MUST_USE bool expel_consumer(struct intake *intake, const char *who, struct address consumer, struct err *err);
/* Checks the creator's signature (ERR_AUTH), lineage bounds (ERR_INVALID), other content by the same creator (ERR_CONFLICT). */
MUST_USE bool register_model(struct intake *intake, const struct model *m, enum admit_result *result, struct err *err);
/* Only after its parents are verified (ERR_INVALID); another creator already verified: ERR_CONFLICT. */
MUST_USE bool verify_model(struct intake *intake, const char *who, struct hash model, struct address creator, struct model *verified,
                            struct err *err);
/* effectiveFrom not over 60 s in the past but for a model's first version (ERR_INVALID).  p->version and recordedAt are set. */
MUST_USE bool add_price(struct intake *intake, const char *who, struct price_version *p, struct err *err);
/* And `also` in the same commit, on the writer's thread: kept is both or neither. */
typedef bool price_also_fn(void *self, struct group *group, const struct price_version *p, struct err *err);
MUST_USE bool add_price_and(struct intake *intake, const char *who, struct price_version *p, price_also_fn *also, void *self, struct err *err);

/* A correction of what an account earned (core/adjustment.h): id, batch, counterAccount and time are set.  ERR_INVALID: the protocol
 * account itself; ERR_CONFLICT: over what one settlement may pay.  `also` as with prices. */
typedef bool adjustment_also_fn(void *self, struct group *group, const struct adjustment *a, struct err *err);
MUST_USE bool adjust_account(struct intake *intake, const char *who, struct adjustment *a, adjustment_also_fn *also, void *self,
                             struct err *err);

/* An operator's decision on one held receipt.  A release is judged again: what cannot be priced or has no provider stays
 * held (ERR_CONFLICT says why).  It enters the open batch and gets its promise. */
MUST_USE bool release_receipt(struct intake *intake, const char *who, struct job_id job, struct address provider, const char *reason,
                              struct err *err);
MUST_USE bool refuse_receipt(struct intake *intake, const char *who, struct job_id job, struct address provider, const char *reason, struct err *err);
/* Judges everything again that may have been waiting for a change; in steps of 1000. */
MUST_USE bool release_waiting(struct intake *intake, uint64_t *released, struct err *err);

#endif
