/* gateway/succession.h - a contract and the one before it: what two configurations must keep apart, and who follows whom.
 *
 * A batch belongs to one contract, so each contract has a gateway folder of its own: store, signer key, archive.  While
 * [chain] predecessor names the old one's configuration, `serve` has both open.  Which contract follows which is noted in
 * both stores, so that neither is ever served where the same job could be taken for both. */
#ifndef QUITTANCE_SUCCESSION_H
#define QUITTANCE_SUCCESSION_H

#include "gateway/config.h"
#include "store/binding.h"

/* The configuration of the contract before, from its file alone; its chain is asked at our endpoints.  ERR_CONFIG: it is of
 * another chain, of the same contract, store or archive folder, or has a predecessor itself. */
MUST_USE bool succession_load(const struct config *config, const char *path, struct config *predecessor, struct err *err);
/* Notes it in both stores, the old one's first; moved_at_ms is when that was done for the first time. */
MUST_USE bool succession_note(struct writer *successor, struct address successor_contract, struct writer *predecessor,
                              struct address predecessor_contract, uint64_t *moved_at_ms, struct err *err);
/* Whether a store may be served without another one beside it.  ERR_CONFIG: its contract has a successor, or it is one and
 * jobs that its predecessor was paid for could still come in time. */
MUST_USE bool succession_alone(struct db *db, uint64_t max_age_ms, uint64_t now_ms, struct err *err);

#endif
