/* tests/sim/node.h - one endpoint's node. */
#ifndef QUITTANCE_SIM_NODE_H
#define QUITTANCE_SIM_NODE_H

#include "gateway/lib/json.h"
#include "tests/sim/sim.h"

void node_block(struct sim *s, unsigned n);                              /* the network has a new block */
void node_drop(struct node *node);                                       /* everybody's connection to it is gone */
void node_receive(struct sim *s, unsigned n, size_t tx);                 /* delivered late */
/* The transaction in an eth_sendRawTransaction, entered into the chain's list. */
size_t node_decode(struct sim *s, const json *request);
void node_answer(struct sim *s, unsigned n, const json *request, struct buf *out);

/* A client's words for a refusal of this class. */
const char *words_for(struct sim *s, enum rpc_class class, int *code);
void words_load(void);                                                   /* once a process */

#endif
