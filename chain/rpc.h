/* chain/rpc.h - Ethereum JSON-RPC over HTTP: one function a method, answers checked and bounded.
 *
 * An rpc is for one thread.  One endpoint is trusted.  Of several, two must agree on whatever money may hang on: blocks,
 * receipts, logs, counts, balances and calls.  "The latest block" is then the highest that two have, and what is read as
 * of it is read as of that block; with fewer than two that agree the error is ERR_AGAIN, its text names them, and
 * rpc_waits_for_agreement is true.  Fees and gas come from one, the next where it fails.  Who is left out, and why:
 * rpc_health.h.  Every answer is bounded to RPC_ANSWER_MAX bytes and RPC_TIMEOUT_MS.
 *
 * Errors: ERR_AGAIN nobody answered; ERR_CHAIN the node said no, the class of its words in rpc_last_class; ERR_INVALID
 * the answer has the wrong shape; ERR_UNKNOWN for a send whose answer is missing. */
#ifndef QUITTANCE_CHAIN_RPC_H
#define QUITTANCE_CHAIN_RPC_H

#include "chain/http.h"
#include "chain/rpc_class.h"
#include "gateway/base/types.h"

#define RPC_TIMEOUT_MS 20000u
#define RPC_ANSWER_MAX (32u * 1024u * 1024u)
#define RPC_URLS_MAX 8

struct rpc;
struct rpc_config {
    const char *urls;                         /* comma-separated, each of another server */
    const char *auth_file;                    /* secrets, see rpc_auth.h; NULL or "": none */
    const char *ca_file;                      /* PEM, in place of the system's authorities; NULL or "": those */
};
/* Borrows nothing.  http://user:secret@host is refused (ERR_CONFIG): secrets come from files. */
MUST_USE bool rpc_open(const struct rpc_config *config, struct rpc **rpc, struct err *err);
MUST_USE bool rpc_new(const char *urls, struct rpc **rpc, struct err *err);      /* without secrets */
void rpc_free(struct rpc *rpc);
/* From now on an endpoint counts as down while it is not of this chain: asked before its first use, and again after an
 * error or a new connection. */
void rpc_expect_chain(struct rpc *rpc, uint64_t chain_id);
/* Once *stop is true, whatever waits for an answer fails within a second or so. */
void rpc_set_stop(struct rpc *rpc, const atomic_bool *stop);
enum rpc_class rpc_last_class(const struct rpc *rpc);             /* of the last ERR_CHAIN */
/* Revert data of the last ERR_CHAIN, borrowed; len 0 where there was none. */
const uint8_t *rpc_last_revert(const struct rpc *rpc, size_t *len);

enum block_tag { BLOCK_LATEST, BLOCK_FINALIZED, BLOCK_PENDING };
struct block { uint64_t number, timestamp_s; struct hash hash; bool has_base_fee; struct wei base_fee; uint64_t gas_limit; };
struct log_entry {
    struct address address;
    struct hash topics[4];
    size_t topic_count;
    struct buf data;                          /* owned */
    uint64_t block, index;
    struct tx_hash tx;
    bool removed;
};
struct logs { struct log_entry *list; size_t count; };
void logs_clear(struct logs *logs);
struct tx_receipt {
    bool found;                               /* false: the node does not know it (yet): no evidence of anything */
    bool success;
    uint64_t block, gas_used;
    struct hash block_hash;
    struct wei effective_gas_price;
    struct wei l1_fee;                        /* what an OP-stack chain took for the data; else zero */
    struct address from, to, created;
    struct logs logs;                         /* owned: logs_clear */
};

MUST_USE bool rpc_chain_id(struct rpc *rpc, uint64_t *id, struct err *err);
MUST_USE bool rpc_block(struct rpc *rpc, enum block_tag tag, struct block *block, struct err *err);   /* ERR_NOT_FOUND: no such tag */
MUST_USE bool rpc_block_at(struct rpc *rpc, uint64_t number, struct block *block, struct err *err);
/* BLOCK_PENDING: pools differ, so the highest that two endpoints have. */
MUST_USE bool rpc_nonce(struct rpc *rpc, struct address account, enum block_tag tag, uint64_t *nonce, struct err *err);
/* As of a block; nodes without an archive know the latest 128 only (ERR_CHAIN). */
MUST_USE bool rpc_nonce_at(struct rpc *rpc, struct address account, uint64_t block, uint64_t *nonce, struct err *err);
MUST_USE bool rpc_balance(struct rpc *rpc, struct address account, struct wei *balance, struct err *err);
MUST_USE bool rpc_code(struct rpc *rpc, struct address account, struct buf *code, struct err *err);
/* eth_call at the latest block; from may be NULL.  A revert is ERR_CHAIN with class RPC_REVERT. */
MUST_USE bool rpc_call(struct rpc *rpc, const struct address *from, struct address to, const struct buf *data, struct buf *result, struct err *err);
/* As of a block. */
MUST_USE bool rpc_call_at(struct rpc *rpc, struct address to, const struct buf *data, uint64_t block, struct buf *result, struct err *err);
/* The same for many calls to one contract in batches of requests; results[i] are initialised here, caller clears. */
MUST_USE bool rpc_call_many(struct rpc *rpc, struct address to, const struct buf *data, size_t count, struct buf *results, struct err *err);
/* Only whether each would be refused: a revert, or a bool of false. */
MUST_USE bool rpc_try_many(struct rpc *rpc, struct address from, struct address to, const struct buf *data, size_t count,
                           bool *refused, struct err *err);
/* to NULL: a deployment. */
MUST_USE bool rpc_estimate_gas(struct rpc *rpc, struct address from, const struct address *to, const struct buf *data, uint64_t *gas,
                               struct err *err);
struct fee_history { struct wei next_base_fee; struct wei rewards[32]; double gas_used_ratio[32]; size_t count; };
MUST_USE bool rpc_fee_history(struct rpc *rpc, unsigned blocks, unsigned percentile, struct fee_history *history, struct err *err);
/* Handed to every endpoint that is not left out: the first that takes it is enough, and no other's no undoes that.  The
 * hash is checked against our own.  ERR_UNKNOWN whenever it may have been taken; RPC_KNOWN counts as taken. */
MUST_USE bool rpc_send_raw(struct rpc *rpc, const struct buf *raw, struct tx_hash expected, struct err *err);
/* What each endpoint said to the last rpc_send_raw: "http://a: taken; http://b: nonce too low"; borrowed. */
const char *rpc_send_answers(const struct rpc *rpc);
MUST_USE bool rpc_tx_receipt(struct rpc *rpc, struct tx_hash hash, struct tx_receipt *receipt, struct err *err);
/* The same for many at once, where one endpoint is all there is; *asked false, and nothing done, where two must agree on each.
 * receipts are initialised here; the caller clears the logs of all, even after an error. */
MUST_USE bool rpc_tx_receipts(struct rpc *rpc, const struct tx_hash *hashes, size_t count, struct tx_receipt *receipts,
                              bool *asked, struct err *err);
/* topics: count <= 4, NULL entries match all. */
MUST_USE bool rpc_logs(struct rpc *rpc, struct address address, const struct hash *const *topics, size_t topic_count,
                       uint64_t from_block, uint64_t to_block, struct logs *logs, struct err *err);

#endif
