/* gateway/audit/rewards.h - the leaves after a settlement, against its reward lines and its rewards.json. */
#ifndef QUITTANCE_AUDIT_REWARDS_H
#define QUITTANCE_AUDIT_REWARDS_H

#include "gateway/audit/chain_view.h"
#include "gateway/core/archive.h"
#include "gateway/lib/json.h"

/* The reward lines one after the other: exactly the accounts that earned something, in order, by what they earned. */
struct reward_walk {
    uint64_t sequence;
    const struct totals *leaves, *credits;      /* before the settlement; of it, sorted; borrowed */
    size_t at;                                /* in credits */
};
MUST_USE bool reward_walk_next(struct reward_walk *w, const struct archive_reward *line, struct err *err);
MUST_USE bool reward_walk_end(const struct reward_walk *w, struct err *err);

struct hash rewards_root(const struct totals *leaves, struct address token);
/* before: the leaves of the settlement that stands before this one. */
MUST_USE bool rewards_check_json(const json *rewards, const struct chain_view *view, const struct committed_event *event,
                                 const struct totals *before, const struct totals *leaves, struct err *err);

#endif
