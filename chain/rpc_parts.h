/* chain/rpc_parts.h - what the rpc_*.c files share; nobody else includes it.
 *
 * rpc.c carries one request and judges errors, rpc_verify.c asks whose chain it is, rpc_health.c keeps who is asked,
 * rpc_agree.c asks one endpoint or until two agree, rpc_head.c finds the block that two have, rpc_read.c reads answers,
 * rpc_types.c compares them, rpc_calls.c, rpc_logs.c and rpc_batch.c ask, rpc_send.c sends. */
#ifndef QUITTANCE_CHAIN_RPC_PARTS_H
#define QUITTANCE_CHAIN_RPC_PARTS_H

#include <pthread.h>

#include "chain/rpc.h"
#include "chain/rpc_health.h"
#include "gateway/lib/json.h"

#define RPC_PROBE_MS 5000u         /* for questions whose answer is short: head and chain id */
#define RPC_SENT_MAX 1000u         /* of rpc_send_answers */

struct rpc_endpoint {
    char *url;                     /* owned; may hold an API key: never shown */
    char *name;                    /* owned; scheme://host:port, for people */
    char *authorization;           /* owned, secret_free; the header's line; NULL: none */
    bool verified;                 /* it said that it is of the chain that is expected */
    struct rpc_health health;
    bool answered;                 /* at least once */
    unsigned lies;                 /* how often it was caught, those of long ago apart */
    uint64_t lied_at_ms;
    uint64_t retry_at_ms;          /* down, slow, lying, other-chain: not before */
    bool at_head;                  /* it has the agreed head */
};

struct rpc {
    struct http_client *http;
    char *ca_file;                 /* owned; NULL: the system's */
    struct rpc_endpoint endpoints[RPC_URLS_MAX];
    size_t endpoint_count;
    size_t current;                /* the one that answered last: tried first, so one decision reads one node */
    size_t turn;                   /* which other is asked beside it: each in turn, so that each is compared */
    uint64_t next_id;
    uint64_t chain_id;             /* that of every endpoint; 0: whatever they have */
    enum rpc_class last_class;
    struct buf revert;
    bool waits;                    /* the last error: too few agree */
    unsigned retry_after_s;        /* the last answer's; 0: none */
    struct block head;             /* the highest that two have */
    struct block finalized;
    bool has_head, has_finalized;
    uint64_t head_at_ms, finalized_at_ms;
    uint64_t behind_at_ms;         /* when those behind were last looked at for want of two others */
    char sent[RPC_SENT_MAX];
    const struct clock *clock;
    rpc_random *random;
    void *random_self;
    rpc_listener *listener;        /* NULL: none */
    void *listener_self;
    pthread_mutex_t lock;          /* over health of all endpoints, which others may look at */
};

/* The 2.0 request object for one call; takes params. */
json *rpc_request(uint64_t id, const char *method, json *owned_params);

/* Posts body to one endpoint and reads the reply as JSON.  ERR_AGAIN: certainly not taken.  ERR_UNKNOWN: no (usable)
 * answer.  ERR_INVALID: an answer, but not JSON. */
MUST_USE bool rpc_post(struct rpc *rpc, const struct rpc_endpoint *endpoint, const json *body, unsigned timeout_ms,
                       json **reply, bool *connected, struct err *err);
/* The same with an endpoint that is of the expected chain; one of another is ERR_AGAIN and left out. */
MUST_USE bool rpc_exchange(struct rpc *rpc, struct rpc_endpoint *endpoint, const json *body, unsigned timeout_ms,
                           json **reply, struct err *err);
/* The result in a reply object; borrowed.  ERR_CHAIN: an error object (class and revert data are kept in rpc);
 * ERR_AGAIN: one of class RPC_DOWN; ERR_INVALID: no reply to this id. */
MUST_USE bool rpc_result(struct rpc *rpc, const json *reply, uint64_t id, const json **result, struct err *err);

/* ---- rpc_health.c ---- */
uint64_t rpc_now(const struct rpc *rpc);
/* Whether it is asked now. */
bool rpc_is_usable(const struct rpc *rpc, const struct rpc_endpoint *endpoint);
bool rpc_is_up(const struct rpc_endpoint *endpoint);
/* An exchange that gave a usable answer, and one that did not. */
void rpc_note_success(struct rpc *rpc, struct rpc_endpoint *endpoint, uint64_t took_ms);
void rpc_note_failure(struct rpc *rpc, struct rpc_endpoint *endpoint, uint64_t took_ms, const struct err *err);
/* Leaves it out for a state of its own; ENDPOINT_UP takes it back. */
void rpc_judge(struct rpc *rpc, struct rpc_endpoint *endpoint, enum endpoint_state state, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void rpc_note_head(struct rpc *rpc, struct rpc_endpoint *endpoint, uint64_t head, uint64_t best);
void rpc_note_finalized(struct rpc *rpc, struct rpc_endpoint *e, uint64_t finalized);
/* ERR_AGAIN: which endpoints answered, and why the others did not.  rpc_too_few: two had to agree. */
bool rpc_nobody(struct rpc *rpc, const char *what, const bool answered[RPC_URLS_MAX], struct err *err);
bool rpc_too_few(struct rpc *rpc, const bool answered[RPC_URLS_MAX], struct err *err);

/* ---- rpc_agree.c ---- */
struct rpc_question;
/* A kind of answer: how it is read from a reply, compared and freed.  differs: the field, or NULL where they agree. */
struct rpc_type {
    size_t size;
    bool (*read)(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err);
    const char *(*differs)(const struct rpc_question *q, const void *a, const void *b);
    void (*clear)(const struct rpc_question *q, void *value);      /* NULL: nothing to free */
    bool (*is_negative)(const void *value);                        /* NULL: never; says "I have none" */
};
struct rpc_question {
    const char *method;
    const struct rpc_type *type;
    json *body;                    /* owned: rpc_question_clear */
    uint64_t id;                   /* of the request, or of the first one of a batch */
    const void *of;                /* what read needs to know; the asker's */
    unsigned timeout_ms;
    bool at_head;                  /* for endpoints that have the agreed head */
};
struct rpc_question rpc_question(struct rpc *rpc, const struct rpc_type *type, const char *method, json *owned_params);
void rpc_question_clear(struct rpc_question *q);
/* One endpoint's answer. */
MUST_USE bool rpc_ask_at(struct rpc *rpc, struct rpc_endpoint *endpoint, const struct rpc_question *q, void *value,
                         struct err *err);
/* The first answer of any; where one says no, another is asked. */
MUST_USE bool rpc_ask(struct rpc *rpc, const struct rpc_question *q, void *value, struct err *err);
/* The answer that two give, or the only endpoint's. */
MUST_USE bool rpc_agree(struct rpc *rpc, const struct rpc_question *q, void *value, struct err *err);

/* ---- rpc_head.c ---- */
/* Of the numbers that all give the highest that two have reached. */
MUST_USE bool rpc_second_highest(struct rpc *rpc, const struct rpc_question *q, uint64_t *number, struct err *err);
/* The highest block that two have and agree on.  Only where there are several endpoints. */
MUST_USE bool rpc_agreed_head(struct rpc *rpc, struct block *head, struct err *err);
/* Those behind are looked at with every head; where too few others are left, also before what needs no head: else they
 * would never be asked again. */
void rpc_look_behind(struct rpc *rpc);
MUST_USE bool rpc_agreed_finalized(struct rpc *rpc, struct block *block, struct err *err);
/* What "latest" is to stand for in the parameters of a question; makes it one for endpoints that have that block. */
MUST_USE bool rpc_latest(struct rpc *rpc, json **owned, bool *at_head, struct err *err);

/* ---- rpc_calls.c ---- */
json *rpc_quantity(uint64_t v);
/* A list of one or two; NULL ends it. */
json *rpc_params(json *owned_first, json *owned_second);
/* {to, data, from?}, the call object of eth_call and eth_estimateGas. */
json *rpc_call_object(const struct address *from, const struct address *to, const struct buf *data);

/* ---- rpc_types.c ---- */
extern const struct rpc_type rpc_type_u64, rpc_type_wei, rpc_type_bytes, rpc_type_block, rpc_type_receipt, rpc_type_logs,
    rpc_type_fees;
struct rpc_block_value { bool found; struct block block; };        /* of rpc_type_block; of: uint64_t wanted, or NULL */
struct rpc_receipt_of { struct tx_hash hash; bool has_head; uint64_t head; };          /* of rpc_type_receipt */
struct rpc_logs_of {                                               /* of rpc_type_logs */
    struct address address;
    const struct hash *const *topics;
    size_t topic_count;
    uint64_t from_block, to_block;
};

/* ---- rpc_read.c: ERR_INVALID names what is wrong ---- */
MUST_USE bool rpc_read_u64(const json *v, const char *name, uint64_t *number, struct err *err);
MUST_USE bool rpc_read_wei(const json *v, const char *name, struct wei *wei, struct err *err);
MUST_USE bool rpc_read_bytes(const json *v, const char *name, struct buf *bytes, struct err *err);
MUST_USE bool rpc_read_block(const json *v, struct block *block, struct err *err);
MUST_USE bool rpc_read_logs(const json *v, struct logs *logs, struct err *err);
MUST_USE bool rpc_read_tx_receipt(const json *v, struct tx_receipt *receipt, struct err *err);
MUST_USE bool rpc_read_fee_history(const json *v, struct fee_history *history, struct err *err);

#endif
