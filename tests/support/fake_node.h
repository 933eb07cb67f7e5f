/* tests/support/fake_node.h - a node of the tests' making behind a fake_http: it says of its chain what the test has it say. */
#ifndef QUITTANCE_TESTS_FAKE_NODE_H
#define QUITTANCE_TESTS_FAKE_NODE_H

#include "gateway/base/types.h"
#include "tests/support/fake_http.h"

struct fake_node {
    uint64_t chain, head, finalized;          /* finalized 0: it knows no such tag */
    uint64_t fork_from;                       /* blocks from here on are others than everybody's; 0: none */
    uint64_t receipt_block;                   /* of every transaction; 0: none */
    bool fails;                               /* it was reverted */
    uint64_t nonce, pending, logs;
    uint8_t value;                            /* what a call gives */
    const char *call_error;                   /* what a call is refused with; NULL: it is not */
    bool broken;                              /* every answer is nonsense */
    uint64_t takes_ms;                        /* added to *clock_ms with each answer */
    uint64_t *clock_ms;
    unsigned asked;                           /* requests, but for chain ids */
    char last_block[24];                      /* of the last count or call: the block it was asked as of */
    struct fake_http *http;
};

/* Blocks up to 100, a receipt in 90, nonce 7. */
void fake_node_start(struct fake_node *node);
void fake_node_stop(struct fake_node *node);

#endif
