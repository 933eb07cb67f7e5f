/* gateway/audit/recompute.h - one receipt of an archive, judged again from nothing but the archive itself.
 *
 * Content rules, signatures, which price was in force, the amount, the split with its lineage, who is billed. */
#ifndef QUITTANCE_AUDIT_RECOMPUTE_H
#define QUITTANCE_AUDIT_RECOMPUTE_H

#include "gateway/audit/bundles.h"
#include "gateway/audit/signatures.h"
#include "gateway/audit/totals.h"
#include "gateway/core/archive.h"

struct recompute {
    uint64_t sequence;
    const struct domain *domain;
    const struct catalog *catalog;
    struct address protocol_account;
    struct signatures *signatures;            /* NULL: each is looked at at once, else told by signatures_settle */
    struct bundles *bundles;                  /* a bundled receipt finds its place here; signed once, at the end */
    struct totals *credits;                   /* what everybody earned is added here */
    struct totals *charges;                   /* what each consumer is billed; NULL: not asked for */
};

#define RECEIPT_NAME 100
void receipt_name(const struct receipt *r, char text[RECEIPT_NAME]);     /* "receipt JOBID of PROVIDER" */
/* ERR_DIFFERS names the receipt and the rule. */
MUST_USE bool recompute_receipt(const struct recompute *c, const struct archive_receipt *r, struct hash *struct_hash, struct err *err);

#endif
