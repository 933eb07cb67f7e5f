/* tests/support/sink_node.h - an Ethereum node on a loopback port that takes every transaction and mines none.
 *
 * For measuring the gateway's own part: connections stay open, a thread each, batches of requests are answered.  Knows the
 * methods that settlement asks before and after it sends; all others get an error.  The chain stands still at block 100. */
#ifndef QUITTANCE_TESTS_SINK_NODE_H
#define QUITTANCE_TESTS_SINK_NODE_H

#include "gateway/base/types.h"

#define SINK_NODE_CHAIN_ID 31337u

/* Called by threads of the node, before it answers. */
struct sink_node_seen {
    void (*receipt_asked)(void *self, struct hash tx);
    void (*raw_taken)(void *self, struct hash tx);
    void *self;
};

/* What is deployed there: a Settlement that has settled nothing yet. */
struct sink_node_contract { struct address contract, token; };

struct sink_node;
struct sink_node *sink_node_new(const struct sink_node_seen *seen, const struct sink_node_contract *contract);
void sink_node_free(struct sink_node *node);                     /* every client must be gone */
const char *sink_node_url(const struct sink_node *node);         /* borrowed */

#endif
