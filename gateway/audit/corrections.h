/* gateway/audit/corrections.h - adjustments and debts of an archive: each correction once, and what it leaves owed (core/debts.h). */
#ifndef QUITTANCE_AUDIT_CORRECTIONS_H
#define QUITTANCE_AUDIT_CORRECTIONS_H

#include "gateway/audit/totals.h"
#include "gateway/core/archive.h"
#include "gateway/core/debts.h"

/* Over all settlements that stand. */
struct corrections {
    uint64_t *ids;                            /* owned; sorted */
    size_t count, capacity;
    struct debts owed;                        /* after the last settlement */
};
void corrections_clear(struct corrections *c);

/* Those of one settlement, in the order of their lines. */
struct corrected {
    uint64_t sequence, last_id;
    struct nets nets;
    struct debts changes;                     /* of the debt lines: what is owed afterwards, zero included */
};
void corrected_clear(struct corrected *c);
/* ERR_DIFFERS: out of order, or made before. */
MUST_USE bool corrected_take(struct corrected *c, struct corrections *all, const struct adjustment *a, struct err *err);
/* What everybody earned becomes by how much each leaf grows; owed is the caller's. */
MUST_USE bool corrected_settle(struct corrected *c, const struct corrections *all, struct address protocol_account, struct totals *credits,
                               struct debts *owed, struct err *err);
MUST_USE bool corrected_take_debt(struct corrected *c, const struct corrections *all, const struct archive_debt *line, struct err *err);
/* What is owed as the lines tell it becomes what stands; owed: as recomputed, NULL where that could not be. */
MUST_USE bool corrected_keep(struct corrected *c, struct corrections *all, struct address protocol_account, const struct debts *owed,
                             struct err *err);

#endif
