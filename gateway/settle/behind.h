/* gateway/settle/behind.h - whether the chain knows settlements that this store does not.
 *
 * It does where the store was restored from a backup: what was settled since is then caught up on from the archives
 * (gateway/rebuild/catch_up.h) before anything is settled or taken in.  Numbers whose commits were all cancelled, and of
 * which no archive is here, are nobody's loss: the next settlement builds on their headers. */
#ifndef QUITTANCE_SETTLE_BEHIND_H
#define QUITTANCE_SETTLE_BEHIND_H

#include "gateway/settle/settle.h"

struct behind {
    uint64_t known, used;                     /* last sequences: of the store, of the contract */
    bool is_behind;                           /* known + 1 to used are to be caught up on */
    bool is_active;                           /* at least one of them pays already */
};
/* ERR_HALT: the contract's header of a settlement that the store holds as settled is another one, both are named: this is
 * another history, and nothing is ever caught up on.  ERR_CONFIG: another token. */
MUST_USE bool behind_look(const struct settle_config *config, struct rpc *rpc, struct db *db, struct behind *behind,
                          struct err *err);
/* What is missing, as an error: false, always.  ERR_AGAIN while it is all pending, ERR_HALT once it pays. */
bool behind_say(const struct behind *behind, struct err *err);

/* The highest block that counts as confirmed; *any false while there is none.  confirmations: as in the settings. */
MUST_USE bool confirmed_block(struct rpc *rpc, uint64_t confirmations, uint64_t *height, bool *any, struct err *err);

#endif
