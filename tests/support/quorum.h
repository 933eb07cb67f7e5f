/* tests/support/quorum.h - several fake nodes, an rpc to them, a clock that only tests move, and what was told last. */
#ifndef QUITTANCE_TESTS_QUORUM_H
#define QUITTANCE_TESTS_QUORUM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "chain/rpc_health.h"
#include "tests/support/fake_node.h"

#define QUORUM_MAX 4u

struct quorum {
    struct fake_node nodes[QUORUM_MAX];
    size_t count;
    struct rpc *rpc;
    uint64_t now_ms, chance;                  /* what the rpc takes for time, and for chance */
    struct clock clock;
    unsigned told;                            /* changes of state */
    struct rpc_health last;                   /* the last of them */
    struct err err;
};

void quorum_open(struct quorum *q, size_t count);
void quorum_close(struct quorum *q);
struct rpc_health quorum_health(struct quorum *q, size_t node);
/* Time passes, so that the next look is one at a new head; err is empty again. */
void quorum_later(struct quorum *q, uint64_t ms);

#define assert_state(q, node, wanted) \
    assert_string_equal(endpoint_state_name(quorum_health(q, node).state), endpoint_state_name(wanted))

#endif
