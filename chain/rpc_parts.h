/* chain/rpc_parts.h - what the rpc_*.c files share; nobody else includes it.
 *
 * rpc.c carries one request and judges errors, rpc_verify.c asks whose chain it is, rpc_read.c reads answers, rpc_calls.c and rpc_batch.c ask,
 * rpc_send.c sends. */
#ifndef QUITTANCE_CHAIN_RPC_PARTS_H
#define QUITTANCE_CHAIN_RPC_PARTS_H

#include "chain/rpc.h"
#include "gateway/lib/json.h"

#define RPC_URLS_MAX 8

struct rpc_endpoint {
    char *url;                     /* owned; may hold an API key: never shown */
    char *name;                    /* owned; scheme://host:port, for people */
    bool verified;                 /* it said that it is of the chain that is expected */
};

struct rpc {
    struct http_client *http;
    struct rpc_endpoint endpoints[RPC_URLS_MAX];
    size_t endpoint_count;
    size_t current;                /* the one that answered last: tried first, so one decision reads one node */
    uint64_t next_id;
    uint64_t chain_id;             /* that of every endpoint; 0: whatever they have */
    enum rpc_class last_class;
    struct buf revert;
};

/* The 2.0 request object for one call; takes params. */
json *rpc_request(uint64_t id, const char *method, json *owned_params);

/* Posts body to one endpoint and reads the reply as JSON.  ERR_AGAIN: certainly not taken.  ERR_UNKNOWN: no (usable)
 * answer.  ERR_INVALID: an answer, but not JSON. */
MUST_USE bool rpc_post(struct rpc *rpc, const struct rpc_endpoint *endpoint, const json *body, json **reply,
                       bool *connected, struct err *err);
/* The same with an endpoint that is of the expected chain; one of another is ERR_AGAIN: it counts as down. */
MUST_USE bool rpc_exchange(struct rpc *rpc, struct rpc_endpoint *endpoint, const json *body, json **reply,
                           struct err *err);
/* The result in a reply object; borrowed.  ERR_CHAIN: an error object (class and revert data are kept in rpc);
 * ERR_AGAIN: one of class RPC_DOWN; ERR_INVALID: no reply to this id. */
MUST_USE bool rpc_result(struct rpc *rpc, const json *reply, uint64_t id, const json **result, struct err *err);

/* Reads one reply; self is the caller's. */
typedef bool rpc_reader(struct rpc *rpc, const json *reply, void *self, struct err *err);
/* For what changes nothing at the node: asks endpoint after endpoint until one gives an answer that read takes, or an
 * error that another would give too. */
MUST_USE bool rpc_fail_over(struct rpc *rpc, const json *body, rpc_reader *read, void *self, struct err *err);
/* One call through rpc_fail_over; *result is owned by the caller. */
MUST_USE bool rpc_ask(struct rpc *rpc, const char *method, json *owned_params, json **result, struct err *err);

/* {to, data, from?}, the call object of eth_call and eth_estimateGas. */
json *rpc_call_object(const struct address *from, const struct address *to, const struct buf *data);

/* ---- rpc_read.c: ERR_INVALID names what is wrong ---- */
MUST_USE bool rpc_read_u64(const json *v, const char *name, uint64_t *number, struct err *err);
MUST_USE bool rpc_read_wei(const json *v, const char *name, struct wei *wei, struct err *err);
MUST_USE bool rpc_read_bytes(const json *v, const char *name, struct buf *bytes, struct err *err);
MUST_USE bool rpc_read_block(const json *v, struct block *block, struct err *err);
MUST_USE bool rpc_read_logs(const json *v, struct logs *logs, struct err *err);
MUST_USE bool rpc_read_tx_receipt(const json *v, struct tx_receipt *receipt, struct err *err);
MUST_USE bool rpc_read_fee_history(const json *v, struct fee_history *history, struct err *err);

#endif
