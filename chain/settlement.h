/* chain/settlement.h - the Settlement contract as seen from C: calldata, views, events, errors (design 5). */
#ifndef QUITTANCE_CHAIN_SETTLEMENT_H
#define QUITTANCE_CHAIN_SETTLEMENT_H

#include "chain/abi.h"
#include "chain/rpc.h"

struct commit_args {
    uint64_t sequence;
    struct hash parent, receipts_root, rewards_root, archive;
    struct amount total;
    uint64_t receipts;
};
void settlement_commit_call(const struct commit_args *args, struct buf *data);
void settlement_distribute_call(const struct address *accounts, const struct amount *claimables, size_t count,
                                const struct hash *proof, size_t proof_count, const struct buf *steps, struct buf *data);
void settlement_claim_call(struct address account, struct address reward, struct amount claimable,
                           const struct hash *proof, size_t proof_count, struct buf *data);
struct deploy_args {
    struct address token, owner, operator_, guardian, funder;
    struct amount cap;
    uint64_t cap_window_s, activation_delay_s, role_delay_s, pause_duration_s;
};
void settlement_deploy_data(const struct buf *bytecode, const struct deploy_args *args, struct buf *data);
void dev_token_deploy_data(const struct buf *bytecode, const char *name, const char *symbol, uint8_t decimals, struct buf *data);
void dev_token_mint_call(struct address to, struct amount amount, struct buf *data);
void token_transfer_call(struct address to, struct amount amount, struct buf *data);
void token_approve_call(struct address spender, struct amount amount, struct buf *data);

/* Owner's and guardian's other calls by name: pause, unpause, revokeOperator, acceptOperator, ... without arguments; */
void settlement_plain_call(const char *signature, struct buf *data);                          /* "pause()" */
void settlement_address_call(const char *signature, struct address a, struct buf *data);      /* "retire(address)" */
void settlement_u256_call(const char *signature, struct u256 v, struct buf *data);            /* "setCap(uint256)", "cancel(uint64)" */

/* Views at the latest block, asked in one batch: a block may still come in between, so the contract judges again. */
struct settlement_view {
    struct address token, owner, operator_, guardian, funder;
    uint64_t sequence;                        /* last used */
    struct hash active_root, previous_root;
    struct amount total, total_claimed, cap, cap_available;
    uint64_t activation_delay_s, role_delay_s, cap_window_s, paused_until_s;
    bool has_pending;
    uint64_t pending_sequence, pending_active_at_s;
    struct hash pending_root;
};
MUST_USE bool settlement_read(struct rpc *rpc, struct address contract, struct settlement_view *view, struct err *err);
MUST_USE bool settlement_header(struct rpc *rpc, struct address contract, uint64_t sequence, struct hash *header, struct err *err);
/* As of a block: what was confirmed, not what a reorg may take back. */
MUST_USE bool settlement_header_at(struct rpc *rpc, struct address contract, uint64_t sequence, uint64_t block, struct hash *header, struct err *err);
MUST_USE bool settlement_total_claimed_at(struct rpc *rpc, struct address contract, uint64_t block, struct amount *claimed, struct err *err);
/* What a distribute call returned; false: not two words. */
bool settlement_distributed(const struct buf *result, struct amount *paid, struct amount *skipped);
MUST_USE bool settlement_claimed(struct rpc *rpc, struct address contract, const struct address *accounts, size_t count,
                                 struct amount *claimed, struct err *err);
MUST_USE bool token_balance(struct rpc *rpc, struct address token, struct address account, struct amount *balance, struct err *err);
/* What spender may take from account: ERC-20 allowance. */
MUST_USE bool token_allowance(struct rpc *rpc, struct address token, struct address account, struct address spender,
                              struct amount *allowance, struct err *err);
MUST_USE bool token_describe(struct rpc *rpc, struct address token, char symbol[33], uint8_t *decimals, struct err *err);

/* Events.  Each decoder is false when the log is another event or of another contract. */
struct committed_event {
    uint64_t sequence, receipts, active_at_s;
    struct hash receipts_root, rewards_root, archive, header;
    struct amount total;
};
bool settlement_committed(const struct log_entry *log, struct address contract, struct committed_event *event);
bool settlement_cancelled(const struct log_entry *log, struct address contract, uint64_t *sequence);
bool settlement_skipped(const struct log_entry *log, struct address contract, struct address *account, struct amount *amount);
bool settlement_claimed_event(const struct log_entry *log, struct address contract, struct address *account, struct amount *amount);
/* The owner's word that nothing is committed from effective_at_s on; a later one replaces it. */
struct retired_event { struct address successor; uint64_t effective_at_s; };
bool settlement_retired(const struct log_entry *log, struct address contract, struct retired_event *event);
/* A payment: the token's Transfer from the contract. */
bool token_paid(const struct log_entry *log, struct address token, struct address contract, struct address *to, struct amount *amount);
struct hash token_transfer_topic(void);
struct hash settlement_committed_topic(void);
struct hash settlement_cancelled_topic(void);
struct hash settlement_retired_topic(void);

/* Revert data of the contract's custom errors in words ("OverCap: 12 base units are available"), and what it means:
 * ERR_AGAIN (OverCap, Underfunded, IsPaused, StillPending), ERR_HALT (WrongSequence, WrongParent, TotalFell, ...),
 * ERR_CHAIN for anything else. */
bool settlement_revert(const uint8_t *data, size_t len, struct err *err);

#endif
