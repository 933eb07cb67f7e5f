/* gateway/audit/sealed.h - what is checked of an archive whose lines are sealed (core/seal.h), opened or not.
 *
 * An opened line is judged like a public one, and its leaf must be the one that stands beside the box.  Of a line that no
 * key opened only the leaf is known: the root is then computed from leaves, and what accounts earned is taken from the
 * reward lines, which the rewards root and the total on the chain bind. */
#ifndef QUITTANCE_AUDIT_SEALED_H
#define QUITTANCE_AUDIT_SEALED_H

#include "gateway/audit/keys.h"
#include "gateway/audit/totals.h"

struct sealed {
    uint64_t sequence, receipts, bundles;     /* lines that no key opened */
    bool was_sealed;                          /* the line that is being looked at, and its leaf */
    struct hash leaf;
    struct address last;                      /* account of the reward line before */
};
MUST_USE bool sealed_open(struct sealed *s, struct audit_keys *keys, struct archive_line *line, struct err *err);
/* Of an opened line; others pass. */
MUST_USE bool sealed_leaf_fits(const struct sealed *s, uint64_t index, const struct archive_receipt *line, struct err *err);
/* Its own key opened it, but nobody opened its bundle, so its signature cannot be seen. */
bool sealed_hides(const struct sealed *s, const struct archive_receipt *line);
/* leaves: before the settlement; the growth is added to credits. */
MUST_USE bool sealed_reward(struct sealed *s, const struct totals *leaves, const struct archive_reward *line,
                            struct totals *credits, struct err *err);

#endif
