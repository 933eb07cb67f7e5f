/* tests/sim/node_parts.h - what node.c and node_read.c share. */
#ifndef QUITTANCE_SIM_NODE_PARTS_H
#define QUITTANCE_SIM_NODE_PARTS_H

#include "tests/sim/node.h"

struct question {
    struct sim *sim;
    struct node *node;
    const json *params;
    uint64_t id;
    struct buf *out;
};

/* -- one answer -- */
void answer_begin(struct question *q);                             /* up to "result": */
void answer_text(struct question *q, const char *raw);             /* JSON as it stands */
void answer_number(struct question *q, uint64_t v);
void answer_hex(struct buf *out, const void *bytes, size_t len);
void answer_refuse(struct question *q, int code, const char *words);
void answer_class(struct question *q, enum rpc_class class, const char *geths);      /* as this node's client says it */

/* -- a question a method -- */
void ask_block(struct question *q, const json *which);
void ask_nonce(struct question *q);
void ask_balance(struct question *q);
void ask_call(struct question *q);
void ask_gas(struct question *q);
void ask_fees(struct question *q);
void ask_receipt(struct question *q);
void ask_logs(struct question *q);

#endif
