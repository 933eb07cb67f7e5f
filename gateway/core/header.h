/* gateway/core/header.h - the chain of settlement headers, as the contract computes them (design 5). */
#ifndef QUITTANCE_CORE_HEADER_H
#define QUITTANCE_CORE_HEADER_H

#include "gateway/base/amount.h"

struct settlement_content {
    uint64_t sequence;
    struct hash receipts_root, rewards_root, archive;
    struct amount total;                  /* cumulative: the sum of all leaves */
    uint64_t receipts;
};
struct hash header_first(uint64_t chain_id, struct address contract, struct address token);
struct hash header_next(struct hash parent, const struct settlement_content *content, uint64_t timestamp_s);
struct hash header_cancelled(struct hash header);

#endif
